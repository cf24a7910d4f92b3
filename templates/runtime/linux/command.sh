# How programs are run: their output goes to the log.

SAID=''                # a file that only root can read: the output of a command, until it has ended
LAST=''                # another one: the output of the last command as the log has it

# run COMMAND...: its output goes to the log; its standard input is empty so that it cannot ask.
# Not by a pipe: a process that a package starts in the background would keep it open.
run() {
    local code=0
    log "+ $*"
    if [[ -n $LOG_FILE && -n $SAID ]]; then
        : >"$LAST"
        # A service that a package starts does not get the log.
        "$@" </dev/null >"$SAID" 2>&1 9>&- || code=$?
        keep_said
    else
        "$@" </dev/null >/dev/null 2>&1 || code=$?
    fi
    return "$code"
}

# run_told COMMAND...: one that gets the secret. Where this run is killed, the next one knows that by the mark.
run_told() {
    local code=0
    [[ -z $SAID ]] || : >"${SAID%/*}/told"
    run "$@" || code=$?
    [[ -z $SAID ]] || rm -f -- "${SAID%/*}/told"
    return "$code"
}

keep_said() {
    [[ -n $LOG_FILE && -n $SAID && -s $SAID ]] || return 0
    hide_lines <"$SAID" >"$LAST"
    cat "$LAST" >&9 2>/dev/null
    destroy "$SAID"
}

# nap SECONDS: a wait that a signal ends at once (bash runs a trap only when the command in front has ended).
nap() {
    sleep "$1" &
    wait "$!"
}

# The end of a failed command's output.
show_log_end() {
    [[ ! -s $LAST ]] || tail -n 12 "$LAST" | sed 's/^/        | /' >&2
}
