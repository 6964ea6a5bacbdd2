"""PURE. The methodology page of a rulebook in Markdown: what its index does, in full, from the rules themselves.

Names, meanings, formulas and choices are read from the registers, the docstrings and the constants of the rules, so the
page cannot say anything else than the code does. It names no day on which it was made: the same rulebook gives the same
bytes.
"""

from exchina.methodology.page import methodology_page

__all__ = ["methodology_page"]
