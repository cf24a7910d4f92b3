# 1. verify: whether this is the bundle that was packed, and who signed it.

VERIFIED=0

verify_file() {
    [[ -f $BUNDLE/$1 && ! -L $BUNDLE/$1 ]] || fail 200 "$1 is missing from the bundle"
    [[ $(file_sha256 "$BUNDLE/$1") == "$2" ]] || fail 200 "$1 has changed: its SHA-256 differs from the packed file's"
    VERIFIED=$((VERIFIED + 1))
}

# verify_carried SHA256 SHA1 STORE FILE_SHA256 NAME
verify_carried() { [[ -z $4 ]] || verify_file "$(carried_path "$1")" "$4"; }

SEAL_VERIFIED=false    # for the receipt

# refuse CODE REASON...: one reason is in the step's line, several are above it.
refuse() {
    local code=$1 text
    shift
    [[ $# -gt 1 ]] || fail "$code" "$1"
    for text in "$@"; do say "        ! $text"; done
    fail "$code" "$# problems found in this bundle, see above"
}

# cannot_check: a tool is missing, which is no fault of the bundle's.
cannot_check() {
    local text
    for text in "${CANNOT[@]:1}"; do say "        ! $text"; done
    fail 213 "the seal cannot be checked: ${CANNOT[0]}"
}

# A bundle that was built with a seal is never used without it, regardless of the files beside this script.
verify_seal() {
    check_files || fail 202 "$NO_SPACE"
    [[ ${#DAMAGE[@]} -eq 0 ]] || refuse 200 "${DAMAGE[@]}"
    BUNDLE_DIGEST=$SUMS_DIGEST
    check_seal || fail 202 "$NO_SPACE"
    [[ -z $SIGNER ]] || check_given "$SIGNER" || fail 205 '--signer and ARC_BUNDLER_SIGNER need a fingerprint, 64 hex digits or 24 words'
    [[ ${#DOUBTS[@]} -eq 0 ]] || refuse 201 "${DOUBTS[@]}"
    [[ ${#CANNOT[@]} -eq 0 ]] || cannot_check
    SEAL_VERIFIED=true
    [[ -z $UNCHECKED ]] || note "not checked: $UNCHECKED"
}

# sealer_name: its fingerprint only where one was given, and so has matched.
sealer_name() {
    [[ $1 == sealer ]] || return 0
    readable "$3"
    printf '%s' "$READABLE"
    if [[ -n $SIGNER ]]; then printf ' (%s...)' "${2:0:16}"; else printf ' (not compared: no --signer given)'; fi
}

warn_beside() {
    local text
    find_beside
    for text in ${BESIDE[@]+"${BESIDE[@]}"}; do warning "$text"; done
}

step_verify() {
    begin_step verify
    check_place
    if [[ -n $SEALER ]]; then
        warn_beside
        verify_seal
    elif [[ -n $SIGNER ]]; then
        fail 201 'this bundle is not sealed, but a signer is required (--signer, ARC_BUNDLER_SIGNER)'
    fi
    bundle_files verify_file
    each_row CERTIFICATES 5 verify_carried
    if [[ -n $SEALER ]]; then
        check_serial
        done_step "all $LISTED files match SHA256SUMS, signed by $(each_signer sealer_name)${APPROVED_BY:+, approved by $APPROVED_BY}"
        return
    fi
    [[ -z $PACKAGE ]] || verify_file "$PACKAGE" "$PACKAGE_SHA256"
    check_serial
    note 'this bundle is not sealed: its files are intact, its origin is not verified'
    done_step "all $VERIFIED files match"
}
