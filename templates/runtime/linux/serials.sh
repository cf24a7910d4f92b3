# Rollback protection: the highest serial of each bundle's name that ran here.
# One "serial name" a line. Uninstalling does not clear it.

SERIALS=/var/lib/arc-bundler/serials
ALLOW_OLDER=no

# highest_serial: of this bundle's name, 0 where there is none; returns 1 where the file has another form.
highest_serial() {
    local serial name highest=0
    if [[ -e $SERIALS ]]; then
        while read -r serial name || [[ -n $serial ]]; do
            [[ $serial =~ ^[0-9]{1,18}$ && -n $name ]] || return 1
            [[ $name != "$BUNDLE_NAME" ]] || ((10#$serial <= highest)) || highest=$((10#$serial))
        done <"$SERIALS" || return 1
    fi
    printf '%d' "$highest"
}

check_serial() {
    local highest text
    ((SERIAL > 0)) || return 0
    [[ $EUID -eq 0 ]] || { note 'not tested: whether a newer bundle ran here, which only root can read'; return; }
    highest=$(highest_serial) || fail 202 "$SERIALS is damaged; repair it by hand"
    ((SERIAL < highest)) || return 0
    text="this bundle is older ($SERIAL) than one of $BUNDLE_NAME that ran here ($highest)"
    [[ $ALLOW_OLDER == yes ]] || fail 201 "$text; --allow-older continues"
    note "$text; --allow-older continues"
}

# remember_serial: whole or not at all.
remember_serial() {
    local highest serial name text=''
    highest=$(highest_serial) || return 1
    ((SERIAL > highest)) || return 0
    if [[ -e $SERIALS ]]; then
        while read -r serial name; do [[ $name == "$BUNDLE_NAME" ]] || text+="$serial $name"$'\n'; done <"$SERIALS"
    fi
    printf '%s%s %s\n' "$text" "$SERIAL" "$BUNDLE_NAME" | put_state "$SERIALS"
}
