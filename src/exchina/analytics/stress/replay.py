"""What past policy shocks did, name by name, put on today's weights: every event of the ledger, not the worst ones.

Each member takes its own return over [0,+1] from the first session of its market that could react. A name that was not
listed then, or cannot be measured, takes beta x the median of its stage: marked as a proxy. The weight of such names is
printed, and above half of the index there is no figure.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from exchina.analytics.constituent_moves import StudySettings, moves
from exchina.analytics.event_days import announcement_bounds, event_days
from exchina.analytics.session_returns import total_returns
from exchina.analytics.stress.floor import FloatArray
from exchina.analytics.stress.weekly import beta_to, weekly_returns
from exchina.errors import DataError, Problem, did_you_mean
from exchina.model import MarketData

LARGEST_PROXIED = 0.5
FIGURES = ("raw", "abnormal")


@dataclass(frozen=True)
class Replay:
    """Past events on today's weights; returns are fractions of 1, local currency, over [0,+1].

    Attributes:
        events: one row an event that happened, by date: event_id, event_date, title, kind, raw and abnormal (of the
            index; null where refused), raw_proxied and abnormal_proxied (weight that rests on proxies), raw_missing and
            abnormal_missing (weight with neither a return nor a proxy), note (why there is no figure; else null).
        names: per event and member: event_id, symbol, stage, weight, raw, abnormal, raw_proxied, abnormal_proxied.
        betas: symbol, beta to its stage (null: fewer than 26 weeks in common).
    """

    events: pl.DataFrame
    names: pl.DataFrame = field(repr=False)
    betas: pl.DataFrame = field(repr=False)


def with_proxies(own: FloatArray, betas: FloatArray, medians: FloatArray) -> tuple[FloatArray, np.ndarray]:
    """Each name's own return, else beta x median of its stage; and which are proxies. NaN where there is neither.

    Args:
        own: (n,), NaN where a name has no return of its own.
        betas: (n,) to the stage.
        medians: (n,) the median own return of each name's stage.
    """
    proxied = ~np.isfinite(own) & np.isfinite(betas * medians)
    return np.where(proxied, betas * medians, own), proxied


def replayed(returns: FloatArray, proxied: np.ndarray, weights: FloatArray) -> tuple[float | None, float, float]:
    """Index return over the weight that has one, the proxied weight, and the weight that has none.

    None where proxies and gaps together are more than half of the weight.

    Args:
        returns: (n,) own or proxied, NaN where there is neither.
        proxied: (n,) which are proxies.
        weights: (n,), fractions that add to 1.
    """
    known = np.isfinite(returns)
    by_proxy, missing = float(np.sum(weights[proxied])), float(np.sum(weights[~known]))
    if by_proxy + missing > LARGEST_PROXIED + 1e-12 or not known.any():
        return None, by_proxy, missing
    return float(np.sum(weights[known] * returns[known]) / np.sum(weights[known])), by_proxy, missing


def replay(
    shocks: pl.DataFrame,
    lines: pl.DataFrame,
    weights: pl.DataFrame,
    market: MarketData,
    *,
    kinds: Collection[str] | None = None,
) -> Replay:
    """Put every event of the ledger that happened on today's weights.

    Args:
        shocks: rows of ``policy_shocks``.
        lines: the whole universe of today, from which the stage medians are taken: symbol, stage, currency, calendar,
            benchmark (null if none), first_trade_date (null: before all events).
        weights: symbol, weight of today's members; one that is not among ``lines`` has neither return nor proxy.
        market: prices, dividends, splits, benchmarks and sessions, one row per key.
        kinds: kinds of event; None takes all.

    Raises:
        DataError: no event is of a kind asked for.
    """
    known = shocks["kind"].unique().sort().to_list()
    unknown = [kind for kind in kinds or () if kind not in known]
    if unknown:
        raise DataError(*(Problem("replay.kind", f"no event of kind {k!r}", did_you_mean(k, known)) for k in unknown))
    happened = shocks.filter(pl.col("outcome") == "happened").sort("event_date", "id")
    days = event_days(happened, market.sessions)
    asked = happened if kinds is None else happened.filter(pl.col("kind").is_in(list(kinds)))
    rows = _returns(asked, lines, market, days)
    betas = _betas(lines, market)
    names = _proxied(rows, betas, weights)
    return Replay(_events(asked, names), names, betas.filter(pl.col("symbol").is_in(weights["symbol"].implode())))


def _returns(asked: pl.DataFrame, lines: pl.DataFrame, market: MarketData, days: pl.DataFrame) -> pl.DataFrame:
    """Raw and abnormal return of every line at every event; null where it was not listed or cannot be measured."""
    start = announcement_bounds(asked).select("event_id", announced=pl.col("earliest").dt.date())
    rows = (
        start.join(lines, how="cross", maintain_order="left")
        .filter(pl.col("first_trade_date").is_null() | (pl.col("first_trade_date") <= pl.col("announced")))
        .join(days, on=["event_id", "calendar"], how="left", maintain_order="left")
    )
    if rows.is_empty():
        return rows.with_columns(raw=pl.lit(None, pl.Float64), abnormal=pl.lit(None, pl.Float64))
    window = {"start": pl.lit(0), "stop": pl.lit(1), "weight": pl.lit(0.0)}  # the median of a stage knows no weights
    found, _ = moves(rows.with_columns(**window), market, days, StudySettings())
    raw = np.full(rows.height, np.nan)
    for (calendar,), part in rows.with_row_index("row").partition_by("calendar", as_dict=True).items():
        here = part.filter((pl.col("position_latest") - pl.col("position")) <= 1)
        raw[here["row"].to_numpy()] = _raw(here, str(calendar), market)
    return rows.with_columns(raw=pl.Series(raw).fill_nan(None), abnormal=found["car"])


def _raw(rows: pl.DataFrame, calendar: str, market: MarketData) -> FloatArray:
    """(1 + R_0)(1 + R_1) - 1 from the first session that could react."""
    sessions = market.sessions.filter(pl.col("calendar") == calendar)["session"].sort().to_numpy()
    currencies = dict(rows.select("symbol", "currency").unique().sort("symbol").iter_rows())
    daily = total_returns(market.prices, market.dividends, market.splits, currencies=currencies, sessions=sessions)
    padded = np.vstack([daily, np.full((1, daily.shape[1]), np.nan)])
    column = {symbol: place for place, symbol in enumerate(currencies)}
    columns, at = np.array([column[symbol] for symbol in rows["symbol"]], int), rows["position"].to_numpy()
    return (1 + padded[at, columns]) * (1 + padded[at + 1, columns]) - 1


def _betas(lines: pl.DataFrame, market: MarketData) -> pl.DataFrame:
    """Beta of each line to the equal-weighted mean of the others of its stage, over the last two years of weeks."""
    weekly = weekly_returns(lines, market)
    stages = lines["stage"].to_numpy()
    factors = np.full(weekly.shape, np.nan)
    for stage in np.unique(stages):
        places = np.flatnonzero(stages == stage)
        here = weekly[:, places]
        has = np.isfinite(here)
        others = has.sum(axis=1, keepdims=True) - has
        total = np.where(has, here, 0.0)
        rest = total.sum(axis=1, keepdims=True) - total
        factors[:, places] = np.where(others > 0, rest / np.where(others > 0, others, 1), np.nan)
    betas = pl.Series(beta_to(weekly, factors)).fill_nan(None)
    return lines.select("symbol", "stage").with_columns(beta=betas)


def _proxied(rows: pl.DataFrame, betas: pl.DataFrame, weights: pl.DataFrame) -> pl.DataFrame:
    """Each member at each event: own return, else its proxy."""
    medians = rows.group_by("event_id", "stage").agg(
        *(pl.col(figure).median().alias(f"{figure}_median") for figure in FIGURES)
    )
    own = rows.select("event_id", "symbol", *FIGURES)
    members = weights.join(betas, on="symbol", how="left", maintain_order="left")
    table = (
        rows.select("event_id")
        .unique(maintain_order=True)
        .join(members, how="cross", maintain_order="left")
        .join(own, on=["event_id", "symbol"], how="left", maintain_order="left")
        .join(medians, on=["event_id", "stage"], how="left", maintain_order="left")
    )
    for figure in FIGURES:
        values, proxied = with_proxies(*(_filled(table, name) for name in (figure, "beta", f"{figure}_median")))
        table = table.with_columns(
            pl.Series(values).fill_nan(None).alias(figure), pl.Series(proxied).alias(f"{figure}_proxied")
        )
    return table.select("event_id", "symbol", "stage", "weight", *FIGURES, *(f"{one}_proxied" for one in FIGURES))


def _filled(table: pl.DataFrame, name: str) -> FloatArray:
    return table[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _events(asked: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """One row an event; those without any line on record say so."""
    parts = names.partition_by("event_id", as_dict=True)
    rows: list[dict[str, Any]] = []
    for event in asked.select("event_date", "title", "kind", event_id="id").to_dicts():
        part = parts.get((event["event_id"],))
        row: dict[str, Any] = {**event}
        notes: list[str] = []
        for figure in FIGURES:
            value, by_proxy, missing = None, 0.0, 1.0
            if part is not None:
                returns, weight = _filled(part, figure), part["weight"].to_numpy()
                value, by_proxy, missing = replayed(returns, part[f"{figure}_proxied"].to_numpy(), weight)
            row |= {figure: value, f"{figure}_proxied": by_proxy, f"{figure}_missing": missing}
            if value is None:
                notes.append(f"{figure}: {by_proxy:.0%} by proxy, {missing:.0%} without any return; at most 50 %")
        rows.append({**row, "note": "; ".join(notes) or None})
    kept = ("event_id", "event_date", "title", "kind", *FIGURES)
    shown = [*kept, *(f"{one}_{what}" for one in FIGURES for what in ("proxied", "missing")), "note"]
    return pl.DataFrame(rows, infer_schema_length=None).select(shown)
