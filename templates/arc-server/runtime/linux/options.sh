# The switches: what this run does.

# Flags of azcmagent that have a secret behind them, which the log does not show.
SECRET_FLAGS='service-principal-secret|access-token|p'

MODE=install           # install, check, dry-run, uninstall or collect-logs
IMPORT_KEYS=no
INSTALL_CERTIFICATES=no
WRITE_HOSTS=no
RECONNECT=no
ALLOW_DOWNGRADE=no
FORCE_LOCAL_ONLY=no
DELETE_RESOURCE=no
NETWORK_CHECK=yes
CONNECT_TRIES=4
COLLECT_DIR=''
RECORDS=/var/log/arc-bundler
RECORDS_GIVEN=no
SIGNER=${ARC_BUNDLER_SIGNER:-}

usage() {
    # No here-document: bash before 5.1 needs room in /tmp for one.
    printf '%s\n' "install.sh of the bundle $BUNDLE_NAME $BUNDLE_VERSION: installs the Azure Connected Machine agent and connects it.

  --check                 stop after the preflight; nothing is changed
  --dry-run               show what each step would do; nothing is changed, root is not needed
  --uninstall             disconnect, remove the agent, and undo what this script changed here
  --collect-logs DIR      pack the agent's logs and the receipts, without what looks like a secret; a secret that is given
                          as for connecting is left out in every spelling
  --help                  this text

  --signer FINGERPRINT    require that this certificate signed the bundle (also from ARC_BUNDLER_SIGNER)
  --allow-older           continue even if a newer bundle of this name ran here
  --envelope FILE         read $SECRET_NAME from this envelope (arc-bundler seal-secret)
  --recipient-key FILE    open it with this key, PEM or PKCS #12 (otherwise with FILE.p12 next to it)
  --passphrase-file FILE  read that key's passphrase from the one line of FILE
  --passphrase-stdin      read it from standard input
  --destroy-envelope      after connecting: overwrite and remove the envelope and the .p12 next to it
  --secret-file FILE      read $SECRET_NAME from the one line of FILE
  --secret-stdin          read it from standard input
  --import-keys           import the bundle's package key into rpm, where its policy requires a known key (SLES)
  --install-certificates  trust the roots in the bundle
  --write-hosts           write the bundle's records of the private endpoint to /etc/hosts
  --reconnect             if this machine is connected elsewhere, disconnect it first
  --allow-downgrade       replace a newer agent by the bundle's version
  --force-local-only      with --uninstall or --reconnect: remove the connection here only, leave the resource in Azure;
                          also where the agent does not answer
  --delete-resource       with these, on a Hyper-V guest: delete the resource in Azure, too. On Azure Local that can delete
                          the virtual machine, so that the connection is removed here only without this switch
  --skip-network-check    do not test the endpoints before installing
  --lock-wait SECONDS     how long to wait for another package installation (default $LOCK_WAIT)
  --connect-tries N       how often to try to connect after failures that pass (default $CONNECT_TRIES)
  --record-dir DIR        folder for log and receipt (default $RECORDS)

Without --envelope, --secret-file and --secret-stdin, the secret is read from the variable ARC_BUNDLER_SECRET, or asked for
in a terminal; a passphrase from ARC_BUNDLER_ENVELOPE_PASSPHRASE, or asked for. Targets: $TARGETS.
Exit codes: 0 done; 200 bundle damaged; 201 signature not verified; 202 machine not ready; 203 no secret; 204 wrong machine;
205 usage; 206 not confirmed; 207 interrupted; 208 network; 209 private addresses; 210 roots; 211 package lock; 212 running;
213 seal not checkable; 214 not repaired; 215 not uninstalled; 220 state unknown; 67 connected elsewhere; 143 package manager; others
are azcmagent's own."
}

# choose_mode MODE: only one of them in a run.
choose_mode() {
    [[ $MODE == install || $MODE == "$1" ]] || fail 205 "--$MODE and --$1 cannot be combined"
    MODE=$1
}

# take_value NAME VALUE
take_value() {
    [[ -n $2 ]] || fail 205 "$1 needs a value"
    case $1 in
        --secret-file) SECRET_FILE=$2 ;;
        --envelope) ENVELOPE=$2 ;;
        --recipient-key) RECIPIENT_KEY=$2 ;;
        --passphrase-file) PASSPHRASE_FILE=$2 ;;
        --signer) SIGNER=$2 ;;
        --record-dir) RECORDS=$2 RECORDS_GIVEN=yes ;;
        --collect-logs) choose_mode collect-logs && COLLECT_DIR=$2 ;;
        --lock-wait) [[ $2 =~ ^[0-9]{1,5}$ ]] && LOCK_WAIT=$((10#$2)) || fail 205 '--lock-wait needs a number of seconds' ;;
        --connect-tries) [[ $2 =~ ^[1-9][0-9]?$ ]] && CONNECT_TRIES=$2 || fail 205 '--connect-tries needs a number from 1 to 99' ;;
    esac
}

# take_switch NAME: switches that weaken or override something are recorded in the receipt.
take_switch() {
    case $1 in
        --check) choose_mode check; return ;;
        --dry-run) choose_mode dry-run; return ;;
        --uninstall) choose_mode uninstall; return ;;
        --secret-stdin) SECRET_STDIN=yes; return ;;
        --passphrase-stdin) PASSPHRASE_STDIN=yes; return ;;
        --destroy-envelope) DESTROY_ENVELOPE=yes; return ;;
        --import-keys) IMPORT_KEYS=yes ;;
        --install-certificates) INSTALL_CERTIFICATES=yes ;;
        --write-hosts) WRITE_HOSTS=yes ;;
        --reconnect) RECONNECT=yes ;;
        --allow-downgrade) ALLOW_DOWNGRADE=yes ;;
        --allow-older) ALLOW_OLDER=yes ;;
        --force-local-only) FORCE_LOCAL_ONLY=yes ;;
        --delete-resource) DELETE_RESOURCE=yes ;;
        --skip-network-check) NETWORK_CHECK=no ;;
        *) fail 205 "$(unknown_argument "$1")" ;;
    esac
    SWITCHES+=("$1")
}

parse_arguments() {
    local argument
    while [[ $# -gt 0 ]]; do
        argument=$1
        shift
        case $argument in
            --help | -h)
                usage
                exit 0
                ;;
            --secret-file | --envelope | --recipient-key | --passphrase-file | --signer | --record-dir | --collect-logs | --lock-wait | --connect-tries)
                take_value "$argument" "${1:-}"
                shift
                ;;
            *) take_switch "$argument" ;;
        esac
    done
    [[ -z $SECRET_FILE || $SECRET_STDIN == no ]] || fail 205 "--secret-file and --secret-stdin cannot be combined"
    check_envelope_options
    [[ $FORCE_LOCAL_ONLY == no || $MODE == uninstall || $RECONNECT == yes ]] || fail 205 '--force-local-only needs --uninstall or --reconnect'
    [[ $DELETE_RESOURCE == no || $MODE == uninstall || $RECONNECT == yes ]] || fail 205 '--delete-resource needs --uninstall or --reconnect'
    [[ $DELETE_RESOURCE == no || $FORCE_LOCAL_ONLY == no ]] || fail 205 '--delete-resource and --force-local-only cannot be combined'
}

check_envelope_options() {
    if [[ -z $ENVELOPE ]]; then
        [[ -z $RECIPIENT_KEY$PASSPHRASE_FILE && $PASSPHRASE_STDIN == no && $DESTROY_ENVELOPE == no ]] ||
            fail 205 '--recipient-key, --passphrase-file, --passphrase-stdin and --destroy-envelope need --envelope'
        return
    fi
    [[ -z $SECRET_FILE && $SECRET_STDIN == no ]] || fail 205 '--envelope excludes --secret-file and --secret-stdin'
    [[ -z $PASSPHRASE_FILE || $PASSPHRASE_STDIN == no ]] || fail 205 '--passphrase-file and --passphrase-stdin cannot be combined'
    [[ -n $(wanted_kind) ]] || fail 205 "this bundle signs in with ${AUTHENTICATION//-/ } and does not use an envelope"
}
