# Whether the agent goes through the Arc gateway, by what it says of itself.

# plain_proxy URL: fills PLAIN_PROXY, so that two texts of one proxy are equal: without case, quotes, user and path, with a
# port; this machine has one name.
plain_proxy() {
    local text scheme=http host port='' form='^\[([0-9a-f:.]+)\](:([0-9]+))?$'
    plain_value "$1"
    text=${PLAIN_VALUE,,}
    [[ $text != *://* ]] || { scheme=${text%%://*} text=${text#*://}; }
    text=${text%%[/?#]*}
    text=${text##*@}
    host=$text
    if [[ $text =~ $form ]]; then
        host=${BASH_REMATCH[1]} port=${BASH_REMATCH[3]}
    elif [[ $text == *:* && $text != *:*:* ]]; then
        host=${text%:*} port=${text##*:}
    fi
    case ${host%.} in localhost | 127.0.0.1 | ::1 | 0:0:0:0:0:0:0:1) host=localhost ;; esac
    [[ -n $port ]] || { port=80; [[ $scheme != https ]] || port=443; }
    PLAIN_PROXY="$scheme://${host%.}:$port"
}

PLAIN_PROXY=''

same_proxy() {
    local one
    plain_proxy "$1"
    one=$PLAIN_PROXY
    plain_proxy "$2"
    [[ $one == "$PLAIN_PROXY" ]]
}

# proxy_said NAME...: fills FIELD; words for "none" are empty. 1 where the answer does not say.
proxy_said() {
    field "$@" || return 1
    case ${FIELD,,} in none | n/a | unknown | 'not used' | 'not set' | '[]') FIELD='' ;; esac
}

GATEWAY_PROOF=''       # proven, contradicts or not_said
PROXY_PROOF=''         # same, contradicts or not_said: the definition's proxy, which is behind the gateway

# read_gateway: arc-gateway.md and the pages of Azure Local: the agent's HTTPS proxy is its own, http://localhost:40343; its
# connection type is gateway; it names the gateway's address.
read_gateway() {
    local proxy='' empty=no kind='' address=''
    # Of the configure step: another setting's.
    SETTING_NOW=''
    ! proxy_said connectiontype || kind=${FIELD,,}
    ! proxy_said gatewayurl || address=$FIELD
    ! proxy_said "${HTTPS_PROXY_NAMES[@]}" || { proxy=$FIELD; [[ -n $proxy ]] || empty=yes; }
    if [[ $kind == direct ]] || { [[ -n $proxy ]] && ! same_proxy "$proxy" http://localhost:40343; }; then
        GATEWAY_PROOF=contradicts
    elif [[ -n $proxy || $kind == gateway ]]; then
        GATEWAY_PROOF=proven
    else
        ask_connection_type "$empty" "$address"
    fi
}

# ask_connection_type EMPTY ADDRESS: the setting decides where the report does not. An HTTPS proxy that is reported as empty
# is how an agent without the gateway looks.
ask_connection_type() {
    setting_now connection.type || :
    case ${SETTING_NOW,,} in
        gateway) GATEWAY_PROOF=proven ;;
        direct) GATEWAY_PROOF=contradicts ;;
        *)
            GATEWAY_PROOF=not_said
            if [[ -n $2 ]]; then GATEWAY_PROOF=proven; elif [[ $1 == yes ]]; then GATEWAY_PROOF=contradicts; fi
            ;;
    esac
}

# read_upstream: with a gateway the definition's proxy is the one behind the agent's own.
read_upstream() {
    PROXY_PROOF=not_said
    if proxy_said "${UPSTREAM_NAMES[@]}" && [[ -n $FIELD ]]; then
        PROXY_PROOF=contradicts
        ! same_proxy "$FIELD" "$PROXY_URL" || PROXY_PROOF=same
    fi
}

# gateway_fits: whether what the agent says agrees with the definition, or says nothing.
gateway_fits() {
    [[ -n $GATEWAY ]] || return 0
    read_gateway
    PROXY_PROOF=same
    [[ -z $PROXY_URL ]] || read_upstream
    [[ $GATEWAY_PROOF != contradicts && $PROXY_PROOF != contradicts ]]
}

# gateway_doubt: prints what the agent does not say.
gateway_doubt() {
    [[ -n $GATEWAY ]] || return 0
    if [[ $GATEWAY_PROOF == not_said ]]; then
        printf 'azcmagent does not say whether it goes through the gateway: look for localhost:40343 in azcmagent show'
    elif [[ $PROXY_PROOF == not_said ]]; then
        printf 'azcmagent does not say which proxy is behind the gateway; the bundle wants %s' "$PROXY_URL"
    fi
}

# gateway_contradiction: prints what the agent says instead.
gateway_contradiction() {
    local proxy upstream kind
    proxy_said "${HTTPS_PROXY_NAMES[@]}" || :; proxy=$FIELD
    proxy_said "${UPSTREAM_NAMES[@]}" || :; upstream=$FIELD
    proxy_said connectiontype || :; kind=${FIELD:-${SETTING_NOW:-unknown}}
    if [[ $GATEWAY_PROOF == contradicts ]]; then
        printf 'not through the gateway: the agent'\''s HTTPS proxy is "%s", its connection type %s' "$proxy" "$kind"
    else
        printf 'through the gateway, but not with the proxy %s behind it: the agent reports %s' "$PROXY_URL" "$upstream"
    fi
}
