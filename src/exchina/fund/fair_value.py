"""Premium risk from closed markets: what lines that closed hours before the fund's NAV would be worth at its close.

A fund that is valued in New York holds Tokyo at a price 15 hours old; its market price already knows the rest of the
day. Each closed line is fitted on what it had missed,

    r_is = a_i + b_i F_i,s-1 + c_i f_s + e_is        over the sessions s of line i in a trailing window
    fair NAV_t = NAV_t (1 + sum_i w_it b_i F_it),    indicated premium_t = sum_i w_it b_i F_it

f_s is the return of a factor of the fund's market from close to close, F_it its sum from the session of line i's last
close to t: f_t on a usual day, more behind a holiday. Only closes of the factor are on record, so f_t also holds the
hours before line i closed, which its price already knows. The overlap: b_i is therefore its response times the share of
the variance of f_t that was still to come (for a factor whose hours are independent), which is the slope that forecasts
best from closes, and smaller than a beta. f_s, of the session forecast, is fitted beside it (Dimson 1979, as in
`exchina.analytics.asynchronous`), so that a factor that trends lends the slope nothing; its forecast is not used: the
premium is what prices have to catch up, no momentum. Markets that close within `APART` hours (three, as in the
significance tests) before the fund's, or after it, are not stale. Slopes are neither shrunk nor bounded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from scipy.special import ndtr

from exchina.analytics.capacity import BoolArray, FloatArray, IntArray
from exchina.analytics.significance.correlation import APART
from exchina.errors import DataError, Problem, did_you_mean

FEWEST_TESTED = 60
MOST_INVESTED = 1.25
SINGULAR = 1e-9
LEFT_OUT = 0.10
WHOLE_FUND = "fund"
FIGURES = {
    "market": pl.String,
    "closes_at": pl.Float64,
    "lines": pl.Int64,
    "weight": pl.Float64,
    "sessions": pl.Int64,
    "premium_sd": pl.Float64,
    "premium_p05": pl.Float64,
    "premium_p95": pl.Float64,
    "r2": pl.Float64,
    "nearer": pl.Float64,
    "t": pl.Float64,
    "p": pl.Float64,
    "note": pl.String,
}


@dataclass(frozen=True)
class FairValue:
    """The indicated premium of a fund over its NAV, and how good an indication it was; fractions.

    Attributes:
        premium: (T,) indicated premium at each NAV, NaN before the first window is full and where too much is left out.
        slopes: (T, n) b as known at each NAV, 0 of lines that are not stale, NaN where there is none.
        moves: (T,) sum_i w_it r_i,t+1, the move of NAV to the next session; the last is NaN.
        borrowed: (T,) weight of lines with the mean slope of their market in place of their own.
        left_out: (T,) weight of closed lines without a slope, or without a price for too long.
        figures: a row for the fund, then by market: closes_at (UTC), lines, weight (mean), sessions (with a
            premium and a move), premium_sd, premium_p05, premium_p95 (of a market: its part of the fund's premium),
            and out of sample r2 = 1 - sum (move - premium)^2 / sum move^2 (against a NAV that stands still), nearer
            (share of the days with a premium on which the next NAV was nearer to fair value than to NAV), t, p (one
            sided: that the premium tells nothing, Clark and West 2007), note (why a figure is null). A market counts
            its own lines and moves, on days on which one of them traded next.
    """

    premium: FloatArray
    slopes: FloatArray = field(repr=False)
    moves: FloatArray = field(repr=False)
    borrowed: FloatArray = field(repr=False)
    left_out: FloatArray = field(repr=False)
    figures: pl.DataFrame

    def fair_nav(self, nav: FloatArray) -> FloatArray:
        """(T,) NAV_t (1 + premium_t)."""
        return nav * (1 + self.premium)


def fair_value(
    weights: FloatArray,
    returns: FloatArray,
    factor: FloatArray,
    markets: Sequence[str],
    closes_at: Mapping[str, float],
    *,
    fund_closes_at: float,
    estimation_sessions: int = 250,
    least_sessions: int = 60,
    stale_at_most: int = 10,
) -> FairValue:
    """The premium that closed markets indicate, each day from what was known then.

    Args:
        weights: (T, n) weights of NAV at each session of the fund; what lacks to 1 is cash, a little beyond it is owed.
        returns: (T, n) simple returns of each line over its own session, local currency (rates are not stale), NaN
            where its market was closed or it did not trade; what it did while the fund was closed is in the next row.
        factor: (T,) simple returns of the fund-market factor from close to close.
        markets: (n,) market of each line.
        closes_at: hour of the usual close of each market, UTC.
        fund_closes_at: hour at which NAV is struck, UTC.
        estimation_sessions: rows of the trailing window, which ends with the day itself.
        least_sessions: fewest own sessions in it behind a slope; a line with fewer borrows its market's mean slope.
        stale_at_most: a line without a session for longer is suspended rather than closed: left out.

    Raises:
        DataError: shapes, weights, returns or hours that make no sense, a market without an hour, or fewer sessions
            than the window and 60 to test it on; all at once.
    """
    _check(weights, returns, factor, markets, closes_at)
    _check_settings(len(factor), fund_closes_at, estimation_sessions, least_sessions, stale_at_most)
    hours = np.array([closes_at[market] for market in markets], float)
    stale = fund_closes_at - hours > APART
    missed = _missed(returns, factor, stale_at_most)
    slopes = np.where(stale, _slopes(returns, missed, factor, estimation_sessions, least_sessions), 0.0)
    slopes, lent = _borrowed(slopes, markets)
    part = np.where(stale, weights * slopes * missed, 0.0)
    lost = np.isnan(part) & (weights > 0)
    left_out = (weights * lost).sum(axis=1)
    part = np.where(np.isnan(part), 0.0, part)
    told = left_out <= LEFT_OUT * np.where(stale, weights, 0.0).sum(axis=1)
    told[: estimation_sessions - 1] = False
    moves = np.full_like(weights, np.nan)
    moves[:-1] = weights[:-1] * np.where(np.isfinite(returns[1:]), returns[1:], 0.0)
    follows = np.zeros_like(returns, bool)
    follows[:-1] = np.isfinite(returns[1:])
    groups = {WHOLE_FUND: np.ones(len(stale), bool)} | {
        market: np.array([one == market for one in markets]) for market in sorted(set(markets))
    }
    rows = [
        _figures(name, stale & own, told, _Part(weights[:, own], part[:, own], moves[:, own], follows[:, own]))
        | {"closes_at": fund_closes_at if name == WHOLE_FUND else closes_at[name]}
        for name, own in groups.items()
    ]
    return FairValue(
        premium=np.where(told, part.sum(axis=1), np.nan),
        slopes=slopes,
        moves=moves.sum(axis=1),
        borrowed=(weights * (lent & ~lost)).sum(axis=1),
        left_out=left_out,
        figures=pl.DataFrame(rows, FIGURES, orient="row"),
    )


def _missed(returns: FloatArray, factor: FloatArray, stale_at_most: int) -> FloatArray:
    """(T, n) F: the factor since the session of each line's last close, that session's included; NaN if too old."""
    rows = np.arange(len(factor))[:, None]
    last = np.maximum.accumulate(np.where(np.isfinite(returns), rows, -1), axis=0)
    total = np.concatenate([[0.0], np.cumsum(factor)])
    fresh = (last >= 0) & (rows - last <= stale_at_most)
    return np.where(fresh, total[1:, None] - total[np.maximum(last, 0)], np.nan)


def _slopes(returns: FloatArray, missed: FloatArray, factor: FloatArray, window: int, least: int) -> FloatArray:
    """(T, n) b of r_s on 1, F_s-1, f_s over the last ``window`` rows up to each; NaN where too few."""
    x = np.full_like(missed, np.nan)
    x[1:] = missed[:-1]
    used = np.isfinite(returns) & np.isfinite(x)
    y, x, z = (np.where(used, one, 0.0) for one in (returns, x, np.broadcast_to(factor[:, None], x.shape)))
    count = _trailing(used.astype(float), window)
    size = np.maximum(count, 1.0)
    sums = {name: _trailing(one, window) for name, one in (("x", x), ("y", y), ("z", z))}
    centred = {
        a + b: _trailing(one * two, window) - sums[a] * sums[b] / size
        for a, one, b, two in (("x", x, "x", x), ("z", z, "z", z), ("x", x, "z", z), ("x", x, "y", y), ("z", z, "y", y))
    }
    determinant = centred["xx"] * centred["zz"] - centred["xz"] ** 2
    sound = (count >= least) & (determinant > SINGULAR * centred["xx"] * centred["zz"])
    top = centred["xy"] * centred["zz"] - centred["zy"] * centred["xz"]
    return np.divide(top, determinant, out=np.full_like(top, np.nan), where=sound)


def _trailing(values: FloatArray, window: int) -> FloatArray:
    """Sums over the last ``window`` rows up to each, fewer at the start; of the past alone."""
    total = np.cumsum(values, axis=0)
    total[window:] = total[window:] - total[:-window]
    return total


def _borrowed(slopes: FloatArray, markets: Sequence[str]) -> tuple[FloatArray, BoolArray]:
    """Slopes with the mean of the market where a line has none of its own, and where that is so."""
    own, known, mean = np.array(markets), np.isfinite(slopes), np.full_like(slopes, np.nan)
    for market in dict.fromkeys(markets):
        there = known[:, own == market]
        total, count = np.where(there, slopes[:, own == market], 0.0).sum(axis=1), there.sum(axis=1)
        mean[:, own == market] = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)[:, None]
    return np.where(known, slopes, mean), ~known & np.isfinite(mean)


@dataclass(frozen=True)
class _Part:
    """Weights, parts of the premium, of the next move, and whether a line trades next, (T, m) each."""

    weights: FloatArray
    premium: FloatArray
    moves: FloatArray
    follows: BoolArray


def _figures(name: str, stale: BoolArray, told: BoolArray, part: _Part) -> dict[str, float | int | str | None]:
    """One row of ``figures``."""
    held = part.weights.sum(axis=1)
    premium, moves = part.premium.sum(axis=1), part.moves.sum(axis=1)
    indicated = told & (held > 0)
    rows = np.flatnonzero(indicated & np.isfinite(moves) & (part.follows & (part.weights > 0)).any(axis=1))
    row: dict[str, float | int | str | None] = dict.fromkeys(FIGURES)
    row |= {"market": name, "lines": part.weights.shape[1], "weight": float(held.mean()), "sessions": len(rows)}
    if not stale.any():
        return row | {"note": "closes within three hours before NAV is struck, or after it: no price is stale"}
    if len(rows) < FEWEST_TESTED:
        return row | {"note": f"{len(rows)} days with a premium and a next move, {FEWEST_TESTED} needed"}
    low, high = np.quantile(premium[indicated], [0.05, 0.95])
    spread = {
        "premium_sd": float(premium[indicated].std(ddof=1)),
        "premium_p05": float(low),
        "premium_p95": float(high),
    }
    return row | spread | _tested(premium, moves, rows)


def _tested(premium: FloatArray, moves: FloatArray, rows: IntArray) -> dict[str, float | str | None]:
    """Out of sample: R2, the share of days on which fair value was nearer, Clark-West t and p."""
    said, came = premium[rows], moves[rows]
    gain = 2 * said * came  # move^2 - (move - premium)^2 + premium^2
    error, variance = float(gain.std(ddof=1)), float((came**2).sum())
    some = said != 0
    if not error > 0 or not variance > 0:
        return {"note": "premium or moves are all the same"}
    t = float(gain.mean()) / (error / np.sqrt(len(rows)))
    nearer = np.abs(came - said) < np.abs(came)
    return {
        "r2": 1 - float(((came - said) ** 2).sum()) / variance,
        "nearer": float(nearer[some].mean()),
        "t": float(t),
        "p": float(ndtr(-t)),
    }


def _check(
    weights: FloatArray, returns: FloatArray, factor: FloatArray, markets: Sequence[str], closes_at: Mapping[str, float]
) -> None:
    shape = (len(factor), len(markets))
    if weights.shape != shape or returns.shape != shape or factor.ndim != 1 or not markets:
        what = f"weights {weights.shape}, returns {returns.shape}, factor {factor.shape}, {len(markets)} markets"
        raise DataError(Problem("fair value", what, "(T, n), (T, n), (T,) and n of one line or more"))
    sound = {
        "weights": bool((np.isfinite(weights) & (weights >= 0)).all() and (weights.sum(axis=1) <= MOST_INVESTED).all()),
        "returns": bool((np.isnan(returns) | (np.isfinite(returns) & (returns >= -1))).all()),
        "factor": bool((np.isfinite(factor) & (factor > -1)).all()),
    }
    cures = {
        "weights": "known fractions, not below 0, that sum to about 1 at most each session",
        "returns": "simple returns, -1 or more; NaN where there was no session",
        "factor": "a known simple return for each session of the fund",
    }
    problems = [
        Problem(f"fair value, {name}", "some make no sense", cures[name])
        for name, is_sound in sound.items()
        if not is_sound
    ]
    problems += [
        Problem(f"fair value, {market}", "no hour of its close", did_you_mean(market, closes_at))
        for market in sorted(set(markets).difference(closes_at))
    ]
    problems += [
        Problem(f"fair value, {market}", f"closes at {hour}", "an hour from 0 to below 24, UTC, such as 6.0")
        for market, hour in sorted(closes_at.items())
        if not 0 <= hour < 24
    ]
    if problems:
        raise DataError(*problems)


def _check_settings(count: int, closes_at: float, window: int, least: int, stale_at_most: int) -> None:
    needed = window + FEWEST_TESTED + 1
    asked = (
        ("fund_closes_at", closes_at, 0 <= closes_at < 24, "an hour from 0 to below 24, UTC, such as 21.0"),
        ("least_sessions", least, 5 <= least <= window, "from 5 to estimation_sessions"),
        ("stale_at_most", stale_at_most, stale_at_most >= 0, "sessions, such as 10"),
        ("sessions", count, count >= needed, f"{needed} needed: {window} to fit and {FEWEST_TESTED} to test on"),
    )
    problems = [
        Problem(f"fair value, {name}", f"found {value}", cure) for name, value, sound, cure in asked if not sound
    ]
    if problems:
        raise DataError(*problems)
