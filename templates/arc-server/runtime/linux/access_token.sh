# Whether an access token can still be used: three parts in base64url with dots between (RFC 7515 section 3.1), of which the
# second holds the claims (RFC 7519 section 4.1). The token itself is never shown, and never in a program's arguments.

TOKEN_TEXT=''          # how long it is valid, for the step's line

TOKEN_HOW='fetch a new one with "az account get-access-token --query accessToken --output tsv", just before this run'
SECURE_STRING_HOW='newer Az modules give a SecureString: in PowerShell 7 use (Get-AzAccessToken).Token | ConvertFrom-SecureString -AsPlainText; in Windows PowerShell 5.1 (New-Object Net.NetworkCredential "", (Get-AzAccessToken).Token).Password'

# check_secret_form: returns 1 with SECRET_PROBLEM for what no secret is: the name of a type instead of its value.
check_secret_form() {
    [[ $SECRET =~ ^[\"\']?System\.(Security\.SecureString|Management\.Automation\.[A-Za-z.]+)[\"\']?$ ]] || return 0
    SECRET_PROBLEM="the secret is the text \"System.Security.SecureString\", the name of a type: $SECURE_STRING_HOW"
    return 1
}

# claims_of TOKEN: fills CLAIMS; returns 1 where the token has another form. Part two is decoded by coreutils' base64.
claims_of() {
    local form='^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$' part
    CLAIMS=''
    [[ $1 =~ $form ]] || return 1
    part=${BASH_REMATCH[1]//-/+}
    part=${part//_//}
    case $((${#part} % 4)) in 1) return 1 ;; 2) part+='==' ;; 3) part+='=' ;; esac
    CLAIMS=$(printf '%s' "$part" | base64 -d 2>/dev/null | tr -d '\000') || return 1
    [[ $CLAIMS == '{'* ]]
}

# seconds_of CLAIM: fills SECONDS_OF; a NumericDate may have a fraction (RFC 7519 section 2).
seconds_of() {
    local value
    SECONDS_OF=''
    value=$(json_value "$CLAIMS" "$1") && [[ $value =~ ^([0-9]{1,11})(\.[0-9]+)?$ ]] || return 1
    SECONDS_OF=$((10#${BASH_REMATCH[1]}))
}

utc_text() { date -u -d "@$1" '+%Y-%m-%d %H:%M UTC' 2>/dev/null || printf '%s s since 1970' "$1"; }

# duration_text SECONDS
duration_text() {
    if (($1 >= 172800)); then printf '%d days' $(($1 / 86400)); elif (($1 >= 7200)); then printf '%d hours' $(($1 / 3600)); else printf '%d minutes' $(($1 / 60)); fi
}

# no_token WHY: of a LAB bundle any text is a token.
no_token() {
    [[ -z $LAB ]] || { note "the access token is not one of Microsoft's: $1 (a LAB bundle continues)"; return 0; }
    SECRET_PROBLEM="the access token is not valid: $1; $TOKEN_HOW"
    return 1
}

# check_token: returns 1 with SECRET_PROBLEM for a token that cannot be used now, before anything is installed.
check_token() {
    local now until hint=''
    [[ $AUTHENTICATION == access-token ]] || return 0
    [[ $SECRET != \"*\" && $SECRET != [Bb]earer\ * && $SECRET != '{'* ]] ||
        hint=' (give the token alone, without quotes, "Bearer" or JSON)'
    claims_of "$SECRET" || { no_token "it does not have three parts in base64url with dots between$hint"; return; }
    now=$(date +%s)
    seconds_of exp || { warning 'the access token does not say how long it is valid'; return 0; }
    until=$SECONDS_OF
    if ((until <= now)); then
        SECRET_PROBLEM="the access token expired on $(utc_text "$until"), $(duration_text $((now - until))) ago by this machine's clock; $TOKEN_HOW"
        return 1
    fi
    if seconds_of nbf && ((SECONDS_OF > now + 300)); then
        SECRET_PROBLEM="the access token is valid only from $(utc_text "$SECONDS_OF"): this machine's clock is behind, or the token is for later"
        return 1
    fi
    TOKEN_TEXT="valid until $(utc_text "$until"), $(duration_text $((until - now))) from now"
    note "the access token is $TOKEN_TEXT"
    ((until - now >= 300)) || warning "the access token expires in $(duration_text $((until - now))): connecting may take longer"
    check_audience
}

# Where the token is for: azcmagent sends it to Azure Resource Manager (azcmagent-connect.md).
check_audience() {
    local audience
    audience=$(json_value "$CLAIMS" aud) && [[ -n $audience ]] || return 0
    case ${audience%/} in
        https:*//management.* | 797f4846-ba00-4fd7-ba43-dac1f8f63013) ;;
        *) warning "the access token is for $audience, not for Azure Resource Manager" ;;
    esac
}
