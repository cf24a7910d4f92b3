"""Parsers: pure functions from bytes to values. Whether to trust a value is decided in the rooms above."""
