"""How is it wrapped? Tree, manifest, containers."""
