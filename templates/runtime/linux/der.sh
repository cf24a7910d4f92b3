# DER (X.690), read byte by byte in hex digits.

HEX=''                 # what is read, in hex digits
AT=0                   # where
DER_END=0              # and where the element ends that was entered last

# der_into TAG: into the element at AT; returns 1 where there is none with that tag, or not a whole one.
der_into() {
    local size=${HEX:AT+2:2} more=0
    [[ ${HEX:AT:2} == "$1" ]] || return 1
    case $size in
        [0-7]?) ;;
        8[123]) more=$((2 * 16#${size:1})) size=${HEX:AT+4:more} ;;
        *) return 1 ;;
    esac
    AT=$((AT + 4 + more))
    DER_END=$((AT + 2 * 16#0$size))
    [[ $DER_END -le ${#HEX} ]]
}

# der_last TAG: into the element at AT, behind which nothing comes.
der_last() { der_into "$1" && [[ $DER_END -eq ${#HEX} ]]; }

# der_over DIGITS: over these very ones.
der_over() { [[ ${HEX:AT:${#1}} == "$1" ]] && AT=$((AT + ${#1})); }

in_hex() { od -An -v -tx1 | tr -d ' \n'; }

# issuer_and_serial CERTIFICATE: prints its issuer and serial number, as an envelope names its recipients; both in hex digits.
issuer_and_serial() {
    local HEX=$1 AT=0 serial from
    der_into 30 && der_into 30 || return 1
    [[ ${HEX:AT:2} != a0 ]] || { der_into a0 && AT=$DER_END; }
    from=$AT
    der_into 02 && AT=$DER_END && serial=${HEX:from:AT-from} && der_into 30 && AT=$DER_END || return 1
    from=$AT
    der_into 30 && printf '%s%s' "${HEX:from:DER_END-from}" "$serial"
}
