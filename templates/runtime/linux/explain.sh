# What an exit code means, and what to do.

# explain CODE: the row of the product's table, which fills MEANING and NEXT. Below 200 the numbers are Microsoft's.
explain() {
    local MEANING='' NEXT=''
    code_text "$1"
    printf 'Stopped with exit code %s%s\n' "$1" "${MEANING:+: $MEANING}."
    [[ -z $NEXT ]] || printf '  -> %s\n' "$NEXT"
    [[ -z $LOG_FILE ]] || printf '  Log: %s\n' "$LOG_FILE"
}
