"""PURE. Baskets and prices -> levels, in numpy float64 and one fixed order."""
