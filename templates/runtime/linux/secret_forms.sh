# How a secret may be spelled where it is repeated, and what looks like one: regular expressions over bytes.
# Made by `make docs` from bundler/formats/secret_forms.py and secret_shapes.py: change those, not this file.
# @H two hex digits, @O three octal ones, @D decimal, @U the shortest hex.

# A line break is \002 here: sed reads all in one line.
SECRET_WHOLE_WORD=6
SECRET_LINE=16
SECRET_ARMOR='-----'
SECRET_LONG=512
SECRET_BASE64_LEAST=7
SECRET_GAP=$'[\x09\x0d\x02 ]*'
SECRET_HEX_GAP=$'(00|0x|\x5c\x5cx?|[\x09\x0d\x02 ,:-])*'
SECRET_DECIMAL_GAP=$'[\x09\x0d\x02 ,]+(0[\x09\x0d\x02 ,]+)?'
SECRET_EDGE='\b'
SECRET_UNIT='((\\(u005[cC])?|%(25)*5[cC])+|%(25)*)[uU][{]?0*@U[}]?'
SECRET_REFERENCE='((&|\\+u0026)(amp;)*#(0*@D|[xX]0*@U);|_[xX]0*@U_)'
SECRET_ESCAPE='((\\(u005[cC])?|%(25)*5[cC])+|[`^])?'
SECRET_BASE64_PLUS='([+-]|%(25)*2[bB]|(\\(u005[cC])?|%(25)*5[cC])+u002[bB])'
SECRET_BASE64_SLASH='(((\\(u005[cC])?|%(25)*5[cC])+)?[/]|_|%(25)*2[fF]|(\\(u005[cC])?|%(25)*5[cC])+u002[fF])'
SECRET_BYTES=('(%(25)*|=|(\\(u005[cC])?|%(25)*5[cC])+x)@H' '(\\(u005[cC])?|%(25)*5[cC])+0*@O')
# named_spellings BYTE: fills NAMED, the further spellings of that character.
named_spellings() {
    NAMED=()
    case $1 in
        ' ') NAMED=('[+]') ;;
        '"') NAMED=('""' '(&|\\+u0026)(amp;)*quot;') ;;
        '&') NAMED=('&(amp;)+') ;;
        ''\''') NAMED=(''\'''\''' ''\''(\\(u005[cC])?|%(25)*5[cC])+'\'''\''' ''\''"'\''"'\''' '(&|\\+u0026)(amp;)*apos;') ;;
        '<') NAMED=('(&|\\+u0026)(amp;)*lt;') ;;
        '>') NAMED=('(&|\\+u0026)(amp;)*gt;') ;;
    esac
}

SECRET_NAMES='(service-principal-secret|client[_-]?secret|(access|refresh|id)[_-]?token|password|passphrase|passwd|pwd|(shared[_-]?access|account)[_-]?key)'
# Expression, replacement, and sed's flags, in turns; @N are the names.
SECRET_SHAPES=(
    '-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(-----END [A-Z ]*PRIVATE KEY-----)?' '***' g
    '(://)[^/[:space:]"<>]+@' '\1***@' g
    '[^][/:[:space:]"=@<>]+:[^/[:space:]"<>*]+@' '***@' g
    'eyJ[A-Za-z0-9_-]{8,}[.][A-Za-z0-9_.-]+' '***' g
    '((bearer|basic)[[:space:]]+)[A-Za-z0-9+/=._~-]{8,}' '\1***' gI
    '(^|[^A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}' '\1***' g
    '([?&](sig|se|code|token)=)[^&[:space:]"'\'']+' '\1***' gI
    '(@N\\*["'\'']?[[:space:]]*[:=][[:space:]]*)("([^"\\]|\\.)*"?|\\+"([^"\\]|\\[^"])*(\\*")?|'\''[^'\'']*'\''?|[^[:space:]&,;"'\''}\\][^[:space:]&,;"'\''}]*)' '\1***' gI
    '(--?@N[[:space:]]+)("([^"\\]|\\.)*"?|\\+"([^"\\]|\\[^"])*(\\*")?|'\''[^'\'']*'\''?|[^[:space:]&,;"'\''}\\][^[:space:]&,;"'\''}]*)' '\1***' gI
)
