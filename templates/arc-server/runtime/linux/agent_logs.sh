# Whether the agent has just written the secret to one of its own logs: these outlive this run.

AGENT_LOG_FOLDERS=(/var/opt/azcmagent/log /var/lib/GuestConfig/arc_policy_logs /var/lib/GuestConfig/ext_mgr_logs)
declare -A LOG_SIZES=()   # by inode and path: bytes before the agent got the secret
TOLD_LOGS=()           # those that hold it

# each_agent_log FUNCTION: FUNCTION PATH INODE BYTES for each.
each_agent_log() {
    local folder file facts
    for folder in "${AGENT_LOG_FOLDERS[@]}"; do
        for file in "$folder"/*; do
            [[ -f $file && ! -L $file ]] && facts=$(stat -c '%i %s' -- "$file" 2>/dev/null) || continue
            "$1" "$file" "${facts% *}" "${facts#* }"
        done
    done
}

note_agent_log() { LOG_SIZES["$2 $1"]=$3; }

# note_agent_logs: their sizes now, once a run.
note_agent_logs() {
    [[ ${#LOG_SIZES[@]} -gt 0 ]] || each_agent_log note_agent_log
}

# search_agent_log PATH INODE BYTES: what came since; a file that is new, or shorter than it was, from its beginning.
search_agent_log() {
    local from=${LOG_SIZES["$2 $1"]:-0}
    (($3 >= from)) || from=0
    (($3 == from)) || ! tail -c "+$((from + 1))" -- "$1" | held_is_in || TOLD_LOGS+=("$1")
}

# search_agent_logs: after a program had the secret; each log that holds it is a warning.
search_agent_logs() {
    local file
    TOLD_LOGS=()
    [[ ${#SECRET_PATTERNS[@]} -gt 0 ]] || return 0
    each_agent_log search_agent_log
    for file in ${TOLD_LOGS[@]+"${TOLD_LOGS[@]}"}; do
        warning "the agent's log $file holds the secret: change the secret, and clean that file"
    done
}

# done_or_told TEXT: how the step ends that gave the secret to the agent.
done_or_told() {
    if [[ ${#TOLD_LOGS[@]} -gt 0 ]]; then
        warn_step 0 "$1; $(told_logs_text)"
    else
        done_step "$1"
    fi
}

told_logs_text() {
    printf "the agent's log %s holds the secret: change it" "${TOLD_LOGS[0]}"
    [[ ${#TOLD_LOGS[@]} -eq 1 ]] || printf ' (and %d more)' $((${#TOLD_LOGS[@]} - 1))
}
