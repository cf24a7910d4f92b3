# What this machine trusts, and which of the needed roots it lacks.

TRUST_BUNDLE=''        # all roots that this machine trusts, in one file

find_trust_bundle() {
    local file
    for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem \
        /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem /var/lib/ca-certificates/ca-bundle.pem; do
        [[ ! -s $file ]] || { TRUST_BUNDLE=$file; return; }
    done
}

# thumbprints FILE: SHA-1 over each certificate's DER, in upper case; no openssl is needed for that.
thumbprints() {
    local line body='' sum
    while IFS= read -r line || [[ -n $line ]]; do
        case $line in
            *'-BEGIN '*) body='' ;;
            *'-END '*)
                sum=$(printf '%s\n' "$body" | base64 -d 2>/dev/null | sha1sum)
                sum=${sum%% *}
                echo "${sum^^}"
                ;;
            *) body+=$line ;;
        esac
    done <"$1"
}

TRUSTED=''             # thumbprints of what this machine trusts, between blanks
MISSING_ROOTS=()
SOON_ROOTS=()          # name and thumbprint of those that endpoints present chains under, mostly with a bridge

# look_for_root NAME SHA1 REQUIRED: yes, soon or no
look_for_root() {
    [[ " $TRUSTED " != *" $2 "* ]] || return 0
    if [[ $3 == yes ]]; then
        MISSING_ROOTS+=("$1, thumbprint $2")
    elif [[ $3 == soon ]]; then
        SOON_ROOTS+=("$1" "$2")
    else
        note "this machine does not trust $1 ($2), which some endpoints use"
    fi
}

check_roots() {
    MISSING_ROOTS=() SOON_ROOTS=()
    find_trust_bundle
    [[ ${#ROOTS[@]} -gt 0 ]] || return 0
    if ! command -v base64 >/dev/null || ! command -v sha1sum >/dev/null; then
        untested 'trusted roots: base64 or sha1sum is missing'
        return
    fi
    TRUSTED=''
    [[ -z $TRUST_BUNDLE ]] || TRUSTED=$(thumbprints "$TRUST_BUNDLE")
    TRUSTED=${TRUSTED//$'\n'/ }
    each_row ROOTS 3 look_for_root
}

# Certificates that this machine verified at the addresses prove more than a list does.
report_roots() {
    local text
    each_row SOON_ROOTS 2 report_soon
    for text in ${MISSING_ROOTS[@]+"${MISSING_ROOTS[@]}"}; do
        if tls_was_verified; then
            note "this machine does not trust the root $text; the tested endpoints work without it"
        else
            serious 210 "this machine does not trust the root $text"
        fi
    done
}

# report_soon NAME SHA1: the endpoints that were tested send the bridge to an older root, perhaps; the next ones may leave it
# out. Only a note where nothing is to be connected.
report_soon() {
    local tell=note
    [[ -n $LAB ]] || ! network_wanted || tell=warning
    "$tell" "this machine does not trust the root $1 ($2): endpoints that leave out its bridge to an older root fail;\
 to add it: $(root_source "$1")"
}

tls_was_verified() {
    local at count=0
    for at in ${FOUND_VERDICT[@]+"${!FOUND_VERDICT[@]}"}; do
        [[ ${CHECK_REQUIRED[$at]} == yes ]] || continue
        [[ ${FOUND_VERDICT[$at]} == ok ]] || return 1
        count=$((count + 1))
    done
    ((count > 0))
}
