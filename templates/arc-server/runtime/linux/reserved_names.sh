# Names that Azure Resource Manager refuses for a resource, which gets the host's name where the bundle gives none.
# azure-resource-manager/troubleshooting/error-reserved-resource-name.md (2023-04-05); bundler/data/arc_server/limits.json.

RESERVED_WHOLE='ACCESS APP_CODE APP_THEMES APP_DATA APP_GLOBALRESOURCES APP_LOCALRESOURCES APP_WEBREFERENCES APP_BROWSERS
AZURE BING BIZSPARK BIZTALK CORTANA DIRECTX DOTNET DYNAMICS EXCEL EXCHANGE FOREFRONT GROOVE HOLOLENS HYPERV KINECT LYNC
MSDN O365 OFFICE OFFICE365 ONEDRIVE ONENOTE OUTLOOK POWERPOINT SHAREPOINT SKYPE VISIO VISUALSTUDIO WEB.CONFIG XBOX'
RESERVED_PART='MICROSOFT WINDOWS'
RESERVED_START='LOGIN'
RESERVED_WORD=''

# reserved_word NAME: whether NAME is refused; RESERVED_WORD is the word for which. Letter case does not count.
reserved_word() {
    local name=${1^^} word
    RESERVED_WORD=''
    for word in $RESERVED_WHOLE; do
        [[ $name != "$word" ]] || RESERVED_WORD=$word
    done
    for word in $RESERVED_PART; do
        [[ $name != *"$word"* ]] || RESERVED_WORD=$word
    done
    for word in $RESERVED_START; do
        [[ $name != "$word"* ]] || RESERVED_WORD=$word
    done
    [[ $RESERVED_WORD != '' ]]
}
