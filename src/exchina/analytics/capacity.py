"""How large a fund can follow an index: days to trade, capacity at a participation and at a cost limit.

Notation: A the fund in US dollars, w_i weights, |dw_i| what a trade moves (w_i where the fund is built or left),
ADV_i average daily traded value in US dollars, sigma_i volatility a session, p participation, D sessions, c cost limit.

    days_i = |dw_i| A / (p ADV_i)
    at a participation   A = min_i p ADV_i D / |dw_i|
    at a cost limit      A = ( c / (Y sum_i |dw_i|^1.5 sigma_i / sqrt ADV_i) )^2     (inverse of `costs.impact_cost`)

The smaller of the two counts, with the company that decides it. ADV is a median of quiet sessions: a surge of volume
after policy news flatters capacity just when a fund would want to leave.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from exchina.analytics.costs import check_lines
from exchina.analytics.event_days import event_days, near_events
from exchina.errors import ExchinaError, Problem

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
THIN = 0.10
EXTRAPOLATED_FROM = 0.20


@dataclass(frozen=True)
class Terms:
    """How capacity is measured; sessions are those of each line's own market.

    Attributes:
        participation: p, share of each session's trading that the fund may be, in (0, 1].
        sessions: D, sessions that a trade may take, a whole number.
        cost_limit: c, the most that the market impact of one trade may cost, a fraction of the fund; spread,
            commission and tax do not grow with the fund and come on top.
        adv_sessions: quiet sessions behind an ADV, the latest ones.
        least_sessions: fewest of them, and of returns, that a line may have; a new listing is judged on what it has.
        news_sessions: k; sessions [0, +k] after each policy event are not quiet (day 0 reacts first).
        spike_multiple: m; nor is one that traded more than m times the median of the quiet ones.
    """

    participation: float = 0.10
    sessions: float = 3
    cost_limit: float = 0.0025
    adv_sessions: int = 60
    least_sessions: int = 5
    news_sessions: int = 3
    spike_multiple: float = 5.0


@dataclass(frozen=True)
class Volumes:
    """Daily traded value of n lines, US dollars, (n,) each; NaN where there is no session.

    Attributes:
        median: of the quiet sessions: the ADV.
        tenth: their 10th percentile (linear between the order statistics).
        with_spikes: median of the latest sessions, none left out.
        sessions: quiet sessions counted.
        by_news: sessions passed over because they follow policy news.
        by_size: others passed over because they traded more than ``spike_multiple`` medians.
        first: row of the earliest session counted; the number of rows where there is none.
    """

    median: FloatArray
    tenth: FloatArray
    with_spikes: FloatArray
    sessions: IntArray
    by_news: IntArray
    by_size: IntArray
    first: IntArray


@dataclass(frozen=True)
class Limit:
    """The largest fund for one trade, US dollars; ``slowest`` and ``costliest`` are places of lines.

    Attributes:
        at_participation_usd: by participation.
        slowest: the line that decides it.
        at_cost_usd: by the cost limit.
        costliest: the line with the largest part of the impact.
    """

    at_participation_usd: float
    slowest: int
    at_cost_usd: float
    costliest: int

    @property
    def by(self) -> Literal["participation", "cost"]:
        """Which of the two is the smaller."""
        return "participation" if self.at_participation_usd <= self.at_cost_usd else "cost"

    @property
    def usd(self) -> float:
        """The smaller of the two."""
        return min(self.at_participation_usd, self.at_cost_usd)

    @property
    def binding(self) -> int:
        """The line that decides the smaller one."""
        return self.slowest if self.by == "participation" else self.costliest


def check_terms(terms: Terms, fund_usd: float) -> None:
    """`ExchinaError` with every setting that makes no sense."""
    asked = (
        ("fund_usd", fund_usd, 0 < fund_usd < np.inf, "a size above zero, such as 50e6"),
        ("participation", terms.participation, 0 < terms.participation <= 1, "above 0 and at most 1, such as 0.10"),
        ("sessions", terms.sessions, _whole(terms.sessions), "whole sessions, 1 or more, such as 3"),
        (
            "cost_limit in bp",
            terms.cost_limit * 1e4,
            0 < terms.cost_limit < 1,
            "above 0 and below 10,000 (all of the fund), such as 25; a fraction in Python",
        ),
        ("adv_sessions", terms.adv_sessions, terms.adv_sessions >= 1, "1 or more, such as 60"),
        ("least_sessions", terms.least_sessions, 1 <= terms.least_sessions <= terms.adv_sessions, "1 to adv_sessions"),
        ("news_sessions", terms.news_sessions, terms.news_sessions >= 0, "0 or more, such as 3"),
        ("spike_multiple", terms.spike_multiple, terms.spike_multiple > 1, "above 1, such as 5"),
    )
    faults = [Problem(f"capacity, {name}", f"found {value:g}", cure) for name, value, sound, cure in asked if not sound]
    if faults:
        raise ExchinaError(*faults)


def _whole(sessions: float) -> bool:
    return sessions >= 1 and float(sessions).is_integer()


def news_sessions(events: pl.DataFrame, sessions: pl.DataFrame, after: int) -> pl.DataFrame:
    """The sessions of each market that follow policy news: [0, +after] of every event.

    Where only the date of an event is known, from its earliest possible day 0 to ``after`` behind its latest.

    Args:
        events: as for `exchina.analytics.event_days.event_days`: those that happened.
        sessions: calendar, session, close_at.
        after: k.

    Returns:
        calendar, session, ascending within each calendar.
    """
    days = event_days(events, sessions).drop_nulls("position")
    frames = [pl.DataFrame(schema={"calendar": pl.String, "session": pl.Date})]
    for (calendar,), own in sessions.sort("calendar", "session").partition_by("calendar", as_dict=True).items():
        here = days.filter(pl.col("calendar") == calendar)
        first, latest = here["position"].to_numpy(), here["position_latest"].to_numpy()
        near = near_events(first, latest, own.height, before=0, after=after)
        frames.append(own.filter(pl.Series(near)).select("calendar", "session"))
    return pl.concat(frames)


def volumes(values: FloatArray, news: BoolArray, terms: Terms) -> Volumes:
    """ADV of each line over its latest quiet sessions, walking back over those that are not.

    Args:
        values: (T, n) traded value in US dollars, newest session last; NaN where unknown or before the listing.
        news: (T, n) whether the session follows policy news.
        terms: how many sessions, and which are quiet.
    """
    known = np.isfinite(values)
    calm = known & ~news
    usual = _quantile(values, _latest(calm, terms.adv_sessions), 0.5)
    spike = known & (values > terms.spike_multiple * usual)
    kept = _latest(calm & ~spike, terms.adv_sessions)
    first = np.where(kept.any(axis=0), kept.argmax(axis=0), len(kept))
    within = np.arange(len(kept))[:, None] >= first
    return Volumes(
        median=_quantile(values, kept, 0.5),
        tenth=_quantile(values, kept, THIN),
        with_spikes=_quantile(values, _latest(known, terms.adv_sessions), 0.5),
        sessions=kept.sum(axis=0),
        by_news=(within & known & news).sum(axis=0),
        by_size=(within & calm & spike).sum(axis=0),
        first=first,
    )


def _latest(wanted: BoolArray, count: int) -> BoolArray:
    """The last ``count`` true rows of each column."""
    return wanted & (np.cumsum(wanted[::-1], axis=0)[::-1] <= count)


def _quantile(values: FloatArray, kept: BoolArray, q: float) -> FloatArray:
    """Quantile of the rows kept of each column; NaN where none is."""
    there = kept.any(axis=0)
    found = np.full(values.shape[1], np.nan)
    if there.any():
        found[there] = np.nanquantile(np.where(kept, values, np.nan)[:, there], q, axis=0)
    return found


def days_to_trade(traded: FloatArray, fund_usd: float, adv_usd: FloatArray, participation: float) -> FloatArray:
    """|dw_i| A / (p ADV_i) sessions, (n,): to build and to leave with ``traded`` = w, to rebalance with |dw|."""
    return traded * fund_usd / (participation * adv_usd)


def capacity_at_participation(traded: FloatArray, adv_usd: FloatArray, participation: float, sessions: float) -> float:
    """min_i p ADV_i D / |dw_i|, US dollars, over the lines that trade; infinite if none does.

    Raises:
        DataError: a line that trades has no known volume above 0; each is named.
    """
    check_lines(traded, adv_usd)
    moved = traded > 0
    return float((participation * adv_usd[moved] * sessions / traded[moved]).min(initial=np.inf))


def capacity_at_cost(traded: FloatArray, adv_usd: FloatArray, sigma: FloatArray, y: float, cost_limit: float) -> float:
    """( c / (Y sum_i |dw_i|^1.5 sigma_i / sqrt ADV_i) )^2, US dollars; infinite if nothing trades.

    Args:
        traded: (n,) |dw|.
        adv_usd: (n,) average daily traded value, US dollars, > 0.
        sigma: (n,) standard deviation of the returns of a session.
        y: the coefficient Y of the impact.
        cost_limit: c, a fraction of the fund.

    Raises:
        DataError: a line that trades has no known volume above 0 or no known volatility; each is named.
    """
    check_lines(traded, adv_usd, sigma)
    per_root_dollar = y * float(_impact_parts(traded, adv_usd, sigma).sum())
    return (cost_limit / per_root_dollar) ** 2 if per_root_dollar > 0 else np.inf


def limit(traded: FloatArray, adv_usd: FloatArray, sigma: FloatArray, y: float, terms: Terms) -> Limit | None:
    """Both capacities of one trade and the lines that decide them; None if nothing trades.

    Raises:
        DataError: a line that trades has no known volume above 0 or no known volatility; each is named.
    """
    check_lines(traded, adv_usd, sigma)
    if not (traded > 0).any():
        return None
    return Limit(
        at_participation_usd=capacity_at_participation(traded, adv_usd, terms.participation, terms.sessions),
        slowest=int(np.argmax(days_to_trade(traded, 1.0, adv_usd, terms.participation))),
        at_cost_usd=capacity_at_cost(traded, adv_usd, sigma, y, terms.cost_limit),
        costliest=int(np.argmax(_impact_parts(traded, adv_usd, sigma))),
    )


def _impact_parts(traded: FloatArray, adv_usd: FloatArray, sigma: FloatArray) -> FloatArray:
    return traded**1.5 * sigma / np.sqrt(adv_usd)
