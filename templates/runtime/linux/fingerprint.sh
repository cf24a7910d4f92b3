# Whether a fingerprint that was typed or pasted is the sealer's.

# check_words WORD...: whether these 24 words are the sealer's fingerprint; four letters identify a word (BIP 39).
check_words() {
    local wanted at
    # The words are taken apart on purpose: they are letters.
    # shellcheck disable=SC2206
    wanted=(${WORDS[*]})
    for at in "${!wanted[@]}"; do
        [[ ${1:0:4} == "${wanted[at]:0:4}" ]] || doubt "word $((at + 1)) of the sealer's fingerprint is ${wanted[at]}, but you gave $1"
        shift
    done
    [[ -n $SEALER ]] || doubt 'this bundle is not sealed'
}

# check_given TEXT: whether the fingerprint that was typed or pasted, in digits or words, is the sealer's; adds to DOUBTS.
# Returns 1 where it is no fingerprint.
check_given() {
    local given=${1##*=} typed=()
    # shellcheck disable=SC2206
    [[ $given =~ [^A-Za-z[:space:]] ]] || typed=(${given,,})
    if [[ ${#typed[@]} -eq 24 ]]; then
        check_words "${typed[@]}"
        return 0
    fi
    given=${given,,}
    given=${given//[[:space:]:-]/}
    given=${given#sha256}
    [[ $given =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] || return 1
    if [[ -z $SEALER ]]; then
        doubt 'this bundle is not sealed'
    elif [[ $given == "$SEALER" ]]; then
        :
    elif [[ $given != "$OPENPGP" ]]; then
        doubt "the bundle is signed by $SEALER, but you gave $given: compare them digit by digit"
    elif [[ $SEAL_TOOL != gpgv ]] && ! command -v gpgv >/dev/null; then
        doubt 'gpgv is missing, which checks an OpenPGP key: give the fingerprint of the certificate'
    elif [[ $SEAL_TOOL != gpgv ]]; then
        check_openpgp SHA256SUMS
        check_openpgp manifest.json
    fi
}
