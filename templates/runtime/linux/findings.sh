# What is wrong with this machine: all of it at once, before anything is changed.

PROBLEMS=()
PROBLEM_CODE=0
PROBLEM_REASON='' PROBLEM_TEXT=''

# code_rank CODE: its place in CODE_ORDER, the gravest first; behind all of them where it is not there.
code_rank() {
    local at
    for at in "${!CODE_ORDER[@]}"; do
        [[ ${CODE_ORDER[at]} -ne $1 ]] || break
        [[ $((at + 1)) -lt ${#CODE_ORDER[@]} ]] || at=999
    done
    printf '%s' "$at"
}

# problem CODE TEXT [REASON]: the gravest decides how the run ends; of two alike, the first.
problem() {
    PROBLEMS+=("$2")
    [[ $PROBLEM_CODE -eq 0 || $(code_rank "$1") -lt $(code_rank "$PROBLEM_CODE") ]] || return 0
    PROBLEM_CODE=$1 PROBLEM_TEXT=$2 PROBLEM_REASON=${3:-}
}

# serious CODE TEXT [REASON]: a problem of what lies outside of this machine. In a LAB bundle nothing connects, so there it is a note.
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
    hide "$1"
    WARNINGS+=("${HIDDEN//$'\n'/ }")
    note "WARNING: $1"
}

# untested TEXT: reported, because silence would read as success.
untested() { note "not tested: $1"; }
