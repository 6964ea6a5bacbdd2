"""Caps: bounds on single names and on groups, one file a rule."""
