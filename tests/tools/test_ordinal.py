"""tools/ordinal.ps1 finds comparisons of text that follow the culture, and nothing else."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.lint_scripts import ORDINAL

BOTH_HOSTS = True

FOUND = r"""
$a -eq $b
$a -ne 'x'
$a -ceq $b
$a -cne $b
$a -ieq $b.Name
(Get-It) -eq 'x'
"$a" -eq $b
$a -gt 'x'
$list -contains $a
$a -in $list
$list -cnotcontains 'x'
@('x', 'y') -contains $a
@(1, 'y') -contains $a
$a -like 'x*'
$a -cnotlike 'x*'
$a -match 'x'
$a -notmatch 'x'
$a -replace 'x', ''
$a -split ','
$a -cmatch '(?i)x'
$a -cmatch '(?im)x'
$a -cmatch 'y(?i:x)'
switch ($a) { 'x' { 1 } }
switch ($a) { 1 { 1 } 'x' { 1 } }
switch -Regex ($a) { 1 { 1 } }
$list | Sort-Object
$list | Sort-Object -Unique
$list | Sort-Object { $_.Name }
$list | Sort-Object { -$_.Code } -Unique
$list | sort
$list | Group-Object Name
Compare-Object $a $b
$list | Select-Object -Unique
$list | select -u
$list | Where-Object Name -eq 'x'
$list | Where-Object Name -CContains 'x'
$list | Get-Unique
Select-String -Pattern x
$a.StartsWith('x')
$a.EndsWith('x')
$a.IndexOf('x')
$a.LastIndexOf('x')
$a.StartsWith('x', [StringComparison]::CurrentCulture)
$a.CompareTo($b)
[string]::Compare($a, $b)
[string]::Compare($a, $b, $true)
[string]::Equals($a, $b, [StringComparison]::InvariantCultureIgnoreCase)
$a.ToLower()
$a.ToUpper()
[Array]::Sort($list)
[regex]::Replace($a, 'x', '', 'IgnoreCase')
$table = @{}
$script:table = @{}
New-Object System.Collections.Hashtable
New-Object 'System.Collections.Generic.SortedDictionary[string,long]'
"""

FINE = r"""
$a -eq 1
$a -ne -2147022676
1 -eq $a
$null -eq $a
$a -eq $null
$a -eq $true
$list.Count -eq $b
$a.Length -eq $Bytes.Length
[int]$a -eq $b
$a -eq ([int]$b)
$a.AddressFamily -eq [System.Net.Sockets.AddressFamily]::InterNetwork
$a -gt $b
$a -lt 5
@(3010, 1641) -contains $a
$a -in @(1, 2)
@(0, 3010, 1641, 1605) -notcontains $a
$a -cmatch 'x'
$a -cnotmatch 'x(?=y)(?:z)(?!i)'
$a -creplace 'x', ''
$a -csplit ','
switch ([int]$a) { 12288 { 1 } 3072 { 2 } default { 3 } }
$list | Sort-Object { -$_.Code }
$list | Sort-Object { [int]$_.Code }
$list | Select-Object -Last 12
$list | Where-Object { $_.Code -eq 1 }
$a.StartsWith('x', [StringComparison]::Ordinal)
$a.EndsWith('x', [StringComparison]::OrdinalIgnoreCase)
$a.IndexOf([char]10)
[Array]::IndexOf($list, $a)
[string]::CompareOrdinal($a, $b)
[string]::Equals($a, $b)
[string]::Equals($a, $b, [StringComparison]::Ordinal)
$a.ToLowerInvariant()
[Array]::Sort($list, [StringComparer]::Ordinal)
[regex]::Replace($a, 'x', '', 'IgnoreCase, CultureInvariant')
$table = @{ x = 1 }
Test-It -Records @{}
New-Object System.Collections.Hashtable ([StringComparer]::Ordinal)
New-Object 'System.Collections.Generic.SortedDictionary[string,long]' -ArgumentList ([StringComparer]::Ordinal)
"""


def findings(powershell: str, *files) -> tuple[int, set[tuple[str, int]], str]:
    """How the rule ended, and the places that it found."""
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", ORDINAL, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    found = re.findall(r"(?m)^.*?([^/\\]+\.ps1):(\d+): ", done.stdout)
    return done.returncode, {(name, int(line)) for name, line in found}, done.stdout


@pytest.mark.parametrize(("text", "expected"), [(FOUND, 1), (FINE, 0)], ids=["found", "fine"])
def test_each_line_is_a_finding_or_none_is(powershell, tmp_path, text, expected):
    file = tmp_path / "lines.ps1"
    file.write_text(text)
    lines = {("lines.ps1", at) for at, line in enumerate(text.splitlines(), 1) if line}
    code, found, out = findings(powershell, file)
    assert code == expected
    assert found == (lines if expected else set()), out


def test_a_file_that_does_not_parse_is_a_finding(powershell, tmp_path):
    (tmp_path / "broken.ps1").write_text("if (\n")
    (tmp_path / "whole.ps1").write_text("'x'\n")
    code, found, _ = findings(powershell, tmp_path / "whole.ps1", tmp_path / "broken.ps1")
    assert code == 1
    assert {name for name, _ in found} == {"broken.ps1"}
