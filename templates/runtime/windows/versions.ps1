# Compares version numbers.

# -1, 0 or 1.
function Compare-Version([string]$Left, [string]$Right) {
    $a = @($Left -csplit '[.-]')
    $b = @($Right -csplit '[.-]')
    for ($at = 0; $at -lt [Math]::Max($a.Count, $b.Count); $at++) {
        $x = [long]0
        $y = [long]0
        if ($at -lt $a.Count) { [void][long]::TryParse(($a[$at] -creplace '\D.*$', ''), [ref]$x) }
        if ($at -lt $b.Count) { [void][long]::TryParse(($b[$at] -creplace '\D.*$', ''), [ref]$y) }
        if ($x -lt $y) { return -1 }
        if ($x -gt $y) { return 1 }
    }
    0
}
