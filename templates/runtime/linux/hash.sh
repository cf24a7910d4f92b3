# SHA-256 of files, and a folder for what is only needed for a moment.

SCRATCH=''             # that folder, which no other user can read; removed at the end
NO_SPACE=''            # why there is none, or that it is full

# has_room FOLDER: whether 64 KiB can be written there. A full file system is no damage of the bundle.
has_room() {
    { printf '%065536d' 0 >"$1/room"; } 2>/dev/null && rm -f -- "$1/room" && return
    rm -f -- "$1/room"
    NO_SPACE="no space is left in ${1%/*}"
    return 1
}

# make_scratch: fills SCRATCH; returns 1 with NO_SPACE. /tmp only where /var/tmp cannot be written at all.
make_scratch() {
    local place
    [[ -z $SCRATCH ]] || return 0
    NO_SPACE='no folder can be created in /var/tmp or /tmp'
    for place in /var/tmp /tmp; do
        [[ -d $place && -w $place ]] || continue
        NO_SPACE="no space is left in $place"
        SCRATCH=$(mktemp -d "$place/arc-bundler-$$-XXXXXX" 2>/dev/null) && has_room "$SCRATCH" && { NO_SPACE=''; return 0; }
        [[ -z $SCRATCH ]] || rm -rf -- "$SCRATCH"
        SCRATCH=''
        return 1
    done
    return 1
}

sha256_of_input() {
    local line
    line=$(sha256sum) && printf '%s' "${line%% *}"
}

file_sha256() {
    local line
    line=$(sha256sum <"$1") || return 1
    printf '%s' "${line%% *}"
}
