# The certificates that an endpoint presents, as "openssl s_client -showcerts" prints them. A server can write any name
# into them: names make a better message, and nothing is trusted because of them.

CHAIN_SUBJECTS=() CHAIN_ISSUERS=() CHAIN_BODIES=()

# read_chain FILE: names and base64 of each certificate, the endpoint's own first.
read_chain() {
    local line within='' body='' subject='^ *[0-9]+ s:(.*)$' issuer='^ *i:(.*)$'
    CHAIN_SUBJECTS=() CHAIN_ISSUERS=() CHAIN_BODIES=()
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line%$'\r'}
        case $line in
            'Certificate chain') within=yes ;;
            ---) within='' ;;
            *'-BEGIN '*) body='' ;;
            *'-END '*) [[ -z $within ]] || CHAIN_BODIES+=("$body") ;;
            *)
                body+=$line
                [[ -n $within ]] || continue
                [[ ! $line =~ $subject ]] || CHAIN_SUBJECTS+=("${BASH_REMATCH[1]}")
                [[ ! $line =~ $issuer ]] || CHAIN_ISSUERS+=("${BASH_REMATCH[1]}")
                ;;
        esac
    done <"$1"
}

# chain_end: the issuer that the chain ends with: it is not presented, or is its own. Servers send more than the chain,
# and not always in order (RFC 8446 section 4.4.2).
chain_end() {
    local issuer=${CHAIN_ISSUERS[0]:-} steps=${#CHAIN_SUBJECTS[@]} at
    while ((steps-- > 0)); do
        for at in "${!CHAIN_SUBJECTS[@]}"; do [[ ${CHAIN_SUBJECTS[at]} != "$issuer" ]] || break; done
        [[ ${CHAIN_SUBJECTS[at]} == "$issuer" ]] || break
        issuer=${CHAIN_ISSUERS[at]:-}
    done
    printf '%s' "$issuer"
}

# has_negative_serial CERTIFICATE: the first bit of the number is its sign (X.690 section 8.3); RFC 5280 section 4.1.2.2
# wants a positive one. In hex digits.
has_negative_serial() {
    local HEX=$1 AT=0 DER_END=0
    der_into 30 && der_into 30 || return 1
    [[ ${HEX:AT:2} != a0 ]] || { der_into a0 && AT=$DER_END; }
    der_into 02 && [[ ${HEX:AT:1} == [89a-f] ]]
}

# chain_lines FILE: "end=" (the issuer that the chain ends with), "serials=read", and "negative=" where a serial number is.
chain_lines() {
    local at
    read_chain "$1"
    echo "end=$(chain_end)"
    command -v base64 >/dev/null && command -v od >/dev/null || return 0
    for at in "${!CHAIN_BODIES[@]}"; do
        ! has_negative_serial "$(printf '%s' "${CHAIN_BODIES[at]}" | base64 -d 2>/dev/null | in_hex)" ||
            echo "negative=${CHAIN_ISSUERS[at]:-}"
    done
    echo serials=read
}
