# What is wrong with this machine: all of it at once, before anything is changed.

PROBLEMS=()
PROBLEM_CODE=0

problem() {
    PROBLEMS+=("$2")
    # The wrong machine explains the rest.
    [[ $PROBLEM_CODE -ne 0 && $1 -ne 204 ]] || PROBLEM_CODE=$1
}

# serious CODE TEXT: a problem of what lies outside of this machine. In a LAB bundle nothing connects, so there it is a note.
serious() {
    if [[ -n $LAB ]]; then
        note "$2 (a LAB bundle continues; otherwise exit code $1)"
    else
        problem "$@"
    fi
}

WARNINGS=()

# warning TEXT: the run continues; the receipt has it.
warning() {
    WARNINGS+=("$1")
    note "WARNING: $1"
}

# untested TEXT: reported, because silence would read as success.
untested() { note "not tested: $1"; }
