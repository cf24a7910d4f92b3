# Names that Azure Resource Manager refuses for a resource, which gets the host's name where the bundle gives none.
# azure-resource-manager/troubleshooting/error-reserved-resource-name.md (2023-04-05); bundler/data/arc_server/limits.json.

$script:ReservedWhole = @(
    'ACCESS', 'APP_CODE', 'APP_THEMES', 'APP_DATA', 'APP_GLOBALRESOURCES', 'APP_LOCALRESOURCES', 'APP_WEBREFERENCES',
    'APP_BROWSERS', 'AZURE', 'BING', 'BIZSPARK', 'BIZTALK', 'CORTANA', 'DIRECTX', 'DOTNET', 'DYNAMICS', 'EXCEL', 'EXCHANGE',
    'FOREFRONT', 'GROOVE', 'HOLOLENS', 'HYPERV', 'KINECT', 'LYNC', 'MSDN', 'O365', 'OFFICE', 'OFFICE365', 'ONEDRIVE',
    'ONENOTE', 'OUTLOOK', 'POWERPOINT', 'SHAREPOINT', 'SKYPE', 'VISIO', 'VISUALSTUDIO', 'WEB.CONFIG', 'XBOX')
$script:ReservedPart = @('MICROSOFT', 'WINDOWS')
$script:ReservedStart = @('LOGIN')

# The word for which Azure refuses $Name; empty where there is none. Letter case does not count.
function Get-ReservedWord([string]$Name) {
    $upper = $Name.ToUpperInvariant()
    foreach ($word in $script:ReservedWhole) { if ([string]::Equals($upper, $word, [StringComparison]::Ordinal)) { return $word } }
    foreach ($word in $script:ReservedPart) { if ($upper.Contains($word)) { return $word } }
    foreach ($word in $script:ReservedStart) { if ($upper.StartsWith($word, [StringComparison]::Ordinal)) { return $word } }
    return ''
}
