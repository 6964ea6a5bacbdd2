"""fund."""
