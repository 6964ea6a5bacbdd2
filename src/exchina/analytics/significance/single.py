"""Tests of single securities at one event: t of a day and of the window, and the sample-quantile test."""

from typing import NamedTuple

import numpy as np
from scipy.special import stdtr

from exchina.analytics.market_model import AbnormalReturns
from exchina.analytics.significance.outcome import FloatArray
from exchina.analytics.significance.security_events import IntArray


class SingleTests(NamedTuple):
    """Tests of n securities, each on its own; NaN where a day or the residual variance is missing.

    Attributes:
        t_ar: (L, n) AR_it / se(AR_it), Student t with M_i - K: the t of event-day dummies in one joint regression.
        p_ar: (L, n) two-sided.
        t_car: (n,) CAR_i / se(CAR_i), the same distribution.
        p_car: (n,) two-sided.
        sq_count: (L, n) estimation residuals at least as large as the AR in absolute value; -1 where missing.
        p_sq: (L, n) sample-quantile (SQ) test, for fat tails: (1 + sq_count) / (M_i + 1), two-sided
            (Gelbach, Helland and Klick 2013).
    """

    t_ar: FloatArray
    p_ar: FloatArray
    t_car: FloatArray
    p_car: FloatArray
    sq_count: IntArray
    p_sq: FloatArray


def single_tests(fit: AbnormalReturns) -> SingleTests:
    """Test each security of a fit on its own; a name says nothing about the others, and many names are many tests."""
    t_ar = np.full(fit.ar.shape, np.nan)
    np.divide(fit.ar, fit.se_ar, out=t_ar, where=fit.se_ar > 0)
    t_car = np.full(fit.car.shape, np.nan)
    np.divide(fit.car, fit.se_car, out=t_car, where=fit.se_car > 0)
    present = np.isfinite(fit.ar)
    size = np.abs(fit.residuals)
    count = np.array([(size >= day).sum(axis=0) for day in np.abs(fit.ar)], np.int64).reshape(fit.ar.shape)
    return SingleTests(
        t_ar=t_ar,
        p_ar=2 * stdtr(fit.df, -np.abs(t_ar)),
        t_car=t_car,
        p_car=2 * stdtr(fit.df, -np.abs(t_car)),
        sq_count=np.where(present, count, -1),
        p_sq=np.where(present, (1 + count) / (fit.sessions + 1), np.nan),
    )
