# What this machine is to Azure, according to the agent.

STATE=absent           # absent, disconnected, wanted, expired or elsewhere
SHOWN=''               # the output of "azcmagent show -j"
SHOWN_STATUS='' SHOWN_RESOURCE=''

# What the agent reports about this machine's connection.
read_state() {
    local subscription group name
    STATE=absent SHOWN='' SHOWN_STATUS='' SHOWN_RESOURCE=''
    [[ -x $AGENT ]] || return 0
    STATE=disconnected
    ask "$AGENT" show -j || return 0
    SHOWN=$ANSWERED
    SHOWN_STATUS=$(json_value "$SHOWN" status)
    subscription=$(json_value "$SHOWN" subscriptionId)
    group=$(json_value "$SHOWN" resourceGroup)
    name=$(json_value "$SHOWN" resourceName)
    # An agent that was never connected has no resource.
    [[ $SHOWN_STATUS == Connected || -n $subscription$group ]] || return 0
    SHOWN_RESOURCE="/subscriptions/$subscription/resourceGroups/$group/providers/Microsoft.HybridCompute/machines/$name"
    STATE=elsewhere
    # Azure compares names without regard to case.
    [[ ${subscription,,} == "${WANTED_SUBSCRIPTION,,}" && ${group,,} == "${WANTED_GROUP,,}" ]] || return 0
    [[ -z $WANTED_NAME || ${name,,} == "${WANTED_NAME,,}" ]] || return 0
    STATE=wanted
    # The identity expires after 90 days without contact; then only a new connection creates another one (agent-overview.md).
    [[ ${SHOWN_STATUS,,} != expired ]] || STATE=expired
}

wanted_text() {
    printf '/subscriptions/%s/resourceGroups/%s/providers/Microsoft.HybridCompute/machines/%s' \
        "$WANTED_SUBSCRIPTION" "$WANTED_GROUP" "${WANTED_NAME:-(any name)}"
}

state_text() {
    case $STATE in
        absent) printf 'no agent yet' ;;
        disconnected) printf 'agent installed, not connected' ;;
        expired) printf 'agent installed, its identity has expired' ;;
        elsewhere) printf 'agent connected elsewhere' ;;
        *) printf 'agent %s' "${SHOWN_STATUS:-installed}" ;;
    esac
}
