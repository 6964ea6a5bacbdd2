"""The road of an index: for each review cut the data, judge, compose; then chain the baskets into levels.

No arithmetic and no file: it calls the core on what a `MarketView` lets it see.
"""

from bisect import bisect_left
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
LATELY = timedelta(days=60)
SESSIONS_BEHIND = 3


def reviews_until(book: Rulebook, view: MarketView, until: date) -> list[Review]:
    """The reviews of a rulebook that take effect by a day, oldest first.

    Raises:
        DataError: the market has no such calendar, or the base date is none of its sessions.
    """
    return reviews(book.review, _sessions(book, view), book.index.base_date, until)


def next_review(book: Rulebook, view: MarketView, day: date) -> list[Review]:
    """Every review up to the first that takes effect on or after ``day``.

    Where ``day`` lies before that review's data cut-off, its cut-off is ``day``: a preview.

    Raises:
        DataError: as for `reviews_until`, or no review is known from ``day`` on.
    """
    known = reviews_until(book, view, day + AHEAD)
    past = [review for review in known if review.effective < day]
    if len(past) == len(known):
        what = f"sessions of {book.review.calendar} are known only to {_sessions(book, view)[-1]}"
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
        universe_on(cuts[review.cutoff].market, cuts[review.cutoff].reference, review.cutoff).with_columns(
            review=pl.lit(review.effective)
        )
        for review in wanted
    ]

    def drift(weights: Mapping[str, float], since: date, day: date) -> Mapping[str, float]:
        values = _values(book, cuts[day], list(weights), [since, day])
        return drifted_weights(values, weights, since, day)

    weak = view.reference.weak_facts
    return baskets(book, pl.concat(tables), wanted, drift=drift, weak=weak, provenance=view.provenance)


def series_of(book: Rulebook, view: MarketView, made: list[Basket]) -> IndexSeries:
    """Levels of the baskets that are in force by the view's last session; a held basket is no trade.

    Raises:
        DataError: the base date lies after the last session, or a member has no price when its shares are set.
    """
    through = view.provenance.through
    in_force = [basket for basket in made if basket.review.effective <= through]
    if not in_force:
        hint = "fetch later prices or set an earlier base_date"
        raise DataError(Problem("index.base_date", f"{book.index.base_date} is after the last price, {through}", hint))
    resets = [
        (basket.review.effective, dict(basket.members.select("symbol", "weight").iter_rows()))
        for basket in in_force
        if not basket.held
    ]
    since = in_force[0].review.effective
    days = [day for day in _sessions(book, view) if since <= day <= through]
    values = _values(book, view, sorted({symbol for _, weights in resets for symbol in weights}), days)
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
    """Who was in the index with which weight, and the market and benchmark of each line, for an event study.

    One composition per review, at its target weights, and one for the last close before each policy shock, at the
    weights to which prices had moved them; ``effective`` is the close after which it stands.
    """
    closes = series.levels["session"].to_list()
    days = {day: bisect_left(closes, day) - 1 for day in view.reference.policy_shocks["event_date"].unique()}
    wanted = sorted({closes[at] for at in days.values() if at >= 0} | {b.review.effective for b in series.baskets})
    traded = [basket for basket in series.baskets if not basket.held]
    venues = view.reference.venues.select("mic", "calendar", benchmark="local_benchmark_symbol")
    symbols = sorted({symbol for basket in traded for symbol in basket.members["symbol"]})
    values = _values(series.book, view, symbols, wanted)
    rows = [_composition([b for b in traded if b.review.effective <= day][-1], values, day) for day in wanted]
    return pl.concat(rows).join(venues, on="mic", how="left", maintain_order="left").drop("mic")


def _composition(basket: Basket, values: Values, day: date) -> pl.DataFrame:
    start = dict(basket.members.select("symbol", "weight").iter_rows())
    weights = drifted_weights(values, start, basket.review.effective, day)
    weight = pl.col("symbol").replace_strict(weights, return_dtype=pl.Float64)
    return basket.members.select("symbol", "stage", weight.alias("weight"), "currency", "mic", effective=pl.lit(day))


def _sessions(book: Rulebook, view: MarketView) -> list[date]:
    sessions = view.market.sessions.filter(pl.col("calendar") == book.review.calendar)["session"].to_list()
    if not sessions:
        known = view.market.sessions["calendar"].unique().to_list()
        what = f"the market has no calendar called {book.review.calendar!r}"
        raise DataError(Problem("review.calendar", what, did_you_mean(book.review.calendar, known)))
    return sessions


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


def _values(book: Rulebook, view: MarketView, symbols: list[str], days: list[date]) -> Values:
    currencies = dict(view.reference.listings.select("yahoo_symbol", "currency").iter_rows())
    return unit_values(view.market, {symbol: currencies[symbol] for symbol in symbols}, days, book.index.currency)


def _lines(view: MarketView) -> pl.DataFrame:
    calendars = view.reference.venues.select("mic", "calendar")
    lines = view.reference.listings.join(calendars, on="mic", maintain_order="left")
    return lines.select("calendar", "last_trade_date", symbol="yahoo_symbol")
