# Logs for carrying back: copies without secrets.

# redact: secrets, tokens and proxies' passwords out of what passes.
redact() {
    hide_lines | sed -E -e 's/("?[A-Za-z_-]*([Ss]ecret|SECRET|[Pp]assword|PASSWORD|[Pp]asswd|[Pp]wd|[Tt]oken|[Ss]ignature|([Pp]rivate|[Aa]ccess|[Aa]ccount)[Kk]ey)"?[[:space:]]*[:=][[:space:]]*)("([^"\\]|\\.)*"|[^[:space:],;}&]+)/\1"***"/g' \
        -e 's/([?&](sig|se|code|token)=)[^&[:space:]"]+/\1***/g'
}

# collect FILE FOLDER: a copy of a text, redacted
collect() {
    [[ -f $1 && -r $1 && ! -L $1 ]] || return 0
    mkdir -p -- "$2" && redact <"$1" >"$2/${1##*/}"
}

collect_folder() {
    local file
    for file in "$1"/*; do
        case $file in *.log | *.log.* | *.json | *.txt | *.err) collect "$file" "$2" ;; esac
    done
}

# collect_network: the endpoints as they are now: a receipt may be old, or of a run that did not test them.
collect_network() {
    local at
    [[ $NETWORK_CHECK == yes ]] || return 0
    find_trust_bundle
    bundle_checks add_check
    [[ ${#CHECK_HOST[@]} -gt 0 ]] && run_probes || return 0
    for at in "${!CHECK_HOST[@]}"; do read_probe "$at"; done
    show_table
    printf '[\n%s\n]\n' "$(network_json)" | leave_held_out >"$COLLECTED/preflight.json"
}
