"""The risk model of a fund: a shrunk covariance of the returns of its lines, and the tracking error that it forecasts.

S* = k F + (1 - k) S, S the sample covariance (1 / (T - 1)) and F the constant-correlation target: the variances of S,
and the mean r of all sample correlations in place of each (Ledoit and Wolf 2004, "Honey, I shrunk the sample covariance
matrix", Journal of Portfolio Management 30(4), 110-119; appendix B for k). F keeps the variance of each line: that of a
small miner is no error to be shrunk away, as the scaled identity (2004, Journal of Multivariate Analysis 88) would do.

    k = min(1, max(0, (pi - rho) / (gamma N))),   N = T - 1, x the returns less their means
    pi    = sum_ij p_ij,   p_ij = sum_t (x_ti x_tj)^2 / N - s_ij^2
    rho   = sum_i p_ii + r sum_{i != j} sqrt(s_jj / s_ii) (sum_t x_ti^3 x_tj / N - s_ii s_ij)
    gamma = sum_ij (f_ij - s_ij)^2

Covariances of pairs on the sessions that both have would not be positive semidefinite. So lines that are listed later
are completed by one factor, m, the equal-weighted mean of the lines with a whole history (Stambaugh 1997, Journal of
Financial Economics 45, with one regressor): r_j = a + beta_j m + e_j on the sessions of j,

    cov(j, i) = beta_j cov(m, i),   var(j) = beta_j^2 var(m) + s_j^2

A line with fewer than 60 returns has the beta of the mean line, which is 1, and the residual variance of the median
line. The result is B S* B' + D, never negative.

Closes of a day that lie hours apart (Sydney, New York) lower daily covariances: fund and index use the same closes, so
that the daily tracking error is right, but sqrt(252) takes days for independent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from exchina.analytics.costs import check_weights
from exchina.analytics.performance import SESSIONS_PER_YEAR
from exchina.errors import DataError, Problem
from exchina.fund.path import BoolArray, FloatArray

LEAST_SESSIONS = 60
LEAST_WHOLE = 3


@dataclass(frozen=True)
class Covariance:
    """Covariance of the returns of a session.

    Attributes:
        matrix: (n, n), symmetric and positive semidefinite.
        shrinkage: k, the weight of the target, from 0 to 1.
        sessions: how many were used: the last ones, from the first on which half of the lines were listed.
        completed: (n,) lines without a whole history, whose risk comes from one factor.
    """

    matrix: FloatArray = field(repr=False)
    shrinkage: float
    sessions: int
    completed: BoolArray = field(repr=False)


def shrunk_covariance(returns: FloatArray, symbols: Sequence[str] = ()) -> Covariance:
    """The covariance of n lines, shrunk to constant correlation; formulas and sources stand at the head of the module.

    Args:
        returns: (T, n) simple returns of a session, the newest last; NaN before the listing.
        symbols: (n,) names for messages; places where not given.

    Raises:
        DataError: fewer than 60 sessions on which half of the lines were listed; a line without any return, or that
            never moved; a return unknown after the listing; a line of fewer than 60 returns where fewer than 3 have a
            whole history. All lines at once.

    Example:
        >>> found = shrunk_covariance(np.random.default_rng(1).normal(0, 0.02, (250, 3)))
        >>> found.sessions, round(found.shrinkage, 3), np.sqrt(np.diag(found.matrix)).round(2).tolist()
        (250, 1.0, [0.02, 0.02, 0.02])
    """
    names = [f"line {place}" for place in range(returns.shape[1])] if not symbols else list(symbols)
    known = ~np.isnan(returns)
    if not known.any():
        raise DataError(Problem("returns", "none is known", "give the returns of the sessions before the data cut-off"))
    first = np.where(known.any(axis=0), known.argmax(axis=0), len(returns))
    used = returns[np.sort(first)[(len(first) - 1) // 2] :]
    known = ~np.isnan(used)
    _check(used, known, names)
    whole: BoolArray = np.asarray(known.all(axis=0))
    matrix, shrinkage = _shrunk(used[:, whole])
    if not whole.all():
        matrix = _completed(used, known, whole, matrix)
    return Covariance(matrix, shrinkage, len(used), ~whole)


def _check(used: FloatArray, known: BoolArray, names: list[str]) -> None:
    counts = known.sum(axis=0)
    still = np.array([len(np.unique(used[on, line])) == 1 for line, on in enumerate(known.T)])
    faults = [
        (counts == 0, "no return is known", "nothing tells its risk: hold it by full or stratified replication"),
        ((known[1:] < known[:-1]).any(axis=0), "a return is unknown after its listing", "0 where no price was made"),
        (
            still & (counts >= LEAST_SESSIONS),
            "it never moved",
            "a price that stood still tells no risk: a longer history",
        ),
    ]
    problems = [
        Problem(f"returns of {names[line]}", what, hint)
        for wrong, what, hint in faults
        for line in np.flatnonzero(wrong)
    ]
    if len(used) < LEAST_SESSIONS:
        what = f"half of the lines were listed on {len(used)} sessions, fewer than {LEAST_SESSIONS}"
        problems.append(Problem("returns", what, "a longer history, or full or stratified replication"))
    if (counts < LEAST_SESSIONS).any() and known.all(axis=0).sum() < LEAST_WHOLE:
        what = f"{int(known.all(axis=0).sum())} lines have a whole history, fewer than {LEAST_WHOLE}"
        problems.append(Problem("returns", what, "too few to tell the risk of new listings from"))
    if problems:
        raise DataError(*problems)


def _shrunk(returns: FloatArray) -> tuple[FloatArray, float]:
    """S* and k of lines with a whole history."""
    x = returns - returns.mean(axis=0)
    count, lines = len(x) - 1, x.shape[1]
    sample: FloatArray = x.T @ x / count
    if lines == 1:
        return sample, 0.0
    variances = np.diag(sample)
    deviations = np.sqrt(variances)
    scale = np.outer(deviations, deviations)
    mean = float((sample / scale).sum() - lines) / (lines * (lines - 1))
    target = mean * scale
    np.fill_diagonal(target, variances)
    squares = x**2
    p = squares.T @ squares / count - sample**2
    theta = (x**3).T @ x / count - variances[:, None] * sample
    np.fill_diagonal(theta, 0.0)
    rho = float(np.trace(p)) + mean * float((theta * deviations / deviations[:, None]).sum())
    gamma = float(((target - sample) ** 2).sum())
    if gamma <= 1e-24 * float((sample**2).sum()):  # two lines, or all alike: the sample is its own target
        return sample, 0.0
    shrinkage = min(1.0, max(0.0, (float(p.sum()) - rho) / gamma / count))
    return shrinkage * target + (1 - shrinkage) * sample, shrinkage


def _completed(returns: FloatArray, known: BoolArray, whole: BoolArray, matrix: FloatArray) -> FloatArray:
    """The covariance of all lines, B S* B' + D, from that of those with a whole history."""
    market = returns[:, whole].mean(axis=1)
    counts = known.sum(axis=0)
    centred = np.where(known, market[:, None], 0.0) - known * ((known * market[:, None]).sum(axis=0) / counts)
    own = np.where(known, returns, 0.0)
    own = own - known * (own.sum(axis=0) / counts)
    enough = counts >= LEAST_SESSIONS
    spread = (centred**2).sum(axis=0)
    beta = np.divide((centred * own).sum(axis=0), spread, out=np.ones(len(counts)), where=enough & (spread > 0))
    residual = ((own - beta * centred) ** 2).sum(axis=0) / np.maximum(counts - 2, 1)
    residual = np.where(enough, residual, np.median(residual[whole]))
    loadings = np.zeros((len(counts), int(whole.sum())))
    loadings[whole] = np.eye(int(whole.sum()))
    loadings[~whole] = beta[~whole, None] / whole.sum()
    found = loadings @ matrix @ loadings.T + np.diag(np.where(whole, 0.0, residual))
    return (found + found.T) / 2


def ex_ante_tracking_error(weights: FloatArray, benchmark_weights: FloatArray, covariance: Covariance) -> float:
    """sqrt(252 (w - b)' S (w - b)), a fraction a year, as the covariance of the past forecasts it.

    Args:
        weights: (n,) w of the fund, sum 1.
        benchmark_weights: (n,) b of the index, sum 1.
        covariance: S of a session.

    Raises:
        DataError: weights that are unknown, below zero, do not sum to 1, or are of other lines.

    Example:
        >>> square = Covariance(np.diag([1e-4, 1e-4]), 0.0, 250, np.zeros(2, bool))
        >>> round(ex_ante_tracking_error(np.array([0.6, 0.4]), np.array([0.5, 0.5]), square), 6)
        0.02245
    """
    return float(np.sqrt(max(_products(weights, benchmark_weights, covariance).sum(), 0.0)))


def tracking_error_parts(weights: FloatArray, benchmark_weights: FloatArray, covariance: Covariance) -> FloatArray:
    """(n,) 252 (w - b)_i (S (w - b))_i / TE: what each line adds to `ex_ante_tracking_error`; they sum to it.

    A part below zero is a line that offsets others. All are 0 where the tracking error is. Arguments and errors are
    those of `ex_ante_tracking_error`.
    """
    products = _products(weights, benchmark_weights, covariance)
    error = np.sqrt(max(products.sum(), 0.0))
    return products / error if error > 0 else np.zeros(len(products))


def _products(weights: FloatArray, benchmark_weights: FloatArray, covariance: Covariance) -> FloatArray:
    count = len(covariance.matrix)
    for name, given in (("weights", weights), ("benchmark_weights", benchmark_weights)):
        if given.shape != (count,):
            what = f"shape {given.shape}, but the covariance is of {count} lines"
            raise DataError(Problem(name, what, "give one weight a line, in the same order"))
        check_weights(given, name)
    active = weights - benchmark_weights
    return SESSIONS_PER_YEAR * active * (covariance.matrix @ active)
