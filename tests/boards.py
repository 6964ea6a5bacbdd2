"""Small boards for tests of the calculator: closes by hand on consecutive days, or the tables of a market."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from exchina.calculation.board import NEVER, Board, board_of, day_number, filled
from exchina.calculation.engine import advance, started
from exchina.calculation.lines import Event
from exchina.calculation.state import Reset, Run
from exchina.model import CalculationRule, MarketData

START = date(2024, 3, 4)
MARKET_CAP = CalculationRule(family="market_cap")
FIXED_WEIGHT = CalculationRule(family="fixed_weight")
PRICE_WEIGHTED = CalculationRule(family="price_weighted")


def days(count: int, start: date = START) -> tuple[date, ...]:
    """Consecutive days."""
    return tuple(start + timedelta(days=number) for number in range(count))


def board(
    closes: Mapping[str, Sequence[float | None]],
    rates: Mapping[str, Sequence[float]] | None = None,
    gross: Mapping[tuple[int, str], float] | None = None,
    net: Mapping[tuple[int, str], float] | None = None,
) -> Board:
    """A board of one close a day and line (None: no close that day), with one currency a line where rates are given."""
    symbols, count = tuple(sorted(closes)), len(next(iter(closes.values())))
    sessions = days(count + 1)
    numbers = np.array([day_number(day) for day in sessions[:-1]])
    cells = np.array([[np.nan if closes[s][row] is None else closes[s][row] for s in symbols] for row in range(count)])
    prices, price_days = filled(cells, np.where(np.isnan(cells), NEVER, numbers[:, None]))
    spot = np.array([[1.0 if rates is None else rates[s][row] for s in symbols] for row in range(count)], float)
    cash = [np.zeros_like(prices), np.zeros_like(prices)]
    for table, given in zip(cash, (gross or {}, net if net is not None else gross or {}), strict=True):
        for (row, symbol), amount in given.items():
            table[row, symbols.index(symbol)] = amount
    return Board(
        sessions=sessions[:-1],
        symbols=symbols,
        currencies=tuple(f"C{number}" for number in range(len(symbols))),
        currency_at=np.arange(len(symbols)),
        prices=prices,
        price_days=price_days,
        spot=spot,
        spot_days=np.repeat(numbers[:, None], len(symbols), axis=1),
        gross=cash[0],
        net=cash[1],
        calendar=np.array([day_number(day) for day in sessions]),
    )


def market_board(
    market: MarketData, currencies: Mapping[str, str], sessions: Sequence[date], into: str = "USD"
) -> Board:
    """The board of a market's lines."""
    return board_of(market.prices, market.fx, currencies, into, sessions=sessions, first=sessions[0], last=sessions[-1])


def walk(
    table: Board,
    resets: Sequence[tuple[date, Mapping[str, float]]],
    base: float = 100.0,
    events: Sequence[Event] = (),
    rule: CalculationRule = FIXED_WEIGHT,
) -> Run:
    """An index from the first reset on, each reset at target weights."""
    (first, weights), *later = resets
    table = table.part(first, table.sessions[-1])
    state = started(table.part(first, first), Reset(weights=weights), dict.fromkeys(("PR", "GTR", "NTR"), base))
    return advance(state, table, events, {day: Reset(weights=weights) for day, weights in later}, rule)
