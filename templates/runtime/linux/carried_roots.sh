# Roots that the bundle carries: trusted on demand, and removed again.

ANCHORS='' ANCHORS_TOOL=()

# Where this machine has additional roots, and the program that activates them.
find_anchors() {
    if [[ -d /etc/pki/ca-trust/source/anchors ]] && command -v update-ca-trust >/dev/null; then
        ANCHORS=/etc/pki/ca-trust/source/anchors ANCHORS_TOOL=(update-ca-trust extract)
    elif [[ -d /etc/pki/trust/anchors ]] && command -v update-ca-certificates >/dev/null; then
        ANCHORS=/etc/pki/trust/anchors ANCHORS_TOOL=(update-ca-certificates)
    elif command -v update-ca-certificates >/dev/null; then
        ANCHORS=/usr/local/share/ca-certificates ANCHORS_TOOL=(update-ca-certificates)
    fi
}

CERTIFICATES_ADDED=0

# carried_path SHA256: where that certificate lies in the bundle.
carried_path() { printf 'payload/certificates/%s.pem' "$1"; }

# install_certificate SHA256 SHA1 STORE FILE_SHA256 NAME
install_certificate() {
    local to=$ANCHORS/arc-bundler-${1:0:16}.crt path
    path=$(carried_path "$1")
    if [[ $3 != root ]]; then
        note "$5 is an intermediate certificate: servers send these, and this system has no store for them"
    elif [[ " $TRUSTED " == *" $2 "* ]]; then
        note "$5 is already trusted"
    elif [[ $MODE != install ]]; then
        note "would trust $5 ($2)"
    else
        # A second certificate in an exchanged file would be trusted too.
        need_copy "$path" "$4" "$WORK/root.crt"
        remember certificate "$to"
        (umask 022 && mkdir -p -- "$ANCHORS") && put_file "$ANCHORS" '' "${to##*/}" 022 <"$WORK/root.crt" || fail 202 "$to cannot be written"
        CERTIFICATES_ADDED=$((CERTIFICATES_ADDED + 1))
        note "$5 ($2) is now trusted"
    fi
}

install_certificates() {
    find_anchors
    [[ -n $ANCHORS ]] || { problem 210 'update-ca-certificates and update-ca-trust are missing; certificates cannot be installed'; return; }
    CERTIFICATES_ADDED=0
    each_row CERTIFICATES 5 install_certificate
    ((CERTIFICATES_ADDED > 0)) || return 0
    run "${ANCHORS_TOOL[@]}" || problem 210 "${ANCHORS_TOOL[*]} failed"
}

# remove_certificate PATH
remove_certificate() {
    rm -f -- "$1" || { trouble "$1 cannot be removed"; return; }
    forget certificate "$1"
    CERTIFICATES_ADDED=$((CERTIFICATES_ADDED + 1))
}

remove_certificates() {
    CERTIFICATES_ADDED=0
    each_change certificate remove_certificate
    ((CERTIFICATES_ADDED > 0)) || return 0
    find_anchors
    if [[ -n $ANCHORS ]] && run "${ANCHORS_TOOL[@]}"; then
        note "$CERTIFICATES_ADDED roots are removed from the trust store"
    else
        trouble 'the trust store could not be rebuilt'
    fi
}
