# 5. connect.

# with_agent VERB FILE MORE...: azcmagent VERB --config FILE. All parameters go through a file that root alone can read,
# in memory where there is such a place, and gone with us.
with_agent() {
    local code=0 verb=$1 file=$2
    shift 2
    if [[ $AUTHENTICATION == device-code || $AUTHENTICATION == interactive ]]; then
        # The user has to see the code.
        show_child "$AGENT" "$verb" --config "$file" "$@" || code=$?
    else
        run_told "$AGENT" "$verb" --config "$file" "$@" || code=$?
    fi
    destroy "$file" "$SAFE"/certificate.p*
    return "$code"
}

# connect_reason CODE: why another attempt makes sense; returns 1 where it does not.
connect_reason() {
    case $1 in
        42 | 44) echo 'a new role assignment takes some minutes' ;;
        61) echo 'the agent'\''s service is not up yet' ;;
        *)
            grep -qi 'change token' "$LAST" || return 1
            echo 'the first command after an installation may fail this way'
            ;;
    esac
}

# connect_bounded: tries again after failures that pass without action.
connect_bounded() {
    local try code reason pause=15
    for ((try = 1; ; try++)); do
        code=0
        { write_connect_file >"$SAFE/connect.json"; } 2>/dev/null || fail 202 "the parameters cannot be written to $SAFE"
        with_agent connect "$SAFE/connect.json" || code=$?
        ((code != 0 && try < CONNECT_TRIES)) && reason=$(connect_reason "$code") || return "$code"
        note "azcmagent connect ended with $code: $reason; retrying in $pause s ($((CONNECT_TRIES - try)) attempts left)"
        nap "$pause"
        pause=$((pause * 2))
    done
}

# disconnect_first: an agent that is connected elsewhere disconnects in Azure too; an expired one can only do so locally.
disconnect_first() {
    local code=0
    note_agent_logs
    if [[ $STATE == expired ]]; then
        run "$AGENT" disconnect --force-local-only || code=$?
    else
        { write_sign_in_file >"$SAFE/disconnect.json"; } 2>/dev/null || fail 202 "the parameters cannot be written to $SAFE"
        with_agent disconnect "$SAFE/disconnect.json" || code=$?
    fi
    if [[ $code -ne 0 ]]; then
        search_agent_logs
        show_log_end
        fail "$code" "azcmagent disconnect from $SHOWN_RESOURCE ended with $code; --uninstall --force-local-only removes it only on this machine"
    fi
    note "disconnected from $SHOWN_RESOURCE"
}

step_connect() {
    local code=0 left=''
    begin_step connect
    if [[ $STATE == wanted ]]; then
        skip_step "already connected as $SHOWN_RESOURCE"
        return
    fi
    if [[ $MODE == dry-run ]]; then
        would_step "connect to $(wanted_text) with ${AUTHENTICATION//-/ }"
        return
    fi
    ask_agent_check
    [[ $STATE != elsewhere ]] || left="; this machine is no longer $SHOWN_RESOURCE, and not connected"
    [[ $STATE != elsewhere && $STATE != expired ]] || disconnect_first
    note_agent_logs
    connect_bounded || code=$?
    SECRET='' CERTIFICATE=''
    search_agent_logs
    if [[ $code -ne 0 ]]; then
        show_log_end
        fail "$code" "azcmagent connect ended with $code$left${TOLD_LOGS[0]:+; $(told_logs_text)}"
    fi
    done_or_told "connected to $(wanted_text)"
}
