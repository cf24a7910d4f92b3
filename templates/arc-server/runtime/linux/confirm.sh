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
        if [[ $STATE == wanted && $SHOWN_STATUS == Connected ]] && gateway_is_used; then
            confirm_identity
            return
        fi
        [[ $STATE != elsewhere ]] || break
        nap 3
    done
    [[ $STATE != wanted || $SHOWN_STATUS != Connected ]] ||
        fail 206 "connected, but not through the gateway: the agent's HTTPS proxy is $(json_value "$SHOWN" httpsProxy), its upstream proxy $(json_value "$SHOWN" upstreamProxy)"
    fail 206 "the agent reports ${SHOWN_STATUS:-no status}${SHOWN_RESOURCE:+, $SHOWN_RESOURCE}; expected: Connected, $(wanted_text)"
}

confirm_identity() {
    local text="Connected as $SHOWN_RESOURCE${GATEWAY:+, through the gateway}"
    if [[ $IDENTITY_PROVE == yes ]]; then
        prove_identity || fail 206 "connected, but the managed identity returns no token: $IDENTITY_PROBLEM"
        text+='; its identity returns tokens'
    fi
    probe_gateway
    if [[ -n $GATEWAY_LACKS ]]; then
        warn_step 0 "$text; WARNING: not reachable through it: $GATEWAY_LACKS"
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
