# Whether this system is what its ID says: some derivatives keep the ID of the system that they are made from.

# ID, what NAME is, and what PRETTY_NAME is, of the systems that Microsoft's list has (regular expressions). Taken from
# real files: github.com/which-distro/os-release and github.com/chef/os_release.
RELEASE_NAMES=(
    almalinux 'AlmaLinux' 'AlmaLinux( [0-9].*)?'
    amzn 'Amazon Linux' 'Amazon Linux( [0-9].*)?'
    azurelinux '(Microsoft )?Azure Linux' '(Microsoft )?Azure Linux( [0-9].*)?'
    centos 'CentOS Linux' 'CentOS Linux( [0-9].*)?'
    debian 'Debian GNU/Linux' 'Debian GNU/Linux( .*)?'
    mariner 'Common Base Linux Mariner|CBL-Mariner' '(CBL-Mariner|Common Base Linux Mariner)(/Linux)?( [0-9].*)?'
    ol 'Oracle Linux Server' 'Oracle Linux Server( [0-9].*)?'
    rhel 'Red Hat Enterprise Linux( Server| Workstation| Client| ComputeNode)?'
        'Red Hat Enterprise Linux( Server| Workstation| Client| ComputeNode)?( [0-9].*)?'
    rocky 'Rocky Linux' 'Rocky Linux( [0-9].*)?'
    sles 'SLES|SLES_SAP|SUSE Linux Enterprise Server( for SAP.*)?' 'SUSE Linux Enterprise Server( for SAP [^0-9]*)?( [0-9].*)?'
    sles_sap 'SLES|SLES_SAP|SUSE Linux Enterprise Server( for SAP.*)?' 'SUSE Linux Enterprise Server( for SAP [^0-9]*)?( [0-9].*)?'
    ubuntu 'Ubuntu' 'Ubuntu( [0-9].*| [A-Za-z ]*\(development branch\))?'
)
# Of the systems themselves: of Red Hat's, Oracle's and SUSE's editions.
RELEASE_VARIANTS='^(server|workstation|client|computenode|cloud|sles[a-z0-9_-]*)?$'

# foreign_name ID NAME PRETTY_NAME: prints what this system calls itself, where that is not the name of the system with
# this ID.
foreign_name() {
    [[ $1 == "$RELEASE_ID" ]] || return 0
    if [[ -n $RELEASE_PRETTY && ! $RELEASE_PRETTY =~ ^($3)$ ]]; then
        printf '%s' "$RELEASE_PRETTY"
    elif [[ -n $RELEASE_NAME && ! $RELEASE_NAME =~ ^($2)$ ]]; then
        printf '%s' "$RELEASE_NAME"
    elif [[ ! $RELEASE_VARIANT =~ $RELEASE_VARIANTS ]]; then
        printf '%s (variant %s)' "${RELEASE_PRETTY:-$RELEASE_NAME}" "$RELEASE_VARIANT"
    fi
}

# A warning: its packages may be the same, which Microsoft does not promise.
check_derived() {
    local name
    [[ -n $TARGET ]] || return 0
    name=$(each_row RELEASE_NAMES 3 foreign_name)
    [[ -z $name ]] || warning "this system calls itself $name, and has the ID $MACHINE_ID $MACHINE_VERSION of another; Microsoft supports the agent on that one"
}
