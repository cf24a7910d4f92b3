# The record of what was changed on this machine, so that --uninstall undoes that and nothing else.
# One "kind=value" a line: hosts (a bundle's name), certificate and file (paths), member (a user), setting (a key and
# what it was set to).

CHANGES=/var/lib/arc-bundler/changes

# remember KIND VALUE
remember() {
    ! remembered "$1" "$2" || return 0
    { [[ ! -e $CHANGES ]] || cat -- "$CHANGES"; printf '%s=%s\n' "$1" "$2"; } | put_state "$CHANGES" || fail 202 "$CHANGES cannot be written"
}

# put_state FILE: standard input, whole or not at all.
put_state() { mkdir -p -- "${1%/*}" && put_file "${1%/*}" '' "${1##*/}"; }

remembered() { [[ -r $CHANGES ]] && grep -qxF -e "$1=$2" "$CHANGES"; }

# forget KIND VALUE
forget() {
    local line text=''
    remembered "$1" "$2" || return 0
    while IFS= read -r line; do
        [[ $line == "$1=$2" ]] || text+=$line$'\n'
    done <"$CHANGES"
    printf '%s' "$text" | put_state "$CHANGES"
    [[ -s $CHANGES ]] || { rm -f -- "$CHANGES" && rmdir -- "${CHANGES%/*}" 2>/dev/null; }
    return 0
}

# each_change KIND COMMAND...: COMMAND with each value of that kind
each_change() {
    local kind=$1 line lines=()
    shift
    [[ -r $CHANGES ]] || return 0
    while IFS= read -r line; do
        [[ $line != "$kind="* ]] || lines+=("${line#*=}")
    done <"$CHANGES"
    for line in ${lines[@]+"${lines[@]}"}; do "$@" "$line"; done
}
