# One run at a time.

RUN_LOCK=/run/arc-bundler.lock
RUN_LOCKED=no

# A process and when it began: after a restart, or in a container, another one can have the same number.
process_mark() {
    local stat fields=() began=''
    if [[ -r /proc/$1/stat ]]; then
        # The name in brackets may hold anything; the start time is the 20th word behind it.
        stat=$(<"/proc/$1/stat")
        stat=${stat##*) }
        # shellcheck disable=SC2206  # letters and numbers
        fields=($stat)
        began=${fields[19]:-}
    fi
    printf '%s-%s' "$1" "$began"
}

# take_lock: a symbolic link is created together with its content, so that a lock always names its owner.
take_lock() {
    local owner pid
    # Not where others can write: a link to a folder there would receive the lock.
    [[ -d /run && -w /run ]] || RUN_LOCK=/var/lib/arc-bundler.lock
    while ! ln -sT "$(process_mark "$$")" "$RUN_LOCK" 2>/dev/null; do
        owner=$(readlink "$RUN_LOCK") || { [[ ! -e $RUN_LOCK ]] && continue; fail 202 "$RUN_LOCK is not a lock of this script: look at it, then remove it"; }
        pid=${owner%%-*}
        if [[ $pid != "$$" ]] && kill -0 "$pid" 2>/dev/null && [[ $(process_mark "$pid") == "$owner" ]]; then
            fail 212 "process $pid is running this script already"
        fi
        # Its owner no longer runs. Only one of several processes can move it away.
        mv -T -- "$RUN_LOCK" "$RUN_LOCK.$$" 2>/dev/null && rm -f -- "$RUN_LOCK.$$"
    done
    RUN_LOCKED=yes
}

drop_lock() {
    [[ $RUN_LOCKED == no ]] || rm -f -- "$RUN_LOCK"
}
