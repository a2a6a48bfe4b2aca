"""A mapping proposed from the names and the contents of a source, for a person to correct."""
