# The private folders of a run, its log, and what a killed run left.

WORK=''                # private folder for the package
SAFE=''                # private folder for the parameters with the secret

LEFT_OUTPUT=''         # the output of a killed run's last command

# A run that was killed leaves its folders behind; their names hold its process id.
remove_leftovers() {
    local folder process
    for folder in /run/arc-bundler-* /var/tmp/arc-bundler-*; do
        process=${folder##*/arc-bundler-}
        process=${process%%-*}
        [[ -d $folder && ! -L $folder && -O $folder && $process =~ ^[0-9]+$ ]] || continue
        ! kill -0 "$process" 2>/dev/null || continue
        [[ ! -s $folder/said ]] || LEFT_OUTPUT+=$(hide_lines <"$folder/said")
        destroy "$folder"/*.json "$folder"/certificate.p*
        rm -rf -- "$folder"
    done
}

prepare_folders() {
    remove_leftovers
    WORK=$(mktemp -d "/var/tmp/arc-bundler-$$-XXXXXX") || fail 202 "no folder can be created in /var/tmp"
    # /run is memory: what is written there never reaches a disk.
    SAFE=$(mktemp -d "/run/arc-bundler-$$-XXXXXX" 2>/dev/null) || SAFE=$WORK
    SAID=$SAFE/said
    prepare_records
    [[ -z $LEFT_OUTPUT ]] || log "output of the last command of a run that was killed:"$'\n'"$LEFT_OUTPUT"
    log "$TOOL, ${LAB:+$LAB }bundle $BUNDLE_NAME $BUNDLE_VERSION, SHA256SUMS $(bundle_digest), on $HOST: $(machine_text)"
}

# Where other groups may write to /var/log, as on Ubuntu, another user may have created the folder: root would follow links
# in it. A folder that --record-dir names is the administrator's choice.
records_are_safe() {
    [[ $RECORDS_GIVEN == yes || -O $RECORDS && -n $(find "$RECORDS" -prune -user "$EUID") ]]
}

prepare_records() {
    mkdir -p -- "$RECORDS" || fail 202 "no log can be written to $RECORDS"
    records_are_safe || fail 202 "$RECORDS was not created by root; look at its content, then remove it"
    # An unfinished file of a run that was killed.
    rm -f -- "$RECORDS"/receipt-*.json.part
    LOG_FILE=$RECORDS/install-$(date -u +%Y%m%dT%H%M%SZ)-$$.log
    RECEIPT=$RECORDS/receipt-$HOST-$(date -u +%Y%m%dT%H%M%SZ).json
    [[ ! -e $RECEIPT ]] || nap 1
    RECEIPT=$RECORDS/receipt-$HOST-$(date -u +%Y%m%dT%H%M%SZ).json
    bundle_digest >/dev/null
    keep_receipt
}
