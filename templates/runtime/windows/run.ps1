# Ends a run, whatever happened: cleans up, completes the receipt, returns the exit code.

function Clear-Run {
    $script:Secret = ''
    $script:Certificate = $null
    if ($script:Work -and [IO.Directory]::Exists($script:Work)) {
        try {
            Invoke-WithRetry { [IO.Directory]::Delete($script:Work, $true) }
        } catch {
            Write-Host ('This folder could not be removed: ' + $script:Work)
        }
    }
    if ($script:Receipt -and -not $script:Finished) {
        # A step that did not end: Ctrl+C runs nothing but finally blocks.
        $outcome = 'failed'
        $code = $script:ExitCode
        if ($script:Step) {
            $outcome = 'interrupted'
            Complete-Step -Outcome 'FAIL' -Message 'interrupted' -Code 207
        }
        if ($script:Done -and $code -eq 0) {
            $outcome = Get-OutcomeWord
        } elseif ($code -eq 0 -or (Test-Same $outcome 'interrupted')) {
            $code = 207
            $outcome = 'interrupted'
            $script:Message = 'interrupted'
        }
        Reset-ReceiptFacts
        try {
            Write-LastReceipt $code $outcome
            Write-Host ('  Receipt: ' + $script:Receipt)
        } catch {
            Write-Host 'The receipt could not be written.'
        }
    }
    if ($script:LogStream) { $script:LogFile = ''; $script:LogStream.Dispose() }
    if ($script:Lock) { $script:Lock.Dispose() }
}
