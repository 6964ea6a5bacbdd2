"""rules/capping."""
