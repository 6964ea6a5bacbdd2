"""The mean correlation of names that one announcement hits together."""

import numpy as np

from exchina.analytics.significance.outcome import FloatArray

FEWEST_COMMON_DAYS = 3
ROUNDING = 1e-24


def mean_correlation(residuals: FloatArray) -> float:
    """Mean Pearson correlation over all pairs of columns, each on the rows that both have.

    r_ij = sum (x - xbar)(y - ybar) / sqrt(sum (x - xbar)^2 sum (y - ybar)^2) over the common rows; a pair with fewer
    than three of them, or with a column that does not move on them, enters as 0. Not floored at 0.

    Args:
        residuals: (T, N), N at least 2, rows are calendar days; NaN where missing.

    Returns:
        (2 / (N (N - 1))) sum_{i<j} r_ij, from -1 / (N - 1) (if nothing is missing) to 1.
    """
    names = residuals.shape[1]
    present = np.isfinite(residuals)
    if not present.all():
        return _with_gaps(np.where(present, residuals, 0.0), present.astype(float))
    if len(residuals) < FEWEST_COMMON_DAYS:
        return 0.0
    centred = residuals - residuals.mean(axis=0)
    squares = (centred**2).sum(axis=0)
    moves = squares > ROUNDING * (residuals**2).sum(axis=0)
    unit = centred[:, moves] / np.sqrt(squares[moves])
    return float(((unit.sum(axis=1) ** 2).sum() - moves.sum()) / (names * (names - 1)))


def _with_gaps(filled: FloatArray, present: FloatArray) -> float:
    """The same from moments over the common rows of each pair; gaps are zero in ``filled``."""
    names = filled.shape[1]
    common = present.T @ present
    sums = filled.T @ present
    squares = (filled**2).T @ present
    enough = np.maximum(common, 1.0)
    covariance = filled.T @ filled - sums * sums.T / enough
    variance = squares - sums**2 / enough
    known = (common >= FEWEST_COMMON_DAYS) & (variance > ROUNDING * squares) & (variance.T > ROUNDING * squares.T)
    np.fill_diagonal(known, val=False)
    scale = np.sqrt(np.where(known, variance * variance.T, 1.0))
    return float((np.where(known, covariance, 0.0) / scale).sum() / (names * (names - 1)))
