"""Betas of securities whose returns lag or lead their benchmark's, by thin trading or by another time zone.

For tables of betas; abnormal returns over [0,+1] hardly change with them.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from exchina.analytics.market_model import abnormal_returns
from exchina.errors import DataError, Problem

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
SHORTEST = 7


@dataclass(frozen=True, slots=True)
class AsynchronousBetas:
    """Betas of n securities on one benchmark, over interior sessions only.

    Attributes:
        sessions: (n,) interior sessions used: the return, and the benchmark's on the session before, the same and the
            one after, are all present.
        autocorrelation: rho_m, correlation of the benchmark's return with that of the session before.
        ols: (n,) slope on the same session alone.
        scholes_williams: (n,) (b_lag + b_0 + b_lead) / (1 + 2 rho_m), three slopes each fitted alone; None where
            1 + 2 rho_m is not above 0. Scholes and Williams 1977.
        dimson: (n,) sum of the coefficients on lag, same session and lead, fitted together. Dimson 1979.
        fowler_rorke: (n,) the same coefficients, lag and lead weighted by (1 + rho_m) / (1 + 2 rho_m); None as above.
            Fowler and Rorke 1983.
        simple: (3, n) slopes on lag, same session and lead, each fitted alone.
        joint: (3, n) coefficients on lag, same session and lead, fitted together.
    """

    sessions: IntArray
    autocorrelation: float
    ols: FloatArray
    scholes_williams: FloatArray | None
    dimson: FloatArray
    fowler_rorke: FloatArray | None
    simple: FloatArray
    joint: FloatArray

    @property
    def note(self) -> str | None:
        """Why two of the betas are not computable; None if all are."""
        if self.scholes_williams is not None:
            return None
        return f"autocorrelation of the benchmark {self.autocorrelation:.2f}: 1 + 2 rho_m is not above 0"


def asynchronous_betas(returns: FloatArray, benchmark: FloatArray) -> AsynchronousBetas:
    """Scholes-Williams, Dimson and Fowler-Rorke betas with one lag and one lead.

    Interior sessions are those with a session before and one after: all of ``benchmark`` but the first and the last, as
    far as all three of its returns are there. Nothing is filled.

    Args:
        returns: (T, n) returns per session in time order, NaN where missing.
        benchmark: (T,) returns of the benchmark, NaN where missing.

    Raises:
        DataError: too few sessions, lengths that differ, or a benchmark that does not move.
    """
    if len(returns) != len(benchmark) or len(benchmark) < SHORTEST:
        what = f"{len(returns)} returns and {len(benchmark)} of the benchmark"
        raise DataError(Problem("asynchronous betas", what, f"align by session; at least {SHORTEST} of them"))
    factors = np.lib.stride_tricks.sliding_window_view(benchmark, 3)  # lag, same session, lead
    whole = np.isfinite(factors.sum(axis=1))
    inner = np.where(whole[:, None], returns[1:-1], np.nan)
    joint = _slopes(inner, factors)
    simple = np.vstack([_slopes(inner, factors[:, [column]]) for column in range(3)])
    rho = float(np.corrcoef(factors[whole, 1], factors[whole, 0])[0, 1])
    computable = 1 + 2 * rho > 0
    weight = (1 + rho) / (1 + 2 * rho) if computable else 0.0
    return AsynchronousBetas(
        sessions=np.isfinite(inner).sum(axis=0),
        autocorrelation=rho,
        ols=simple[1],
        scholes_williams=simple.sum(axis=0) / (1 + 2 * rho) if computable else None,
        dimson=joint.sum(axis=0),
        fowler_rorke=joint[1] + weight * (joint[0] + joint[2]) if computable else None,
        simple=simple,
        joint=joint,
    )


def _slopes(returns: FloatArray, factors: FloatArray) -> FloatArray:
    """Coefficients on the factors, intercept left out."""
    sessions = np.arange(len(returns))
    return abnormal_returns(returns, factors, estimation=sessions, event=sessions[:1]).coefficients[1:]
