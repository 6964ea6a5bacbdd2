"""Tests of the fund that tracks an index."""
