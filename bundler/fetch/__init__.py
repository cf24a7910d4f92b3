"""Downloads files over HTTPS, resumably, and keeps them in a content-addressed store."""
