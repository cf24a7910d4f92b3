# Step 4, configure: sets what the bundle wants with azcmagent config.

# A list is set as a,b and shown in brackets, separated by commas or blanks, in any order and case.
function Test-SameSetting([string]$Shown, [string]$Value) {
    $left, $right = @($Shown, $Value | ForEach-Object { (Get-Sorted @(($_.ToUpperInvariant() -csplit '[][,\s]+') | Where-Object { $_ })) -join ',' })
    Test-Same $left $right
}

# The agent's value of a key; nothing where the agent does not report it. The output of "get" is not documented: both the value
# alone and "key: value" are read.
function Get-Setting([string]$Key) {
    if (-not (Test-Path -LiteralPath $Agent -PathType Leaf)) { return $null }
    $form = '(?m)^\s*' + [regex]::Escape($Key) + '( \(preview\))?[ \t]*:[ \t]*(.*?)[ \t\r]*$'
    $answer = Invoke-Program $Agent @('config', 'get', $Key)
    if ($answer.Code -eq 0) {
        $found = [regex]::Match($answer.Output, $form, $AnyCase)
        if ($found.Success) { return $found.Groups[2].Value }
        return (@($answer.Output.Trim() -csplit "`r?`n")[-1]).Trim()
    }
    $answer = Invoke-Program $Agent @('config', 'list')
    if ($answer.Code -ne 0) { return $null }
    $found = [regex]::Match($answer.Output, $form, $AnyCase)
    if ($found.Success) { return $found.Groups[2].Value }
    $null
}

function Test-Setting([string]$Key, [string]$Value) {
    $shown = Get-Setting $Key
    $null -ne $shown -and (Test-SameSetting $shown $Value)
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

# "config list" has all settings at once; a value in an unknown form is read again with "config get".
function Confirm-Settings {
    $shown = New-Table
    $answer = Invoke-Program $Agent @('config', 'list', '-j')
    try {
        foreach ($one in @(($answer.Output | ConvertFrom-Json).localsettings)) { $shown[(Get-PropertyText $one 'Key')] = @($one.Value) -join ',' }
    } catch {
        $shown = New-Table
    }
    $script:Unread = @()
    foreach ($setting in $BundleSettings) {
        if ($shown.ContainsKey($setting.Key) -and (Test-SameSetting $shown[$setting.Key] $setting.Value)) { continue }
        $now = Get-Setting $setting.Key
        if ($null -eq $now -and -not $shown.ContainsKey($setting.Key)) { $script:Unread += $setting.Key; continue }
        if ($null -eq $now) { $now = $shown[$setting.Key] }
        if (Test-SameSetting $now $setting.Value) { continue }
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
