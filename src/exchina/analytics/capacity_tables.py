"""The room that an index has for a fund, as tables: by company, by trade, by review, by size of the fund."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl

from exchina.analytics.capacity import (
    EXTRAPOLATED_FROM,
    FloatArray,
    Limit,
    Terms,
    Volumes,
    days_to_trade,
    limit,
)
from exchina.analytics.costs import (
    BP,
    CostModel,
    Rates,
    annual_drag,
    dealing_cost,
    impact_cost,
    impact_per_dollar,
    one_way_turnover,
    two_way_turnover,
)
from exchina.errors import DataError, Problem
from exchina.model import Provenance

SIZES = (10e6, 25e6, 50e6, 100e6, 250e6, 500e6)
YEAR = timedelta(days=365)
BUILD, REBALANCE = "build or leave", "rebalance"
MEASURES = {"median": "median", "tenth": "10th percentile", "with_spikes": "median with spikes"}


@dataclass(frozen=True)
class Trade:
    """One trade of a fund: from the drifted weights of n lines to new ones, with the volumes known on a day.

    Attributes:
        effective: the close at which it is due.
        known_by: the day up to which volumes count.
        lines: company_id, name, symbol, mic and since (first session counted, null if none), one row a line.
        new: (n,) weights after; 0 for a leaver.
        drifted: (n,) weights before; zeros for a fund that is built from cash.
        rates: explicit costs of each line.
        volumes: of each line.
        sigma: (n,) standard deviation of the returns of a session, NaN where it cannot be told.
    """

    effective: date
    known_by: date
    lines: pl.DataFrame
    new: FloatArray
    drifted: FloatArray
    rates: Rates
    volumes: Volumes
    sigma: FloatArray

    @property
    def traded(self) -> FloatArray:
        """|dw|, (n,)."""
        return np.abs(self.new - self.drifted)

    def unmeasured(self, terms: Terms) -> list[Problem]:
        """Each line that trades and whose volume or volatility cannot be told."""
        held = self.volumes
        problems: list[Problem] = []
        for at, row in enumerate(self.lines.iter_rows(named=True)):
            what = _lacking(held, self.sigma, at, terms) if self.traded[at] > 0 else None
            if what is not None:
                where = f"{row['company_id']} {row['symbol']}, {self.known_by}"
                problems.append(
                    Problem(
                        where,
                        what,
                        "fetch its volumes, ask for a day on which it trades, or screen for daily_traded_value",
                    )
                )
        return problems


def _lacking(held: Volumes, sigma: FloatArray, at: int, terms: Terms) -> str | None:
    if held.sessions[at] == 0:
        return "no session with a known volume and exchange rate"
    if held.sessions[at] < terms.least_sessions:
        return f"{held.sessions[at]} quiet sessions with a known volume, {terms.least_sessions} needed"
    if not held.median[at] > 0:
        return f"its average daily traded value is 0 (median of {held.sessions[at]} sessions)"
    if not np.isfinite(sigma[at]):
        return f"fewer than {terms.least_sessions} returns to measure its volatility on"
    return None if sigma[at] > 0 else "its price never moved, so its impact cannot be told"


@dataclass(frozen=True)
class Capacity:
    """How large a fund an index can take, and what following it costs a fund of one size.

    Attributes:
        day: the day up to which prices and volumes count.
        fund_usd: A, the size asked about.
        terms: how it was measured.
        names: per company by falling days: company_id, name, symbol, mic, weight, adv_usd, adv_tenth_usd,
            adv_with_spikes_usd, sessions, since, by_news, by_size, sigma, days, days_tenth, of_adv (order over ADV),
            buy_bp, sell_bp (half spread, commission, tax), impact_bp (of the company's own order, to build).
        limits: per ``trade`` (`BUILD`, `REBALANCE`) and ``volume`` (values of `MEASURES`): usd, by (``participation``,
            ``cost``), company, at_participation_usd, slowest, at_cost_usd, costliest, effective (of the review).
        reviews: per review by date: effective, one_way, two_way, dealing_bp, impact_bp, cost_bp (the last two null
            where a volume was unknown), note (whose).
        curve: per size of fund: fund_usd, days (slowest company), company, of_adv (largest order over its ADV),
            extrapolated (weight of orders over 20 % of ADV), build_bp, rebalance_bp (the dearest review of the last
            year), drag_bp (a year).
        dealing_drag_bp, impact_drag_bp: of the reviews of the last year, bp of the fund a year; None: see ``notes``.
        levels: session, variant, level, after_costs; None: see ``notes``.
        model: the cost assumptions; of its venues those of the lines held.
        notes: what is not computed, and why, in words.
        provenance: of the market.
    """

    day: date
    fund_usd: float
    terms: Terms
    names: pl.DataFrame
    limits: pl.DataFrame
    reviews: pl.DataFrame = field(repr=False)
    curve: pl.DataFrame = field(repr=False)
    dealing_drag_bp: float | None
    impact_drag_bp: float | None
    levels: pl.DataFrame | None = field(repr=False)
    model: CostModel = field(repr=False)
    notes: tuple[str, ...]
    provenance: Provenance


def by_name(held: Trade, fund_usd: float, y: float, terms: Terms) -> pl.DataFrame:
    """The table ``names`` of `Capacity`.

    Raises:
        DataError: the volume or volatility of a member cannot be told; each is named.
    """
    if problems := held.unmeasured(terms):
        raise DataError(*problems)
    volumes, weights = held.volumes, held.traded
    table = held.lines.with_columns(
        weight=pl.Series(weights),
        adv_usd=pl.Series(volumes.median),
        adv_tenth_usd=pl.Series(volumes.tenth),
        adv_with_spikes_usd=pl.Series(volumes.with_spikes),
        sessions=pl.Series(volumes.sessions),
        by_news=pl.Series(volumes.by_news),
        by_size=pl.Series(volumes.by_size),
        sigma=pl.Series(held.sigma),
        days=pl.Series(days_to_trade(weights, fund_usd, volumes.median, terms.participation)),
        days_tenth=_days_or_null(weights, fund_usd, volumes.tenth, terms),
        of_adv=pl.Series(weights * fund_usd / volumes.median),
        buy_bp=pl.Series(held.rates.buy / BP),
        sell_bp=pl.Series(held.rates.sell / BP),
        impact_bp=pl.Series(impact_per_dollar(weights * fund_usd, volumes.median, held.sigma, y) / BP),
    )
    return table.sort("days", "symbol", descending=[True, False])


def _days_or_null(weights: FloatArray, fund_usd: float, adv_usd: FloatArray, terms: Terms) -> pl.Series:
    """Days on thin sessions; null where nothing is traded on them."""
    some = adv_usd > 0
    days = days_to_trade(weights, fund_usd, np.where(some, adv_usd, np.nan), terms.participation)
    return pl.Series(days).fill_nan(None)


def limits(held: Trade, reviews: Sequence[Trade], y: float, terms: Terms) -> pl.DataFrame:
    """The table ``limits`` of `Capacity`: of several reviews the one with the smallest capacity.

    Where nothing is traded on a line's thin days, its capacity by them is zero. A review with a line whose volume
    cannot be told takes no part.
    """
    rows = [
        found
        for trade, trades in ((BUILD, [held]), (REBALANCE, [one for one in reviews if not one.unmeasured(terms)]))
        for measure in MEASURES
        if (found := _smallest(trade, measure, trades, y, terms)) is not None
    ]
    schema = {
        "trade": pl.String,
        "volume": pl.String,
        "usd": pl.Float64,
        "by": pl.String,
        "company": pl.String,
        "at_participation_usd": pl.Float64,
        "slowest": pl.String,
        "at_cost_usd": pl.Float64,
        "costliest": pl.String,
        "effective": pl.Date,
    }
    return pl.DataFrame(rows, schema, orient="row")


def _smallest(
    trade: str, measure: str, trades: Iterable[Trade], y: float, terms: Terms
) -> tuple[str | float | date, ...] | None:
    found = [(made, one) for one in trades if (made := _limit(one, measure, y, terms)) is not None]
    if not found:
        return None
    made, one = min(found, key=lambda pair: pair[0].usd)
    ids = one.lines["company_id"]
    at = (made.at_participation_usd, ids[made.slowest], made.at_cost_usd, ids[made.costliest])
    return (trade, MEASURES[measure], made.usd, made.by, ids[made.binding], *at, one.effective)


def _limit(one: Trade, measure: str, y: float, terms: Terms) -> Limit | None:
    moved = one.traded > 0
    adv: FloatArray = getattr(one.volumes, measure)
    if (adv[moved] <= 0).any():
        none = int(np.flatnonzero(moved & (adv <= 0))[0])
        return Limit(0.0, none, 0.0, none)
    places = np.flatnonzero(moved)
    made = limit(one.traded[moved], adv[moved], one.sigma[moved], y, terms)
    if made is None:
        return None
    return Limit(made.at_participation_usd, int(places[made.slowest]), made.at_cost_usd, int(places[made.costliest]))


def by_review(reviews: Sequence[Trade], fund_usd: float, y: float, terms: Terms) -> pl.DataFrame:
    """The table ``reviews`` of `Capacity`."""
    rows = [
        (
            one.effective,
            one_way_turnover(one.new, one.drifted),
            two_way_turnover(one.new, one.drifted),
            dealing_cost(one.new, one.drifted, one.rates) / BP,
            None if lacking else _impact(one, fund_usd, y) / BP,
            "; ".join(f"{one.where}: {one.what}" for one in lacking) or None,
        )
        for one in reviews
        for lacking in [one.unmeasured(terms)]
    ]
    numbers = dict.fromkeys(["one_way", "two_way", "dealing_bp", "impact_bp"], pl.Float64)
    table = pl.DataFrame(rows, {"effective": pl.Date, **numbers, "note": pl.String}, orient="row")
    return table.select(
        *table.columns[:-1], (pl.col("dealing_bp") + pl.col("impact_bp")).alias("cost_bp"), "note"
    ).sort("effective")


def _impact(one: Trade, fund_usd: float, y: float) -> float:
    moved = one.traded > 0
    return impact_cost(one.traded[moved], fund_usd, one.volumes.median[moved], one.sigma[moved], y)


def last_year(reviews: Sequence[Trade], day: date) -> list[Trade]:
    """The reviews that took effect within 365 days up to a day."""
    return [one for one in reviews if day - YEAR < one.effective <= day]


def drag(table: pl.DataFrame, column: str) -> float | None:
    """`exchina.analytics.costs.annual_drag` of one year of reviews, bp; None where one of them is unknown."""
    costs = table[column]
    return None if costs.null_count() else annual_drag(costs.to_numpy(), 1.0)


def curve(held: Trade, year: Sequence[Trade], sizes: Iterable[float], y: float, terms: Terms) -> pl.DataFrame:
    """The table ``curve`` of `Capacity`; drag_bp is the sum over the reviews of ``year``."""
    adv, weights, ids = held.volumes.median, held.traded, held.lines["company_id"]
    building = dealing_cost(held.new, held.drifted, held.rates)
    rows: list[dict[str, float | str | None]] = []
    for size in sorted(set(sizes)):
        days, of_adv = days_to_trade(weights, size, adv, terms.participation), weights * size / adv
        costs = by_review(year, size, y, terms)["cost_bp"]
        whole = bool(len(costs)) and not costs.null_count()
        rows.append(
            {
                "fund_usd": size,
                "days": float(days.max()),
                "company": ids[int(days.argmax())],
                "of_adv": float(of_adv.max()),
                "extrapolated": float(weights[of_adv > EXTRAPOLATED_FROM].sum()),
                "build_bp": (building + _impact(held, size, y)) / BP,
                "rebalance_bp": float(costs.to_numpy().max()) if whole else None,
                "drag_bp": float(costs.to_numpy().sum()) if whole else None,
            }
        )
    schema = {"rebalance_bp": pl.Float64, "drag_bp": pl.Float64}
    return pl.DataFrame(rows, schema_overrides=schema)
