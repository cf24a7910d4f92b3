# What this machine is to Azure, according to the agent. What is not understood is unknown, never "not connected".

# absent; disconnected: there is an agent, and no connection; wanted, expired (wanted, and its identity is no longer valid);
# elsewhere; unknown.
STATE=absent
STATE_CODE=220         # what a run ends with where the state is unknown
STATE_PROBLEM=''       # why it is
SHOWN_STATUS=''        # connected, disconnected, expired or error: what the agent calls itself
SHOWN_RESOURCE='' SHOWN_NAME=''
SHOWN_ERROR=''         # the code and the details of the agent's own error
AGENT_CONFIG=/var/opt/azcmagent/agentconfig.json

# read_state: asks the agent for its connection.
read_state() {
    local code=0
    STATE=absent STATE_PROBLEM='' SHOWN_STATUS='' SHOWN_RESOURCE='' SHOWN_NAME='' SHOWN_ERROR=''
    clear_fields
    if [[ ! -x $AGENT ]]; then
        # Its program may be gone, and its resource still be there. Installing puts the program back, which then tells.
        [[ $MODE == uninstall ]] && read_config_resource || return 0
        STATE=unknown STATE_CODE=220 STATE_PROBLEM="$AGENT is missing, but $AGENT_CONFIG names a resource"
        return
    fi
    ask "$AGENT" show -j || code=$?
    read_shown "$ANSWERED" && [[ $code -eq 0 ]] || ask_text "$code" "$ANSWERED"
    take_state "$code"
}

read_shown() {
    take_answer "$1"
    read_fields "${STATUS_NAMES[@]}"
}

# ask_text CODE ANSWER: an answer without a status may still name the resource; the text for people may have both.
ask_text() {
    [[ $1 -ne 0 ]] || ! ask "$AGENT" show || ! read_shown "$ANSWERED" || return 0
    take_answer "$2"
    read_fields resourcename subscriptionid "${RESOURCE_NAMES[@]}" || :
}

# take_state CODE: what FIELDS says, with the exit code that came with it.
take_state() {
    local code=220
    # The agent's own numbers say which of its parts does not answer.
    case $1 in 61 | 64 | 65 | 66) code=$1 ;; esac
    STATE=unknown STATE_CODE=$code
    take_resource || { STATE_PROBLEM='azcmagent show names two resources'; return; }
    if [[ $1 -ne 0 ]]; then
        STATE_PROBLEM="azcmagent show ended with $1"
    elif ! field "${STATUS_NAMES[@]}"; then
        STATE_PROBLEM='the answer of azcmagent show is not understood'
    elif ! take_status "$FIELD"; then
        STATE_PROBLEM="azcmagent show reports the status \"$FIELD\""
    elif [[ -n $SHOWN_RESOURCE ]]; then
        place_resource
    elif [[ $SHOWN_STATUS != disconnected ]]; then
        STATE_PROBLEM="azcmagent show reports ${SHOWN_STATUS^}, and no resource"
    elif ! field subscriptionid "${GROUP_NAMES[@]}" resourcename && read_config_resource; then
        STATE_PROBLEM="azcmagent show does not name a resource, but $AGENT_CONFIG does"
    else
        STATE=disconnected
    fi
    [[ $STATE != unknown || -n $SHOWN_RESOURCE ]] || read_config_resource || :
}

# take_status TEXT: fills SHOWN_STATUS; 1 for a word that is none of the agent's (overview.md, "Agent status").
take_status() {
    local text=${1,,}
    text=${text%%(*}
    plain_key "$text"
    case $PLAIN_KEY in
        connected) SHOWN_STATUS=connected ;;
        disconnected | notconnected | unconnected | offline) SHOWN_STATUS=disconnected ;;
        expired) SHOWN_STATUS=expired ;;
        error | failed) SHOWN_STATUS=error ;;
        *) return 1 ;;
    esac
    SHOWN_ERROR=''
    field "${ERROR_CODE_NAMES[@]}" || :
    [[ -z $FIELD || $FIELD == 0 ]] || SHOWN_ERROR=$FIELD
    field "${ERROR_TEXT_NAMES[@]}" || :
    [[ -z $FIELD ]] || SHOWN_ERROR+="${SHOWN_ERROR:+: }$FIELD"
}

resource_id() {
    printf '/subscriptions/%s/resourceGroups/%s/providers/Microsoft.HybridCompute/machines/%s' "$1" "$2" "$3"
}

# take_resource: fills SHOWN_RESOURCE and its parts from FIELDS, and leaves them empty where they are not all there. 1 where
# the answer's id is of another resource than its parts.
take_resource() {
    local form='^/subscriptions/([^/]+)/resourcegroups/([^/]+)/providers/microsoft\.hybridcompute/machines/([^/]+)/?$'
    local subscription group name id
    SHOWN_RESOURCE='' SHOWN_NAME='' SHOWN_SUBSCRIPTION='' SHOWN_GROUP=''
    field subscriptionid || :; subscription=$FIELD
    field "${GROUP_NAMES[@]}" || :; group=$FIELD
    field resourcename || :; name=$FIELD
    field "${RESOURCE_NAMES[@]}" || :; id=$FIELD
    if [[ ${id,,} =~ $form ]]; then
        [[ -z $subscription || ${subscription,,} == "${BASH_REMATCH[1]}" ]] || return 1
        [[ -z $group || ${group,,} == "${BASH_REMATCH[2]}" ]] || return 1
        [[ -z $name || ${name,,} == "${BASH_REMATCH[3]}" ]] || return 1
        id=${id#/*/} id=${id%/}
        subscription=${subscription:-${id%%/*}} name=${name:-${id##*/}}
        id=${id#*/*/}
        group=${group:-${id%%/*}}
    fi
    [[ -n $subscription && -n $group && -n $name ]] || return 0
    SHOWN_SUBSCRIPTION=$subscription SHOWN_GROUP=$group SHOWN_NAME=$name
    SHOWN_RESOURCE=$(resource_id "$subscription" "$group" "$name")
}

SHOWN_SUBSCRIPTION='' SHOWN_GROUP=''

# place_resource: whether that is the bundle's. Azure compares names without regard to case.
place_resource() {
    STATE=elsewhere
    [[ ${SHOWN_SUBSCRIPTION,,} == "${WANTED_SUBSCRIPTION,,}" && ${SHOWN_GROUP,,} == "${WANTED_GROUP,,}" ]] || return 0
    [[ -z $WANTED_NAME || ${SHOWN_NAME,,} == "${WANTED_NAME,,}" ]] || return 0
    STATE=wanted
    # The identity expires after 90 days without contact (agent-overview.md).
    [[ $SHOWN_STATUS != expired ]] || STATE=expired
}

# read_config_resource: names the resource by the agent's own file, which an agent that was never connected has, too, without
# names. It says nothing about the connection.
read_config_resource() {
    [[ -r $AGENT_CONFIG ]] || return 1
    take_answer "$(tr -d '\000' <"$AGENT_CONFIG")"
    read_fields subscriptionid resourcename && take_resource && [[ -n $SHOWN_RESOURCE ]]
}

wanted_text() { resource_id "$WANTED_SUBSCRIPTION" "$WANTED_GROUP" "${WANTED_NAME:-(any name)}"; }

# unknown_text: what is so, and what to do, where the state is unknown.
unknown_text() {
    printf 'whether this machine is connected is not known: %s%s; start the agent'\''s service (systemctl restart himdsd)' \
        "$STATE_PROBLEM" "${SHOWN_RESOURCE:+; its resource may be $SHOWN_RESOURCE}"
    case $MODE in
        uninstall) printf ', or add --force-local-only: the resource then stays in Azure' ;;
        install | check) printf ', or remove the agent with --uninstall --force-local-only' ;;
    esac
}

state_text() {
    case $STATE in
        absent) printf 'no agent yet' ;;
        disconnected) printf 'agent installed, not connected' ;;
        expired) printf 'agent installed, its identity has expired' ;;
        elsewhere) printf 'agent connected elsewhere' ;;
        unknown) printf 'agent installed, its state is not known' ;;
        *) printf 'agent %s' "${SHOWN_STATUS^}" ;;
    esac
}
