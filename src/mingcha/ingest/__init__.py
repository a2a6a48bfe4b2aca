"""From a utility's files or database to accepted and quarantined rows."""
