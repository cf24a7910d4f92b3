# Finds the files of the bundle, and what a path that the user gave means.

$script:Bundle = Split-Path -Parent $PSCommandPath

function Get-BundlePath([string]$Path) {
    [IO.Path]::Combine($Bundle, $Path.Replace('/', [string][IO.Path]::DirectorySeparatorChar))
}

# .NET's current folder is not PowerShell's. A drive that does not exist, as mapped drives do not in an elevated session, is
# reported where the file is opened.
function Get-FullPath([string]$Path) {
    try { $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path) } catch { $Path }
}
