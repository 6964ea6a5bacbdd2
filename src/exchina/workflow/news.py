"""What becomes known of companies between reviews: corporate actions that change a line, commitments of sponsors."""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from datetime import date

import polars as pl

from exchina.market.view import MarketView

QUIET = ("share_change", "float_change")
COLUMNS = ("known_date", "company_id", "symbol", "kind", "status", "effective", "summary", "source")


def news_of(view: MarketView, sessions: Sequence[date], held: Collection[str], session: date) -> pl.DataFrame:
    """What became known, after the session before and up to one, of the companies whose lines are held.

    Args:
        view: what is known.
        sessions: of the index calendar, ascending.
        held: symbols of the lines.
        session: the session on which it is told; what becomes known on a day without one is told on the next.

    Returns:
        known_date, company_id, symbol, kind, status, effective, summary, source; sorted by all of them.
    """
    at = bisect_left(sessions, session)
    after = sessions[at - 1] if at else date.min
    return all_news(view, held).filter(pl.col("known_date").is_between(after, session, closed="right"))


def all_news(view: MarketView, held: Collection[str]) -> pl.DataFrame:
    """Every corporate action but changes of share counts, and every commitment, of the companies that are held."""
    lines = view.reference.listings.select("company_id", symbol="yahoo_symbol").unique(maintain_order=True)
    lines = lines.filter(pl.col("symbol").is_in(list(held)))
    actions = view.market.actions.filter(~pl.col("type").is_in(QUIET)).select(
        "known_date",
        "symbol",
        "status",
        "source",
        kind="type",
        effective="ex_date",
        summary=pl.format("{} {}", "type", "id"),
    )
    measures = view.reference.policy_measures.select(
        "known_date",
        "company_id",
        "status",
        "summary",
        kind="instrument",
        effective="valid_from",
        source="source_url",
    )
    first = lines.unique("company_id", keep="first", maintain_order=True)
    found = [
        actions.join(lines, on="symbol", how="inner").select(COLUMNS),
        measures.join(first, on="company_id", how="inner").select(COLUMNS),
    ]
    return pl.concat(found).sort(COLUMNS)
