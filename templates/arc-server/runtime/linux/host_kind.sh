# What kind of host this is: containers, WSL and Azure VMs are not for Azure Arc-enabled servers.

# Where a kernel and a container's manager say so; a test has its own.
HOST_ROOT=''

# container_sign: the first sign of a container. systemd-detect-virt(1) goes by the same.
container_sign() {
    local line='' file
    for file in /run/systemd/container /run/.containerenv /.dockerenv; do
        [[ ! -e $HOST_ROOT$file ]] || { printf '%s' "$file"; return; }
    done
    # Only root may read it.
    { while IFS= read -r -d '' line; do
        [[ $line != container=?* ]] || { printf '%s' "$line"; return; }
    done <"$HOST_ROOT/proc/1/environ"; } 2>/dev/null
    { while IFS= read -r line || [[ -n $line ]]; do
        case $line in */docker/* | */docker-* | */kubepods* | */libpod-* | */lxc/* | */lxc.payload* | */cri-containerd-*) printf '%s' "$line"; return ;; esac
    done <"$HOST_ROOT/proc/1/cgroup"; } 2>/dev/null
    return 1
}

# is_wsl: by the kernel's release, or what WSL puts into the system and its sessions.
is_wsl() {
    local _ release=''
    [[ -z ${WSL_INTEROP:-}${WSL_DISTRO_NAME:-} && ! -e $HOST_ROOT/run/WSL ]] || return 0
    { read -r _ _ release _ <"$HOST_ROOT/proc/version"; } 2>/dev/null || :
    [[ ${release,,} == *microsoft* ]]
}

# runs_sql: Microsoft's SQL Server for Linux.
runs_sql() { [[ -x $HOST_ROOT/opt/mssql/bin/sqlservr ]]; }

check_host_kind() {
    local sign
    if is_wsl; then
        serious 202 'this is the Windows Subsystem for Linux; connect the Windows machine itself, with install.ps1' wsl
    elif sign=$(container_sign); then
        serious 202 "this is a container ($sign); connect the machine that runs it: the agent needs a system with its own kernel and services" container
    fi
}

# What the agent would name the resource, where the bundle gives no name.
check_host_name() {
    local name=$HOST text='' form='^[A-Za-z0-9._-]+$'
    [[ -z $WANTED_NAME && $STATE != wanted ]] || return 0
    if [[ ${#name} -gt 54 ]]; then
        text="${#name} characters long; Azure takes 54"
    elif [[ ! $name =~ $form || $name == *[-_.] ]]; then
        text='not one that Azure takes: letters, digits, -, _ and ., with a letter or digit at the end'
    elif reserved_word "$name"; then
        text="refused by Azure, which reserves the word $RESERVED_WORD"
    fi
    [[ -z $text ]] ||
        warning "the resource gets this machine's name, and $name is $text: connecting would end with 42 or 102; give resource_name in the definition"
}

# Azure deploys its extension for SQL Server to every connected server that has one, unless this tag came with the connection
# (azure-docs, sql-server/azure-arc/manage-autodeploy).
check_sql() {
    [[ $STATE != wanted && ${CONNECT_JSON,,} != *arcsqlserverextensiondeployment* ]] && runs_sql || return 0
    warning "SQL Server runs here: once connected, Azure installs its extension for SQL Server and grants roles in every database; the tag ArcSQLServerExtensionDeployment: Disabled in the definition's tags keeps it away"
}
