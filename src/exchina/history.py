"""The road of an index: for each review cut the data, judge, compose; the levels are `exchina.levels`.

No arithmetic and no file: it calls the core on what a `MarketView` lets it see.
"""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from exchina.calculation.acceptance import held_back
from exchina.calculation.lines import Event
from exchina.errors import DataError, Problem
from exchina.inputs import index_sessions
from exchina.levels import lines_walked
from exchina.market.view import MarketView
from exchina.model import Basket, MarketData, Review, Rulebook
from exchina.rules.pipeline import baskets
from exchina.rules.reviews import reviews
from exchina.tables.actions import APPLIED
from exchina.universe import universe_on

AHEAD = timedelta(days=400)
LATELY = timedelta(days=60)
SESSIONS_BEHIND = 3


def reviews_until(book: Rulebook, view: MarketView, until: date) -> list[Review]:
    """The reviews of a rulebook that take effect by a day, oldest first.

    Raises:
        DataError: the market has no such calendar, or the base date is none of its sessions.
    """
    return reviews(book.review, index_sessions(book, view), book.index.base_date, until)


def next_review(book: Rulebook, view: MarketView, day: date) -> list[Review]:
    """Every review up to the first that takes effect on or after ``day``.

    Where ``day`` lies before that review's data cut-off, its cut-off is ``day``: a preview.

    Raises:
        DataError: as for `reviews_until`, or no review is known from ``day`` on.
    """
    known = reviews_until(book, view, day + AHEAD)
    past = [review for review in known if review.effective < day]
    if len(past) == len(known):
        what = f"sessions of {book.review.calendar} are known only to {index_sessions(book, view)[-1]}"
        raise DataError(Problem(f"review after {day}", what, "fetch later data"))
    coming = known[len(past)]
    return [*past, replace(coming, cutoff=min(coming.cutoff, day))]


def composed(book: Rulebook, view: MarketView, wanted: list[Review]) -> list[Basket]:
    """The basket of each review, each from what was known at its own data cut-off.

    Raises:
        DataError: a market ends before a cut-off, or an exchange rate is missing.
        InfeasibleError: a review has no basket that meets the rules.
    """
    cuts = {review.cutoff: view.as_of(review.cutoff) for review in wanted}
    for review in wanted:
        _reaches(cuts[review.cutoff], review.cutoff)
    tables = [
        universe_on(_believed(book, cut.market), cut.reference, review.cutoff).with_columns(
            review=pl.lit(review.effective)
        )
        for review in wanted
        for cut in [cuts[review.cutoff]]
    ]

    def drift(basket: Basket, day: date) -> dict[str, float]:
        return lines_walked(basket, cuts[day], day)

    companies = dict(view.reference.listings.select("yahoo_symbol", "company_id").iter_rows())
    return baskets(
        book,
        pl.concat(tables),
        wanted,
        drift=drift,
        companies=companies,
        weak=view.reference.weak_facts,
        provenance=view.provenance,
    )


def _believed(book: Rulebook, market: MarketData) -> MarketData:
    """The market without the closes that the index itself holds back."""
    if book.calculation.reject_move_over is None:
        return market
    actions = market.actions.filter(pl.col("status").is_in(APPLIED))
    dated = pl.concat([table.select("symbol", "ex_date") for table in (market.splits, market.dividends, actions)])
    events = [Event("", symbol, "", ex_date) for symbol, ex_date in dated.iter_rows()]
    prices = market.prices.sort("symbol", "session")
    refused = held_back(prices, events, book.calculation.reject_move_over)
    return replace(market, prices=prices.join(refused, on=["symbol", "session"], how="anti", maintain_order="left"))


def _reaches(cut: MarketView, day: date) -> None:
    """Each calendar that had prices lately must have them up to its last sessions before ``day``."""
    calendars = _lines(cut).select("symbol", "calendar")
    recent = cut.market.prices.filter(pl.col("session") > day - LATELY).join(calendars, on="symbol")
    ends = recent.group_by("calendar").agg(end=pl.col("session").max())
    behind = (
        cut.market.sessions.filter(pl.col("session") <= day)
        .join(ends, on="calendar")
        .filter(pl.col("session") > pl.col("end"))
        .group_by("calendar", "end")
        .agg(missing=pl.len())
        .filter(pl.col("missing") > SESSIONS_BEHIND)
        .sort("calendar")
    )
    market, hint = cut.provenance.market, "fetch prices up to the cut-off, or ask for an earlier day"
    problems = [
        Problem(f"market {market}", f"prices of {calendar} end on {end}, the data cut-off is {day}", hint)
        for calendar, end, _ in behind.iter_rows()
    ]
    if ends.is_empty():
        what = f"no price in the {LATELY.days} days before the data cut-off, {day}"
        problems = [Problem(f"market {market}", what, "set a later base_date, or fetch prices for that time")]
    if problems:
        raise DataError(*problems)


def _lines(view: MarketView) -> pl.DataFrame:
    calendars = view.reference.venues.select("mic", "calendar")
    lines = view.reference.listings.join(calendars, on="mic", maintain_order="left")
    return lines.select("calendar", "last_trade_date", symbol="yahoo_symbol")
