# The managed identity: who may use it, how programs find it, and a proof.

IDENTITY_URL=http://localhost:40342
IDENTITY_FILES=(/etc/profile.d/arc-bundler-identity.sh /etc/systemd/system.conf.d/arc-bundler-identity.conf)
IDENTITY_DONE=()
LACKS=()               # what failed without stopping the run

is_member() { [[ " $(id -nG "$1" 2>/dev/null) " == *' himds '* ]]; }

# add_member USER
add_member() {
    if ! id "$1" >/dev/null 2>&1; then
        [[ $MODE == dry-run ]] || LACKS+=("there is no user $1 to add to himds")
    elif is_member "$1"; then
        :
    elif [[ $MODE == dry-run ]]; then
        IDENTITY_DONE+=("add $1 to himds")
    else
        # Recorded first: if the run is killed in between, --uninstall still removes the member.
        remember member "$1"
        change_member add "$1" && is_member "$1" || { forget member "$1"; LACKS+=("$1 could not be added to himds"); return; }
        IDENTITY_DONE+=("$1 is in himds")
    fi
}

# change_member add|remove USER: with what this system has
change_member() {
    if command -v gpasswd >/dev/null; then
        run gpasswd "--${1/remove/delete}" "$2" himds
    elif command -v usermod >/dev/null && [[ $1 == add ]]; then
        run usermod -a -G himds "$2"
    elif [[ $1 == add ]]; then
        run addgroup "$2" himds
    else
        run delgroup "$2" himds
    fi
}

identity_text() {
    local form=$1
    # shellcheck disable=SC2059  # the form is one of the two below
    printf "$form" IDENTITY_ENDPOINT "$IDENTITY_URL/metadata/identity/oauth2/token" IMDS_ENDPOINT "$IDENTITY_URL"
}

# put_identity_file FILE TEXT
put_identity_file() {
    [[ ! -e $1 || $(<"$1") != "$2" ]] || return 0
    if [[ $MODE == dry-run ]]; then
        IDENTITY_DONE+=("write $1")
        return
    fi
    remember file "$1"
    (umask 022 && mkdir -p -- "${1%/*}") && printf '%s\n' "$2" | put_file "${1%/*}" '' "${1##*/}" 022 || fail 202 "$1 cannot be written"
    IDENTITY_DONE+=("$1")
}

# For login shells, and for services that start from now on, without a restart of systemd.
set_identity_environment() {
    put_identity_file "${IDENTITY_FILES[0]}" "$(identity_text 'export %s=%s\n')"
    put_identity_file "${IDENTITY_FILES[1]}" "[Manager]"$'\n'"$(identity_text 'DefaultEnvironment="%s=%s"\n')"
    [[ $MODE == dry-run ]] ||
        run systemctl set-environment "IDENTITY_ENDPOINT=$IDENTITY_URL/metadata/identity/oauth2/token" "IMDS_ENDPOINT=$IDENTITY_URL" ||
        LACKS+=("systemd reads the identity's variables only at its next start")
}

configure_identity() {
    bundle_members add_member
    [[ $IDENTITY_ENVIRONMENT != yes ]] || set_identity_environment
}

# remove_member USER
remove_member() {
    if is_member "$1" && ! change_member remove "$1"; then trouble "$1 could not be taken out of himds"; return; fi
    forget member "$1"
    note "$1 is out of himds"
}

# remove_file PATH
remove_file() {
    rm -f -- "$1" || { trouble "$1 cannot be removed"; return; }
    forget file "$1"
    rmdir -- /etc/systemd/system.conf.d 2>/dev/null
    run systemctl unset-environment IDENTITY_ENDPOINT IMDS_ENDPOINT
    note "$1 is removed"
}

# ask_identity [KEY]: one request to the local endpoint; fills ANSWER (status line and header) and ANSWER_BODY.
# printf is bash's own: the key is in no program's arguments.
ask_identity() {
    local line body=no
    ANSWER='' ANSWER_BODY=''
    { exec 4<>/dev/tcp/127.0.0.1/40342; } 2>/dev/null || return 1
    printf 'GET /metadata/identity/oauth2/token?resource=https%%3A%%2F%%2F%s&api-version=2020-06-01 HTTP/1.0\r\nHost: localhost:40342\r\nMetadata: true\r\n%s\r\n' \
        "${MANAGER#https://}" "${1:+Authorization: Basic $1$'\r\n'}" >&4
    while IFS= read -r -t 20 line <&4 || [[ -n $line ]]; do
        line=${line%$'\r'}
        if [[ $body == yes ]]; then ANSWER_BODY+=$line; elif [[ -z $line ]]; then body=yes; else ANSWER+=$line$'\n'; fi
    done
    exec 4<&- 4>&-
    [[ -n $ANSWER ]]
}

IDENTITY_PROBLEM=''

# prove_identity: the challenge that a program answers (managed-identity-authentication.md): 401 names a file that only
# root and himds can read; its content opens the second request. Nothing of the token is kept or shown.
prove_identity() {
    local realm='[Bb]asic realm="?([^"'$'\n'']+)' file key
    IDENTITY_PROBLEM='the identity endpoint on port 40342 does not answer'
    ask_identity || return 1
    IDENTITY_PROBLEM="the identity endpoint answers ${ANSWER%%$'\n'*} instead of 401 with a challenge"
    [[ $ANSWER == HTTP/1.?\ 401* && $ANSWER =~ $realm ]] || return 1
    file=${BASH_REMATCH[1]}
    IDENTITY_PROBLEM="the challenge names $file, which is not one of the agent's"
    [[ $file == /var/opt/azcmagent/tokens/* && $file != */../* && -f $file ]] || return 1
    IDENTITY_PROBLEM="$file cannot be read"
    key=$(<"$file") || return 1
    ask_identity "$key" || { IDENTITY_PROBLEM='the identity endpoint does not answer the second request'; return 1; }
    IDENTITY_PROBLEM="the identity endpoint answers ${ANSWER%%$'\n'*} to the key"
    [[ $ANSWER == HTTP/1.?\ 200* ]] && json_value "$ANSWER_BODY" access_token >/dev/null
}
