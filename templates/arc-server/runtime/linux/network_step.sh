# The part of the preflight that looks at the network.

# An agent that is connected to the bundle's resource does not need the endpoints for connecting. Where a variable sends the
# agent to a proxy, that is the way to test.
add_check() {
    local expects=$4 by=$5
    [[ $6 != connect || $STATE != wanted ]] || return 0
    if [[ $by == direct && $VARIABLE_ANSWERS == yes ]] && ! past_variable "$1"; then by=proxy expects=any; fi
    CHECK_HOST+=("$1") CHECK_PORT+=("$2") CHECK_REQUIRED+=("$3") CHECK_EXPECTS+=("$expects") CHECK_WAY+=("$by")
}

# Azure's certificates are issued by these two; another issuer means that a proxy opens TLS.
known_issuer() {
    case $(issuer_text "$1") in 'Microsoft Corporation' | 'DigiCert Inc' | 'DigiCert, Inc.') ;; *) return 1 ;; esac
}

# Whether this run needs the network: an agent that is connected proves it, one that has lost contact does not.
network_wanted() {
    [[ $MODE != dry-run && $NETWORK_CHECK == yes && ($STATE != wanted || $SHOWN_STATUS != connected || $MODE == check) ]]
}

check_network() {
    local at code=208 bad=0 PROXY_URL=$PROXY_URL
    check_agent_proxy
    [[ $VARIABLE_ANSWERS == no ]] || PROXY_URL=$VARIABLE_URL
    network_wanted || { look_for_azure; return 0; }
    bundle_checks add_check
    if ! run_probes; then
        untested 'the network: no folder can be created in /var/tmp or /tmp'
        CHECK_HOST=()
        return
    fi
    check_azure_vm
    [[ ${#CHECK_HOST[@]} -gt 0 ]] || return 0
    for at in "${!CHECK_HOST[@]}"; do
        read_probe "$at"
        [[ ${FOUND_VERDICT[$at]} != failed ]] || bad=$((bad + 1))
        ! seen_privately "$at" || code=209
    done
    show_table
    report_certificates
    each_row UNTESTED 2 without_a_name
    check_clock
    [[ $bad -eq 0 ]] || network_problem "$code" "$bad"
}

# without_a_name HOST WHY: a required address that no source names.
without_a_name() {
    untested "$1, which is required: $2; the agent's own check decides"
}

# Without the network check, an Azure VM is still detected.
look_for_azure() {
    [[ $MODE != dry-run && $NETWORK_CHECK == no && $STATE != wanted ]] || return 0
    run_probes && check_azure_vm
}

# An Arc address that is private where no private link is wanted: the agent would refuse with AZCM0026.
seen_privately() {
    [[ -z $LINK_SCOPE && ${CHECK_EXPECTS[$1]} == public && ${FOUND_KIND[$1]} == private ]] || return 1
    case ${CHECK_HOST[$1]} in *.his.arc.azure.* | *.guestconfiguration.azure.*) ;; *) return 1 ;; esac
}

network_problem() {
    local text="$2 required endpoints failed (table above)"
    [[ $1 != 209 ]] || text='Azure Arc endpoints resolve to private addresses, but this bundle has no private link scope'
    serious "$1" "$text"
}

# azcmagent warns from 120 seconds; sign-in fails from five minutes.
check_clock() {
    local skew
    if ! skew=$(clock_skew); then
        untested 'the clock: no endpoint reported the time'
    elif ((skew > 120 || skew < -120)); then
        warning "this machine's clock is $((skew < 0 ? -skew : skew)) s $( ((skew < 0)) && echo behind || echo ahead)"
    fi
}
