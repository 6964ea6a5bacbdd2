"""Weightings: the weights before caps, one file a rule."""
