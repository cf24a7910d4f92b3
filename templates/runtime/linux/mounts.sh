# Whether programs may run from the folders that the product needs.

# mounted_with PATH OPTION: whether the file system below PATH has it; the longest mount point that fits is the one.
mounted_with() {
    local point options best='' answer=''
    while read -r _ point _ options _; do
        [[ $point == / || $1 == "$point" || $1 == "$point"/* ]] || continue
        # A later line covers an earlier one at the same place.
        ((${#point} >= ${#best})) || continue
        best=$point answer=$options
    done </proc/mounts
    [[ ,$answer, == *,"$2",* ]]
}

# PROGRAM_FOLDERS: from where the product runs programs.
check_noexec() {
    local path
    [[ -r /proc/mounts ]] || { untested 'mount options: /proc is missing'; return; }
    for path in "${PROGRAM_FOLDERS[@]}"; do
        ! mounted_with "$path" noexec || problem 202 "$path is mounted noexec, but programs must run from there" noexec
    done
}
