"""PURE. What each corporate action does to the lines of an index, one family of kinds a file.

A function takes the lines at the last close on the old terms, the event and the conventions of the rulebook, and gives
the lines on the new terms, with adjusted prices. The divisor is not its business: all events of one day go into one
change, D' = D x (sum q'P'X) / (sum q P X), in `exchina.calculation.engine`.

All kinds that concern one line reduce to two numbers, the adjusted price P' and the factor s by which the company's
shares are multiplied (see `exchina.calculation.action_register`).
"""
