"""How each price behind a level came about: its own session's close, or one that was carried, and why."""

from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from exchina.calculation.board import NEVER, Board, day_number
from exchina.calculation.state import Run
from exchina.model import CalculationRule, MarketData
from exchina.tables.actions import APPLIED

LATE = ("stale", "rejected")


def price_statuses(
    run: Run, board: Board, lines: pl.DataFrame, market: MarketData, refused: pl.DataFrame
) -> pl.DataFrame:
    """Every price of a member that was not that session's own official close, and every old exchange rate.

    ``holiday_carry``: the line's market was closed. ``suspended``: trading was halted by a known event.
    ``placeholder``: no close yet, the price is that of an event. ``stale``: the market was open and the line has no
    close. ``rejected``: its close is held back. ``fx_stale``: the line's exchange rate is of an earlier day.

    Args:
        run: whose compositions and prices these are.
        board: what it read.
        lines: symbol, calendar.
        market: its sessions and its suspensions.
        refused: symbol, session of closes that were held back.

    Returns:
        session, symbol, status, price_day (of the close, or of the fixing), sorted.
    """
    held = _held(run, board)
    days = np.array(board.sessions, "datetime64[D]")
    numbers = days.astype(np.int64)[:, None]
    carried = _cells(board, (run.price_days != numbers) & held, run.price_days)
    known = carried.join(lines, on="symbol", how="left", maintain_order="left")
    opened = market.sessions.select("calendar", "session", opened=pl.lit(True))
    known = known.join(opened, on=["calendar", "session"], how="left", maintain_order="left")
    doubted = refused.with_columns(doubted=pl.lit(True))
    known = known.join(doubted, on=["symbol", "session"], how="left", maintain_order="left")
    status = (
        pl.when(pl.col("doubted"))
        .then(pl.lit("rejected"))
        .when(pl.col("price_day").is_null())
        .then(pl.lit("placeholder"))
        .when(_halted(known, market))
        .then(pl.lit("suspended"))
        .when(pl.col("opened"))
        .then(pl.lit("stale"))
        .otherwise(pl.lit("holiday_carry"))
    )
    fixings = board.spot_days[:, board.currency_at]
    old = _cells(board, (fixings != numbers) & held, fixings).with_columns(status=pl.lit("fx_stale"))
    columns = ("session", "symbol", "status", "price_day")
    prices = known.select("session", "symbol", "price_day", status=status)
    return pl.concat([prices.select(columns), old.select(columns)]).sort("session", "symbol", "status")


def delayed_sessions(run: Run, board: Board, statuses: pl.DataFrame, rule: CalculationRule) -> list[date]:
    """Sessions on which lines without a close of the day weigh more than ``delayed_if_stale_weight_over``."""
    late = statuses.filter(pl.col("status").is_in(LATE))
    weights: dict[date, float] = {}
    for session, symbol in late.select("session", "symbol").iter_rows():
        row, at = board.row(session), board.columns([symbol])[0]
        if row:
            shares = run.shares_on(row).get(symbol, 0.0)
            worth = shares * float(run.prices[row, at]) * float(board.rates[row, at])
            weights[session] = weights.get(session, 0.0) + worth / float(run.market_value[row - 1])
    return [session for session, weight in weights.items() if weight > rule.delayed_if_stale_weight_over]


def _held(run: Run, board: Board) -> NDArray[np.bool_]:
    held = np.zeros(board.prices.shape, bool)
    starts = [start + 1 for start, _ in run.holdings] + [len(run.sessions) + 1]
    for (_, shares), start, end in zip(run.holdings, starts, starts[1:], strict=False):
        held[start:end, board.columns(sorted(shares))] = True
    return held


def _cells(board: Board, wanted: NDArray[np.bool_], days: NDArray[np.int64]) -> pl.DataFrame:
    """session, symbol and price_day of some cells of the board."""
    rows, columns = np.nonzero(wanted)
    found = days[rows, columns]
    known = pl.Series(np.where(found == NEVER, 0, found).astype(np.int32)).cast(pl.Date)
    sessions = pl.Series([day_number(day) for day in board.sessions], dtype=pl.Int32).cast(pl.Date)
    table = pl.DataFrame(
        {"session": sessions[rows], "symbol": pl.Series(np.array(board.symbols, object)[columns], dtype=pl.String)}
    )
    return table.with_columns(price_day=pl.when(pl.Series(found != NEVER)).then(known))


def _halted(known: pl.DataFrame, market: MarketData) -> pl.Expr:
    """Whether a line's last event of this kind by the session was a suspension."""
    halts = market.actions.filter(
        pl.col("type").is_in(["suspension", "resumption"]) & pl.col("status").is_in(APPLIED)
    ).sort("ex_date")
    last = known.select("session", "symbol").with_row_index("_row").sort("session")
    joined = last.join_asof(
        halts.select("symbol", "ex_date", "type"),
        left_on="session",
        right_on="ex_date",
        by="symbol",
        check_sortedness=False,
    )
    return pl.lit((joined.sort("_row")["type"] == "suspension").fill_null(value=False))
