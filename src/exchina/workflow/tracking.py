"""The verb of the fund: what an ETF on an index would have held, cost, delivered and been allowed to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any, TypeVar

import polars as pl

from exchina.analytics.capacity import Terms
from exchina.analytics.sweep import grid, in_toml
from exchina.errors import DataError, ExchinaError, Problem, RulebookError
from exchina.fund.accounts import Accounts
from exchina.fund.attribution import PARTS, daily_parts, growth
from exchina.fund.dealt import reviews_beyond
from exchina.fund.file import parse_fund
from exchina.fund.limit_history import index_breaches
from exchina.fund.path import Path
from exchina.fund.registers import flows
from exchina.fund.results import PER_YEAR, WHOLE, Figures, figures, periods
from exchina.fund.terms import Fund
from exchina.market.view import MarketView
from exchina.model import IndexSeries, Provenance
from exchina.workflow.costing import desk_of
from exchina.workflow.following import Followed, followed, with_coming
from exchina.workflow.fund_faults import company_names, kept_accounts, lots_too_large, of_fund, outgrown, unfit
from exchina.workflow.limiting import held_by_index, named, owns_too_much
from exchina.workflow.paths import in_terms, path_of
from exchina.workflow.replicating import FULL, Replicated, replicated
from exchina.workspace import Workspace

EXAMPLE = "indices/magnet-chain/funds/ucits-acc.toml"
Made = TypeVar("Made")
LENDING = "securities lending: {:.0%} of the holdings on loan at {:.2%} a year, {:.0%} of it the fund's"


@dataclass(frozen=True)
class Track:
    """A fund on an index.

    Attributes:
        fund: its terms.
        series: the index.
        followed: what it follows.
        accounts: session by session.
        daily: `exchina.fund.attribution.daily_parts`.
        figures: since launch.
        periods: the difference in parts, by year and since launch.
        replicated: what it holds of each review, and how far that is from the index by the risk model.
        notes: assumptions, in words.
        provenance: of the market.
    """

    fund: Fund
    series: IndexSeries
    followed: Followed
    accounts: Accounts
    daily: pl.DataFrame = field(repr=False)
    figures: Figures
    periods: pl.DataFrame
    replicated: Replicated = field(repr=False)
    notes: tuple[str, ...]
    provenance: Provenance


def read_fund(path: str | File) -> Fund:
    """Read a fund file; `RulebookError` with every fault in it, or that it cannot be read."""
    path = File(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ExchinaError(Problem(str(path), f"cannot be read: {fault}", "name a fund file")) from fault
    return parse_fund(text, str(path))


def index_fund(workspace: Workspace, index_id: str, named: str) -> Fund:
    """A fund of an index: by the name of its file in ``indices/<id>/funds``, or by a path to any file."""
    path = File(named)
    return read_fund(path if path.suffix == ".toml" else workspace.fund(index_id, named))


def index_funds(workspace: Workspace, index_id: str, named: Sequence[str] = ()) -> list[Fund]:
    """Funds of an index, each as `index_fund`; all of its folder if none is named.

    Raises:
        ExchinaError: every fault of every file; two funds of one id; or the index has no fund yet.
    """
    asked = list(named) or workspace.fund_ids(index_id)
    found, problems = list[Fund](), list[Problem]()
    for name in asked:
        try:
            found.append(index_fund(workspace, index_id, name))
        except ExchinaError as fault:
            problems += fault.problems
    ids = [one.facts.id for one in found]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    problems += [
        Problem(f"fund {one}", "two files have this id", "name it once, or give one another id") for one in twice
    ]
    if not asked:
        home = f"indices/{index_id}/funds"
        how = f"write {home}/NAME.toml, such as a copy of {EXAMPLE}, or name any fund file: --fund PATH.toml"
        problems.append(Problem(f"funds of {index_id}", f"there is none in {home}", how))
    if problems:
        raise ExchinaError(*problems)
    return found


def track(series: IndexSeries, fund: Fund, view: MarketView) -> Track:
    """Run a fund on an index from its launch to the view's last session.

    Args:
        series: a backtest.
        fund: its terms.
        view: the market the series was computed from.

    Raises:
        DataError: the launch is not within the index; a rate, a tax or a volume is missing; a limit of a fund that
            replicates in full is broken by the index itself; flows are larger than the fund or than the market can
            trade in 20 sessions at 20 % of its volume.
    """
    return Tracker(series, view).track(fund)


class Tracker:
    """Funds on one index; what they share, such as the portfolio that several follow, is computed once."""

    def __init__(self, series: IndexSeries, view: MarketView) -> None:
        self.series, self.view, self.desk = series, view, desk_of(view, Terms())
        self._coming: dict[str, IndexSeries] = {}
        self._replicated: dict[str, Replicated] = {}
        self._followed: dict[str, Followed] = {}
        self._paths: dict[str, tuple[Path, tuple[str, ...]]] = {}
        self._breaches: dict[str, list[Problem]] = {}
        self._names, self._sessions = company_names(view), series.levels["session"].unique().sort().to_list()

    def track(self, fund: Fund) -> Track:
        """`track` of one fund."""
        try:
            return self._tracked(fund)
        except DataError as fault:
            raise DataError(*of_fund(fund, fault.problems)) from fault

    def _tracked(self, fund: Fund) -> Track:
        weights, made, (path, remarks) = self._shared(fund)
        plan = flows[fund.flows.name](path.sessions, growth(path.benchmark), **fund.flows.settings)
        kept = kept_accounts(path, fund, plan)
        if faults := owns_too_much(kept, self.view):
            raise DataError(*faults)
        daily = daily_parts(kept)
        return Track(
            fund=fund,
            series=self.series,
            followed=made,
            accounts=kept,
            daily=daily,
            figures=figures(kept, daily),
            periods=periods(kept, daily),
            replicated=weights,
            notes=(
                *_assumed(fund),
                *outgrown(kept, fund, self.view),
                *reviews_beyond(kept, self._names),
                *lots_too_large(kept, self._names),
                *remarks,
            ),
            provenance=self.view.provenance,
        )

    def _shared(self, fund: Fund) -> tuple[Replicated, Followed, tuple[Path, tuple[str, ...]]]:
        """What a fund shares with others of the same method, tax, days of trading, currency, costs and launch."""
        facts, view, full = fund.facts, self.view, fund.replication.name == FULL
        if faults := unfit(fund, self._sessions, view):
            raise DataError(*faults)
        ahead = str(min(fund.execution.first, 0))
        series = _once(self._coming, ahead, lambda: with_coming(self.series, view, fund))
        chosen = FULL if full else repr((fund.replication, facts.currency, facts.launch, fund.lots))
        chosen += f", {len(series.baskets)} reviews"
        weights = _once(self._replicated, chosen, lambda: replicated(series, fund, self.desk))
        rates = facts.currency if fund.hedge.ratio else ""
        held = chosen + repr((fund.withholding, fund.execution, facts.launch, rates))
        made = _once(self._followed, held, lambda: followed(series, view, fund, weights.weights))
        bounds = repr((facts.launch, facts.theme, fund.limits))
        if full and bounds not in self._breaches:
            self._breaches[bounds] = index_breaches(named(held_by_index(made, fund, view), view), fund.limits)
        if full and self._breaches[bounds]:
            raise DataError(*self._breaches[bounds])
        way = held + repr((facts.launch, facts.currency, facts.benchmark, fund.hedge, fund.costs, fund.cash.earns))
        path, remarks = _once(self._paths, way, lambda: path_of(made, fund, view, self.desk))
        return weights, made, (in_terms(path, fund, view), remarks)


def _once(kept: dict[str, Made], key: str, make: Callable[[], Made]) -> Made:
    """What is kept under a key, made if there is none."""
    if key not in kept:
        kept[key] = make()
    return kept[key]


def fund_variants(fund: Fund, varied: Sequence[str]) -> list[tuple[Mapping[str, Any], Fund]]:
    """Every combination of settings of a fund file, with the value at each place.

    Args:
        fund: as read.
        varied: one line a place, such as ``vehicle.fee.per_year=0.004,0.006``.

    Raises:
        RulebookError: a line cannot be read, a place does not exist, or a variant contradicts itself; all at once.
    """
    variants, problems = grid(fund.text, varied, of="fund")
    made: list[tuple[Mapping[str, Any], Fund]] = []
    for one in variants if not problems else ():
        try:
            made.append((one.at, parse_fund(one.text, one.label)))
        except RulebookError as fault:
            problems += fault.problems
    if problems:
        raise RulebookError(*problems)
    return made


def compared_variants(
    series: IndexSeries,
    variants: Sequence[tuple[Mapping[str, Any], Fund]],
    view: MarketView,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Variants of a fund side by side, in the order of the grid.

    Returns:
        number, the value at each place, the figures of `exchina.fund.results.figures`, the parts of its tracking
        difference a year (of a fund younger than a year, of the difference since launch), and reason: why a variant
        could not be run.
    """
    tracker, rows = Tracker(series, view), list[dict[str, Any]]()
    for number, (at, fund) in enumerate(variants, 1):
        if progress:
            progress(number - 1, len(variants), ", ".join(f"{place.rpartition('.')[2]} {at[place]}" for place in at))
        own = {"number": number, **{place: in_toml(value) for place, value in at.items()}}
        try:
            found = tracker.track(fund)
        except ExchinaError as fault:
            rows.append(own | {"reason": str(fault.problems[0])})
            continue
        told = PER_YEAR if PER_YEAR in found.periods["period"] else WHOLE
        parts = found.periods.filter(pl.col("period") == told).select(PARTS).row(0, named=True)
        rows.append(own | dict(found.figures) | parts | {"reason": None})
    return pl.DataFrame(rows, infer_schema_length=None)


def _assumed(fund: Fund) -> list[str]:
    """What the terms of a fund take for granted, one sentence each."""
    lending, tax, costs, flow = fund.lending, fund.withholding, fund.costs, fund.flows
    dealing = "spreads, commissions and taxes" if costs.dealing else "no spread, commission or tax"
    impact = f"impact with Y = {costs.impact:g}" if costs.impact else "no impact"
    settings = ", ".join(f"{name} {value}" for name, value in flow.settings.items())
    late = fund.dividends.paid_after_sessions
    said = [
        "no tax on dividends" if tax is None else "",
        f"{tax.recovered:.0%} of the tax above {tax.profile} comes back, after {tax.reclaimed_after_days} days"
        if tax and tax.relief == "reclaim"
        else "",
        f"trades cost {dealing}, and {impact}",
        f"flows: {flow.name.replace('_', ' ')}, {settings.replace('_', ' ')}" if flow.name != "none" else "",
        f"dividends are paid {late} sessions after they go ex" if late else "",
        LENDING.format(lending.on_loan, lending.rate, lending.fund_share) if lending.on_loan else "",
    ]
    return [one for one in said if one]
