# How programs are run: their output goes to the log.

RUN_FROM=0             # lines of the log before the output of the last command

log_length() {
    local lines=0
    [[ -z $LOG_FILE ]] || lines=$(wc -l <"$LOG_FILE")
    printf '%d' "$lines"
}

SAID=''                # a file that only root can read: the output of a command, until it has ended

# run COMMAND...: its output goes to the log; its standard input is empty so that it cannot ask.
# Not by a pipe: a process that a package starts in the background would keep it open.
run() {
    local code=0
    log "+ $*"
    RUN_FROM=$(log_length)
    if [[ -n $LOG_FILE && -n $SAID ]]; then
        "$@" </dev/null >"$SAID" 2>&1 || code=$?
        keep_said
    else
        "$@" </dev/null >/dev/null 2>&1 || code=$?
    fi
    return "$code"
}

keep_said() {
    [[ -n $LOG_FILE && -n $SAID && -s $SAID ]] || return 0
    hide_lines <"$SAID" >>"$LOG_FILE"
    rm -f -- "$SAID"
}

# nap SECONDS: a wait that a signal ends at once (bash runs a trap only when the command in front has ended).
nap() {
    sleep "$1" &
    wait "$!"
}

# The end of a failed command's output.
show_log_end() {
    [[ -z $LOG_FILE ]] || tail -n "+$((RUN_FROM + 1))" "$LOG_FILE" | tail -n 12 | sed 's/^/        | /' >&2
}
