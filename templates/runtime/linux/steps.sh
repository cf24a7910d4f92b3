# Steps: one line each on screen, everything in the log.

STEPS=(verify preflight install configure connect confirm receipt)
STEP=''                # the current step
STEP_STARTED=0
RECORD=''              # the finished steps as JSON, for the receipt
LOG_FILE=''            # empty until a run that changes something has its log; written through descriptor 9, never by name

log() {
    [[ -n $LOG_FILE ]] || return 0
    hide "$*"
    printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$HIDDEN" >&9 2>/dev/null
}

say() {
    hide "$*"
    printf '%s\n' "$HIDDEN"
    log "$*"
}

# note TEXT: a line of the current step. What it quotes begins no line of its own.
note() {
    local text=$*
    say "        ${text//$'\n'/ }"
}

# Colour only in a terminal, and not with NO_COLOR.
paint() {
    if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
        printf '\033[%sm%s\033[0m' "$1" "$2"
    else
        printf '%s' "$2"
    fi
}

begin_step() {
    STEP=$1
    STEP_STARTED=$SECONDS
    log "== $STEP"
}

# end_step WORD COLOUR OUTCOME CODE MESSAGE: the step's one line, and its place in the receipt under OUTCOME.
end_step() {
    local position=0 name text
    hide "$5"
    text=${HIDDEN//$'\n'/ }
    for name in "${STEPS[@]}"; do
        position=$((position + 1))
        [[ $name != "$STEP" ]] || break
    done
    printf '[%d/%d] %-10s  %s  %s\n' "$position" "${#STEPS[@]}" "$STEP" "$(paint "$2" "$(printf '%-5s' "$1")")" "$text"
    log "$STEP: $1: $text"
    RECORD+=${RECORD:+,$'\n'}"    {\"name\": $(json_string "$STEP"), \"outcome\": $(json_string "$3"),"
    RECORD+=" \"seconds\": $((SECONDS - STEP_STARTED)), \"code\": $4, \"message\": $(json_string "$text")}"
    STEP=''
    # A run that is killed after this leaves this receipt.
    keep_receipt
}

done_step() { end_step ok 32 ok 0 "$1"; }
skip_step() { end_step skip 36 skipped 0 "$1"; }
would_step() { end_step would 33 would 0 "$1"; }
warn_step() { end_step warn 33 warned "$1" "$2"; }
fail_step() { end_step FAIL 31 failed "$1" "$2"; }

FAILED_MESSAGE=''      # for the receipt

# fail CODE MESSAGE: ends the script. What it cleans up and records is in on_exit.
fail() {
    hide "$2"
    FAILED_MESSAGE=$HIDDEN
    if [[ -n $STEP ]]; then
        fail_step "$1" "$2" >&2
    else
        say "$2" >&2
    fi
    explain "$1" >&2
    exit "$1"
}
