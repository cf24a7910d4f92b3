# What is wrong with this machine: all of it at once, before anything is changed.

PROBLEMS=()
PROBLEM_CODE=0

problem() {
    PROBLEMS+=("$2")
    # The wrong machine explains the rest.
    [[ $PROBLEM_CODE -ne 0 && $1 -ne 204 ]] || PROBLEM_CODE=$1
}

# serious CODE TEXT: a problem of what lies between here and Azure. A LAB agent connects to nothing, so there it is a note.
serious() {
    if [[ -n $LAB ]]; then
        note "$2: outside of a LAB bundle this would end here with exit code $1"
    else
        problem "$@"
    fi
}

WARNINGS=()

# warning TEXT: nothing stops for it; it stands in the receipt.
warning() {
    WARNINGS+=("$1")
    note "WARNING: $1"
}

# untested TEXT: said, so that nobody takes silence for approval.
untested() { note "not tested: $1"; }
