# Secrets by their value: what this run holds is left out of all that it shows and writes, in every spelling of the table
# in secret_forms.sh. Bash alone makes the expressions: a secret is in no program's arguments and in no file.

export -n LEFT_ANSWER SECRET_PATTERNS HELD SPELLED LITERAL FILLED ANY_CASE NAMED BASE64_LETTERS ways way all letter gap said VISIBLE_UNIT value part parts rest line unit units own byte bytes pattern found before HIDDEN UNMARKED READABLE
SECRET_PATTERNS=()     # expressions that find what is held
SPELLED=()             # by byte: the spellings of that ASCII character
HELD=()                # the values
SHORT_HELD=no          # a value is shorter than SECRET_WHOLE_WORD

# hold_secret VALUE: from here on.
hold_secret() {
    local value=$1 rest part parts=() lines=0 long=no
    [[ -n $value ]] || return 0
    for rest in ${HELD[@]+"${HELD[@]}"}; do [[ $rest != "$value" ]] || return 0; done
    HELD+=("$value")
    rest=$value$'\n'
    count_characters "$value"
    [[ $CHARACTERS -lt $SECRET_LONG ]] || long=yes
    while [[ -n $rest ]]; do
        part=${rest%%$'\n'*}
        rest=${rest#*$'\n'}
        trim_blanks
        [[ -n $part ]] || continue
        lines=$((lines + 1))
        parts+=("$part")
    done
    for part in ${parts[@]+"${parts[@]}"}; do
        count_characters "$part"
        [[ $lines -eq 1 || ($CHARACTERS -ge $SECRET_LINE && $part != "$SECRET_ARMOR"*) ]] || continue
        hold_part
    done
}

# hold_key PEM: the private keys in it, and not the certificates.
hold_key() {
    local rest=$1$'\n' line value='' inside=no
    while [[ -n $rest ]]; do
        line=${rest%%$'\n'*}
        rest=${rest#*$'\n'}
        [[ $line != *'-BEGIN '*'PRIVATE KEY-'* ]] || inside=yes
        [[ $inside == no ]] || value+=$line$'\n'
        [[ $line != *'-END '* ]] || inside=no
    done
    hold_secret "$value"
}

# hold_environment: what came in variables, before anything is said.
hold_environment() {
    hold_secret "${SECRET_FROM_ENVIRONMENT#$'\xef\xbb\xbf'}"
    hold_secret "${PASSPHRASE_FROM_ENVIRONMENT#$'\xef\xbb\xbf'}"
}

# warn_of_short: what is so short cannot be told from other text.
warn_of_short() {
    [[ $SHORT_HELD == no ]] || warning "a secret of under $SECRET_WHOLE_WORD characters is left out of the log only where it stands as a word of its own: use a longer one"
}

# count_characters TEXT: fills CHARACTERS: the bytes of UTF-8 that do not continue one.
count_characters() {
    local value=${1//[$'\200'-$'\277']/}
    CHARACTERS=${#value}
}

# trim_blanks: of part.
trim_blanks() {
    part=${part#"${part%%[!$' \t\r']*}"}
    part=${part%"${part##*[!$' \t\r']}"}
}

# hold_part: the expressions of part, which has CHARACTERS.
hold_part() {
    local bytes=() wide=() units=() short=no
    [[ $CHARACTERS -ge $SECRET_WHOLE_WORD ]] || short=yes SHORT_HELD=yes
    spell_part
    join_units "$SECRET_GAP" ${units[@]+"${units[@]}"}
    [[ $short == no ]] || return 0
    hold_base64 "${bytes[@]}"
    [[ $long == no ]] || return 0
    hold_base64 "${wide[@]}"
    hold_numbers
}

# join_units GAP UNIT...: one more expression.
join_units() {
    local found='' gap=$1 unit
    shift
    for unit in "$@"; do found+=${found:+$gap}$unit; done
    SECRET_PATTERNS+=("$found")
}

# spell_part: fills bytes, wide (UTF-16, the low byte first) and units (each character's spellings) from part.
spell_part() {
    local at length=${#part} size code own unit plain='^[A-Za-z0-9]$'
    for ((at = 0; at < length; at += size)); do
        take_character
        spell_character
        # A short value only as a whole word; the unit is "(x|...)" there.
        if [[ $short == yes && $own =~ $plain ]]; then
            ((at + size < length)) || unit="($own$SECRET_EDGE${unit#"($own"}"
            ((at > 0)) || unit="($SECRET_EDGE${unit#(}"
        fi
        units+=("$unit")
    done
}

# byte_at PLACE: fills BYTE from part.
byte_at() {
    printf -v BYTE %d "'${part:$1:1}"
    BYTE=$((BYTE & 255))
}

# take_character: fills own (as it stands in part), code and size from part at at; a byte that is no UTF-8 counts as one.
take_character() {
    local more=0 next
    byte_at "$at"
    code=$BYTE size=1
    bytes+=("$BYTE")
    if ((BYTE >= 240)); then more=3 code=$((BYTE & 7)); elif ((BYTE >= 224)); then more=2 code=$((BYTE & 15)); elif ((BYTE >= 192)); then more=1 code=$((BYTE & 31)); fi
    for ((next = at + 1; next <= at + more; next++)); do
        byte_at "$next"
        bytes+=("$BYTE")
        code=$(((code << 6) | (BYTE & 63)))
    done
    size=$((more + 1))
    own=${part:at:size}
}

# spell_character: fills unit with every spelling of own, by its code point in code; and wide.
spell_character() {
    local pairs=("$code") byte
    ((code < 65536)) || pairs=($((0xd800 + ((code - 65536) >> 10))) $((0xdc00 + ((code - 65536) & 1023))))
    for byte in "${pairs[@]}"; do wide+=($((byte & 255)) $((byte >> 8))); done
    unit=$own
    [[ $long == no || ! $own =~ ^[A-Za-z0-9]$ ]] || return 0
    unit=''
    ((size > 1)) || unit=${SPELLED[code]:-}
    [[ -z $unit ]] || return 0
    all_spellings
    ((size > 1)) || SPELLED[code]=$unit
}

# all_spellings: the same, in the order of the table.
all_spellings() {
    local number way ways='' all place
    for ((place = at; place < at + size; place++)); do
        byte_at "$place"
        literal "$BYTE"
        ways+=$LITERAL
    done
    for way in "${SECRET_BYTES[@]}"; do
        all=''
        for ((place = at; place < at + size; place++)); do
            byte_at "$place"
            fill_in "$way" "$BYTE"
            all+=$FILLED
        done
        ways+="|$all"
    done
    all=''
    for number in "${pairs[@]}"; do fill_in "$SECRET_UNIT" "$number" && all+=$FILLED; done
    ways+="|$all"
    [[ ${#pairs[@]} -eq 1 ]] || { fill_in "$SECRET_UNIT" "$code" && ways+="|$FILLED"; }
    fill_in "$SECRET_REFERENCE" "$code"
    ways+="|$FILLED"
    if ((size > 1)); then
        in_utf16
        unit="$SECRET_ESCAPE($ways)"
    elif [[ $own =~ ^[A-Za-z0-9]$ ]]; then
        unit="($ways)"
    else
        named_spellings "$own"
        for way in ${NAMED[@]+"${NAMED[@]}"}; do ways+="|$way"; done
        unit="$SECRET_ESCAPE($ways)"
    fi
}

# in_utf16: adds the bytes of UTF-16 to ways, in both orders, without NUL, which is left out of all text.
in_utf16() {
    local number low='' high=''
    for number in "${pairs[@]}"; do
        literal $((number & 255)) && low+=$LITERAL
        literal $((number >> 8)) && low+=$LITERAL && high+=$LITERAL
        literal $((number & 255)) && high+=$LITERAL
    done
    ways+="|$low|$high"
}

# literal BYTE: fills LITERAL with an expression for it; NUL has none.
literal() {
    LITERAL=''
    (($1 > 0)) || return 0
    printf -v LITERAL '\\x%02x' "$1"
    printf -v LITERAL %b "$LITERAL"
    case $LITERAL in
        [A-Za-z0-9]) ;;
        $'\n') LITERAL=$'\002' ;;
        [\\^[] | ']') LITERAL="\\$LITERAL" ;;
        *) (($1 >= 128)) || LITERAL="[$LITERAL]" ;;
    esac
}

# fill_in WAY NUMBER: fills FILLED: the number's digits in the places of the marks.
fill_in() {
    local digits
    FILLED=$1
    any_case %02x "$2" && FILLED=${FILLED//@H/$ANY_CASE}
    printf -v digits %03o "$2" && FILLED=${FILLED//@O/$digits}
    FILLED=${FILLED//@D/$2}
    any_case %x "$2" && FILLED=${FILLED//@U/$ANY_CASE}
}

# any_case FORM NUMBER: fills ANY_CASE with its hex digits, letters in both cases.
any_case() {
    local at digits upper
    # shellcheck disable=SC2059  # the form is one of two
    printf -v digits "$1" "$2"
    upper=${digits^^}
    ANY_CASE=''
    for ((at = 0; at < ${#digits}; at++)); do
        case ${digits:at:1} in
            [a-f]) ANY_CASE+="[${digits:at:1}${upper:at:1}]" ;;
            *) ANY_CASE+=${digits:at:1} ;;
        esac
    done
}

BASE64_LETTERS=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/

# hold_base64 BYTE...: the characters that these bytes alone decide, behind 0, 1 and 2 other bytes (RFC 4648).
hold_base64() {
    local before bits held units letter byte
    for before in 0 1 2; do
        # The bits of the first character that others decide, too, are passed over.
        bits=$((before == 0 ? 0 : 6 - before * 8 % 6)) held=0 units=()
        bits=$((-bits))
        for byte in "$@"; do
            held=$(((held << 8 | byte) & 65535))
            bits=$((bits + 8))
            while ((bits >= 6)); do
                bits=$((bits - 6))
                letter=${BASE64_LETTERS:(held >> bits) & 63:1}
                case $letter in
                    +) letter=$SECRET_BASE64_PLUS ;;
                    /) letter=$SECRET_BASE64_SLASH ;;
                esac
                units+=("$letter")
            done
        done
        ((${#units[@]} < SECRET_BASE64_LEAST)) || join_units "$SECRET_GAP" "${units[@]}"
    done
}

# hold_numbers: bytes in hex, and in decimal as Go prints them.
hold_numbers() {
    local units=() byte
    for byte in "${bytes[@]}"; do any_case %02x "$byte" && units+=("$ANY_CASE"); done
    join_units "$SECRET_HEX_GAP" "${units[@]}"
    join_units "$SECRET_DECIMAL_GAP" "${bytes[@]}"
}

COLOUR=$'\033\\[[0-9;?]*[ -/]*[@-~]'    # what steers a terminal's colours (ECMA-48 section 5.4)

# hide_held: what is held, out of HIDDEN.
hide_held() {
    [[ ${#SECRET_PATTERNS[@]} -eq 0 || -z $HIDDEN ]] || replace_patterns "${SECRET_PATTERNS[@]}"
}

# replace_patterns PATTERN...: each match in HIDDEN becomes ***, over line breaks too.
replace_patterns() {
    local rest text=${HIDDEN//$'\002'/?} pattern colour=$COLOUR
    while [[ $text =~ $colour ]]; do text=${text/"${BASH_REMATCH[0]}"/}; done
    text=${text//$'\n'/$'\002'}
    for pattern in "$@"; do
        rest=$text text=''
        while [[ $rest =~ $pattern ]]; do
            text+="${rest%%"${BASH_REMATCH[0]}"*}***"
            rest=${rest#*"${BASH_REMATCH[0]}"}
        done
        text+=$rest
    done
    HIDDEN=${text//$'\002'/$'\n'}
}

# has_descriptors: whether programs can open a descriptor of ours by name, as on every server that has /proc.
has_descriptors() { [[ -r /dev/fd/0 ]]; }

# leave_held_out: what is held, out of what passes, and whole private keys. NUL is left out, so that UTF-16 reads like
# ASCII. All is one line for sed, since a value may be wrapped over several. What cannot be searched is not shown.
leave_held_out() {
    local HIDDEN
    if has_descriptors; then
        tr -d '\000\002' | tr '\n' '\002' | sed -E -f /dev/fd/7 7< <(print_held_script) | tr '\002' '\n'
    else
        HIDDEN=$(tr -d '\000\002' && printf .)
        HIDDEN=${HIDDEN%.}
        replace_patterns "${SECRET_SHAPES[0]}" ${SECRET_PATTERNS[@]+"${SECRET_PATTERNS[@]}"}
        printf '%s' "$HIDDEN"
    fi || echo '(output left out: it could not be searched for the secret)'
}

# print_held_script: for sed: colours are left out, then whole private keys, then what is held.
print_held_script() {
    local pattern
    printf 's\001%s\001%s\001g\n' "$COLOUR" '' "${SECRET_SHAPES[0]}" "${SECRET_SHAPES[1]}"
    for pattern in ${SECRET_PATTERNS[@]+"${SECRET_PATTERNS[@]}"}; do printf 's\001%s\001***\001g\n' "$pattern"; done
}

# held_is_in: whether what is held is in standard input, in any spelling. What cannot be searched counts as yes.
held_is_in() {
    local HIDDEN before
    if has_descriptors; then
        tr -d '\000\002' | tr '\n' '\002' | sed -E -e $'s\001'"$COLOUR"$'\001\001g' |
            grep -E -q -f /dev/fd/7 7< <(printf '%s\n' "${SECRET_PATTERNS[@]}")
        [[ ${PIPESTATUS[3]} -ne 1 ]]
    else
        HIDDEN=$(tr -d '\000\002\033')
        before=$HIDDEN
        hide_held
        [[ $HIDDEN != "$before" ]]
    fi
}
