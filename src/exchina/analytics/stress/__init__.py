"""PURE. What a shock does to the weights of an index, with the policy measures behind its members and without them.

`floor` values a price floor; `cash_flow` holds the formulas of the worksheet, `firms` what is known or assumed of each
member, `cover` which measures count, `worksheet` puts them together; `replay` shows what past events did to today's
names; `propagation` passes a shock on through covariances; `scenario` reads scenario files. A stress is an "if", never
a forecast: no probability is attached to any scenario.
"""
