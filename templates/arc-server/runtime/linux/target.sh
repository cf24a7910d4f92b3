# Which of the bundle's packages is for this machine.

TARGET='' PACKAGE='' PACKAGE_SHA256='' PACKAGE_VERSION='' PACKAGE_KIND='' PACKED_KIB=0 INSTALLED_KIB=0 SUPPORTED=''
TARGET_FITS=''         # the VERSION_ID of the target that was taken

take_target() {
    TARGET_FITS=$2
    TARGET=$4 PACKAGE=$5 PACKAGE_SHA256=$6 PACKAGE_VERSION=$7 PACKAGE_KIND=$8 PACKED_KIB=$9 INSTALLED_KIB=${10} SUPPORTED=${11}
}

# 9 fits 9 and 9.4, but 2 does not fit 2023; no version fits all. The most exact one is taken, whatever the order; of two
# alike, the first.
match_target() {
    [[ $1 == "$MACHINE_ID" && $3 == "$MACHINE_ARCHITECTURE" ]] || return 0
    [[ -z $2 || $MACHINE_VERSION == "$2" || $MACHINE_VERSION == "$2".* ]] || return 0
    [[ -z $TARGET || ${#2} -gt ${#TARGET_FITS} ]] || return 0
    take_target "$@"
}

take_first_target() {
    [[ -n $TARGET ]] || take_target "$@"
}
