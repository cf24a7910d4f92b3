# SHA-256 of files, and a folder for what is only needed for a moment.

SCRATCH=''             # a folder for what openssl writes; removed at the end

make_scratch() {
    [[ -n $SCRATCH ]] || SCRATCH=$(mktemp -d "/var/tmp/arc-bundler-$$-XXXXXX" 2>/dev/null) ||
        SCRATCH=$(mktemp -d "/tmp/arc-bundler-$$-XXXXXX")
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
