# Whether a fingerprint that was typed or pasted is the sealer's. What does not match is named by its place: the right
# one is never shown, because it must come through a separate channel.

GIVEN_WORDS=()         # the fingerprint as it was given: 24 words,
GIVEN_DIGITS=''        # or digits

# read_given TEXT: fills these two; returns 1 where it is no fingerprint.
read_given() {
    local given=${1##*=}
    GIVEN_WORDS=() GIVEN_DIGITS=''
    # shellcheck disable=SC2206  # only letters and blanks
    [[ $given =~ [^A-Za-z[:space:]] ]] || GIVEN_WORDS=(${given,,})
    [[ ${#GIVEN_WORDS[@]} -ne 24 ]] || return 0
    GIVEN_WORDS=()
    given=${given,,}
    given=${given//[[:space:]:-]/}
    given=${given#sha256}
    [[ $given =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] || return 1
    GIVEN_DIGITS=$given
}

# doubt_parts NAME TOTAL PLACE...: where parts at these places do not match.
doubt_parts() {
    local name=$1 total=$2 places text
    shift 2
    [[ $# -gt 0 ]] || return 0
    places=$(printf ', %d' "$@")
    if [[ $# -eq 1 ]]; then
        text="$name $1 of $total does not match; have it read to you again"
    elif [[ $# -le 4 ]]; then
        text="${name}s ${places#, } of $total do not match; have them read to you again"
    else
        text="$# of its $total ${name}s do not match"
    fi
    doubt "the fingerprint you gave is not the sealer's: $text"
}

# check_words: four letters identify a word (BIP 39).
check_words() {
    local wanted at wrong=()
    # The words are taken apart on purpose: they are letters.
    # shellcheck disable=SC2206
    wanted=(${WORDS[*]})
    for at in "${!wanted[@]}"; do
        [[ ${GIVEN_WORDS[at]:0:4} == "${wanted[at]:0:4}" ]] || wrong+=("$((at + 1))")
    done
    doubt_parts word 24 ${wrong[@]+"${wrong[@]}"}
}

# check_digits DIGITS EXPECTED, in groups of four digits
check_digits() {
    local at wrong=()
    for ((at = 0; at < ${#2}; at += 4)); do
        [[ ${1:at:4} == "${2:at:4}" ]] || wrong+=("$((at / 4 + 1))")
    done
    doubt_parts group "$((${#2} / 4))" ${wrong[@]+"${wrong[@]}"}
}

# check_given TEXT: whether it is the sealer's fingerprint; adds to DOUBTS and CANNOT. Returns 1 where it is no fingerprint.
check_given() {
    read_given "$1" || return 1
    if [[ -z $SEALER ]]; then
        doubt 'this bundle is not sealed'
    elif [[ ${#GIVEN_WORDS[@]} -gt 0 ]]; then
        check_words
    elif [[ ${#GIVEN_DIGITS} -eq 64 ]]; then
        check_digits "$GIVEN_DIGITS" "$SEALER"
    elif [[ -z $OPENPGP ]]; then
        doubt 'the fingerprint you gave is an OpenPGP key'\''s, but no OpenPGP key signs this bundle'
    elif [[ $GIVEN_DIGITS != "$OPENPGP" ]]; then
        check_digits "$GIVEN_DIGITS" "$OPENPGP"
    elif [[ $SEAL_TOOL != gpgv ]]; then
        check_openpgp_too
    fi
}

check_openpgp_too() {
    if ! gpgv_works; then
        cannot 'gpgv is missing, which checks an OpenPGP key: give the fingerprint of the certificate, or install gpgv (package gpgv, gnupg2 or gpg2)'
        return
    fi
    check_openpgp SHA256SUMS
    check_openpgp manifest.json
}

BESIDE=()              # files with a fingerprint beside the bundle

# find_beside: fills BESIDE. Anyone who exchanges a bundle can exchange what travels with it.
find_beside() {
    local file
    BESIDE=()
    for file in "${BUNDLE%/*}"/*.[Ff][Ii][Nn][Gg][Ee][Rr][Pp][Rr][Ii][Nn][Tt].[Tt][Xx][Tt]; do
        [[ -e $file || -L $file ]] || continue
        readable "${file##*/}"
        BESIDE+=("$READABLE lies beside this bundle: a fingerprint that travels with a bundle proves nothing. Use the one that you received through a separate channel")
    done
}
