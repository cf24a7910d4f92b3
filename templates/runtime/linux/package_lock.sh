# Whether another program holds the package manager's lock.

PACKAGE_LOCKS=(/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock
    /var/cache/zypp/zypp.lock)
# Files with the id of the process that holds them; one that no longer runs does not count. libzypp's, yum's, and dnf's: the
# latter two wait without end for each other (dnf's lock.py, unless exit_on_lock), and so would this script behind them.
LOCK_PIDS=(/run/zypp.pid /var/run/yum.pid /var/lib/dnf/rpmdb_lock.pid /var/cache/dnf/metadata_lock.pid
    /var/cache/dnf/download_lock.pid)

pid_holder() {
    local file pid name
    [[ $PACKAGE_KIND == rpm ]] || return 1
    for file in "${LOCK_PIDS[@]}"; do
        pid='' name='?'
        [[ -r $file ]] || continue
        read -r pid <"$file" || :
        [[ $pid =~ ^[1-9][0-9]*$ ]] && kill -0 "$pid" 2>/dev/null || continue
        [[ ! -r /proc/$pid/comm ]] || name=$(<"/proc/$pid/comm")
        printf '%s (%s)' "$pid" "$name"
        return
    done
    return 1
}

# lock_holder: "PID (name)" of the process that holds a package manager's lock; returns 1 where none does.
# /proc/locks names a file by its inode alone for sure (the device is another one on btrfs); that the process has
# just this file open settles it.
lock_holder() {
    local file inode line pid name open fields
    pid_holder && return
    [[ -r /proc/locks ]] || return 1
    for file in "${PACKAGE_LOCKS[@]}"; do
        [[ -e $file ]] && inode=$(stat -c %i "$file" 2>/dev/null) || continue
        while read -r line; do
            [[ $line == *":$inode "* && $line != *'->'* ]] || continue
            # shellcheck disable=SC2206  # letters and numbers
            fields=($line)
            pid=${fields[4]:-}
            for open in "/proc/$pid/fd/"*; do
                [[ $open -ef $file ]] || continue
                name='?'
                [[ ! -r /proc/$pid/comm ]] || name=$(<"/proc/$pid/comm")
                printf '%s (%s)' "$pid" "$name"
                return 0
            done
        done </proc/locks
    done
    return 1
}

LOCK_WAIT=300          # --lock-wait, seconds

# Where something is installed, wait; where nothing changes, report it at once.
check_lock() {
    local holder waited=$SECONDS noted=''
    while holder=$(lock_holder); do
        if [[ $MODE == check || $MODE == dry-run ]] || ((SECONDS - waited >= LOCK_WAIT)); then
            problem 211 "process $holder holds the package manager's lock"
            return
        fi
        [[ $noted == "$holder" ]] || note "waiting up to $LOCK_WAIT s for process $holder, which holds the package manager's lock"
        noted=$holder
        nap 2
    done
}
