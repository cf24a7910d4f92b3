# Variables that systemd gives to a service: of its configuration as it stands in files (systemd.unit(5), systemd.exec(5),
# systemd-system.conf(5)). The service may not be installed yet, so that systemd cannot be asked.

SYSTEMD_ROOT=''        # a test has its own
# Of files of one name, that of the first folder counts.
SYSTEMD_FOLDERS=(/etc/systemd /run/systemd /usr/local/lib/systemd /usr/lib/systemd /lib/systemd)
SERVICE_ENVIRONMENT='' # what the running systemd gives to every service
declare -A VARIABLES=() VARIABLE_FILES=()

# systemd_files FOLDER: the files of all folders of that name below systemd's, in the order of their names.
systemd_files() {
    local folder file name names=''
    for folder in "${SYSTEMD_FOLDERS[@]}"; do
        for file in "$SYSTEMD_ROOT$folder/$1"/*.conf; do [[ ! -e $file ]] || names+="${file##*/}"$'\n'; done
    done
    [[ -n $names ]] || return 0
    printf '%s' "$names" | LC_ALL=C sort -u | while IFS= read -r name; do systemd_file "$1/$name"; done
}

# systemd_file NAME: the first one.
systemd_file() {
    local folder
    for folder in "${SYSTEMD_FOLDERS[@]}"; do
        [[ ! -e $SYSTEMD_ROOT$folder/$1 ]] || { printf '%s\n' "$SYSTEMD_ROOT$folder/$1"; return; }
    done
}

# take_assignments TEXT FILE: NAME=VALUE, with quotes, several with blanks between.
take_assignments() {
    local WORD rest=$1
    while [[ $rest =~ [^[:space:]\;] ]]; do
        rest=${rest#"${rest%%[![:space:];]*}"}
        shell_word "$rest"
        rest=$AFTER_WORD
        [[ $WORD =~ ^[A-Za-z_][A-Za-z0-9_]*= ]] || continue
        VARIABLES[${WORD%%=*}]=${WORD#*=} VARIABLE_FILES[${WORD%%=*}]=$2
    done
}

# forget_assignments: an empty setting takes back what stood before it; a service's own does not reach systemd's defaults.
forget_assignments() {
    local name
    for name in ${VARIABLES[@]+"${!VARIABLES[@]}"}; do
        [[ $1 != Environment || ${VARIABLE_FILES[$name]} == *.service* ]] && unset "VARIABLES[$name]" "VARIABLE_FILES[$name]"
    done
}

# read_settings FILE KEY: the variables that it sets by KEY, and by EnvironmentFile in a service's.
read_settings() {
    local line part='' from=$1 form='^[[:space:]]*([A-Za-z]+)[[:space:]]*=[[:space:]]*(.*)$'
    [[ -f $1 && -r $1 ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line%$'\r'}
        [[ ! $line =~ ^[[:space:]]*[#\;] ]] || continue
        [[ $line != *\\ ]] || { part+=${line%\\}' '; continue; }
        [[ $part$line =~ $form ]] || { part=''; continue; }
        part=''
        if [[ ${BASH_REMATCH[1]} == EnvironmentFile && $2 == Environment ]]; then
            read_assignments "$SYSTEMD_ROOT${BASH_REMATCH[2]#-}" "$from"
        elif [[ ${BASH_REMATCH[1]} != "$2" ]]; then
            continue
        elif [[ -z ${BASH_REMATCH[2]} ]]; then
            forget_assignments "$2"
        else
            take_assignments "${BASH_REMATCH[2]}" "$from"
        fi
    done <"$1"
}

# read_assignments FILE [NAME]: one a line; the variables are said to be NAME's.
read_assignments() {
    local line
    [[ -f $1 && -r $1 ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line%$'\r'}
        [[ $line =~ ^[[:space:]]*[#\;] ]] || take_assignments "${line#export }" "${2:-$1}"
    done <"$1"
}

# ask_manager: "systemctl set-environment" leaves no file.
ask_manager() {
    SERVICE_ENVIRONMENT=''
    [[ -n $SYSTEMD_ROOT || ! -d /run/systemd/system ]] || SERVICE_ENVIRONMENT=$(systemctl show-environment 2>/dev/null)
}

# service_variables SERVICE: fills VARIABLES, and VARIABLE_FILES with the file that each is from.
service_variables() {
    local file
    VARIABLES=() VARIABLE_FILES=()
    lines_of "$SERVICE_ENVIRONMENT"
    # It quotes as $'...' where it quotes.
    for file in "${TEXT_LINES[@]}"; do take_assignments "${file/=\$\'/=\'}" 'systemctl show-environment'; done
    lines_of "$(systemd_file system.conf; systemd_files system.conf.d)"
    for file in "${TEXT_LINES[@]}"; do [[ -z $file ]] || read_settings "$file" DefaultEnvironment; done
    lines_of "$(systemd_file "system/$1.service"; systemd_files system/service.d; systemd_files "system/$1.service.d")"
    for file in "${TEXT_LINES[@]}"; do [[ -z $file ]] || read_settings "$file" Environment; done
}
