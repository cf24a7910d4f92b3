# How files are written: created where they will stay, under a random name, then renamed. So a link that another user
# has put there is replaced and never followed, and a run that is interrupted leaves no part of a file under its name.

NEW=''                 # the random name, in the folder that this shell stands in

# new_file NAME: opens descriptor 8 on a file that was not there before, for NAME. bash's noclobber is O_CREAT with
# O_EXCL (open(2)): it follows no link, not even one that leads nowhere.
new_file() {
    local try opened=no
    for try in 1 2 3; do
        NEW=$(mktemp -u ".$1.$$-XXXXXX") || return 1
        [[ ! -e $NEW && ! -L $NEW ]] || continue
        set -o noclobber
        { exec 8>"$NEW"; } 2>/dev/null && opened=yes
        set +o noclobber
        [[ $opened == no ]] || return 0
    done
    NEW=''
    return 1
}

# move_over NAME: NEW takes that name. A folder of that name, or a link to one, must not receive the file.
move_over() {
    mv -fT -- "$NEW" "$1" 2>/dev/null && { NEW=''; return 0; }
    # busybox's -T refuses a link to a folder, which GNU's replaces.
    [[ -L $1 ]] && rm -f -- "$1" && mv -fT -- "$NEW" "$1" && NEW=''
}

# folder_mark: which folder this shell stands in (device and inode).
folder_mark() { stat -c %d:%i .; }

# put_file FOLDER MARK NAME [UMASK]: standard input becomes FOLDER/NAME, whole or not at all, written through the one
# descriptor. MARK: what folder_mark said of the folder when it was chosen; empty: any is right.
put_file() {
    (
        umask "${4:-077}"
        cd -P -- "$1" && [[ -z $2 || $(folder_mark) == "$2" ]] && put_here "$3"
    )
}

# put_here NAME: the same in the folder that this shell stands in. A subshell has not inherited the traps.
put_here() {
    local NEW=''
    trap 'drop_new; exit 1' INT TERM HUP
    new_file "$1" && cat >&8 && exec 8>&- && move_over "$1" && return
    drop_new
    return 1
}

drop_new() { [[ -z $NEW ]] || rm -f -- "$NEW"; }
