# JSON, without tools that a server may lack.

# json_string TEXT: TEXT as a JSON string. Bytes beyond ASCII pass as they are (UTF-8).
# shellcheck disable=SC1003  # '\\' is two backslashes
json_string() {
    local text=$1 out='' at character code
    for ((at = 0; at < ${#text}; at++)); do
        character=${text:at:1}
        case $character in
            '"') out+='\"' ;;
            \\) out+='\\' ;;
            [[:cntrl:]])
                printf -v code '\\u%04x' "'$character"
                out+=$code
                ;;
            *) out+=$character ;;
        esac
    done
    printf '"%s"' "$out"
}

# json_value TEXT KEY: the string or word that the outermost object of TEXT has under KEY, in any case of letters.
# Reads tokens from the front, so a key inside a string or a nested object is never taken for it.
json_value() {
    local rest=$1 wanted=${2,,} key='' depth=0 token value
    local blank='^[[:space:],:]+' string='^"(([^"\\]|\\.)*)"' word='^[^][:space:],:"{}[]+'
    while [[ -n $rest ]]; do
        if [[ $rest =~ $blank ]]; then
            rest=${rest:${#BASH_REMATCH[0]}}
            continue
        elif [[ $rest =~ $string ]]; then
            token=${BASH_REMATCH[0]} value=$(json_unescape "${BASH_REMATCH[1]}")
        elif [[ $rest =~ $word ]]; then
            token=${BASH_REMATCH[0]} value=$token
        else
            token=${rest:0:1} value=''
            case $token in
                '{' | '[') depth=$((depth + 1)) ;;
                '}' | ']') depth=$((depth - 1)) ;;
                *) return 1 ;;
            esac
            # What follows a nested value is a key again.
            [[ $depth -ne 1 || $token == '{' ]] || key=''
            rest=${rest:1}
            continue
        fi
        rest=${rest:${#token}}
        [[ $depth -eq 1 ]] || continue
        if [[ -z $key ]]; then
            key=${value,,}
        elif [[ $key == "$wanted" ]]; then
            printf '%s' "$value"
            return 0
        else
            key=''
        fi
    done
    return 1
}

json_unescape() {
    local text=$1 out='' at next
    if [[ $text != *\\* ]]; then
        printf '%s' "$text"
        return
    fi
    for ((at = 0; at < ${#text}; at++)); do
        if [[ ${text:at:1} != \\ ]]; then
            out+=${text:at:1}
            continue
        fi
        at=$((at + 1))
        next=${text:at:1}
        case $next in
            n) out+=$'\n' ;;
            t) out+=$'\t' ;;
            r) out+=$'\r' ;;
            b | f) ;;
            u)
                # Go writes <, > and & so; what is beyond ASCII it leaves as it is.
                if [[ ${text:at+1:4} =~ ^00[0-7][0-9A-Fa-f]$ ]]; then
                    printf -v next '%b' "\\x${text:at+3:2}"
                    out+=$next
                else
                    out+="\\u${text:at+1:4}"
                fi
                at=$((at + 4))
                ;;
            *) out+=$next ;;
        esac
    done
    printf '%s' "$out"
}
