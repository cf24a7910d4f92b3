# The table of addresses, on screen and in the receipt.

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

show_row() {
    local reach private=false tls=${FOUND_TLS[$1]} rest=''
    reach=$(reachable_text "${FOUND_VERDICT[$1]}")
    [[ ${FOUND_VERDICT[$1]} != untested || ${FOUND_TCP[$1]} != ok ]] || reach=true
    case ${FOUND_KIND[$1]} in private) private=true ;; none | untested) private=unknown ;; esac
    case $tls in TLSv*) tls="TLS ${tls#TLSv}" ;; '' | none) tls=unknown ;; esac
    [[ -z ${FOUND_ISSUER[$1]} ]] || known_issuer "${FOUND_ISSUER[$1]}" ||
        rest="  certificate by $(issuer_text "${FOUND_ISSUER[$1]}")"
    [[ -z ${FOUND_MESSAGE[$1]} ]] || rest+="  <- ${FOUND_MESSAGE[$1]}"
    [[ ${CHECK_REQUIRED[$1]} == yes ]] || rest+='  (optional)'
    note "$(printf '%-*s |%-9s |%-7s |%-8s |%s%s' "$2" "$(endpoint_text "$1")" "$reach" "$private" "$tls" \
        "$(proxy_text "${CHECK_WAY[$1]}")" "$rest")"
}

endpoint_text() {
    case ${CHECK_PORT[$1]} in
        443) printf 'https://%s' "${CHECK_HOST[$1]}" ;;
        80) printf 'http://%s' "${CHECK_HOST[$1]}" ;;
        *) printf 'https://%s:%s' "${CHECK_HOST[$1]}" "${CHECK_PORT[$1]}" ;;
    esac
}

show_table() {
    local at text width=8
    for at in "${!CHECK_HOST[@]}"; do
        text=$(endpoint_text "$at")
        ((${#text} <= width)) || width=${#text}
    done
    note "$(printf '%-*s |%-9s |%-7s |%-8s |%s' "$width" ENDPOINT REACHABLE PRIVATE TLS PROXY)"
    for at in "${!CHECK_HOST[@]}"; do show_row "$at" "$width"; done
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
