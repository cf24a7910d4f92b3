"""In which order? One module a command."""
