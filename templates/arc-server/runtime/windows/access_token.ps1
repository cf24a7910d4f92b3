# Whether an access token can still be used: three parts in base64url with dots between (RFC 7515 section 3.1), of which the
# second holds the claims (RFC 7519 section 4.1). The token itself is never shown.

$script:TokenHow = 'fetch a new one with "az account get-access-token --query accessToken --output tsv", just before this run'
$script:SecureStringHow = 'newer Az modules give a SecureString: in PowerShell 7 use (Get-AzAccessToken).Token | ' +
    'ConvertFrom-SecureString -AsPlainText; in Windows PowerShell 5.1 ' +
    '(New-Object Net.NetworkCredential "", (Get-AzAccessToken).Token).Password'

# The name of a type instead of its value.
function Confirm-SecretForm([string]$Text) {
    if ($Text -cmatch '\A["'']?System\.(Security\.SecureString|Management\.Automation\.[A-Za-z.]+)["'']?\z') {
        Stop-Here 203 ('the secret is the text "System.Security.SecureString", the name of a type: ' + $SecureStringHow)
    }
}

# The claims as an object; nothing where the token has another form.
function Read-Claims([string]$Token) {
    if ($Token -cnotmatch '\A[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\z') { return }
    $part = $Matches[1].Replace('-', '+').Replace('_', '/')
    if ($part.Length % 4 -eq 1) { return }
    $part = $part.PadRight([int]([Math]::Ceiling($part.Length / 4) * 4), '=')
    try { $text = $Utf8.GetString([Convert]::FromBase64String($part)) } catch { return }
    if (-not $text.StartsWith('{', [StringComparison]::Ordinal)) { return }
    # They are given to no cmdlet (see redaction.ps1). Claims that cannot be read are unknown, not wrong.
    foreach ($value in @(Read-JsonAnswers $text)) { return $value }
    @{ Kind = 'unknown' }
}

# Seconds since 1970; a NumericDate may have a fraction (RFC 7519 section 2). -1 where there is none.
function Get-ClaimSeconds($Claims, [string]$Name) {
    if ((Get-JsonText $Claims $Name) -cmatch '\A([0-9]{1,11})(\.[0-9]+)?\z') { [double]$Matches[1] } else { -1 }
}

function Get-DurationText([double]$Seconds) {
    if ($Seconds -ge 172800) { return [string][Math]::Floor($Seconds / 86400) + ' days' }
    if ($Seconds -ge 7200) { return [string][Math]::Floor($Seconds / 3600) + ' hours' }
    [string][Math]::Floor($Seconds / 60) + ' minutes'
}

# Of a LAB bundle any text is a token.
function Stop-NoToken([string]$Token) {
    $why = 'it does not have three parts in base64url with dots between'
    if (Test-Pattern $Token '\A("|\{|Bearer )') { $why += ' (give the token alone, without quotes, "Bearer" or JSON)' }
    if ($Lab) { Add-Note ('the access token is not one of Microsoft''s: ' + $why + ' (a LAB bundle continues)'); return }
    Stop-Here 203 ('the access token is not valid: ' + $why + '; ' + $TokenHow)
}

# Before anything is installed.
function Confirm-Token([string]$Token) {
    if (-not (Test-Same $Authentication 'access-token')) { return }
    $claims = Read-Claims $Token
    if ($null -eq $claims) { Stop-NoToken $Token; return }
    $now = Get-Seconds
    $until = Get-ClaimSeconds $claims 'exp'
    if ($until -lt 0) { Add-Warning 'the access token does not say how long it is valid'; return }
    if ($until -le $now) {
        $ago = Get-DurationText ($now - $until)
        Stop-Here 203 ('the access token expired on ' + (Get-TimeText $until) + ', ' + $ago + ' ago by this machine''s clock; ' + $TokenHow)
    }
    $from = Get-ClaimSeconds $claims 'nbf'
    if ($from -gt $now + 300) {
        Stop-Here 203 ('the access token is valid only from ' + (Get-TimeText $from) + ': this machine''s clock is behind, or the token is for later')
    }
    $left = Get-DurationText ($until - $now)
    Add-Note ('the access token is valid until ' + (Get-TimeText $until) + ', ' + $left + ' from now')
    if ($until - $now -lt 300) { Add-Warning ('the access token expires in ' + $left + ': connecting may take longer') }
    Confirm-Audience (Get-JsonText $claims 'aud')
}

# Where the token is for: azcmagent sends it to Azure Resource Manager (azcmagent-connect.md).
function Confirm-Audience([string]$Audience) {
    if (-not $Audience -or $Audience -cmatch '\Ahttps:/{2}management\.|\A797f4846-ba00-4fd7-ba43-dac1f8f63013\z') { return }
    Add-Warning ('the access token is for ' + $Audience + ', not for Azure Resource Manager')
}
