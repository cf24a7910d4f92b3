# The private folders of a run, its log, and what a killed run left.

WORK=''                # private folder for the package
SAFE=''                # private folder for the parameters with the secret

LEFT_WORDS=''          # what the last command of a killed run had said

# A run that was killed leaves its folders behind; their names hold its process id.
remove_leftovers() {
    local folder process
    for folder in /run/arc-bundler-* /var/tmp/arc-bundler-*; do
        process=${folder##*/arc-bundler-}
        process=${process%%-*}
        [[ -d $folder && ! -L $folder && -O $folder && $process =~ ^[0-9]+$ ]] || continue
        ! kill -0 "$process" 2>/dev/null || continue
        [[ ! -s $folder/said ]] || LEFT_WORDS+=$(hide_lines <"$folder/said")
        destroy "$folder"/*.json "$folder"/certificate.p*
        rm -rf -- "$folder"
    done
}

prepare_folders() {
    remove_leftovers
    WORK=$(mktemp -d "/var/tmp/arc-bundler-$$-XXXXXX") || fail 202 "no folder can be made in /var/tmp"
    # /run is memory: what is written there never reaches a disk.
    SAFE=$(mktemp -d "/run/arc-bundler-$$-XXXXXX" 2>/dev/null) || SAFE=$WORK
    SAID=$SAFE/said
    prepare_records
    [[ -z $LEFT_WORDS ]] || log "a run that was killed left the words of its last command:"$'\n'"$LEFT_WORDS"
    log "$TOOL, bundle $BUNDLE_NAME $BUNDLE_VERSION $LAB, SHA256SUMS $(bundle_digest), on $HOST: $(machine_text)"
}

# Where other groups may write to /var/log, as on Ubuntu, somebody may have been there first: root would write, by links in
# it, wherever they lead. A folder that was named to us is its owner's business.
records_are_ours() {
    [[ $RECORDS_GIVEN == yes || -O $RECORDS && -n $(find "$RECORDS" -prune -user "$EUID") ]]
}

prepare_records() {
    mkdir -p -- "$RECORDS" || fail 202 "no log can be written to $RECORDS"
    records_are_ours || fail 202 "$RECORDS was made by somebody else than root; look what is in it, then remove it"
    # What a killed run had not finished writing.
    rm -f -- "$RECORDS"/receipt-*.json.part
    LOG_FILE=$RECORDS/install-$(date -u +%Y%m%dT%H%M%SZ)-$$.log
    RECEIPT=$RECORDS/receipt-$HOST-$(date -u +%Y%m%dT%H%M%SZ).json
    [[ ! -e $RECEIPT ]] || nap 1
    RECEIPT=$RECORDS/receipt-$HOST-$(date -u +%Y%m%dT%H%M%SZ).json
    bundle_digest >/dev/null
    keep_receipt
}
