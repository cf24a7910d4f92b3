# 4. configure: the agent's settings.

SETTINGS_SET=() SETTINGS_KEPT=0

setting() {
    local code=0
    case $1 in proxy.*) KEPT_PROXY+=" $1 " ;; esac
    if setting_is "$1" "$2"; then
        SETTINGS_KEPT=$((SETTINGS_KEPT + 1))
        return
    fi
    SETTINGS_SET+=("$1=$2")
    [[ $MODE != dry-run ]] || return 0
    # Recorded first: if the run is killed in between, --uninstall still clears it.
    case $1 in proxy.*) remember setting "$1 $2" ;; esac
    run "$AGENT" config set "$1" "$2" || code=$?
    if [[ $code -ne 0 ]]; then
        show_log_end
        fail "$code" "azcmagent config set $1 ended with $code"
    fi
}

# Read again at the end: a later setting may have changed an earlier one.
confirm_setting() {
    setting_now "$1" || { SETTINGS_UNREAD+=" $1"; return; }
    setting_fits "$1" "$2" || fail 69 "$1 was set to $2, but the agent reports $SETTING_NOW"
}

SETTINGS_UNREAD=''     # settings that the agent does not report
KEPT_PROXY=''          # the proxy keys that this bundle has

# clear_setting "KEY VALUE": clears a proxy that an earlier bundle set, that still has that value, and that this bundle
# does not have.
clear_setting() {
    local key=${1%% *} value=${1#* }
    [[ $KEPT_PROXY != *" $key "* ]] || return 0
    if setting_is "$key" "$value"; then
        SETTINGS_SET+=("$key cleared")
        [[ $MODE == dry-run ]] || run "$AGENT" config clear "$key" || fail 69 "azcmagent config clear $key failed"
    fi
    [[ $MODE == dry-run ]] || forget setting "$1"
}

step_configure() {
    local text
    begin_step configure
    bundle_settings setting
    each_change setting clear_setting
    [[ $MODE == dry-run ]] || bundle_settings confirm_setting
    configure_identity
    text=${SETTINGS_SET[*]+set ${SETTINGS_SET[*]}}${IDENTITY_DONE[*]+${SETTINGS_SET[*]+; }identity: ${IDENTITY_DONE[*]}}
    [[ -z $SETTINGS_UNREAD ]] || LACKS+=("azcmagent does not report its value of$SETTINGS_UNREAD")
    if [[ ${#LACKS[@]} -gt 0 ]]; then
        warn_step 0 "${text:+$text; }${LACKS[*]}"
    elif [[ -z $text ]]; then
        skip_step "already configured (settings: $SETTINGS_KEPT)"
    elif [[ $MODE == dry-run ]]; then
        would_step "$text"
    else
        done_step "$text"
    fi
}
