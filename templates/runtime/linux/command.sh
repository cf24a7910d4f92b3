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
        start_child "$@" >"$SAID" 2>&1
        wait_child || code=$?
        keep_said
    else
        start_child "$@" >/dev/null 2>&1
        wait_child || code=$?
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

CHILD=''               # process id of the program that runs now
ENDS_BY=100            # tenths of a second that it gets to end in order

# start_child COMMAND...: in a process group of its own, so that a signal ends this script at
# once, and then the program with what it has started. A service that a package starts does not get the log.
start_child() {
    set -m
    "$@" </dev/null 9>&- &
    CHILD=$!
    set +m
}

wait_child() {
    local code=0
    wait "$CHILD" || code=$?
    CHILD=''
    return "$code"
}

# show_child COMMAND...: its lines are shown as they come.
show_child() {
    local line part='' alive=yes
    start_child "$@" >"$SAID" 2>&1
    : >"$LAST"
    while [[ $alive == yes ]]; do
        kill -0 "$CHILD" 2>/dev/null || alive=no
        while IFS= read -r line; do
            say "$part$line"
            printf '%s\n' "$HIDDEN" >>"$LAST"
            part=''
        done <&7
        part+=$line
        [[ $alive == no ]] || nap 1
    done 7<"$SAID"
    [[ -z $part ]] || say "$part"
    rm -f -- "$SAID"
    wait_child
}

ANSWERED=''

# ask COMMAND...: fills ANSWERED with its standard output. Not to be called in a subshell, where no signal would end it.
ask() {
    local code=0 file
    ANSWERED=''
    [[ -n $SAFE ]] || make_scratch || return 1
    file=${SAFE:-$SCRATCH}/answered
    start_child "$@" >"$file" 2>"${SAID:-/dev/null}"
    wait_child || code=$?
    # bash 4.4 complains of the NULs that it drops.
    ANSWERED=$(tr -d '\000' <"$file")
    rm -f -- "$file"
    keep_said
    return "$code"
}

# end_child: it is asked to end, and made to after ENDS_BY.
end_child() {
    local tries=0 group=$CHILD watch
    CHILD=''
    [[ -n $group ]] || return 0
    kill -TERM -- "-$group" 2>/dev/null
    {
        while ((++tries < ENDS_BY)); do sleep 0.1 || sleep 1; done
        kill -KILL -- "-$group"
    } </dev/null >/dev/null 2>&1 9>&- &
    watch=$!
    # Only "wait" takes an ended child away in bash 4.2; until then it looks alive.
    wait "$group" 2>/dev/null
    kill -KILL "$watch" 2>/dev/null; wait "$watch" 2>/dev/null
    for ((tries = 0; tries < 20; tries++)); do
        kill -0 -- "-$group" 2>/dev/null || return 0
        sleep 0.1 2>/dev/null || sleep 1
    done
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
