"""The Azure Connected Machine agent: its definition, its artifacts, its scripts' context."""
