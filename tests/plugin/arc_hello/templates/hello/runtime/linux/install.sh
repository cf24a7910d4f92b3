cd "$(dirname "$0")" || exit 200
echo "$SHA256  $PACKAGE" | sha256sum -c - >/dev/null || exit 200
if [ "${1-}" = --dry-run ]; then
    echo "hello from $NAME: would install $PACKAGE"
    exit 0
fi
dpkg -i "$PACKAGE"
