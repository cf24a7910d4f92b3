# Whether the bundle is signed by the sealer that the header names, and approved by enough approvers.

# each_signer COMMAND...: role, fingerprint, name, and validity (in seconds since 1970, and its end in words) of each
# signer in the header.
each_signer() { each_row SIGNERS 6 "$@"; }

# each_form COMMAND...: what a signature's file looks like before the signature's value: the number of its signer, bytes
# of the file, bytes before that value, and their SHA-256. So no byte of it can change unseen, and no certificate either.
each_form() { each_row SIGNATURE_FORMS 4 "$@"; }

SEAL_TOOL=''           # what checked it: openssl or gpgv
APPROVED=()            # fingerprints of the approvers that signed
APPROVED_BY=''         # and their names
UNCHECKED=''           # what could not be checked here

# fits_form FILE SIZE ROLE SIGNER, then a row of each_form
fits_form() {
    [[ ${SIGNERS[$5 * 6]} == "$3" && ${SIGNERS[$5 * 6 + 1]} == "$4" && $6 -eq $2 && $FITS == no ]] || return 0
    [[ $(head -c "$7" "$1" | sha256_of_input) != "$8" ]] || FITS=yes
}

# hold_document PATH: fills HELD_COPY with a copy that has the digest in SHA256SUMS.
hold_document() {
    hold "$1" && [[ -z ${SUM_OF[./$1]:-} || $(file_sha256 "$HELD_COPY") == "${SUM_OF[./$1]}" ]] || { doubt "$1 has changed"; return 1; }
}

# check_signature SIGNATURE DOCUMENT SIGNER ROLE: that it has one of its forms, that openssl verifies it (for any signer:
# -noverify), and that the signer that openssl found is the expected one.
check_signature() {
    local file seen
    [[ -n ${THERE[./$1]:-} ]] && hold "$1" || { doubt "$1 is missing"; return 1; }
    file=$HELD_COPY
    FITS=no
    each_form fits_form "$file" "$(($(wc -c <"$file")))" "$4" "$3"
    [[ $FITS == yes ]] || { doubt "$1 is not a signature by the expected signer"; return 1; }
    [[ $SEAL_TOOL == openssl ]] || return 0
    rm -f -- "$SCRATCH/signer"
    hold_document "$2" || return
    openssl cms -verify -binary -inform DER -in "$file" -content "$HELD_COPY" -noverify -signer "$SCRATCH/signer" \
        -out /dev/null </dev/null >/dev/null 2>&1 || { doubt "$1 does not sign $2"; return 1; }
    # PEM is base64 between two lines (RFC 7468); of two signers' certificates the digest is neither's.
    seen=$(sed '/^-----/d' "$SCRATCH/signer" | base64 -d 2>/dev/null | sha256_of_input)
    [[ $seen == "$3" ]] || { doubt "$1 is signed by another certificate"; return 1; }
}

# check_validity NAME FROM UNTIL TEXT, according to this machine's clock
check_validity() {
    if ((NOW < $2)); then
        doubt "the certificate of $1 is not valid yet, according to this machine's clock"
    elif ((NOW > $3)); then
        doubt "the certificate of $1 expired on $4"
    fi
}

# check_person ROLE FINGERPRINT NAME FROM UNTIL TEXT: what that signer has signed.
check_person() {
    local document file=approvals/${2:0:16}.p7s
    if [[ $1 == sealer ]]; then
        check_validity "$3" "$4" "$5" "$6"
        for document in SHA256SUMS manifest.json ${OPENPGP:+SHA256SUMS.asc manifest.json.asc}; do
            check_signature "$document.p7s" "$document" "$2" sealer
        done
        return
    fi
    APPROVER_FILES+=" ./$file "
    [[ -n ${THERE[./$file]:-} ]] || { NOT_BY+="${NOT_BY:+, }$3"; return; }
    # An approval that is not valid is a refusal, not a missing approval.
    check_signature "$file" SHA256SUMS "$2" approver || return
    check_validity "$3" "$4" "$5" "$6"
    APPROVED+=("$2") APPROVED_BY+="${APPROVED_BY:+, }$3"
}

check_approvals() {
    local path
    [[ ${#APPROVED[@]} -ge $APPROVALS ]] || doubt "${#APPROVED[@]} of $APPROVALS required approvals are present; missing: $NOT_BY"
    for path in "${!THERE[@]}"; do
        [[ $path != ./approvals/* || $APPROVER_FILES == *" $path "* ]] || doubt "${path#./} is not signed by a listed approver"
    done
}

# check_openpgp DOCUMENT: gpgv's exit code is 0 for revoked and expired keys too, so its status lines count (GnuPG,
# DETAILS): one good signature, by the expected primary key, over a binary document with SHA-256, -384 or -512, and no
# line against it.
check_openpgp() {
    local said form keys signature
    hold_document evidence/sealer.gpg && keys=$HELD_COPY && hold_document "$1.asc" && signature=$HELD_COPY && hold_document "$1" || return
    said=$(gpgv --keyring "$keys" --status-fd 1 "$signature" "$HELD_COPY" </dev/null 2>/dev/null) || :
    form="^\\[GNUPG:\\] VALIDSIG [0-9A-F]+ [^ ]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+ (8|9|10) 00 ${OPENPGP^^}\$"
    [[ $(count_lines '^\[GNUPG:\] (GOODSIG|BADSIG|ERRSIG|EXPSIG|EXPKEYSIG|REVKEYSIG) ' "$said") == 1 &&
        $(count_lines '^\[GNUPG:\] GOODSIG ' "$said") == 1 && $(count_lines '^\[GNUPG:\] VALIDSIG ' "$said") == 1 &&
        $(count_lines "$form" "$said") == 1 ]] || doubt "$1.asc is not a signature of the OpenPGP key ${OPENPGP^^}"
}

# count_lines FORM TEXT
count_lines() { printf '%s\n' "$2" | grep -cE -e "$1"; }

# choose_tool: openssl checks everything, gpgv only the OpenPGP signature.
choose_tool() {
    SEAL_TOOL='' UNCHECKED=''
    if openssl_works; then
        SEAL_TOOL=openssl
    elif gpgv_works && [[ -n $OPENPGP && $APPROVALS -eq 0 ]]; then
        SEAL_TOOL=gpgv
        UNCHECKED='the X.509 signatures and the certificate'\''s validity, because openssl is missing; the OpenPGP signature was checked'
    elif gpgv_works && [[ -n $OPENPGP ]]; then
        cannot "gpgv cannot check approvals: install openssl (package openssl). $(offline_package openssl)"
    else
        cannot "no tool here can check the signature: install openssl (package openssl)${OPENPGP:+ or gpgv (package gpgv, gnupg2 or gpg2)}. $(offline_package openssl)"
    fi
}

# check_seal: fills DOUBTS and CANNOT; after check_files. Returns 1 with NO_SPACE where there is no room for the check.
# Without a tool it still finds what is missing, has another form or has expired.
check_seal() {
    local NOW NOT_BY='' APPROVER_FILES='' FITS=no document
    DOUBTS=() CANNOT=() APPROVED=() APPROVED_BY=''
    choose_tool
    NOW=$(date +%s)
    each_signer check_person
    if [[ $SEAL_TOOL == gpgv ]]; then
        for document in SHA256SUMS manifest.json; do check_openpgp "$document"; done
    fi
    check_approvals
    ((NOT_AFTER == 0 || NOW <= NOT_AFTER)) || doubt "the bundle expired on $NOT_AFTER_TEXT"
    [[ ${#DOUBTS[@]} -eq 0 ]] || has_room "$SCRATCH"
}
