"""What becomes of a listing that ends: a move to another one, a takeover at its last close, a failure, a delisting."""

import calendar
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from exchina.market.simulation.lines import Line
from exchina.model import Reference

NEAR_DAYS = 60
BY_TYPE = {"merger_cash": "takeover", "merger_stock": "takeover", "bankruptcy": "bankruptcy", "delisting": "delisting"}


def endings(reference: Reference, lines: Sequence[Line], through: date) -> Iterator[dict[str, Any]]:
    """One corporate action for each line whose listing ends, by the contract `exchina.tables.market.ACTIONS`.

    It is known on the listing's last day, its ex-date is the first weekday after it. If another listing of the company
    trades then, one share becomes one share there (both have one value in this market). Otherwise a completed row of
    the reference within 60 days decides: a merger is a takeover for cash at the last close, a bankruptcy or a delisting
    is what it is. A listing that ends without such a row leaves no action.

    Args:
        reference: its corporate actions, in file order.
        lines: as simulated.
        through: last day of the simulation; what is known later is left out.
    """
    for line in lines:
        last: date | None = line.listing["last_trade_date"]
        ex_date = _next_weekday(last) if last else None
        if last and ex_date and last <= through:
            yield from _ending(reference, lines, line, ex_date)


def _next_weekday(day: date) -> date:
    return day + timedelta(days=7 - day.weekday() if day.weekday() >= calendar.FRIDAY else 1)


def _ending(reference: Reference, lines: Sequence[Line], line: Line, ex_date: date) -> Iterator[dict[str, Any]]:
    symbol = line.listing["yahoo_symbol"]
    known = {"status": "confirmed", "known_date": line.listing["last_trade_date"]}
    found: dict[str, Any] = {"symbol": symbol, "ex_date": ex_date, **known}
    if other := _next_line(lines, line, ex_date):
        found |= {"type": "conversion", "new": 1.0, "old": 1.0, "other": other, "source": "simulated from listings.csv"}
    elif said := _registered(reference, symbol, ex_date):
        row, kind = said
        found |= {"type": kind, "source": f"simulated from corporate_actions.csv row {row}"}
        found |= {"price": float(line.close[-1])} if kind == "takeover" else {}
    else:
        return
    yield {**found, "id": f"{symbol}-{found['type'].upper()}-{ex_date.year}"}


def _next_line(lines: Sequence[Line], line: Line, ex_date: date) -> str | None:
    """The company's other listing that trades on both sides of a day, the primary one first."""
    day = np.datetime64(ex_date)
    trading = [
        (not other.listing["primary"], other.listing["yahoo_symbol"])
        for other in lines
        if other.company.id == line.company.id
        and other is not line
        and other.days[0] <= day <= np.datetime64(other.listing["last_trade_date"] or day)
    ]
    return min(trading)[1] if trading else None


def _registered(reference: Reference, symbol: str, ex_date: date) -> tuple[int, str] | None:
    """Row in the file, and kind of action, of the completed row that explains an end; a merger before a delisting."""
    rows = reference.corporate_actions.with_row_index("row", 2).filter(
        (pl.col("yahoo_symbol") == symbol)
        & (pl.col("status") == "completed")
        & pl.col("type").is_in(list(BY_TYPE))
        & ((pl.col("effective_date") - pl.lit(ex_date)).dt.total_days().abs() <= NEAR_DAYS)
    )
    order = list(BY_TYPE)
    found = sorted(rows.select("type", "row").iter_rows(), key=lambda pair: (order.index(pair[0]), pair[1]))
    return (found[0][1], BY_TYPE[found[0][0]]) if found else None
