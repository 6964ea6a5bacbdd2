"""What a fund holds of each review: its replication method asked with what was known at the data cut-off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from exchina.currency import with_rate
from exchina.errors import DataError, Problem
from exchina.fund.candidates import Candidates
from exchina.fund.path import FloatArray
from exchina.fund.registers import replication
from exchina.fund.risk import ex_ante_tracking_error, shrunk_covariance
from exchina.fund.terms import Fund
from exchina.market.view import MarketView
from exchina.model import Basket, IndexSeries
from exchina.workflow.costing import Desk, Measured, Move
from exchina.workflow.dated_returns import OwnReturns, on_common_days

FULL = "full"
SCHEMA = {
    "effective": pl.Date,
    "cutoff": pl.Date,
    "lines": pl.Int64,
    "held": pl.Int64,
    "covered": pl.Float64,
    "active_share": pl.Float64,
    "ex_ante_tracking_error": pl.Float64,
    "note": pl.String,
}


@dataclass(frozen=True)
class Replicated:
    """The choices of a replication method.

    Attributes:
        weights: by effective date and symbol, 0 where a line of the index is not held; None: the index itself.
        table: effective, cutoff, lines (of the index), held, covered (weight of the index that is held), active_share
            (0.5 sum |w - b|), ex_ante_tracking_error (a year, of the choice of lines alone; null with a note where the
            returns known then do not tell).
    """

    weights: Mapping[date, Mapping[str, float]] | None = field(repr=False)
    table: pl.DataFrame


def replicated(series: IndexSeries, fund: Fund, desk: Desk) -> Replicated:
    """Ask the method of a fund at each review from the one in force at its launch on; before, it holds the index.

    Args:
        series: the index.
        fund: its method, its lots, its currency.
        desk: where volumes and exchange rates are looked up.

    Raises:
        DataError: the method cannot meet its bounds, or lacks a figure; with the review.
    """
    baskets = [basket for basket in series.baskets if not basket.held]
    if fund.replication.name == FULL:
        return Replicated(None, pl.DataFrame([_row(one, None, None) for one in baskets], SCHEMA, orient="row"))
    measured = desk.measured(Move(b.review.effective, b.review.cutoff, _index_weights(b), {}) for b in baskets)
    chosen, rows = dict[date, Mapping[str, float]](), list[tuple[object, ...]]()
    begun = max([one.review.effective for one in baskets if one.review.effective <= fund.facts.launch], default=None)
    for basket in baskets:
        if begun is not None and basket.review.effective < begun:
            chosen[basket.review.effective] = _index_weights(basket)
            continue
        lines = candidates(basket, measured[basket.review.cutoff], fund, desk)
        weights = _asked(lines, basket, fund)
        chosen[basket.review.effective] = dict(zip(lines.symbols, weights.tolist(), strict=True))
        rows.append(_row(basket, lines, weights))
    return Replicated(chosen, pl.DataFrame(rows, SCHEMA, orient="row"))


def candidates(basket: Basket, measured: Measured, fund: Fund, desk: Desk) -> Candidates:
    """The lines of a review as known at its data cut-off; volumes are those of quiet sessions."""
    read = ("company_id", "market_cap_usd")
    columns = (
        "company_id",
        "symbol",
        "country",
        "mic",
        "currency",
        "stage",
        "weight",
        "close",
        "free_float_market_cap_usd",
    )
    table = basket.members.select(columns).join(basket.seen.select(read), on="company_id", maintain_order="left")
    day = basket.review.cutoff
    known = measured.lines.select("symbol", adv=pl.Series(measured.volumes.median))
    table = (
        table.join(known, on="symbol", how="left", maintain_order="left").sort("symbol").with_columns(day=pl.lit(day))
    )
    priced = with_rate(table, desk.view.market.fx, day="day", currency="currency", into=fund.facts.currency)
    return Candidates(
        symbols=tuple(priced["symbol"]),
        companies=tuple(priced["company_id"]),
        stages=tuple(priced["stage"]),
        countries=tuple(priced["country"]),
        weights=priced["weight"].to_numpy(),
        size_usd=_numbers(priced["free_float_market_cap_usd"]),
        adv_usd=_numbers(priced["adv"]),
        value_usd=_numbers(priced["market_cap_usd"]),
        price=(priced["close"] * priced["rate"]).to_numpy(),
        lot=np.array([fund.lots.venues.get(mic, fund.lots.shares) for mic in priced["mic"]], np.int64),
        returns=returns_seen(basket, priced["company_id"].to_list(), desk.view),
    )


def _asked(lines: Candidates, basket: Basket, fund: Fund) -> FloatArray:
    try:
        return replication[fund.replication.name](lines, **fund.replication.settings)
    except DataError as fault:
        place = f"fund {fund.facts.id}, review of {basket.review.effective}"
        raise DataError(*(Problem(f"{place}: {one.where}", one.what, one.hint) for one in fault.problems)) from fault


def _index_weights(basket: Basket) -> dict[str, float]:
    return dict(basket.members.select("symbol", "weight").iter_rows())


def _numbers(column: pl.Series) -> FloatArray:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def returns_seen(basket: Basket, companies: Sequence[str], view: MarketView) -> FloatArray:
    """(T, n) returns of companies that a review saw, on common days in index currency, up to its data cut-off."""
    calendars = dict(view.reference.venues.select("mic", "calendar").iter_rows())
    seen = basket.seen.select("company_id", "mic", "currency", "daily_returns")
    facts = {row["company_id"]: row for row in seen.iter_rows(named=True)}
    asked = [facts[company] for company in companies]
    lines = [OwnReturns(calendars[one["mic"]], one["currency"], one["daily_returns"]) for one in asked]
    return on_common_days(lines, view.market, basket.book.index.currency, basket.review.cutoff)


def _row(basket: Basket, lines: Candidates | None, weights: FloatArray | None) -> tuple[object, ...]:
    """A row of `Replicated.table`; the index itself where there are no weights."""
    review, count = basket.review, basket.members.height
    if lines is None or weights is None:
        return review.effective, review.cutoff, count, count, 1.0, 0.0, 0.0, None
    covered, active = float(lines.weights[weights > 0].sum()), float(np.abs(weights - lines.weights).sum()) / 2
    try:
        forecast, note = (
            ex_ante_tracking_error(weights, lines.weights, shrunk_covariance(lines.returns, lines.symbols)),
            None,
        )
    except DataError as fault:
        forecast, note = None, str(fault.problems[0])
    return review.effective, review.cutoff, count, int((weights > 0).sum()), covered, active, forecast, note
