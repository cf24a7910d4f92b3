# How a file with a secret is removed.

LINKED=()              # of the last call: files that have another name, so that only this name was removed

# destroy FILE...: written over, then removed. In memory that is for nothing, on a disk for little; it costs nothing.
destroy() {
    local file
    LINKED=()
    for file in "$@"; do
        [[ -f $file && ! -L $file ]] || continue
        { overwrite "$file" 8<>"$file"; } 2>/dev/null
        rm -f -- "$file"
    done
}

# overwrite FILE: descriptor 8 was opened on it. Where other users can write, that may be another file, by a link which
# they have put there; so what it is open on is written over only where that is FILE itself, under no other name.
overwrite() {
    local opened named
    named=$(stat -c '%h %d:%i %f %s' "$1") || return 0
    [[ ${named%% *} -eq 1 ]] || { LINKED+=("$1"); return; }
    opened=$(stat -L -c '%h %d:%i %f %s' /dev/fd/8) && [[ $opened == "$named" ]] || return 0
    dd if=/dev/zero bs="$((${named##* } + 1))" count=1 conv=notrunc,fsync >&8
}
