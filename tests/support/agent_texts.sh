# Runs rows of tests/agent_texts.toml in one bash: sourced behind the parts of install.sh, with a folder of rows.
# Each row is a folder: "text", "config" where there is one, "uuid", and "row.sh" with what the header and the machine say.
# What came of it is printed as name=value, each ended by a NUL.

MODE=uninstall LAB='' CLOUD=AzureCloud LINK_SCOPE='' NETWORK_CHECK=yes CONNECT_TRIES=4 PACKAGE_VERSION=1.68.0
RECONNECT=no FORCE_LOCAL_ONLY=no DELETE_RESOURCE=no LOG_FILE='' LAST='' SAID=''
tell() { printf '%s=%s\0' "$1" "$2"; }
log() { :; }
note() { :; }
hide() { HIDDEN=$1; }
fail() { tell code "$1"; ENDED=yes; }
systemd-detect-virt() { echo none; }

ask() {
    local code=0
    ANSWERED=$(tr -d '\000' <"$ROW/text")
    case $2 in
        config)
            if [[ $COMMAND != config ]]; then
                ANSWERED=$TYPE
                [[ -n $TYPE ]] || code=1
            elif [[ $3 == list ]]; then
                [[ $(tr -d '\000' <"$ROW/text") == *Local\ Configuration* ]] || ANSWERED=''
            elif [[ $ANSWERED == *Local\ Configuration* ]]; then
                code=1
            fi
            ;;
        *) code=$RC ;;
    esac
    return "$code"
}

row_show() {
    read_state
    tell shown "$STATE"
    tell status "$SHOWN_STATUS"
    tell resource "$SHOWN_RESOURCE"
    tell error "$SHOWN_ERROR"
    field agentversion || :
    tell agent "$FIELD"
    tell clone "$(if clone_text >/dev/null; then echo true; else echo false; fi)"
    error_advice
    tell reason "$REASON"
    tell advice "$ADVICE$([[ $STATE != expired ]] || expired_text)"
    case $STATE in
        unknown) tell code "$STATE_CODE" ;;
        elsewhere) tell code 67 ;;
        *) tell code 0 ;;
    esac
    choose_disconnect
    tell local "$([[ -n $LOCAL_ONLY ]] && echo true || echo false)"
    gateway_fits
    tell gateway "$GATEWAY_PROOF"
    tell proxy "$PROXY_PROOF"
}

row_check() {
    ENDED=no
    read_check "$(tr -d '\000' <"$ROW/text")"
    tell understood "$([[ ${#CHECKED_HOST[@]} -gt 0 ]] && echo true || echo false)"
    weigh_check "$RC"
    [[ $ENDED == yes ]] || tell code 0
    tell required "$CHECK_FAILED"
    tell optional "$CHECK_ALSO"
    tell doubt "$CHECK_DOUBT"
}

row_connect() {
    LAST=$ROW/text
    tell retry "$(if try_again "$RC"; then echo true; else echo false; fi)"
    try_again "$RC" || :
    tell reason "$REASON"
    tell advice "$ADVICE"
    tell policy "$REASON_NAME"
}

row_config() {
    tell unread "$(if setting_now "$KEY"; then echo false; else echo true; fi)"
    setting_now "$KEY" || :
    tell value "$SETTING_NOW"
    tell same "$(if setting_is "$KEY" "$WANTED"; then echo true; else echo false; fi)"
}

for ROW in "$1"/*/; do
    ROW=${ROW%/}
    # shellcheck disable=SC1091
    source "$ROW/row.sh"
    DMI=$ROW AGENT=$ROW/agent AGENT_CONFIG=$ROW/config
    tell row "${ROW##*/}"
    case $COMMAND in disconnect) row_connect ;; *) "row_$COMMAND" ;; esac
done
