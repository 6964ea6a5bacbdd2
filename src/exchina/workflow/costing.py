"""What each review of an index costs a fund that follows it: for one index, or for many variants at once.

Variants of a sweep trade much the same lines on the same days, so volumes are measured once a day for all of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import polars as pl

from exchina import levels
from exchina.analytics import capacity_tables as tables
from exchina.analytics.capacity import BoolArray, FloatArray, Terms, Volumes, check_terms, news_sessions, volumes
from exchina.analytics.capacity_tables import Trade
from exchina.analytics.costs import BP, CostModel, after_costs, rates_of
from exchina.calculation.weights import weights_of
from exchina.errors import DataError
from exchina.market.view import MarketView
from exchina.model import IndexSeries
from exchina.universe.trading import TRADED_SESSIONS, first_prices, traded

FUND_USD = 25e6


@dataclass(frozen=True)
class Move:
    """One review of an index: weights by symbol before and after it, at the close at which it takes effect."""

    effective: date
    cutoff: date
    new: Mapping[str, float]
    drifted: Mapping[str, float]


@dataclass(frozen=True)
class Desk:
    """What every trade is looked up in."""

    view: MarketView
    model: CostModel
    terms: Terms
    news: pl.DataFrame

    def trade(self, effective: date, cut: MarketView, new: Mapping[str, float], drifted: Mapping[str, float]) -> Trade:
        """A trade of lines by symbol, with the volumes up to the last session of a view."""
        move = Move(effective, cut.provenance.through, new, drifted)
        return self._trade(move, self._measured(cut, {*new, *drifted}))

    def trades(self, moves: Sequence[Move], known: Mapping[date, "Measured"] | None = None) -> list[Trade]:
        """The trades of an index, with the volumes known at the data cut-off of each review."""
        known = known or self.measured(moves)
        return [self._trade(move, known[move.cutoff]) for move in moves]

    def measured(self, moves: Iterable[Move]) -> dict[date, "Measured"]:
        """What moves trade, measured once for each data cut-off."""
        asked: dict[date, set[str]] = {}
        for move in moves:
            asked.setdefault(move.cutoff, set()).update(move.new, move.drifted)
        return {cutoff: self._measured(self.view.as_of(cutoff), symbols) for cutoff, symbols in asked.items()}

    def _measured(self, cut: MarketView, symbols: set[str]) -> "Measured":
        lines = _lines(self.view, sorted(symbols))
        panel = _panel(cut, lines, self.news, self.terms)
        found = volumes(panel.values, panel.news, self.terms)
        first = [days[row] if row < len(days) else None for days, row in zip(panel.days, found.first, strict=True)]
        since = lines.with_columns(since=pl.Series(first, dtype=pl.Date))
        return Measured(cut.provenance.through, since, found, panel.sigma)

    def _trade(self, move: Move, known: "Measured") -> Trade:
        own = known.lines["symbol"].is_in([*move.new, *move.drifted]).to_numpy()
        lines = known.lines.filter(pl.Series(own))
        return Trade(
            effective=move.effective,
            known_by=known.day,
            lines=lines.select("company_id", "name", "symbol", "mic", "since"),
            new=np.array([move.new.get(symbol, 0.0) for symbol in lines["symbol"]]),
            drifted=np.array([move.drifted.get(symbol, 0.0) for symbol in lines["symbol"]]),
            rates=rates_of(self.model, lines["mic"].to_list(), lines["country"].to_list()),
            volumes=Volumes(*(getattr(known.volumes, one.name)[own] for one in fields(Volumes))),
            sigma=known.sigma[own],
        )


@dataclass(frozen=True)
class Measured:
    """Lines by symbol with the volumes and volatility known on a day."""

    day: date
    lines: pl.DataFrame
    volumes: Volumes
    sigma: FloatArray


def desk_of(view: MarketView, terms: Terms, model: CostModel | None = None) -> Desk:
    """The desk of a market; costs are those of ``indices/reference/trading_costs.csv`` if not given."""
    return Desk(view, model or CostModel(view.reference.trading_costs), terms, _news(view, terms))


def moves_of(series: IndexSeries, view: MarketView) -> list[Move]:
    """Every review after the first, at the close after which it took effect."""
    made = levels.calculated(series.book, view, series.baskets)
    board, cutoffs = made.inputs.board, {one.review.effective: one.review.cutoff for one in series.baskets}
    closed = [
        (board.sessions[board.row(change.session) - 1], change)
        for change in made.runs[levels.PRICE].changes
        if "review" in change.causes
    ]
    return [
        Move(effective, cutoffs[effective], weights_of(change.after), weights_of(change.before))
        for effective, change in closed
    ]


def levels_after_costs(
    of: Sequence[tuple[pl.DataFrame, Sequence[Move]]], view: MarketView, *, fund_usd: float = FUND_USD
) -> list[pl.DataFrame | str]:
    """Levels with the cost of every review taken off, for a fund of one size in US dollars throughout.

    Args:
        of: of each index its levels (session, variant, level) and its `moves_of`.
        view: the market.
        fund_usd: the size of the fund.

    Returns:
        Of each index session, variant, level, after_costs; or why there are none.

    Raises:
        ExchinaError: a fund without a size.
    """
    terms = Terms()
    check_terms(terms, fund_usd)
    desk = desk_of(view, terms)
    known = desk.measured(move for _, moves in of for move in moves)
    return [_after(gross, moves, fund_usd, desk, known) for gross, moves in of]


def _after(
    gross: pl.DataFrame, moves: Sequence[Move], fund_usd: float, desk: Desk, known: Mapping[date, Measured]
) -> pl.DataFrame | str:
    try:
        costs = tables.by_review(desk.trades(moves, known), fund_usd, desk.model.impact, desk.terms)
        unknown = costs.filter(pl.col("note").is_not_null())
        if unknown.height:
            return "the impact of the review of {} is unknown: {}".format(*unknown.select("effective", "note").row(0))
        return costs_taken(gross, costs)
    except DataError as fault:
        return str(fault.problems[0])


def costs_taken(gross: pl.DataFrame, costs: pl.DataFrame) -> pl.DataFrame:
    """Levels of each return variant with the costs of the table ``reviews`` of `Capacity` taken off."""
    taken = costs.select("cost_bp", session="effective").with_columns(cost=pl.col("cost_bp") * BP)
    parts = gross.select("session", "variant", "level").partition_by("variant", maintain_order=True)
    return pl.concat(after_costs(part, taken) for part in parts)


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
