"""The tables of a desk's day, read from what was computed and from what is known of each line."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from exchina.calculation import desk
from exchina.calculation.board import NEVER
from exchina.calculation.engine import started
from exchina.calculation.events import to_come
from exchina.calculation.lines import market_value, scaled
from exchina.calculation.logs import contributions, divisor_log, line_returns, lines_of
from exchina.calculation.state import Change, State, Target
from exchina.calculation.weights import weights_of
from exchina.inputs import Inputs
from exchina.levels import PRICE, Calculation, reset_at, tables_of
from exchina.market.view import MarketView

UNCHANGED = 1e-12


def day_tables(view: MarketView, made: Calculation, opens: Change) -> dict[str, pl.DataFrame]:
    """Closing, opening, levels, divisor log and preview of the last session computed.

    Args:
        view: what is known.
        made: what was computed.
        opens: the change before the following session.
    """
    board, run, book = made.inputs.board, made.runs[PRICE], made.inputs.book
    session, facts, days = board.sessions[-1], _facts(view), _days(run.state)
    opened = desk.line_table(opens.after, days, facts, {}).with_columns(session=pl.lit(opens.session))
    coming = to_come(view.market, session, book.calculation)
    return {
        "closing": _closing(view, made, facts),
        "opening": opened,
        "levels": _levels(view, made),
        "divisor": divisor_log([change for change in run.changes if change.session == session]),
        "corporate_actions": desk.preview(lines_of(run.state, board), coming, board, book.calculation),
    }


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
    state = started(inputs.board.part(session, session), reset_at(target, inputs, session), {PRICE: 1.0})
    lines, old = lines_of(state, inputs.board), weights_of(now)
    if target.reset.weights:
        lines = scaled(lines, market_value(now) / market_value(lines))
    gone = {name: replace(line, shares=0.0) for name, line in now.items() if name not in lines}
    table = desk.line_table({**lines, **gone}, _days(state), _facts(view), {})
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


def _closing(view: MarketView, made: Calculation, facts: pl.DataFrame) -> pl.DataFrame:
    board, run = made.inputs.board, made.runs[PRICE]
    on = tables_of(made, (), view, {}).statuses.filter(pl.col("session") == board.sessions[-1])
    statuses = dict(on.group_by("symbol").agg(pl.col("status").sort().str.join(";")).iter_rows())
    table = desk.line_table(lines_of(run.state, board), _days(run.state), facts, statuses)
    if not run.sessions:
        return table.with_columns(price_return=pl.lit(None, pl.Float64), contribution=pl.lit(None, pl.Float64))
    row = len(board.sessions) - 1
    grown, added = line_returns(run, board, row), contributions(run, board, row)
    parts = pl.DataFrame(
        {"symbol": list(added), "price_return": [grown[n] for n in added], "contribution": list(added.values())}
    )
    return table.join(parts, on="symbol", how="left", maintain_order="left")


def _levels(view: MarketView, made: Calculation) -> pl.DataFrame:
    run, book = made.runs[PRICE], made.inputs.book
    levels = tables_of(made, (), view, {}).levels
    last = levels.group_by("variant", maintain_order=True).agg(pl.col("level").tail(2), pl.col("status").last())
    points = (float(run.gross_points[-1]), float(run.net_points[-1])) if run.sessions else (0.0, 0.0)
    table = desk.level_table(
        {variant: (pair[0], pair[-1]) for variant, pair, _ in last.iter_rows()},
        points,
        market_value=market_value(lines_of(run.state, made.inputs.board)),
        divisor=run.state.divisor,
        count=len(run.state.shares),
        status=str(last["status"][0]),
    )
    return table.with_columns(currency=pl.lit(book.index.currency), rules_version=pl.lit(book.index.version))


def _days(state: State) -> dict[str, date | None]:
    """The day of the close behind the price of each line; None where it has none yet."""
    epoch = date(1970, 1, 1)
    return {n: None if day == NEVER else epoch + timedelta(days=day) for n, (_, day) in state.closes.items()}


def _facts(view: MarketView) -> pl.DataFrame:
    """symbol, company_id, name, mic, country, currency, and the last known share count and free-float factor."""
    companies = view.reference.companies.select("name", company_id="id", country="country_of_domicile")
    shares, floats = (
        table.sort("effective_date", "known_date").group_by("symbol").agg(pl.col(column).last())
        for table, column in ((view.market.shares, "shares"), (view.market.floats, "free_float_factor"))
    )
    return (
        view.reference.listings.select("company_id", "mic", "currency", symbol="yahoo_symbol")
        .join(companies, on="company_id", how="left", maintain_order="left")
        .join(shares.rename({"shares": "shares_outstanding"}), on="symbol", how="left", maintain_order="left")
        .join(floats, on="symbol", how="left", maintain_order="left")
    )
