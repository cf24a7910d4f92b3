# What happens in which order.

main_look() {
    # Nothing is changed, so no record is written either, unless --record-dir names a folder.
    [[ $RECORDS_GIVEN == no ]] || prepare_records
    if [[ $MODE == dry-run && -z $TARGET ]]; then
        bundle_targets take_first_target
        step_verify
        FOR_SHOW=$TARGET TARGET=''
        step_preflight
        TARGET=$FOR_SHOW
        say "        On $TARGET the next steps would be:"
    else
        step_verify
        step_preflight
    fi
}

main_install() {
    # Log and receipt are written only where something will be changed.
    [[ $EUID -ne 0 ]] || begin_changes
    step_verify
    step_preflight
}

main_steps() {
    step_install
    step_configure
    step_connect
    step_confirm
    step_receipt
}

main_uninstall() {
    STEPS=(preflight disconnect remove undo receipt)
    [[ $EUID -ne 0 ]] || begin_changes
    step_look
    step_disconnect
    step_remove
    step_undo
    step_receipt
}

main_collect() {
    STEPS=(collect)
    [[ $RECORDS_GIVEN == no ]] || prepare_records
    [[ $EUID -ne 0 ]] || WORK=$(mktemp -d "/var/tmp/arc-bundler-$$-XXXXXX") || fail 202 "no folder can be created in /var/tmp"
    step_collect
}

main() {
    # In place of the header's.
    trap on_exit EXIT
    trap 'on_signal INT' INT
    trap 'on_signal TERM' TERM
    trap 'on_signal HUP' HUP
    trap 'on_signal QUIT' QUIT
    hold_environment
    parse_arguments "$@"
    detect_machine
    know_machine
    bundle_targets match_target
    [[ -z $LAB ]] || say "$LAB bundle: the agent is a stand-in, not Microsoft's."
    say "$BUNDLE_NAME $BUNDLE_VERSION on $HOST: $(machine_text)"
    case $MODE in
        check) main_look ;;
        dry-run)
            main_look
            main_steps
            ;;
        install)
            main_install
            main_steps
            ;;
        uninstall) main_uninstall ;;
        collect-logs) main_collect ;;
    esac
}

main "$@"; exit
