# 3. install.

VERB=install           # install, upgrade, downgrade or reinstall

# choose_verb PRESENT: returns 1 where what is there stays.
choose_verb() {
    VERB=install
    [[ -n $1 ]] || return 0
    case $(compare_versions "$1" "$PACKAGE_VERSION") in
        -1) VERB=upgrade ;;
        0)
            VERB=reinstall
            # The package manager lists the package, but its program is missing.
            [[ ! -x $AGENT ]] || { skip_step "azcmagent $1 is installed"; return 1; }
            ;;
        1)
            VERB=downgrade
            [[ $ALLOW_DOWNGRADE == no ]] || return 0
            skip_step "azcmagent $1 is installed, newer than the bundle's $PACKAGE_VERSION; it stays (--allow-downgrade replaces it)"
            return 1
            ;;
    esac
}

# read_new_state: a new agent may report another state; its service may need a moment. Where the machine was not connected
# before, an agent that does not answer yet changes nothing.
read_new_state() {
    local before=$STATE tries
    for ((tries = 0; tries < 10; tries++)); do
        read_state
        [[ $STATE == unknown ]] || return 0
        nap 3
    done
    [[ $before != absent && $before != disconnected ]] || { [[ -n $SHOWN_RESOURCE ]] || STATE=disconnected; }
}

step_install() {
    local present='' code=0
    begin_step install
    repair_package
    present=$(installed_version) || present=''
    AGENT_VERSION=$present
    choose_verb "$present" || return 0
    if [[ $MODE == dry-run ]]; then
        would_step "$VERB ${present:+from $present to }azcmagent $PACKAGE_VERSION from $PACKAGE, with $(package_tool)"
        return
    fi
    import_keys
    copy_package || fail "$COPY_CODE" "$COPY_PROBLEM"
    # From 1.61 on the agent keeps this file read-only, which an older one does not expect (its release notes).
    [[ $VERB != downgrade || ! -f /var/opt/azcmagent/agentconfig.json ]] || chmod u+w /var/opt/azcmagent/agentconfig.json
    "install_$PACKAGE_KIND" "$PACKAGE_COPY" || code=$?
    if [[ $code -ne 0 ]]; then
        show_log_end
        fail 143 "$(package_tool) ended with $code"
    fi
    present=$(installed_version) || fail 143 "$(package_tool) reported success, but azcmagent is not installed"
    [[ -x $AGENT ]] || fail 143 "azcmagent $present is installed, but $AGENT is missing"
    AGENT_VERSION=$present
    rm -f -- "$PACKAGE_COPY"
    PACKAGE_COPY=''
    read_new_state
    done_step "azcmagent $present"
}
