# The record of what was changed on this machine, so that --uninstall undoes that and nothing else.
# One "kind=value" a line: hosts (a bundle's name), certificate and file (paths), member (a user), setting (a key and
# what it was set to).

CHANGES=/var/lib/arc-bundler/changes

# remember KIND VALUE
remember() {
    ! remembered "$1" "$2" || return 0
    mkdir -p -- "${CHANGES%/*}" && printf '%s=%s\n' "$1" "$2" >>"$CHANGES" || fail 202 "$CHANGES cannot be written"
}

remembered() { [[ -r $CHANGES ]] && grep -qxF -e "$1=$2" "$CHANGES"; }

# forget KIND VALUE
forget() {
    local line
    remembered "$1" "$2" || return 0
    while IFS= read -r line; do
        [[ $line == "$1=$2" ]] || printf '%s\n' "$line"
    done <"$CHANGES" >"$CHANGES.new" && mv -f -- "$CHANGES.new" "$CHANGES"
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
