# The network: what each address answers, on the path that the product will use.
# All are tried in parallel with the available tools: bash's /dev/tcp, getent, openssl or curl. A probe writes its findings
# line by line, so that the stage in which a silent one hangs is known.

NETWORK_SECONDS=15     # for all of them together
PROBES=''              # folder of what the probes found
PROBE_PIDS=()
SHORT_PROBE=0          # process id of the probe that gets three seconds
CHECK_HOST=() CHECK_PORT=() CHECK_REQUIRED=() CHECK_EXPECTS=() CHECK_WAY=()
FOUND_RESOLVED=() FOUND_KIND=() FOUND_TCP=() FOUND_TLS=() FOUND_ISSUER=() FOUND_VERDICT=() FOUND_MESSAGE=()
PROXY_HOST='' PROXY_PORT=''

# addresses_of HOST: one a line; returns 2 where nothing here can resolve names but bash itself.
addresses_of() {
    local address names name seen=' '
    if command -v getent >/dev/null; then
        getent ahosts "$1"
    elif [[ -r /etc/hosts ]]; then
        while read -r address names; do
            for name in ${names%%#*}; do [[ ${name,,} != "${1,,}" ]] || echo "$address"; done
        done </etc/hosts
    fi | while read -r address _; do
        [[ $seen == *" $address "* ]] || echo "$address"
        seen+="$address "
    done
    command -v getent >/dev/null || return 2
}

last_words() { printf '%s' "${1##*: }"; }

# open_tcp HOST PORT: prints "ok", "untested" or why not.
open_tcp() {
    local said
    if said=$({ exec 3<>"/dev/tcp/$1/$2"; } 2>&1); then
        echo ok
    else
        said=$(last_words "$said")
        # A bash that was built without it looks for a file of this name.
        [[ $said != 'No such file or directory' ]] || said=untested
        echo "${said,,}"
    fi
}

# open_by_proxy HOST PORT: asks the proxy to connect (RFC 9110 section 9.3.6).
open_by_proxy() {
    local answer=''
    answer=$(open_tcp "$PROXY_HOST" "$PROXY_PORT")
    if [[ $answer != ok ]]; then
        [[ $answer == untested ]] || answer="the proxy $PROXY_HOST:$PROXY_PORT: $answer"
        echo "$answer"
        return
    fi
    answer=$({
        exec 3<>"/dev/tcp/$PROXY_HOST/$PROXY_PORT"
        printf 'CONNECT %s:%s HTTP/1.1\r\nHost: %s:%s\r\n\r\n' "$1" "$2" "$1" "$2" >&3
        IFS= read -r -n 200 answer <&3
        printf '%s' "$answer"
    } 2>/dev/null)
    answer=${answer%$'\r'}
    if [[ $answer =~ ^HTTP/1\.[01]\ 2[0-9][0-9] ]]; then
        echo ok
    elif [[ $answer =~ ^HTTP/1\.[01]\ 407 ]]; then
        echo 'the proxy requires a password, which is not supported'
    else
        echo "the proxy answers: ${answer:-nothing}"
    fi
}

# probe_tls HOST PORT WAY FILE: lines "tls=", "issuer=", "trust=", "cipher=" and those of chain_lines; tls=untested where
# nothing can do it.
probe_tls() {
    if command -v openssl >/dev/null && tls_by_openssl "$@"; then return; fi
    if command -v curl >/dev/null && tls_by_curl "$@"; then return; fi
    echo tls=untested
}

# Returns 1 where this openssl is too old for the question.
tls_by_openssl() {
    local version cipher trust arguments=(-showcerts -connect "$1:$2" -servername "$1" -verify_hostname "$1")
    [[ $3 != proxy ]] || arguments+=(-proxy "$PROXY_HOST:$PROXY_PORT")
    [[ -z $TRUST_BUNDLE ]] || arguments+=(-CAfile "$TRUST_BUNDLE")
    openssl s_client "${arguments[@]}" </dev/null >"$4" 2>&1
    ! grep -qiE '^(s_client: )?(unknown option|Unknown option|.*Use -help for summary)' "$4" || return 1
    cipher=$(sed -n 's/^New, .*Cipher is //p' "$4" | head -n 1)
    version=$(sed -n 's/^ *Protocol *: *\(TLSv[0-9.]*\).*/\1/p' "$4" | head -n 1)
    [[ -n $version ]] || version=$(sed -n 's/^New, \(TLSv[0-9.]*\),.*/\1/p' "$4" | head -n 1)
    if [[ -z $cipher || $cipher == '(NONE)' ]]; then
        echo 'tls=none'
        return
    fi
    trust=$(sed -n 's/^ *Verify return code: //p' "$4" | tail -n 1)
    [[ $trust != 0\ * ]] || trust=ok
    chain_lines "$4"
    printf 'issuer=%s\ncipher=%s\ntrust=%s\ntls=%s\n' "$(sed -n 's/^issuer=//p' "$4" | head -n 1)" "$cipher" "$trust" "$version"
}

tls_by_curl() {
    local version='' cipher line trust=ok code=0 way=(--noproxy '*')
    [[ $3 != proxy ]] || way=(--proxy "$PROXY_HOST:$PROXY_PORT")
    curl -sSvI -o /dev/null --connect-timeout "$NETWORK_SECONDS" "${way[@]}" "https://$1:$2/" </dev/null >"$4" 2>&1 || code=$?
    # "TLSv1.3 / CIPHER / ..." with OpenSSL, "TLS1.2 / CIPHER" with GnuTLS; the CIPHER alone with NSS and before 7.36.
    line=$(sed -n 's/^\* *SSL connection using \([^[:cntrl:]]*\).*/\1/p' "$4" | head -n 1)
    cipher=${line%% *}
    if [[ $line =~ ^TLSv?(1[.0-9]*)\ / ]]; then
        version=TLSv${BASH_REMATCH[1]}
        cipher=${line#* / } cipher=${cipher%% *}
    elif [[ -n $line ]]; then
        version=TLS
    fi
    if [[ $code -eq 60 || $code -eq 51 || $code -eq 77 ]]; then
        trust=$(sed -n 's/^curl: ([0-9]*) //p' "$4" | head -n 1)
    elif [[ -z $version ]]; then
        echo 'tls=none'
        return
    fi
    date_line <"$4"
    printf 'issuer=%s\ncipher=%s\ntrust=%s\ntls=%s\n' "$(sed -n 's/^\*[[:space:]]*issuer: //p' "$4" | head -n 1)" \
        "$cipher" "$trust" "${version:-TLS}"
}

# The Date of an answer and this machine's clock beside it.
date_line() {
    local date
    date=$(tr -d '\r' | sed -n 's/^[< ]*[Dd]ate: *//p' | head -n 1)
    [[ -z $date ]] || printf 'date=%s\nnow=%s\n' "$date" "$(date +%s)"
}

# probe NUMBER
probe() {
    local host=${CHECK_HOST[$1]} port=${CHECK_PORT[$1]} by=${CHECK_WAY[$1]} addresses tcp code=0
    # The definition decides which proxy is used, not the environment of this shell.
    unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY
    addresses=$(addresses_of "$host") || code=$?
    addresses=${addresses//$'\n'/ }
    [[ $code -ne 2 || -n $addresses ]] || echo resolver=none
    echo "resolved=$addresses"
    [[ $by != gateway ]] || return 0
    if [[ $by == proxy ]]; then tcp=$(open_by_proxy "$host" "$port"); else tcp=$(open_tcp "$host" "$port"); fi
    echo "tcp=$tcp"
    [[ ($tcp == ok || $tcp == untested) && $port != 80 ]] || return 0
    probe_tls "$host" "$port" "$by" "$PROBES/$1.tls"
    # Two answers tell the time; more would only be more.
    [[ $1 -le 1 && $by == direct ]] && command -v curl >/dev/null || return 0
    curl -sI --connect-timeout 3 --max-time 5 --noproxy '*' "https://$host:$port/" </dev/null 2>/dev/null | date_line
}

split_proxy() {
    local rest=${PROXY_URL#*://}
    rest=${rest%%/*}
    rest=${rest##*@}
    PROXY_HOST=${rest%:*} PROXY_PORT=${rest##*:}
    [[ $rest == *:* ]] || PROXY_PORT=80
    PROXY_HOST=${PROXY_HOST#[} PROXY_HOST=${PROXY_HOST%]}
}

# start_probe NAME COMMAND...: in a process group of its own, so that what hangs can be ended whole.
start_probe() {
    local name=$1
    shift
    set -m
    ("$@") </dev/null >"$PROBES/$name" 2>/dev/null &
    set +m
    PROBE_PIDS+=("$!")
    disown "$!" 2>/dev/null
}

probes_run() {
    local pid
    for pid in ${PROBE_PIDS[@]+"${PROBE_PIDS[@]}"}; do ! kill -0 "$pid" 2>/dev/null || return 0; done
    return 1
}

end_probes() {
    local pid
    for pid in ${PROBE_PIDS[@]+"${PROBE_PIDS[@]}"}; do kill -KILL -- "-$pid" 2>/dev/null; done
    PROBE_PIDS=()
}

make_probe_folder() {
    local place
    for place in /var/tmp /tmp; do
        PROBES=$(mktemp -d "$place/arc-bundler-$$-XXXXXX" 2>/dev/null) || continue
        has_room "$PROBES" && return
        rm -rf -- "$PROBES"
    done
    PROBES=''
    return 1
}

# run_probes: all of them, bounded. start_product_probes is the product's; it fills SHORT_PROBE.
run_probes() {
    local at
    make_probe_folder || return 1
    split_proxy
    start_product_probes
    for at in ${CHECK_HOST[@]+"${!CHECK_HOST[@]}"}; do start_probe "$at" probe "$at"; done
    wait_probes "$SHORT_PROBE"
}

# wait_probes SHORT: SHORT is the one that gets three seconds; 0 for none.
wait_probes() {
    local began=$SECONDS
    while probes_run && ((SECONDS - began < NETWORK_SECONDS)); do
        (($1 == 0 || SECONDS - began < 3)) || kill -KILL -- "-$1" 2>/dev/null
        sleep 0.1 2>/dev/null || sleep 1
    done
    end_probes
}

# found NUMBER KEY: what the probe wrote, in ASCII: an answer may hold terminal escapes, or no text at all.
found() {
    local line value=''
    [[ -r $PROBES/$1 ]] || return 0
    while IFS= read -r line; do
        [[ $line != "$2="* ]] || value=${line#*=}
    done <"$PROBES/$1"
    printf '%s' "${value//[^ -~]/?}"
}

found_has() { [[ -r $PROBES/$1 ]] && grep -q "^$2=" "$PROBES/$1"; }
