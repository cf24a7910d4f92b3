# verify.sh: whether every file is as it was packed, and who signed the bundle. It changes nothing.

GIVEN=${ARC_BUNDLER_SIGNER:-}
HASHES_ONLY=no

usage() {
    cat <<USAGE
verify.sh of the bundle $BUNDLE_NAME $BUNDLE_VERSION: is it the one that was packed, and who says so?

  --signer FINGERPRINT   believe this sealer: the SHA-256 of the certificate, as it reached you on another way than the
                         bundle, in digits or "in 24 words" (also from ARC_BUNDLER_SIGNER, or asked for in a terminal)
  --insecure-no-seal     check the hashes alone: whether it is whole, not whose it is
  --help                 this text
USAGE
}

ask_wrongly() {
    printf '%s\n' "$1" >&2
    usage >&2
    exit 205
}

parse_arguments() {
    while [[ $# -gt 0 ]]; do
        case $1 in
            --help | -h) usage; exit 0 ;;
            --insecure-no-seal) HASHES_ONLY=yes ;;
            --signer) [[ -n ${2:-} ]] || ask_wrongly '--signer needs a fingerprint'; GIVEN=$2; shift ;;
            *) ask_wrongly "unknown argument: $1" ;;
        esac
        shift
    done
}

refuse() {
    local code=$1 words=$2 line
    shift 2
    for line in "$@"; do printf 'WRONG: %s\n' "$line" >&2; done
    printf '%s\n' "$words" >&2
    exit "$code"
}

show_sealer() {
    [[ $1 == sealer ]] || return 0
    # What does not hold is only what the bundle says of itself.
    [[ ${#DOUBTS[@]} -eq 0 ]] || echo 'It says that it is'
    readable "$3"
    printf 'Sealed by:    %s\n' "$READABLE"
    printf '              certificate valid until %s\n' "$6"
    printf 'Fingerprint:  %s\n' "${DIGITS[0]}"
    printf '              %s\n' "${DIGITS[@]:1}"
    printf 'In words:     %s\n' "${WORDS[0]}"
    printf '              %s\n' "${WORDS[@]:1}"
}

show_seal() {
    [[ -n $SEALER ]] || { echo 'Sealed by:    nobody'; return; }
    each_signer show_sealer
    [[ $APPROVALS -eq 0 ]] || printf 'Approved by:  %s (%d of the %d that it needs)\n' "${APPROVED_BY:-nobody}" "${#APPROVED[@]}" "$APPROVALS"
    [[ $SERIAL -eq 0 ]] || printf 'Serial:       %s\n' "$SERIAL"
    [[ $NOT_AFTER -eq 0 ]] || printf 'Use until:    %s\n' "$NOT_AFTER_TEXT"
    [[ -z $UNCHECKED ]] || printf 'NOT CHECKED: %s\n' "$UNCHECKED"
}

ask_signer() {
    local line said=()
    [[ -z $GIVEN && -t 0 && -t 2 ]] || return 0
    read -r -p 'Fingerprint of the sealer (digits, or its 24 words), as it reached you on another way than this bundle: ' GIVEN || GIVEN=''
    # Words are written in several lines.
    while read -r -a said <<<"$GIVEN" && [[ ${#said[@]} -gt 1 && ${#said[@]} -lt 24 && ! $GIVEN =~ [^A-Za-z[:space:]] ]]; do
        read -r -p "the next words, from word $((${#said[@]} + 1)): " line && [[ -n $line ]] || return 0
        GIVEN+=" $line"
    done
}

main() {
    local digest
    # The header's trap ends here.
    trap - EXIT
    parse_arguments "$@"
    trap '[[ -z $SCRATCH ]] || rm -rf -- "$SCRATCH"' EXIT
    trap 'exit 207' INT TERM HUP
    [[ -z $LAB ]] || printf '%s: a practice bundle. Its agent is a stand-in.\n' "$LAB"
    check_files
    [[ ${#DAMAGE[@]} -eq 0 ]] || refuse 200 'This bundle is DAMAGED. Install nothing from it; copy it again.' "${DAMAGE[@]}"
    digest=$(sha256_of_input <"$BUNDLE/SHA256SUMS")
    printf '%d files are the ones that were packed.\n' "$LISTED"
    printf 'Digest of this bundle: %s\n' "$digest"
    if [[ $HASHES_ONLY == yes ]]; then
        echo 'THE SEAL WAS NOT CHECKED (--insecure-no-seal): this bundle is whole, but anybody may have made it.'
        echo 'Compare the digest with the one that the bundle'\''s maker gave you on another way: only then is it theirs.'
        exit 0
    fi
    [[ -z $SEALER ]] || check_seal
    show_seal
    [[ -n $SEALER ]] || refuse 201 'Compare the digest with the one that its maker gave you on another way; then --insecure-no-seal says that this will do.' \
        'nobody sealed this bundle: its maker cannot be told from whoever changed it'
    [[ ${#DOUBTS[@]} -eq 0 ]] || refuse 201 'This bundle'\''s seal is NOT BELIEVED. Install nothing from it; ask its maker.' "${DOUBTS[@]}"
    ask_signer
    [[ -n $GIVEN ]] || refuse 201 'Get the fingerprint of the sealer on another way than this bundle (a telephone, a ticket, paper); then: bash verify.sh --signer FINGERPRINT' \
        'you did not say whose seal you believe: the one above is only what this bundle says of itself'
    check_given "$GIVEN" || ask_wrongly 'a fingerprint has 64 hex digits (an OpenPGP key'\''s 40) or 24 words'
    [[ ${#DOUBTS[@]} -eq 0 ]] || refuse 201 'This bundle'\''s seal is NOT BELIEVED. Install nothing from it; ask its maker.' "${DOUBTS[@]}"
    echo 'The seal is by the one whom you named.'
}

main "$@"
exit
