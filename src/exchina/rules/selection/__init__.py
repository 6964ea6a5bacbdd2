"""rules/selection."""
