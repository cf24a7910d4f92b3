"""Verifies signatures, certificate chains and seals against trust anchors; uses no network."""
