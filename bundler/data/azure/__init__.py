"""Facts about Azure that its products share."""
