# How a file with a secret is removed.

# destroy FILE...: written over, then removed. In memory that is for nothing, on a disk for little; it costs nothing.
destroy() {
    local file
    for file in "$@"; do
        [[ -f $file && ! -L $file ]] || continue
        dd if=/dev/zero of="$file" bs="$(($(wc -c <"$file") + 1))" count=1 conv=notrunc,fsync 2>/dev/null
        rm -f -- "$file"
    done
}
