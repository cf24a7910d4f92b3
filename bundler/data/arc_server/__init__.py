"""Facts about Azure Arc-enabled servers, each table with its source."""
