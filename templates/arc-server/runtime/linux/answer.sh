# How azcmagent's answers are read: JSON wherever it begins, or the text for people, and in each the same fields.

AGENT_SAYS=''              # the answer without what is no part of it
declare -A FIELDS=()   # by plain name: what the answer says. null and a missing name say nothing; "" says empty

# take_answer BYTES: fills AGENT_SAYS: without byte order mark, carriage returns and colours.
take_answer() {
    local at form=$'\033\\[[0-9;]*[mK]'
    # The longest that is known has some thousand letters.
    AGENT_SAYS=${1:0:100000}
    AGENT_SAYS=${AGENT_SAYS#$'\357\273\277'}
    AGENT_SAYS=${AGENT_SAYS#$'\377\376'}
    AGENT_SAYS=${AGENT_SAYS//$'\r'/}
    for ((at = 0; at < 400; at++)); do
        [[ $AGENT_SAYS =~ $form ]] || break
        AGENT_SAYS=${AGENT_SAYS//"${BASH_REMATCH[0]}"/}
    done
}

ANSWER_LEFT=''         # what next_json looks at

# next_json: the next whole object, or list of objects, that begins a line of ANSWER_LEFT; what stands before it is log.
next_json() {
    local line tries=0 list='^\[[[:space:]]*\{'
    while [[ -n $ANSWER_LEFT ]]; do
        line=${ANSWER_LEFT#"${ANSWER_LEFT%%[![:space:]]*}"}
        # Text in which so many lines only look like JSON has none.
        if [[ $line == '{'* || ${line:0:100} =~ $list ]] && ((++tries < 100)) && json_tree "$line"; then
            ANSWER_LEFT=$JSON_REST
            return 0
        fi
        [[ $line == *$'\n'* ]] || break
        ANSWER_LEFT=${line#*$'\n'}
    done
    ANSWER_LEFT=''
    return 1
}

# plain_value TEXT: fills PLAIN_VALUE: trimmed, without a pair of quotes.
plain_value() {
    PLAIN_VALUE=${1#"${1%%[![:space:]]*}"}
    PLAIN_VALUE=${PLAIN_VALUE%"${PLAIN_VALUE##*[![:space:]]}"}
    case $PLAIN_VALUE in \"*\" | \'*\') ((${#PLAIN_VALUE} < 2)) || PLAIN_VALUE=${PLAIN_VALUE:1:${#PLAIN_VALUE}-2} ;; esac
}

PLAIN_VALUE=''

# keep_field NAME VALUE: the first one of a name counts.
keep_field() {
    plain_key "$1"
    plain_value "$2"
    case ${PLAIN_VALUE,,} in null | '<nil>' | '<null>') return 0 ;; esac
    [[ $PLAIN_KEY =~ ^[a-z0-9]+$ && -z ${FIELDS[$PLAIN_KEY]+said} ]] || return 0
    FIELDS[$PLAIN_KEY]=$PLAIN_VALUE
}

# fields_below PATH: the fields of the object there, in what json_tree has read.
fields_below() {
    local at path name
    clear_fields
    for at in "${!JSON_PATHS[@]}"; do
        path=${JSON_PATHS[at]} name=${JSON_PATHS[at]}
        if [[ -n $1 ]]; then
            [[ $path == "$1$JSON_BETWEEN"* ]] || continue
            name=${path#"$1$JSON_BETWEEN"}
        fi
        [[ $name == *"$JSON_BETWEEN"* || ${JSON_KINDS[at]} == [noa] ]] || keep_field "$name" "${JSON_VALUES[at]}"
    done
}

# read_fields NAME...: fills FIELDS from the answer: of the first object that says one of these names, else of an object in
# it that is a machine's; else from lines "Name : value". 1 where none of the names is said anywhere.
read_fields() {
    local at
    ANSWER_LEFT=$AGENT_SAYS
    while next_json; do
        fields_below ''
        ! field "$@" || return 0
        for at in "${!JSON_PATHS[@]}"; do
            [[ ${JSON_KINDS[at]} == o && -n ${JSON_PATHS[at]} && ${JSON_PATHS[at]} != *"$JSON_BETWEEN"* ]] || continue
            fields_below "${JSON_PATHS[at]}"
            ! field "$@" || ! field agentversion subscriptionid || return 0
        done
    done
    read_lines
    field "$@"
}

# read_lines: "Name    : value" as azcmagent prints for people; what is indented belongs to a list below a name.
read_lines() {
    local line form='^([A-Za-z][A-Za-z. ]*( \(preview\))?)[[:space:]]*:([[:space:]]+(.*))?$'
    clear_fields
    lines_of "$AGENT_SAYS"
    for line in "${TEXT_LINES[@]}"; do
        [[ ! $line =~ $form ]] || keep_field "${BASH_REMATCH[1]}" "${BASH_REMATCH[4]:-}"
    done
}

clear_fields() {
    local name
    for name in "${!FIELDS[@]}"; do unset "FIELDS[$name]"; done
}

FIELD=''

# field NAME...: fills FIELD with what the answer says under the first of these plain names; 1 where it says nothing.
field() {
    local name
    FIELD=''
    for name in "$@"; do
        [[ -n ${FIELDS[$name]+said} ]] || continue
        FIELD=${FIELDS[$name]}
        return 0
    done
    return 1
}

# The names that public sources have for one field. Text: "azcmagent show"; JSON: with -j.
STATUS_NAMES=(status agentstatus)
RESOURCE_NAMES=(resourceid azureresourceid id)
GROUP_NAMES=(resourcegroup resourcegroupname)
ERROR_CODE_NAMES=(agenterrorcode errorcode)
ERROR_TEXT_NAMES=(agenterrordetails errordetails agenterrormessage errormessage)
HTTPS_PROXY_NAMES=(httpsproxy usinghttpsproxy)
UPSTREAM_NAMES=(upstreamproxy upstreamproxyurl)
