# Whether the bundle's files are those that were packed, and no others.

DAMAGE=()              # where the files differ from those that were packed
DOUBTS=()              # why its signature is not verified
CANNOT=()              # why its signature cannot be checked on this machine; what is wrong is graver

damage() { readable "$1"; DAMAGE+=("$READABLE"); }
doubt() { readable "$1"; DOUBTS+=("$READABLE"); }
cannot() { readable "$1"; CANNOT+=("$READABLE"); }

declare -A THERE SUM_OF HOLDS
LISTED=0               # files that SHA256SUMS names
SUMS_DIGEST=''         # SHA-256 of SHA256SUMS as it was checked

# The end of a pipeline runs in this shell, so that nothing is written to a file, for which there may be no room.
shopt -s lastpipe

HELD_COPY=''

# hold PATH: fills HELD_COPY with a copy that stays the same: what is hashed, read and signed is one file.
hold() {
    HELD_COPY=$SCRATCH/held-${1//\//-}
    [[ ! -e $HELD_COPY ]] || return 0
    [[ -f $BUNDLE/$1 && ! -L $BUNDLE/$1 ]] && cp -- "$BUNDLE/$1" "$HELD_COPY" 2>/dev/null && return
    rm -f -- "$HELD_COPY"
    return 1
}

# look_around: fills THERE with every file; a bundle has no links, devices or empty folders.
look_around() {
    local path
    THERE=() HOLDS=([.]=1)
    find "$BUNDLE" ! -type d -print0 2>/dev/null | while IFS= read -r -d '' path; do
        [[ -f $path && ! -L $path ]] || damage "${path#"$BUNDLE"/} is not a regular file"
        path=./${path#"$BUNDLE"/}
        THERE[$path]=1
        while path=${path%/*} && [[ -z ${HOLDS[$path]:-} ]]; do HOLDS[$path]=1; done
    done
    [[ ${PIPESTATUS[0]} -eq 0 ]] || damage 'the bundle cannot be read'
    find "$BUNDLE" -type d -print0 2>/dev/null | while IFS= read -r -d '' path; do
        path=.${path#"$BUNDLE"}
        [[ -n ${HOLDS[$path]:-} ]] || damage "the folder ${path#./} does not belong to the bundle"
    done
    [[ ${PIPESTATUS[0]} -eq 0 ]] || damage 'the bundle cannot be read'
}

SIGNATURE='^((SHA256SUMS|manifest\.json)\.(p7s|asc|asc\.p7s)|approvals/[0-9a-f]{16}\.p7s)$'

# is_signature PATH: whether a signature of this bundle belongs there; it is verified later.
is_signature() {
    [[ $1 =~ $SIGNATURE ]] || return 1
    case $1 in
        approvals/*) [[ $APPROVALS -gt 0 ]] ;;
        *.asc | *.asc.p7s) [[ -n $OPENPGP ]] ;;
        *) [[ -n $SEALER ]] ;;
    esac
}

# read_sums: SHA256SUMS is a sorted list of digests and paths, byte for byte, each of a file that is there.
read_sums() {
    local line path text='' last='' form='^[0-9a-f]{64}  .'
    SUM_OF=() LISTED=0 SUMS=()
    [[ -n ${THERE[./SHA256SUMS]:-} ]] && hold SHA256SUMS || { damage 'SHA256SUMS is missing'; return; }
    while IFS= read -r line || [[ -n $line ]]; do
        text+=$line$'\n'
        [[ $line =~ $form ]] || { damage "SHA256SUMS has a line that is not valid: $line"; continue; }
        path=${line:66}
        [[ $path > $last ]] || damage "SHA256SUMS is not sorted at $path"
        [[ $path != SHA256SUMS && ! $path =~ $SIGNATURE ]] || damage "SHA256SUMS names $path"
        last=$path LISTED=$((LISTED + 1))
        SUM_OF[./$path]=${line:0:64}
        if [[ -z ${THERE[./$path]:-} || ! -f $BUNDLE/$path || -L $BUNDLE/$path ]]; then
            damage "$path is missing"
        else
            SUMS+=("$line")
        fi
    done <"$HELD_COPY"
    [[ $LISTED -gt 0 ]] || damage 'SHA256SUMS lists nothing'
    # bash reads past bytes that are no text, and a last line without its end.
    SUMS_DIGEST=$(file_sha256 "$HELD_COPY")
    [[ $(printf '%s' "$text" | sha256_of_input) == "$SUMS_DIGEST" ]] || damage 'SHA256SUMS is not plain text'
}

find_strangers() {
    local path
    for path in "${!THERE[@]}"; do
        path=${path#./}
        [[ $path == SHA256SUMS || -n ${SUM_OF[./$path]:-} ]] || is_signature "$path" || damage "$path does not belong to the bundle"
    done
}

SUMS=()                # the lines of SHA256SUMS of the files that are there

hash_files() {
    local line good=0
    [[ ${#SUMS[@]} -gt 0 ]] || return 0
    printf '%s\n' "${SUMS[@]}" | (cd -- "$BUNDLE" && sha256sum -c 2>/dev/null) | while IFS= read -r line; do
        if [[ $line == *': OK' ]]; then good=$((good + 1)); else damage "${line%: FAILED*} has changed"; fi
    done
    [[ ${#DAMAGE[@]} -gt 0 || $good -eq ${#SUMS[@]} ]] || damage 'the files cannot be hashed'
}

# check_files: fills DAMAGE; returns 1 with NO_SPACE where there is no room for the check.
check_files() {
    DAMAGE=()
    make_scratch || return 1
    look_around
    read_sums
    find_strangers
    hash_files
    [[ ${#DAMAGE[@]} -eq 0 ]] || has_room "$SCRATCH"
}
