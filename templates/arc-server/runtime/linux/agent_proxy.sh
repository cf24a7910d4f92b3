# Which way the agent goes to the network: proxy.url, or else the variable HTTPS_PROXY that its services get
# (manage-agent-proxy-settings.md).

AGENT_SERVICES=(himdsd gcad extd arcproxyd)
VARIABLE_URL=''        # the variable's proxy, without user and password; empty: the agent takes none
VARIABLE_BYPASS=''     # what goes past it
VARIABLE_TEXT=''       # the variable, as it is told
VARIABLE_ANSWERS=no    # whether the endpoints can be tested through it

# proxy_place VALUE: host and port, without what comes before and after it: there may be a password.
proxy_place() {
    local rest=${1#*://}
    rest=${rest##*@}
    printf '%s' "${rest%%/*}"
}

# take_variable NAME: Go takes the first of both spellings that has a value (net/http, ProxyFromEnvironment).
take_variable() {
    VARIABLE=${VARIABLES[$1]:-${VARIABLES[${1,,}]:-}}
    VARIABLE_FILE=${VARIABLE_FILES[$1]:-${VARIABLE_FILES[${1,,}]:-}}
    VARIABLE_FILE=${VARIABLE_FILE#"$SYSTEMD_ROOT"}
}

# variable_text WHERE
variable_text() {
    printf 'HTTPS_PROXY (%s, in %s)' "$(proxy_place "$VARIABLE")" "$1"
    [[ $VARIABLE != *@* ]] || printf ', with a user name, which the agent does not support'
}

# find_variable: fills VARIABLE_URL from what the agent's services get.
find_variable() {
    local service VARIABLE VARIABLE_FILE other
    ask_manager
    for service in "${AGENT_SERVICES[@]}"; do
        service_variables "$service"
        take_variable HTTPS_PROXY
        other=$(proxy_place "$VARIABLE")
        if [[ $service == himdsd ]]; then
            [[ -n $other ]] || continue
            VARIABLE_URL=http://$other VARIABLE_TEXT=$(variable_text "$VARIABLE_FILE")
            take_variable NO_PROXY
            VARIABLE_BYPASS=$VARIABLE
        elif [[ -n $other && $VARIABLE_URL != "http://$other" ]]; then
            note "the service $service does not go the way of himdsd: $(variable_text "$VARIABLE_FILE"); set network.proxy in the definition, which holds for all of them"
        fi
    done
}

# session_variable: HTTPS_PROXY of sessions, which no service gets: azcmagent does where it is started from one.
session_variable() {
    local VARIABLE VARIABLE_FILE
    VARIABLES=() VARIABLE_FILES=()
    read_assignments "$SYSTEMD_ROOT/etc/environment"
    [[ -z ${https_proxy:-} ]] || VARIABLES[https_proxy]=$https_proxy VARIABLE_FILES[https_proxy]='the environment of this run'
    [[ -z ${HTTPS_PROXY:-} ]] || VARIABLES[HTTPS_PROXY]=$HTTPS_PROXY VARIABLE_FILES[HTTPS_PROXY]='the environment of this run'
    take_variable HTTPS_PROXY
    [[ -n $(proxy_place "$VARIABLE") ]] || return 0
    note "$(variable_text "$VARIABLE_FILE"): azcmagent goes through it where it is started from such a session, the agent's services do not; set network.proxy in the definition"
    answers_or_warn "http://$(proxy_place "$VARIABLE")" "$(variable_text "$VARIABLE_FILE")"
}

# answers_or_warn URL TEXT: whether the proxy takes a connection.
answers_or_warn() {
    local said='' PROXY_URL=$1
    network_wanted || return 1
    split_proxy
    make_probe_folder || return 1
    start_probe variable open_tcp "$PROXY_HOST" "$PROXY_PORT"
    wait_probes "${PROBE_PIDS[0]}"
    said=$(found_raw variable)
    rm -rf -- "$PROBES"
    PROBES=''
    [[ $said != ok && $said != untested ]] || return 0
    warning "the proxy of $2 does not answer: ${said:-no answer}; set network.proxy in the definition, or correct the variable"
    return 1
}

found_raw() { [[ ! -r $PROBES/$1 ]] || printf '%s' "$(<"$PROBES/$1")"; }

check_agent_proxy() {
    [[ $STATE != wanted ]] || network_wanted || return 0
    find_variable
    if [[ -z $VARIABLE_URL ]]; then
        [[ -n $PROXY_URL ]] || session_variable
    elif [[ -n $PROXY_URL ]]; then
        note "$VARIABLE_TEXT is not used: this bundle sets proxy.url, which goes before it"
        VARIABLE_URL=''
    else
        note "the agent goes through the proxy of $VARIABLE_TEXT; to choose the way, set network.proxy in the definition, which becomes proxy.url"
        ! answers_or_warn "$VARIABLE_URL" "$VARIABLE_TEXT" || VARIABLE_ANSWERS=yes
    fi
}

# past_variable HOST: whether NO_PROXY has it (net/http, ProxyFromEnvironment: a name stands for what is below it, too).
past_variable() {
    local rest=${VARIABLE_BYPASS,,}, one
    while [[ -n $rest ]]; do
        one=${rest%%,*} rest=${rest#*,}
        one=${one//[[:space:]]/}
        one=${one%%:*}
        [[ $one != '*' ]] || return 0
        one=${one#'*'}
        one=${one#.}
        [[ -z $one || ${1,,} != "$one" && ${1,,} != *".$one" ]] || return 0
    done
    return 1
}
