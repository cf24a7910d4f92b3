"""How do bytes travel and rest? HTTP transport and the content-addressed store."""
