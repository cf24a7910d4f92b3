# Whether a restart of this machine is due.

# Packages of which a new one is in use after a restart only: Red Hat's list (access.redhat.com/solutions/27943) and
# dnf's (its plugin needs-restarting), with SUSE's names of the kernel.
RESTART_PACKAGES=(kernel kernel-core kernel-rt kernel-rt-core kernel-uek kernel-uek-core kernel-default linux-firmware
    kernel-firmware glibc systemd udev dbus dbus-broker dbus-daemon gnutls openssl-libs)

# restart_file: the first of the files that say so. Debian and Ubuntu: update-notifier's and unattended-upgrades'; SLES:
# libzypp's, which "zypper needs-rebooting" looks at too, and the one that waits for the next start with a new kernel.
restart_file() {
    local file
    for file in /run/reboot-required /var/run/reboot-required /run/reboot-needed /boot/do_purge_kernels; do
        [[ ! -e $file ]] || { printf '%s' "$file"; return; }
    done
    return 1
}

# restart_packages: those that were installed after this machine started. That is the question of needs-restarting -r,
# which not every machine has, and which writes logs and may ask repositories.
restart_packages() {
    local started='' line time name found=''
    while read -r line time _; do [[ $line != btime ]] || started=$time; done </proc/stat
    [[ $started =~ ^[0-9]+$ ]] || return 1
    lines_of "$(rpm -q --qf '%{INSTALLTIME} %{NAME}\n' "${RESTART_PACKAGES[@]}" 2>/dev/null)"
    for line in "${TEXT_LINES[@]}"; do
        time=${line%% *} name=${line#* }
        [[ ! $time =~ ^[0-9]+$ || $time -le $started || " $found " == *" $name "* ]] || found+="${found:+ }$name"
    done
    [[ -n $found ]] && printf '%s' "$found"
}

# A pending restart does not stop the run, but an installation may find files that are only half replaced.
check_restart() {
    local sign
    if sign=$(restart_file); then
        RESTART_DUE=yes
        warning "a restart of this machine is pending ($sign)"
    elif [[ $PACKAGE_KIND != rpm ]]; then
        # Without update-notifier nothing would say so.
        [[ ! -e /usr/share/update-notifier/notify-reboot-required ]] || RESTART_DUE=no
    elif [[ -r /proc/stat ]]; then
        RESTART_DUE=no
        ! sign=$(restart_packages) || {
            RESTART_DUE=yes
            warning "a restart of this machine is pending (installed since it started: $sign)"
        }
    fi
}
