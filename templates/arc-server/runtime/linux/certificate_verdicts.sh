# What the certificates of the endpoints mean: a root that is missing here, TLS that is inspected, serial numbers.

ABSENT_ROOTS=()        # names of roots that endpoints say to be under, and that are missing here
NEGATIVE_AT=()         # host and issuer of each negative serial number
SERIALS_UNREAD=''      # whether an endpoint's serial numbers could not be read

# common_name NAME: its CN, or all where it has none.
common_name() {
    local form='(^|[ ,/;])CN ?= ?("[^"]*"|[^,/;]+)'
    if [[ $1 =~ $form ]]; then printf '%s' "${BASH_REMATCH[2]//\"/}"; else printf '%s' "${1:-an unknown issuer}"; fi
}

# lacks_issuer TRUST: whether the tool says that an issuer is not known, and not that the certificate is wrong. The codes
# are openssl's (X509_V_ERR_..., x509_vfy.h); curl says it in the words of the library that it was built with.
lacks_issuer() {
    case ${1,,} in
        2\ * | 19\ * | 20\ * | 21\ * | 27\ *) ;;
        *'local issuer'* | *'issuer certificate'* | *'issuer is not recognized'* | *'signed certificate in'*) ;;
        *) return 1 ;;
    esac
}

# has_root NAME: whether this machine trusts the looked-for root of that name.
has_root() {
    local at
    for ((at = 0; at < ${#ROOTS[@]}; at += 3)); do
        [[ ${ROOTS[at]} != "$1" || " $TRUSTED " != *" ${ROOTS[at + 1]} "* ]] || return 0
    done
    return 1
}

# rate_trust NUMBER TRUST: an unknown issuer of the vendor's is a missing root; any other is inspection, or a private CA.
rate_trust() {
    local issuer=${FOUND_ISSUER[$1]} name what='its root'
    if ! lacks_issuer "$2" || ! known_issuer "$issuer"; then
        verdict "$1" failed "the certificate by $(issuer_text "$issuer") is not trusted here: $2"
        return
    fi
    name=$(found "$1" end)
    name=$(common_name "${name:-$issuer}")
    if has_root "$name"; then
        verdict "$1" failed "says it is of $(issuer_text "$issuer"), but not issued by the root $name: TLS is inspected"
        return
    fi
    # Where nothing but its own certificate was read, the root above its issuer is not known.
    [[ $name != "$(common_name "$issuer")" ]] || what='the root of its issuer'
    verdict "$1" failed "says it is of $(issuer_text "$issuer"); $what $name is missing here"
    note_absent_root "$name"
}

note_absent_root() {
    local name
    for name in ${ABSENT_ROOTS[@]+"${ABSENT_ROOTS[@]}"}; do [[ $name != "$1" ]] || return 0; done
    ABSENT_ROOTS+=("$1")
}

# rate_serials NUMBER: noted whatever else is wrong; a verdict only where the bundle's agent is one that refuses them.
rate_serials() {
    local issuer
    [[ $(found "$1" serials) == read ]] || case $(found "$1" tls) in TLS*) SERIALS_UNREAD=yes ;; esac
    issuer=$(found "$1" negative)
    [[ -n $issuer ]] || return 0
    NEGATIVE_AT+=("${CHECK_HOST[$1]} (by $(common_name "$issuer"))")
    [[ -z ${FOUND_VERDICT[$1]} ]] && refuses_negative_serials || return 0
    verdict "$1" failed "a negative serial number by $(common_name "$issuer"), which agent $PACKAGE_VERSION refuses"
}

refuses_negative_serials() {
    [[ -n $NEGATIVE_SERIALS_REFUSED && -n $PACKAGE_VERSION ]] &&
        [[ $(compare_versions "$PACKAGE_VERSION" "$NEGATIVE_SERIALS_REFUSED") != -1 ]]
}

# report_certificates: what is to be done, once for all endpoints.
report_certificates() {
    local name text
    for name in ${ABSENT_ROOTS[@]+"${ABSENT_ROOTS[@]}"}; do
        note "to add $name: $(root_source "$name")"
    done
    [[ -z $SERIALS_UNREAD ]] || untested 'serial numbers of certificates: openssl, base64 or od is missing'
    [[ ${#NEGATIVE_AT[@]} -gt 0 ]] || return 0
    text="certificates with negative serial numbers: $(printf '%s, ' "${NEGATIVE_AT[@]}" | sed 's/, $//')"
    warning "$text; agents from $NEGATIVE_SERIALS_REFUSED (February 2027) refuse them: have the proxy that inspects TLS issue positive ones"
}

CARRIED_NAME=''        # the certificate that is looked for in the bundle, and whether it is there
CARRIED_FOUND=''

# is_carried SHA256 SHA1 STORE FILE_SHA256 NAME
is_carried() { [[ $5 != "$CARRIED_NAME" ]] || CARRIED_FOUND=yes; }

# root_source NAME: where an admin gets it.
root_source() {
    CARRIED_NAME=$1 CARRIED_FOUND=''
    each_row CERTIFICATES 5 is_carried
    if [[ -n $CARRIED_FOUND ]]; then
        printf 'the bundle has it, start with --install-certificates'
    else
        printf "let the bundle carry it (trust.certificates in the definition), or put it into this machine's trust store"
    fi
}
