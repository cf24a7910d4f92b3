# What happens when a run ends, whatever ends it.

on_exit() {
    local code=$? outcome=failed
    trap - EXIT
    trap '' INT TERM HUP QUIT
    end_child
    SECRET='' CERTIFICATE='' PASSPHRASE='' KEY=''
    restore_terminal
    end_probes
    [[ -z $PROBES ]] || rm -rf -- "$PROBES"
    [[ -z $SCRATCH ]] || rm -rf -- "$SCRATCH"
    keep_said
    [[ -z $SAFE ]] || destroy "$SAFE"/*.json "$SAFE"/certificate.p*
    [[ -z $SAFE ]] || rm -rf -- "$SAFE"
    [[ -z $WORK ]] || rm -rf -- "$WORK"
    if [[ -n $RECEIPT && $RECEIPT_DONE == no ]]; then
        [[ $code -ne 0 ]] || outcome=$(outcome_word)
        [[ $code -ne 207 ]] || outcome=interrupted
        [[ $code -eq 0 || -n $FAILED_MESSAGE ]] || FAILED_MESSAGE="ended with $code"
        end_receipt "$outcome" "$code" "$FAILED_MESSAGE" 2>/dev/null && printf '  Receipt: %s\n' "$RECEIPT" >&2
    fi
    drop_lock
    exit "$code"
}

on_signal() {
    trap '' INT TERM HUP QUIT
    end_child
    FAILED_MESSAGE="interrupted by $1" ADVICE=''
    [[ -z $STEP ]] || fail_step 207 "$FAILED_MESSAGE" >&2
    explain 207 >&2
    exit 207
}

# begin_changes: from here on this run is alone, and has a log and a receipt.
begin_changes() {
    take_lock
    prepare_folders
}
