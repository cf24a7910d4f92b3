# Eight hex digits that tell this machine from others of its host name, for names of files and for receipts.

MACHINE_DIGITS=''
# machine-id(5), and the UUID of the firmware (SMBIOS 3.7, 7.2.1), which root alone can read.
MACHINE_FILES=(/etc/machine-id /sys/class/dmi/id/product_uuid)
MACHINE_KNOWN=yes      # no: nothing but the host name tells it apart

# first_word FILE: the first line of FILE in lower case, without blanks; nothing where it cannot be read.
first_word() {
    local line=''
    # One that may not be read is not there for this run.
    { IFS= read -r line <"$1"; } 2>/dev/null || :
    line=${line//[[:space:]]/}
    printf '%s' "${line,,}"
}

# machine_key: prints the first of the two that is one. A value that many machines share is none: all of one digit, or the
# one that boards are delivered with.
machine_key() {
    local key form='^[0-9a-f]{32}$'
    key=$(first_word "${MACHINE_FILES[0]}")
    [[ ! $key =~ $form || -z ${key//0/} ]] || { printf '%s' "$key"; return; }
    key=$(first_word "${MACHINE_FILES[1]}")
    form='^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    [[ $key =~ $form && $key != 03000200-0400-0500-0006-000700080009 ]] || return 1
    [[ -n ${key//[0-]/} && -n ${key//[f-]/} ]] && printf '%s' "$key"
}

# know_machine: fills MACHINE_DIGITS. install.ps1 hashes the same bytes: our name, a blank, "machine", a blank, the key.
know_machine() {
    local key
    key=$(machine_key) || { MACHINE_KNOWN=no; key=${HOST,,}; }
    MACHINE_DIGITS=$(printf 'arc-bundler machine %s' "$key" | sha256_of_input)
    MACHINE_DIGITS=${MACHINE_DIGITS:0:8}
}
