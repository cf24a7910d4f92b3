# The system by os-release(5): its file is read, never sourced: it is data.

# The first that is there counts, as os-release(5) has it.
OS_RELEASE=(/etc/os-release /usr/lib/os-release)
RELEASE_ID='' RELEASE_VERSION='' RELEASE_NAME='' RELEASE_PRETTY='' RELEASE_VARIANT=''

AFTER_WORD=''          # what follows it

# shell_word TEXT: fills WORD with what a shell would take as the value of an assignment: quotes, what a backslash keeps,
# and nothing from the first blank on.
# shellcheck disable=SC1003  # '\\' is two backslashes
shell_word() {
    local text=$1 at letter quote=''
    WORD='' AFTER_WORD=''
    for ((at = 0; at < ${#text}; at++)); do
        letter=${text:at:1}
        case $quote$letter in
            \'\' | '""') quote='' ;;
            \' | '"') quote=$letter ;;
            \\ | '"\')
                # Between double quotes a backslash keeps four characters, and is itself before any other.
                [[ -z $quote || ${text:at+1:1} == [\$\`\"\\] ]] || { WORD+=$letter; continue; }
                at=$((at + 1))
                WORD+=${text:at:1}
                ;;
            [[:space:]\;]) AFTER_WORD=${text:at}; return ;;
            *) WORD+=$letter ;;
        esac
    done
}

# read_release FILE: a later line goes before an earlier one.
read_release() {
    local line WORD form='^[[:space:]]*([A-Z_]+)=(.*)$'
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line#$'\xef\xbb\xbf'}
        line=${line%$'\r'}
        [[ $line =~ $form ]] || continue
        case ${BASH_REMATCH[1]} in
            ID) shell_word "${BASH_REMATCH[2]}"; RELEASE_ID=${WORD,,} ;;
            VERSION_ID) shell_word "${BASH_REMATCH[2]}"; RELEASE_VERSION=$WORD ;;
            NAME) shell_word "${BASH_REMATCH[2]}"; RELEASE_NAME=$WORD ;;
            PRETTY_NAME) shell_word "${BASH_REMATCH[2]}"; RELEASE_PRETTY=$WORD ;;
            VARIANT_ID) shell_word "${BASH_REMATCH[2]}"; RELEASE_VARIANT=${WORD,,} ;;
        esac
    done <"$1"
}

find_release() {
    local file
    RELEASE_ID='' RELEASE_VERSION='' RELEASE_NAME='' RELEASE_PRETTY='' RELEASE_VARIANT=''
    for file in "${OS_RELEASE[@]}"; do
        [[ -f $file && -r $file ]] || continue
        read_release "$file"
        return
    done
}
