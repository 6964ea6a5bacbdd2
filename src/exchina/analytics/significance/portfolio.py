"""Tests on the portfolio of all names: what they have in common is in its own variance."""

import numpy as np

from exchina.analytics.market_model import AbnormalReturns
from exchina.analytics.significance.outcome import FloatArray, NotComputableError, Outcome, spread, student
from exchina.analytics.significance.register import statistic
from exchina.analytics.significance.security_events import SEVERAL_DATES, Portfolio, Sample


@statistic("crude_dependence", "secondary", "calm")
def crude_dependence(sample: Sample) -> Outcome:
    """Crude dependence t: CAAR / (sqrt L sd(A_t)), A_t = mean residual of estimation day t, t with M - 1.

    Brown and Warner (1985). A_t averages the names that have a residual on day t, M counts the days.
    """
    if sample.portfolio.note == SEVERAL_DATES:
        raise NotComputableError(SEVERAL_DATES)
    caar, present = sample.caar, np.isfinite(sample.residuals)
    daily = np.where(present, sample.residuals, 0.0).sum(axis=1) / present.sum(axis=1)
    return student(caar / (np.sqrt(len(sample.ar)) * spread(daily, "estimation days")), daily.size - 1)


@statistic("portfolio_regression", "essential", "calm")
def portfolio_regression(sample: Sample) -> Outcome:
    """Portfolio regression t: CAR / se(CAR) of the equal-weighted portfolio fitted as one security, t with M - K."""
    return _regression(sample.portfolio)


@statistic("weighted_portfolio_regression", "secondary", "calm")
def weighted_portfolio_regression(sample: Sample) -> Outcome:
    """Portfolio regression t by weight: the same of the portfolio by the weights of the names."""
    return _regression(sample.weighted)


@statistic("placebo", "essential", "calm")
def placebo(sample: Sample) -> Outcome:
    """Placebo windows: the portfolio's CAR among the sums W_k of L consecutive estimation residuals of its own.

    p = (1 + #{|W_k| >= |CAR|}) / (1 + M - L + 1). The value is the CAR; df is the number of windows.
    """
    sums, car = placebo_sums(sample.portfolio.fitted), abs(float(sample.portfolio.fitted.car[0]))
    p = (1 + int((sums >= car * (1 - 1e-12)).sum())) / (1 + sums.size)
    return Outcome(float(sample.portfolio.fitted.car[0]), p, sums.size, sample.portfolio.note)


def placebo_sums(fit: AbnormalReturns) -> FloatArray:
    """|sums| of each L consecutive estimation residuals, L the days of the window that are present."""
    residuals = fit.residuals[:, 0]
    residuals = residuals[np.isfinite(residuals)]
    length = int(np.isfinite(fit.ar[:, 0]).sum())
    if residuals.size < length:
        raise NotComputableError(f"{residuals.size} estimation days for windows of {length}")
    return np.abs(np.lib.stride_tricks.sliding_window_view(residuals, length).sum(axis=1))


def _regression(portfolio: Portfolio) -> Outcome:
    fit = portfolio.fitted
    if not fit.se_car[0] > 0:
        raise NotComputableError("the portfolio has no residual variance")
    return student(fit.car[0] / fit.se_car[0], int(fit.df[0]), portfolio.note)
