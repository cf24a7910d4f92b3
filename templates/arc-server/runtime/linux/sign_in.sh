# How the agent signs in: what is needed, and the files that azcmagent reads.

check_certificate() {
    [[ -n $CERTIFICATE_FILE && -z $ENVELOPE && $STATE != wanted ]] || return 0
    [[ -r $CERTIFICATE_FILE || ($EUID -ne 0 && -e $CERTIFICATE_FILE) ]] ||
        problem 202 "the service principal's certificate $CERTIFICATE_FILE is missing" no-certificate
}

# Whether a secret is needed: a certificate may already be on this machine.
secret_wanted() {
    [[ -n $SECRET_FLAG$ENVELOPE || ($AUTHENTICATION == service-principal-certificate && -z $CERTIFICATE_FILE) ]]
}

# secret_is_there: whether it can be read; otherwise SECRET_PROBLEM.
secret_is_there() {
    if [[ -n $ENVELOPE ]]; then
        look_at_envelope
    elif [[ -z $SECRET_FLAG ]]; then
        not_opened 'the certificate of the service principal comes in an envelope: --envelope FILE'
    else
        secret_source >/dev/null || not_opened "$SECRET_NAME is missing: no file, no variable, and no terminal"
    fi
}

check_secret_source() {
    # Of an unknown state that alone is said.
    [[ $STATE != wanted && ($STATE != unknown || $FORCE_LOCAL_ONLY == yes) ]] || return 0
    if secret_wanted; then
        secret_is_there || { no_secret "$SECRET_PROBLEM"; return; }
        [[ $MODE != check || -n $ENVELOPE ]] || note 'not looked at: the secret, which --check does not read'
    elif [[ $AUTHENTICATION == device-code || $AUTHENTICATION == interactive ]]; then
        [[ -t 1 || -t 2 ]] || no_secret "signing in by device code needs a terminal that shows the code"
    fi
}

# no_secret TEXT: --check asks about the machine and its network, and needs no secret. An envelope that was given to it is
# looked at.
no_secret() {
    if [[ $MODE == check && -z $ENVELOPE ]]; then
        note "not looked at: the secret ($1)"
    else
        problem 203 "$1"
    fi
}

# The secret is read before anything is changed, so that a run without one changes nothing. --check does not ask for it, but
# opens an envelope to show whether it is the right one.
obtain_secret() {
    secret_wanted && [[ $STATE != wanted ]] || return 0
    [[ $MODE != check || -n $ENVELOPE ]] || return 0
    read_secret "$SECRET_NAME" && check_secret_form && check_token || fail 203 "$SECRET_PROBLEM"
}

# Where the secret came from, when that is worth a line in the receipt.
secret_text() {
    if [[ -n $ENVELOPE_UNTIL ]]; then
        printf '; the %s came from the envelope, valid until %s' "$(wanted_kind)" "$ENVELOPE_UNTIL"
    elif [[ $SECRET_CAME == 'the bundle' ]]; then
        printf '; the secret came from the bundle'
    fi
}

# raw_flag KEY: "key": value as it stands in the connection's parameters.
raw_flag() {
    local form="\"$1\": (\"([^\"\\\\]|\\\\.)*\"|true)"
    [[ $CONNECT_JSON =~ $form ]] || return 0
    printf '%s' "${BASH_REMATCH[0]}"
}

# print_secret: what signs in besides CONNECT_JSON, as a flag and its value: in no program's arguments, since printf and
# json_string are bash's own.
print_secret() {
    local file
    if [[ -n $SECRET_FLAG ]]; then
        printf '"%s": ' "$SECRET_FLAG" && json_string "$SECRET"
    elif [[ -n $CERTIFICATE ]]; then
        file=$(write_certificate) && printf '"service-principal-cert": ' && json_string "$file"
    fi
}

# disconnect takes what signs in, and nothing else.
write_sign_in_file() {
    local key flag out='' keys=(tenant-id service-principal-id service-principal-cert use-device-code)
    [[ -z $CERTIFICATE ]] || keys=(tenant-id service-principal-id)
    for key in "${keys[@]}"; do
        flag=$(raw_flag "$key")
        [[ -z $flag ]] || out+="${out:+, }$flag"
    done
    printf '{ %s' "$out"
    [[ -z $SECRET_FLAG$CERTIFICATE ]] || { printf '%s' "${out:+, }" && print_secret; }
    printf '}\n'
}

write_connect_file() {
    local parameters=$CONNECT_JSON flag
    if [[ -n $CERTIFICATE ]]; then
        # The envelope's goes before the file that the definition names.
        flag=$(raw_flag service-principal-cert)
        [[ -z $flag ]] || parameters=${parameters%%", $flag"*}${parameters#*"$flag"}
    fi
    if [[ -z $SECRET_FLAG$CERTIFICATE ]]; then
        printf '%s\n' "$parameters"
    else
        printf '%s, ' "${parameters%\}}" && print_secret && printf '}\n'
    fi
}

# What this bundle signs in with, as an envelope calls it.
wanted_kind() {
    case $AUTHENTICATION in
        service-principal-secret) echo secret ;;
        access-token) echo token ;;
        service-principal-certificate) echo certificate ;;
    esac
}

# write_certificate: the service principal's certificate as a file for azcmagent; prints its path.
write_certificate() {
    local name=certificate.pfx
    # "-----BEGIN" in base64
    [[ $CERTIFICATE != LS0tLS1CRUdJT* ]] || name=certificate.pem
    printf '%s' "$CERTIFICATE" | openssl base64 -d -A >"$SAFE/$name" && printf '%s' "$SAFE/$name"
}
