"""The tables of a desk's day, read from what was computed and from what is known of each line."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from math import isnan

import polars as pl

from exchina.calculation import desk_rows
from exchina.calculation.board import NEVER, Board, day_of
from exchina.calculation.engine import started
from exchina.calculation.events import to_come
from exchina.calculation.lines import market_value, scaled
from exchina.calculation.logs import contributions, divisor_log, line_returns, lines_of
from exchina.calculation.state import Change, State, Target
from exchina.calculation.weights import weights_of
from exchina.inputs import Inputs
from exchina.levels import PRICE, Calculation, reset_at, tables_of, walked
from exchina.market.view import MarketView
from exchina.model import Rulebook
from exchina.universe import universe_on

UNCHANGED = 1e-12


def day_tables(view: MarketView, made: Calculation, opens: Change) -> dict[str, pl.DataFrame]:
    """Closing, opening, levels, divisor log and preview of the last session computed.

    Args:
        view: what is known.
        made: what was computed.
        opens: the change before the following session.
    """
    board, run, book = made.inputs.board, made.runs[PRICE], made.inputs.book
    session, facts, days = board.sessions[-1], _facts(view, board.sessions[-1], book), _days(run.state)
    series = tables_of(made, (), view, {})
    carried = series.statuses.filter(pl.col("session") == session)
    statuses = dict(carried.group_by("symbol").agg(pl.col("status").sort().str.join(";")).iter_rows())
    taxed = {event.id: event for event in made.inputs.events}
    coming = [(taxed.get(event.id, event), status) for event, status in to_come(view.market, session)]
    changes = [change for change in run.changes if change.session == session]
    return {
        "closing": _closing(made, facts, statuses),
        "opening": _opening(opens, board, days, facts, statuses),
        "levels": _levels(made, series.levels),
        "divisor": divisor_log([*changes, *([opens] if opens.causes else [])]),
        "corporate_actions": desk_rows.preview(lines_of(run.state, board), coming, board, book.calculation),
    }


def _opening(
    opens: Change, board: Board, days: Mapping[str, date | None], facts: pl.DataFrame, statuses: Mapping[str, str]
) -> pl.DataFrame:
    """What the next session opens with: adjusted prices and their factor P' / P, the divisor in force."""
    quoted = dict(zip(board.symbols, board.prices[-1].tolist(), strict=True))
    closes = quoted | {name: line.price for name, line in opens.before.items()}
    factors = {name: line.price / closes[name] for name, line in opens.after.items() if closes.get(name, 0.0) > 0}
    said = {name: "adjusted" for name, factor in factors.items() if factor != 1} | dict(statuses)
    said |= {name: "placeholder" for name in opens.after if days.get(name) is None}
    table = desk_rows.line_table(opens.after, days, facts, said)
    schema = {"symbol": pl.String, "price_adjustment_factor": pl.Float64}
    adjusted = pl.DataFrame(list(factors.items()), schema, orient="row")
    joined = table.join(adjusted, on="symbol", how="left", maintain_order="left")
    return joined.with_columns(session=pl.lit(opens.session), divisor=pl.lit(opens.divisor_after))


def proforma_table(view: MarketView, target: Target, inputs: Inputs, made: Calculation) -> pl.DataFrame:
    """The coming composition at the closes of the last session, events included, in the layout of the closing file.

    Index shares are those that the review would set if it took effect now; ``action`` is add, delete, up, down or keep.

    Args:
        view: what is known.
        target: what the review decided.
        inputs: of its lines, from its data cut-off to that session.
        made: the index as it stands.
    """
    session, now = made.inputs.board.sessions[-1], lines_of(made.runs[PRICE].state, made.inputs.board)
    if target.reset.weights:
        state = started(inputs.board.part(session, session), reset_at(target, inputs, session), {PRICE: 1.0})
    else:
        state = walked(target, inputs, target.cutoff, session).state
    lines, old = lines_of(state, inputs.board), weights_of(now)
    if target.reset.weights:
        lines = scaled(lines, market_value(now) / market_value(lines))
    gone = {name: replace(line, shares=0.0) for name, line in now.items() if name not in lines}
    table = desk_rows.line_table({**lines, **gone}, _days(state), _facts(view, session, inputs.book), {})
    schema = {"symbol": pl.String, "previous_weight": pl.Float64}
    before = pl.DataFrame(list(old.items()), schema, orient="row")
    joined = table.join(before, on="symbol", how="left", maintain_order="left")
    joined = joined.with_columns(pl.col("previous_weight").fill_null(0.0))
    change = pl.col("weight") - pl.col("previous_weight")
    action = (
        pl.when(pl.col("weight") == 0)
        .then(pl.lit("delete"))
        .when(pl.col("previous_weight") == 0)
        .then(pl.lit("add"))
        .when(change > UNCHANGED)
        .then(pl.lit("up"))
        .when(change < -UNCHANGED)
        .then(pl.lit("down"))
        .otherwise(pl.lit("keep"))
    )
    return joined.with_columns(action=action, effective_date=pl.lit(target.effective))


def _closing(made: Calculation, facts: pl.DataFrame, statuses: Mapping[str, str]) -> pl.DataFrame:
    board, run = made.inputs.board, made.runs[PRICE]
    table = desk_rows.line_table(lines_of(run.state, board), _days(run.state), facts, statuses)
    if not run.sessions:
        return table.with_columns(price_return=pl.lit(None, pl.Float64), contribution=pl.lit(None, pl.Float64))
    row = len(board.sessions) - 1
    grown, added = line_returns(run, board, row), contributions(run, board, row)
    rows = [(name, None if isnan(grown[name]) else grown[name], added[name]) for name in added]
    schema = {"symbol": pl.String, "price_return": pl.Float64, "contribution": pl.Float64}
    parts = pl.DataFrame(rows, schema, orient="row")
    return table.join(parts, on="symbol", how="left", maintain_order="left")


def _levels(made: Calculation, levels: pl.DataFrame) -> pl.DataFrame:
    run, book = made.runs[PRICE], made.inputs.book
    points = (float(run.gross_points[-1]), float(run.net_points[-1])) if run.sessions else (0.0, 0.0)
    status = levels.sort("session")["status"][-1]
    tables = [
        desk_rows.level_row(
            variant,
            float(pair[-2]) if len(pair) > 1 else None,
            float(pair[-1]),
            points,
            lines=lines_of(own.state, made.inputs.board),
            divisor=own.state.divisor,
            status=status,
        )
        for variant, pair in made.levels.items()
        for own in [made.runs.get(variant, run)]
    ]
    index = book.index
    return pl.concat(tables).with_columns(currency=pl.lit(index.currency), rules_version=pl.lit(index.version))


def _days(state: State) -> dict[str, date | None]:
    """The day of the close behind the price of each line; None where it has none yet."""
    return {name: None if day == NEVER else day_of(day) for name, (_, day) in state.closes.items()}


def _facts(view: MarketView, session: date, book: Rulebook) -> pl.DataFrame:
    """symbol, company_id, name, mic, country, currency, and the share count and free-float factor that rules read.

    One share each in a price-weighted index has no capping factor, so count and float are left out there.
    """
    companies = view.reference.companies.select("name", company_id="id", country="country_of_domicile")
    listings = view.reference.listings.select("company_id", "mic", "currency", symbol="yahoo_symbol")
    known = universe_on(view.market, view.reference, session).select(
        "symbol", "free_float_factor", shares_outstanding=pl.col("market_cap_usd") / pl.col("close_usd")
    )
    if book.calculation.family == "price_weighted":
        known = known.clear()
    named = listings.join(companies, on="company_id", how="left", maintain_order="left")
    return named.join(known, on="symbol", how="left", maintain_order="left")
