"""The verb of the fund: what an ETF on an index would have held, cost, delivered and been allowed to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as File
from typing import Any

import polars as pl

from exchina.analytics.capacity import Terms
from exchina.analytics.sweep import grid, in_toml
from exchina.errors import DataError, ExchinaError, Problem, RulebookError
from exchina.fund.accounts import Accounts, accounts
from exchina.fund.attribution import PARTS, daily_parts, growth
from exchina.fund.contradictions import unknown_venues
from exchina.fund.dealt import flows_beyond
from exchina.fund.file import parse_fund
from exchina.fund.limit_history import index_breaches
from exchina.fund.path import Path
from exchina.fund.registers import flows
from exchina.fund.results import WHOLE, Figures, figures, periods
from exchina.fund.terms import Fund
from exchina.market.view import MarketView
from exchina.model import IndexSeries, Provenance
from exchina.workflow.costing import desk_of
from exchina.workflow.following import Followed, followed
from exchina.workflow.limiting import held_by_index
from exchina.workflow.paths import path_of
from exchina.workflow.replicating import FULL, Replicated, replicated
from exchina.workspace import Workspace

LENDING = (
    "Securities lending is an assumption: {:.0%} of the holdings on loan at {:.2%} a year, {:.0%} of it the fund's."
)


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
        self._replicated: dict[str, Replicated] = {}
        self._followed: dict[str, Followed] = {}
        self._paths: dict[str, tuple[Path, tuple[str, ...]]] = {}
        self._breaches: dict[str, list[Problem]] = {}

    def track(self, fund: Fund) -> Track:
        """`track` of one fund."""
        weights, made, (path, remarks) = self._shared(fund)
        plan = flows[fund.flows.name](path.sessions, growth(path.benchmark), **fund.flows.settings)
        kept = accounts(path, fund, plan)
        if faults := flows_beyond(kept):
            raise _of(fund, faults)
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
            notes=(*_assumed(fund), *remarks),
            provenance=self.view.provenance,
        )

    def _shared(self, fund: Fund) -> tuple[Replicated, Followed, tuple[Path, tuple[str, ...]]]:
        """What a fund shares with others of the same method, tax, days of trading, currency, costs and launch."""
        facts, series, view = fund.facts, self.series, self.view
        if faults := unknown_venues(fund, view.reference.venues["mic"].to_list()):
            raise _of(fund, faults)
        chosen = repr(
            (fund.replication, facts.currency, facts.launch, fund.lots) if fund.replication.name != FULL else FULL
        )
        weights = self._replicated.get(chosen) or replicated(series, fund, self.desk)
        held = chosen + repr((fund.withholding, fund.execution))
        made = self._followed.get(held) or followed(series, view, fund, weights.weights)
        bounds = repr((facts.launch, facts.theme, fund.limits))
        if fund.replication.name == FULL and bounds not in self._breaches:
            self._breaches[bounds] = index_breaches(held_by_index(made, fund, view), fund.limits)
        if fund.replication.name == FULL and self._breaches[bounds]:
            raise _of(fund, self._breaches[bounds])
        life = (facts.launch, facts.currency, facts.benchmark, fund.lots, fund.hedge, fund.costs)
        way = held + repr((*life, fund.cash.earns, fund.creation.cash_only))
        path = self._paths.get(way) or path_of(made, fund, view, self.desk)
        self._replicated[chosen], self._followed[held], self._paths[way] = weights, made, path
        return weights, made, path


def fund_variants(fund: Fund, varied: Sequence[str]) -> list[tuple[Mapping[str, Any], Fund]]:
    """Every combination of settings of a fund file, with the value at each place.

    Args:
        fund: as read.
        varied: one line a place, such as ``vehicle.fee.per_year=0.004,0.006``.

    Raises:
        RulebookError: a line cannot be read, a place does not exist, or a variant contradicts itself; all at once.
    """
    variants, problems = grid(fund.text, varied)
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
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> pl.DataFrame:
    """Variants of a fund side by side, in the order of the grid.

    Returns:
        number, the value at each place, the figures of `exchina.fund.results.figures`, the parts of the difference
        since launch, and reason: why a variant could not be run.
    """
    tracker, rows = Tracker(series, view), list[dict[str, Any]]()
    for number, (at, fund) in enumerate(variants, 1):
        progress(number - 1, len(variants), ", ".join(f"{place.rpartition('.')[2]} {at[place]}" for place in at))
        named = {"number": number, **{place: in_toml(value) for place, value in at.items()}}
        try:
            found = tracker.track(fund)
        except DataError as fault:
            rows.append(named | {"reason": str(fault.problems[0])})
            continue
        whole = found.periods.filter(pl.col("period") == WHOLE).row(0, named=True)
        rows.append(named | dict(found.figures) | {part: whole[part] for part in PARTS} | {"reason": None})
    return pl.DataFrame(rows, infer_schema_length=None)


def _of(fund: Fund, faults: Sequence[Problem]) -> DataError:
    return DataError(*(replace(one, where=f"fund {fund.facts.id}: {one.where}") for one in faults))


def _assumed(fund: Fund) -> list[str]:
    lending = fund.lending
    return [LENDING.format(lending.on_loan, lending.rate, lending.fund_share)] if lending.on_loan else []
