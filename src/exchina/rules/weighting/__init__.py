"""rules/weighting."""
