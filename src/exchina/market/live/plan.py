"""What to ask a live vendor: the listings of the reference, their currencies and benchmarks, and the days of each.

A line is asked for inside its listing window only, under its own symbol: a company that changed its symbol is two
listings, and a symbol that was used twice has one window of each. Names are never searched for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import polars as pl

from exchina.errors import DataError, Problem, did_you_mean
from exchina.market.calendar import sessions_table
from exchina.market.live.source import Source
from exchina.model import MarketData, Reference

CONTROL = "PICK"  # iShares MSCI Global Metals & Mining Producers ETF: miners of every metal and market but gold's own
CONTROL_CALENDAR, RATE_CALENDAR = "XNYS", "24/5"
FINISHED_AFTER = timedelta(minutes=60)  # closing auctions end 5 to 15 minutes after the calendar's close; then delays
OVERLAP_SESSIONS = 10  # asked for again each time, so that a changed past is seen
BEFORE_FIRST_CLOSE = timedelta(days=10)  # a rate must be there on the first close, which may be a holiday of the rate
LONGEST_BREAK = timedelta(days=30)

Role = Literal["line", "rate", "benchmark"]


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person asks of a fetch.

    Attributes:
        start: first day of a line that is not in the store yet.
        full: ask for all days again, also of lines that are in the store.
        only: symbols of listings; empty for all of the reference.
        control: symbol of the metals-and-mining benchmark; empty for none.
        effect: say how much a changed past moves the levels of the workspace's indices.
    """

    start: date = date(2010, 1, 4)
    full: bool = False
    only: tuple[str, ...] = ()
    control: str = CONTROL
    effect: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """One series to ask for.

    Attributes:
        role: a line of the reference, an exchange rate or a benchmark.
        name: what our tables call it: symbol of the line or benchmark, currency.
        symbol: what the vendor is asked for.
        since: first day wanted.
        until: last day wanted: a session that has ended.
        currency: in which closes must be quoted; None if it does not matter.
        unit: of the quote in that currency: 0.01 for pence.
        zone: IANA time zone of the venue; None if it does not matter.
        calendar: whose sessions it has.
        ends: last day of the listing; None if it still trades.
        first: whether the store has nothing of it yet.
    """

    role: Role
    name: str
    symbol: str
    since: date
    until: date
    currency: str | None = None
    unit: float = 1.0
    zone: str | None = None
    calendar: str = RATE_CALENDAR
    ends: date | None = None
    first: bool = True


def planned(source: Source, reference: Reference, stored: MarketData | None, ask: Ask, now: datetime) -> list[Wanted]:
    """Everything to ask for, lines first; what the store already has up to the last finished session is left out.

    Args:
        source: names the symbols of exchange rates.
        reference: its listings and venues.
        stored: what the store has; None if nothing.
        ask: what the person asks for.
        now: the present moment, with a time zone.

    Raises:
        DataError: a symbol that was asked for is no listing.
    """
    chosen = _chosen(reference, ask)
    finished = last_finished({*chosen["calendar"], RATE_CALENDAR, CONTROL_CALENDAR}, now)
    lines = [_line(row, stored, ask, finished[row["calendar"]]) for row in chosen.to_dicts()]
    rates = _rates(source, chosen, stored, ask, finished[RATE_CALENDAR])
    benchmarks = _benchmarks(chosen, stored, ask, finished)
    wanted = [one for one in (*lines, *rates, *benchmarks) if one.since <= one.until]
    return wanted if ask.full else [one for one in wanted if _last(stored, one) != one.until]


def last_finished(calendars: Iterable[str], now: datetime) -> dict[str, date]:
    """The last session of each calendar that has ended, closing auction included, by ``now``."""
    today = now.date()
    table = sessions_table(calendars, today - LONGEST_BREAK, today + timedelta(days=1))
    done = table.filter(pl.col("close_at") + FINISHED_AFTER <= now)
    return dict(done.group_by("calendar").agg(pl.col("session").max()).sort("calendar").iter_rows())


def _chosen(reference: Reference, ask: Ask) -> pl.DataFrame:
    """The listings that were asked for, each with what its venue says, sorted by symbol."""
    known = reference.listings["yahoo_symbol"].to_list()
    strangers = [symbol for symbol in ask.only if symbol not in known]
    if strangers:
        what = "is no listing of the reference"
        raise DataError(*(Problem(symbol, what, did_you_mean(symbol, known)) for symbol in strangers))
    venues = reference.venues.select("mic", "calendar", "quote_unit", "utc_offset_zone", "local_benchmark_symbol")
    lines = reference.listings.filter(pl.col("yahoo_symbol").is_in(list(ask.only or known)))
    return lines.join(venues, on="mic", how="left", maintain_order="left").sort("yahoo_symbol")


def _line(row: Mapping[str, Any], held: MarketData | None, ask: Ask, finished: date) -> Wanted:
    symbol, opened, ended = row["yahoo_symbol"], row["first_trade_date"], row["last_trade_date"]
    last = None if held is None else _span(held.prices, "symbol", symbol)[1]
    since = max(ask.start, opened or ask.start)
    return Wanted(
        role="line",
        name=symbol,
        symbol=symbol,
        since=max(since, _again(held, row["calendar"], last)) if last and held and not ask.full else since,
        until=min(finished, ended or finished),
        currency=row["currency"],
        unit=row["quote_unit"],
        zone=row["utc_offset_zone"],
        calendar=row["calendar"],
        ends=ended,
        first=last is None,
    )


def _rates(source: Source, chosen: pl.DataFrame, held: MarketData | None, ask: Ask, until: date) -> list[Wanted]:
    """The exchange rate of each currency from shortly before its first line; the dollar has none."""
    found: list[Wanted] = []
    opened = pl.col("first_trade_date").fill_null(ask.start).clip(lower_bound=ask.start)
    firsts = chosen.group_by("currency").agg(opened.min().alias("first")).sort("currency")
    for currency, first in firsts.filter(pl.col("currency") != "USD").iter_rows():
        pair, since = source.pair(currency), first - BEFORE_FIRST_CLOSE
        start, last = (None, None) if held is None else _span(held.fx, "currency", currency)
        if held and start and last and start <= first and not ask.full:
            since = _again(held, RATE_CALENDAR, last)
        quoted = currency if pair.units_per_dollar else "USD"
        found.append(Wanted("rate", currency, pair.symbol, since, until, currency=quoted, first=last is None))
    return found


def _benchmarks(chosen: pl.DataFrame, held: MarketData | None, ask: Ask, finished: Mapping[str, date]) -> list[Wanted]:
    """The local benchmark of each venue that was used, and the control."""
    local = chosen.sort("mic").unique("local_benchmark_symbol", keep="first", maintain_order=True)
    named = dict(local.select("local_benchmark_symbol", "calendar").iter_rows())
    named |= {ask.control: CONTROL_CALENDAR} if ask.control else {}
    found: list[Wanted] = []
    for symbol, calendar in sorted(named.items()):
        last = None if held is None else _span(held.benchmarks, "symbol", symbol)[1]
        since = _again(held, calendar, last) if held and last and not ask.full else ask.start
        found.append(
            Wanted("benchmark", symbol, symbol, since, finished[calendar], calendar=calendar, first=last is None)
        )
    return found


def _span(table: pl.DataFrame, key: str, name: str) -> tuple[date | None, date | None]:
    """First and last stored session of a series."""
    days = table.filter(pl.col(key) == name)["session"]
    first, last = days.min(), days.max()
    return (first, last) if isinstance(first, date) and isinstance(last, date) else (None, None)


def _last(held: MarketData | None, one: Wanted) -> date | None:
    if held is None:
        return None
    table, key = {
        "line": (held.prices, "symbol"),
        "rate": (held.fx, "currency"),
        "benchmark": (held.benchmarks, "symbol"),
    }[one.role]
    return _span(table, key, one.name)[1]


def _again(held: MarketData, calendar: str, last: date) -> date:
    """The session `OVERLAP_SESSIONS` before the last stored one."""
    days = held.sessions.filter((pl.col("calendar") == calendar) & (pl.col("session") <= last))["session"].sort()
    return days[-1 - OVERLAP_SESSIONS] if days.len() > OVERLAP_SESSIONS else last
