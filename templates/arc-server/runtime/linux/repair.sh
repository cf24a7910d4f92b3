# What an earlier installation left half done.

# repair_package: completes an earlier installation of this package that was interrupted.
repair_package() {
    local answer line ENDS_BY=$PACKAGE_ENDS_BY
    answer=$(package_state) || return 0
    case $answer in
        unpacked\ * | half-configured\ * | triggers-*)
            [[ $MODE != dry-run ]] || { note 'would run dpkg --configure azcmagent: an earlier installation is incomplete'; return; }
            note 'an earlier installation of azcmagent is incomplete: running dpkg --configure azcmagent'
            run dpkg --configure --force-confold azcmagent && return
            # Another version is replaced by the bundle's; this one cannot be.
            [[ $(compare_versions "${answer##* }" "$PACKAGE_VERSION") != 0 ]] || { show_log_end; fail 214 'dpkg cannot configure azcmagent'; }
            ;;
        *$'\n'*)
            [[ $MODE != dry-run ]] || { note 'would remove the leftover of an upgrade from the rpm database'; return; }
            lines_of "$answer"
            for line in "${TEXT_LINES[@]}"; do drop_old_rpm "${line#installed }"; done
            ;;
    esac
}

# drop_old_rpm VERSION: of those in TEXT_LINES. An upgrade that was killed leaves the old version beside the new one.
drop_old_rpm() {
    local other
    for other in "${TEXT_LINES[@]}"; do
        [[ $(compare_versions "$1" "${other#installed }") == -1 ]] || continue
        note "azcmagent $1 is the leftover of an incomplete upgrade: removing its entry from the rpm database"
        run rpm -e --justdb --noscripts --notriggers --nodeps "azcmagent-$1" || { show_log_end; fail 214 "rpm cannot remove the entry of azcmagent $1"; }
        return
    done
}
