# Whether disconnecting leaves the resource in Azure.

LOCAL_ONLY=''          # why; empty: the resource is deleted

# hyperv_guest: a virtual machine on Hyper-V, which Azure Local is built on.
hyperv_guest() {
    local vendor='' product=''
    [[ ! -r $DMI/sys_vendor ]] || read -r vendor <"$DMI/sys_vendor"
    [[ ! -r $DMI/product_name ]] || read -r product <"$DMI/product_name"
    [[ $vendor != 'Microsoft Corporation' || $product != 'Virtual Machine' ]] || return 0
    field cloudprovider || :
    case ${FIELD,,} in azshci | azurelocal | 'azure local' | azurestackhci) return 0 ;; esac
    [[ $(systemd-detect-virt --vm 2>/dev/null) == microsoft ]]
}

# choose_disconnect: azcmagent-disconnect.md warns: the full command in a virtual machine on Azure Local can delete that
# machine, from Azure and on-premises.
choose_disconnect() {
    LOCAL_ONLY=''
    if [[ $FORCE_LOCAL_ONLY == yes ]]; then
        LOCAL_ONLY='as --force-local-only says'
    elif [[ $STATE == expired ]]; then
        LOCAL_ONLY='its identity has expired'
    elif [[ $DELETE_RESOURCE == yes ]]; then
        :
    elif hyperv_guest; then
        LOCAL_ONLY='this is a Hyper-V guest: on Azure Local, deleting the resource can delete the virtual machine'
    elif [[ $STATE == wanted || $STATE == elsewhere ]] && other_hardware; then
        LOCAL_ONLY='the resource was made on other hardware, so that it may be another machine'\''s'
    fi
}

# stays_text: what is said of the resource afterwards.
stays_text() {
    [[ -n $LOCAL_ONLY && -n $SHOWN_RESOURCE ]] || return 0
    printf ', on this machine only (%s); %s stays in Azure' "$LOCAL_ONLY" "$SHOWN_RESOURCE"
    [[ $FORCE_LOCAL_ONLY == yes || $STATE == expired ]] || printf '; --delete-resource deletes it'
}

# disconnect_agent: as chosen; returns azcmagent's exit code.
disconnect_agent() {
    local code=0
    if [[ -n $LOCAL_ONLY ]]; then
        run "$AGENT" disconnect --force-local-only || code=$?
    else
        note_agent_logs
        { write_sign_in_file >"$SAFE/disconnect.json"; } 2>/dev/null || fail 202 "the parameters cannot be written to $SAFE"
        with_agent disconnect "$SAFE/disconnect.json" || code=$?
    fi
    return "$code"
}
