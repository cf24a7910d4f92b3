# What is not shown and not logged: secrets, passwords of proxies, and what steers a terminal.

HIDDEN=''              # what hide was given, to be shown

# hide TEXT: an address without its user and password (RFC 3986 section 3.2.1), also one without a scheme, as proxies'
# are written. A proxy may come from the environment, or from an earlier configuration.
# What a proxy or a server answers may hold what steers a terminal (ECMA-48; U+0080 to U+009F are two bytes of UTF-8).
hide() {
    local form='://[^/[:space:]"<>]+@'
    HIDDEN=${1//[$'\001'-$'\010'$'\013'-$'\037'$'\177']/?}
    HIDDEN=${HIDDEN//$'\302'[$'\200'-$'\237']/?}
    [[ $HIDDEN == *@* ]] || return 0
    hide_form "$form" ://
    form='[^][/:[:space:]"=@<>]+:[^/[:space:]"<>*]+@'
    hide_form "$form" ''
}

# hide_form FORM FRONT: each place of HIDDEN that is like FORM becomes FRONT***@
hide_form() {
    local rest=$HIDDEN
    HIDDEN=''
    while [[ $rest =~ $1 ]]; do
        HIDDEN+="${rest%%"${BASH_REMATCH[0]}"*}$2***@"
        rest=${rest#*"${BASH_REMATCH[0]}"}
    done
    HIDDEN+=$rest
}

# hide_lines: the same for a stream, and credentials too. Package managers write a line over itself with \r.
hide_lines() {
    sed -E -e $'s/[\001-\010\013\014\016-\037\177]/?/g' -e $'s/\302[\200-\237]/?/g' -e 's#(://)[^/[:space:]"<>]+@#\1***@#g' -e 's#[^][/:[:space:]"=@<>]+:[^/[:space:]"<>*]+@#***@#g' \
        -e 's/eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]+/***/g' \
        -e 's/((Bearer|Basic)[[:space:]]+)[A-Za-z0-9+\/=._~-]{8,}/\1***/g' \
        -e "s/(--?(${SECRET_FLAGS:-p})[[:space:]=]+)[^[:space:]]+/\\1***/g"
}
