# What the receipt says of the agent.

AGENT_VERSION='' AGENT_SHA256=''

# product_facts: prints the receipt's lines that are this product's.
product_facts() {
    printf '  "agent": {"version": %s, "sha256": %s},\n  "resource_id": %s,\n' \
        "$(json_string "$AGENT_VERSION")" "$(json_string "$AGENT_SHA256")" "$(json_string "$SHOWN_RESOURCE")"
}

# refresh_product_facts: for the receipt of a run that ends.
refresh_product_facts() {
    AGENT_VERSION=$(installed_version) || AGENT_VERSION=''
    [[ ! -f $AGENT ]] || AGENT_SHA256=$(file_sha256 "$AGENT")
}

outcome_word() {
    case $MODE in install) echo connected ;; uninstall) echo uninstalled ;; collect-logs) echo collected ;; *) echo checked ;; esac
}
