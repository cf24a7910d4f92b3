# How far this machine's clock is off.

# http_seconds "Mon, 23 Nov 2026 22:02:18 GMT": seconds since 1970 (RFC 9110 section 5.6.7), which not every date reads.
http_seconds() {
    local form='^[A-Za-z]+, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT$'
    local months=JanFebMarAprMayJunJulAugSepOctNovDec before month year day
    [[ $1 =~ $form ]] || return 1
    before=${months%%"${BASH_REMATCH[2]}"*}
    month=$((${#before} / 3 + 1)) year=$((10#${BASH_REMATCH[3]})) day=$((10#${BASH_REMATCH[1]}))
    # Days by the year that begins in March, so that its last day is the leap day.
    ((month > 2)) || { year=$((year - 1)); month=$((month + 12)); }
    day=$((365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 719469))
    echo $((day * 86400 + 10#${BASH_REMATCH[4]} * 3600 + 10#${BASH_REMATCH[5]} * 60 + 10#${BASH_REMATCH[6]}))
}

# clock_skew: how many seconds this machine's clock is off, where an answer has the time.
clock_skew() {
    local at date now
    for at in ${CHECK_HOST[@]+"${!CHECK_HOST[@]}"}; do
        date=$(found "$at" date) now=$(found "$at" now)
        [[ -z $date || -z $now ]] || date=$(http_seconds "$date") || continue
        [[ -n $date && -n $now ]] || continue
        echo $((now - date))
        return
    done
    return 1
}
