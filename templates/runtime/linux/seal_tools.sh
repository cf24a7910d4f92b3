# Which programs on this machine can check a signature, and how to get one without a network.

# openssl_works: one that cannot start, or has no CMS (LibreSSL before 3.2), checks nothing.
openssl_works() {
    local said
    command -v openssl >/dev/null && openssl version >/dev/null 2>&1 </dev/null || return 1
    said=$(openssl cms -help 2>&1 </dev/null) || :
    [[ ${said,,} != *'invalid command'* && ${said,,} != *'unknown command'* ]]
}

gpgv_works() { command -v gpgv >/dev/null && gpgv --version >/dev/null 2>&1 </dev/null; }

# offline_package NAME: how to install it here, where nothing is downloaded.
offline_package() {
    local fetch=$1 install=''
    if command -v apt-get >/dev/null; then
        fetch="apt-get download $1" install="dpkg -i $1_*.deb"
    elif command -v zypper >/dev/null; then
        fetch="zypper --pkg-cache-dir . download $1" install="rpm -i $1-*.rpm"
    elif command -v dnf >/dev/null; then
        fetch="dnf download $1" install="rpm -i $1-*.rpm"
    elif command -v yum >/dev/null; then
        fetch="yumdownloader $1" install="rpm -i $1-*.rpm"
    fi
    printf 'It is on the installation medium of this system'
    [[ -z $install ]] || printf '; or "%s" where there is a network and the same system, and here "%s"' "$fetch" "$install"
}
