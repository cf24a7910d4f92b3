# How the header's arrays are read: which values a row has.

AGENT=/opt/azcmagent/bin/azcmagent

# bundle_files COMMAND...: path and SHA-256 of every file that this script uses besides packages and certificates.
bundle_files() { each_row FILES 2 "$@"; }

# packed_sha256 PATH: of one of those.
packed_sha256() { bundle_files print_where "$1"; }

# print_where PATH, then a row
print_where() { [[ $1 != "$2" ]] || printf '%s' "$3"; }

# bundle_targets COMMAND...: which package is for which machine. os-release's ID and VERSION_ID, uname -m, the target's
# name, the package, its SHA-256, version and kind, KiB of the package and KiB that it takes when installed, and which
# versions below the target's Microsoft supports with this agent (empty: there are none).
bundle_targets() { each_row PACKAGES 11 "$@"; }

# bundle_settings COMMAND...: key and value for "azcmagent config set", in this order, all before connecting.
bundle_settings() { each_row SETTINGS 2 "$@"; }

# bundle_checks COMMAND...: host, port, required (yes or no), the kind of address to expect, the way, the phase (connect
# or always).
bundle_checks() { each_row ENDPOINTS 6 "$@"; }

# bundle_members COMMAND...: the users that may use the managed identity.
bundle_members() { each_row MEMBERS 1 "$@"; }
