"""The verb of costs and capacity: how large a fund an index can take, and what following it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from exchina import levels
from exchina.analytics import capacity_tables as tables
from exchina.analytics.capacity import BoolArray, FloatArray, Terms, check_terms, news_sessions, volumes
from exchina.analytics.capacity_tables import SIZES, YEAR, Capacity, Trade
from exchina.analytics.costs import BP, CostModel, after_costs, check_weights, rates_of
from exchina.calculation.weights import weights_of
from exchina.market.view import MarketView
from exchina.model import Basket, IndexSeries
from exchina.universe.trading import TRADED_SESSIONS, first_prices, traded

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
        DataError: weights do not sum to 1, or the volume of a member cannot be told; all at once.
    """
    terms = terms or Terms()
    check_terms(terms, fund_usd)
    model = model or CostModel(view.reference.trading_costs)
    day = view.provenance.through
    desk = _Desk(view, model, terms, _news(view, terms))
    if isinstance(of, Basket):
        weights, span = dict(of.members.select("symbol", "weight").iter_rows()), None
    else:
        weights, span = _held(of, view), of.levels["session"].min()
    check_weights(np.array([*weights.values()], float), f"weights of {of.book.index.id}")
    held = desk.trade(day, view, weights, {})
    names = tables.by_name(held, fund_usd, model.impact, terms)
    reviews = _one_review(of, desk) if isinstance(of, Basket) else _reviews(of, desk)
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


@dataclass(frozen=True)
class _Desk:
    """What every trade is looked up in."""

    view: MarketView
    model: CostModel
    terms: Terms
    news: pl.DataFrame

    def trade(self, effective: date, cut: MarketView, new: Mapping[str, float], drifted: Mapping[str, float]) -> Trade:
        """A trade of lines by symbol, with the volumes up to the last session of a view."""
        lines = _lines(self.view, sorted({*new, *drifted}))
        panel = _panel(cut, lines, self.news, self.terms)
        measured = volumes(panel.values, panel.news, self.terms)
        first = [days[row] if row < len(days) else None for days, row in zip(panel.days, measured.first, strict=True)]
        return Trade(
            effective=effective,
            known_by=cut.provenance.through,
            lines=lines.select("company_id", "name", "symbol", "mic", since=pl.Series(first, dtype=pl.Date)),
            new=np.array([new.get(symbol, 0.0) for symbol in lines["symbol"]]),
            drifted=np.array([drifted.get(symbol, 0.0) for symbol in lines["symbol"]]),
            rates=rates_of(self.model, lines["mic"].to_list(), lines["country"].to_list()),
            volumes=measured,
            sigma=panel.sigma,
        )


@dataclass(frozen=True)
class _Panel:
    """The last sessions of n lines: days of each line's rows, (T, n) traded values and news, (n,) volatility."""

    days: list[list[date | None]]
    values: FloatArray
    news: BoolArray
    sigma: FloatArray


def _panel(cut: MarketView, lines: pl.DataFrame, news: pl.DataFrame, terms: Terms) -> _Panel:
    day = cut.provenance.through
    found = traded(cut.market, lines.select("symbol", "calendar", "currency"), first_prices(cut.market), day)
    rows = {row["symbol"]: row for row in found.iter_rows(named=True)}
    last = cut.market.sessions.filter(pl.col("session") <= day).sort("calendar", "session")
    own = {
        str(calendar): part["session"].tail(TRADED_SESSIONS).to_list()
        for (calendar,), part in last.group_by("calendar")
    }
    busy = {str(calendar): set(part["session"]) for (calendar,), part in news.group_by("calendar")}
    days: list[list[date | None]] = []
    values = np.full((TRADED_SESSIONS, lines.height), np.nan)
    sigma = np.full(lines.height, np.nan)
    for at, (symbol, calendar) in enumerate(lines.select("symbol", "calendar").iter_rows()):
        known = own.get(calendar, [])
        days.append([*[None] * (TRADED_SESSIONS - len(known)), *known])
        row = rows.get(symbol)
        if row is not None and row["traded_values_usd"]:
            held = np.array(row["traded_values_usd"], float)
            values[-held.size :, at] = held
            sigma[at] = _volatility(np.array(row["daily_returns"] or [], float), terms)
    near = [[day in busy.get(calendar, ()) for day in days[at]] for at, calendar in enumerate(lines["calendar"])]
    return _Panel(days, values, np.array(near, bool).reshape(-1, TRADED_SESSIONS).T, sigma)


def _volatility(returns: FloatArray, terms: Terms) -> float:
    known = returns[np.isfinite(returns)]
    return float(np.std(known, ddof=1)) if known.size >= max(terms.least_sessions, 2) else np.nan


def _lines(view: MarketView, symbols: Sequence[str]) -> pl.DataFrame:
    """company_id, name, symbol, mic, calendar, currency and country of each symbol, in their order."""
    companies = view.reference.companies.select("name", company_id="id", country="country_of_domicile")
    listings = view.reference.listings.select("company_id", "mic", "currency", symbol="yahoo_symbol")
    asked = pl.DataFrame({"symbol": symbols}, {"symbol": pl.String})
    joined = asked.join(listings, on="symbol", how="left", maintain_order="left")
    joined = joined.join(companies, on="company_id", how="left", maintain_order="left")
    return joined.join(view.reference.venues.select("mic", "calendar"), on="mic", how="left", maintain_order="left")


def _news(view: MarketView, terms: Terms) -> pl.DataFrame:
    happened = view.reference.policy_shocks.filter(pl.col("outcome") == "happened")
    return news_sessions(happened, view.market.sessions, terms.news_sessions)


def _held(series: IndexSeries, view: MarketView) -> dict[str, float]:
    """Weights of the lines at the last close of the view."""
    basket = [one for one in series.baskets if not one.held][-1]
    return levels.lines_walked(basket, view, view.provenance.through)


def _one_review(basket: Basket, desk: _Desk) -> list[Trade]:
    """The trade from the basket before, by company; none where there is no basket before, or it goes on."""
    if basket.turnover is None or basket.held:
        return []
    new = dict(basket.members.select("symbol", "weight").iter_rows())
    before = pl.concat([table.select("symbol", "previous_weight") for table in (basket.members, basket.leavers)])
    return [desk.trade(basket.review.effective, desk.view, new, dict(before.iter_rows()))]


def _reviews(series: IndexSeries, desk: _Desk) -> list[Trade]:
    """Every review after the first, at the close after which it took effect."""
    made = levels.calculated(series.book, desk.view, series.baskets)
    board, cutoffs = made.inputs.board, {one.review.effective: one.review.cutoff for one in series.baskets}
    closed = [
        (board.sessions[board.row(change.session) - 1], change)
        for change in made.runs[levels.PRICE].changes
        if "review" in change.causes
    ]
    return [
        desk.trade(effective, desk.view.as_of(cutoffs[effective]), weights_of(change.after), weights_of(change.before))
        for effective, change in closed
    ]


def _curve(
    held: Trade, year: Sequence[Trade], fund_usd: float, model: CostModel, terms: Terms, *, whole: bool
) -> pl.DataFrame:
    table = tables.curve(held, year, (*SIZES, fund_usd), model.impact, terms)
    return table if whole else table.with_columns(drag_bp=pl.lit(None, pl.Float64))


def _after_costs(series: IndexSeries, costs: pl.DataFrame) -> pl.DataFrame | None:
    """The levels of each return variant with the cost of every review taken off; None where one is unknown."""
    if costs["cost_bp"].null_count():
        return None
    taken = costs.select("cost_bp", session="effective").with_columns(cost=pl.col("cost_bp") * BP)
    kept = series.levels.filter(pl.col("variant").is_in(list(series.book.index.returns)))
    parts = kept.select("session", "variant", "level").partition_by("variant", maintain_order=True)
    return pl.concat(after_costs(part, taken) for part in parts)


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
