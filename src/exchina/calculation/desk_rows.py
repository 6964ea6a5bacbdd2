"""PURE. The tables that an index desk sends each day, in the columns that clients load.

closing       what is held at the close of t, with prices, weights, returns and contributions
opening       what is held from the open of the next session, at adjusted prices
levels        each return variant
preview       the corporate actions of the coming days, and what each will do
pro forma     the coming composition at today's prices, in the layout of the closing file
divisor       every change of the divisor, with its causes
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import polars as pl

from exchina.calculation.action_register import action
from exchina.calculation.actions.leaving import waits
from exchina.calculation.board import Board
from exchina.calculation.lines import Event, Line, Lines, market_value
from exchina.calculation.weights import weights_of
from exchina.errors import DataError
from exchina.model import CalculationRule
from exchina.tables.actions import APPLIED

HORIZON_DAYS = 30
SOON_SESSIONS = 5
LEVEL_DECIMALS = 2
LINE_COLUMNS = {
    "company_id": pl.String,
    "name": pl.String,
    "symbol": pl.String,
    "mic": pl.String,
    "country": pl.String,
    "currency": pl.String,
    "close": pl.Float64,
    "close_day": pl.Date,
    "status": pl.String,
    "fx": pl.Float64,
    "shares_outstanding": pl.Float64,
    "free_float_factor": pl.Float64,
    "capping_factor": pl.Float64,
    "index_shares": pl.Float64,
    "market_value": pl.Float64,
    "weight": pl.Float64,
}
PREVIEW_COLUMNS = {
    "event_id": pl.String,
    "symbol": pl.String,
    "type": pl.String,
    "ex_date": pl.Date,
    "terms": pl.String,
    "status": pl.String,
    "treatment": pl.String,
    "within_5_sessions": pl.Boolean,
    "index_shares_change": pl.Float64,
    "price_factor": pl.Float64,
    "divisor_factor": pl.Float64,
    "source": pl.String,
}


def line_table(
    lines: Lines, days: Mapping[str, date | None], facts: pl.DataFrame, statuses: Mapping[str, str]
) -> pl.DataFrame:
    """One row a line by falling weight, the columns of the closing file up to the weight.

    Args:
        lines: at their prices, closing or adjusted.
        days: day of the close behind each price.
        facts: symbol, company_id, name, mic, country, currency, shares_outstanding, free_float_factor (null: unknown).
        statuses: of the price of each line; ``official`` where none is given.

    Returns:
        `LINE_COLUMNS`; capping_factor is index shares over free-float shares.
    """
    weights = weights_of(lines)
    rows = [
        (
            symbol,
            line.price,
            days.get(symbol),
            statuses.get(symbol, "official"),
            line.rate,
            line.shares,
            line.value,
            weights.get(symbol, 0.0),
        )
        for symbol, line in sorted(lines.items())
    ]
    names = ("symbol", "close", "close_day", "status", "fx", "index_shares", "market_value", "weight")
    table = pl.DataFrame(rows, {name: LINE_COLUMNS[name] for name in names}, orient="row")
    joined = table.join(facts, on="symbol", how="left", maintain_order="left")
    free = pl.col("shares_outstanding") * pl.col("free_float_factor")
    whole = joined.with_columns(capping_factor=pl.col("index_shares") / free)
    return whole.select(LINE_COLUMNS.keys()).sort(["weight", "symbol"], descending=[True, False])


def level_row(
    variant: str,
    before: float | None,
    now: float,
    points: tuple[float, float],
    *,
    lines: Lines,
    divisor: float,
    status: str,
) -> pl.DataFrame:
    """One return variant of a session: level (rounded to 2 decimals), unrounded_level, previous_level, return.

    Args:
        variant: ``PR`` and so on.
        before: level of the session before, unrounded; None at the base date.
        now: level of this session.
        points: gross and net dividend points of the price index.
        lines: of the composition behind it, at the close.
        divisor: of that composition.
        status: of the index.
    """
    return pl.DataFrame(
        {
            "variant": variant,
            "level": round(now, LEVEL_DECIMALS),
            "unrounded_level": now,
            "previous_level": before,
            "return": None if before is None else now / before - 1,
            "gross_dividend_points": points[0],
            "net_dividend_points": points[1],
            "market_value": market_value(lines),
            "divisor": divisor,
            "count": len(lines),
            "status": status,
        },
        schema_overrides={"previous_level": pl.Float64, "return": pl.Float64},
    )


def preview(lines: Lines, actions: Sequence[tuple[Event, str]], board: Board, rule: CalculationRule) -> pl.DataFrame:
    """Corporate actions of the next 30 days on lines that are held, and what each would do alone.

    Args:
        lines: at the close of the board's last session.
        actions: events and their status; those that are neither confirmed nor completed are shown and not applied.
        board: gives the coming sessions.
        rule: conventions.

    Returns:
        `PREVIEW_COLUMNS`: treatment is ``apply``, ``dividend points``, ``not confirmed`` or the reason why it cannot be
        applied; change of index shares of the line, factor on its price, factor on the divisor.
    """
    today, soon = board.sessions[-1], board.session_after(SOON_SESSIONS)
    rows = [
        (
            event.id,
            event.symbol,
            event.type,
            event.ex_date,
            _terms(event),
            status,
            *_effect(event, status, lines, rule, soon),
            event.source,
        )
        for event, status in sorted(actions, key=lambda pair: (pair[0].ex_date, pair[0].id))
        if today < event.ex_date <= today + timedelta(days=HORIZON_DAYS) and event.symbol in lines
    ]
    return pl.DataFrame(rows, PREVIEW_COLUMNS, orient="row")


def _effect(
    event: Event, status: str, lines: Lines, rule: CalculationRule, soon: date | None
) -> tuple[str, bool, float | None, float | None, float | None]:
    near = soon is not None and event.ex_date <= soon
    if event.type == "dividend":
        return "dividend points" if status == "confirmed" else f"dividend points, {status}", near, None, None, None
    if status not in APPLIED:
        return "not confirmed", near, None, None, None
    if waits(event, rule):
        return f"waits: {event.fraction:.0%} tendered", near, None, None, None
    try:
        named = (
            lines
            if event.other in lines or not event.other
            else {**lines, event.other: Line(0.0, 0.0, lines[event.symbol].rate)}
        )
        after = action[event.type](named, event, rule)
    except (DataError, ZeroDivisionError) as fault:
        return f"needs more than today's data: {fault}", near, None, None, None
    before, line = lines[event.symbol], after.get(event.symbol)
    moved = (line.shares if line else 0.0) - before.shares
    price = line.price / before.price if line else None
    return "apply", near, moved, price, market_value(after) / market_value(lines)


def _terms(event: Event) -> str:
    said = [f"{event.new:g} new for {event.old:g} old" if event.new else ""]
    said += [f"{name} {getattr(event, name):g}" for name in ("amount", "price", "fraction") if getattr(event, name)]
    said += [f"with {event.other}" if event.other else ""]
    return ", ".join(part for part in said if part)
