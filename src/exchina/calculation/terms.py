"""Carried closes on the terms that hold: what an event makes of the close before it, until the line trades again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from exchina.calculation.action_register import action
from exchina.calculation.board import Board, day_number
from exchina.calculation.events import order
from exchina.calculation.lines import Event, Line
from exchina.errors import DataError
from exchina.model import CalculationRule

REPRICING = (
    "split",
    "stock_dividend",
    "other_stock_dividend",
    "special_dividend",
    "capital_return",
    "rights_issue",
    "compulsory_tender",
)


def on_terms(board: Board, events: Sequence[Event], rule: CalculationRule) -> Board:
    """The board with every carried close on the terms of its session, held or not.

    A close of a day before an ex-date that still stands on or after it becomes P', as the event gives it for one share;
    a line under a new name has the closes of the old one until its own first.

    Args:
        board: closes as quoted.
        events: of any date.
        rule: conventions.
    """
    prices, days = board.prices.copy(), board.price_days.copy()
    at = {symbol: number for number, symbol in enumerate(board.symbols)}
    numbers = np.array([day_number(day) for day in board.sessions])
    names = dict[date, dict[str, str]]()
    for dated in sorted(events, key=lambda event: (event.ex_date, *order(event))):
        event = dated.under(names.get(dated.ex_date, {}))
        if event.type not in (*REPRICING, "rename") or event.symbol not in at:
            continue
        column, ex_day = at[event.symbol], day_number(event.ex_date)
        if event.type == "rename":
            names.setdefault(event.ex_date, {})[event.symbol] = event.other
            new = at.get(event.other, column)
            rows = np.flatnonzero((numbers >= ex_day) & (days[:, new] < ex_day))
            prices[rows, new], days[rows, new] = prices[rows, column], days[rows, column]
            continue
        rows = np.flatnonzero((numbers >= ex_day) & (days[:, column] < ex_day))
        rows = rows[np.isfinite(prices[rows, column])]
        if rows.size:
            prices[rows, column] *= _factor(event, float(prices[rows[0], column]), rule)
    return replace(board, prices=prices, price_days=days)


def _factor(event: Event, price: float, rule: CalculationRule) -> float:
    """P' / P; 1 where the event contradicts the price, which is an error only for an index that holds the line."""
    line = {event.symbol: Line(1.0, price, 1.0)}
    try:
        return action[event.type](line, event, rule)[event.symbol].price / price
    except DataError:
        return 1.0
