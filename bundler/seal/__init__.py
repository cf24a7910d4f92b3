"""How will others believe us? Checking a bundle; later signing and envelopes."""
