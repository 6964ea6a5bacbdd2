"""A seeded market that behaves like the real one: numbers only, no files and no clock."""
