"""What do the bytes say? Pure functions from bytes to values: no opinions."""
