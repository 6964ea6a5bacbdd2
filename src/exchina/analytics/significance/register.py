"""The register of tests: a test is one function of a sample, entered with what kind it is and what it assumes.

The first line of its docstring, up to the colon, is the label. Traits: one of ``essential``, ``secondary``,
``diagnostic``; ``independent`` (assumes that the names do not move together) or ``calm`` (assumes that the event does
not raise the variance) or ``small`` (rejects too often in small samples) puts the warning beside the figure.
"""

from exchina.analytics.significance.outcome import Kind
from exchina.plugins import Register

statistic = Register("statistic", "exchina.analytics.significance")
KINDS: tuple[Kind, ...] = ("essential", "secondary", "diagnostic")
WARNINGS = {
    "independent": "assumes independence: rejects 23-68 % of true nulls when one announcement hits every name",
    "calm": "assumes that the event does not raise the variance: rejects 9-17 % of true nulls where it doubles",
    "small": "for N >= 20: where one announcement hits every name it rejects 9 % of true nulls at N = 8, 7 % at N = 20",
}
