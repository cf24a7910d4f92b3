# The table of addresses: in short on screen, whole in the log and in the receipt.

# issuer_text ISSUER: the organisation, or all where it has none. openssl and curl write names in four ways.
issuer_text() {
    local form='(^|[ ,/;])O ?= ?("[^"]*"|[^,/;]+)'
    if [[ $1 =~ $form ]]; then printf '%s' "${BASH_REMATCH[2]//\"/}"; else printf '%s' "${1:-an unknown issuer}"; fi
}

reachable_text() {
    case $1 in ok) echo true ;; untested) echo untested ;; *) echo false ;; esac
}

# proxy_text WAY
proxy_text() {
    case $1 in proxy) echo set ;; gateway) echo gateway ;; *) echo 'not used' ;; esac
}

# row_text NUMBER: fills ROW: the columns after the address.
row_text() {
    local reach private=false tls=${FOUND_TLS[$1]}
    reach=$(reachable_text "${FOUND_VERDICT[$1]}")
    [[ ${FOUND_VERDICT[$1]} != untested || ${FOUND_TCP[$1]} != ok ]] || reach=true
    case ${FOUND_KIND[$1]} in private) private=true ;; none | untested) private=unknown ;; esac
    case $tls in TLSv*) tls="TLS ${tls#TLSv}" ;; '' | none) tls=unknown ;; esac
    printf -v ROW '|%-9s |%-7s |%-8s |%s' "$reach" "$private" "$tls" "$(proxy_text "${CHECK_WAY[$1]}")"
}

# reason_of NUMBER: fills ROW_REASON: why a row is shown; empty where all is well.
reason_of() {
    ROW_REASON=${FOUND_MESSAGE[$1]}
    [[ -n $ROW_REASON || -z ${FOUND_ISSUER[$1]} ]] || known_issuer "${FOUND_ISSUER[$1]}" ||
        ROW_REASON="certificate by $(issuer_text "${FOUND_ISSUER[$1]}"): TLS is inspected"
    [[ -z $ROW_REASON || ${CHECK_REQUIRED[$1]} == yes ]] || ROW_REASON+=' (optional)'
}

endpoint_text() {
    case ${CHECK_PORT[$1]} in
        443) printf 'https://%s' "${CHECK_HOST[$1]}" ;;
        80) printf 'http://%s' "${CHECK_HOST[$1]}" ;;
        *) printf 'https://%s:%s' "${CHECK_HOST[$1]}" "${CHECK_PORT[$1]}" ;;
    esac
}

TABLE_WIDTH=92         # characters of a line behind the eight blanks before it
ADDRESS_WIDTH=52       # of the longest address that has the other columns beside it
HEAD='|REACHABLE |PRIVATE |TLS      |PROXY'

# show_table: how many endpoints answer, and the rows that do not, each with its reason; all rows are in the log.
show_table() {
    local at answer=0 show=() skipped=()
    log "$(printf '%-*s %s' "$ADDRESS_WIDTH" ENDPOINT "$HEAD")"
    for at in "${!CHECK_HOST[@]}"; do
        row_text "$at"
        reason_of "$at"
        log "$(printf '%-*s %s' "$ADDRESS_WIDTH" "$(endpoint_text "$at")" "$ROW")${ROW_REASON:+  <- $ROW_REASON}"
        case ${FOUND_VERDICT[$at]} in
            untested) skipped+=("$at") ;;
            ok) answer=$((answer + 1)); [[ -z $ROW_REASON ]] || show+=("$at") ;;
            *) show+=("$at") ;;
        esac
    done
    note "$answer of ${#CHECK_HOST[@]} endpoints answer"
    show_skipped ${skipped[@]+"${skipped[@]}"}
    [[ ${#show[@]} -eq 0 ]] || show_rows "${show[@]}"
}

# show_skipped NUMBER...: what was not tested, a line for each reason.
show_skipped() {
    local at reason reasons=()
    local -A counts=()
    for at in "$@"; do
        reason=${FOUND_MESSAGE[$at]}
        [[ -n ${counts[$reason]:-} ]] || reasons+=("$reason")
        counts[$reason]=$((${counts[$reason]:-0} + 1))
    done
    for reason in ${reasons[@]+"${reasons[@]}"}; do
        note_wrapped '' "${counts[$reason]} of ${#CHECK_HOST[@]} endpoints were not tested: $reason"
    done
}

# show_rows NUMBER...
show_rows() {
    local at name width=8
    for at in "$@"; do
        name=$(endpoint_text "$at")
        ((${#name} <= width || ${#name} > ADDRESS_WIDTH)) || width=${#name}
    done
    note "$(printf '%-*s %s' "$width" ENDPOINT "$HEAD")"
    for at in "$@"; do
        name=$(endpoint_text "$at")
        row_text "$at"
        reason_of "$at"
        ((${#name} <= width)) || { note_wrapped '' "$name"; name=''; }
        note "$(printf '%-*s %s' "$width" "$name" "$ROW")"
        note_wrapped '  ' "$ROW_REASON"
    done
}

# note_wrapped INDENT TEXT: in lines of at most TABLE_WIDTH, broken at blanks. Secrets are taken out of the whole first.
note_wrapped() {
    local rest line columns=$((TABLE_WIDTH - ${#1}))
    hide "$2"
    rest=${HIDDEN//$'\n'/ }
    while [[ ${#rest} -gt $columns ]]; do
        line=${rest:0:columns+1}
        if [[ $line == *' '* ]]; then
            line=${line% *}
        else
            line=${line:0:columns}
            # No letter of UTF-8 is cut in two: the bytes 80 to BF follow another (RFC 3629 section 3).
            while [[ ${rest:${#line}:1} == [$'\200'-$'\277'] && ${#line} -gt 1 ]]; do line=${line%?}; done
        fi
        note "$1$line"
        rest=${rest:${#line}}
        rest=${rest# }
    done
    [[ -z $rest ]] || note "$1$rest"
}

# network_json: the table for the receipt
network_json() {
    local at address resolved out='' required
    for at in ${FOUND_VERDICT[@]+"${!FOUND_VERDICT[@]}"}; do
        resolved=''
        for address in ${FOUND_RESOLVED[$at]}; do resolved+="${resolved:+, }$(json_string "$address")"; done
        required=false
        [[ ${CHECK_REQUIRED[$at]} != yes ]] || required=true
        out+=${out:+,$'\n'}"    {\"host\": $(json_string "${CHECK_HOST[$at]}"), \"port\": ${CHECK_PORT[$at]}, "
        out+="\"way\": $(json_string "${CHECK_WAY[$at]}"), \"required\": $required, \"resolved\": [$resolved], "
        out+="\"kind\": $(json_string "${FOUND_KIND[$at]}"), \"tcp\": $(json_string "${FOUND_TCP[$at]}"), "
        out+="\"tls\": $(json_string "${FOUND_TLS[$at]}"), \"issuer\": $(json_string "${FOUND_ISSUER[$at]}"), "
        out+="\"verdict\": $(json_string "${FOUND_VERDICT[$at]}"), \"message\": $(json_string "${FOUND_MESSAGE[$at]}")}"
    done
    printf '%s' "$out"
}
