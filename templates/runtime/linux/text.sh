# Text of unknown origin on a terminal.

# readable TEXT: fills READABLE, without what steers a terminal (U+0080 to U+009F are two bytes of UTF-8).
readable() {
    READABLE=${1//[[:cntrl:]]/?}
    READABLE=${READABLE//$'\302'[$'\200'-$'\237']/?}
}
