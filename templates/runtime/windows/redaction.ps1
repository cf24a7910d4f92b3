# Keeps secrets and terminal control characters off the screen and out of the log.

function Hide-Secrets([string]$Text) {
    # Up to the last @: a password may hold one.
    $Text = [regex]::Replace($Text, '(://)[^/\s"'']+@', '$1***@')
    $Text = [regex]::Replace($Text, 'eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)?', '***')
    # The value may be quoted with quotes of its own behind backslashes.
    $names = 'service-principal-secret|client[_-]?secret|access[_-]?token|refresh[_-]?token|password|passwd|pwd|sharedaccesskey|accountkey'
    $Text = [regex]::Replace($Text, '((?:' + $names + ')\\?["'']?\s*[:= ]\s*)(\\?"(?:[^"\\]|\\.)*"?|''[^'']*''?|[^\s&,;"'']+)', '$1***', $AnyCase)
    $Text = [regex]::Replace($Text, '(authorization:?\s*["'']?\s*(?:basic|bearer)\s+)[^\s"'']+', '$1***', $AnyCase)
    $Text = [regex]::Replace($Text, '([?&]sig=)[^&\s"'']+', '$1***', $AnyCase)
    if ($script:SecretFromEnvironment) { $Text = $Text.Replace($script:SecretFromEnvironment, '***') }
    $Text
}

# What a proxy or a server answers may hold what steers a terminal (ECMA-48).
function Hide-Controls([string]$Text) { [regex]::Replace($Text, '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]', '?') }

function Get-Printable([string]$Text) { $Text -creplace '[\x00-\x1f\x7f-\x9f]', '?' }
