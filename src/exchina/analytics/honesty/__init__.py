"""PURE. Backtest honesty: what can, and what cannot, be claimed of a backtest that was chosen among others.

`assess` gives all controls at once. `sharpe` is one record's Sharpe ratio and its error; `deflation` what the number of
trials takes away; `blocks` and `bootstrap` the block bootstrap; `data_snooping` White's reality check and Hansen's SPA;
`overfitting` PBO by cross-validation; `figures` the controls as lines.
"""

from exchina.analytics.honesty.assess import Honesty, assess
from exchina.analytics.honesty.figures import Figure

__all__ = ["Figure", "Honesty", "assess"]
