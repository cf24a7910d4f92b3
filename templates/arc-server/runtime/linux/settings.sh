# What azcmagent says of its settings, and whether that is what the bundle wants.

SETTING_NOW=''

# setting_now KEY: fills SETTING_NOW with the agent's value; returns 1 where the agent does not report it. The output of
# "get" is not documented: the value alone, "key: value" and JSON are read.
setting_now() {
    [[ -x $AGENT ]] || return 1
    if ask "$AGENT" config get "$1" && read_setting "$1" "$ANSWERED"; then
        return 0
    fi
    ask "$AGENT" config list || :
    read_setting_line "$1" "$ANSWERED"
}

# read_setting KEY TEXT: fills SETTING_NOW; what begins like a log line is none.
read_setting() {
    local line log='^(time=|(INFO|WARN|WARNING|ERROR|DEBUG|FATAL|TRACE)([[:space:]:[]|$))'
    ! read_setting_line "$1" "$2" || return 0
    SETTING_NOW=''
    lines_of "$AGENT_SAYS"
    for line in "${TEXT_LINES[@]}"; do
        [[ -z ${line//[[:space:]]/} || $line =~ $log || $line == '{'* ]] || SETTING_NOW=$line
    done
    plain_value "$SETTING_NOW"
    SETTING_NOW=$PLAIN_VALUE
    case ${SETTING_NOW,,} in null | '<nil>') SETTING_NOW='' ;; esac
}

# read_setting_line KEY TEXT: where the text has the key: as JSON or in a line "key (preview) : value".
read_setting_line() {
    local line form="^[[:space:]]*${1//./\\.}( \\(preview\\))?[[:space:]]*:[[:space:]]*(.*)\$"
    take_answer "$2"
    ANSWER_LEFT=$AGENT_SAYS
    if next_json; then
        json_setting "$1"
        return
    fi
    lines_of "$AGENT_SAYS"
    for line in "${TEXT_LINES[@]}"; do
        [[ $line =~ $form ]] || continue
        plain_value "${BASH_REMATCH[2]}"
        SETTING_NOW=$PLAIN_VALUE
        case ${SETTING_NOW,,} in null | '<nil>') SETTING_NOW='' ;; esac
        return 0
    done
    return 1
}

# json_setting KEY: of the value that was read: {"KEY": value}, or "value" beside the "key" of that name; a list's items are
# joined.
json_setting() {
    local at other path name found='' wanted
    plain_key "$1"
    wanted=$PLAIN_KEY
    for at in "${!JSON_PATHS[@]}"; do
        path=${JSON_PATHS[at]} name=${JSON_PATHS[at]##*"$JSON_BETWEEN"}
        plain_key "$name"
        if [[ $PLAIN_KEY == "$wanted" ]]; then
            found=$path
        elif [[ $PLAIN_KEY == key ]]; then
            plain_key "${JSON_VALUES[at]}"
            [[ $PLAIN_KEY == "$wanted" ]] || continue
            for other in "${JSON_PATHS[@]}"; do
                name=${other##*"$JSON_BETWEEN"}
                [[ ${name,,} != value || ${other%"$name"} != "${path%"${path##*"$JSON_BETWEEN"}"}" ]] || found=$other
            done
        fi
    done
    [[ -n $found ]] && json_joined "$found"
}

# json_joined PATH: fills SETTING_NOW with the value there, or the items of the list there.
json_joined() {
    local at
    SETTING_NOW=''
    for at in "${!JSON_PATHS[@]}"; do
        [[ ${JSON_PATHS[at]} == "$1" || ${JSON_PATHS[at]} == "$1$JSON_BETWEEN"* ]] || continue
        [[ ${JSON_KINDS[at]} == [sw] ]] || continue
        plain_value "${JSON_VALUES[at]}"
        SETTING_NOW+=${SETTING_NOW:+,}$PLAIN_VALUE
    done
}

# same_setting A B: a list is set as a,b and shown in brackets, with or without quotes, separated by commas or blanks, in any
# order.
same_setting() {
    local left right
    [[ ${1,,} != "${2,,}" ]] || return 0
    left=${1//[][,\"\']/ } right=${2//[][,\"\']/ }
    # The words are taken apart on purpose; a setting's value holds nothing that could be a pattern.
    set -f
    # shellcheck disable=SC2086
    left=$(printf '%s\n' ${left,,} | sort) right=$(printf '%s\n' ${right,,} | sort)
    set +f
    [[ $left == "$right" ]]
}

# setting_is KEY VALUE
setting_is() {
    setting_now "$1" && setting_fits "$1" "$2"
}

# setting_fits KEY VALUE: whether SETTING_NOW is that. A proxy may be written in many ways; what signs in to it counts.
setting_fits() {
    same_setting "$SETTING_NOW" "$2" && return
    [[ $1 == proxy.url && -n $2 && -n $SETTING_NOW && $2$SETTING_NOW != *@* ]] && same_proxy "$SETTING_NOW" "$2"
}
