"""The road of an index: for each review cut the data, judge, compose; then chain the baskets into levels.

No arithmetic and no file: it calls the core on what a `MarketView` lets it see.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from exchina.calculation.levels import chain, drifted_weights
from exchina.calculation.statuses import carried_prices
from exchina.calculation.values import Values, unit_values
from exchina.errors import DataError, Problem, did_you_mean
from exchina.market.view import MarketView
from exchina.model import Basket, IndexSeries, Review, Rulebook
from exchina.rules.pipeline import baskets
from exchina.rules.reviews import reviews
from exchina.universe import universe_on

AHEAD = timedelta(days=400)


def reviews_until(book: Rulebook, view: MarketView, until: date) -> list[Review]:
    """The reviews of a rulebook that take effect by a day, oldest first.

    Raises:
        DataError: the market has no such calendar, or the base date is none of its sessions.
    """
    return reviews(book.review, _sessions(book, view), book.index.base_date, until)


def next_review(book: Rulebook, view: MarketView, day: date) -> list[Review]:
    """Every review up to the first that takes effect on or after ``day``.

    Where ``day`` lies before that review's data cut-off, its cut-off is ``day``: a preview.
    """
    known = reviews_until(book, view, day + AHEAD)
    count = 1 + sum(review.effective < day for review in known)
    return [
        *known[: count - 1],
        *(replace(review, cutoff=min(review.cutoff, day)) for review in known[count - 1 : count]),
    ]


def composed(book: Rulebook, view: MarketView, wanted: list[Review]) -> list[Basket]:
    """The basket of each review, each from what was known at its own data cut-off.

    Raises:
        DataError: the market ends before a cut-off, or lacks an exchange rate.
        InfeasibleError: a review has no basket that meets the rules.
    """
    _reaches(view, wanted)
    cuts = [(review, view.as_of(review.cutoff)) for review in wanted]
    tables = [
        universe_on(cut.market, cut.reference, review.cutoff).with_columns(review=pl.lit(review.effective))
        for review, cut in cuts
    ]
    values = _values(book, view, wanted[0].effective)

    def drift(weights: Mapping[str, float], since: date, day: date) -> Mapping[str, float]:
        return drifted_weights(values, weights, since, day)

    weak = view.reference.weak_facts
    return baskets(book, pl.concat(tables), wanted, drift=drift, weak=weak, provenance=view.provenance)


def series_of(book: Rulebook, view: MarketView, made: list[Basket]) -> IndexSeries:
    """Levels of the baskets that are in force by the view's last session.

    Raises:
        DataError: the base date lies after the last session, or a member has no price when its shares are set.
    """
    through = view.provenance.through
    in_force = [basket for basket in made if basket.review.effective <= through]
    if not in_force:
        hint = "fetch later prices or set an earlier base_date"
        raise DataError(Problem("index.base_date", f"{book.index.base_date} is after the last price, {through}", hint))
    values = _values(book, view, in_force[0].review.effective)
    resets = [(b.review.effective, dict(b.members.select("symbol", "weight").iter_rows())) for b in in_force]
    chained = chain(values, resets, book.index.base_value)
    return IndexSeries(
        book=book,
        levels=chained.levels.select("session", variant=pl.lit("PR"), level="level"),
        divisor=chained.divisor,
        shares=chained.shares,
        turnover=chained.turnover,
        statuses=carried_prices(values, chained.shares, _lines(view), view.market.sessions),
        baskets=tuple(in_force),
        provenance=view.provenance,
    )


def constituents(series: IndexSeries, view: MarketView) -> pl.DataFrame:
    """Who was in the index from when, with the market and the benchmark of each line, for an event study."""
    venues = view.reference.venues.select("mic", "calendar", benchmark="local_benchmark_symbol")
    rows = [
        basket.members.select("symbol", "stage", "weight", "currency", "mic", effective=pl.lit(basket.review.effective))
        for basket in series.baskets
    ]
    return pl.concat(rows).join(venues, on="mic", how="left", maintain_order="left").drop("mic")


def _sessions(book: Rulebook, view: MarketView) -> list[date]:
    sessions = view.market.sessions.filter(pl.col("calendar") == book.review.calendar)["session"].to_list()
    if not sessions:
        known = view.market.sessions["calendar"].unique().to_list()
        what = f"the market has no calendar called {book.review.calendar!r}"
        raise DataError(Problem("review.calendar", what, did_you_mean(book.review.calendar, known)))
    return sessions


def _reaches(view: MarketView, wanted: list[Review]) -> None:
    last, needed = view.provenance.through, wanted[-1].cutoff
    if last < needed - timedelta(days=10):
        what = f"prices of {view.provenance.market!r} end on {last}, the data cut-off is {needed}"
        raise DataError(Problem("market", what, "fetch prices up to the cut-off, or ask for an earlier day"))
    first: date = view.market.prices["session"].min()  # pyright: ignore[reportAssignmentType]
    if first > wanted[0].cutoff:
        what = f"prices of {view.provenance.market!r} start on {first}, the first data cut-off is {wanted[0].cutoff}"
        raise DataError(Problem("index.base_date", what, "set a later base_date or fetch earlier prices"))


def _values(book: Rulebook, view: MarketView, since: date) -> Values:
    through = view.provenance.through
    days = [day for day in _sessions(book, view) if since <= day <= through]
    currencies = dict(view.reference.listings.select("yahoo_symbol", "currency").iter_rows())
    priced = set(view.market.prices["symbol"].unique())
    return unit_values(view.market, {s: c for s, c in currencies.items() if s in priced}, days, book.index.currency)


def _lines(view: MarketView) -> pl.DataFrame:
    calendars = view.reference.venues.select("mic", "calendar")
    lines = view.reference.listings.join(calendars, on="mic", maintain_order="left")
    return lines.select("calendar", "last_trade_date", symbol="yahoo_symbol")
