# Step 4, configure: sets what the bundle wants with azcmagent config.

# A list is set as a,b and shown in brackets, with quotes, separated by commas or blanks, in any order and case.
function Test-SameSetting([string]$Shown, [string]$Value) {
    $left, $right = @($Shown, $Value | ForEach-Object { (Get-Sorted @(($_.ToUpperInvariant() -csplit '[][,"''\s]+') | Where-Object { $_ })) -join ',' })
    Test-Same $left $right
}

# The value in an answer of "config get" or "config list": as JSON, as "key : value", or ($Alone) as the only line that is no log line.
# Nothing where the answer has none.
function Read-Setting([string]$Output, [string]$Key, [switch]$Alone) {
    $plain = Get-PlainAnswer $Output
    $settings = New-Table
    foreach ($value in @(Read-JsonAnswers $plain)) { Add-ListedSettings $settings $value }
    $folded = Get-FoldedKey $Key
    if ($settings.ContainsKey($folded)) { return $settings[$folded] }
    $facts = Get-LabelFacts $plain @($folded)
    if ($null -ne $facts) { return $facts[$folded] }
    if (-not $Alone -or $settings.Count -gt 0) { return $null }
    $values = @($plain -csplit "`n" | Where-Object { $_.Trim() -and $_ -cnotmatch '^\s*((time|level|msg)=|(DEBUG|INFO|WARN|WARNING|ERROR|FATAL)\b)' })
    if ($values.Count -eq 0) { return '' }
    Get-SettingText $values[-1]
}

# The agent's value of a key; nothing where the agent does not report it.
function Get-Setting([string]$Key) {
    if (-not (Test-Path -LiteralPath $Agent -PathType Leaf)) { return $null }
    $answer = Invoke-Agent @('config', 'get', $Key)
    if ($answer.Code -eq 0) { return Read-Setting $answer.Output $Key -Alone }
    $answer = Invoke-Agent @('config', 'list')
    if ($answer.Code -ne 0) { return $null }
    Read-Setting $answer.Output $Key
}

# A proxy may be written in many ways; a name and password in it count.
function Test-Fits([string]$Key, [string]$Shown, [string]$Value) {
    if (Test-SameSetting $Shown $Value) { return $true }
    if (-not (Test-Same $Key 'proxy.url') -or -not $Shown -or -not $Value -or ($Shown + $Value).IndexOf([char]64) -ge 0) { return $false }
    Test-Same (Get-ProxyForm $Shown) (Get-ProxyForm $Value)
}

function Test-Setting([string]$Key, [string]$Value) {
    $shown = Get-Setting $Key
    $null -ne $shown -and (Test-Fits -Key $Key -Shown $shown -Value $Value)
}

function Set-Setting([string]$Verb, [string]$Key, [string]$Value) {
    $words = @('config', $Verb, $Key)
    if (Test-Same $Verb 'set') { $words += $Value }
    $answer = Invoke-Program $Agent $words
    if ($answer.Code -ne 0) {
        Show-End $answer.Text
        Stop-Here $answer.Code ('azcmagent config ' + $Verb + ' ' + $Key + ' ended with ' + $answer.Code)
    }
}

# Proxy settings that an earlier bundle set and this one does not have: to clear, where they are still as it set them.
function Get-StaleSettings {
    $ours = @($BundleSettings | ForEach-Object { $_.Key })
    foreach ($change in @(Get-Changes 'setting')) {
        if (-not (Test-OneOfAnyCase $change.Name $ours) -and (Test-Setting $change.Name $change.Value)) { $change }
    }
}

# A value as "config set" takes it; empty for null.
function Get-ListText($Value) {
    if (Test-Same $Value.Kind 'list') { return (@($Value.Values | ForEach-Object { Get-ListText $_ } | Where-Object { $_ }) -join ',') }
    Get-SettingText $Value.Text
}

function Get-SettingText([string]$Text) {
    $bare = Get-Bare $Text
    if (Test-OneOfAnyCase $bare $Unsaid) { return '' }
    $bare
}

# The settings in an answer: objects with Key and Value, or values by their keys, in an object or a list.
function Add-ListedSettings($Settings, $Value, [int]$Depth = 0) {
    if ($Depth -gt 3 -or -not (Test-OneOf $Value.Kind @('object', 'list'))) { return }
    $key = Get-JsonText $Value 'Key'
    $held = Get-JsonValue $Value 'Value'
    if ($key -and $null -ne $held) { Add-Listed -Settings $Settings -Key $key -Value $held; return }
    for ($at = 0; $at -lt $Value.Values.Count; $at++) {
        $one = $Value.Values[$at]
        Add-ListedSettings -Settings $Settings -Value $one -Depth ($Depth + 1)
        if ((Test-Same $Value.Kind 'object') -and -not (Test-Same $one.Kind 'object')) { Add-Listed -Settings $Settings -Key $Value.Names[$at] -Value $one }
    }
}

function Add-Listed($Settings, [string]$Key, $Value) {
    $folded = Get-FoldedKey $Key
    if (-not $Settings.ContainsKey($folded)) { $Settings[$folded] = Get-ListText $Value }
}

# "config list" has all settings at once; a value in an unknown form is read again with "config get".
function Confirm-Settings {
    $shown = New-Table
    $answer = Invoke-Program $Agent @('config', 'list', '-j')
    foreach ($value in @(Read-JsonAnswers (Get-PlainAnswer $answer.Output))) { Add-ListedSettings $shown $value }
    $script:Unread = @()
    foreach ($setting in $BundleSettings) {
        $key = Get-FoldedKey $setting.Key
        if ($shown.ContainsKey($key) -and (Test-Fits -Key $setting.Key -Shown $shown[$key] -Value $setting.Value)) { continue }
        $now = Get-Setting $setting.Key
        if ($null -eq $now -and -not $shown.ContainsKey($key)) { $script:Unread += $setting.Key; continue }
        if ($null -eq $now) { $now = $shown[$key] }
        if (Test-Fits -Key $setting.Key -Shown $now -Value $setting.Value) { continue }
        Stop-Here 69 ($setting.Key + ' was set to ' + $setting.Value + ', but the agent reports ' + $now)
    }
}

$script:Unread = @()          # settings that the agent does not report

function Step-Configure {
    Start-Step 'configure'
    $set = @()
    foreach ($change in @(Get-StaleSettings)) {
        $set += $change.Name + ' cleared'
        if ($WhatIf) { continue }
        Set-Setting 'clear' $change.Name
        Remove-Change -Kind 'setting' -Name $change.Name -Value ''
        Save-Changes
    }
    foreach ($setting in $BundleSettings) {
        if (Test-Setting $setting.Key $setting.Value) { continue }
        $set += $setting.Key + '=' + $setting.Value
        if ($WhatIf) { continue }
        if (Test-OneOf $setting.Key @('proxy.url', 'proxy.bypass')) { Add-Change -Kind 'setting' -Name $setting.Key -Value $setting.Value }
        Set-Setting -Verb 'set' -Key $setting.Key -Value $setting.Value
    }
    if (-not $WhatIf) { Confirm-Settings }
    Set-Identity
    if ($script:IdentityDone.Count -gt 0) { $set += 'identity: ' + ($script:IdentityDone -join ', ') }
    $text = Hide-Secrets ($set -join ' ')
    $lacks = @($script:IdentityLacks)
    if ($script:Unread.Count -gt 0) { $lacks += 'azcmagent does not report its value of ' + ($script:Unread -join ' ') }
    if ($lacks.Count -gt 0) { Complete-Step 'warn' ((@($text) + $lacks) -join '; ').TrimStart('; '); return }
    if ($set.Count -eq 0) { Complete-Step 'skip' ('already configured (settings: ' + @($BundleSettings).Count + ')'); return }
    if ($WhatIf) { Complete-Step 'would' ('set ' + $text); return }
    Complete-Step 'ok' ('set ' + $text)
}
