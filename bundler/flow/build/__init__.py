"""Builds a bundle: assembles its tree, signs it, packs it, and verifies what was written."""
