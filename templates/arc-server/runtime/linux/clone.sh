# Whether the resource belongs to this machine, or the machine is a copy of a connected one.

DMI=/sys/class/dmi/id

# plain_uuid UUID: fills PLAIN_UUID and, with the first three groups in the other byte order, OTHER_UUID (SMBIOS 2.6, 7.2.1);
# both empty where it is none.
plain_uuid() {
    local form='^([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{16})$'
    local text=${1,,}
    text=${text//[-\{\} ]/}
    PLAIN_UUID='' OTHER_UUID=''
    [[ $text =~ $form && ${text//[0f]/} ]] || return 0
    PLAIN_UUID=$text
    set -- "${BASH_REMATCH[@]}"
    OTHER_UUID=$5$4$3$2$7$6$9$8${10}
}

PLAIN_UUID='' OTHER_UUID=''

# other_hardware: whether the agent was connected on other (virtual) hardware than this.
other_hardware() {
    local shown here=''
    field vmuuid || return 1
    plain_uuid "$FIELD"
    shown=$PLAIN_UUID
    [[ -n $shown && -r $DMI/product_uuid ]] || return 1
    read -r here <"$DMI/product_uuid" || [[ -n $here ]]
    plain_uuid "$here"
    [[ -n $PLAIN_UUID && $shown != "$PLAIN_UUID" && $shown != "$OTHER_UUID" ]]
}

# other_name: whether the resource is called after another host. The agent takes the host's name where none is given, on AWS
# the instance's id (azcmagent-connect.md); names of 15 letters may be cut (NetBIOS).
other_name() {
    local name=${SHOWN_NAME,,} host=${HOST,,}
    name=${name%%.*} host=${host%%.*}
    [[ -z $WANTED_NAME && -n $name && ! $name =~ ^i-[0-9a-f]{8,17}$ ]] || return 1
    host=${host//[!a-z0-9_-]/-}
    [[ $name != "$host" && (${#name} -lt 15 || $host != "$name"*) && (${#host} -lt 15 || $name != "$host"*) ]]
}

# clone_text: prints the warning, with the way out; 1 where the resource is this machine's.
clone_text() {
    [[ $STATE == wanted || $STATE == expired ]] || return 1
    if other_hardware; then
        printf 'connected as %s, but on other hardware than this one: a copy of a connected machine?' "$SHOWN_NAME"
    elif other_name; then
        printf 'connected as %s, and this host is %s: renamed, or a copy of a connected machine?' "$SHOWN_NAME" "$HOST"
    else
        return 1
    fi
    printf ' A copy must not use the identity of the original: run azcmagent disconnect --force-local-only, then this script again'
}
