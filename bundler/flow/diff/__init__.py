"""Compares two bundles, manifests or locks, statement by statement."""
