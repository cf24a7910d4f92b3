"""Are the bytes to be believed? Signatures, chains and anchors; no network."""
