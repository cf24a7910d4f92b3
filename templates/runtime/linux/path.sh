# Which programs are run by name: those of the system's folders, and of PATH's absolute ones.

# "su" without "-" leaves root without the sbin folders.
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin

# "." in PATH, and an empty place, are the folder that we stand in: the bundle's own, of which nothing is to be run by name.
leave_out_here() {
    local rest=$PATH: part kept=''
    while [[ -n $rest ]]; do
        part=${rest%%:*} rest=${rest#*:}
        [[ $part != /* ]] || kept+=${kept:+:}$part
    done
    PATH=$kept
}
leave_out_here
