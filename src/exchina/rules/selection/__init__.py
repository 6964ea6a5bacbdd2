"""Selections: which of the eligible companies are in, one file a rule."""
