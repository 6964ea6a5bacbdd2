"""The verb of costs and capacity: how large a fund an index can take, and what following it costs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from exchina import levels
from exchina.analytics import capacity_tables as tables
from exchina.analytics.capacity import Terms, check_terms
from exchina.analytics.capacity_tables import SIZES, YEAR, Capacity, Trade
from exchina.analytics.costs import BP, TOO_DEAR, CostModel, check_weights
from exchina.errors import DataError, Problem
from exchina.market.view import MarketView
from exchina.model import Basket, IndexSeries
from exchina.workflow.costing import Desk, costs_taken, desk_of, moves_of

ONE_BASKET = "annual drag and after-cost levels: a basket is one trade; give a series of levels"


def capacity(
    of: Basket | IndexSeries,
    view: MarketView,
    *,
    fund_usd: float,
    terms: Terms | None = None,
    model: CostModel | None = None,
) -> Capacity:
    """How large a fund an index can take, and what following it costs a fund of one size.

    Of a basket: its weights from cash, and the one trade from the basket before. Of a series: the weights of the view's
    last session from cash, every review at the close after which it took effect with the volumes known at its data
    cut-off, and the levels after costs. Traded values are in US dollars at each session's own rate.

    Args:
        of: a basket, or a series of levels.
        view: the market; nothing after its day is read.
        fund_usd: the size of the fund, US dollars.
        terms: how to measure.
        model: what a trade costs; that of ``indices/reference/trading_costs.csv`` if not given.

    Raises:
        ExchinaError: a setting makes no sense.
        DataError: weights do not sum to 1, or the volume of a member cannot be told, all at once; or the fund is so
            large that a review would cost all of it.
    """
    terms = terms or Terms()
    check_terms(terms, fund_usd)
    desk, day = desk_of(view, terms, model), view.provenance.through
    model = desk.model
    if isinstance(of, Basket):
        weights, span = dict(of.members.select("symbol", "weight").iter_rows()), None
    else:
        weights, span = _held(of, view), of.levels["session"].min()
    check_weights(np.array([*weights.values()], float), f"weights of {of.book.index.id}")
    held = desk.trade(day, view, weights, {})
    names = tables.by_name(held, fund_usd, model.impact, terms)
    reviews = _one_review(of, desk) if isinstance(of, Basket) else desk.trades(moves_of(of, view))
    year = reviews if span is None else tables.last_year(reviews, day)
    costs = tables.by_review(reviews, fund_usd, model.impact, terms)
    recent = costs.filter(pl.col("effective").is_in([one.effective for one in year]))
    short = not isinstance(span, date) or span > day - YEAR
    known = pl.col("mic").is_in(names["mic"].unique().implode())
    return Capacity(
        day=day,
        fund_usd=fund_usd,
        terms=terms,
        names=names,
        limits=tables.limits(held, year, model.impact, terms),
        reviews=costs,
        curve=_curve(held, year, fund_usd, model, terms, whole=not short),
        dealing_drag_bp=None if short else tables.drag(recent, "dealing_bp"),
        impact_drag_bp=None if short else tables.drag(recent, "impact_bp"),
        levels=None if isinstance(of, Basket) else _after_costs(of, costs),
        model=replace(model, venues=model.venues.filter(known)),
        notes=_notes(of, day, costs, short=short),
        provenance=view.provenance,
    )


def _held(series: IndexSeries, view: MarketView) -> dict[str, float]:
    """Weights of the lines at the last close of the view."""
    basket = [one for one in series.baskets if not one.held][-1]
    return levels.lines_walked(basket, view, view.provenance.through)


def _one_review(basket: Basket, desk: Desk) -> list[Trade]:
    """The trade from the basket before, by company; none where there is no basket before, or it goes on."""
    if basket.turnover is None or basket.held:
        return []
    new = dict(basket.members.select("symbol", "weight").iter_rows())
    before = pl.concat([table.select("symbol", "previous_weight") for table in (basket.members, basket.leavers)])
    return [desk.trade(basket.review.effective, desk.view, new, dict(before.iter_rows()))]


def _curve(
    held: Trade, year: Sequence[Trade], fund_usd: float, model: CostModel, terms: Terms, *, whole: bool
) -> pl.DataFrame:
    table = tables.curve(held, year, (*SIZES, fund_usd), model.impact, terms)
    return table if whole else table.with_columns(drag_bp=pl.lit(None, pl.Float64))


def _after_costs(series: IndexSeries, costs: pl.DataFrame) -> pl.DataFrame | None:
    """The levels of each return variant with the cost of every review taken off; None where one is unknown."""
    if costs["cost_bp"].null_count():
        return None
    dear = costs.filter(pl.col("cost_bp") * BP >= 1)
    if dear.height:
        what = f"{dear.height} of {costs.height} reviews would cost all of it, the first that of {dear['effective'][0]}"
        raise DataError(Problem("capacity, fund_usd", what, TOO_DEAR))
    return costs_taken(series.levels.filter(pl.col("variant").is_in(list(series.book.index.returns))), costs)


def _notes(of: Basket | IndexSeries, day: date, costs: pl.DataFrame, *, short: bool) -> tuple[str, ...]:
    """What is not computed, and why."""
    if isinstance(of, Basket):
        return (ONE_BASKET,) if costs.height else (ONE_BASKET, "rebalance: this basket has none to trade from")
    notes = [f"annual drag: the series is shorter than a year on {day}"] if short else []
    unknown = costs.filter(pl.col("note").is_not_null())
    notes += [f"impact of {effective}: {note}" for effective, note in unknown.select("effective", "note").iter_rows()]
    if unknown.height:
        notes.append("after-cost levels: the impact of a review is unknown")
    return tuple(notes)
