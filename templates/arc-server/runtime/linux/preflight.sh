# 2. preflight: all that is wrong, at once, before anything is changed.

# The agent runs programs from all of these; extensions are unpacked below /var/lib/waagent.
PROGRAM_FOLDERS=(/opt /var /var/opt /var/lib/waagent)

check_machine() {
    [[ $EUID -eq 0 ]] || problem 202 "root is needed: run it with sudo" not-elevated
    [[ $MACHINE_KNOWN == yes ]] || note "this machine has neither a machine id nor an SMBIOS UUID that can be read: its receipts have its name's digits"
    if [[ -z $TARGET ]]; then
        problem 204 "this is $(machine_text); the bundle is for $TARGETS"
    elif [[ -n $SUPPORTED && " $SUPPORTED " != *" $MACHINE_VERSION "* ]]; then
        warning "Microsoft supports agent $PACKAGE_VERSION on $MACHINE_ID ${SUPPORTED// /, }, not on $MACHINE_VERSION"
    fi
    check_derived
    check_host_kind
    check_host_name
    check_sql
    if ! command -v systemctl >/dev/null || [[ ! -d /run/systemd/system ]]; then
        problem 202 "systemd is not running; the agent's services need it" no-systemd
    fi
}

check_package_manager() {
    local tool=rpm
    [[ $PACKAGE_KIND != deb ]] || tool=dpkg
    [[ -z $PACKAGE_KIND ]] || command -v "$tool" >/dev/null || problem 202 "$tool is missing on this machine" no-package-manager
}

# Done before the network test, which depends on it.
prepare_machine() {
    [[ $PROBLEM_CODE -eq 0 || $MODE != install ]] || return 0
    if [[ $INSTALL_CERTIFICATES == yes ]]; then
        install_certificates
        check_roots
    fi
    [[ $WRITE_HOSTS != yes ]] || write_hosts
}

# What the agent says of the connection.
check_state() {
    local text
    case $STATE in
        elsewhere)
            [[ $RECONNECT == yes ]] ||
                problem 67 "this machine is connected as $SHOWN_RESOURCE; the bundle is for $(wanted_text); --reconnect moves it"
            ;;
        unknown)
            # Without root the agent may not answer; that root is needed is said above.
            [[ ($RECONNECT == yes && $FORCE_LOCAL_ONLY == yes) || $EUID -ne 0 ]] ||
                problem "$STATE_CODE" "$(unknown_text)" agent-state-unknown
            ;;
        expired) warning "$(expired_text)" ;;
        wanted) warn_of_contact ;;
    esac
    ! text=$(clone_text) || warning "$text"
    [[ $STATE != elsewhere || $RECONNECT == no ]] || { choose_disconnect; note_local_only; }
}

note_local_only() {
    [[ -z $LOCAL_ONLY || $FORCE_LOCAL_ONLY == yes ]] || note "it will be disconnected$(stays_text)"
}

# warn_of_contact: the agent knows its resource, and reports that something is wrong.
warn_of_contact() {
    [[ $SHOWN_STATUS != connected ]] || return 0
    error_advice
    warning "the agent reports ${SHOWN_STATUS^}${SHOWN_ERROR:+ ($SHOWN_ERROR)}: $ADVICE"
    REASON='' ADVICE=''
}

# expired_text: azcmagent-reconnect.md; this script connects anew, as before that command came.
expired_text() {
    local version
    field agentversion || :
    version=$FIELD
    printf 'the agent'\''s identity has expired%s: this run connects it as the same resource with a new identity; role assignments of the old one must be made again' \
        "${SHOWN_ERROR:+ ($SHOWN_ERROR)}"
    [[ $(compare_versions "${version:-0}" 1.70) != -1 || $(compare_versions "${PACKAGE_VERSION:-0}" 1.70) != -1 ]] || return 0
    printf '; azcmagent reconnect (preview, from 1.70) keeps identity and roles where the key is in a TPM'
    printf '; with keys in files it needs --reset-identity, which loses the role assignments'
}

step_preflight() {
    local text
    begin_step preflight
    read_state
    check_machine
    check_package_manager
    check_signer
    need_space /opt "$INSTALLED_KIB"
    need_space /var/tmp "$PACKED_KIB"
    need_space /var/opt 1024
    need_space /var/lib 1024
    check_space
    check_noexec
    # No wait for a lock on a machine that is not ready.
    [[ $PROBLEM_CODE -ne 0 && $MODE == install ]] || check_lock
    check_restart
    check_roots
    check_certificate
    check_secret_source
    check_state
    prepare_machine
    check_network
    report_roots
    if [[ $PROBLEM_CODE -ne 0 ]]; then
        REASON=$PROBLEM_REASON
        [[ $MODE == dry-run || ${#PROBLEMS[@]} -gt 1 ]] || fail "$PROBLEM_CODE" "${PROBLEMS[0]}"
        for text in "${PROBLEMS[@]}"; do say "        ! $text"; done
        [[ $MODE == dry-run ]] || fail "$PROBLEM_CODE" "$PROBLEM_TEXT (the gravest of ${#PROBLEMS[@]} problems, see above)"
        would_step "stop here with exit code $PROBLEM_CODE"
        return
    fi
    [[ $MODE == dry-run ]] || obtain_secret
    warn_of_short
    log_left_answer
    if [[ ${#WARNINGS[@]} -gt 0 ]]; then
        warn_step 0 "$TARGET, $(state_text)$(secret_text); $(printf '%s; ' "${WARNINGS[@]}" | sed 's/; $//')"
    else
        done_step "$TARGET, $(state_text)$(secret_text)"
    fi
}
