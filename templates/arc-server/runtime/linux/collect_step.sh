# --collect-logs: the agent's logs and what it says of itself.

# What the agent says of itself, where there is one.
collect_words() {
    local name=$1
    shift
    "$AGENT" "$@" </dev/null 2>&1 | redact >"$COLLECTED/agent/$name" || :
}

step_collect() {
    local archive folder mark
    begin_step collect
    [[ $EUID -eq 0 ]] || fail 202 'root is needed to read the logs'
    hold_given || fail 203 "$SECRET_PROBLEM"
    warn_of_short
    COLLECTED=$WORK/arc-logs
    take_folder "$COLLECT_DIR" || fail 202 "$(folder_trouble "$COLLECT_DIR")"
    COLLECT_DIR=$FOLDER mark=$FOLDER_MARK
    mkdir -p -- "$COLLECTED/agent" || fail 202 "$COLLECTED cannot be created"
    collect_folder /var/opt/azcmagent/log "$COLLECTED/azcmagent"
    collect_folder /var/lib/GuestConfig/arc_policy_logs "$COLLECTED/arc_policy_logs"
    collect_folder /var/lib/GuestConfig/ext_mgr_logs "$COLLECTED/ext_mgr_logs"
    for folder in /var/lib/GuestConfig/extension_logs /var/lib/GuestConfig/extension_logs/*/; do
        folder=${folder%/}
        collect_folder "$folder" "$COLLECTED/extension_logs/${folder#/var/lib/GuestConfig/extension_logs}"
    done
    collect_folder "$RECORDS" "$COLLECTED/arc-bundler"
    collect "$BUNDLE/config/endpoints.json" "$COLLECTED/bundle"
    collect /etc/os-release "$COLLECTED/host"
    if [[ -x $AGENT ]]; then
        collect_words show.json show -j
        collect_words config.json config list -j
        collect_words version.txt version
    fi
    collect_network
    archive=$(record_name arc-logs).tar.gz
    # First in the private folder: a part of an archive never gets its name.
    tar -C "$WORK" -czf "$WORK/$archive" arc-logs && put_file "$COLLECT_DIR" "$mark" "$archive" <"$WORK/$archive" ||
        fail 202 "$COLLECT_DIR/$archive cannot be written"
    done_step "$COLLECT_DIR/$archive"
}
