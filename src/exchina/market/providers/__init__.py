"""market/providers."""
