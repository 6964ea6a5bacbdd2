"""From the tables of a market to the events that an index applies; what contradicts itself is refused, all at once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from exchina.calculation.actions.leaving import waits
from exchina.calculation.lines import Event
from exchina.calculation.payments import TaxTable
from exchina.errors import DataError, Problem
from exchina.model import CalculationRule, MarketData
from exchina.tables.actions import APPLIED, EXCLUSIVE, LEAVING, ORDER, term_problems

FIRST = ("leave", "join")
PLACE = {**ORDER, **dict.fromkeys(FIRST, -1), "dividend": ORDER["special_dividend"]}
TAXED = ("special_dividend", "other_stock_dividend")
TERMS = ("new", "old", "amount", "price", "fraction")


def order(event: Event) -> tuple[int, str]:
    """Where an event stands among those of one date: splits before cash, what leaves last; then by id."""
    return (PLACE[event.type], event.id)


def events_of(
    market: MarketData,
    windows: Mapping[str, tuple[date | None, date | None]],
    taxes: TaxTable | None,
    rule: CalculationRule,
    since: date = date.min,
) -> list[Event]:
    """Every event of a market that is confirmed or completed, and the end of each listing that no event explains.

    Splits and special dividends come from their own tables, all else from ``actions``; ``announced`` and
    ``date_unverified`` never enter.

    Args:
        market: as known on the day of the calculation; special cash in the currency of its line.
        windows: first and last trading day of each line of the index; null where there is none.
        taxes: None where no tax is asked for.
        rule: whose ``withholding`` and ``franking`` set the tax on cash.
        since: cash of earlier days is past and needs no tax rate.

    Raises:
        DataError: terms are missing or contradict themselves, an event lies outside the life of its line, or a tax rate
            is not known; each fault names the event's id and its source row.
    """
    known = market.actions.filter(pl.col("symbol").is_in(list(windows)))
    faults = term_problems(known, "")
    events = [*_splits(market.splits, windows), *_cash(market.dividends, windows), *_acted(known, rule)]
    events = [_taxed(event, taxes, rule, faults) if event.ex_date >= since else event for event in events]
    events += _ends(windows, events)
    faults += [problem for event in events for problem in _outside(event, windows)]
    faults += _told_twice(events)
    if faults:
        raise DataError(*faults)
    return sorted(events, key=lambda event: (event.ex_date, *order(event)))


def moves(actions: pl.DataFrame) -> tuple[tuple[str, date, str], ...]:
    """Symbol, day and new country of each redomiciled issuer, by day."""
    moved = actions.filter((pl.col("type") == "redomicile") & pl.col("status").is_in(APPLIED))
    return tuple(moved.sort("ex_date", "id").select("symbol", "ex_date", "other").iter_rows())


def _splits(splits: pl.DataFrame, windows: Mapping[str, object]) -> list[Event]:
    rows = splits.filter(pl.col("symbol").is_in(list(windows))).select("symbol", "ex_date", "ratio").iter_rows()
    return [
        Event(f"split:{symbol}:{day}", symbol, "split", day, new=ratio, old=1.0, source="splits")
        for symbol, day, ratio in rows
    ]


def _cash(dividends: pl.DataFrame, windows: Mapping[str, object]) -> list[Event]:
    """Special dividends and returns of capital; ``fraction`` is the franked share until tax is known."""
    wanted = dividends.filter(
        pl.col("symbol").is_in(list(windows)) & (pl.col("type") != "ordinary") & (pl.col("status") == "confirmed")
    )
    return [
        Event(f"{kind}:{symbol}:{day}", symbol, kind, day, amount=amount, fraction=franked, source="dividends")
        for symbol, day, amount, franked, said in wanted.select(
            "symbol", "ex_date", "amount", "franked", "type"
        ).iter_rows()
        for kind in ["special_dividend" if said == "special" else "capital_return"]
    ]


def _acted(actions: pl.DataFrame, rule: CalculationRule) -> list[Event]:
    events = [_event(row) for row in actions.filter(pl.col("status").is_in(APPLIED)).to_dicts()]
    return [event for event in events if not waits(event, rule)]


def _event(row: Mapping[str, Any]) -> Event:
    """A row of the table ``actions``."""
    bare = Event(row["id"], row["symbol"], row["type"], row["ex_date"], other=row["other"] or "")
    event = replace(bare, underwritten=row["underwritten"] is not False, source=row["source"])
    return replace(event, **{name: row[name] or 0.0 for name in TERMS})


def to_come(market: MarketData, after: date) -> list[tuple[Event, str]]:
    """Every event with an ex-date after a day that is known and not withdrawn, with its status, before any tax."""
    actions = market.actions.filter((pl.col("ex_date") > after) & (pl.col("status") != "withdrawn"))
    dividends = market.dividends.filter((pl.col("ex_date") > after) & (pl.col("status") != "retracted"))
    splits = market.splits.filter(pl.col("ex_date") > after)
    symbols = dict.fromkeys([*splits["symbol"], *dividends["symbol"]])
    cash = _cash(dividends, symbols)
    ordinary = [
        (Event(f"dividend:{symbol}:{day}", symbol, "dividend", day, amount=amount, source="dividends"), status)
        for symbol, day, amount, status in dividends.filter(pl.col("type") == "ordinary")
        .select("symbol", "ex_date", "amount", "status")
        .iter_rows()
    ]
    acted = [(_event(row), str(row["status"])) for row in actions.to_dicts()]
    return [*((event, "confirmed") for event in (*_splits(splits, symbols), *cash)), *ordinary, *acted]


def _taxed(event: Event, taxes: TaxTable | None, rule: CalculationRule, faults: list[Problem]) -> Event:
    """The event with the tax that a net index bears on it; a return of capital bears none."""
    if taxes is None or event.type not in TAXED:
        return event
    tau = taxes.rate(event.symbol, event.ex_date, rule.withholding)
    if isinstance(tau, Problem):
        faults.append(tau)
        return event
    free = event.fraction if rule.franking == "unfranked_part" else 0.0
    return replace(event, tax=tau * (1 - free))


def _ends(windows: Mapping[str, tuple[date | None, date | None]], events: list[Event]) -> list[Event]:
    """A delisting on the day after the last trading day of each line that no event takes out."""
    explained = {event.symbol for event in events if event.type in EXCLUSIVE}
    return [
        Event(f"end:{symbol}:{last}", symbol, "delisting", date.fromordinal(last.toordinal() + 1), source="listings")
        for symbol, (_, last) in sorted(windows.items())
        if last is not None and symbol not in explained
    ]


def _told_twice(events: list[Event]) -> list[Problem]:
    """A split or special cash that stands in its own table and among the actions too."""
    first: dict[tuple[str, str, date], Event] = {}
    faults: list[Problem] = []
    for event in events:
        if event.type in ("split", "special_dividend", "capital_return"):
            before = first.setdefault((event.symbol, event.type, event.ex_date), event)
            if before is not event:
                faults.append(event.problem(f"{before.id} ({before.source}) says the same", "keep one of the two"))
    return faults


def _outside(event: Event, windows: Mapping[str, tuple[date | None, date | None]]) -> list[Problem]:
    first, last = windows[event.symbol]
    if first is not None and event.ex_date <= first:
        what = f"the line has no session before {first}"
    elif last is not None and event.ex_date > last and event.type not in (*LEAVING, *EXCLUSIVE, "resumption"):
        what = f"the line stopped trading on {last}"
    else:
        return []
    return [event.problem(what, "correct the ex-date or the listing's dates, or withdraw the event")]
