# How the header's arrays are read: rows of a fixed number of values, one after the other.

# each_row ARRAY WIDTH COMMAND...: COMMAND with each row's values. bash 4.2 has no reference to an array but this one.
each_row() {
    local row_name="$1[@]" row_width=$2 row_at row_cells
    row_cells=(${!row_name+"${!row_name}"})
    shift 2
    for ((row_at = 0; row_at < ${#row_cells[@]}; row_at += row_width)); do
        "$@" "${row_cells[@]:row_at:row_width}"
    done
}
