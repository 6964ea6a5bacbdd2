"""The road of an index: for each review cut the data, judge, compose; the levels are `exchina.levels`.

No arithmetic and no file: it calls the core on what a `MarketView` lets it see.
"""

from dataclasses import replace
from datetime import date, timedelta
from heapq import heapify, heappop, heappush

import polars as pl

from exchina.calculation.acceptance import held_back
from exchina.calculation.lines import Event
from exchina.errors import DataError, Problem
from exchina.inputs import index_sessions
from exchina.levels import lines_walked
from exchina.market.view import MarketView
from exchina.model import Basket, MarketData, Review, ReviewEvent, Rulebook
from exchina.rulebook import unknown_companies
from exchina.rules.events import Facts, placed
from exchina.rules.pipeline import START, Walk, walked
from exchina.rules.registers import trigger as triggers
from exchina.rules.reviews import reviews
from exchina.tables.actions import APPLIED
from exchina.universe import universe_on

AHEAD = timedelta(days=400)
LATELY = timedelta(days=60)
SESSIONS_BEHIND = 3


def reviews_until(book: Rulebook, view: MarketView, until: date) -> list[Review]:
    """The reviews of a rulebook that take effect by a day, oldest first: scheduled, special, and called by events.

    An event counts from the session by which the view shows that it was known.

    Raises:
        DataError: the market has no such calendar, the base date is none of its sessions, or the days of a review are
            out of order.
    """
    sessions = index_sessions(book, view)
    if not book.review.on:
        return reviews(book.review, sessions, book.index.base_date, until)
    calendar = reviews(book.review, sessions, book.index.base_date, until + AHEAD)
    queue = _events(book, view, sessions, calendar[0].cutoff)
    heapify(queue)
    road = START
    while queue:
        start, number, company, who, event = heappop(queue)
        trigger = book.review.on[number]
        if who != "anyone":
            road = _walked(book, view, [one for one in calendar[len(road.made) :] if one.effective <= start], road)
            members = set(road.made[-1].members["company_id"]) if road.made else set[str]()
            if (company in members) != (who == "members"):
                continue
        calendar, later = placed(calendar, trigger, event, start, sessions)
        if later is not None:
            heappush(queue, (later, number, company, who, event))
    return [review for review in calendar if review.effective <= until]


def _events(
    book: Rulebook, view: MarketView, sessions: list[date], since: date
) -> list[tuple[date, int, str, str, ReviewEvent]]:
    """What the triggers find after a day: the day, number of the trigger, company, whom it is for, the event."""
    facts = _facts(book, view, sessions)
    return [
        (day, number, company, who, ReviewEvent(day, company, call.name, call.scope, reason))
        for number, call in enumerate(book.review.on)
        for day, company, who, reason in triggers[call.name](facts, **call.settings).iter_rows()
        if day > since
    ]


def _facts(book: Rulebook, view: MarketView, sessions: list[date]) -> Facts:
    versions = view.history or view.market
    last = view.known_by or view.provenance.through

    def look(days: list[date]) -> pl.DataFrame:
        return pl.concat(_universe(book, view.as_of(day), day, day) for day in days)

    return Facts(
        sessions=[day for day in sessions if book.index.base_date <= day <= last],
        actions=versions.actions,
        measures=view.reference.policy_measures,
        prices=versions.prices.select("symbol", "session", "known_date"),
        companies=_companies(view),
        screens=book.screens,
        look=look,
    )


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
    if day < coming.cutoff:
        why = (
            f"PREVIEW on data of {day}: the data cut-off is {coming.cutoff}, until then members and weights can change"
        )
        coming = replace(coming, why="; ".join(filter(None, [why, coming.why])))
    selected = None if coming.selection_cutoff is None else min(coming.selection_cutoff, day)
    return [*past, replace(coming, cutoff=min(coming.cutoff, day), selection_cutoff=selected)]


def composed(book: Rulebook, view: MarketView, wanted: list[Review]) -> list[Basket]:
    """The basket of each review, each from what was known at its own data cut-off.

    Raises:
        DataError: a market ends before a cut-off, or an exchange rate is missing.
        InfeasibleError: a review has no basket that meets the rules.
    """
    return list(_walked(book, view, wanted, START).made)


def _walked(book: Rulebook, view: MarketView, wanted: list[Review], after: Walk) -> Walk:
    """The reviews walked so far and the baskets of further ones."""
    if not wanted:
        return after
    if faults := unknown_companies(book, view.reference.companies["id"].to_list()):
        raise DataError(*faults)
    cuts = {day: view.as_of(day) for one in wanted for day in (one.selection_cutoff, one.cutoff) if day is not None}
    for review in wanted:
        _reaches(cuts[review.cutoff], review.cutoff)
    selected = [(one.selection_cutoff or one.cutoff, one) for one in wanted]
    there = pl.concat(_universe(book, cuts[day], day, one.effective) for day, one in selected)
    now = there
    if any(one.selection_cutoff for one in wanted):
        now = pl.concat(_universe(book, cuts[one.cutoff], one.cutoff, one.effective) for one in wanted)

    def drift(basket: Basket, day: date) -> dict[str, float]:
        return lines_walked(basket, cuts[day], day)

    return walked(
        book,
        there,
        wanted,
        drift=drift,
        companies=_companies(view),
        weak=view.reference.weak_facts,
        provenance=view.provenance,
        at_cutoff=now,
        after=after,
    )


def universe_read(book: Rulebook, view: MarketView, cutoff: date) -> pl.DataFrame:
    """The universe that a review with this data cut-off reads; raises as `composed`."""
    cut = view.as_of(cutoff)
    _reaches(cut, cutoff)
    return universe_on(_believed(book, cut.market), cut.reference, cutoff)


def _universe(book: Rulebook, cut: MarketView, day: date, key: date) -> pl.DataFrame:
    """The universe of a day as a view cut to it shows it, under the key of a review."""
    return universe_on(_believed(book, cut.market), cut.reference, day).with_columns(review=pl.lit(key))


def _companies(view: MarketView) -> dict[str, str]:
    return dict(view.reference.listings.select("yahoo_symbol", "company_id").iter_rows())


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
