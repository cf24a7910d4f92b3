# An envelope: the secret as it travels, closed for this server and signed by the bundle's sealer.

ENVELOPE=''            # --envelope
RECIPIENT_KEY=''       # --recipient-key; otherwise the .p12 beside the envelope
PASSPHRASE_FILE=''     # --passphrase-file
PASSPHRASE_STDIN=no    # --passphrase-stdin
DESTROY_ENVELOPE=no    # --destroy-envelope

# Out of the environment at once, before the first child is started.
PASSPHRASE=''
PASSPHRASE_FROM_ENVIRONMENT=${ARC_BUNDLER_ENVELOPE_PASSPHRASE:-}
unset ARC_BUNDLER_ENVELOPE_PASSPHRASE

ENVELOPE_UNTIL=''      # its end in words, once it was opened
CERTIFICATE=''         # the service principal's certificate with its key in base64, where an envelope held one

# Nothing secret below goes by a here-string: bash before 5.1 writes those to a file.

# EnvelopedData (RFC 5652 section 6.1) for recipients by RSA with PKCS #1 v1.5, AES-256-CBC: what seal-secret writes.
is_envelope() {
    local recipients
    AT=0
    der_last 30 && der_over 06092a864886f70d010703 && der_last a0 && der_last 30 && der_over 020100 && der_into 31 || return 1
    recipients=$DER_END
    while [[ $AT -lt $recipients ]]; do is_recipient || return 1; done
    der_last 30 && der_over 06092a864886f70d010701301d060960864801650304012a0410 && AT=$((AT + 32)) && der_last 80
}

is_recipient() {
    der_into 30 && der_over 020100 && der_into 30 && AT=$DER_END && der_over 300d06092a864886f70d0101010500 &&
        der_into 04 && AT=$DER_END
}

# not_opened WHY
not_opened() {
    SECRET_PROBLEM=$1
    return 1
}

# hold_envelope: reads it once. What is looked at is what will be opened, though another user may exchange the file.
hold_envelope() {
    make_scratch || not_opened "$NO_SPACE" || return
    [[ ! -s $SCRATCH/envelope ]] || return 0
    [[ -f $ENVELOPE && -r $ENVELOPE ]] || not_opened "the envelope $ENVELOPE cannot be read" || return
    { head -c 1048577 <"$ENVELOPE" >"$SCRATCH/envelope"; } 2>/dev/null && return
    rm -f -- "$SCRATCH/envelope"
    has_room "$SCRATCH" || not_opened "$NO_SPACE" || return
    not_opened "the envelope $ENVELOPE cannot be read"
}

# look_at_envelope: whether it can be opened, as far as that is visible without its key; otherwise SECRET_PROBLEM.
look_at_envelope() {
    [[ -n $SEALER ]] || not_opened 'this bundle is not sealed, so envelopes cannot be verified; use --secret-file' || return
    command -v openssl >/dev/null || not_opened 'openssl is missing, which opens envelopes: install it (package openssl), or use --secret-file' || return
    hold_envelope || return
    HEX=''
    [[ $(($(wc -c <"$SCRATCH/envelope"))) -gt 1048576 ]] || HEX=$(in_hex <"$SCRATCH/envelope")
    is_envelope || not_opened "$ENVELOPE is not an envelope, or is incomplete" || return
    [[ -n $RECIPIENT_KEY || ! -f $ENVELOPE.p12 ]] || RECIPIENT_KEY=$ENVELOPE.p12
    [[ -n $RECIPIENT_KEY ]] || not_opened "the key that opens the envelope is missing: use --recipient-key FILE, or put $ENVELOPE.p12 next to it" || return
    [[ -f $RECIPIENT_KEY && -r $RECIPIENT_KEY ]] || not_opened "the envelope's key $RECIPIENT_KEY cannot be read"
}

obtain_passphrase() {
    if [[ -n $PASSPHRASE_FILE ]]; then
        [[ -f $PASSPHRASE_FILE && -r $PASSPHRASE_FILE ]] || cannot_read 'the passphrase' --passphrase-file "$PASSPHRASE_FILE" || return
        IFS= read -r PASSPHRASE <"$PASSPHRASE_FILE" || :
    elif [[ $PASSPHRASE_STDIN == yes ]]; then
        IFS= read -r PASSPHRASE || :
    elif [[ -n $PASSPHRASE_FROM_ENVIRONMENT ]]; then
        PASSPHRASE=$PASSPHRASE_FROM_ENVIRONMENT
        PASSPHRASE_FROM_ENVIRONMENT=''
    elif [[ -t 0 && -t 2 ]]; then
        ask_hidden "the passphrase of $RECIPIENT_KEY"
        PASSPHRASE=$ANSWER
        ANSWER=''
    else
        not_opened "the passphrase of $RECIPIENT_KEY is missing: no file, no variable, and no terminal" || return
    fi
    PASSPHRASE=${PASSPHRASE#$'\xef\xbb\xbf'}
    PASSPHRASE=${PASSPHRASE%$'\r'}
    hold_secret "$PASSPHRASE"
    [[ -n $PASSPHRASE ]] || not_opened 'the passphrase is empty'
}

KEY=''                 # the recipient's private key, and its certificate where one is with it, in PEM: never in a file

# with_passphrase PASSPHRASE: fills KEY. The passphrase goes by a pipe.
with_passphrase() {
    if [[ $KEY_FORM == PEM ]]; then
        KEY=$(printf '%s\n' "$1" | openssl pkey -in "$RECIPIENT_KEY" -passin stdin 2>/dev/null) &&
            KEY+=$'\n'$(sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p' "$RECIPIENT_KEY")
    else
        KEY=$(printf '%s\n' "$1" | openssl pkcs12 -in "$RECIPIENT_KEY" -nodes -clcerts -passin stdin 2>"$SCRATCH/said")
    fi
}

read_key() {
    local KEY_FORM=PKCS12 plain
    ! grep -q -e '-----BEGIN ' "$RECIPIENT_KEY" || KEY_FORM=PEM
    if [[ $KEY_FORM == PEM ]] && ! grep -q -e 'ENCRYPTED' "$RECIPIENT_KEY"; then
        KEY=$(<"$RECIPIENT_KEY")
    else
        obtain_passphrase || return
        with_passphrase "$PASSPHRASE" && return
        # Words typed from paper may have capitals and extra blanks.
        plain=${PASSPHRASE,,}
        plain=${plain//[[:space:]]/ }
        while [[ $plain == *'  '* ]]; do plain=${plain//  / }; done
        plain=${plain# }
        plain=${plain% }
        hold_secret "$plain"
        with_passphrase "$plain" && return
        ! grep -qi -e 'unsupported' -e 'fips' -e 'disabled' "$SCRATCH/said" 2>/dev/null ||
            not_opened "openssl does not know here how $RECIPIENT_KEY is encrypted (FIPS mode?): have it made with seal-secret --modern" || return
        not_opened "the passphrase does not open $RECIPIENT_KEY, or that file is not a key"
    fi
}

LETTER=''

# decrypt: the letter that is signed in there, to LETTER; from pipe to pipe. How both ended is in $SCRATCH/ended.
# -debug_decrypt: openssl says that a key does not fit, which it otherwise hides from who may ask again and again.
# -noverify: the certificate is compared below.
decrypt() {
    local recipient=()
    [[ ! -s $SCRATCH/recipient ]] || recipient=(-recip "$SCRATCH/recipient")
    rm -f -- "$SCRATCH/signers"
    {
        LETTER=$(
            printf '%s\n' "$KEY" |
                openssl cms -decrypt -debug_decrypt -binary -inform DER -in "$SCRATCH/envelope" -inkey /dev/stdin ${recipient[@]+"${recipient[@]}"} |
                openssl cms -verify -binary -inform DER -noverify -signer "$SCRATCH/signers"
        )
    } 2>/dev/null
}

# open_envelope: fills SECRET, or CERTIFICATE, or SECRET_PROBLEM with why not. Not to be called in a subshell.
open_envelope() {
    local code=0
    KEY='' LETTER=''
    make_scratch || not_opened 'no folder can be created in /var/tmp or /tmp' || return
    look_at_envelope && read_key && hold_key "$KEY" && read_letter && check_letter || code=1
    KEY='' PASSPHRASE='' LETTER='' HEX=''
    return "$code"
}

RECIPIENT=''           # fingerprint of the certificate that it was opened with; empty: the key came without one

read_letter() {
    local held named seen
    RECIPIENT=''
    printf '%s\n' "$KEY" | sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p;/END CERTIFICATE/q' >"$SCRATCH/recipient"
    if [[ -s $SCRATCH/recipient ]]; then
        held=$(openssl x509 -in "$SCRATCH/recipient" -outform DER 2>/dev/null | in_hex)
        named=$(issuer_and_serial "$held") || not_opened "the certificate in $RECIPIENT_KEY cannot be read" || return
        [[ $HEX == *"$named"* ]] || not_opened "the envelope is for another recipient than $RECIPIENT_KEY" || return
        RECIPIENT=$(openssl x509 -in "$SCRATCH/recipient" -outform DER | sha256_of_input)
    fi
    decrypt || not_opened "the envelope has changed since it was made, or it is not for $RECIPIENT_KEY" || return
    # shellcheck disable=SC2126  # grep -c would end with 1
    [[ $(grep -e '-----BEGIN CERTIFICATE' "$SCRATCH/signers" | wc -l) -eq 1 ]] || not_opened 'the envelope does not have exactly one signer' || return
    seen=$(openssl x509 -in "$SCRATCH/signers" -outform DER 2>/dev/null | sha256_of_input)
    [[ $seen == "$SEALER" ]] || not_opened "the envelope is not signed by the bundle's sealer: its signer has the fingerprint $seen"
}

# letter_lines: fills what check_letter has named; returns 1 for a line that it does not know.
letter_lines() {
    local rest=$LETTER$'\n' line
    while [[ -n $rest ]]; do
        line=${rest%%$'\n'*}
        rest=${rest#*$'\n'}
        case $line in
            'bundle: '*) bundle=${line#*: } ;;
            'kind: '*) kind=${line#*: } ;;
            'expires: '*) expires=${line#*: } ;;
            'for: '*) [[ ${line#*: } != "$RECIPIENT" ]] || listed=yes ;;
            'secret: '*) held=${line#*: } ;;
            'arc-bundler envelope 1') first=yes ;;
            *) return 1 ;;
        esac
    done
    [[ $first == yes && $expires =~ ^[0-9]{1,11}$ && -n $held && -z ${held//[A-Za-z0-9+\/=]/} ]]
}

check_letter() {
    local bundle='' kind='' expires='' held='' first=no listed=no until DOUBTS=() NOW
    letter_lines || not_opened 'the envelope has an unknown content' || return
    readable "$bundle"
    [[ $bundle == "$BUNDLE_NAME" ]] || not_opened "the envelope is for the bundle $READABLE, and this one is $BUNDLE_NAME" || return
    NOW=$(date +%s)
    each_signer check_sealer
    [[ ${#DOUBTS[@]} -eq 0 ]] || not_opened "the envelope cannot be verified: ${DOUBTS[0]}" || return
    until=$(date -u -d "@$expires" '+%Y-%m-%d %H:%M UTC')
    [[ $NOW -le $expires ]] || not_opened "the envelope expired on $until; ask for a new one" || return
    [[ -z $RECIPIENT || $listed == yes ]] || not_opened 'the content of the envelope is for other recipients: it was moved into another envelope' || return
    readable "$kind"
    [[ $kind == "$(wanted_kind)" ]] || not_opened "the envelope holds a $READABLE, and this bundle signs in with ${AUTHENTICATION//-/ }" || return
    take_out || return
    ENVELOPE_UNTIL=$until
}

check_sealer() { [[ $1 != sealer ]] || check_validity "$3" "$4" "$5" "$6"; }

# hold_certificate: in base64, as it is held; and its key's lines where it is PEM.
hold_certificate() {
    local plain
    hold_secret "$CERTIFICATE"
    # "-----BEGIN" in base64
    [[ $CERTIFICATE == LS0tLS1CRUdJT* ]] || return 0
    plain=$(printf '%s' "$CERTIFICATE" | openssl base64 -d -A)
    hold_key "$plain"
}

# take_out: what the letter holds in base64.
take_out() {
    local again
    if [[ $kind == certificate ]]; then
        CERTIFICATE=$held
        hold_certificate
        return
    fi
    { SECRET=$(printf '%s' "$held" | openssl base64 -d -A); } 2>/dev/null
    again=$(printf '%s' "$SECRET" | openssl base64 -A)
    [[ $again == "$held" ]] || not_opened 'the secret in the envelope is not text' || return
    check_secret_text
}

# leave_envelope: called when nothing needs it any more.
leave_envelope() {
    local file
    [[ -z $EMBEDDED_SECRET || $MODE == uninstall ]] || note "this bundle holds the secret ($EMBEDDED_SECRET): destroy it and its archive when all servers are connected"
    [[ -n $ENVELOPE ]] || return 0
    if [[ $DESTROY_ENVELOPE == no ]]; then
        note "$ENVELOPE is no longer needed here: delete it (or use --destroy-envelope)"
        return
    fi
    # The key beside it was made for this envelope; any other is the server's own.
    destroy "$ENVELOPE" "$ENVELOPE.p12"
    for file in ${LINKED[@]+"${LINKED[@]}"}; do
        warning "$file had another name (a hard link): it is removed, but its content still exists under the other name"
    done
    for file in "$ENVELOPE" "$ENVELOPE.p12"; do
        [[ ! -e $file ]] || note "$file could not be removed: delete it"
    done
}
