# What the answers of the network mean.

# address_kind ADDRESS: "private" for what no one routes in the Internet: RFC 1918, RFC 6598 (carrier-grade NAT),
# RFC 3927 (link-local), loopback; IPv6: RFC 4193 (unique local), RFC 4291 (link-local, loopback, mapped IPv4).
address_kind() {
    local address=${1,,}
    address=${address#::ffff:}
    case $address in
        10.* | 127.* | 192.168.* | 169.254.* | 0.*) echo private ;;
        172.1[6-9].* | 172.2[0-9].* | 172.3[01].*) echo private ;;
        100.6[4-9].* | 100.[7-9][0-9].* | 100.1[01][0-9].* | 100.12[0-7].*) echo private ;;
        ::1 | :: | f[cd]??:* | fe[89ab]?:*) echo private ;;
        *) echo public ;;
    esac
}

# kind_of ADDRESSES EXPECTED: where they differ among themselves, the unexpected kind.
kind_of() {
    local address kind=none
    for address in $1; do
        kind=$(address_kind "$address")
        [[ $kind == "$2" ]] || break
    done
    echo "$kind"
}

# read_probe NUMBER
read_probe() {
    FOUND_RESOLVED[$1]=$(found "$1" resolved)
    FOUND_TCP[$1]=$(found "$1" tcp)
    FOUND_TLS[$1]=$(found "$1" tls)
    FOUND_ISSUER[$1]=$(found "$1" issuer)
    FOUND_VERDICT[$1]='' FOUND_MESSAGE[$1]=''
    if found_has "$1" resolver; then
        FOUND_KIND[$1]=untested
    else
        FOUND_KIND[$1]=$(kind_of "${FOUND_RESOLVED[$1]}" "${CHECK_EXPECTS[$1]}")
    fi
    rate_probe "$1"
    [[ -n ${FOUND_VERDICT[$1]} ]] || FOUND_VERDICT[$1]=ok
}

verdict() {
    FOUND_VERDICT[$1]=$2 FOUND_MESSAGE[$1]=$3
    [[ $2 != failed || ${CHECK_REQUIRED[$1]} == yes ]] || FOUND_VERDICT[$1]=optional-failed
}

# rate_probe NUMBER: the first stage that failed gives the verdict.
rate_probe() {
    rate_name "$1"
    [[ -z ${FOUND_VERDICT[$1]} ]] || return 0
    rate_tcp "$1"
    [[ -z ${FOUND_VERDICT[$1]} && ${CHECK_PORT[$1]} != 80 && ${CHECK_WAY[$1]} != gateway ]] || return 0
    rate_tls "$1"
}

rate_name() {
    local kind=${FOUND_KIND[$1]} expects=${CHECK_EXPECTS[$1]} by=${CHECK_WAY[$1]}
    if ! found_has "$1" resolved; then
        [[ $by == proxy || $by == gateway ]] || verdict "$1" failed "no DNS answer in $NETWORK_SECONDS s"
    elif [[ $kind == none ]]; then
        [[ $by == proxy || $by == gateway ]] || verdict "$1" failed 'the name does not resolve'
    elif [[ $kind != untested && $expects != any && $kind != "$expects" ]]; then
        verdict "$1" failed "resolves to ${FOUND_RESOLVED[$1]}, which is $kind; expected $expects"
    elif [[ $by == gateway ]]; then
        verdict "$1" untested 'goes through the gateway, which works after connecting'
    fi
}

rate_tcp() {
    local tcp=${FOUND_TCP[$1]}
    if [[ ${CHECK_WAY[$1]} == gateway ]]; then
        verdict "$1" untested 'goes through the gateway, which works after connecting'
    elif ! found_has "$1" tcp; then
        FOUND_TCP[$1]='no answer'
        verdict "$1" failed "no answer to TCP port ${CHECK_PORT[$1]} in $NETWORK_SECONDS s"
    elif [[ $tcp == untested ]]; then
        verdict "$1" untested 'this bash has no /dev/tcp'
        # What openssl or curl reached all the same is known.
        [[ -z ${FOUND_TLS[$1]} || ${FOUND_TLS[$1]} == untested || ${FOUND_TLS[$1]} == none ]] || FOUND_VERDICT[$1]=''
    elif [[ $tcp != ok ]]; then
        verdict "$1" failed "TCP port ${CHECK_PORT[$1]}: $tcp"
    fi
}

rate_tls() {
    local tls=${FOUND_TLS[$1]} trust cipher
    trust=$(found "$1" trust) cipher=$(found "$1" cipher)
    case $tls in
        untested) verdict "$1" untested 'TLS was not tested: openssl and curl are missing' ;;
        '') verdict "$1" failed "no TLS answer in $NETWORK_SECONDS s" ;;
        none) verdict "$1" failed 'TLS handshake failed' ;;
        TLSv1.2 | TLSv1.3 | TLS) ;;
        *) verdict "$1" failed "only $tls is available; TLS 1.2 or 1.3 is required" ;;
    esac
    [[ -z ${FOUND_VERDICT[$1]} ]] || return 0
    if [[ -n $trust && $trust != ok ]]; then
        rate_trust "$1" "$trust"
    elif [[ ($tls == TLSv1.2 || $tls == TLS) && -n $cipher ]] && ! agreeable_cipher "$cipher"; then
        verdict "$1" failed "only the cipher $cipher is available, which is not accepted"
    fi
    rate_serials "$1"
}

# agreeable_cipher NAME: whether it agrees on a key for this connection alone; TLS 1.3's all do. OpenSSL, GnuTLS and the
# registry write ECDHE-RSA-, ECDHE_RSA_ and TLS_ECDHE_RSA_WITH_ before the rest.
agreeable_cipher() {
    case $1 in ECDHE[-_]* | TLS_ECDHE_* | TLS_AES_* | TLS_CHACHA20_*) ;; *) return 1 ;; esac
}
