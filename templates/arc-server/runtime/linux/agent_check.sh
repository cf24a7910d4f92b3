# What azcmagent check says of the network.

# The agent's own check decides; where it differs from this script's, both results are shown. Before it is connected the
# agent does not know the gateway, and tests its endpoints directly.
ask_agent_check() {
    local answer at said code=0 failed='' words=()
    [[ ${#FOUND_VERDICT[@]} -gt 0 ]] || return 0
    [[ -z $LINK_SCOPE ]] || words=(--enable-pls-check)
    ask "$AGENT" check -j --cloud "$CLOUD" --location "$LOCATION" ${words[@]+"${words[@]}"} || code=$?
    answer=$ANSWERED
    log "azcmagent check -j ended with $code: $answer"
    for at in "${!FOUND_VERDICT[@]}"; do
        said=$(agent_says "$answer" "${CHECK_HOST[$at]}") || continue
        case ${FOUND_VERDICT[$at]}:$said in
            ok:false) note "azcmagent check differs: it does not reach ${CHECK_HOST[$at]}, but this script did" ;;
            *failed:true) note "azcmagent check differs: it reaches ${CHECK_HOST[$at]}, but this script did not" ;;
        esac
        [[ $said != false || ${CHECK_REQUIRED[$at]} != yes || ${CHECK_WAY[$at]} == gateway ]] || failed+="${failed:+, }${CHECK_HOST[$at]}"
    done
    [[ $code -eq 0 || -z $failed ]] || fail 26 "azcmagent check does not reach $failed"
}

# agent_says ANSWER HOST: true or false. The output is not documented; an object for each address was seen.
agent_says() {
    local form
    form="\"(https?://)?${2//./\\.}[^\"]*\"[[:space:]]*:[[:space:]]*\\{([^}]*)\\}"
    [[ $1 =~ $form ]] || return 1
    form='"[Rr]eachable"[[:space:]]*:[[:space:]]*"?([A-Za-z]+)'
    [[ ${BASH_REMATCH[2]} =~ $form ]] || return 1
    printf '%s' "${BASH_REMATCH[1],,}"
}
