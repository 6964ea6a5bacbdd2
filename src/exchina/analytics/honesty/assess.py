"""What may be claimed of a backtest that was chosen among others: all controls, each a number or a reason why not.

A fund designer who tries twenty worthless rules on two years of data finds one with a yearly Sharpe ratio of 1.3 on
average. So every figure here is read beside the number of rules tried, which is the trial ledger's to say.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from exchina.analytics.honesty import figures, settings
from exchina.analytics.honesty.bootstrap import BootstrapIntervals, bootstrap_intervals
from exchina.analytics.honesty.data_snooping import DataSnooping, data_snooping
from exchina.analytics.honesty.figures import Case, Figure
from exchina.analytics.honesty.overfitting import Overfitting, overfitting
from exchina.analytics.honesty.sharpe import FloatArray, checked_returns, track
from exchina.errors import DataError, Problem

Result = TypeVar("Result")
SAME = 1e-12


@dataclass(frozen=True)
class Honesty:
    """The controls of one backtest, in the order in which they are read.

    Attributes:
        figures: one of each name, always all of them.
        periods: n, returns read.
        periods_per_year: q.
        trials: K, every variant tried; None without a trial ledger.
        compared: variants whose returns cover the same periods, which RC, SPA, PBO and V read.
        excess_of_cash: whether the return on cash was deducted before the Sharpe ratios.
        seed: of the bootstrap.
        intervals: the block bootstrap, for those who want the difference to the benchmark.
        data_snooping, overfitting: the full results; None where not computable.
    """

    figures: tuple[Figure, ...]
    periods: int
    periods_per_year: float
    trials: int | None
    compared: int | None
    excess_of_cash: bool
    seed: int
    intervals: BootstrapIntervals
    data_snooping: DataSnooping | None
    overfitting: Overfitting | None

    def __getitem__(self, name: str) -> Figure:
        """The figure of this name."""
        return next(figure for figure in self.figures if figure.name == name)


def assess(
    returns: FloatArray,
    *,
    trials: FloatArray | None = None,
    tried: int | None = None,
    benchmark: FloatArray | None = None,
    cash: FloatArray | None = None,
    periods_per_year: float = 252,
    target_annual: float = 1.0,
    blocks: int | None = None,
    draws: int = 2000,
    seed: int = 1,
) -> Honesty:
    """Judge a chosen variant by its record and by everything that was tried beside it.

    Args:
        returns: (n,) simple returns per period of the chosen variant, after costs where they are known.
        trials: (n, K') returns of the variants tried whose records cover the same periods, the chosen one among them.
        tried: K, every variant in the ledger, comparable or not; K' without it.
        benchmark: (n,) returns of a benchmark of the same market.
        cash: (n,) return on cash; deducted for the Sharpe ratios. Without it nothing is, and the figures say so.
        periods_per_year: q; 252 for sessions.
        target_annual: yearly Sharpe ratio that the minimum backtest length is asked for.
        blocks: S of PBO; see `overfitting`.
        draws: of the intervals, and of RC and SPA.
        seed: of the bootstrap.

    Returns:
        Always the same figures in the same order; what cannot be computed has a reason instead of a number.
        RC and SPA compare returns with the benchmark's, without cash; the other controls are in excess of cash.

    Raises:
        DataError: series that do not fit together, a return missing, fewer than 10 periods, returns that never change,
            a chosen variant that is not among the trials, K below K', or a setting that makes no sense.
    """
    wrong = settings.faults(periods_per_year=periods_per_year, target_annual=target_annual, draws=draws)
    _check(returns, trials, tried, benchmark, wrong)
    spread = bootstrap_intervals(
        returns, benchmark=benchmark, cash=cash, periods_per_year=periods_per_year, draws=draws, seed=seed
    )
    deducted = np.zeros(len(returns)) if cash is None else np.asarray(cash, np.float64)
    excess = checked_returns(returns - deducted, "returns in excess of cash")
    columns = None if trials is None else trials - deducted[:, None]
    known = columns.shape[1] if tried is None and columns is not None else tried
    case = Case(excess, track(excess), columns, known, periods_per_year, cash is not None)
    against = None if trials is None or benchmark is None else trials - benchmark[:, None]
    snooping, no_test = _tried(lambda: None if against is None else data_snooping(against, draws=draws, seed=seed))
    fitted, no_pbo = _tried(lambda: None if columns is None else overfitting(columns, blocks=blocks))
    found = (
        *figures.of_the_record(case, spread),
        *figures.after_trials(case, target_annual),
        *figures.of_the_test(case, snooping, no_test),
        *figures.of_overfitting(case, fitted, no_pbo),
        *figures.after_haircut(case),
        *figures.with_intervals(case, spread),
    )
    compared = None if columns is None else columns.shape[1]
    sizes = (excess.size, periods_per_year, known, compared)
    return Honesty(found, *sizes, cash is not None, seed, spread, snooping, fitted)


def _check(
    returns: FloatArray,
    trials: FloatArray | None,
    tried: int | None,
    benchmark: FloatArray | None,
    wrong: list[Problem],
) -> None:
    n = len(returns)
    problems = [*wrong]
    if benchmark is not None and np.shape(benchmark) != (n,):
        problems.append(Problem("benchmark", f"shape {np.shape(benchmark)}", f"the {n} periods of the returns"))
    if trials is not None and (np.ndim(trials) != 2 or len(trials) != n):
        problems.append(Problem("trials", f"shape {np.shape(trials)}", f"{n} periods x variants"))
    elif trials is not None:
        if not np.isfinite(trials).all():
            problems.append(Problem("trials", "a return is missing", "use the periods that all variants have"))
        if not (np.abs(trials - np.asarray(returns)[:, None]).max(axis=0, initial=0) <= SAME).any():
            problems.append(Problem("trials", "the chosen variant is not among them", "a trial cannot be hidden"))
    least = 1 if trials is None or np.ndim(trials) != 2 else max(1, trials.shape[1])
    if tried is not None and tried < least:
        problems.append(Problem("tried", f"{tried}", f"at least {least}: the variants given"))
    if problems:
        raise DataError(*problems)


def _tried(compute: Callable[[], Result]) -> tuple[Result | None, str]:
    """A result, or why there is none."""
    try:
        return compute(), ""
    except DataError as error:
        return None, "not computable: " + "; ".join(str(problem) for problem in error.problems)
