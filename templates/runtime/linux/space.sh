# Whether there is room.

NEED_FOLDER=() NEED_KIB=()

# need_space FOLDER KIB
need_space() {
    NEED_FOLDER+=("$1") NEED_KIB+=("$2")
}

existing() {
    local folder=$1
    while [[ ! -d $folder ]]; do folder=$(dirname -- "$folder"); done
    printf '%s' "$folder"
}

# check_space: needs on one file system are added up.
# shellcheck disable=SC2030,SC2031  # lastpipe
check_space() {
    local at line free mount
    local -A needed=() room=() named=()
    for at in "${!NEED_FOLDER[@]}"; do
        line=$(df -Pk -- "$(existing "${NEED_FOLDER[$at]}")" 2>/dev/null | tail -n 1)
        printf '%s\n' "$line" | read -r _ _ _ free _ mount
        [[ $free =~ ^[0-9]+$ ]] || continue
        needed[$mount]=$((${needed[$mount]:-0} + NEED_KIB[at]))
        room[$mount]=$free
        named[$mount]=${named[$mount]:+${named[$mount]} and }${NEED_FOLDER[$at]}
    done
    for mount in ${needed[@]+"${!needed[@]}"}; do
        [[ ${room[$mount]} -ge ${needed[$mount]} ]] ||
            problem 202 "${named[$mount]} has $((${room[$mount]} / 1024)) MiB free and needs $((${needed[$mount]} / 1024 + 1))" no-space
    done
}
