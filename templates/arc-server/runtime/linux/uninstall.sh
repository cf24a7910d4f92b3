# --uninstall.

TROUBLES=0

trouble() {
    TROUBLES=$((TROUBLES + 1))
    note "! $1"
}

# Before anything is changed: whether this is the bundle's resource, and whether the secret is available.
step_look() {
    begin_step preflight
    check_place
    [[ $EUID -eq 0 ]] || fail 202 'root is needed: run it with sudo'
    read_state
    [[ -n $PACKAGE_KIND ]] || guess_package_kind
    if [[ $STATE == unknown && $FORCE_LOCAL_ONLY == no ]]; then
        REASON=agent-state-unknown
        fail "$STATE_CODE" "$(unknown_text)"
    fi
    [[ $STATE != elsewhere || $FORCE_LOCAL_ONLY == yes ]] ||
        fail 67 "this machine is connected as $SHOWN_RESOURCE; the bundle is for $(wanted_text); --force-local-only removes it only here"
    check_lock
    [[ $PROBLEM_CODE -eq 0 ]] || fail "$PROBLEM_CODE" "${PROBLEMS[0]}"
    choose_disconnect
    if [[ $STATE == wanted && -z $LOCAL_ONLY ]] && secret_wanted; then
        secret_is_there || fail 203 "$SECRET_PROBLEM"
        read_secret "$SECRET_NAME" && check_secret_form && check_token || fail 203 "$SECRET_PROBLEM"
    fi
    done_step "$(state_text)"
}

step_disconnect() {
    local code=0
    begin_step disconnect
    if [[ $STATE == absent || $STATE == disconnected ]]; then
        skip_step 'not connected'
        return
    fi
    if [[ $STATE == unknown ]]; then
        disconnect_unknown
        return
    fi
    disconnect_agent || code=$?
    SECRET='' CERTIFICATE=''
    search_agent_logs
    if [[ $code -ne 0 ]]; then
        read_last_reason || :
        show_log_end
        fail "$code" "azcmagent disconnect ended with $code$(last_reason_text); --force-local-only removes it only on this machine"
    fi
    done_or_told "disconnected$(stays_text)$([[ -n $LOCAL_ONLY ]] || printf ' from %s' "$SHOWN_RESOURCE")"
}

# disconnect_unknown: --force-local-only removes an agent that does not answer; its service may not disconnect either.
disconnect_unknown() {
    local code=0 text="its state is not known ($STATE_PROBLEM)"
    [[ -z $SHOWN_RESOURCE ]] || text+="; its resource may be $SHOWN_RESOURCE, which stays in Azure"
    [[ ! -x $AGENT ]] || disconnect_agent || code=$?
    [[ $code -eq 0 ]] || text+="; azcmagent disconnect --force-local-only ended with $code"
    warning "$text"
    warn_step 0 "$text"
}

# Settings stay in the agent's state folder and would apply to the next installation.
unset_setting() {
    ! setting_is "${1%% *}" "${1#* }" || run "$AGENT" config clear "${1%% *}" || trouble "azcmagent config clear ${1%% *} failed"
    forget setting "$1"
}

step_remove() {
    local present code=0
    begin_step remove
    each_change setting unset_setting
    # A half installed package counts, too.
    present=$(package_state) || present=''
    if [[ -z $present || $present == not-installed* || $present == config-files* ]]; then
        skip_step 'azcmagent is not installed'
        return
    fi
    "remove_$PACKAGE_KIND" || code=$?
    if [[ $code -ne 0 ]]; then
        show_log_end
        fail 215 "$(package_tool) ended with $code"
    fi
    ! installed_version >/dev/null || fail 215 "$(package_tool) reported success, but azcmagent is still installed"
    done_step "azcmagent ${present##* } is removed"
}

step_undo() {
    begin_step undo
    TROUBLES=0
    if [[ ! -e $CHANGES ]]; then
        skip_step 'no other changes were recorded'
        return
    fi
    each_change hosts remove_hosts
    remove_certificates
    each_change member remove_member
    each_change file remove_file
    [[ $TROUBLES -eq 0 ]] || fail 215 "$TROUBLES changes could not be undone, see above"
    done_step 'all changes of this script are undone'
}
