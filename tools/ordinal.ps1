# Finds comparisons of text that follow the culture, in the PowerShell files that are named as arguments: for a culture a soft
# hyphen is nothing, and a Turkish I another letter, so that a foreign name passes for a known one. Run by `make lint`.
#
# Prints FILE:LINE: what; ends with 1 where there is a finding. Comparisons of numbers are no finding.

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$script:Equality = '^[IC](eq|ne)$'
$script:Order = '^[IC](gt|ge|lt|le)$'
$script:Lists = '^[IC](contains|notcontains|in|notin)$'
$script:Wildcards = '^[IC](like|notlike)$'
# -cmatch, -creplace and -csplit compare by code units; the other forms ignore case by the culture.
$script:Patterns = '^I(match|notmatch|replace|split)$'
$script:Sorters = '^(Sort-Object|Group-Object|Compare-Object|Get-Unique|Select-String|sort|group|compare|diff|gu|sls)$'
$script:Numeric = '^(int|long|double|uint32|uint64|int32|int64|byte|bool)$'

# Whether an operand is for sure no text.
function Test-NoText($Ast) {
    $kind = $Ast.GetType().Name
    if ($kind -ceq 'ConstantExpressionAst') { return $true }
    if ($kind -ceq 'VariableExpressionAst') { return @('null', 'true', 'false') -ccontains $Ast.VariablePath.UserPath }
    if ($kind -ceq 'UnaryExpressionAst') { return Test-NoText $Ast.Child }
    if ($kind -ceq 'ParenExpressionAst') {
        $inner = @($Ast.Pipeline.PipelineElements)[0]
        return $inner -is [System.Management.Automation.Language.CommandExpressionAst] -and (Test-NoText $inner.Expression)
    }
    if ($kind -ceq 'ConvertExpressionAst') { return $Ast.Type.TypeName.FullName -match $Numeric }
    if ($kind -ceq 'MemberExpressionAst') {
        # A number of things; or a value of an enumeration.
        return (-not $Ast.Static -and @('Count', 'Length') -ccontains [string]$Ast.Member.Extent.Text) -or
            ($Ast.Static -and $Ast.Expression.GetType().Name -ceq 'TypeExpressionAst')
    }
    $false
}

function Test-Text($Ast) {
    @('StringConstantExpressionAst', 'ExpandableStringExpressionAst') -ccontains $Ast.GetType().Name -or
        ($Ast.GetType().Name -ceq 'ConvertExpressionAst' -and $Ast.Type.TypeName.FullName -ceq 'string')
}

# Whether an operand is a list of numbers, written out.
function Test-Numbers($Ast) {
    $found = @($Ast.FindAll({ param($one) $one -is [System.Management.Automation.Language.ExpressionAst] }, $true))
    $numbers = @($found | Where-Object { $_.GetType().Name -ceq 'ConstantExpressionAst' })
    $others = @($found | Where-Object { @('ConstantExpressionAst', 'ArrayExpressionAst', 'ArrayLiteralAst') -cnotcontains $_.GetType().Name })
    $numbers.Count -gt 0 -and $others.Count -eq 0
}

function Test-Operator($Ast) {
    $operator = [string]$Ast.Operator
    if ($operator -match $Wildcards) { return $true }
    if ($operator -cmatch $Patterns) { return $true }
    if ($operator -match $Equality) { return -not ((Test-NoText $Ast.Left) -or (Test-NoText $Ast.Right)) }
    if ($operator -match $Order) { return (Test-Text $Ast.Left) -or (Test-Text $Ast.Right) }
    if ($operator -match $Lists) { return -not ((Test-Numbers $Ast.Left) -or (Test-Numbers $Ast.Right)) }
    $false
}

function Test-Switch($Ast) {
    if ($Ast.Flags -match 'Regex|Wildcard') { return $true }
    foreach ($clause in $Ast.Clauses) { if (-not (Test-NoText $clause.Item1)) { return $true } }
    $false
}

# Sorting by what is a number for sure: { -$_.Code }, { [int]$_.Port }.
function Test-SortedByNumber($Ast) {
    if ($Ast.CommandElements.Count -ne 2) { return $false }
    $Ast.CommandElements[1].Extent.Text -cmatch '^\{ ?(-\$|\[(int|long|double)\])'
}

function Test-Command($Ast) {
    $name = [string]$Ast.GetCommandName()
    $words = @($Ast.CommandElements | ForEach-Object { $_.Extent.Text })
    if ($name -match '^(Select-Object|select)$') { return @($words | Where-Object { $_ -match '^-u' }).Count -gt 0 }
    if ($name -match '^(Where-Object|where|\?)$') { return @($words | Where-Object { $_ -match '^-[ci]?(eq|ne|gt|ge|lt|le|in|notin|contains|notcontains|like|notlike|match|notmatch)$' }).Count -gt 0 }
    if ($name -match $Sorters) { return -not (Test-SortedByNumber $Ast) }
    # Their keys, or their order, follow the culture unless a comparer is given.
    if ($name -ceq 'New-Object' -and [string]$words -match 'Hashtable|SortedDictionary|SortedSet|SortedList|OrderedDictionary') {
        return [string]$words -cnotmatch '\[StringComparer\]::Ordinal'
    }
    $false
}

function Test-Method($Ast) {
    $name = [string]$Ast.Member.Extent.Text
    $text = $Ast.Extent.Text
    $on = $Ast.Expression.Extent.Text
    if ($name -match '^(ToLower|ToUpper)$') { return $true }
    if ($name -match '^(StartsWith|EndsWith|IndexOf|LastIndexOf|Compare)$') {
        # An array's items are compared by Equals, a single character by its number.
        if ($on -match '^\[Array\]$' -or $text -match '\(\[char\]') { return $false }
        return $text -cnotmatch '\[StringComparison\]::Ordinal'
    }
    if ($name -ceq 'CompareTo') { return $true }
    if ($on -match '^\[Array\]$' -and $name -ceq 'Sort') { return $text -cnotmatch '\[StringComparer\]::Ordinal' }
    if ($text -match '\bIgnoreCase\b' -and $on -match 'regex') { return $text -cnotmatch 'CultureInvariant' }
    $false
}

function Get-Finding($Ast) {
    switch ($Ast.GetType().Name) {
        'BinaryExpressionAst' { if (Test-Operator $Ast) { 'operator' } }
        'SwitchStatementAst' { if (Test-Switch $Ast) { 'switch on text' } }
        'CommandAst' { if (Test-Command $Ast) { 'command' } }
        'InvokeMemberExpressionAst' { if (Test-Method $Ast) { 'method without Ordinal' } }
        # In 5.1 a hash table's keys are compared by the culture: one to be filled needs a comparer.
        'HashtableAst' {
            if ($Ast.KeyValuePairs.Count -eq 0 -and $Ast.Parent.Parent -is [System.Management.Automation.Language.AssignmentStatementAst]) {
                'table with keys by the culture'
            }
        }
        'StringConstantExpressionAst' { if ($Ast.Value -cmatch '\(\?[a-z]*i[a-z]*[:)-]') { '(?i) ignores case by the culture' } }
        'MemberExpressionAst' { if ($Ast.Extent.Text -match '\[StringCompar(ison|er)\]::(CurrentCulture|InvariantCulture)') { 'comparison by a culture' } }
    }
}

$count = 0
foreach ($file in $args) {
    $errors = $null
    $tree = [System.Management.Automation.Language.Parser]::ParseFile($file, [ref]$null, [ref]$errors)
    foreach ($one in $errors) { '{0}:{1}: {2}' -f $file, $one.Extent.StartLineNumber, $one.Message; $count++ }
    foreach ($ast in $tree.FindAll({ $true }, $true)) {
        $what = Get-Finding $ast
        if (-not $what) { continue }
        '{0}:{1}: {2}: {3}' -f $file, $ast.Extent.StartLineNumber, $what, ($ast.Extent.Text -split "`n")[0].Trim()
        $count++
    }
}
exit [int]($count -gt 0)
