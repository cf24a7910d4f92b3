# 6. confirm, and 7. receipt.

step_confirm() {
    local tries
    begin_step confirm
    if [[ $MODE == dry-run ]]; then
        would_step "ask azcmagent show for $(wanted_text)"
        return
    fi
    for ((tries = 0; tries < 10; tries++)); do
        read_state
        if [[ $STATE == wanted && $SHOWN_STATUS == connected ]] && gateway_fits; then
            confirm_identity
            return
        fi
        [[ $STATE != elsewhere ]] || break
        nap 3
    done
    fail_to_confirm
}

fail_to_confirm() {
    if [[ $STATE == unknown ]]; then
        REASON=agent-state-unknown
        fail "$STATE_CODE" "$(unknown_text)"
    elif [[ $STATE == wanted && $SHOWN_STATUS == connected ]]; then
        REASON=gateway-not-used
        fail 206 "connected, but $(gateway_contradiction)"
    fi
    error_advice
    fail 206 "the agent reports $(status_word)${SHOWN_RESOURCE:+, $SHOWN_RESOURCE}${SHOWN_ERROR:+; its error: $SHOWN_ERROR}; expected: Connected, $(wanted_text)"
}

status_word() { if [[ -n $SHOWN_STATUS ]]; then printf '%s' "${SHOWN_STATUS^}"; else printf 'no status'; fi; }

# confirm_doubts: what makes a success a warning.
confirm_doubts() {
    local text out=''
    text=$(clone_text) && { warning "$text"; out=$text; }
    text=$(gateway_doubt)
    [[ -z $text ]] || { warning "$text"; out+="${out:+; }$text"; }
    CONFIRM_DOUBTS=$out
}

CONFIRM_DOUBTS=''

confirm_identity() {
    local text="Connected as $SHOWN_RESOURCE"
    [[ -z $GATEWAY || $GATEWAY_PROOF != proven ]] || text+=', through the gateway'
    if [[ $IDENTITY_PROVE == yes ]]; then
        prove_identity || fail 206 "connected, but the managed identity returns no token: $IDENTITY_PROBLEM"
        text+='; its identity returns tokens'
    fi
    confirm_doubts
    probe_gateway
    [[ -z $GATEWAY_LACKS ]] || CONFIRM_DOUBTS+="${CONFIRM_DOUBTS:+; }not reachable through it: $GATEWAY_LACKS"
    if [[ -n $CONFIRM_DOUBTS ]]; then
        warn_step 0 "$text; WARNING: $CONFIRM_DOUBTS"
    elif ((GATEWAY_TRIED > 0)); then
        done_step "$text; $GATEWAY_TRIED endpoints answer through it"
    else
        done_step "$text"
    fi
}

step_receipt() {
    begin_step receipt
    if [[ $MODE == dry-run ]]; then
        would_step "write the log and the receipt to $RECORDS"
        return
    fi
    leave_envelope
    [[ $MODE != install || $SERIAL -eq 0 ]] || remember_serial || fail 202 "$SERIALS cannot be written"
    end_receipt "$(outcome_word)" 0 '' || fail 202 "the receipt cannot be written to $RECORDS"
    done_step "$RECEIPT"
}
