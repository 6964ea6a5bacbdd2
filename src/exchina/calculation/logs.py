"""The log of an index as tables: divisor changes with their causes, and who was held with how many shares."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from exchina.calculation.board import Board, Numbers
from exchina.calculation.lines import Line, market_value
from exchina.calculation.state import Change, Run, State
from exchina.calculation.weights import weights_of


def lines_of(state: State, board: Board) -> dict[str, Line]:
    """The lines of a state at the close of its session, which is on the board."""
    row, names = board.row(state.session), sorted(state.shares)
    return {
        name: Line(state.shares[name], state.closes[name][0], float(board.rates[row, at]))
        for name, at in zip(names, board.columns(names), strict=True)
    }


def begun(state: State, board: Board) -> Change:
    """The row of the log with which a calculation begins."""
    lines = lines_of(state, board)
    return Change(state.session, ("base",), lines, lines, state.divisor, state.divisor, 0.0, 0.0)


def divisor_log(changes: Sequence[Change]) -> pl.DataFrame:
    """One row a change, whether or not the divisor moves.

    Returns:
        session (first on the new terms), cause (``base``, ``review``, event ids, joined by ;), value_before and
        value_after (index currency), divisor_before, divisor_after, gross_points and net_points (special cash).
    """
    rows = [
        (
            change.session,
            ";".join(change.causes),
            market_value(change.before),
            market_value(change.after),
            change.divisor_before,
            change.divisor_after,
            change.gross_points,
            change.net_points,
        )
        for change in changes
    ]
    numbers = ("value_before", "value_after", "divisor_before", "divisor_after", "gross_points", "net_points")
    schema = {"session": pl.Date, "cause": pl.String, **dict.fromkeys(numbers, pl.Float64)}
    return pl.DataFrame(rows, schema, orient="row")


def compositions(changes: Sequence[Change]) -> pl.DataFrame:
    """The composition after each change.

    Returns:
        session (first on the new terms; of the first composition the base date), symbol, index_shares, weight (at the
        adjusted prices of the close before).
    """
    rows = [
        (change.session, symbol, line.shares, weights.get(symbol, 0.0))
        for change in changes
        for weights in [weights_of(change.after)]
        for symbol, line in sorted(change.after.items())
    ]
    schema = {"session": pl.Date, "symbol": pl.String, "index_shares": pl.Float64, "weight": pl.Float64}
    return pl.DataFrame(rows, schema, orient="row")


def weights_on(run: Run, board: Board, session: date) -> dict[str, float]:
    """Weights of what is in force on a session, at its close.

    Args:
        run: an advance over the board.
        board: what it read.
        session: not the first of the board.
    """
    row = board.row(session)
    shares = run.shares_on(row)
    names = sorted(shares)
    columns = board.columns(names)
    lines = {
        name: Line(shares[name], float(run.prices[row, at]), float(board.rates[row, at]))
        for name, at in zip(names, columns, strict=True)
    }
    return weights_of(lines)


def contributions(run: Run, board: Board, row: int) -> dict[str, float]:
    """What each line added to the price return of one session: q_i (P_t X_t - P_{t-1} X_{t-1}) / MV_{t-1}, adjusted.

    The sum is I_t / I_{t-1} - 1; MV_{t-1} is that of the opening composition, I_{t-1} D_t.

    Args:
        run: an advance over the board.
        board: what it read.
        row: of the session, from 1; both closes are those of the composition in force on it.
    """
    names, held, before, after = _moved(run, board, row)
    return dict(zip(names, (held * (after - before) / float((held * before).sum())).tolist(), strict=True))


def line_returns(run: Run, board: Board, row: int) -> dict[str, float]:
    """P_t X_t / (P_{t-1} X_{t-1}) - 1 of each line in force on a session; NaN where it opened at zero."""
    names, _, before, after = _moved(run, board, row)
    grown = np.divide(after, before, out=np.full(len(names), np.nan), where=before > 0) - 1
    return dict(zip(names, grown.tolist(), strict=True))


def _moved(run: Run, board: Board, row: int) -> tuple[list[str], Numbers, Numbers, Numbers]:
    """Lines in force on a row, their index shares, and P X at the adjusted close before and at the close."""
    shares = run.shares_on(row)
    opening = next((change.after for change in reversed(run.changes) if change.session == board.sessions[row]), None)
    names = sorted(shares)
    columns = board.columns(names)
    after = run.prices[row, columns] * board.rates[row, columns]
    before = run.prices[row - 1, columns] * board.rates[row - 1, columns]
    if opening is not None:
        before = np.array([opening[name].price * opening[name].rate for name in names])
    return names, np.array([shares[name] for name in names]), before, after
