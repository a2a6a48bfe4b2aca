"""A worksheet as text for a terminal, as JSON, as a Word document, as PDF; all from one layout."""
