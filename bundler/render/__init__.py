"""What will the target read? Templates, and quoting per language."""
