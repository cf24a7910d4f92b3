# The copy is what was checked: a file of the bundle is copied to where only root can write, the copy is hashed, and the
# copy is used. A user who may write to the bundle's folder can exchange the file itself at any time.

COPY_CODE=0 COPY_PROBLEM=''

# copy_checked PATH SHA256 FILE: FILE becomes a copy of the bundle's PATH with that digest; returns 1 with COPY_CODE and
# COPY_PROBLEM.
copy_checked() {
    COPY_CODE=200 COPY_PROBLEM="$1 is missing from the bundle"
    [[ -f $BUNDLE/$1 && ! -L $BUNDLE/$1 ]] || return 1
    COPY_CODE=202 COPY_PROBLEM="$1 cannot be copied to ${3%/*}"
    if ! cp -- "$BUNDLE/$1" "$3" 2>/dev/null; then
        rm -f -- "$3"
        return 1
    fi
    COPY_CODE=200 COPY_PROBLEM="$1 has changed: its SHA-256 differs from the packed file's"
    [[ $(file_sha256 "$3") == "$2" ]] && return
    rm -f -- "$3"
    return 1
}

# need_copy PATH SHA256 FILE: the same, or the end.
need_copy() { copy_checked "$@" || fail "$COPY_CODE" "$COPY_PROBLEM"; }
