# Versions: numbers with dots or hyphens between them.

# compare_versions A B: prints -1, 0 or 1. 10# because 03504 is no octal number.
compare_versions() {
    local left right at a b
    IFS=.- read -r -a left <<<"$1"
    IFS=.- read -r -a right <<<"$2"
    for ((at = 0; at < ${#left[@]} || at < ${#right[@]}; at++)); do
        a=${left[at]:-0} b=${right[at]:-0}
        a=${a%%[!0-9]*} b=${b%%[!0-9]*}
        if ((10#${a:-0} < 10#${b:-0})); then echo -1; return; fi
        if ((10#${a:-0} > 10#${b:-0})); then echo 1; return; fi
    done
    echo 0
}
