# What is not shown and not logged: what is held, passwords of proxies, what looks like a secret, and what steers a terminal.

HIDDEN=''              # what hide was given, to be shown

# hide TEXT: an address without its user and password (RFC 3986 section 3.2.1), also one without a scheme, as proxies'
# are written. A proxy may come from the environment, or from an earlier configuration.
# What a proxy, a server or a program answers may hold what steers a terminal (ECMA-48).
hide() {
    local form='://[^/[:space:]"<>]+@'
    HIDDEN=$1
    hide_held
    HIDDEN=${HIDDEN//[$'\001'-$'\010'$'\013'-$'\037'$'\177']/?}
    leave_marks_out "$HIDDEN"
    HIDDEN=$UNMARKED
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

# hide_lines: the same for a stream, and what looks like a secret too. Package managers write a line over itself with \r.
hide_lines() {
    local at script=(-e $'s/[\001-\010\013\014\016-\037\177]/?/g' -e $'s/\302[\200-\237]/?/g' -e $'s/\330\234/?/g'
        -e $'s/\342\200[\216\217\250-\256]/?/g' -e $'s/\342\201[\246-\251]/?/g')
    # The first shape, whole private keys, goes over lines: leave_held_out has it.
    for ((at = 3; at < ${#SECRET_SHAPES[@]}; at += 3)); do
        script+=(-e $'s\001'"${SECRET_SHAPES[at]//@N/$SECRET_NAMES}"$'\001'"${SECRET_SHAPES[at + 1]}"$'\001'"${SECRET_SHAPES[at + 2]}")
    done
    leave_held_out | sed -E "${script[@]}" -e "s/(--?(${SECRET_FLAGS:-p})[[:space:]=]+)[^[:space:]]+/\\1***/g"
}
