"""Screens: which companies may be in the index, one file a rule."""
