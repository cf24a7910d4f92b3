"""The products: what bundles install. Nothing outside this room knows Azure."""
