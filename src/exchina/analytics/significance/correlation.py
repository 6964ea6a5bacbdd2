"""The mean correlation of names that one announcement hits together."""

import numpy as np

from exchina.analytics.significance.outcome import FloatArray

FEWEST_COMMON_DAYS = 3
ROUNDING = 1e-24
APART = 3.0


def mean_correlation(residuals: FloatArray, hours: FloatArray | None = None) -> float:
    """Mean Pearson correlation over all pairs of columns, each on the rows that both have.

    r_ij = sum (x - xbar)(y - ybar) / sqrt(sum (x - xbar)^2 sum (y - ybar)^2) over the common rows; a pair with fewer
    than three of them, or with a column that does not move on them, enters as 0. Not floored at 0.

    Markets that close at other hours show one piece of news on two calendar days. A pair whose closes lie more than
    `APART` hours apart counts the row before and the row after as well, r_ij(-1) + r_ij(0) + r_ij(+1), at most 1: what
    the two share, whichever of them shows it first.

    Args:
        residuals: (T, N), N at least 2, rows are calendar days; NaN where missing.
        hours: (N,) hour of the usual close of each name's market, UTC; None: all the same.

    Returns:
        (2 / (N (N - 1))) sum_{i<j} r_ij, from -1 / (N - 1) (if nothing is missing) to 1.
    """
    names = residuals.shape[1]
    names = residuals.shape[1]
    if hours is not None and np.ptp(hours) > APART:
        adjacent = _of_pairs(residuals[:-1], residuals[1:])
        same = _of_pairs(residuals, residuals)
        whole = same + adjacent + adjacent.T
        apart = np.abs(hours[:, None] - hours) > APART
        pairs = np.where(apart, np.clip(whole, -1, 1), same)
        return float(pairs.sum() / (names * (names - 1)))
    if not np.isfinite(residuals).all():
        return float(_of_pairs(residuals, residuals).sum() / (names * (names - 1)))
    if len(residuals) < FEWEST_COMMON_DAYS:
        return 0.0
    centred = residuals - residuals.mean(axis=0)
    squares = (centred**2).sum(axis=0)
    moves = squares > ROUNDING * (residuals**2).sum(axis=0)
    unit = centred[:, moves] / np.sqrt(squares[moves])
    return float(((unit.sum(axis=1) ** 2).sum() - moves.sum()) / (names * (names - 1)))


def _of_pairs(one: FloatArray, other: FloatArray) -> FloatArray:
    """(N, N) correlation of each column of ``one`` with each of ``other`` on their common rows; 0 on the diagonal."""
    here, there = np.isfinite(one).astype(float), np.isfinite(other).astype(float)
    x, y = np.where(here > 0, one, 0.0), np.where(there > 0, other, 0.0)
    common = here.T @ there
    enough = np.maximum(common, 1.0)
    sum_x, sum_y = x.T @ there, here.T @ y
    square_x, square_y = (x**2).T @ there, here.T @ (y**2)
    covariance = x.T @ y - sum_x * sum_y / enough
    variance_x, variance_y = square_x - sum_x**2 / enough, square_y - sum_y**2 / enough
    known = (common >= FEWEST_COMMON_DAYS) & (variance_x > ROUNDING * square_x) & (variance_y > ROUNDING * square_y)
    np.fill_diagonal(known, val=False)
    return np.where(known, covariance, 0.0) / np.sqrt(np.where(known, variance_x * variance_y, 1.0))
