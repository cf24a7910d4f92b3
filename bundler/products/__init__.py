"""What is installed? The only place that knows Azure."""
