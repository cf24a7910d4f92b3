"""Where is it found? A URL, an apt repository, a yum repository, a file at hand."""
