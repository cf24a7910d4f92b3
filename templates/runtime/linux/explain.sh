# What an exit code means, and what to do.

ADVICE=''              # the next step, where it is another than the code's

# explain CODE: the row of the product's table, which fills MEANING and NEXT. Below 200 the numbers are Microsoft's.
explain() {
    local MEANING='' NEXT=''
    code_text "$1"
    printf 'Stopped with exit code %s%s\n' "$1" "${MEANING:+: $MEANING}."
    [[ -z $ADVICE$NEXT ]] || printf '  -> %s\n' "${ADVICE:-$NEXT}"
    [[ -z $LOG_FILE ]] || printf '  Log: %s\n' "$LOG_FILE"
}
