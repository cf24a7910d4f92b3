# The receipt: written at every step, so that a run that is killed has one too.

STARTED=$(date -u +%Y-%m-%dT%H:%M:%SZ)
RECEIPT=''             # its path, once there is one
RECEIPT_DONE=no
BUNDLE_DIGEST=''
SWITCHES=()            # the switches of this run that weaken or override something
REASON=''              # a word that tells apart what one exit code can mean; set before "fail"
RESTART_DUE=''         # yes or no, whether this machine waits for a restart; empty: unknown

bundle_digest() {
    [[ -n $BUNDLE_DIGEST || ! -f $BUNDLE/SHA256SUMS ]] || BUNDLE_DIGEST=$(file_sha256 "$BUNDLE/SHA256SUMS")
    printf '%s' "$BUNDLE_DIGEST"
}

# texts_json TEXT...
texts_json() {
    local one out=''
    for one in "$@"; do out+="${out:+, }$(json_string "$one")"; done
    printf '[%s]' "$out"
}

restart_json() {
    case $RESTART_DUE in yes) printf true ;; no) printf false ;; *) printf null ;; esac
}

# reason_json OUTCOME: a reason belongs to a run that failed.
reason_json() {
    if [[ $1 == failed && -n $REASON ]]; then json_string "$REASON"; else printf null; fi
}

# What is known of the signatures so far; fingerprints are digits.
seal_json() {
    local one approvals=''
    for one in ${APPROVED[@]+"${APPROVED[@]}"}; do approvals+="${approvals:+, }\"$one\""; done
    printf '{"signer": "%s", "verified": %s, "approvals": [%s], "checked_with": "%s"}' \
        "$SEALER" "$SEAL_VERIFIED" "$approvals" "$SEAL_TOOL"
}

# receipt_text OUTCOME CODE MESSAGE
receipt_text() {
    printf '{\n  "schema": "arc-bundler/receipt/2",\n'
    printf '  "bundle": {"name": %s, "version": %s, "digest": %s, "lab": %s, "tool": %s, "serial": %d, "seal": %s},\n' \
        "$(json_string "$BUNDLE_NAME")" "$(json_string "$BUNDLE_VERSION")" "$(json_string "$(bundle_digest)")" \
        "$([[ -z $LAB ]] && echo false || echo true)" "$(json_string "$TOOL")" "$SERIAL" "$(seal_json)"
    printf '  "host": {"name": %s, "os": %s, "version": %s, "architecture": %s},\n' "$(json_string "$HOST")" \
        "$(json_string "$MACHINE_ID")" "$(json_string "$MACHINE_VERSION")" "$(json_string "$MACHINE_ARCHITECTURE")"
    printf '  "machine": "%s",\n' "$MACHINE_DIGITS"
    printf '  "began": %s,\n  "ended": %s,\n  "mode": %s,\n' \
        "$(json_string "$STARTED")" "$(json_string "$(date -u +%Y-%m-%dT%H:%M:%SZ)")" "$(json_string "$MODE")"
    printf '  "steps": [\n%s\n  ],\n  "preflight": [\n%s\n  ],\n' "$RECORD" "$(network_json)"
    product_facts
    printf '  "outcome": %s,\n  "code": %d,\n  "reason": %s,\n  "message": %s,\n' \
        "$(json_string "$1")" "$2" "$(reason_json "$1")" "$(json_string "$3")"
    printf '  "restart_due": %s,\n  "warnings": %s,\n  "switches": %s\n}\n' "$(restart_json)" \
        "$(texts_json ${WARNINGS[@]+"${WARNINGS[@]}"})" "$(texts_json ${SWITCHES[@]+"${SWITCHES[@]}"})"
}

# write_receipt OUTCOME CODE MESSAGE
write_receipt() {
    local text
    text=$(receipt_text "$@") && printf '%s\n' "$text" | leave_held_out | put_file "$RECORDS" "$RECORDS_MARK" "${RECEIPT##*/}"
}

# The receipt as it must be if the run is killed now.
keep_receipt() {
    [[ -n $RECEIPT && $RECEIPT_DONE == no ]] || return 0
    write_receipt interrupted 207 'interrupted' 2>/dev/null
}

# end_receipt OUTCOME CODE MESSAGE: once more where the first try fails: a share may be away for a moment.
end_receipt() {
    refresh_product_facts
    ! restart_file >/dev/null || RESTART_DUE=yes
    write_receipt "$@" || { nap 1; write_receipt "$@"; } && RECEIPT_DONE=yes
}
