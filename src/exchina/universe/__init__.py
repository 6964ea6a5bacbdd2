"""PURE. The universe on a day: one row a company, with everything that a rule may read.

Reads tables that were already cut to what was known on that day, so a rule cannot see the future.
"""

from exchina.universe.table import universe_on

__all__ = ["universe_on"]
