# Text of unknown origin on a terminal.

# readable TEXT: fills READABLE, without what steers a terminal (U+0080 to U+009F are two bytes of UTF-8).
readable() {
    READABLE=${1//[[:cntrl:]]/?}
    READABLE=${READABLE//$'\302'[$'\200'-$'\237']/?}
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
