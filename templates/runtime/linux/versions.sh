# Versions: numbers with dots or hyphens between them.

# compare_versions A B: prints -1, 0 or 1. 10# because 03504 is no octal number.
compare_versions() {
    local left=$1 right=$2 a b
    while [[ -n $left$right ]]; do
        a=${left%%[.-]*} b=${right%%[.-]*}
        left=${left:${#a}} right=${right:${#b}}
        left=${left#?} right=${right#?}
        a=${a%%[!0-9]*} b=${b%%[!0-9]*}
        if ((10#${a:-0} < 10#${b:-0})); then echo -1; return; fi
        if ((10#${a:-0} > 10#${b:-0})); then echo 1; return; fi
    done
    echo 0
}
