# The secret: never in this script, in an argument, in a child's environment or in the log.

SECRET_FILE=''         # --secret-file
SECRET_STDIN=no        # --secret-stdin
SECRET=''
SECRET_CAME=''         # from where, once it was read

# Out of the environment at once, before the first child is started.
# A name that came with the environment stays exported: children would get the value that is put there below.
export -n SECRET SECRET_FROM_ENVIRONMENT ANSWER PASSPHRASE PASSPHRASE_FROM_ENVIRONMENT KEY LETTER CERTIFICATE again held line out part plain rest text
SECRET_FROM_ENVIRONMENT=${ARC_BUNDLER_SECRET:-}
unset ARC_BUNDLER_SECRET

secret_source() {
    if [[ -n $ENVELOPE ]]; then
        printf 'the envelope %s' "$ENVELOPE"
    elif [[ -n $SECRET_FILE ]]; then
        printf 'the file %s' "$SECRET_FILE"
    elif [[ $SECRET_STDIN == yes ]]; then
        printf 'standard input'
    elif [[ -n $SECRET_FROM_ENVIRONMENT ]]; then
        printf 'ARC_BUNDLER_SECRET'
    elif [[ -n $EMBEDDED_SECRET && -f $BUNDLE/$EMBEDDED_SECRET ]]; then
        printf 'the bundle'
    elif [[ -t 0 && -t 2 ]]; then
        printf 'a prompt'
    else
        return 1
    fi
}

SECRET_PROBLEM=''
TERMINAL=''            # how the terminal was before it was asked not to show what is typed

# bash 4.2, interrupted at the question, leaves a terminal that shows nothing any more.
restore_terminal() {
    [[ -z $TERMINAL ]] || stty "$TERMINAL" 2>/dev/null
}

ANSWER=''

# ask_hidden TEXT: fills ANSWER from the terminal, which does not show it.
ask_hidden() {
    ANSWER=''
    TERMINAL=$(stty -g 2>/dev/null) || TERMINAL=''
    IFS= read -r -s -p "$1 (not shown): " ANSWER || :
    TERMINAL=''
    echo >&2
}

# read_secret NAME: fills SECRET, or SECRET_PROBLEM with the reason. One line; the line end is not part of it.
# Not to be called in a subshell, where SECRET would be lost.
read_secret() {
    local second='' file=$SECRET_FILE
    SECRET=''
    SECRET_CAME=$(secret_source)
    if [[ -n $ENVELOPE ]]; then
        open_envelope
        return
    fi
    if [[ $SECRET_CAME == 'the bundle' ]]; then
        read_embedded || return
    # read returns 1 for a last line without its end, which is a whole secret all the same.
    elif [[ -n $file ]]; then
        [[ -f $file && -r $file ]] || { cannot_read 'the secret' --secret-file "$file"; return 1; }
        { IFS= read -r SECRET || :; IFS= read -r second || :; } <"$file"
    elif [[ $SECRET_STDIN == yes ]]; then
        IFS= read -r SECRET || :
        IFS= read -r second || :
    elif [[ -n $SECRET_FROM_ENVIRONMENT ]]; then
        SECRET=$SECRET_FROM_ENVIRONMENT
        SECRET_FROM_ENVIRONMENT=''
    elif [[ -t 0 && -t 2 ]]; then
        ask_hidden "$1"
        SECRET=$ANSWER
        ANSWER=''
    fi
    hold_secret "$SECRET"$'\n'"$second"
    [[ -z $second ]] || { SECRET_PROBLEM="the secret has more than one line"; return 1; }
    SECRET=${SECRET#$'\xef\xbb\xbf'}
    SECRET=${SECRET%$'\r'}
    check_secret_text
}

# read_embedded: fills SECRET from the bundle's own file, and second. It is read once, and what was read is hashed.
read_embedded() {
    local text packed
    packed=$(packed_sha256 "$EMBEDDED_SECRET")
    # A sealed bundle's SHA256SUMS was checked, and has it.
    packed=${packed:-${SUM_OF[./$EMBEDDED_SECRET]:-}}
    SECRET_PROBLEM="$EMBEDDED_SECRET has changed: its SHA-256 differs from the packed file's"
    [[ ! -L $BUNDLE/$EMBEDDED_SECRET ]] && text=$(cat <"$BUNDLE/$EMBEDDED_SECRET" 2>/dev/null && printf .) || return 1
    text=${text%.}
    [[ -z $packed || $(printf '%s' "$text" | sha256_of_input) == "$packed" ]] || return 1
    SECRET_PROBLEM=''
    SECRET=${text%%$'\n'*}
    [[ $text != *$'\n'* ]] || second=${text#*$'\n'}
    second=${second%%$'\n'*}
}

# hold_given: the secret, where it was given to a run that only has to leave it out of what it copies.
hold_given() {
    [[ -n $ENVELOPE$SECRET_FILE$SECRET_FROM_ENVIRONMENT || $SECRET_STDIN == yes || (-n $EMBEDDED_SECRET && -f $BUNDLE/$EMBEDDED_SECRET) ]] || return 0
    read_secret "$SECRET_NAME"
}

# cannot_read WHAT FLAG FILE: fills SECRET_PROBLEM. A file that is not there is not named: its name may be the secret itself.
cannot_read() {
    if [[ -e $3 ]]; then
        SECRET_PROBLEM="$1's file $3 cannot be read"
    else
        SECRET_PROBLEM="$1's file cannot be read: it does not exist; give the path of a file with $2 (what was given is not shown: it may be the secret)"
    fi
    return 1
}

check_secret_text() {
    hold_secret "$SECRET"
    [[ -n $SECRET ]] || { SECRET_PROBLEM="the secret is empty"; return 1; }
    [[ $SECRET != *$'\n'* ]] || { SECRET_PROBLEM="the secret has more than one line"; return 1; }
    [[ $SECRET != *[[:cntrl:]]* ]] || { SECRET_PROBLEM="the secret holds a control character"; return 1; }
}
