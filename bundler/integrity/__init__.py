"""Checks whether a bundle is intact: SHA256SUMS, names, and that manifest and files agree."""
