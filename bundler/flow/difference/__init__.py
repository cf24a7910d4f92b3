"""How does one bundle, manifest or lock differ from another? What each states, one thing at a time, and in words."""
