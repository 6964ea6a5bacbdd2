"""From the returns of one or several markets to a sample: each name on its own benchmark, its own sessions."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from exchina.analytics.market_model import AbnormalReturns, Model, abnormal_returns
from exchina.analytics.significance.correlation import APART
from exchina.analytics.significance.outcome import FloatArray
from exchina.analytics.significance.security_events import IntArray, Portfolio, Sample, by_day, side_by_side
from exchina.errors import DataError, Problem

FEWEST_PORTFOLIO_DAYS = 20


@dataclass(frozen=True)
class Market:
    """Names that share a calendar and a benchmark, around one event.

    Attributes:
        days: (T,) the calendar day of each row, ascending; any comparable type (datetime64, whole numbers).
        returns: (T, n) simple returns of the names, fractions of 1, NaN where missing.
        factors: (T,) returns of the benchmark, or (T, F) with the benchmark first; NaN where missing.
        estimation: rows to fit on.
        event: rows of the window; the same number in every market, matched by relative day.
        closes_at: hour of the usual close, UTC.
    """

    days: npt.NDArray[Any]
    returns: FloatArray
    factors: FloatArray
    estimation: IntArray
    event: IntArray
    closes_at: float = 0.0


def sample(*markets: Market, model: Model = "market", weights: FloatArray | None = None) -> Sample:
    """Fit every name on its own market, and the portfolio of all of them.

    The portfolio is fitted as one security: y = sum_i w_i R_i on x = sum_i w_i Rm_i, each name with its own benchmark;
    estimation rows are the calendar days on which all names have a return, window rows the relative days. A relative
    day on which a name has no return is left out of the portfolio's window.

    Markets that close at other hours show one piece of news on two calendar days, so the same day tells too little of
    what they share. There the correlations count the adjacent days as well, and the errors of the portfolio are widened
    by sqrt(1 + 2 r1), r1 the correlation of its residual with that of the day before, where that is above 0.

    Args:
        markets: those the event reached; names in this order.
        model: of normal returns, as for `exchina.analytics.market_model.abnormal_returns`.
        weights: (N,) weights of the names in a second portfolio, above 0, of any sum.

    Raises:
        DataError: windows of different lengths, weights that are none, or a name that cannot be fitted.
    """
    _check(markets, weights)
    fits = [
        abnormal_returns(m.returns, m.factors, estimation=m.estimation, event=m.event, model=model) for m in markets
    ]
    days, residuals = by_day([m.days[m.estimation] for m in markets], [fit.residuals for fit in fits])
    hours = np.concatenate([np.full(m.returns.shape[1], m.closes_at) for m in markets])
    parts: dict[str, Any] = {**side_by_side(fits), "hours": hours}
    equal = np.full(len(parts["car"]), 1 / len(parts["car"]))
    if weights is None:
        return Sample(days, residuals, **parts, portfolio=_portfolio(markets, equal, model))
    weighted = _portfolio(markets, weights / weights.sum(), model)
    return Sample(days, residuals, **parts, portfolio=_portfolio(markets, equal, model), weighted=weighted)


def from_fit(fit: AbnormalReturns, portfolio: AbnormalReturns | None = None) -> Sample:
    """A sample of names that share one calendar, already fitted.

    Args:
        fit: of the names.
        portfolio: of their equal-weighted portfolio, as one security.
    """
    held = np.isfinite(fit.residuals).any(axis=1)
    made = Portfolio(portfolio, "" if portfolio else "the portfolio was not fitted")
    return Sample(
        days=np.flatnonzero(held),
        residuals=fit.residuals[held],
        ar=fit.ar,
        se_ar=fit.se_ar,
        car=fit.car,
        se_car=fit.se_car,
        s=fit.s,
        sessions=fit.sessions,
        df=fit.df,
        portfolio=made,
    )


def _check(markets: tuple[Market, ...], weights: FloatArray | None) -> None:
    names = sum(market.returns.shape[1] for market in markets)
    problems: list[Problem] = []
    if not names:
        problems.append(Problem("sample", "no names", "give at least one market with a name"))
    if len({len(market.event) for market in markets}) > 1:
        problems.append(Problem("sample", "windows of different lengths", "use the same relative days in every market"))
    if weights is not None and (weights.shape != (names,) or not (np.isfinite(weights) & (weights > 0)).all()):
        problems.append(Problem("sample.weights", f"{weights.shape} for {names} names", "one above 0 for each name"))
    if problems:
        raise DataError(*problems)


def _portfolio(markets: tuple[Market, ...], weights: FloatArray, model: Model) -> Portfolio:
    """The portfolio of these weights (sum 1) as one security."""
    shares = np.split(weights, np.cumsum([market.returns.shape[1] for market in markets])[:-1])
    held = [_held(market, share) for market, share in zip(markets, shares, strict=True)]
    parts = [rows[market.estimation] for market, rows in zip(markets, held, strict=True)]
    _, aligned = by_day([market.days[market.estimation] for market in markets], parts)
    stacked = aligned.reshape(len(aligned), len(markets), held[0].shape[1]).sum(axis=1)
    fitted = stacked[np.isfinite(stacked).all(axis=1)]
    window = np.sum([rows[market.event] for market, rows in zip(markets, held, strict=True)], axis=0)
    whole = int(np.isfinite(window).all(axis=1).sum())
    if len(fitted) < FEWEST_PORTFOLIO_DAYS:
        needed = f"{FEWEST_PORTFOLIO_DAYS} needed"
        return Portfolio(None, f"all names have a return on {len(fitted)} estimation days, {needed}")
    if not whole:
        return Portfolio(None, "on no day of the window do all names have a return")
    rows = np.vstack([fitted, window])
    days = np.arange(len(rows))
    split = len(fitted)
    fit = abnormal_returns(rows[:, :1], rows[:, 1:], estimation=days[:split], event=days[split:], model=model)
    left_out = len(window) - whole
    note = f"{left_out} of {len(window)} window days left out: a name has no return" if left_out else ""
    return _widened(fit, note) if np.ptp([market.closes_at for market in markets]) > APART else Portfolio(fit, note)


def _widened(fit: AbnormalReturns, note: str) -> Portfolio:
    """With errors that hold what adjacent days share."""
    residuals = fit.residuals[:, 0]
    adjacent = float((residuals[1:] * residuals[:-1]).sum() / (residuals**2).sum())
    factor = np.sqrt(1 + 2 * max(0.0, adjacent))
    said = f"several time zones: errors widened {factor:.2f} times"
    wide = replace(fit, s=fit.s * factor, se_ar=fit.se_ar * factor, se_car=fit.se_car * factor)
    return Portfolio(wide, "; ".join(part for part in (note, said) if part))


def _held(market: Market, weights: FloatArray) -> FloatArray:
    """(T, 1 + F): what these names and their benchmark bring to the portfolio, NaN where a name has no return."""
    factors = market.factors.reshape(len(market.factors), -1)
    return np.column_stack([market.returns @ weights, factors * weights.sum()])
