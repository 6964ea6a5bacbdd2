"""PURE. The rules of an index, one file each: universe table -> baskets.

A *screen* and a *selection* judge each row and give verdicts; a *weighting* gives uncapped weights; a *cap* gives
bounds, which `exchina.rules.solve` meets together. Every rule reads a universe table of one or many reviews (column
``review``) and judges each review on its own. A new rule is one new file in the folder of its kind.
"""
