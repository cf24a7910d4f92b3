# Which machine this is.

MACHINE_ID='' MACHINE_VERSION='' MACHINE_NAME=''
MACHINE_ARCHITECTURE=$(uname -m)
HOST=${HOSTNAME:-$(uname -n)}
HOST=${HOST%%.*}
FILE_HOST=${HOST//\//-}  # for names of files

# /etc/os-release is read, not sourced: it is data.
detect_machine() {
    local line value
    [[ -r /etc/os-release ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        value=${line#*=}
        value=${value#[\"\']}
        value=${value%[\"\']}
        case $line in
            ID=*) MACHINE_ID=$value ;;
            VERSION_ID=*) MACHINE_VERSION=$value ;;
            PRETTY_NAME=*) MACHINE_NAME=$value ;;
        esac
    done </etc/os-release
}

machine_text() {
    printf '%s (%s %s, %s)' "${MACHINE_NAME:-an unknown system}" "${MACHINE_ID:-?}" "${MACHINE_VERSION:-?}" "$MACHINE_ARCHITECTURE"
}
