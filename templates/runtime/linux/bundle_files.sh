# Whether the bundle's files are those that were packed, and no others.

DAMAGE=()              # where the files differ from those that were packed
DOUBTS=()              # why its signature is not verified

damage() { readable "$1"; DAMAGE+=("$READABLE"); }
doubt() { readable "$1"; DOUBTS+=("$READABLE"); }

declare -A THERE NAMED HOLDS
LISTED=0               # files that SHA256SUMS names

# look_around: fills THERE with every file; a bundle has no links, devices or empty folders.
look_around() {
    local path
    THERE=() HOLDS=([.]=1)
    find "$BUNDLE" ! -type d -print0 >"$SCRATCH/files" && find "$BUNDLE" -type d -print0 >"$SCRATCH/folders" ||
        damage 'the bundle cannot be read'
    while IFS= read -r -d '' path; do
        [[ -f $path && ! -L $path ]] || damage "${path#"$BUNDLE"/} is not a regular file"
        path=./${path#"$BUNDLE"/}
        THERE[$path]=1
        while path=${path%/*} && [[ -z ${HOLDS[$path]:-} ]]; do HOLDS[$path]=1; done
    done <"$SCRATCH/files"
    while IFS= read -r -d '' path; do
        path=.${path#"$BUNDLE"}
        [[ -n ${HOLDS[$path]:-} ]] || damage "the folder ${path#./} does not belong to the bundle"
    done <"$SCRATCH/folders"
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
    NAMED=() LISTED=0
    [[ -n ${THERE[./SHA256SUMS]:-} && -f $BUNDLE/SHA256SUMS && ! -L $BUNDLE/SHA256SUMS ]] || { damage 'SHA256SUMS is missing'; return; }
    : >"$SCRATCH/sums"
    while IFS= read -r line || [[ -n $line ]]; do
        text+=$line$'\n'
        [[ $line =~ $form ]] || { damage "SHA256SUMS has a line that is not valid: $line"; continue; }
        path=${line:66}
        [[ $path > $last ]] || damage "SHA256SUMS is not sorted at $path"
        [[ $path != SHA256SUMS && ! $path =~ $SIGNATURE ]] || damage "SHA256SUMS names $path"
        last=$path LISTED=$((LISTED + 1))
        NAMED[./$path]=1
        if [[ -z ${THERE[./$path]:-} || ! -f $BUNDLE/$path || -L $BUNDLE/$path ]]; then
            damage "$path is missing"
        else
            printf '%s\n' "$line" >>"$SCRATCH/sums"
        fi
    done <"$BUNDLE/SHA256SUMS"
    [[ $LISTED -gt 0 ]] || damage 'SHA256SUMS lists nothing'
    # bash reads past bytes that are no text, and a last line without its end.
    [[ $(printf '%s' "$text" | sha256_of_input) == $(sha256_of_input <"$BUNDLE/SHA256SUMS") ]] || damage 'SHA256SUMS is not plain text'
}

find_strangers() {
    local path
    while IFS= read -r -d '' path; do
        path=${path#"$BUNDLE"/}
        [[ $path == SHA256SUMS || -n ${NAMED[./$path]:-} ]] || is_signature "$path" || damage "$path does not belong to the bundle"
    done <"$SCRATCH/files"
}

hash_files() {
    local line said
    [[ -s $SCRATCH/sums ]] || return 0
    said=$(cd -- "$BUNDLE" && sha256sum -c "$SCRATCH/sums" </dev/null 2>/dev/null) && return
    while IFS= read -r line; do
        [[ $line == *': OK' ]] || damage "${line%: FAILED*} has changed"
    done <<<"$said"
    [[ ${#DAMAGE[@]} -gt 0 ]] || damage 'the files cannot be hashed'
}

# check_files: fills DAMAGE.
check_files() {
    DAMAGE=()
    make_scratch || { damage 'no folder can be created in /var/tmp or /tmp'; return; }
    look_around
    read_sums
    find_strangers
    hash_files
}
