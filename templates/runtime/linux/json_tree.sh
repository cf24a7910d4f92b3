# Whole JSON values, read token by token: what is cut short or no JSON is told from what says nothing.

# Of each value: where it is; "s" text, "w" number or word, "n" null, "o" object, "a" list; what it says.
JSON_PATHS=() JSON_KINDS=() JSON_VALUES=()
JSON_REST=''           # what follows the value
JSON_BETWEEN=$'\037'   # between the names of a path

# plain_key NAME: fills PLAIN_KEY: as names are compared, since sources write them in many ways.
plain_key() {
    PLAIN_KEY=${1,,}
    PLAIN_KEY=${PLAIN_KEY//(preview)/}
    PLAIN_KEY=${PLAIN_KEY//[[:space:]_.-]/}
}

PLAIN_KEY=''

# json_tree TEXT: whether TEXT begins with a whole object or list (RFC 8259); fills JSON_PATHS and the others.
json_tree() {
    local rest=${1:0:4000} left=${1:4000} want=value token kind text json_open=() json_names=() json_counts=()
    JSON_PATHS=() JSON_KINDS=() JSON_VALUES=() JSON_REST=''
    while json_token; do
        case $kind in
            '{' | '[') json_opens || return 1 ;;
            '}' | ']') json_closes || return 1 ;;
            , | :) json_goes_on || return 1 ;;
            *) json_says || return 1 ;;
        esac
        rest=${rest:${#token}}
        [[ ${#json_open[@]} -eq 0 ]] || continue
        JSON_REST=$rest$left
        return 0
    done
    return 1
}

# json_more: bash takes a text apart in a time that grows with its length, so that only the front of it is looked at.
json_more() {
    [[ -n $left ]] || return 1
    rest+=${left:0:4000}
    left=${left:4000}
}

# json_token: the next one of $rest as token, kind and text. 1 where there is none.
json_token() {
    local string='^"([^"\\]|\\.)*"' word='^(true|false|null|-?[0-9][0-9.eE+-]*)'
    ((${#rest} > 500)) || json_more || :
    rest=${rest#"${rest%%[![:space:]]*}"}
    while [[ -z $rest ]] && json_more; do rest=${rest#"${rest%%[![:space:]]*}"}; done
    token=${rest:0:1} kind=$token text=''
    case $token in
        '{' | '}' | '[' | ']' | , | :) ;;
        '"')
            until [[ $rest =~ $string ]]; do json_more || return 1; done
            token=${BASH_REMATCH[0]} kind=s text=${BASH_REMATCH[0]}
            text=${text:1:${#text}-2}
            [[ $text != *\\* ]] || text=$(json_unescape "$text")
            ;;
        *)
            [[ ${rest:0:100} =~ $word ]] || return 1
            token=${BASH_REMATCH[0]} kind=w text=$token
            [[ $token != null ]] || kind=n text=''
            ;;
    esac
}

json_keep() {
    local depth=${#json_open[@]} at path=''
    for ((at = 0; at < depth; at++)); do path+=${path:+$JSON_BETWEEN}${json_names[at]}; done
    JSON_PATHS+=("$path") JSON_KINDS+=("$1") JSON_VALUES+=("$2")
}

json_opens() {
    local kept=o then='key or end'
    [[ $want == value || $want == 'value or end' ]] && ((${#json_open[@]} < 50)) || return 1
    [[ $token == '{' ]] || kept=a then='value or end'
    json_keep "$kept" ''
    json_open+=("$token") json_names+=(0) json_counts+=(0) want=$then
}

json_closes() {
    local last=$((${#json_open[@]} - 1)) opener='{'
    [[ $token == '}' ]] || opener='['
    ((last >= 0)) && [[ ${json_open[last]} == "$opener" && ($want == *'or end' || $want == comma) ]] || return 1
    unset "json_open[last]" "json_names[last]" "json_counts[last]"
    want=comma
}

json_goes_on() {
    local last=$((${#json_open[@]} - 1))
    ((last >= 0)) || return 1
    if [[ $token == : ]]; then
        [[ $want == colon ]] || return 1
        want=value
    elif [[ $want != comma ]]; then
        return 1
    elif [[ ${json_open[last]} == '{' ]]; then
        want=key
    else
        json_counts[last]=$((json_counts[last] + 1))
        json_names[last]=${json_counts[last]}
        want=value
    fi
}

json_says() {
    local last=$((${#json_open[@]} - 1))
    ((last >= 0)) || return 1
    if [[ $want == key* && $kind == s ]]; then
        json_names[last]=$text want=colon
    elif [[ $want == value* ]]; then
        json_keep "$kind" "$text"
        want=comma
    else
        return 1
    fi
}
