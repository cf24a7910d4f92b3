cd "$(dirname "$0")" || exit 200
echo "$SHA256  $PACKAGE" | sha256sum -c - || exit 200
