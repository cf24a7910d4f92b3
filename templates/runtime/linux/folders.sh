# The private folders of a run, its log, and what a killed run left.

WORK=''                # private folder for the package
SAFE=''                # private folder for the parameters with the secret

LEFT_OUTPUT=''         # the output of a killed run's last command
LEFT_ANSWER=''         # the same of a program that had got the secret: as it came

# A run that was killed leaves its folders behind; their names hold its process id.
remove_leftovers() {
    local folder process
    for folder in /run/arc-bundler-* /var/tmp/arc-bundler-*; do
        process=${folder##*/arc-bundler-}
        process=${process%%-*}
        [[ -d $folder && ! -L $folder && -O $folder && $process =~ ^[0-9]+$ ]] || continue
        ! kill -0 "$process" 2>/dev/null || continue
        if [[ -s $folder/said && -e $folder/told ]]; then
            LEFT_ANSWER+=$(tr -d '\000' <"$folder/said")
        elif [[ -s $folder/said ]]; then
            LEFT_OUTPUT+=$(hide_lines <"$folder/said")
        fi
        destroy "$folder"/said "$folder"/*.json "$folder"/certificate.p*
        rm -rf -- "$folder"
    done
}

prepare_folders() {
    remove_leftovers
    WORK=$(mktemp -d "/var/tmp/arc-bundler-$$-XXXXXX") || fail 202 "no folder can be created in /var/tmp"
    has_room "$WORK" || fail 202 "$NO_SPACE"
    # /run is memory: what is written there never reaches a disk.
    SAFE=$(mktemp -d "/run/arc-bundler-$$-XXXXXX" 2>/dev/null) || SAFE=$WORK
    SAID=$SAFE/said LAST=$SAFE/last
    prepare_records
    [[ -z $LEFT_OUTPUT ]] || log "output of the last command of a run that was killed:"$'\n'"$LEFT_OUTPUT"
    log "$TOOL, ${LAB:+$LAB }bundle $BUNDLE_NAME $BUNDLE_VERSION, SHA256SUMS $(bundle_digest), on $HOST: $(machine_text)"
}

# log_left_answer: once this run holds the secret itself, so that it can be left out.
log_left_answer() {
    local said
    [[ -n $LEFT_ANSWER ]] || return 0
    said='(left out: without the secret, this run cannot search it)'
    [[ ${#SECRET_PATTERNS[@]} -eq 0 ]] || said=$(printf '%s\n' "$LEFT_ANSWER" | hide_lines)
    LEFT_ANSWER=''
    log "output of the last command of a run that was killed, which had the secret:"$'\n'"$said"
}

# Where other groups may write to /var/log, as on Ubuntu, another user may have created the folder: root would follow links
# in it. A folder that --record-dir names is the administrator's choice.
records_are_safe() {
    [[ $RECORDS_GIVEN == yes || -O $RECORDS && -n $(find "$RECORDS" -prune -user "$EUID") ]]
}

RECORDS_MARK=''        # which folder that is

# record_name KIND: KIND-HOST-DIGITS-TIME: in a folder that many machines write to, no two of them write one file.
record_name() { printf '%s-%s-%s-%s' "$1" "$FILE_HOST" "$MACHINE_DIGITS" "$(date -u +%Y%m%dT%H%M%SZ)"; }

# open_log: the log has its name at once, and this run keeps the descriptor.
open_log() {
    local here=$PWD name
    name=$(record_name install)-$$.log
    cd -P -- "$RECORDS" && [[ $(folder_mark) == "$RECORDS_MARK" ]] && new_file "$name" && exec 9>&8 8>&- ||
        fail 202 "no log can be written to $RECORDS"
    move_over "$name" || { drop_new; fail 202 "$RECORDS/$name cannot be written"; }
    cd -- "$here" 2>/dev/null || cd /
    LOG_FILE=$RECORDS/$name
}

# Unfinished files of runs on this machine that were killed; another machine may be writing its own.
remove_unfinished() {
    local file process own=$FILE_HOST-$MACHINE_DIGITS-
    # The folder that is not given is this machine's alone: what releases before 0.4.0 left there is its, too.
    [[ $RECORDS_GIVEN == yes ]] || own=''
    for file in "$RECORDS"/.receipt-"$own"* "$RECORDS"/.install-"$own"*; do
        process=${file##*.}
        process=${process%%-*}
        [[ -f $file && ! -L $file && -O $file && $process =~ ^[0-9]+$ ]] || continue
        kill -0 "$process" 2>/dev/null || rm -f -- "$file"
    done
}

prepare_records() {
    local foreign="$RECORDS was not created by root; look at its content, then remove it"
    if ! take_folder "$RECORDS"; then
        [[ $RECORDS_GIVEN == yes || -z $FOREIGN ]] || fail 202 "$foreign"
        fail 202 "no log can be written: $(folder_trouble "$RECORDS")"
    fi
    RECORDS=$FOLDER RECORDS_MARK=$FOLDER_MARK
    records_are_safe || fail 202 "$foreign"
    remove_unfinished
    open_log
    RECEIPT=$RECORDS/$(record_name receipt).json
    # Another run of this machine in the same second keeps its own.
    [[ ! -e $RECEIPT && ! -L $RECEIPT ]] || nap 1
    RECEIPT=$RECORDS/$(record_name receipt).json
    bundle_digest >/dev/null
    keep_receipt
}
