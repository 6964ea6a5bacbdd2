"""The calculator: a state, and what one more stretch of sessions makes of it.

    I_t = sum_i q_i P_it X_it / D          between two changes q and D stay
    D'  = D x sum q'P'X / sum q P X        at a change, which is never a market move

All changes between the close of t - 1 and the open of t go into one divisor change: first the review that takes effect
after that close, then the events with ex-date t, in the order of `exchina.calculation.events.order`. `advance` starts
from a `State`; session by session it gives the same bits as all at once.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from exchina.calculation.board import Board
from exchina.calculation.lines import Event, Line, market_value
from exchina.calculation.state import Change, Reset, Run, State
from exchina.calculation.walk import Walk, refuse_gaps
from exchina.model import CalculationRule

NOTIONAL = 1e9


def advance(
    state: State, board: Board, events: Sequence[Event], resets: Mapping[date, Reset], rule: CalculationRule
) -> Run:
    """Compute every session of the board after its first, which is the state's.

    Args:
        state: after the close of the board's first session.
        board: what is read; holds every line that an event or a review may bring in.
        events: of any date; those of earlier sessions are past and not applied again.
        resets: by the session after whose close they take effect.
        rule: conventions.

    Raises:
        DataError: a line that is held has no close or no exchange rate, or an event cannot be applied.
    """
    walk = Walk(state, board, events, resets, rule)
    row = 1
    walk.mark(row)
    while row < len(board.sessions):
        walk.change(row)
        end = walk.next_change(row)
        walk.mark(end)
        walk.value(row, end)
        row = end
    return walk.run()


def opened(
    state: State, board: Board, events: Sequence[Event], resets: Mapping[date, Reset], rule: CalculationRule
) -> Change:
    """The change between the state's session, the only one of the board, and the following: what an opening file shows.

    Where nothing happens, ``before`` and ``after`` are the same.
    """
    walk = Walk(state, board, events, resets, rule)
    walk.mark(1)
    lines = walk.lines(0)
    return walk.change(1) or Change(walk.day(1), (), lines, lines, state.divisor, state.divisor, 0.0, 0.0)


def started(board: Board, reset: Reset, levels: Mapping[str, float]) -> State:
    """The state at the close of the board's first session: D = MV / I.

    Raises:
        DataError: a line has no price or no exchange rate on the base date.
    """
    shares = shares_for(board, reset.weights, NOTIONAL) if reset.weights else _bought(reset)
    lines = _first_lines(board, shares)
    at = dict(zip(lines, board.columns(list(lines)), strict=True))
    closes = {name: (line.price, int(board.price_days[0, at[name]])) for name, line in lines.items()}
    return State(board.sessions[0], shares, market_value(lines) / levels["PR"], levels, closes)


def _bought(reset: Reset) -> dict[str, float]:
    """Index shares without children that wait for their first close: who buys the parent now has no claim to them."""
    return {name: held for name, held in reset.shares.items() if name not in reset.children}


def shares_for(board: Board, weights: Mapping[str, float], value: float) -> dict[str, float]:
    """q_i = w_i MV / (P_i X_i) at the close of the board's first session.

    Raises:
        DataError: a line has no price or no exchange rate by then.
    """
    lines = _first_lines(board, dict.fromkeys(weights, 1.0))
    return {name: weights[name] * value / line.value for name, line in lines.items()}


def _first_lines(board: Board, shares: Mapping[str, float]) -> dict[str, Line]:
    names = sorted(shares)
    lines = {
        name: Line(shares[name], float(board.prices[0, at]), float(board.rates[0, at]))
        for name, at in zip(names, board.columns(names), strict=True)
    }
    refuse_gaps(lines, board.sessions[0])
    return lines
