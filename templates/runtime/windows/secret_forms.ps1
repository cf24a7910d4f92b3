# How a secret may be spelled where it is repeated, and what looks like one: regular expressions over bytes.
# Made by `make docs` from bundler/formats/secret_forms.py and secret_shapes.py: change those, not this file.
# @H two hex digits, @O three octal ones, @D decimal, @U the shortest hex.

$script:SecretForms = @{
    WholeWord = 6
    Line = 16
    Armor = '-----'
    Long = 512
    Base64Least = 7
    Gap = ('' + '[' + [char]0x0009 + [char]0x000d + [char]0x000a + ' ]*')
    HexGap = ('' + '(00|0x|\\x?|[' + [char]0x0009 + [char]0x000d + [char]0x000a + ' ,:-])*')
    DecimalGap = ('' + '[' + [char]0x0009 + [char]0x000d + [char]0x000a + ' ,]+(0[' + [char]0x0009 + [char]0x000d + [char]0x000a + ' ,]+)?')
    Edge = '\b'
    Unit = '((\\(u005[cC])?|%(25)*5[cC])+|%(25)*)[uU][{]?0*@U[}]?'
    Reference = '((&|\\+u0026)(amp;)*#(0*@D|[xX]0*@U);|_[xX]0*@U_)'
    Escape = '((\\(u005[cC])?|%(25)*5[cC])+|[`^])?'
    Base64Plus = '([+-]|%(25)*2[bB]|(\\(u005[cC])?|%(25)*5[cC])+u002[bB])'
    Base64Slash = '(((\\(u005[cC])?|%(25)*5[cC])+)?[/]|_|%(25)*2[fF]|(\\(u005[cC])?|%(25)*5[cC])+u002[fF])'
    Bytes = @('(%(25)*|=|(\\(u005[cC])?|%(25)*5[cC])+x)@H', '(\\(u005[cC])?|%(25)*5[cC])+0*@O')
    # Further spellings of single characters, by their number.
    Named = @{
        32 = @('[+]')
        34 = @('""', '(&|\\+u0026)(amp;)*quot;')
        38 = @('&(amp;)+')
        39 = @('''''', '''(\\(u005[cC])?|%(25)*5[cC])+''''', '''"''"''', '(&|\\+u0026)(amp;)*apos;')
        60 = @('(&|\\+u0026)(amp;)*lt;')
        62 = @('(&|\\+u0026)(amp;)*gt;')
    }
}

$script:SecretNames = ('(service-principal-secret|client[_-]?secret|(access|refresh|id)[_-]?to' +
       'ken|password|passphrase|passwd|pwd|(shared[_-]?access|account)[_-]?key)')
# Expression, replacement, and options; @N are the names.
$script:SecretShapes = @(
    @('-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(-----END [A-Z ]*PRIVATE KEY-----)?',
      '***', $OwnCase),
    @('(://)[^/\t-\r "<>]+@',
      '${1}***@', $OwnCase),
    @('[^][/:\t-\r "=@<>]+:[^/\t-\r "<>*]+@',
      '***@', $OwnCase),
    @('eyJ[A-Za-z0-9_-]{8,}[.][A-Za-z0-9_.-]+',
      '***', $OwnCase),
    @('((bearer|basic)[\t-\r ]+)[A-Za-z0-9+/=._~-]{8,}',
      '${1}***', $AnyCase),
    @('(^|[^A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}',
      '${1}***', $OwnCase),
    @('([?&](sig|se|code|token)=)[^&\t-\r "'']+',
      '${1}***', $AnyCase),
    @(('(@N\\*["'']?[\t-\r ]*[:=][\t-\r ]*)("([^"\\]|\\.)*"?|\\+"([^"\' +
       '\]|\\[^"])*(\\*")?|''[^'']*''?|[^\t-\r &,;"''}\\][^\t-\r &,;"''}]*)'),
      '${1}***', $AnyCase),
    @('(--?@N[\t-\r ]+)("([^"\\]|\\.)*"?|\\+"([^"\\]|\\[^"])*(\\*")?|''[^'']*''?|[^\t-\r &,;"''}\\][^\t-\r &,;"''}]*)',
      '${1}***', $AnyCase)
)
