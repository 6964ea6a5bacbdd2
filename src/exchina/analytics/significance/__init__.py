"""Significance tests of event studies: one sample of one date, several dates, one security.

    >>> import numpy as np
    >>> random = np.random.default_rng(1)
    >>> market = random.normal(0, 0.01, 71)
    >>> returns = market[:, None] + random.normal(0, 0.03, (71, 6))
    >>> names = Market(np.arange(71), returns, market, np.arange(60), np.array([70]))
    >>> headline = battery(sample(names))[0]
    >>> headline.label, headline.df, 0 < headline.p < 1
    ('Kolari-Pynnonen adjusted BMP t', 5, True)

Sources: Patell 1976, Brown and Warner 1985, Corrado 1989, Boehmer, Musumeci and Poulsen 1991, Corrado and Zivney 1992,
Cowan 1992, Kolari and Pynnonen 2010 and 2011; Jaffe 1974 for several dates.
"""

from exchina.analytics.significance.battery import battery, table
from exchina.analytics.significance.cross_section import skewness_adjusted
from exchina.analytics.significance.dates import Dates, contrast, date_battery, dated
from exchina.analytics.significance.forming import Market, from_fit, sample
from exchina.analytics.significance.outcome import NotComputableError, Statistic
from exchina.analytics.significance.security_events import Portfolio, Sample, pooled
from exchina.analytics.significance.single import SingleTests, single_tests

__all__ = [
    "Dates",
    "Market",
    "NotComputableError",
    "Portfolio",
    "Sample",
    "SingleTests",
    "Statistic",
    "battery",
    "contrast",
    "date_battery",
    "dated",
    "from_fit",
    "pooled",
    "sample",
    "single_tests",
    "skewness_adjusted",
    "table",
]
