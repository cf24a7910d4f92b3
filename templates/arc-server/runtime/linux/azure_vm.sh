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
    [[ -n $environment ]] || return 0
    if arc_test_switch; then
        note "this is an Azure VM ($environment); MSFT_ARC_TEST=true allows it"
        SWITCHES+=(MSFT_ARC_TEST)
    else
        problem 202 "this is an Azure VM ($environment), which Azure already manages; for a test set MSFT_ARC_TEST=true"
    fi
}
