# Whether another user can exchange files of the bundle while root uses them.

# own_user UID: root, who runs this, or who called sudo.
own_user() { [[ $1 == 0 || $1 == "$EUID" || $1 == "${SUDO_UID:-}" ]]; }

# others_of PATH: prints which others may write to it; returns 1 where there are none. An access control list shows in the
# rights of the group (acl(5)) and as a plus sign. A group of the owner's own name has no other members.
others_of() {
    local mode fields
    mode=$(ls -ld -- "$1" 2>/dev/null)
    mode=${mode%% *}
    # shellcheck disable=SC2207  # three words
    fields=($(stat -c '%u %U %G' "$1" 2>/dev/null))
    [[ ${#fields[@]} -eq 3 ]] || return 1
    if ! own_user "${fields[0]}"; then
        printf 'its owner %s' "${fields[1]}"
    elif [[ ${mode:8:1} == w ]]; then
        printf 'every user'
    elif [[ ${mode:5:1} == w && $mode == *+ ]]; then
        printf 'the users in its access control list'
    elif [[ ${mode:5:1} == w && (${fields[0]} == 0 || ${fields[1]} != "${fields[2]}") ]]; then
        printf 'the group %s' "${fields[2]}"
    else
        return 1
    fi
}

# shared_place: prints the first place with others: a folder above the bundle, the bundle's own, or a file in it. A folder
# above with the sticky bit (/tmp) lets only an owner exchange what is in it.
shared_place() {
    local path=$BUNDLE others
    while path=${path%/*} && [[ -n $path ]]; do
        [[ ! -k $path ]] || sticky_of_another "$path" || continue
        others=$(others_of "$path") && { printf '%s can be written by %s' "$path" "$others"; return; }
    done
    find "$BUNDLE" ! -type l \( -perm -002 -o -perm -020 -o ! -user 0 \) 2>/dev/null | while IFS= read -r path; do
        others=$(others_of "$path") && { printf '%s can be written by %s' "$path" "$others"; return; }
    done
    return 1
}

# sticky_of_another FOLDER: with the sticky bit its owner still may exchange what is in it.
sticky_of_another() {
    local owner
    owner=$(stat -c %u "$1" 2>/dev/null) && ! own_user "$owner"
}

check_place() {
    local text
    text=$(shared_place) || return 0
    readable "$text"
    warning "$READABLE, who can exchange files of this bundle while it is used: copy it into a folder that only root can write"
}
