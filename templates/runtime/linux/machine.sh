# Which machine this is.

MACHINE_ID='' MACHINE_VERSION='' MACHINE_NAME=''
MACHINE_ARCHITECTURE=$(uname -m)
HOST=${HOSTNAME:-$(uname -n)}
HOST=${HOST%%.*}
FILE_HOST=${HOST//\//-}  # for names of files

detect_machine() {
    find_release
    MACHINE_ID=$RELEASE_ID MACHINE_VERSION=$RELEASE_VERSION MACHINE_NAME=${RELEASE_PRETTY:-$RELEASE_NAME}
}

machine_text() {
    printf '%s (%s %s, %s)' "${MACHINE_NAME:-an unknown system}" "${MACHINE_ID:-?}" "${MACHINE_VERSION:-?}" "$MACHINE_ARCHITECTURE"
}
