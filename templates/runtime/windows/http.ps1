# Sends one plain HTTP request to a local address, past every proxy.

# One plain request, without a proxy: the address is this machine's own network.
function Get-WebAnswer([string]$Url, [int]$Milliseconds, $Headers) {
    $request = [System.Net.WebRequest]::Create($Url)
    $request.Proxy = $null
    $request.AllowAutoRedirect = $false
    $request.Timeout = $Milliseconds
    $request.ReadWriteTimeout = $Milliseconds
    foreach ($name in $Headers.Keys) { $request.Headers[$name] = $Headers[$name] }
    $response = $null
    try { $response = $request.GetResponse() } catch {
        $problem = $_.Exception
        while ($null -ne $problem -and $problem -isnot [System.Net.WebException]) { $problem = $problem.InnerException }
        if ($null -eq $problem -or $null -eq $problem.Response) { return $null }
        $response = $problem.Response
    }
    try {
        $reader = New-Object System.IO.StreamReader $response.GetResponseStream(), $script:Utf8
        $letters = New-Object char[] 65536
        $got = $reader.ReadBlock($letters, 0, $letters.Length)
        # The text itself is given to no cmdlet: it may hold a token (see redaction.ps1).
        $text = (New-Object System.Text.StringBuilder).Append($letters, 0, $got).ToString()
        @{ Code = [int]$response.StatusCode; Text = $text; Challenge = [string]$response.Headers['WWW-Authenticate'] }
    } finally { $response.Close() }
}
