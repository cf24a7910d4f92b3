# The Arc gateway, which is there after connecting.

# Number of endpoints tested through the gateway, and those that failed: filled by probe_gateway.
GATEWAY_TRIED=0 GATEWAY_LACKS=''

# probe_gateway: what goes through the gateway could not be tried before; now the agent's own proxy is there
# (arc-gateway.md: its HTTPS proxy is http://localhost:40343). Reported, never a failure: the agent is connected.
probe_gateway() {
    local at rows=()
    for at in ${FOUND_VERDICT[@]+"${!FOUND_VERDICT[@]}"}; do
        [[ ${CHECK_WAY[$at]} != gateway ]] || rows+=("$at")
    done
    [[ -n $GATEWAY && ${#rows[@]} -gt 0 ]] || return 0
    [[ -z $PROBES ]] || rm -rf -- "$PROBES"
    make_probe_folder || return 0
    PROXY_HOST=127.0.0.1 PROXY_PORT=40343
    for at in "${rows[@]}"; do
        CHECK_WAY[at]=proxy
        start_probe "$at" probe "$at"
    done
    wait_probes 0
    for at in "${rows[@]}"; do
        read_probe "$at"
        CHECK_WAY[at]=gateway
        GATEWAY_TRIED=$((GATEWAY_TRIED + 1))
        [[ ${FOUND_VERDICT[$at]} != *failed ]] ||
            GATEWAY_LACKS+="${GATEWAY_LACKS:+; }${CHECK_HOST[$at]} (${FOUND_MESSAGE[$at]})"
    done
}
