# Folders that this run was told to write to, where other users may write too.

PLAIN=''               # a path without links
FOREIGN=''             # a link on the way that another user owns

# plain_path PATH: fills PLAIN, following links of root and of the user who runs this. Returns 1 at another user's, as the
# kernel does in folders like /tmp (proc(5), protected_symlinks).
plain_path() {
    local rest=$1 part hops=0 owner
    [[ $rest == /* ]] || rest=$(pwd -P)/$rest
    PLAIN='' FOREIGN=''
    while [[ -n $rest ]]; do
        part=${rest%%/*}
        [[ $rest == */* ]] && rest=${rest#*/} || rest=''
        case $part in
            '' | .) continue ;;
            ..) PLAIN=${PLAIN%/*}; continue ;;
        esac
        [[ -L $PLAIN/$part ]] || { PLAIN+=/$part; continue; }
        owner=$(stat -c %u "$PLAIN/$part") || return 1
        FOREIGN=$PLAIN/$part
        ((++hops <= 40)) && [[ $owner == 0 || $owner == "$EUID" ]] || return 1
        FOREIGN=''
        part=$(readlink "$PLAIN/$part") || return 1
        [[ $part != /* ]] || PLAIN=''
        rest=$part/$rest
    done
    PLAIN=${PLAIN:-/}
}

FOLDER='' FOLDER_MARK='' # the folder that take_folder has taken

# take_folder PATH: creates it where it is missing, and fills FOLDER and FOLDER_MARK. What is written there later is
# written to this folder, or not at all where another one has taken its place.
take_folder() {
    local mark
    plain_path "$1" && mkdir -p -- "$PLAIN" 2>/dev/null || return 1
    # The kernel's own answer: a folder on the way may have become a link since.
    mark=$(CDPATH='' cd -P -- "$PLAIN" && [[ $(pwd -P) == "$PLAIN" ]] && folder_mark) || return 1
    FOLDER=$PLAIN FOLDER_MARK=$mark
}

# folder_trouble PATH: why it was not taken.
folder_trouble() {
    if [[ -n $FOREIGN ]]; then
        printf '%s is a link of another user, which root does not follow: name the folder itself' "$FOREIGN"
    else
        printf '%s cannot be written' "$1"
    fi
}
