# What a message of azcmagent's means: a word for the receipt, whether another attempt may help, and the next step.

# The last one that was read.
REASON_MEANING='' REASON_RETRY='' REASON_NAME=''

# read_reason TEXT: fills REASON, ADVICE and the others from the table: by the lines that say why the program ended, else by
# all but the details; 1 where no row fits.
read_reason() {
    local grave other
    part_lines "$1"
    fit_reason "$grave" || fit_reason "$other" || return 1
    [[ $REASON != policy ]] || read_policy "$grave$other"
    [[ $ADVICE != *@NAME@* ]] || ADVICE="${ADVICE%%@NAME@*}${REASON_NAME:+ \"$REASON_NAME\"}${ADVICE#*@NAME@}"
}

# part_lines TEXT: the lines of grave messages, and others, as $grave and $other; without details, where an agent that is told
# to be verbose writes failures that it has overcome. A line without a level belongs to the one before it.
part_lines() {
    local line level=other
    grave='' other=''
    # The end says why.
    lines_of "${1:$((${#1} > 40000 ? ${#1} - 40000 : 0))}"
    for line in "${TEXT_LINES[@]}"; do
        case ${line,,} in
            *level=fatal* | *level=error* | fatal* | error*) level=grave ;;
            *level=debug* | *level=trace* | debug* | trace*) level=none ;;
            *level=* | info* | warn*) level=other ;;
        esac
        case $level in grave) grave+=$line$'\n' ;; other) other+=$line$'\n' ;; esac
    done
}

# fit_reason TEXT
fit_reason() {
    local text=${1,,}
    text=${text//[[:space:]]/ }
    while [[ $text == *'  '* ]]; do text=${text//  / }; done
    REASON='' ADVICE='' REASON_MEANING='' REASON_RETRY='' REASON_NAME=''
    [[ -z $text ]] || each_row REASON_ROWS 5 fitting_reason
    [[ -n $REASON ]]
}

# fitting_reason WORD PATTERN RETRY MEANING STEP
fitting_reason() {
    [[ -z $REASON && $text =~ $2 ]] || return 0
    REASON=$1 REASON_RETRY=$3 REASON_MEANING=$4 ADVICE=$5
}

# read_policy TEXT: fills REASON_NAME with the policy that Azure's message names; the quotes in it are often escaped.
read_policy() {
    local key form quote='\\*["'\'']'
    for key in policyDefinitionDisplayName policyAssignmentDisplayName policyDefinitionName policyAssignmentName; do
        form="$quote$key$quote *: *$quote([^\"'\\\\]+)"
        [[ $1 =~ $form ]] || continue
        readable "${BASH_REMATCH[1]}"
        REASON_NAME=$READABLE
        return
    done
    form='name\\*"[[:space:]]*:[[:space:]]*\\*"([^"\\]+)'
    [[ ! $1 =~ $form ]] || { readable "${BASH_REMATCH[1]}"; REASON_NAME=$READABLE; }
}

# read_last_reason: of the program that has just ended; the file has no secret.
read_last_reason() {
    REASON='' ADVICE='' REASON_MEANING='' REASON_RETRY='' REASON_NAME=''
    [[ -s $LAST ]] && read_reason "$(tail -c 40000 -- "$LAST" | tr -d '\000')"
}

# error_advice: fills REASON and ADVICE by the error that the agent itself reports.
error_advice() {
    local form='azcm0*([0-9]+)' MEANING='' NEXT=''
    REASON='' ADVICE=''
    [[ -z $SHOWN_ERROR ]] || ! read_reason "$SHOWN_ERROR" || return 0
    REASON=agent-${SHOWN_STATUS:-silent}
    [[ $SHOWN_STATUS != connected ]] || return 0
    ADVICE='Run azcmagent check, and read himds.log on this machine.'
    [[ ${SHOWN_ERROR,,} =~ $form || ${SHOWN_ERROR%%:*} =~ ^([0-9]{1,3})$ ]] || return 0
    code_text "$((10#${BASH_REMATCH[1]}))"
    ADVICE=${NEXT:-$ADVICE}
}
