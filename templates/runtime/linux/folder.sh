# Where this script, and so the bundle, lies.

BUNDLE=$(CDPATH='' cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P) || exit 200
