"""One broken rulebook per mistake, and the words the message must contain."""
