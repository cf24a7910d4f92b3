#!/bin/bash
# LAB: a stand-in for Microsoft's azcmagent, for labs and tests. It sends nothing anywhere and starts no service.
#
# It answers as the azcmagent reference says (azcmagent-connect.md, -check.md, -config.md, -show.md) and ends with the
# exit codes of troubleshoot-agent-onboard.md, so that an onboarding script can be tried before the real agent is there.
# azcmagent.c is the same program for Windows; one table of cases in the tests runs against both.
# Needs bash 4.2 and coreutils. A secret is compared, never kept, never printed.
#
# AZCMAGENT_LAB_ROOT      folder in front of /var/opt/azcmagent
# AZCMAGENT_LAB_ELEVATED  1 or 0: act as root, or as another user
# <state>/lab.json        {"private": true, "unreachable": "host,host", "fail": "42", "fail-once": "42", "fail-says": "words",
#                         "log-secret": true, "status": "Expired"}: how the upstream and the agent misbehave

# shellcheck disable=SC1003,SC2015,SC2317  # a backslash alone is a pattern; fail does not return; main calls commands by name

LC_ALL=C
umask 022
readonly VERSION='@LAB-AGENT-VERSION@'
readonly STATE="${AZCMAGENT_LAB_ROOT:-}/var/opt/azcmagent"
readonly AGENT_FILE="$STATE/agentconfig.json" LOCAL_FILE="$STATE/localconfig.json" LAB_FILE="$STATE/lab.json"
readonly LAB='LAB: this is a lab agent, nothing is sent to Azure'
readonly GUID='^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$'
readonly COMMON='config= help:h json:j log-stderr no-color verbose:v'
readonly SIGN_IN='tenant-id:t= user-tenant-id= service-principal-id:i= service-principal-secret:p= service-principal-cert= service-principal-cert-thumbprint= access-token= use-device-code use-azcli'

declare -A opt=() conf=() agent=() lab=()
words=()

# --- Words out ---------------------------------------------------------------------------------------------------

say() { # LEVEL TEXT
    [[ ${opt[json]} == true ]] && return
    if [[ ${opt[log-stderr]} == true ]]; then printf '%-8s%s\n' "$1" "$2" >&2; else printf '%-8s%s\n' "$1" "$2"; fi
}

quoted() { # TEXT -> $reply, a JSON string
    local text=$1 out='' char code
    if [[ $text == *[\"\\[:cntrl:]]* ]]; then
        while [[ -n $text ]]; do
            char=${text:0:1} text=${text:1}
            case $char in
            \" | \\) out+="\\$char" ;;
            [[:cntrl:]])
                printf -v code '%d' "'$char"
                printf -v char '\\u%04x' "$code"
                out+=$char
                ;;
            *) out+=$char ;;
            esac
        done
        text=$out
    fi
    reply="\"$text\""
}

json_object() { # KEY VALUE ... -> stdout; the last pair says LAB
    local out='{' key
    while (($#)); do
        quoted "$1"
        key=$reply
        quoted "$2"
        out+="$key:$reply,"
        shift 2
    done
    printf '%s"lab":true}\n' "$out"
}

meaning() { # CODE -> $reply
    case $1 in
    3) reply='Unsupported Operation' ;;
    12) reply='Invalid Access Token' ;;
    16) reply='Missing Mandatory Parameter' ;;
    18) reply='Not Elevated' ;;
    19) reply='Invalid Configuration File' ;;
    20) reply='Unknown Region' ;;
    23) reply='Invalid Argument' ;;
    26) reply='Network Error' ;;
    27) reply='Configuration Conflict' ;;
    41) reply='Invalid Credentials' ;;
    42) reply='Resource Creation Failed' ;;
    66 | 69) reply='Local Configuration Failed' ;;
    67) reply='Already Connected' ;;
    68) reply='Subscription Lookup Failed' ;;
    101) reply='Command Error' ;;
    102) reply='Resource Name Not Derived' ;;
    107) reply='Invalid Certificate' ;;
    *) reply='Lab Failure' ;;
    esac
}

fail() { # CODE DETAIL; never with a value that could be a secret
    local code name
    printf -v code 'AZCM%04d' "$1"
    meaning "$1"
    name=$reply
    note error "$code: $2"
    if [[ ${opt[json]} == true ]]; then
        quoted "$name: $2"
        printf '{"status":"failed","error":{"code":"%s","message":%s},"lab":true}\n' "$code" "$reply"
    else
        say INFO "Exit Code:  $code: $name"
        say INFO 'For troubleshooting, see https://aka.ms/arc/azcmerror'
        say FATAL "$2 (LAB)"
    fi
    exit "$1"
}

note() { # LEVEL TEXT -> the log, in logfmt as the real one
    [[ -d $STATE/log && -w $STATE/log ]] || return 0
    now
    quoted "LAB $2"
    printf 'time=%s level=%s msg=%s\n' "$time" "$1" "$reply" >>"$STATE/log/azcmagent.log"
}

now() { time=$(date -u +%Y-%m-%dT%H:%M:%SZ); }

# --- JSON in: a flat object of strings, numbers, true, false and null --------------------------------------------------

json_blanks() {
    local blanks=${rest%%[!$' \t\r\n']*}
    rest=${rest#"$blanks"}
}

json_point() { # CODE POINT -> $text gets its UTF-8
    local point=$1 bytes
    if ((point == 0 || (point >= 0xd800 && point < 0xe000))); then
        return 1
    elif ((point < 0x80)); then
        printf -v bytes '\\x%02x' "$point"
    elif ((point < 0x800)); then
        printf -v bytes '\\x%02x' $((0xc0 | point >> 6)) $((0x80 | point & 63))
    elif ((point < 0x10000)); then
        printf -v bytes '\\x%02x' $((0xe0 | point >> 12)) $((0x80 | point >> 6 & 63)) $((0x80 | point & 63))
    else
        printf -v bytes '\\x%02x' $((0xf0 | point >> 18)) $((0x80 | point >> 12 & 63)) $((0x80 | point >> 6 & 63)) $((0x80 | point & 63))
    fi
    printf -v bytes '%b.' "$bytes" # the dot keeps a newline
    text+=${bytes%.}
}

json_string() { # $rest -> $text
    local re='^"(([^"\\]|\\.)*)"' raw point low
    [[ $rest =~ $re ]] || return 1
    raw=${BASH_REMATCH[1]}
    rest=${rest:${#BASH_REMATCH[0]}}
    [[ $raw != *[$'\x01'-$'\x1f']* ]] || return 1
    text=''
    while [[ $raw == *\\* ]]; do
        text+=${raw%%\\*}
        raw=${raw#*\\}
        case ${raw:0:1} in
        '"' | '\' | /) text+=${raw:0:1} ;;
        b) text+=$'\b' ;;
        f) text+=$'\f' ;;
        n) text+=$'\n' ;;
        r) text+=$'\r' ;;
        t) text+=$'\t' ;;
        u)
            [[ ${raw:1:4} =~ ^[0-9a-fA-F]{4}$ ]] || return 1
            point=$((16#${raw:1:4}))
            raw=${raw:4}
            if ((point >= 0xd800 && point < 0xdc00)); then
                [[ ${raw:1:6} =~ ^\\u[dD][c-fC-F][0-9a-fA-F]{2}$ ]] || return 1
                low=$((16#${raw:3:4}))
                point=$((0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00)))
                raw=${raw:6}
            fi
            json_point "$point" || return 1
            ;;
        *) return 1 ;;
        esac
        raw=${raw:1}
    done
    text+=$raw
}

json_value() { # $rest -> $text
    local re='^(true|false|null|-?[0-9]+)([^0-9A-Za-z_.+-]|$)'
    if [[ $rest == '"'* ]]; then
        json_string
    elif [[ $rest =~ $re ]]; then
        text=${BASH_REMATCH[1]}
        rest=${rest:${#text}}
        [[ $text != null ]] || text=''
    else
        return 1
    fi
}

json_read() { # FILE -> json_keys, json_values; 1 where it is no such file
    local rest text key
    json_keys=() json_values=()
    [[ -f $1 && -r $1 ]] || return 1
    IFS= read -r -d '' rest <"$1" && return 1 # a NUL byte
    json_blanks
    [[ $rest == '{'* ]] || return 1
    rest=${rest:1}
    json_blanks
    if [[ $rest == '}'* ]]; then
        rest=${rest:1}
    else
        while :; do
            json_blanks
            json_string || return 1
            key=$text
            json_blanks
            [[ $rest == :* ]] || return 1
            rest=${rest:1}
            json_blanks
            json_value || return 1
            json_keys+=("$key") json_values+=("$text")
            json_blanks
            case $rest in
            ,*) rest=${rest:1} ;;
            \}*)
                rest=${rest:1}
                break
                ;;
            *) return 1 ;;
            esac
        done
    fi
    json_blanks
    [[ -z $rest ]]
}

# --- What is kept ----------------------------------------------------------------------------------------------------

readonly KEYS='incomingconnections.enabled incomingconnections.ports connection.type proxy.url proxy.bypass extensions.allowlist extensions.blocklist guestconfiguration.enabled extensions.enabled config.mode guestconfiguration.agent.cpulimit extensions.agent.cpulimit'
readonly MONITOR_LIST='Microsoft.EnterpriseCloud.Monitoring/OmsAgentForLinux,Microsoft.Azure.Monitoring.DependencyAgent/DependencyAgentLinux,Microsoft.Azure.Monitor/AzureMonitorLinuxAgent,Qualys/LinuxAgent.AzureSecurityCenter,Microsoft.Azure.Security.Monitoring/AzureSecurityLinuxAgent,Microsoft.Azure.AzureDefenderForServers/MDE.Linux,Microsoft.Azure.Monitor.VirtualMachines.GuestHealth/GuestHealthLinuxAgent,Microsoft.Azure.Monitor.VirtualMachines.GuestHealth.DEV/GuestHealthLinuxAgent,Microsoft.EnterpriseCloud.Monitoring/MicrosoftMonitoringAgent,Microsoft.Azure.Monitoring.DependencyAgent/DependencyAgentWindows,Microsoft.Azure.Monitor/AzureMonitorWindowsAgent,Qualys/WindowsAgent.AzureSecurityCenter,Microsoft.Azure.AzureDefenderForServers/MDE.Windows,Microsoft.Azure.AzureDefenderForSQL/AdvancedThreatProtection.Windows,Microsoft.Azure.Security.Monitoring/AzureSecurityWindowsAgent,Microsoft.Azure.Security/IaaSAntimalware,Microsoft.Azure.Geneva/GenevaMonitoring,Microsoft.Azure.AzureDefenderForSQL/VulnerabilityAssessment.Windows,Microsoft.Azure.Monitor.VirtualMachines.GuestHealth/GuestHealthWindowsAgent,Microsoft.Sentinel.AzureMonitorAgentExtensions.Internal/DnsExtension,Microsoft.Sentinel.AzureMonitorAgentExtensions/MicrosoftDnsAgent'

default_of() { # KEY -> $reply
    case $1 in
    incomingconnections.enabled | guestconfiguration.enabled | extensions.enabled) reply=true ;;
    connection.type) reply=direct ;;
    config.mode) reply=full ;;
    *.cpulimit) reply=5 ;;
    *) reply='' ;;
    esac
}

load() { # FILE -> json_keys, json_values; a missing file is an empty one
    json_keys=() json_values=()
    [[ ! -e $1 ]] || json_read "$1" || fail 66 "the state file ${1##*/} cannot be read"
}

load_state() {
    local key index
    for key in $KEYS; do
        default_of "$key"
        conf[$key]=$reply
    done
    load "$LOCAL_FILE"
    for index in "${!json_keys[@]}"; do conf[${json_keys[index]}]=${json_values[index]}; done
    load "$LAB_FILE"
    for index in "${!json_keys[@]}"; do lab[${json_keys[index]}]=${json_values[index]}; done
    agent=()
    load "$AGENT_FILE"
    for index in "${!json_keys[@]}"; do
        case ${json_keys[index]} in
        tag:*) ;;
        *) agent[${json_keys[index]}]=${json_values[index]} ;;
        esac
    done
}

keep() { # FILE KEY VALUE ...; whole or not at all
    local file=$1
    shift
    { mkdir -p "$STATE/log" && json_object "$@" >"$file.new" && mv -f "$file.new" "$file"; } 2>/dev/null ||
        fail 69 "the state file ${file##*/} cannot be written"
}

keep_settings() {
    local pairs=() key
    for key in $KEYS; do pairs+=("$key" "${conf[$key]}"); done
    keep "$LOCAL_FILE" "${pairs[@]}"
}

connected() { [[ -n ${agent[resourceName]} ]]; }

# --- Words in --------------------------------------------------------------------------------------------------------

flag_named() { # SPEC NAME -> $long, $takes; NAME is long, or one letter
    local item names
    for item in $1; do
        takes=${item##*[!=]}
        names=${item%=}
        long=${names%%:*}
        if [[ $2 == "$long" || ($names == *:* && $2 == "${names#*:}") ]]; then return 0; fi
    done
    return 1
}

flags() { # SPEC ARGUMENT ... -> opt, words
    local spec="$COMMON $1" name value long takes inline
    shift
    while (($#)); do
        name=$1
        shift
        inline=''
        case $name in
        --)
            words+=("$@")
            break
            ;;
        --*=*)
            value=${name#*=} name=${name%%=*} inline=yes
            name=${name#--}
            [[ ${#name} -gt 1 ]] || fail 23 'unknown flag'
            ;;
        --??*) name=${name#--} ;;
        -?) name=${name#-} ;;
        -?*)
            value=${name:2} name=${name:1:1} inline=yes
            value=${value#=}
            ;;
        *)
            words+=("$name")
            continue
            ;;
        esac
        flag_named "$spec" "$name" || fail 23 "unknown flag: $name"
        if [[ -z $takes ]]; then
            [[ -n $inline ]] || value=true
            [[ $value == true || $value == false ]] || fail 23 "--$long is true or false"
        elif [[ -z $inline ]]; then
            (($#)) || fail 23 "flag needs an argument: --$long"
            value=$1
            shift
        fi
        opt[$long]=$value
        given+=" $long "
    done
}

config_file() { # SPEC; the command line wins
    local index name long takes head
    [[ $given == *' config '* ]] || return 0
    [[ -f ${opt[config]} && -r ${opt[config]} ]] || fail 19 "the configuration file does not exist or cannot be read: ${opt[config]}"
    IFS= read -r -N 3 head <"${opt[config]}"
    [[ $head != $'\xef\xbb\xbf' ]] || fail 19 'the configuration file begins with a byte order mark; it must be UTF-8 without one'
    json_read "${opt[config]}" || fail 19 'the configuration file is not a JSON object of flag names and values'
    for index in "${!json_keys[@]}"; do
        name=${json_keys[index]}
        flag_named "$1" "$name" && [[ $name == "$long" ]] || fail 23 'the configuration file has a key that is no long flag name'
        [[ $given == *" $long "* ]] || opt[$long]=${json_values[index]}
    done
}

elevated() {
    case ${AZCMAGENT_LAB_ELEVATED:-} in
    1) ;;
    0) false ;;
    *) ((EUID == 0)) ;;
    esac || fail 18 'this command needs root'
}

no_words() { ((${#words[@]} == 0)) || fail 23 'this command takes no arguments; was a value not quoted?'; }

# --- Regions and endpoints -------------------------------------------------------------------------------------------

regions() { # CLOUD -> $reply
    case $1 in
    AzureCloud) reply=' australiaeast australiasoutheast brazilsouth canadacentral canadaeast centralindia centralus eastasia eastus eastus2 francecentral francesouth germanynorth germanywestcentral indonesiacentral israelcentral italynorth japaneast japanwest koreacentral koreasouth malaysiawest mexicocentral northcentralus northeurope norwayeast polandcentral qatarcentral southafricanorth southafricawest southcentralus southeastasia southindia spaincentral swedencentral switzerlandnorth switzerlandwest taiwannorth uaenorth uksouth ukwest westcentralus westeurope westindia westus westus2 westus3 ' ;;
    AzureUSGovernment) reply=' usgovarizona usgovtexas usgovvirginia ' ;;
    AzureChinaCloud) reply=' chinaeast chinaeast2 chinaeast3 chinanorth chinanorth2 chinanorth3 ' ;;
    *) return 1 ;;
    esac
}

his_code() { # REGION -> $reply; where Microsoft's name for it is not known, the region's
    case $1 in
    eastasia) reply=ea ;;
    southeastasia) reply=sea ;;
    japaneast) reply=je ;;
    koreacentral) reply=kc ;;
    australiaeast) reply=ae ;;
    northeurope) reply=ne ;;
    westeurope) reply=weu ;;
    uksouth) reply=uks ;;
    eastus) reply=eus ;;
    eastus2) reply=eus2 ;;
    westus2) reply=wus2 ;;
    southcentralus) reply=scus ;;
    westcentralus) reply=wcus ;;
    usgovvirginia) reply=usgv ;;
    *) reply=$1 ;;
    esac
}

endpoints() { # CLOUD REGION -> $hosts
    local code
    his_code "$2"
    code=$reply
    case $1 in
    AzureCloud) hosts="agentserviceapi.guestconfiguration.azure.com $code.his.arc.azure.com $2-gas.guestconfiguration.azure.com gbl.his.arc.azure.com login.microsoftonline.com login.windows.net management.azure.com pas.windows.net" ;;
    AzureUSGovernment) hosts="agentserviceapi.guestconfiguration.azure.us $code.his.arc.azure.us $2-gas.guestconfiguration.azure.us gbl.his.arc.azure.us login.microsoftonline.us management.usgovcloudapi.net pasff.usgovcloudapi.net" ;;
    *) hosts="agentserviceapi.guestconfiguration.azure.cn $code.his.arc.azure.cn $2-gas.guestconfiguration.azure.cn gbl.his.arc.azure.cn login.chinacloudapi.cn management.chinacloudapi.cn pas.chinacloudapi.cn" ;;
    esac
}

reachable() { [[ ",${lab[unreachable]}," != *",$1,"* ]]; }

private() { [[ ${lab[private]} == true && ($1 == *.his.arc.azure.* || $1 == *.guestconfiguration.azure.*) ]]; }

place() { # checks --cloud and --location -> $cloud, $location
    cloud=${opt[cloud]:-AzureCloud}
    regions "$cloud" || fail 23 '--cloud is AzureCloud, AzureUSGovernment or AzureChinaCloud'
    location=${opt[location]// /}
    location=${location,,}
    [[ $location =~ ^[a-z0-9]+$ && $reply == *" $location "* ]] || fail 20 "$cloud has no region of this name"
}

# --- connect and disconnect -------------------------------------------------------------------------------------------

required() { # FLAG ...
    local flag
    for flag; do [[ -n ${opt[$flag]} ]] || fail 16 "--$flag is required"; done
}

guid() { # FLAG
    [[ -z ${opt[$1]} || ${opt[$1]} =~ $GUID ]] || fail 23 "--$1 is no GUID"
}

resource_id() { # FLAG TYPE
    local re="^/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft.hybridcompute/${2,,}/[^/]+\$" value=${opt[$1]}
    [[ -z $value || ${value,,} =~ $re ]] || fail 23 "--$1 is no resource id of Microsoft.HybridCompute/$2"
}

sign_in_complete() {
    if [[ -n ${opt[service-principal-id]} ]]; then
        required tenant-id
        [[ -n ${opt[service-principal-secret]}${opt[service-principal-cert]}${opt[service-principal-cert-thumbprint]} ]] ||
            fail 16 '--service-principal-id needs --service-principal-secret, --service-principal-cert or --service-principal-cert-thumbprint'
    elif [[ -n ${opt[service-principal-secret]}${opt[service-principal-cert]}${opt[service-principal-cert-thumbprint]} ]]; then
        fail 16 '--service-principal-id is required'
    fi
}

sign_in_valid() {
    local domain='^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$' flag
    for flag in tenant-id user-tenant-id; do
        [[ -z ${opt[$flag]} || ${opt[$flag]} =~ $domain ]] || guid "$flag"
    done
    guid service-principal-id
    [[ -z ${opt[service-principal-cert-thumbprint]} ]] || fail 23 '--service-principal-cert-thumbprint needs a Windows certificate store'
    [[ -z ${opt[service-principal-cert]} || -s ${opt[service-principal-cert]} ]] || fail 107 'the certificate file does not exist or is empty'
}

sign_in_single() {
    local ways=0 flag
    for flag in service-principal-secret service-principal-cert service-principal-cert-thumbprint access-token; do
        [[ -z ${opt[$flag]} ]] || ((ways += 1))
    done
    [[ ${opt[use-device-code]} != true ]] || ((ways += 1))
    [[ ${opt[use-azcli]} != true ]] || ((ways += 1))
    ((ways < 2)) || fail 27 'more than one way to sign in was given'
}

sign_in() {
    [[ ${opt[service-principal-secret]} != wrong* ]] || fail 41 'the service principal or its secret was not accepted; LAB refuses secrets that begin with "wrong"'
    [[ ${opt[access-token]} != wrong* ]] || fail 12 'the access token was not accepted; LAB refuses tokens that begin with "wrong"'
    [[ ${opt[use-azcli]} != true ]] || fail 41 'no one is signed in to Azure CLI'
    if [[ -z ${opt[service-principal-id]}${opt[access-token]} ]]; then
        say INFO 'To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code LABDEVICE to authenticate.'
        say INFO 'LAB signs in by itself.'
    fi
}

tag_pairs() { # --tags -> pairs; k=v,k2=v2, parts in single quotes, a backslash takes the next character as it is
    local text=${opt[tags]} char part='' name='' value_turn='' quote=''
    pairs=()
    [[ -n $text ]] || return 0
    text+=,
    while [[ -n $text ]]; do
        char=${text:0:1} text=${text:1}
        if [[ $char == \\ && -n $text ]]; then
            part+=${text:0:1} text=${text:1}
        elif [[ $char == "'" ]]; then
            if [[ -n $quote ]]; then quote=''; else quote=yes; fi
        elif [[ -n $quote ]]; then
            part+=$char
        elif [[ $char == = && -z $value_turn ]]; then
            name=$part part='' value_turn=yes
        elif [[ $char == , ]]; then
            [[ -n $value_turn && -n $name && $name != *[\<\>%\&\\?/]* ]] || fail 23 '--tags is not name=value,name=value'
            ((${#name} <= 512 && ${#part} <= 256)) || fail 23 '--tags has a name or value that is too long'
            pairs+=("tag:$name" "$part")
            name='' part='' value_turn=''
        else
            part+=$char
        fi
    done
    [[ -z $quote && -z $value_turn && -z $part ]] || fail 23 '--tags has a quote that is not closed'
    ((${#pairs[@]} <= 100)) || fail 23 '--tags has more than 50 tags'
}

resource_named() { # -> $name
    local re='^[A-Za-z0-9_.-]{1,54}$'
    name=${opt[resource-name]:-${HOSTNAME%%.*}}
    [[ $name =~ $re && $name != *[-_.] ]] || fail 102 'the resource name has letters, digits, - and _, at most 54, and does not end with - or _'
}

connect_valid() {
    local group=${opt[resource-group]}
    required subscription-id resource-group location
    sign_in_complete
    place
    [[ ${opt[subscription-id]} =~ $GUID ]] || fail 68 'the subscription is no GUID and its name was not found'
    [[ ${#group} -le 270 && $group != *[][\"\'\`\<\>%\&\\?/*#:\;,=+@{}\|~^$'!$\x01'-$'\x20\x7f']* && $group != *. ]] || fail 23 '--resource-group is no name of a resource group'
    sign_in_valid
    guid correlation-id
    resource_id private-link-scope privateLinkScopes
    resource_id gateway-id gateways
    tag_pairs
    resource_named
    sign_in_single
    [[ -z ${opt[gateway-id]} || -z ${opt[private-link-scope]} ]] || fail 27 'a gateway and a private link scope exclude each other'
    [[ -z ${opt[gateway-id]} || $cloud == AzureCloud ]] || fail 27 'only AzureCloud has gateways'
}

connect_network() {
    local host missing=''
    endpoints "$cloud" "$location"
    for host in $hosts; do
        reachable "$host" || missing+="${missing:+, }https://$host"
    done
    [[ -z $missing || ${opt[ignore-network-check]} == true ]] || fail 26 "required endpoints unavailable: $missing"
    [[ ${lab[private]} != true || -n ${opt[private-link-scope]} ]] ||
        fail 26 'names resolve to private addresses but no --private-link-scope was given'
}

lab_without() { # KEY -> lab.json forgets it
    local key pairs=()
    [[ -n ${lab[$1]} ]] || return 0
    lab[$1]=''
    for key in private unreachable fail fail-once fail-says log-secret status show-says show-ends check-says check-ends; do pairs+=("$key" "${lab[$key]}"); done
    keep "$LAB_FILE" "${pairs[@]}"
}

lab_logs() { # the secret, as an agent with a fault does
    [[ ${lab[log-secret]} == true ]] || return 0
    mkdir -p "$STATE/log"
    note debug "signing in with ${opt[service-principal-secret]}${opt[access-token]}"
}

lab_answers() { # COMMAND: what lab.json has it say, as it stands
    local code=${lab[$1-ends]}
    [[ -n ${lab[$1-says]}$code ]] || return 0
    printf '%s' "${lab[$1-says]}"
    [[ $code =~ ^[0-9]{1,3}$ ]] || code=0
    exit "$code"
}

lab_fails() {
    local code=${lab[fail]}
    if [[ -n ${lab[fail-once]} ]]; then
        code=${lab[fail-once]}
        lab_without fail-once
    fi
    [[ ! $code =~ ^[0-9]{1,3}$ ]] || ((code == 0)) || fail "$code" "${lab[fail-says]:-lab.json asks for this failure}"
}

connect_keep() {
    local vm pairs_agent correlation=${opt[correlation-id]} gateway=''
    read -r vm </proc/sys/kernel/random/uuid
    [[ -n $correlation ]] || read -r correlation </proc/sys/kernel/random/uuid
    [[ -z ${opt[gateway-id]} ]] || gateway="https://lab-${opt[gateway-id]##*/}.gw.arc.azure.com"
    id="/subscriptions/${opt[subscription-id]}/resourceGroups/${opt[resource-group]}/providers/Microsoft.HybridCompute/machines/$name"
    pairs_agent=(subscriptionId "${opt[subscription-id]}" resourceGroup "${opt[resource-group]}" resourceName "$name" tenantId "${opt[tenant-id]}"
        location "$location" cloud "$cloud" vmId "$vm" correlationId "$correlation" privateLinkScope "${opt[private-link-scope]}"
        gatewayId "${opt[gateway-id]}" gatewayUrl "$gateway")
    say INFO "Creating resource in Azure...    Correlation ID=$correlation Resource ID=$id"
    if [[ -n $gateway ]]; then
        conf[connection.type]=gateway
        keep_settings
    fi
    keep "$AGENT_FILE" "${pairs_agent[@]}" "${pairs[@]}"
}

connect() {
    local spec="subscription-id:s= resource-group:g= location:l= cloud= resource-name:n= use-aws-ec2-hostname tags= $SIGN_IN private-link-scope= gateway-id= correlation-id= ignore-network-check enable-automatic-upgrade automanage-profile= identity-key-store="
    local cloud location name id hosts pairs
    flags "$spec" "$@"
    helped connect "$spec" && return
    [[ ${words[0]} != existing ]] || fail 3 'LAB has no asynchronous onboarding'
    no_words
    elevated
    config_file "$spec"
    load_state
    connect_valid
    say INFO "$LAB"
    say INFO 'Connecting machine to Azure... This might take a few minutes.'
    ! connected || fail 67 'this machine is already connected; disconnect it first'
    say INFO 'Testing connectivity to endpoints that are needed to connect to Azure... This might take a few minutes.'
    connect_network
    sign_in
    lab_logs
    lab_fails
    connect_keep
    note info "connected as $id"
    say INFO 'Connected machine to Azure'
    say INFO "Machine overview page: https://portal.azure.com/#@${opt[tenant-id]}/resource$id/overview"
    [[ ${opt[json]} != true ]] || json_object status Connected resourceId "$id"
}

disconnect() {
    local spec="$SIGN_IN force-local-only:f"
    flags "$spec" "$@"
    helped disconnect "$spec" && return
    no_words
    elevated
    config_file "$spec"
    load_state
    sign_in_complete
    sign_in_valid
    sign_in_single
    say INFO "$LAB"
    if ! connected; then
        say INFO 'This machine is not connected to Azure'
    else
        if [[ ${opt[force-local-only]} != true ]]; then
            sign_in
            lab_logs
            lab_fails
        fi
        rm -f "$AGENT_FILE" || fail 69 'the state file agentconfig.json cannot be removed'
        if [[ ${conf[connection.type]} == gateway ]]; then
            conf[connection.type]=direct
            keep_settings
        fi
        lab_without status
        note info disconnected
        say INFO 'Disconnected machine from Azure'
    fi
    [[ ${opt[json]} != true ]] || json_object status Disconnected
}

# --- check and show ----------------------------------------------------------------------------------------------------

check() {
    local spec='cloud= location:l= enable-pls-check:p use-private-link extensions:e= include-all'
    local cloud location hosts host reach is_private tls proxy missing='' out='' width=0
    flags "$spec" "$@"
    helped check "$spec" && return
    no_words
    elevated
    config_file "$spec"
    load_state
    lab_answers check
    [[ -n ${opt[location]} ]] || opt[location]=${agent[location]}
    [[ -n ${opt[cloud]} ]] || opt[cloud]=${agent[cloud]}
    required location
    place
    case ${opt[extensions]} in '' | all | sql) ;; *) fail 23 '--extensions is all or sql' ;; esac
    proxy='not used'
    [[ -z ${conf[proxy.url]} ]] || proxy='set'
    endpoints "$cloud" "$location"
    say INFO "$LAB"
    say INFO 'Testing connectivity to endpoints that are needed to connect to Azure... This might take a few minutes.'
    for host in $hosts; do ((${#host} + 8 <= width)) || width=$((${#host} + 8)); done
    [[ ${opt[json]} == true ]] || printf "%-${width}s  |%-11s|%-9s|%-9s|%s\n" ENDPOINT REACHABLE PRIVATE TLS PROXY
    for host in $hosts; do
        reach=true tls='TLS 1.3' is_private=false
        reachable "$host" || reach=false tls=unknown missing+="${missing:+, }https://$host"
        ! private "$host" || is_private=true
        if [[ ${opt[enable-pls-check]}${opt[use-private-link]} == *true* && $is_private == false && ($host == *.his.* || $host == *.guestconfiguration.*) && $reach == true ]]; then
            missing+="${missing:+, }https://$host (not private)"
        fi
        if [[ ${opt[json]} == true ]]; then
            out+="\"https://$host\":{\"reachable\":$reach,\"private\":$is_private,\"tls\":\"$tls\",\"proxyStatus\":\"$proxy\",\"required\":true},"
        else
            printf "%-${width}s  |%-11s|%-9s|%-9s|%s\n" "https://$host" "$reach" "$is_private" "$tls" "$proxy"
        fi
    done
    [[ ${opt[json]} != true ]] || printf '{%s"lab":true}\n' "$out"
    [[ -z $missing ]] || check_failed "$missing"
}

check_failed() { # HOSTS; the table was the answer
    note error "AZCM0026: required endpoints unavailable: $1"
    printf '%-8s%s\n' FATAL "required endpoints unavailable: $1 (LAB)" >&2
    exit 26
}

show_field() { # TITLE VALUE
    local wanted
    if ((${#words[@]})); then
        for wanted in "${words[@]}"; do
            [[ ${wanted,,} != "${1,,}" ]] || printf '%-40s: %s\n' "$1" "$2"
        done
    else
        printf '%-40s: %s\n' "$1" "$2"
    fi
}

show() {
    local spec='os' status=Disconnected time='' proxy upstream='' id='' bypass gateway services='stopped'
    flags "$spec" "$@"
    helped show "$spec" && return
    config_file "$spec"
    load_state
    lab_answers show
    if connected; then
        status=${lab[status]:-Connected}
        now
        id="/subscriptions/${agent[subscriptionId]}/resourceGroups/${agent[resourceGroup]}/providers/Microsoft.HybridCompute/machines/${agent[resourceName]}"
    fi
    proxy=${conf[proxy.url]} bypass=${conf[proxy.bypass]}
    if [[ ${conf[connection.type]} == gateway ]]; then
        upstream=$proxy proxy=http://localhost:40343
    fi
    services='LAB (no service is installed)'
    if [[ ${opt[json]} == true ]]; then
        json_object resourceName "${agent[resourceName]}" resourceGroup "${agent[resourceGroup]}" resourceId "$id" \
            subscriptionId "${agent[subscriptionId]}" tenantId "${agent[tenantId]}" vmId "${agent[vmId]}" \
            correlationId "${agent[correlationId]}" location "${agent[location]}" cloud "${agent[cloud]}" \
            privateLinkScope "${agent[privateLinkScope]}" agentVersion "$VERSION" status "$status" lastHeartbeat "$time" \
            agentErrorCode '' agentErrorDetails '' agentErrorTimestamp '' httpsProxy "$proxy" proxyBypassList "$bypass" \
            upstreamProxy "$upstream" gatewayUrl "${agent[gatewayUrl]}" dependentServiceStatus "$services"
        return
    fi
    show_field 'Resource Name' "${agent[resourceName]}"
    show_field 'Resource Group Name' "${agent[resourceGroup]}"
    show_field 'Resource Id' "$id"
    show_field 'Subscription ID' "${agent[subscriptionId]}"
    show_field 'Tenant ID' "${agent[tenantId]}"
    show_field 'VM ID' "${agent[vmId]}"
    show_field 'Correlation ID' "${agent[correlationId]}"
    show_field 'Location' "${agent[location]}"
    show_field 'Cloud' "${agent[cloud]}"
    show_field 'Private Link Scope' "${agent[privateLinkScope]}"
    show_field 'Agent Version' "$VERSION"
    show_field 'Agent Status' "$status"
    show_field 'Agent Last Heartbeat' "$time"
    show_field 'Agent Error Code' ''
    show_field 'Agent Error Details' ''
    show_field 'Agent Error Timestamp' ''
    show_field 'Using HTTPS Proxy' "$proxy"
    show_field 'Proxy Bypass List' "$bypass"
    show_field 'Upstream Proxy' "$upstream"
    show_field 'Gateway URL' "${agent[gatewayUrl]}"
    show_field 'Dependent Service Status' "$services"
    show_field 'Agent Auto Upgrade Task Status' "$services"
    [[ ${opt[os]} != true ]] || show_field 'OS' 'linux'
    ((${#words[@]})) || show_field 'LAB' 'a lab agent, nothing is sent to Azure'
}

# --- config ------------------------------------------------------------------------------------------------------------

kind_of() { # KEY -> $reply: bool, percent, ports, types, keywords, url, mode, connection; 1 where there is no such key
    case $1 in
    incomingconnections.enabled | guestconfiguration.enabled | extensions.enabled) reply=bool ;;
    *.agent.cpulimit) [[ " $KEYS " == *" $1 "* ]] && reply=percent ;;
    incomingconnections.ports) reply=ports ;;
    extensions.allowlist | extensions.blocklist) reply=types ;;
    proxy.bypass) reply=keywords ;;
    proxy.url) reply=url ;;
    config.mode) reply=mode ;;
    connection.type) reply=connection ;;
    *) false ;;
    esac
}

is_list() { [[ $1 == ports || $1 == types || $1 == keywords ]]; }

shown() { # KEY -> $reply, as the real one prints it
    kind_of "$1"
    if is_list "$reply"; then reply="[${conf[$1]}]"; else reply=${conf[$1]}; fi
}

titled() { # KEY -> $reply
    case $1 in
    incomingconnections.* | connection.type) reply="$1 (preview)" ;;
    *) reply=$1 ;;
    esac
}

item_valid() { # KIND ITEM
    case $1 in
    ports) [[ $2 =~ ^[0-9]{1,5}$ ]] && ((10#$2 > 0 && 10#$2 < 65536)) ;;
    types) [[ $2 =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] ;;
    *) [[ $2 == AAD || $2 == ARM || $2 == AMA || $2 == Arc || $2 == ArcData ]] ;;
    esac
}

list_valid() { # KEY KIND VALUE -> $value, trimmed, each once
    local item out='' left="$3,"
    while [[ -n $left ]]; do
        item=${left%%,*}
        left=${left#*,}
        item=${item#"${item%%[! ]*}"}
        item=${item%"${item##*[! ]}"}
        [[ -n $item ]] || continue
        item_valid "$2" "$item" || fail 23 "invalid value for $1"
        [[ ",$out," == *",$item,"* ]] || out+="${out:+,}$item"
    done
    value=$out
}

value_valid() { # KEY KIND VALUE
    local url='^https?://([^/@[:space:][:cntrl:]]+@)?[A-Za-z0-9.-]+(:[0-9]{1,5})?/?$' re
    case $2 in
    bool) re='^(true|false)$' ;;
    percent) re='^([1-9]|[1-9][0-9]|100)$' ;;
    mode) re='^(full|monitor)$' ;;
    connection) re='^(direct|gateway|default)$' ;;
    *) re="(^\$|$url)" ;;
    esac
    [[ $3 =~ $re ]] || fail 23 "invalid value for $1"
}

monitor_allows() { # KEY
    [[ ${conf[config.mode]} == monitor ]] || return 0
    case $1 in
    extensions.allowlist | extensions.blocklist | guestconfiguration.enabled | incomingconnections.enabled)
        fail 27 "$1 cannot be changed while config.mode is monitor" ;;
    esac
}

mode_follows() { # MODE
    if [[ $1 == monitor ]]; then
        conf[incomingconnections.enabled]=false conf[guestconfiguration.enabled]=false
        conf[extensions.allowlist]=$MONITOR_LIST
        say INFO 'Stopping and disabling service: GC Service'
    else
        conf[incomingconnections.enabled]=true conf[guestconfiguration.enabled]=true
        say INFO 'Enabling and starting service: GC Service'
    fi
    say INFO 'Enabling and starting service: Extension Service'
}

config_put() { # KEY VALUE
    local key=$1 before
    shown "$key"
    before=$reply
    conf[$key]=$2
    shown "$key"
    [[ ${opt[json]} == true ]] || printf 'Config property %s set to value %s (previously %s)\n' "$key" "$reply" "$before"
    if [[ $key == config.mode && $before != "$2" ]]; then mode_follows "$2"; fi
    keep_settings
    note info "$key set"
    [[ ${opt[json]} != true ]] || json_object key "$key" value "${conf[$key]}"
}

list_without() { # LIST ITEMS -> $value
    local item out='' left="$1,"
    while [[ -n $left ]]; do
        item=${left%%,*}
        left=${left#*,}
        [[ -z $item || ",$2," == *",$item,"* ]] || out+="${out:+,}$item"
    done
    value=$out
}

config_set() {
    local key=${words[0]} value=${words[1]} kind
    ((${#words[@]} == 2)) || fail 23 'config set takes a property and a value'
    kind_of "$key" || fail 23 'there is no such property; see config info'
    kind=$reply
    monitor_allows "$key"
    if is_list "$kind"; then
        list_valid "$key" "$kind" "$value"
        if [[ ${opt[add]} == true ]]; then
            list_valid "$key" "$kind" "${conf[$key]},$value"
        elif [[ ${opt[remove]} == true ]]; then
            list_without "${conf[$key]}" "$value"
        fi
    else
        [[ ${opt[add]}${opt[remove]} != *true* ]] || fail 23 "$key is no list"
        value_valid "$key" "$kind" "$value"
        [[ $value != default ]] || value=direct
    fi
    config_put "$key" "$value"
}

config_clear() {
    ((${#words[@]} == 1)) || fail 23 'config clear takes a property'
    kind_of "${words[0]}" || fail 23 'there is no such property; see config info'
    monitor_allows "${words[0]}"
    default_of "${words[0]}"
    config_put "${words[0]}" "$reply"
}

config_get() {
    ((${#words[@]} == 1)) || fail 23 'config get takes a property'
    kind_of "${words[0]}" || fail 23 'there is no such property; see config info'
    shown "${words[0]}"
    if [[ ${opt[json]} == true ]]; then json_object key "${words[0]}" value "$reply"; else printf '%s\n' "$reply"; fi
}

config_list() {
    local key out='' title
    no_words
    [[ ${opt[json]} == true ]] || printf 'Local Configuration Settings\n'
    for key in $KEYS; do
        if [[ ${opt[json]} == true ]]; then
            shown "$key"
            quoted "$reply"
            out+="${out:+,}{\"Key\":\"$key\",\"Value\":$reply}"
        else
            titled "$key"
            title=$reply
            shown "$key"
            printf '  %-54s: %s\n' "$title" "$reply"
        fi
    done
    [[ ${opt[json]} != true ]] || printf '{"localsettings":[%s],"lab":true}\n' "$out"
}

config_info() {
    local key
    ((${#words[@]} <= 1)) || fail 23 'config info takes at most one property'
    [[ -z ${words[0]} ]] || kind_of "${words[0]}" || fail 23 'there is no such property; see config info'
    for key in ${words[0]:-$KEYS}; do
        titled "$key"
        printf '%s\n' "$reply"
        kind_of "$key"
        printf '    Type: %s\n' "$reply"
        default_of "$key"
        printf '    Default: %s\n' "$reply"
    done
}

config() {
    local verb=$1 spec=''
    shift
    [[ $verb != set ]] || spec='add:a remove:r'
    case $verb in
    get | set | list | clear | info) ;;
    '' | -h | --help)
        usage
        return
        ;;
    *) fail 101 'config knows clear, get, info, list and set' ;;
    esac
    flags "$spec" "$@"
    helped "config $verb" "$spec" && return
    elevated
    load_state
    "config_$verb"
}

# --- The rest ----------------------------------------------------------------------------------------------------------

helped() { # COMMAND SPEC; true where help was asked for
    local item
    [[ ${opt[help]} == true ]] || return 1
    printf 'Usage:\n  azcmagent %s [flags]\n\nFlags (LAB):\n' "$1"
    for item in $2 $COMMON; do
        item=${item%=}
        printf '  --%s\n' "${item%%:*}"
    done
}

usage() {
    printf '%s\n' 'Azure Connected Machine Agent (LAB: a stand-in, nothing is sent to Azure)' '' \
        'Usage:' '  azcmagent [command]' '' 'Commands:' '  check' '  config (clear, get, info, list, set)' '  connect' \
        '  disconnect' '  help' '  show' '  version'
}

version() {
    flags '' "$@"
    no_words
    if [[ ${opt[json]} == true ]]; then json_object version "$VERSION"; else printf 'azcmagent version %s (LAB)\n' "$VERSION"; fi
}

main() {
    local given='' reply time command=$1
    (($# == 0)) || shift
    case $command in
    connect | disconnect | check | show | config | version) "$command" "$@" ;;
    '' | help | -h | --help) usage ;;
    --version) version "$@" ;;
    extension | genkey | license | logs | upgrade | partnerconfig) fail 3 "LAB has no $command" ;;
    *) fail 101 'unknown command; see azcmagent help' ;;
    esac
}

main "$@"
exit 0
