"""What may be asked of a tracked fund: its limits, its creation basket, the size at which it breaks."""

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import polars as pl

from exchina.analytics.capacity import Terms
from exchina.analytics.costs import rates_of
from exchina.analytics.performance import DAYS_PER_YEAR
from exchina.calculation.board import rates_into
from exchina.calculation.weights import weights_of
from exchina.errors import DataError, InfeasibleError, Problem
from exchina.fund.basket_cost import BuildCost, cost_to_build
from exchina.fund.baskets import CreationBasket, Position, basket
from exchina.fund.capacity import FundCapacity, FundTerms, fund_capacity
from exchina.fund.cure import Cure, cure
from exchina.fund.limit_history import index_breaches, limit_history, limit_unknowns
from exchina.fund.limit_tests import limit_tests, limits_on
from exchina.fund.risk import ex_ante_tracking_error, shrunk_covariance
from exchina.levels import PRICE
from exchina.market.view import MarketView
from exchina.workflow.costing import Move, desk_of
from exchina.workflow.limiting import held_by_fund, held_by_index, named
from exchina.workflow.replicating import returns_seen
from exchina.workflow.tracking import Track

SUSPENDED_AFTER = 5


@dataclass(frozen=True)
class Limits:
    """The limits of a fund over time and on the last session.

    Attributes:
        spells: `exchina.fund.limit_history.limit_history`.
        unknown: `exchina.fund.limit_history.limit_unknowns`.
        today: `exchina.fund.limit_tests.limits_on` of the last session.
        cures: by limit that is broken today, the smallest trade that mends it; in words where no trade does.
        index: limits that the index itself breaks, in words.
    """

    spells: pl.DataFrame
    unknown: pl.DataFrame
    today: pl.DataFrame
    cures: dict[str, Cure | str] = field(repr=False)
    index: tuple[str, ...]


def fund_limits(tracked: Track, view: MarketView) -> Limits:
    """The limits that the file of a fund sets, asked of what it held and of its index."""
    limits = tracked.fund.limits
    held = named(held_by_fund(tracked.accounts, tracked.fund, tracked.followed, view), view)
    index = named(held_by_index(tracked.followed, tracked.fund, view), view)
    today = limits_on(held, limits)
    broken = set(today.filter(~pl.col("passed"))["rule"])
    cures: dict[str, Cure | str] = {}
    for name, tests in limit_tests(held, limits).items():
        if name in broken:
            try:
                cures[name] = cure(held, tests)
            except InfeasibleError as fault:
                cures[name] = str(fault)
    return Limits(
        spells=limit_history(held, limits),
        unknown=limit_unknowns(held, limits),
        today=today,
        cures=cures,
        index=tuple(str(problem) for problem in index_breaches(index, limits)),
    )


def creation_basket(tracked: Track, view: MarketView) -> tuple[CreationBasket, BuildCost]:
    """The basket of the session after the last, and what it costs to build one creation unit.

    A line without a close in its market's last 5 sessions counts as suspended.
    """
    fund, kept, path, board = tracked.fund, tracked.accounts, tracked.accounts.path, tracked.followed.board
    shares, last = kept.holdings[-1][1], path.sessions[-1]
    listed = view.reference.listings.select("company_id", "mic", "currency", symbol="yahoo_symbol")
    names = view.reference.companies.select("name", company_id="id")
    into = fund.facts.currency
    codes = sorted({*board.currencies, into})
    rate = dict(zip(codes, rates_into(view.market.fx, codes, into, [last])[0].tolist(), strict=True))
    held = pl.DataFrame({"symbol": path.symbols, "shares": shares, "worth": path.worth[-1]}).filter(
        pl.col("shares") > 0
    )
    lines = held.join(listed, on="symbol", maintain_order="left").join(names, on="company_id", maintain_order="left")
    lines = lines.with_columns(rate=pl.col("currency").replace_strict(rate, return_dtype=pl.Float64))
    lines = lines.with_columns(price=pl.col("worth") / pl.col("rate")).sort("symbol")
    assets = float(kept.columns["nav"][-1] + kept.columns["flow"][-1])
    position = Position(
        day=last,
        lines=lines.select("symbol", "company_id", "name", "mic", "currency", "shares", "price", "rate"),
        cash=float(assets - held.select((pl.col("shares") * pl.col("worth")).sum()).item()),
        outstanding=kept.issued,
        nav_per_share=assets / kept.issued,
    )
    made = basket(
        position, fund.creation, _following(tracked), fee=fund.fee, suspended=_suspended(tracked, view, lines)
    )
    desk = desk_of(view, Terms())
    known = desk.measured([Move(last, view.provenance.through, dict.fromkeys(made.lines["symbol"], 0.0), {})])
    measured = known[view.provenance.through]
    usd = rates_into(view.market.fx, [into, *({"USD"} - {into})], "USD", [last])[0, 0]
    cost = cost_to_build(
        made,
        rates_of(desk.model, measured.lines["mic"].to_list(), measured.lines["country"].to_list()),
        measured.volumes.median,
        measured.sigma,
        usd_per_unit=float(usd),
        impact=fund.costs.impact,
    )
    return made, cost


def _following(tracked: Track) -> date:
    last, following = tracked.accounts.path.sessions[-1], tracked.followed.board.following
    if following is None:
        hint = "bring later sessions into the market"
        raise DataError(Problem(f"fund {tracked.fund.facts.id}: basket", f"no session is known after {last}", hint))
    return following


def _suspended(tracked: Track, view: MarketView, lines: pl.DataFrame) -> dict[str, date]:
    """Lines whose last close is more than 5 sessions of the index old, and its day."""
    before = tracked.followed.board.sessions[-1 - SUSPENDED_AFTER :][0]
    closes = view.market.prices.filter(pl.col("symbol").is_in(lines["symbol"].implode())).group_by("symbol")
    last = closes.agg(pl.col("session").max())
    return dict(last.filter(pl.col("session") < before).iter_rows())


def fund_room(tracked: Track, view: MarketView, terms: FundTerms | None = None) -> FundCapacity:
    """At which size the fund breaks, by the reviews since its launch of the portfolio that it follows.

    Each is taken as one trade at the effective close, with the volumes known at its data cut-off.

    Raises:
        DataError: there has been no review since the launch; or as for `fund_capacity`.
    """
    sessions, made = tracked.accounts.path.sessions, tracked.followed.model
    board, baskets = made.inputs.board, {one.review.effective: one for one in tracked.followed.baskets}
    moves = [
        Move(day, baskets[day].review.cutoff, weights_of(change.after), weights_of(change.before))
        for change in made.runs[PRICE].changes
        if "review" in change.causes and (day := board.sessions[board.row(change.session) - 1]) > sessions[0]
    ]
    if not moves:
        what, hint = f"no review since the launch on {sessions[0]}", "ask again after the next one"
        raise DataError(Problem(f"fund {tracked.fund.facts.id}: capacity", what, hint))
    values = {
        move.effective: dict(baskets[move.effective].seen.select("symbol", "market_cap_usd").iter_rows())
        for move in moves
    }
    years = (sessions[-1] - sessions[0]).days / DAYS_PER_YEAR
    return fund_capacity(desk_of(view, Terms()).trades(moves), values, years, terms=terms)


def tracking_error_ahead(tracked: Track, view: MarketView) -> float | None:
    """The ex-ante tracking error a year of what the fund holds after the last close, cash included.

    sqrt(252 (w - b)' S (w - b)): w the fund and b the index by issuer, S the shrunk covariance of the returns that the
    last review saw (`exchina.fund.risk`), cash without risk. None where those returns do not tell.
    """
    held = held_by_fund(tracked.accounts, tracked.fund, tracked.followed, view)
    index = held_by_index(tracked.followed, tracked.fund, view)
    fund = dict(zip(held.companies, held.weights[-1].tolist(), strict=True))
    own = dict(zip(index.companies, index.weights[-1].tolist(), strict=True))
    names = sorted(name for name in {*fund, *own} if fund.get(name) or own.get(name))
    last = tracked.followed.baskets[-1]
    if not set(names) <= set(last.seen["company_id"]):
        return None
    try:
        risk = shrunk_covariance(returns_seen(last, names, view), names)
    except DataError:
        return None
    square = np.zeros((len(names) + 1, len(names) + 1))
    square[:-1, :-1] = risk.matrix
    whole = replace(risk, matrix=square, completed=np.append(risk.completed, False))
    weights = np.array([*(fund.get(name, 0.0) for name in names), 0.0])
    weights[-1] = 1 - weights.sum()
    if weights[-1] < 0:
        weights /= weights[:-1].sum()
        weights[-1] = 0.0
    return ex_ante_tracking_error(weights, np.array([*(own.get(name, 0.0) for name in names), 0.0]), whole)
