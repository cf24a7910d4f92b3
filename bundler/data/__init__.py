"""Which facts do we stand on? Anchors, keys, tables and schemas, as data with their sources."""
