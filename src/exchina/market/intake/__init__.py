"""How a person's own files become market tables."""
