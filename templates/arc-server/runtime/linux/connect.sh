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

WHY_AGAIN=''

# try_again CODE: whether another attempt makes sense, and in WHY_AGAIN why: by the message, and where that says nothing, by
# the exit code.
try_again() {
    WHY_AGAIN=''
    read_last_reason || REASON_RETRY=code
    case $REASON_RETRY:$1 in
        yes:*) WHY_AGAIN=$REASON_MEANING ;;
        code:42 | code:44) WHY_AGAIN=${REASON_MEANING:-a new role assignment takes some minutes} ;;
        code:61) WHY_AGAIN='the agent'\''s service is not up yet' ;;
    esac
    [[ -n $WHY_AGAIN ]]
}

# connect_bounded: tries again after failures that pass without action.
connect_bounded() {
    local try code pause=15
    for ((try = 1; ; try++)); do
        code=0 REASON='' ADVICE=''
        { write_connect_file >"$SAFE/connect.json"; } 2>/dev/null || fail 202 "the parameters cannot be written to $SAFE"
        with_agent connect "$SAFE/connect.json" || code=$?
        ((code != 0)) || return 0
        try_again "$code" && ((try < CONNECT_TRIES)) || return "$code"
        note "azcmagent connect ended with $code: $WHY_AGAIN; retrying in $pause s ($((CONNECT_TRIES - try)) attempts left)"
        nap "$pause"
        pause=$((pause * 2))
    done
}

# disconnect_first: from what is there, before connecting anew.
disconnect_first() {
    local code=0
    choose_disconnect
    disconnect_agent || code=$?
    if [[ $code -ne 0 && $STATE == unknown ]]; then
        warning "azcmagent disconnect --force-local-only ended with $code; connecting is tried all the same"
        return
    elif [[ $code -ne 0 ]]; then
        read_last_reason || :
        search_agent_logs
        show_log_end
        fail "$code" "azcmagent disconnect from ${SHOWN_RESOURCE:-its resource} ended with $code$(last_reason_text); --force-local-only removes it only on this machine"
    fi
    REASON='' ADVICE=''
    note "disconnected from ${SHOWN_RESOURCE:-its resource}$(stays_text)"
}

# last_reason_text: what the program's message means, for a line; fills nothing here: read_last_reason did.
last_reason_text() { [[ -z $REASON_MEANING ]] || printf ': %s' "$REASON_MEANING"; }

# may_connect: whether the state allows it; the preflight has asked the agent that was there, this is the bundle's.
may_connect() {
    case $STATE in
        elsewhere)
            [[ $RECONNECT == yes ]] || fail 67 "this machine is connected as $SHOWN_RESOURCE; the bundle is for $(wanted_text); --reconnect moves it"
            ;;
        unknown)
            [[ $RECONNECT == yes && $FORCE_LOCAL_ONLY == yes ]] && return
            REASON=agent-state-unknown
            fail "$STATE_CODE" "$(unknown_text)"
            ;;
    esac
}

# already_connected: the step's line where nothing is to be done.
already_connected() {
    local text
    if text=$(clone_text); then
        warn_step 0 "already connected as $SHOWN_RESOURCE; WARNING: $text"
    else
        skip_step "already connected as $SHOWN_RESOURCE"
    fi
}

step_connect() {
    local code=0 left=''
    begin_step connect
    if [[ $STATE == wanted ]]; then
        already_connected
        return
    fi
    if [[ $MODE == dry-run ]]; then
        would_step "connect to $(wanted_text) with ${AUTHENTICATION//-/ }"
        return
    fi
    may_connect
    ask_agent_check
    case $STATE in
        elsewhere) left="; this machine is no longer $SHOWN_RESOURCE, and not connected" ;;
        expired | unknown) ;;
        *) false ;;
    esac && disconnect_first
    note_agent_logs
    connect_bounded || code=$?
    SECRET='' CERTIFICATE=''
    search_agent_logs
    if [[ $code -ne 0 ]]; then
        show_log_end
        fail "$code" "azcmagent connect ended with $code$(last_reason_text)$left${TOLD_LOGS[0]:+; $(told_logs_text)}"
    fi
    connect_done
}

connect_done() {
    REASON='' ADVICE=''
    if [[ -n $CHECK_DOUBT ]]; then
        warn_step 0 "connected to $(wanted_text); WARNING: $CHECK_DOUBT${TOLD_LOGS[0]:+; $(told_logs_text)}"
    else
        done_or_told "connected to $(wanted_text)"
    fi
}
