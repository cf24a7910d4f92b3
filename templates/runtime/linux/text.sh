# Text of unknown origin on a terminal.

# readable TEXT: fills READABLE, without what begins a line, steers a terminal or turns the order of letters.
readable() {
    leave_marks_out "${1//[[:cntrl:]]/?}"
    READABLE=$UNMARKED
}

UNMARKED=''

# leave_marks_out TEXT: fills UNMARKED: the same for what is beyond ASCII, by its bytes of UTF-8: U+0080 to U+009F, the
# separators U+2028 and U+2029, and what turns the order of letters (Bidi_Control: Unicode Standard Annex 9): U+061C,
# U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069.
leave_marks_out() {
    UNMARKED=$1
    [[ $1 == *[$'\302'$'\330'$'\342']* ]] || return 0
    UNMARKED=${UNMARKED//$'\302'[$'\200'-$'\237']/?}
    UNMARKED=${UNMARKED//$'\330\234'/?}
    UNMARKED=${UNMARKED//$'\342\200'[$'\216'$'\217'$'\250'-$'\256']/?}
    UNMARKED=${UNMARKED//$'\342\201'[$'\246'-$'\251']/?}
}

TEXT_LINES=()

# lines_of TEXT: fills TEXT_LINES. A here-string would be a file in bash before 5.1, for which there may be no room.
lines_of() {
    local rest=$1$'\n'
    TEXT_LINES=()
    while [[ -n $rest ]]; do
        TEXT_LINES+=("${rest%%$'\n'*}")
        rest=${rest#*$'\n'}
    done
}

# unknown_argument ARGUMENT: what is said of it. Nothing but an option's name is repeated: the rest may be a secret.
unknown_argument() {
    local name=${1%%[=:]*} form='^(--[a-z][a-z-]{0,39}|-[A-Za-z])$'
    if [[ $name =~ $form ]]; then
        printf 'unknown option: %s' "$name"
    else
        printf 'unknown argument (it is not shown: it may be a secret)'
    fi
}
