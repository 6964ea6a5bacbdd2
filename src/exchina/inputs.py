"""What the calculator reads of a `MarketView`: the closes, rates, cash and events of some lines."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from exchina.calculation.acceptance import held_back
from exchina.calculation.board import Board, Days, board_of
from exchina.calculation.events import events_of, moves
from exchina.calculation.lines import Event
from exchina.calculation.payments import TaxTable, with_cash
from exchina.calculation.terms import on_terms
from exchina.currency import with_rate
from exchina.errors import DataError, Problem, did_you_mean
from exchina.market.view import MarketView
from exchina.model import MarketData, Rulebook
from exchina.tables.actions import APPLIED


@dataclass(frozen=True)
class Inputs:
    """What the calculator reads of a view for some lines: all that can happen to them between two sessions.

    Attributes:
        book: whose conventions hold.
        board: closes, rates and ordinary dividends.
        events: corporate actions of any date.
        refused: symbol, session of closes that were held back.
    """

    book: Rulebook
    board: Board
    events: tuple[Event, ...]
    refused: pl.DataFrame

    def part(self, first: date, last: date) -> "Inputs":
        """The same between two sessions."""
        return replace(self, board=self.board.part(first, last))


def index_sessions(book: Rulebook, view: MarketView) -> list[date]:
    """Every session of the index calendar, also those to come; `DataError` if the market has no such calendar."""
    sessions = view.market.sessions.filter(pl.col("calendar") == book.review.calendar)["session"].to_list()
    if not sessions:
        known = view.market.sessions["calendar"].unique().to_list()
        what = f"the market has no calendar called {book.review.calendar!r}"
        raise DataError(Problem("review.calendar", what, did_you_mean(book.review.calendar, known)))
    return sessions


def inputs_for(book: Rulebook, view: MarketView, symbols: Collection[str], first: date, last: date) -> Inputs:
    """Read what can happen to some lines, and to the lines that their events bring in, between two sessions.

    Raises:
        DataError: an event is impossible, or a tax or exchange rate for cash is missing; every such fault at once.
    """
    listings = _listings(view)
    reached = _reached(view, symbols, set(listings["symbol"]))
    known = listings.filter(pl.col("symbol").is_in(reached))
    lines = dict(known.select("symbol", "currency").iter_rows())
    rule, market, calendar = book.calculation, view.market, index_sessions(book, view)
    market = replace(market, dividends=_special_in_own_currency(market, lines, last))
    taxes = _taxes(book, view, known)
    windows = {symbol: (start, end) for symbol, start, end in known.select("symbol", "first", "last").iter_rows()}
    events = tuple(events_of(market, windows, taxes, rule, since=first))
    prices = market.prices.filter(pl.col("symbol").is_in(reached))
    refused = held_back(prices, events, rule.reject_move_over) if rule.reject_move_over else _nothing_refused()
    paid_in = market.dividends.filter(pl.col("symbol").is_in(reached))["currency"]
    board = board_of(
        prices.join(refused, on=["symbol", "session"], how="anti", maintain_order="left"),
        market.fx,
        lines,
        book.index.currency,
        currencies={*_quoted(book), *paid_in},
        opened=_own_sessions(view, known),
        sessions=calendar,
        first=first,
        last=last,
    )
    board = on_terms(board, events, rule)
    return Inputs(book, with_cash(board, (view.history or market).dividends, events, taxes, rule), events, refused)


def _own_sessions(view: MarketView, known: pl.DataFrame) -> dict[str, Days]:
    """The sessions of each line's own market, days since 1970-01-01, ascending."""
    days = {
        str(calendar): rows["session"].sort().cast(pl.Int32).cast(pl.Int64).to_numpy()
        for (calendar,), rows in view.market.sessions.partition_by("calendar", as_dict=True).items()
    }
    none = np.array([], np.int64)
    return {symbol: days.get(calendar, none) for symbol, calendar in known.select("symbol", "calendar").iter_rows()}


def _special_in_own_currency(market: MarketData, lines: Mapping[str, str], last: date) -> pl.DataFrame:
    """Dividends with special cash and capital returns in the currency of their line, by the fixing before the ex-date.

    An opening file of the eve knows no other fixing; cash still to come takes the one of ``last``.

    Raises:
        DataError: there is no such rate.
    """
    own = pl.col("symbol").replace_strict(lines, default=None, return_dtype=pl.String)
    foreign = (pl.col("type") != "ordinary") & own.is_not_null() & (pl.col("currency") != own)
    if not market.dividends.filter(foreign).height:
        return market.dividends
    eve = pl.min_horizontal(pl.col("ex_date") - timedelta(days=1), pl.lit(last))
    paid = market.dividends.filter(foreign).with_columns(own=own, eve=eve)
    paid = with_rate(paid, market.fx, day="eve", currency="currency").rename({"rate": "paid_usd"})
    paid = with_rate(paid, market.fx, day="eve", currency="own")
    amount = pl.col("amount") * pl.col("paid_usd") / pl.col("rate")
    turned = paid.with_columns(amount=amount, currency=pl.col("own")).select(market.dividends.columns)
    return pl.concat([market.dividends.filter(~foreign), turned]).sort("symbol", "ex_date", "type")


def _nothing_refused() -> pl.DataFrame:
    return pl.DataFrame(schema={"symbol": pl.String, "session": pl.Date})


def _listings(view: MarketView) -> pl.DataFrame:
    """symbol, company_id, currency, calendar, country of the issuer, first and last trading day."""
    domiciles = view.reference.companies.select("country_of_domicile", company_id="id")
    venues = view.reference.venues.select("mic", "calendar")
    listings = view.reference.listings.join(venues, on="mic", how="left", maintain_order="left")
    return listings.join(domiciles, on="company_id", how="left", maintain_order="left").select(
        "company_id",
        "calendar",
        "currency",
        symbol="yahoo_symbol",
        country="country_of_domicile",
        first="first_trade_date",
        last="last_trade_date",
    )


def _quoted(book: Rulebook) -> set[str]:
    """Currencies that derived series ask for."""
    named = (settings.get(key) for one in book.series for settings in [one.settings] for key in ("into", "currencies"))
    return {code for name in named if name for code in ([name] if isinstance(name, str) else name)}


def _reached(view: MarketView, symbols: Collection[str], listed: set[str]) -> list[str]:
    """Lines and every line that events of theirs bring in: children, acquirers, new listings."""
    events = view.market.actions.filter(pl.col("status").is_in(APPLIED) & (pl.col("type") != "redomicile"))
    named = list(events.filter(pl.col("other").is_not_null()).select("symbol", "other").iter_rows())
    reached = set(symbols)
    while added := {other for symbol, other in named if symbol in reached and other in listed} - reached:
        reached |= added
    return sorted(reached)


def _taxes(book: Rulebook, view: MarketView, known: pl.DataFrame) -> TaxTable | None:
    if "NTR" not in book.index.returns and book.calculation.special_dividend != "adjust_price_index_net":
        return None
    countries = dict(known.select("symbol", "country").iter_rows())
    return TaxTable(view.reference.withholding, countries, moves(view.market.actions))
