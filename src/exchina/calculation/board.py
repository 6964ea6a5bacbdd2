"""What the calculator reads on each index session: last close of each line, exchange rates, cash that goes ex."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from exchina.currency import STALE_AFTER_DAYS
from exchina.errors import DataError, Problem

Numbers: TypeAlias = NDArray[np.float64]
Days: TypeAlias = NDArray[np.int64]
NEVER = int(np.iinfo(np.int64).min)


EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """The day that so many days after 1970-01-01 is."""
    return EPOCH + timedelta(days=number)


@dataclass(frozen=True)
class Board:
    """Index sessions down (n), lines across (m), currencies across (k).

    Attributes:
        sessions: consecutive index sessions, ascending.
        symbols: lines, sorted (m).
        currencies: their currencies, sorted (k).
        currency_at: position of each line's currency (m).
        prices: last close at or before each session, currency of the line (n x m); NaN before the first.
        price_days: day of that close, days since 1970-01-01 (n x m); `NEVER` where there is none.
        spot: index currency per unit of each currency (n x k), last fixing; NaN where none is 10 days old or younger.
        spot_days: day of that fixing (n x k).
        gross: ordinary cash per share that is booked on the session, currency of the line (n x m).
        net: the same after tax (n x m).
        calendar: every known index session, also before and after those of the board, days since 1970-01-01.
        open_days: last session of each line's own market at or before the session (n x m); None: the session itself.
    """

    sessions: tuple[date, ...]
    symbols: tuple[str, ...]
    currencies: tuple[str, ...]
    currency_at: NDArray[np.int64]
    prices: Numbers
    price_days: Days
    spot: Numbers
    spot_days: Days
    gross: Numbers
    net: Numbers
    calendar: Days
    open_days: Days | None = None

    @property
    def rates(self) -> Numbers:
        """X of each line on each session (n x m)."""
        return self.spot[:, self.currency_at]

    @property
    def following(self) -> date | None:
        """The index session after the last of the board, if it is known."""
        return self.session_after(1)

    def session_after(self, count: int) -> date | None:
        """The index session so many after the last of the board, if it is known."""
        at = int(np.searchsorted(self.calendar, day_number(self.sessions[-1]), side="right")) + count - 1
        return day_of(int(self.calendar[at])) if at < len(self.calendar) else None

    def last_open(self, row: int, column: int) -> int:
        """Day of the line's own last session at or before a session of the board."""
        return day_number(self.sessions[row]) if self.open_days is None else int(self.open_days[row, column])

    def part(self, first: date, last: date) -> "Board":
        """The rows from one session to another, both included."""
        start, end = self.row(first), self.row(last) + 1
        tables = ("sessions", "prices", "price_days", "spot", "spot_days", "gross", "net", "open_days")
        parts = {name: getattr(self, name)[start:end] for name in tables if getattr(self, name) is not None}
        return replace(self, **parts)

    def row(self, session: date) -> int:
        """Position of a session; `DataError` if it is not on the board."""
        at = bisect_left(self.sessions, session)
        if at == len(self.sessions) or self.sessions[at] != session:
            raise DataError(Problem(str(session), "is no index session", f"sessions run to {self.sessions[-1]}"))
        return at

    def row_from(self, day: date) -> int:
        """Position of the first session on or after a day; n for a day after the last session up to the following
        one, n + 1 for a later one."""
        beyond = day > self.sessions[-1] and (self.following is None or day > self.following)
        return bisect_left(self.sessions, day) + beyond

    def columns(self, symbols: Sequence[str]) -> list[int]:
        """Positions of lines; `DataError` naming those that are not on the board."""
        at = {symbol: number for number, symbol in enumerate(self.symbols)}
        hint = "bring prices of that line into the market"
        unknown = [Problem(symbol, "no price of this line is known", hint) for symbol in symbols if symbol not in at]
        if unknown:
            raise DataError(*unknown)
        return [at[symbol] for symbol in symbols]


def board_of(
    prices: pl.DataFrame,
    fx: pl.DataFrame,
    lines: Mapping[str, str],
    into: str,
    *,
    currencies: Collection[str] = (),
    opened: Mapping[str, Days] | None = None,
    sessions: Sequence[date],
    first: date,
    last: date,
) -> Board:
    """Read the closes and the exchange rates of some lines, without any cash yet.

    A close of a session of the line's own market that is none of the index counts on the next index session.

    Args:
        prices: symbol, session, close.
        fx: currency, session, usd_per_unit.
        lines: currency of each symbol.
        into: index currency.
        currencies: others that somebody asks the rate of.
        opened: sessions of each line's own market, days since 1970-01-01, ascending; None takes the index's for them.
        sessions: every session of the index calendar, ascending, also those to come.
        first: first session of the board.
        last: last one.
    """
    days = tuple(sessions[bisect_left(sessions, first) : bisect_right(sessions, last)])
    symbols, quoted = sorted(lines), sorted({*lines.values(), into, *currencies})
    wanted = prices.filter(pl.col("symbol").is_in(symbols) & (pl.col("session") <= last)).sort("session")
    close, close_days = last_known(wanted, "symbol", symbols, "close", days)
    spot, spot_days = _converted(fx, quoted, into, days)
    none = np.zeros_like(close)
    at = np.array([quoted.index(lines[symbol]) for symbol in symbols], np.int64)
    calendar = np.array([day_number(day) for day in sessions])
    open_days = None if opened is None else np.stack([_last_at(opened[name], days) for name in symbols], axis=1)
    return Board(
        days,
        tuple(symbols),
        tuple(quoted),
        at,
        close,
        close_days,
        spot,
        spot_days,
        none,
        none,
        calendar,
        open_days,
    )


def _last_at(opened: Days, days: Sequence[date]) -> Days:
    """The last of some days at or before each day; `NEVER` where there is none."""
    numbers = np.concatenate([[NEVER], opened])
    return numbers[np.searchsorted(opened, [day_number(day) for day in days], side="right")]


def rates_into(fx: pl.DataFrame, currencies: Sequence[str], into: str, days: Sequence[date]) -> Numbers:
    """Units of ``into`` per unit of each currency, by the last fixing at or before each day (days, currencies).

    X_c = usd_per_unit(c) / usd_per_unit(into); NaN where either is unknown or more than 10 days old.
    """
    return _converted(fx, currencies, into, days)[0]


def _converted(fx: pl.DataFrame, currencies: Sequence[str], into: str, days: Sequence[date]) -> tuple[Numbers, Days]:
    usd, fixed = last_known(
        fx.filter(pl.col("session") <= days[-1]).sort("session"), "currency", currencies, "usd_per_unit", days
    )
    numbers = np.array([day_number(day) for day in days])
    for at in [at for at, currency in enumerate(currencies) if currency == "USD"]:
        usd[:, at], fixed[:, at] = 1.0, numbers
    usd[fixed < numbers[:, None] - STALE_AFTER_DAYS] = np.nan
    base = currencies.index(into)
    rates, oldest = usd / usd[:, [base]], np.minimum(fixed, fixed[:, [base]])
    rates[:, base], oldest[:, base] = 1.0, numbers
    return rates, oldest


def last_known(
    rows: pl.DataFrame, key: str, keys: Sequence[str], value: str, days: Sequence[date]
) -> tuple[Numbers, Days]:
    """The last value at or before each day, days down and keys across, and the day it is of.

    Args:
        rows: key, session and value, sorted by session.
        key: name of the column that says whose value it is.
        keys: the columns of the result; rows of other keys are left out.
        value: name of the column of values.
        days: ascending.

    Returns:
        Values (NaN where there is none) and their days since 1970-01-01 (`NEVER`), each of shape (days, keys).
    """
    at = {name: number for number, name in enumerate(keys)}
    rows = rows.filter(pl.col(key).is_in(list(keys)))
    values, found = np.full((len(days), len(keys)), np.nan), np.full((len(days), len(keys)), NEVER)
    if rows.is_empty() or not days:
        return values, found
    own = rows["session"].cast(pl.Int32).cast(pl.Int64).to_numpy()
    down = np.searchsorted(np.array([day_number(day) for day in days]), own, side="left")
    across = rows[key].replace_strict(at, return_dtype=pl.Int64).to_numpy()
    inside = down < len(days)
    values[down[inside], across[inside]] = rows[value].to_numpy()[inside]
    found[down[inside], across[inside]] = own[inside]
    return filled(values, found)


def filled(values: Numbers, found: Days) -> tuple[Numbers, Days]:
    """Empty cells (day `NEVER`) take the value of the row above."""
    source = np.maximum.accumulate(np.where(found > NEVER, np.arange(len(found))[:, None], 0), axis=0)
    across = np.arange(found.shape[1])
    return values[source, across], found[source, across]
