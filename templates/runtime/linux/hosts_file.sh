# Lines in the hosts file, between markers.

HOSTS=/etc/hosts

hosts_line() { printf '%s %s\n' "$2" "$1"; }

# hosts_without NAME: the file without the lines of the bundle NAME; returns 1 where only one of the two markers is there.
hosts_without() {
    local line inside=no
    [[ -e $HOSTS ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        case $line in
            "# BEGIN arc-bundler $1") [[ $inside == no ]] || return 1; inside=yes ;;
            "# END arc-bundler $1") [[ $inside == yes ]] || return 1; inside=no ;;
            *) [[ $inside == yes ]] || printf '%s\n' "$line" ;;
        esac
    done <"$HOSTS"
    [[ $inside == no ]]
}

hosts_wanted() {
    hosts_without "$BUNDLE_NAME" || return 1
    printf '# BEGIN arc-bundler %s\n' "$BUNDLE_NAME"
    each_row HOSTS_RECORDS 2 hosts_line
    printf '# END arc-bundler %s\n' "$BUNDLE_NAME"
}

# put_hosts TEXT: whole or not at all. A hosts file that is mounted by itself (a container's) cannot be replaced.
put_hosts() {
    local new
    if [[ ! -e $HOSTS ]]; then
        printf '%s\n' "$1" | put_file "${HOSTS%/*}" '' "${HOSTS##*/}" 022
        return
    fi
    new=$(copy_of_hosts) || return 1
    if printf '%s\n' "$1" >"$new"; then
        mv -fT -- "$new" "$HOSTS" 2>/dev/null && return
        rm -f -- "$new"
        printf '%s\n' "$1" >"$HOSTS"
        return
    fi
    rm -f -- "$new"
    return 1
}

# copy_of_hosts: prints the name of a copy beside it, with its owner and rights.
copy_of_hosts() {
    local new
    new=$(mktemp "$HOSTS.arc-bundler.XXXXXX") || return 1
    cp -p -- "$HOSTS" "$new" && printf '%s' "$new" && return
    rm -f -- "$new"
    return 1
}

keep_old_hosts() {
    local new
    [[ -e $HOSTS && ! -e $HOSTS.arc-bundler.bak ]] || return 0
    new=$(copy_of_hosts) && mv -fT -- "$new" "$HOSTS.arc-bundler.bak"
}

write_hosts() {
    local text count=$((${#HOSTS_RECORDS[@]} / 2))
    ((count > 0)) || { note 'the bundle has no records for the hosts file'; return; }
    text=$(hosts_wanted) || fail 202 "$HOSTS has only one of two arc-bundler markers; repair it by hand"
    if [[ -e $HOSTS && $text == "$(<"$HOSTS")" ]]; then
        note "$HOSTS already has the $count records"
        return
    fi
    if [[ $MODE != install ]]; then
        note "would write $count records to $HOSTS"
        return
    fi
    keep_old_hosts || fail 202 "$HOSTS cannot be backed up"
    remember hosts "$BUNDLE_NAME"
    put_hosts "$text" || fail 202 "$HOSTS cannot be written"
    note "$count records written to $HOSTS; the previous file is $HOSTS.arc-bundler.bak"
}

# remove_hosts NAME
remove_hosts() {
    local text
    if ! text=$(hosts_without "$1"); then
        trouble "$HOSTS has only one of two arc-bundler markers"
        return
    fi
    put_hosts "$text" || { trouble "$HOSTS cannot be written"; return; }
    forget hosts "$1"
    [[ $(<"$HOSTS") != "$(<"$HOSTS.arc-bundler.bak")" ]] 2>/dev/null || rm -f -- "$HOSTS.arc-bundler.bak"
    note "the records of $1 are removed from $HOSTS"
}
