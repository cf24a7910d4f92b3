# What azcmagent check says of the network.

# By row: address, whether it is reached, and whether the agent requires it (empty: it does not say).
CHECKED_HOST=() CHECKED_REACHED=() CHECKED_REQUIRED=()
CHECK_DOUBT=''         # what makes the connect step a warning

# plain_host TEXT: fills PLAIN_HOST from an address or a URL; empty where it is none.
plain_host() {
    plain_value "$1"
    PLAIN_HOST=${PLAIN_VALUE,,}
    PLAIN_HOST=${PLAIN_HOST#*://}
    PLAIN_HOST=${PLAIN_HOST%%[/?#:]*}
    PLAIN_HOST=${PLAIN_HOST%.}
    [[ $PLAIN_HOST =~ ^[a-z0-9*_-]+(\.[a-z0-9_-]+)+$ ]] || PLAIN_HOST=''
}

PLAIN_HOST=''

# plain_flag TEXT: fills PLAIN_FLAG: yes, no, or empty.
plain_flag() {
    plain_value "$1"
    case ${PLAIN_VALUE,,} in
        true | yes | 1 | reachable | ok) PLAIN_FLAG=yes ;;
        false | no | 0 | unreachable | 'not reachable' | failed) PLAIN_FLAG=no ;;
        *) PLAIN_FLAG='' ;;
    esac
}

PLAIN_FLAG=''

# keep_checked HOST REACHED REQUIRED
keep_checked() {
    local reached
    plain_host "$1"
    plain_flag "$2"
    reached=$PLAIN_FLAG
    [[ -n $PLAIN_HOST && -n $reached ]] || return 0
    plain_flag "$3"
    CHECKED_HOST+=("$PLAIN_HOST") CHECKED_REACHED+=("$reached") CHECKED_REQUIRED+=("$PLAIN_FLAG")
}

# read_check TEXT: fills the rows: from JSON, where each object that says "reachable" is one, under its address or with it
# inside; else from the table for people.
read_check() {
    local path place
    # What the agent said of its connection is still needed: on which hardware, and of which provider.
    local -A FIELDS=()
    CHECKED_HOST=() CHECKED_REACHED=() CHECKED_REQUIRED=()
    take_answer "$1"
    ANSWER_LEFT=$AGENT_SAYS
    while next_json; do
        for path in ${JSON_PATHS[@]+"${JSON_PATHS[@]}"}; do
            plain_key "${path##*"$JSON_BETWEEN"}"
            [[ $PLAIN_KEY == @(reachable|isreachable) && $path == *"$JSON_BETWEEN"* ]] || continue
            place=${path%"$JSON_BETWEEN"*}
            read_check_row "$place"
        done
    done
    [[ ${#CHECKED_HOST[@]} -gt 0 ]] || read_check_table
}

# read_check_row PATH
read_check_row() {
    local host reached
    fields_below "$1"
    field endpoint url host hostname fqdn address uri name || FIELD=${1##*"$JSON_BETWEEN"}
    host=$FIELD
    # A name for people beside the address that the row is under.
    plain_host "$host"
    [[ -n $PLAIN_HOST ]] || host=${1##*"$JSON_BETWEEN"}
    field reachable isreachable || :; reached=$FIELD
    field required isrequired mandatory || :
    keep_checked "$host" "$reached" "$FIELD"
}

# read_check_table: columns between bars or two blanks; the line that begins with ENDPOINT names them.
read_check_table() {
    local line at cells=() reached=1 required=-1 text
    lines_of "$AGENT_SAYS"
    for line in "${TEXT_LINES[@]}"; do
        text=${line//|/  }
        cells=()
        while [[ $text =~ ^[[:space:]]*([^[:space:]]+( [^[:space:]]+)*) ]]; do
            cells+=("${BASH_REMATCH[1]}")
            text=${text#*"${BASH_REMATCH[1]}"}
        done
        ((${#cells[@]} > 1)) || continue
        plain_key "${cells[0]}"
        if [[ $PLAIN_KEY == @(endpoint|endpoints|url|host) ]]; then
            for at in "${!cells[@]}"; do
                plain_key "${cells[at]}"
                case $PLAIN_KEY in reachable) reached=$at ;; required) required=$at ;; esac
            done
            continue
        fi
        keep_checked "${cells[0]}" "${cells[reached]:-}" "$( ((required < 0)) || printf '%s' "${cells[required]:-}")"
    done
}

# ask_agent_check: the agent's own check decides; where it differs from this script's, both results are shown.
ask_agent_check() {
    local code=0 words=()
    CHECK_DOUBT=''
    [[ $NETWORK_CHECK == yes ]] || return 0
    [[ -z $LINK_SCOPE ]] || words=(--enable-pls-check)
    ask "$AGENT" check -j --cloud "$CLOUD" --location "$LOCATION" ${words[@]+"${words[@]}"} || code=$?
    log "azcmagent check -j ended with $code: $ANSWERED"
    read_check "$ANSWERED"
    weigh_check "$code"
}

CHECK_FAILED='' CHECK_ALSO=''   # the addresses that it does not reach: those that stop the run, and others

# weigh_rows: fills the two. Before it is connected the agent does not know the gateway, and tests all directly: what goes
# through the gateway does not count then.
weigh_rows() {
    local row at reached required way
    CHECK_FAILED='' CHECK_ALSO=''
    for row in "${!CHECKED_HOST[@]}"; do
        reached=${CHECKED_REACHED[row]} required=${CHECKED_REQUIRED[row]} way=unknown
        for at in ${CHECK_HOST[@]+"${!CHECK_HOST[@]}"}; do
            [[ ${CHECK_HOST[at],,} == "${CHECKED_HOST[row]}" ]] || continue
            [[ ${CHECK_REQUIRED[at]} != yes ]] || required=yes
            way=${CHECK_WAY[at]}
            case ${FOUND_VERDICT[at]:-}:$reached in
                ok:no) note "azcmagent check differs: it does not reach ${CHECK_HOST[at]}, but this script did" ;;
                *failed:yes) note "azcmagent check differs: it reaches ${CHECK_HOST[at]}, but this script did not" ;;
            esac
        done
        [[ $reached == no ]] || continue
        if [[ $required == yes && (-z $GATEWAY || ($way != gateway && $way != unknown)) ]]; then
            CHECK_FAILED+="${CHECK_FAILED:+, }${CHECKED_HOST[row]}"
        else
            CHECK_ALSO+="${CHECK_ALSO:+, }${CHECKED_HOST[row]}"
        fi
    done
}

# weigh_check CODE: a check that failed is never passed over.
weigh_check() {
    weigh_rows
    if [[ -n $CHECK_FAILED ]]; then
        REASON=network
        fail 26 "azcmagent check does not reach $CHECK_FAILED"
    elif [[ -n $CHECK_ALSO ]]; then
        CHECK_DOUBT="azcmagent check does not reach $CHECK_ALSO (not required${GATEWAY:+, or behind the gateway})"
    elif [[ $1 -ne 0 && ${#CHECKED_HOST[@]} -eq 0 ]]; then
        CHECK_DOUBT="the agent's own check ended with $1, and its answer is not understood"
    elif [[ $1 -ne 0 ]]; then
        CHECK_DOUBT="the agent's own check ended with $1, and names no address that it does not reach"
    fi
    [[ -z $CHECK_DOUBT ]] || warning "$CHECK_DOUBT"
}
