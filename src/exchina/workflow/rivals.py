"""The listed rivals of the funds on an index: what they publish, and what their prices did where a market has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from exchina.fund.attribution import over
from exchina.fund.path import FloatArray
from exchina.fund.results import SESSIONS_PER_YEAR
from exchina.market.view import MarketView
from exchina.workflow.evidence import COVERED
from exchina.workflow.tracking import Track

FEWEST = 20
NEAR = timedelta(days=7)
PRICES = {
    "kind": pl.String,
    "id": pl.String,
    "name": pl.String,
    "from": pl.Date,
    "to": pl.Date,
    "return": pl.Float64,
    "tracking_error": pl.Float64,
    "note": pl.String,
}
AS_DELIVERED = (
    "prices of rivals are taken as delivered: whether price or total return, and in which currency, is unknown. They "
    "are measured against the {index} in {currency}, at the close of their own market; the index has the closes of its "
    "members' markets, and part of a rival's tracking error is the hours between"
)
HINDSIGHT = "a rival really traded, under rules written beforehand; the index and the funds on it are back-tested"


@dataclass(frozen=True)
class Rivals:
    """Listed funds beside the funds of an index.

    Attributes:
        terms: `exchina.tables.reference.LISTED_FUNDS`.
        prices: kind (``index``, ``fund``, ``rival``), id, name, from, to, return, tracking_error (a year, to the index;
            of a fund to its own benchmark), note (why a figure is null), over the life of the youngest fund; empty
            where the market has no prices of any rival.
        notes: what is not known of the prices.
    """

    terms: pl.DataFrame
    prices: pl.DataFrame
    notes: tuple[str, ...]


def listed_rivals(tracked: Sequence[Track], view: MarketView) -> Rivals:
    """The funds of ``listed_funds.csv``, and the prices of those whose symbol is among the market's benchmarks.

    Args:
        tracked: funds on one index, at least one.
        view: the market that they were run on.
    """
    terms = view.reference.listed_funds
    known = set(view.market.benchmarks["symbol"].unique())
    priced = terms.filter(pl.col("yahoo_symbol").is_in(sorted(known)))
    if priced.is_empty():
        return Rivals(terms, pl.DataFrame(schema=PRICES), ())
    youngest = max(tracked, key=lambda one: one.accounts.path.sessions[0])
    sessions, variant = youngest.accounts.path.sessions, youngest.fund.facts.benchmark
    index = youngest.series.book.index
    level = youngest.followed.index.levels[variant][-len(sessions) :]
    own = f"{variant} of {index.name}"
    rows: list[tuple[object, ...]] = [
        ("index", index.id, own, sessions[0], sessions[-1], float(level[-1] / level[0] - 1), None, None)
    ]
    rows += [_fund(one, sessions) for one in tracked]
    for name, title, symbol in priced.select("id", "name", "yahoo_symbol").iter_rows():
        theirs = view.market.benchmarks.filter(pl.col("symbol") == symbol).sort("session")
        rows.append(("rival", name, title, *_rival(theirs, sessions, level)))
    note = AS_DELIVERED.format(index=own, currency=index.currency)
    return Rivals(terms, pl.DataFrame(rows, PRICES, orient="row"), (note, HINDSIGHT))


def _fund(tracked: Track, sessions: Sequence[date]) -> tuple[object, ...]:
    """A row of a fund: what it delivered since the close of the first session."""
    daily = tracked.daily.filter(pl.col("session") > sessions[0])
    facts, difference = tracked.fund.facts, daily["difference"].to_numpy()
    return "fund", facts.id, facts.name, sessions[0], sessions[-1], over(daily)["fund"], *_error(difference)


def _rival(levels: pl.DataFrame, sessions: Sequence[date], index: FloatArray) -> tuple[object, ...]:
    """From, to, return, tracking error and note of a rival, on the sessions that it shares with the index."""
    own = pl.DataFrame({"session": sessions, "index": index}).join(levels, on="session", maintain_order="left")
    days = own["session"].to_list()
    first, last = (days[0], days[-1]) if days else (None, None)
    share = own.height / len(sessions)
    whole = first is not None and first - sessions[0] <= NEAR and sessions[-1] - days[-1] <= NEAR
    if not whole or share < COVERED:
        what = f"levels from {first} to {last}, on {share:.0%} of sessions"
        return first, last, None, None, what if days else "no level in this time"
    theirs, ours = (own[name].to_numpy() for name in ("level", "index"))
    difference = theirs[1:] / theirs[:-1] - ours[1:] / ours[:-1]
    return first, last, float(theirs[-1] / theirs[0] - 1), *_error(difference)


def _error(difference: FloatArray) -> tuple[float | None, str | None]:
    """Standard deviation (n - 1) of differences of a session x sqrt(252), or None and why."""
    if len(difference) < FEWEST:
        return None, f"{len(difference)} sessions, fewer than {FEWEST}"
    return float(np.std(difference, ddof=1) * np.sqrt(SESSIONS_PER_YEAR)), None
