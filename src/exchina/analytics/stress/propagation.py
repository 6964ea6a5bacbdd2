"""Passing a shock on through covariances, and the least implausible shock behind a loss.

Covariances are estimates from a past that held few regimes; both figures belong in an appendix, beside the worksheet.
"""

from dataclasses import dataclass

import numpy as np

from exchina.analytics.stress.floor import FloatArray
from exchina.errors import DataError, Problem

LARGEST_CONDITION = 1e12
SHOWN_TO = 1e-4


@dataclass(frozen=True)
class ReverseStress:
    """The least implausible joint move that costs a stated loss.

    Attributes:
        moves: (n,) returns x = -L S w / (w' S w); they add up to the loss: w' x = -L.
        distance: Mahalanobis distance of the move, L / sqrt(w' S w): how many standard deviations of the portfolio.
        volatility: sqrt(w' S w), over the horizon of the covariance.
    """

    moves: FloatArray
    distance: float
    volatility: float


def isolated(betas: FloatArray, shock: FloatArray) -> FloatArray:
    """Each factor's shock by itself, the others as they are: sum_j beta_ij f_j.

    Args:
        betas: (n, F).
        shock: (F,).
    """
    return np.asarray(betas, float) @ np.asarray(shock, float)


def propagated(covariance: FloatArray, factor_covariance: FloatArray, shock: FloatArray) -> FloatArray:
    """What is to be expected of the returns given the shock: E[r | f] = S_rf S_ff^-1 f, for jointly normal returns.

    Args:
        covariance: S_rf (n, F), of returns with factors.
        factor_covariance: S_ff (F, F).
        shock: (F,).

    Raises:
        DataError: factors that cannot be told apart, or that do not vary.
    """
    s_ff = np.atleast_2d(np.asarray(factor_covariance, float))
    _definite(s_ff, "the covariance of the shocked factors")
    return np.asarray(covariance, float) @ np.linalg.solve(s_ff, np.atleast_1d(np.asarray(shock, float)))


def reverse_stress(covariance: FloatArray, weights: FloatArray, loss: float) -> ReverseStress:
    """The move with the smallest Mahalanobis distance among all that cost ``loss``.

    Args:
        covariance: S (n, n), over the horizon asked about.
        weights: (n,), fractions of the portfolio.
        loss: L, a fraction above 0.

    Raises:
        DataError: a loss that is not above 0, a portfolio that does not vary, or a loss at which a member would lose
            more than all of its value.
    """
    s, w = np.asarray(covariance, float), np.asarray(weights, float)
    variance = float(w @ s @ w)
    problems: list[Problem] = []
    if not loss > 0:
        problems.append(Problem("reverse.loss", f"found {loss:g}", "a loss above 0, such as 0.2 for 20 %"))
    if not variance > 0:
        problems.append(Problem("reverse.covariance", "the portfolio does not vary", "give it returns that do"))
    if problems:
        raise DataError(*problems)
    moves = -loss * (s @ w) / variance
    if moves.min() < -1:
        most = np.floor(-loss / moves.min() / SHOWN_TO) * SHOWN_TO
        worst = f"{-moves.min() * 100:.2f} % off a member"
        what = f"a loss of {loss * 100:.4g} % takes {worst}, and no price falls by over 100 %"
        hint = f"the largest loss that this can answer for these weights is {most:.4g}"
        raise DataError(Problem("reverse.loss", what, hint))
    return ReverseStress(moves, float(loss / np.sqrt(variance)), float(np.sqrt(variance)))


def covariance_of(returns: FloatArray, *, scale: float = 1.0) -> FloatArray:
    """Sample covariance (n - 1) of complete rows, times ``scale`` periods.

    Args:
        returns: (T, n), NaN where missing; a row with a gap takes no part.
        scale: how many periods the horizon has.

    Raises:
        DataError: fewer complete rows than twice the columns.
    """
    rows = returns[np.isfinite(returns).all(axis=1)]
    if len(rows) < 2 * returns.shape[1] or len(rows) < 2:
        what = f"{len(rows)} complete periods for {returns.shape[1]} names"
        raise DataError(Problem("covariance", what, "at least twice as many periods as names; leave out young names"))
    return np.atleast_2d(np.cov(rows, rowvar=False)) * scale


def _definite(matrix: FloatArray, name: str) -> None:
    if np.linalg.cond(matrix) > LARGEST_CONDITION or not (np.diag(matrix) > 0).all():
        raise DataError(Problem(name, "cannot be inverted", "shock fewer factors, or factors that vary on their own"))
