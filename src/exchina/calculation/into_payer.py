"""Total return that buys more of the share that pays: what its composition goes through beside the price index's."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from exchina.calculation.actions.cash import entitled
from exchina.calculation.board import Board
from exchina.calculation.events import TAXED
from exchina.calculation.lines import Event
from exchina.model import CalculationRule


def reinvested(events: Sequence[Event], board: Board, *, net: bool) -> list[Event]:
    """The events with every dividend, ordinary or special, as one that is paid back into its payer.

    Args:
        events: of the price index.
        board: its ordinary cash.
        net: whether tax is taken off.
    """
    cash = board.net if net else board.gross
    rows, columns = np.nonzero(cash)
    ordinary = [
        Event(f"dividend:{symbol}:{session}", symbol, "dividend", session, amount=float(cash[row, at]))
        for row, at in zip(rows.tolist(), columns.tolist(), strict=True)
        for symbol, session in [(board.symbols[at], board.sessions[row])]
    ]
    special = [
        replace(event, type="dividend", amount=entitled(event), tax=event.tax if net else 0.0)
        if event.type in TAXED
        else event
        for event in events
    ]
    return [*special, *ordinary]


def reinvesting(rule: CalculationRule) -> CalculationRule:
    """The conventions under which what is left of special cash, a return of capital, goes into its payer too."""
    return replace(rule, special_dividend="reinvest_in_payer")
