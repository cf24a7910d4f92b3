"""Packs and unpacks bundles: the tree of files, its manifest, and the containers (directory, zip, tar.gz, 7z)."""
