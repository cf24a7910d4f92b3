# Whether this machine is an Azure VM, which Azure manages already.

# start_product_probes: the metadata service answers at once or is not there, so that its probe is given three seconds.
start_product_probes() {
    start_probe imds probe_azure
    SHORT_PROBE=${PROBE_PIDS[0]}
}

# The metadata service answers on Azure VMs only.
probe_azure() {
    local line
    exec 3<>/dev/tcp/169.254.169.254/80 || return
    printf 'GET /metadata/instance/compute/azEnvironment?%s HTTP/1.0\r\nHost: 169.254.169.254\r\nMetadata: true\r\n\r\n' \
        'api-version=2021-02-01&format=text' >&3
    IFS= read -r line <&3
    [[ $line == HTTP/1.?\ 200* ]] || return
    while IFS= read -r line || [[ -n $line ]]; do
        [[ $line != Azure* ]] || echo "azure=${line%$'\r'}"
    done <&3
}

# Microsoft's own switch for tests on Azure VMs (its install script and documentation have it).
arc_test_switch() {
    [[ ${MSFT_ARC_TEST:-} == true ]] || systemctl show-environment 2>/dev/null | grep -qx 'MSFT_ARC_TEST=true'
}

check_azure_vm() {
    local environment
    environment=$(found imds azure)
    [[ -n $environment ]] || { check_chassis; return; }
    if arc_test_switch; then
        note "this is an Azure VM ($environment); MSFT_ARC_TEST=true allows it"
        SWITCHES+=(MSFT_ARC_TEST)
    else
        problem 202 "this is an Azure VM ($environment), which Azure already manages; for a test set MSFT_ARC_TEST=true" azure-vm
    fi
}

# The tag of the chassis of a virtual machine in Azure, and in Azure Stack Hub, where Arc is allowed (cloud-init,
# ds-identify). Where the metadata service is silent as well, it may be blocked, as Microsoft's test instructions say.
check_chassis() {
    local tag
    tag=$(first_word /sys/class/dmi/id/chassis_asset_tag)
    [[ $tag != 7783-7084-3265-9085-8269-3286-77 ]] || arc_test_switch ||
        warning 'the firmware says that this is a virtual machine in Azure, but its metadata service does not answer; Azure VMs need no Azure Arc'
}
