"""rules/screens."""
