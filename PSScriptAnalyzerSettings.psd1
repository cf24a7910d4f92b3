# How PSScriptAnalyzer reads the Windows scripts: the runtime's files in templates, and the scripts as they are made.
# `make lint` runs it in pwsh. Every default rule is on; each rule that is left out has its reason here.
@{
    ExcludeRules = @(
        # The scripts talk to the person at the console, in colour; what a command outputs is read by nothing.
        'PSAvoidUsingWriteHost'
        # A function that returns several things has a plural name.
        'PSUseSingularNouns'
        # install.ps1 has its own -WhatIf, which also shows the steps that come after one that was not done; its functions are
        # not commands for users.
        'PSUseShouldProcessForStateChangingFunctions'
        # The rule does not see that functions in other files, or below, use a script's parameters.
        'PSReviewUnusedParameter'
        # $PassphraseFile and $PassphraseStdin name where the passphrase is; they do not hold it.
        'PSAvoidUsingPlainTextForPassword'
        # The pipe's lines are read from $input in the end block, where powershell.exe -File passes them.
        'PSUseProcessBlockForPipelineCommand'
        # Tables with keys from outside have a comparer by code units: those of @{} follow the culture in 5.1
        # (tools/ordinal.ps1 demands it).
        'PSUseLiteralInitializerForHashtable'
    )
    Rules = @{
        # Windows Server 2012 R2 and 2016: the oldest PowerShells that the scripts support.
        PSUseCompatibleCmdlets = @{ Compatibility = @('desktop-4.0-windows', 'desktop-5.1.14393.206-windows') }
        PSUseCompatibleSyntax = @{ Enable = $true; TargetVersions = @('4.0', '5.1', '7.0') }
    }
}
