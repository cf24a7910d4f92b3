"""Facts as data, each with its source: trust anchors, keys, tables and schemas."""
