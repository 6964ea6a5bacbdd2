"""A series beside a benchmark: how far apart, how closely together, how much of its rises and falls.

Both are ``levels`` as in `performance`; returns are simple returns between the sessions that both have.
"""

from typing import TypedDict

import numpy as np
import polars as pl

from exchina.analytics.performance import DAYS_PER_YEAR, SESSIONS_PER_YEAR, FloatArray, checked_series
from exchina.errors import DataError, Problem


class Relative(TypedDict):
    """A series against a benchmark; see `relative`."""

    sessions: int
    tracking_difference: float
    tracking_error: float
    information_ratio: float | None
    beta: float | None
    correlation: float | None
    up_capture: float | None
    down_capture: float | None


def relative(levels: pl.DataFrame, benchmark: pl.DataFrame) -> Relative:
    """Figures of a series against a benchmark over their common sessions.

    Args:
        levels: ``session`` and ``level`` of one variant.
        benchmark: the same of the benchmark.

    Returns:
        ``sessions``: common sessions. ``tracking_difference``: return per year less the benchmark's, both
        (L_end / L_first)^(365.25 / d) - 1. ``tracking_error``: standard deviation (n - 1) of r - b, times sqrt(252).
        ``information_ratio``: mean(r - b) 252 / tracking error. ``beta``: cov(r, b) / var(b). ``correlation``: of r and
        b. ``up_capture``: geometric mean return over the sessions in which the benchmark rose, over the benchmark's in
        the same sessions; ``down_capture``: where it fell. None where the denominator is 0 or there is no such session.

    Raises:
        DataError: either is not a series, or they have fewer than three sessions in common.
    """
    checked_series(levels)
    checked_series(benchmark)
    both = levels.select("session", "level").join(
        benchmark.select("session", other="level"), on="session", how="inner", maintain_order="left"
    )
    if both.height < 3:
        raise DataError(Problem("benchmark", f"{both.height} sessions in common with the levels", "three or more"))
    ours, theirs = both["level"].to_numpy(), both["other"].to_numpy()
    r, b = ours[1:] / ours[:-1] - 1, theirs[1:] / theirs[:-1] - 1
    days = (both["session"][-1] - both["session"][0]).days
    per_year = DAYS_PER_YEAR / days
    error = float(np.std(r - b, ddof=1) * np.sqrt(SESSIONS_PER_YEAR))
    r_spread, b_spread = float(np.std(r, ddof=1)), float(np.std(b, ddof=1))
    together = float(np.cov(r, b)[0, 1])
    return {
        "sessions": both.height,
        "tracking_difference": float((ours[-1] / ours[0]) ** per_year - (theirs[-1] / theirs[0]) ** per_year),
        "tracking_error": error,
        "information_ratio": float(np.mean(r - b)) * SESSIONS_PER_YEAR / error if error else None,
        "beta": together / b_spread**2 if b_spread else None,
        "correlation": together / (r_spread * b_spread) if r_spread and b_spread else None,
        "up_capture": _capture(r[b > 0], b[b > 0]),
        "down_capture": _capture(r[b < 0], b[b < 0]),
    }


def _capture(ours: FloatArray, theirs: FloatArray) -> float | None:
    """Geometric mean return over the benchmark's, in the sessions given."""
    if not ours.size:
        return None
    means = [float(np.prod(1 + returns) ** (1 / returns.size) - 1) for returns in (ours, theirs)]
    return means[0] / means[1]
