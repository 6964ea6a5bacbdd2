"""Abnormal returns of many securities around one event, with the error of the forecast.

Notation: R_it return of security i on session t, f_t factors (the benchmark first), M_i estimation sessions with both
present, K fitted coefficients. Textbook market model (MacKinlay 1997); the formulas are those of Patell (1976).
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from exchina.errors import DataError, Problem

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
    A session on which the security or a factor is missing takes no part; nothing is filled.

    Args:
        returns: (T, n) simple returns, NaN where missing.
        factors: (T,) benchmark returns, or (T, F) with the benchmark in the first column; NaN where missing.
        estimation: rows of ``returns`` to fit on.
        event: rows of the event window, L of them.
        model: ``market``, ``mean`` or ``adjusted``.

    Raises:
        DataError: a security has too few estimation sessions, or factors that cannot be told apart.
    """
    factors = factors.reshape(len(factors), -1)
    present = np.isfinite(returns) & np.isfinite(factors.sum(axis=1, keepdims=True))
    benchmark = np.nan_to_num(factors[:, :1])
    known = benchmark if model == "adjusted" else np.zeros_like(benchmark)
    design = np.nan_to_num(_design(factors, model))
    excess = np.where(present, returns - known, 0.0)

    used = present[estimation]
    inverse = _inverse_gram(used, design[estimation], adjusted=model == "adjusted")
    coefficients = np.einsum("nkl,tl,tn->kn", inverse, design[estimation], excess[estimation])
    sessions = used.sum(axis=0)
    errors = np.where(used, excess[estimation] - np.einsum("tk,kn->tn", design[estimation], coefficients), 0.0)
    s = np.sqrt((errors**2).sum(axis=0) / (sessions - design.shape[1]))

    window, here = design[event], present[event]
    normal = np.einsum("tk,kn->tn", window, coefficients) + known[event]
    ar = np.where(here, returns[event] - normal, np.nan)
    total = np.einsum("tn,tk->nk", here.astype(np.float64), window)
    held = np.where(here, 1 + returns[event], 1.0).prod(axis=0)
    return AbnormalReturns(
        coefficients=coefficients,
        sessions=sessions,
        s=s,
        ar=ar,
        se_ar=np.where(here, s * np.sqrt(1 + np.einsum("tk,nkl,tl->tn", window, inverse, window)), np.nan),
        car=np.where(here.any(axis=0), np.nansum(ar, axis=0), np.nan),
        se_car=s * np.sqrt(here.sum(axis=0) + np.einsum("nk,nkl,nl->n", total, inverse, total)),
        bhar=held - np.where(here, 1 + normal, 1.0).prod(axis=0),
        bhar_benchmark=held - np.where(here, 1 + benchmark[event], 1.0).prod(axis=0),
    )


def _design(factors: FloatArray, model: Model) -> FloatArray:
    ones = np.ones((len(factors), 1))
    return {"market": np.hstack([ones, factors]), "mean": ones, "adjusted": ones[:, :0]}[model]


def _inverse_gram(used: npt.NDArray[np.bool_], design: FloatArray, *, adjusted: bool) -> FloatArray:
    gram = np.einsum("tn,tk,tl->nkl", used.astype(np.float64), design, design)
    too_few = used.sum(axis=0).min(initial=design.shape[1] + 1) <= design.shape[1]
    if too_few or (not adjusted and (np.linalg.cond(gram) > LARGEST_CONDITION).any()):
        raise DataError(
            Problem(
                "market model",
                "too few estimation sessions, or a benchmark that does not move",
                "leave the security out, or give it a benchmark whose level changes",
            )
        )
    return np.linalg.inv(gram)
