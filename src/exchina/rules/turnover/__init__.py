"""Turnover controls: how far a review may go, one file a rule. They act after the caps, where a basket is held.

A control reads one row for each company that is held or wanted: ``held`` (weight as drifted to the cut-off), ``wanted``
(weight that the other rules give), ``must_leave`` (held, and failing a rule that is not the selection), and the columns
of the universe. Its answer has ``step``, what it did in words, the same for all rows of a review; null where nothing.
"""
