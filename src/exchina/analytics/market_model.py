"""Abnormal returns of many securities around one event, with the error of the forecast.

Notation: R_it return of security i on session t, f_t factors (the benchmark first), M_i estimation sessions with both
present, K fitted coefficients. Textbook market model (MacKinlay 1997); the formulas are those of Patell (1976).
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from exchina.errors import DataError, Problem, did_you_mean

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
Model: TypeAlias = Literal["market", "mean", "adjusted"]
LARGEST_CONDITION = 1e12


@dataclass(frozen=True)
class AbnormalReturns:
    """Abnormal returns of n securities over a window of L sessions; returns are simple, fractions of 1.

    Attributes:
        coefficients: (K, n): alpha and the betas (market), the mean (mean), nothing (adjusted).
        sessions: (n,) estimation sessions used, M_i.
        residuals: (M, n) estimation residuals e_it, a row per session of the estimation; NaN where not used.
        s: (n,) residual standard deviation per session, sqrt(e'e / (M_i - K)).
        ar: (L, n) abnormal return AR_it = R_it - E R_it; NaN where the security or a factor is missing.
        se_ar: (L, n) standard error of each AR as a forecast, s_i sqrt(1 + x_t' (X'X)^-1 x_t).
        car: (n,) sum of the AR that are present; NaN if none is.
        se_car: (n,) standard error of CAR, s_i sqrt(L_i + x' (X'X)^-1 x) with x the sum of x_t over the L_i sessions
            present: the covariance that the fitted coefficients put between the days is kept.
        bhar: (n,) buy-and-hold abnormal return against the model, prod(1 + R) - prod(1 + E R).
        bhar_benchmark: (n,) the same against the raw benchmark, prod(1 + R) - prod(1 + f_1).
    """

    coefficients: FloatArray
    sessions: IntArray
    residuals: FloatArray
    s: FloatArray
    ar: FloatArray
    se_ar: FloatArray
    car: FloatArray
    se_car: FloatArray
    bhar: FloatArray
    bhar_benchmark: FloatArray

    @property
    def df(self) -> IntArray:
        """Degrees of freedom M_i - K, (n,)."""
        return self.sessions - self.coefficients.shape[0]


def abnormal_returns(
    returns: FloatArray, factors: FloatArray, *, estimation: IntArray, event: IntArray, model: Model = "market"
) -> AbnormalReturns:
    """Fit a model of normal returns by ordinary least squares and forecast the event window.

    market: R_it = alpha_i + b_i' f_t + e_it. mean: R_it = mu_i + e_it. adjusted: R_it = f_1t + e_it, nothing fitted.
    A session on which the security or a factor is missing takes no part; nothing is filled. The figures of a security
    are the same to the last bit whichever others are measured with it.

    Args:
        returns: (T, n) simple returns, NaN where missing.
        factors: (T,) benchmark returns, or (T, F) with the benchmark in the first column; NaN where missing.
        estimation: rows of ``returns`` to fit on.
        event: rows of the event window, L of them.
        model: ``market``, ``mean`` or ``adjusted``.

    Raises:
        DataError: a security has too few estimation sessions, factors that do not move or cannot be told apart (which
            is said), no such model, or factors of other sessions than the returns.
    """
    _check(returns, factors, model)
    factors = factors.reshape(len(factors), -1).T
    complete = np.isfinite(factors.sum(axis=0))
    factors = np.where(complete, factors, 0.0)
    names = np.ascontiguousarray(np.where(complete, returns.T, np.nan))
    design = _design(factors, model)
    known = factors[0] if model == "adjusted" else np.zeros(len(complete))

    x, y = design.take(estimation, axis=1), names.take(estimation, axis=1) - known[estimation]
    used = np.isfinite(y)
    inverse = _inverse_gram(used, x)
    moments = (np.where(used, y, 0.0)[:, None, :] * x).sum(axis=-1)
    coefficients = (inverse * moments[:, None, :]).sum(axis=-1)
    errors = np.where(used, y - _fitted(coefficients, x), 0.0)
    sessions = used.sum(axis=1)
    s = np.sqrt((errors**2).sum(axis=1) / (sessions - len(design)))

    window, found = design.take(event, axis=1), names.take(event, axis=1)
    here = np.isfinite(found)
    normal = _fitted(coefficients, window) + known[event]
    held = np.where(here, 1 + found, 1.0).prod(axis=1)
    leverage = _quadratic(window.T[None], inverse[:, None])
    total = _quadratic((here[:, None, :] * window).sum(axis=-1), inverse)
    return AbnormalReturns(
        coefficients=coefficients.T,
        sessions=sessions,
        residuals=np.where(used, errors, np.nan).T,
        s=s,
        ar=(found - normal).T,
        se_ar=np.where(here, s[:, None] * np.sqrt(1 + leverage), np.nan).T,
        car=np.where(here.sum(axis=1) > 0, np.where(here, found - normal, 0.0).sum(axis=1), np.nan),
        se_car=s * np.sqrt(here.sum(axis=1) + total),
        bhar=held - np.where(here, 1 + normal, 1.0).prod(axis=1),
        bhar_benchmark=held - np.where(here, 1 + factors[0, event], 1.0).prod(axis=1),
    )


def _check(returns: FloatArray, factors: FloatArray, model: str) -> None:
    problems: list[Problem] = []
    if model not in get_args(Model):
        problems.append(Problem("model", f"no model called {model!r}", did_you_mean(model, get_args(Model))))
    if len(factors) != len(returns):
        what = f"{len(factors)} sessions, the returns have {len(returns)}"
        problems.append(Problem("factors", what, "give both on the same sessions, NaN where one is missing"))
    if problems:
        raise DataError(*problems)


def _design(factors: FloatArray, model: Model) -> FloatArray:
    ones = np.ones((1, factors.shape[1]))
    return {"market": np.vstack([ones, factors]), "mean": ones, "adjusted": ones[:0]}[model]


def _fitted(coefficients: FloatArray, x: FloatArray) -> FloatArray:
    """(n, K) coefficients and (K, M) regressors to (n, M)."""
    fitted = np.zeros((len(coefficients), x.shape[1]))
    for coefficient, regressor in zip(coefficients.T, x, strict=True):
        fitted += coefficient[:, None] * regressor
    return fitted


def _quadratic(x: FloatArray, inverse: FloatArray) -> FloatArray:
    """x' A x over the last axis of ``x`` and the last two of ``inverse``."""
    return (x[..., :, None] * inverse * x[..., None, :]).sum(axis=(-2, -1))


def _inverse_gram(used: npt.NDArray[np.bool_], x: FloatArray) -> FloatArray:
    """(X'X)^-1 of each security over its own sessions: (n, M) and (K, M) to (n, K, K)."""
    own = used[:1] if used.all() else used  # without gaps all securities have the same sessions
    gram = (own[:, None, None, :] * x[:, None, :] * x[None, :, :]).sum(axis=-1)
    too_few = (used.sum(axis=1) <= len(x)).any()
    if too_few:
        raise DataError(_too_few(used, len(x)))
    if len(x) and (ill := np.linalg.cond(gram) > LARGEST_CONDITION).any():
        raise DataError(*_ill_conditioned(x[:, own[int(np.argmax(ill))]]))
    return np.broadcast_to(np.linalg.inv(gram), (len(used), *gram.shape[1:]))


def _too_few(used: npt.NDArray[np.bool_], fitted: int) -> Problem:
    short = np.flatnonzero(used.sum(axis=1) <= fitted)
    what = f"too few estimation sessions for column{'s' * (short.size > 1)} {', '.join(map(str, short))} of the returns"
    return Problem("market model", what, f"more than {fitted} sessions are needed; leave the security out")


def _ill_conditioned(x: FloatArray) -> list[Problem]:
    """Which factors do not move, or which of them cannot be told apart, on the sessions of one security: (K, M)."""
    names = ["the benchmark", *(f"factor {place}" for place in range(2, len(x)))]
    spread = np.ptp(x[1:], axis=1)
    still = [name for name, size, row in zip(names, spread, x[1:], strict=True) if size <= 1e-12 * np.abs(row).max()]
    if still:
        hint = "leave the security out, or give it a benchmark whose level changes"
        return [Problem("market model", f"{name} does not move", hint) for name in still]
    centred = x[1:] - x[1:].mean(axis=1, keepdims=True)
    basis, problems = centred[:1] / np.linalg.norm(centred[0]), list[Problem]()
    for name, row in zip(names[1:], centred[1:], strict=True):
        rest = row - basis.T @ (basis @ row)
        if np.linalg.norm(rest) <= 1e-5 * np.linalg.norm(row):
            what = f"{name} cannot be told apart from {'the benchmark' if len(basis) == 1 else 'those before it'}"
            problems.append(Problem("market model", what, "leave one of them out: they move alike"))
        else:
            basis = np.vstack([basis, rest / np.linalg.norm(rest)])
    what = f"{', '.join(names)} cannot be told apart"
    return problems or [Problem("market model", what, "leave one of them out")]
