"""Signs: keys in files and tokens, external signers, CMS, DSSE, OpenPGP, envelopes, script signatures (writes only)."""
