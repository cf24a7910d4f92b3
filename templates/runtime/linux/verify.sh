# verify.sh: whether every file is as it was packed, and who signed the bundle. It changes nothing.

GIVEN=${ARC_BUNDLER_SIGNER:-}
HASHES_ONLY=no

usage() {
    # No here-document: bash before 5.1 needs room in /tmp for one.
    printf '%s\n' "verify.sh of the bundle $BUNDLE_NAME $BUNDLE_VERSION: checks that its files are unchanged, and who signed it.

  --signer FINGERPRINT   trust this sealer: the SHA-256 of the certificate that you received through a separate channel,
                         in digits or \"in 24 words\" (also from ARC_BUNDLER_SIGNER, or asked for in a terminal)
  --insecure-no-seal     check the hashes only, not who made the bundle
  --help                 this text"
}

usage_error() {
    printf '%s\n' "$1" >&2
    usage >&2
    exit 205
}

parse_arguments() {
    while [[ $# -gt 0 ]]; do
        case $1 in
            --help | -h) usage; exit 0 ;;
            --insecure-no-seal) HASHES_ONLY=yes ;;
            --signer) [[ -n ${2:-} ]] || usage_error '--signer needs a fingerprint'; GIVEN=$2; shift ;;
            *) usage_error "$(unknown_argument "$1")" ;;
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

no_space() { refuse 202 'This bundle was NOT CHECKED. Make room, then run this again.' "$NO_SPACE"; }

show_sealer() {
    [[ $1 == sealer ]] || return 0
    # Without a valid signature the rest is only the bundle's claim.
    [[ ${#DOUBTS[@]} -eq 0 ]] || echo 'Not verified; the bundle claims:'
    readable "$3"
    printf 'Signed by:    %s\n' "$READABLE"
    printf '              certificate valid until %s\n' "$6"
    printf 'Fingerprint:  %s\n' "${DIGITS[0]}"
    printf '              %s\n' "${DIGITS[@]:1}"
    printf 'In words:     %s\n' "${WORDS[0]}"
    printf '              %s\n' "${WORDS[@]:1}"
}

show_seal() {
    [[ -n $SEALER ]] || { echo 'Signed by:    not sealed'; return; }
    each_signer show_sealer
    [[ $APPROVALS -eq 0 ]] || printf 'Approved by:  %s (%d of %d required)\n' "${APPROVED_BY:-no one}" "${#APPROVED[@]}" "$APPROVALS"
    [[ $SERIAL -eq 0 ]] || printf 'Serial:       %s\n' "$SERIAL"
    [[ $NOT_AFTER -eq 0 ]] || printf 'Use until:    %s\n' "$NOT_AFTER_TEXT"
    [[ -z $UNCHECKED ]] || printf 'NOT CHECKED: %s\n' "$UNCHECKED"
}

ask_signer() {
    local line said=()
    [[ -z $GIVEN && -t 0 && -t 2 ]] || return 0
    read -r -p 'Fingerprint of the sealer (digits, or 24 words), received through a separate channel: ' GIVEN || GIVEN=''
    # Words may be on several lines.
    while [[ ! $GIVEN =~ [^A-Za-z[:space:]] ]]; do
        # shellcheck disable=SC2206  # only letters and blanks
        said=($GIVEN)
        [[ ${#said[@]} -gt 1 && ${#said[@]} -lt 24 ]] || return 0
        read -r -p "the next words, from word $((${#said[@]} + 1)): " line && [[ -n $line ]] || return 0
        GIVEN+=" $line"
    done
}

main() {
    # The header's trap for the end is replaced here; its others stay.
    trap '[[ -z $SCRATCH ]] || rm -rf -- "$SCRATCH"' EXIT
    parse_arguments "$@"
    [[ -z $LAB ]] || printf '%s bundle: its packages are stand-ins.\n' "$LAB"
    check_files || no_space
    [[ ${#DAMAGE[@]} -eq 0 ]] || refuse 200 'This bundle is DAMAGED. Do not install from it. Copy it again.' "${DAMAGE[@]}"
    printf 'All %d files match SHA256SUMS.\n' "$LISTED"
    printf 'Digest of this bundle: %s\n' "$SUMS_DIGEST"
    if [[ $HASHES_ONLY == yes ]]; then
        echo 'THE SIGNATURE WAS NOT CHECKED (--insecure-no-seal): the files are intact, but anyone may have made this bundle.'
        echo 'Compare the digest with the one that the maker gave you through a separate channel.'
        exit 0
    fi
    [[ -z $SEALER ]] || check_seal || no_space
    show_seal
    [[ -n $SEALER ]] || refuse 201 'Compare the digest with the one that the maker gave you through a separate channel, then accept it with --insecure-no-seal.' \
        'this bundle is not sealed: its origin cannot be verified'
    [[ ${#DOUBTS[@]} -eq 0 ]] || refuse 201 'This bundle'\''s signature is NOT VERIFIED. Do not install from it. Ask its maker.' "${DOUBTS[@]}"
    ask_signer
    [[ -n $GIVEN ]] || refuse 201 'Get the fingerprint of the sealer through a separate channel (telephone, ticket, paper), then run: bash verify.sh --signer FINGERPRINT' \
        'no fingerprint was given: the one above is only the bundle'\''s own claim'
    check_given "$GIVEN" || usage_error 'a fingerprint has 64 hex digits (an OpenPGP key'\''s 40) or 24 words'
    [[ ${#DOUBTS[@]} -eq 0 ]] || refuse 201 'This bundle'\''s signature is NOT VERIFIED. Do not install from it. Ask its maker.' "${DOUBTS[@]}"
    echo 'The signature matches the fingerprint you gave.'
}

main "$@"; exit
