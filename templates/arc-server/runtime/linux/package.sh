# The agent's package: which version is installed, and the package manager that installs and removes it.

# The package manager's answer: dpkg's name for the state and the version; with rpm a line for each version.
package_state() {
    if [[ $PACKAGE_KIND == deb ]]; then
        dpkg-query -W -f '${db:Status-Status} ${Version}' azcmagent 2>/dev/null
    else
        rpm -q --qf 'installed %{VERSION}-%{RELEASE}\n' azcmagent 2>/dev/null
    fi
}

installed_version() {
    local answer
    answer=$(package_state) || return 1
    answer=${answer%%$'\n'*}
    [[ $answer == 'installed '* ]] || return 1
    printf '%s' "${answer#installed }"
}

# Whether this run would install: the same version or a newer one stays.
install_wanted() {
    local present
    present=$(installed_version) && [[ -x $AGENT ]] || return 0
    [[ $(compare_versions "$present" "$PACKAGE_VERSION") == -1 || $ALLOW_DOWNGRADE == yes ]]
}

# Whether this machine's policy requires that rpm knows the key of a package that is given as a file: always with zypper,
# regardless of zypp.conf (seen with 1.14); with dnf and yum where localpkg_gpgcheck says so (dnf.conf(5)); with rpm by its
# macro _pkgverify_level.
signer_required() {
    local file
    case $(package_tool) in
        zypper) return 0 ;;
        dnf | yum)
            for file in /etc/dnf/dnf.conf /etc/yum.conf; do
                grep -qiE '^[[:space:]]*localpkg_gpgcheck[[:space:]]*=[[:space:]]*(1|yes|true|on)' "$file" 2>/dev/null && return
            done
            return 1
            ;;
        *) [[ $(rpm --eval '%{?_pkgverify_level}' 2>/dev/null) == @(all|signature) ]] ;;
    esac
}

PACKAGE_COPY=''

# copy_package: once; fills PACKAGE_COPY. Where nothing will be installed there is no folder for it yet.
copy_package() {
    local folder=$WORK
    [[ -z $PACKAGE_COPY ]] || return 0
    if [[ -z $folder ]]; then
        make_scratch || { COPY_CODE=202 COPY_PROBLEM=$NO_SPACE; return 1; }
        folder=$SCRATCH
    fi
    copy_checked "$PACKAGE" "$PACKAGE_SHA256" "$folder/${PACKAGE##*/}" && PACKAGE_COPY=$folder/${PACKAGE##*/}
}

# Reported before anything is changed, with the remedy: the package manager would refuse in the middle of the run.
check_signer() {
    [[ $PACKAGE_KIND == rpm && $IMPORT_KEYS == no && -n $PACKAGE ]] && command -v rpm >/dev/null || return 0
    install_wanted && signer_required || return 0
    copy_package || { problem "$COPY_CODE" "$COPY_PROBLEM"; return; }
    rpm --checksig "$PACKAGE_COPY" >/dev/null 2>&1 ||
        problem 202 "$(package_tool) installs only packages with a key that rpm knows; --import-keys imports the key in the bundle" key-not-imported
}

# The system's own one first: a SLES may have dnf too, and an Enterprise Linux zypper.
package_tool() {
    local tool tools=(dnf yum zypper rpm)
    [[ $MACHINE_ID != sles* ]] || tools=(zypper dnf yum rpm)
    [[ $PACKAGE_KIND != deb ]] || tools=(apt-get dpkg)
    for tool in "${tools[@]}"; do
        ! command -v "$tool" >/dev/null || { printf '%s' "$tool"; return; }
    done
}

PACKAGE_ENDS_BY=3000   # a package manager that is ended in the middle leaves half an installation

# apt-get rather than dpkg -i: where a dependency is missing it refuses before touching anything, while dpkg leaves
# a half-configured package behind. No source is read (an isolated server's are dead anyway), so there is nothing that
# it could download, and its caches stay as they are. (With --no-download, apt refuses a package given by its path:
# "Pathname to install is not absolute".)
install_deb() {
    local ENDS_BY=$PACKAGE_ENDS_BY more=()
    case $VERB in downgrade) more=(--allow-downgrades) ;; reinstall) more=(--reinstall) ;; esac
    if [[ $(package_tool) == apt-get ]]; then
        DEBIAN_FRONTEND=noninteractive run apt-get install --yes --no-install-recommends \
            -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=/dev/null \
            -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
            -o APT::Sandbox::User=root -o DPkg::Lock::Timeout=300 \
            -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold ${more[@]+"${more[@]}"} "$1"
    else
        DEBIAN_FRONTEND=noninteractive run dpkg --force-confdef --force-confold -i "$1"
    fi
}

# With every repository off, the package's needs must be met by what is installed. Whether a package's signature must
# be known to rpm stays the machine's own policy (localpkg_gpgcheck, zypper's): --import-keys is the answer to it.
install_rpm() {
    local ENDS_BY=$PACKAGE_ENDS_BY verb=install more=()
    case $VERB in downgrade | reinstall) verb=$VERB ;; esac
    case $(package_tool) in
        dnf) run dnf --assumeyes --disablerepo='*' "$verb" "$1" ;;
        yum) run yum --assumeyes --disablerepo='*' "${verb/#install/localinstall}" "$1" ;;
        zypper)
            case $VERB in downgrade) more=(--oldpackage) ;; reinstall) more=(--force) ;; esac
            ZYPP_LOCK_TIMEOUT=300 run zypper --non-interactive --no-refresh --no-remote install ${more[@]+"${more[@]}"} "$1"
            ;;
        *)
            case $VERB in downgrade) more=(--oldpackage) ;; reinstall) more=(--replacepkgs) ;; esac
            run rpm --upgrade --verbose ${more[@]+"${more[@]}"} "$1"
            ;;
    esac
}

import_keys() {
    [[ $IMPORT_KEYS == yes && $PACKAGE_KIND == rpm ]] || return 0
    bundle_files import_key
}

import_key() {
    [[ $1 == payload/keys/* ]] || return 0
    need_copy "$1" "$2" "$WORK/key.asc"
    run rpm --import "$WORK/key.asc" || fail 143 "rpm does not accept the key $1"
}

guess_package_kind() {
    PACKAGE_KIND=rpm
    ! command -v dpkg-query >/dev/null || PACKAGE_KIND=deb
}

remove_deb() {
    local ENDS_BY=$PACKAGE_ENDS_BY
    if [[ $(package_tool) == apt-get ]]; then
        DEBIAN_FRONTEND=noninteractive run apt-get purge --yes -o Dir::Etc::SourceList=/dev/null \
            -o Dir::Etc::SourceParts=/dev/null -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
            -o DPkg::Lock::Timeout=300 azcmagent
    else
        run dpkg --purge azcmagent
    fi
}

# rpm removes this package only; a resolver would also remove dependencies that others may need.
remove_rpm() {
    local ENDS_BY=$PACKAGE_ENDS_BY
    run rpm --erase azcmagent
}
