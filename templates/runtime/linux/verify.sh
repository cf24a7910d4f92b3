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
    readable "$3"
    printf 'Signed by:    %s\n' "$READABLE"
    printf '              certificate valid until %s\n' "$6"
    printf 'Fingerprint:  %s\n' "${DIGITS[0]}"
    printf '              %s\n' "${DIGITS[@]:1}"
    printf 'In words:     %s\n' "${WORDS[0]}"
    printf '              %s\n' "${WORDS[@]:1}"
}

# show_seal: only when the fingerprint that was given has matched; before, it is the bundle's own claim.
show_seal() {
    each_signer show_sealer
    [[ $APPROVALS -eq 0 ]] || printf 'Approved by:  %s (%d of %d required)\n' "${APPROVED_BY:-no one}" "${#APPROVED[@]}" "$APPROVALS"
    [[ $SERIAL -eq 0 ]] || printf 'Serial:       %s\n' "$SERIAL"
    [[ $NOT_AFTER -eq 0 ]] || printf 'Use until:    %s\n' "$NOT_AFTER_TEXT"
}

# ask_signer: before anything of the bundle's seal is shown, so that no one compares it with itself.
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

# end_hashes_only: what is known without a seal.
end_hashes_only() {
    echo 'THE SIGNATURE WAS NOT CHECKED (--insecure-no-seal): the files are intact, but anyone may have made this bundle.'
    echo 'Compare the digest with the one that the maker gave you through a separate channel.'
    exit 0
}

# check_sealer: the seal itself, then whether it is by the sealer that was named. What is wrong is graver than what cannot
# be checked.
check_sealer() {
    [[ -n $SEALER ]] || refuse 201 'Compare the digest with the one that the maker gave you through a separate channel, then accept it with --insecure-no-seal.' \
        'this bundle is not sealed: its origin cannot be verified'
    check_seal || no_space
    [[ -z $GIVEN ]] || check_given "$GIVEN"
    [[ ${#DOUBTS[@]} -eq 0 ]] || refuse 201 'This bundle'\''s signature is NOT VERIFIED. Do not install from it. Ask its maker.' "${DOUBTS[@]}"
    [[ ${#CANNOT[@]} -eq 0 ]] || cannot_check
    [[ -n $GIVEN ]] || refuse 201 'Get the fingerprint of the sealer through a separate channel (telephone, ticket, paper), then run: bash verify.sh --signer FINGERPRINT' \
        'the seal was NOT TIED TO A FINGERPRINT: none was given. The seal is valid in itself, but anyone can make such a seal'
}

cannot_check() {
    local line
    for line in "${CANNOT[@]}"; do printf 'CANNOT BE CHECKED: %s\n' "$line" >&2; done
    printf '%s\n' 'The signature of this bundle CANNOT BE CHECKED on this machine. Nothing is known to be wrong with it. Do not install from it yet:' \
        'install what is missing, or verify the bundle on another machine and compare the digest above.' >&2
    exit 213
}

main() {
    local line
    # The header's trap for the end is replaced here; its others stay.
    trap '[[ -z $SCRATCH ]] || rm -rf -- "$SCRATCH"' EXIT
    parse_arguments "$@"
    [[ -z $LAB ]] || printf '%s bundle: its packages are stand-ins.\n' "$LAB"
    find_beside
    for line in ${BESIDE[@]+"${BESIDE[@]}"}; do printf 'WARNING: %s.\n' "$line" >&2; done
    [[ $HASHES_ONLY == yes || -z $SEALER ]] || ask_signer
    [[ -z $GIVEN ]] || read_given "$GIVEN" || usage_error 'a fingerprint has 64 hex digits (an OpenPGP key'\''s 40) or 24 words'
    check_files || no_space
    [[ ${#DAMAGE[@]} -eq 0 ]] || refuse 200 'This bundle is DAMAGED. Do not install from it. Copy it again.' "${DAMAGE[@]}"
    printf 'All %d files match SHA256SUMS.\n' "$LISTED"
    printf 'Digest of this bundle: %s\n' "$SUMS_DIGEST"
    [[ $HASHES_ONLY == no ]] || end_hashes_only
    check_sealer
    show_seal
    [[ -z $UNCHECKED ]] || printf 'NOT CHECKED: %s\n' "$UNCHECKED"
    echo 'The signature matches the fingerprint you gave.'
}

main "$@"; exit
