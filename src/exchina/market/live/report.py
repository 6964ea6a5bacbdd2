"""PURE. What a fetch could not bring, what it brought with gaps, and by how much the past has changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from exchina.market.live.plan import Wanted
from exchina.market.live.source import Answer
from exchina.market.store import Saved
from exchina.model import MarketData

MISSING = pl.Schema(
    {"name": pl.String, "role": pl.String, "since": pl.Date, "until": pl.Date, "ended": pl.Boolean, "why": pl.String}
)
GAPS = pl.Schema({"symbol": pl.String, "sessions": pl.Int64, "first": pl.Date, "last": pl.Date})
CHANGED = pl.Schema(
    {"name": pl.String, "table": pl.String, "rows": pl.Int64, "first": pl.Date, "last": pl.Date, "largest": pl.Float64}
)
EFFECT = pl.Schema(
    {"index_id": pl.String, "variant": pl.String, "first": pl.Date, "largest_bp": pl.Float64, "note": pl.String}
)
VALUES = {
    "prices": ("symbol", "session", "close"),
    "dividends": ("symbol", "ex_date", "amount"),
    "splits": ("symbol", "ex_date", "ratio"),
    "shares": ("symbol", "effective_date", "shares"),
    "fx": ("currency", "session", "usd_per_unit"),
    "benchmarks": ("symbol", "session", "level"),
}


def _empty(schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame(schema=schema)


@dataclass(frozen=True)
class Fetched(Saved):
    """What a live fetch changed in the store, and what it could not.

    Attributes:
        missing: name, role, since, until, ended, why: series that were wanted and are not there. ``since`` is the first
            day that lacks.
        gaps: symbol, sessions, first, last: sessions of a line's exchange without a close.
        changed: name, table, rows, first, last, largest: stored days that the vendor tells otherwise now; ``largest``
            is the largest relative change of a value.
        effect: index_id, variant, first, largest_bp, note: how much the levels of an index would move; empty if not
            asked for.
    """

    missing: pl.DataFrame = field(default_factory=lambda: _empty(MISSING))
    gaps: pl.DataFrame = field(default_factory=lambda: _empty(GAPS))
    changed: pl.DataFrame = field(default_factory=lambda: _empty(CHANGED))
    effect: pl.DataFrame = field(default_factory=lambda: _empty(EFFECT))


def missing(failed: Mapping[Wanted, str], stored: MarketData | None) -> pl.DataFrame:
    """A row for each series that failed; missing since the day after its last stored one, or its first wanted day."""
    rows = [
        (one.name, one.role, _since(one, stored), one.until, one.ends is not None, why) for one, why in failed.items()
    ]
    return pl.DataFrame(rows, MISSING, orient="row").sort("ended", "role", "name")


def _since(one: Wanted, stored: MarketData | None) -> date:
    """The first wanted day that is not stored."""
    if one.first or stored is None:
        return one.since
    table, key = {"line": ("prices", "symbol"), "rate": ("fx", "currency")}.get(one.role, ("benchmarks", "symbol"))
    last = getattr(stored, table).filter(pl.col(key) == one.name)["session"].max()
    days = stored.sessions.filter((pl.col("calendar") == one.calendar) & (pl.col("session") > last))["session"]
    after = days.min()
    return after if isinstance(after, date) else one.until


def gaps(prices: pl.DataFrame, answers: Mapping[Wanted, Answer], sessions: pl.DataFrame) -> pl.DataFrame:
    """Sessions of each line's calendar, between its first delivered close and the last day wanted, without a close."""
    frames = [_empty(GAPS)]
    for one in (one for one in answers if one.role == "line"):
        own = prices.filter(symbol=one.name)["session"]
        if own.len():
            days = sessions.filter(
                (pl.col("calendar") == one.calendar) & pl.col("session").is_between(own.min(), one.until)
            )
            lacking = days.filter(~pl.col("session").is_in(own.implode()))["session"]
            row = (one.name, lacking.len(), lacking.min(), lacking.max())
            frames.append(pl.DataFrame([row] if lacking.len() else [], GAPS, orient="row"))
    return pl.concat(frames).sort("sessions", "symbol", descending=[True, False])


def changed(revised: Mapping[str, pl.DataFrame], stored: MarketData | None) -> pl.DataFrame:
    """Revised rows beside the last stored ones: |new / old - 1|, the largest of each series."""
    frames = [_empty(CHANGED)]
    for table, (key, day, value) in VALUES.items():
        rows = revised.get(table)
        if rows is None or stored is None:
            continue
        before = getattr(stored, table).unique([key, day], keep="last", maintain_order=True)
        both = rows.join(before.select(key, day, old=value), on=[key, day], maintain_order="left")
        moved = both.with_columns(moved=(pl.col(value) / pl.col("old") - 1).abs())
        found = moved.group_by(key).agg(
            pl.lit(table).alias("table"),
            pl.len().cast(pl.Int64).alias("rows"),
            pl.col(day).min().alias("first"),
            pl.col(day).max().alias("last"),
            pl.col("moved").max().alias("largest"),
        )
        frames.append(found.rename({key: "name"}).select(CHANGED.names()))
    return pl.concat(frames).sort("largest", "name", descending=[True, False])
