"""The verb of stress: an index through scenarios, with the measures behind its members and without them."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import polars as pl

from exchina.analytics.stress.cover import FIRM as FIRM_STATUSES
from exchina.analytics.stress.firms import PROJECT, SELLER, Firms, firms
from exchina.analytics.stress.propagation import covariance_of, reverse_stress
from exchina.analytics.stress.replay import Replay, replay
from exchina.analytics.stress.scenario import Assumptions, Scenario, parse_assumptions, parse_scenario
from exchina.analytics.stress.upstream import passed_on
from exchina.analytics.stress.weekly import WEEKS, weekly_returns
from exchina.analytics.stress.worksheet import Worksheet, worksheet
from exchina.errors import DataError, ExchinaError, Problem, RulebookError, did_you_mean
from exchina.market.view import MarketView
from exchina.model import Basket, Provenance, Rulebook
from exchina.policy import counted
from exchina.reference import read_reference
from exchina.tables.reference_words import SHOCK_KINDS
from exchina.universe import universe_on
from exchina.universe.backing import standing_on
from exchina.universe.facts import stages_on
from exchina.universe.lines import lines_on
from exchina.workflow.indices import propose
from exchina.workspace import Workspace

REVERSE_WEEKS = 4
LEAST_WEEKS_SHARE = 0.8


@dataclass(frozen=True)
class Scenarios:
    """The scenarios of a workspace and what they assume of firms."""

    scenarios: tuple[Scenario, ...]
    assumptions: Assumptions


@dataclass(frozen=True)
class Stress:
    """Scenarios on the weights of a basket; hypothetical, without any probability.

    Attributes:
        basket: whose weights.
        scenarios: what was asked.
        firms: what is known and assumed of each member.
        worksheets: one a scenario, in the same order.
        propagated: one row a scenario that asks for it: scenario and the fields of `PassedOn`.
        financing: capital of members without NdPr sales that is promised and not yet firm, which a slump can take
            away and no shock here holds: company_id, symbol, commitments, amount_usd (packages once; null where none is
            disclosed), undisclosed.
        provenance: of the market data.
        day: the data cut-off of the weights; nothing known later was read.
    """

    basket: Basket
    scenarios: Scenarios
    firms: Firms
    worksheets: tuple[Worksheet, ...]
    propagated: pl.DataFrame
    financing: pl.DataFrame
    provenance: Provenance
    day: date

    @property
    def indicative(self) -> bool:
        """Whether the data cut-off of the review is not reached, so that members and weights can still change."""
        return self.basket.review.why.startswith("PREVIEW")

    @property
    def table(self) -> pl.DataFrame:
        """Every grid point of every scenario, by both rules."""
        return pl.concat([one.index for one in self.worksheets], how="vertical_relaxed")

    @property
    def stages(self) -> pl.DataFrame:
        """The same by stage."""
        return pl.concat([one.stages for one in self.worksheets], how="vertical_relaxed")


def read_scenarios(workspace: Workspace, ids: Collection[str] = ()) -> Scenarios:
    """The scenarios of the workspace by id, those asked for in that order; none asked for takes all.

    Raises:
        DataError: a scenario asked for does not exist. RulebookError: every fault of every file.
    """
    found = _files(workspace)
    unknown = [name for name in ids if name not in found]
    if unknown:
        raise DataError(
            *(Problem(f"{workspace.scenarios}", f"no scenario called {n!r}", did_you_mean(n, found)) for n in unknown)
        )
    problems: list[Problem] = []
    read: list[Scenario] = []
    for name in dict.fromkeys(ids or found):
        try:
            read.append(_scenario(found[name]))
        except ExchinaError as fault:
            problems += fault.problems
    assumptions = None
    try:
        assumptions = _assumptions(workspace)
    except ExchinaError as fault:
        problems += fault.problems
    if problems or assumptions is None:
        raise RulebookError(*problems)
    return Scenarios(tuple(read), assumptions)


def check_scenarios(workspace: Workspace) -> list[Problem]:
    """Every problem of the scenario files and of the assumptions; a workspace without scenarios has none."""
    if not workspace.scenarios.is_dir():
        return []
    problems: list[Problem] = []
    try:
        found = read_scenarios(workspace)
    except ExchinaError as fault:
        return list(fault.problems)
    try:
        measures = read_reference(workspace.reference).policy_measures["id"].unique().to_list()
    except ExchinaError:
        return problems  # the reference's own check says what is wrong
    path = workspace.scenarios / "assumptions" / "firms.toml"
    return [
        Problem(f"{path}: upside.{name}", f"no measure called {name!r}", did_you_mean(name, measures))
        for name in found.assumptions.upsides
        if name not in measures
    ]


def stress(held: Basket | Rulebook, view: MarketView, scenarios: Scenarios) -> Stress:
    """Put the weights of a basket, or of the next review of a rulebook, through scenarios.

    Args:
        held: a basket, such as `propose` makes it; of a rulebook the pro forma of its next review.
        view: the market; only what was known at the basket's data cut-off is read.
        scenarios: as `read_scenarios` gives them.

    Raises:
        DataError: data is missing. InfeasibleError: no basket meets the rules.
    """
    basket = propose(held, view) if isinstance(held, Rulebook) else held
    day = basket.review.cutoff
    seen = view.as_of(day)
    found = firms(_members(basket, seen, day), seen.reference, day, scenarios.assumptions)
    sheets = tuple(worksheet(found, one, scenarios.assumptions) for one in scenarios.scenarios)
    passed, capital = _propagated(scenarios, sheets, seen, day), _financing(found, seen, day)
    return Stress(basket, scenarios, found, sheets, passed, capital, seen.provenance, day)


def replay_events(basket: Basket, view: MarketView, *, kinds: Collection[str] | None = None) -> Replay:
    """What every past event of the ledger did, name by name, put on the weights of a basket.

    Args:
        basket: whose weights.
        view: the market; only what was known at the basket's data cut-off is read.
        kinds: kinds of event; None takes all.

    Raises:
        DataError: no event is of a kind asked for.
    """
    seen = view.as_of(basket.review.cutoff)
    weights = basket.members.select("symbol", "weight")
    lines = _lines(seen, basket.review.cutoff)
    return replay(seen.reference.policy_shocks, lines, weights, seen.market, kinds=kinds)


def reverse(basket: Basket, view: MarketView, loss: float) -> dict[str, object]:
    """The least implausible joint move of the members that costs a loss, from weekly returns of two years.

    Args:
        basket: whose weights; members with fewer than 80 % of the weeks are left out and named.
        view: the market.
        loss: fraction of the index above 0.

    Returns:
        loss; distance (Mahalanobis); volatility and weeks (the horizon: four weeks); moves: symbol, weight, move;
        left_out: symbols.

    Raises:
        DataError: a loss not above 0, one at which a member would lose more than its value, or too few weeks with all
            members.
    """
    seen = view.as_of(basket.review.cutoff)
    lines = _lines(seen, basket.review.cutoff)
    members = basket.members.select("symbol", "name", "weight")
    members = members.join(lines, on="symbol", how="left", maintain_order="left")
    weekly = weekly_returns(members, seen.market)
    kept = (weekly == weekly).mean(axis=0) >= LEAST_WEEKS_SHARE  # noqa: PLR0124  NaN is not equal to itself
    table = members.filter(pl.Series(kept)).with_columns(weight=pl.col("weight") / pl.col("weight").sum())
    covariance = covariance_of(weekly[:, kept], scale=REVERSE_WEEKS)
    found = reverse_stress(covariance, table["weight"].to_numpy(), loss)
    return {
        "loss": loss,
        "distance": found.distance,
        "volatility": found.volatility,
        "horizon_weeks": REVERSE_WEEKS,
        "estimated_over_weeks": WEEKS,
        "moves": table.select("symbol", "name", "weight", move=pl.Series(found.moves)),
        "left_out": members.filter(~pl.Series(kept))["symbol"].to_list(),
    }


def _members(basket: Basket, seen: MarketView, day: date) -> pl.DataFrame:
    facts = universe_on(seen.market, seen.reference, day).select("company_id", "rare_earth_exposure", "market_cap_usd")
    members = basket.members.select("company_id", "symbol", "name", "stage", "weight", "country")
    return members.join(facts, on="company_id", how="left", maintain_order="left")


def _lines(seen: MarketView, day: date) -> pl.DataFrame:
    """Today's line of every company with a stage, with its market, benchmark and first day."""
    reference = seen.reference
    benchmarks = reference.venues.select("mic", benchmark="local_benchmark_symbol")
    present = seen.market.benchmarks["symbol"].unique()
    firsts = reference.listings.select("first_trade_date", symbol="yahoo_symbol")
    return (
        lines_on(seen.market, reference, day)
        .filter(pl.col("close").is_not_null())
        .join(stages_on(reference, day).select("company_id", "stage"), on="company_id", maintain_order="left")
        .join(benchmarks, on="mic", how="left", maintain_order="left")
        .join(firsts, on="symbol", how="left", maintain_order="left")
        .with_columns(benchmark=pl.when(pl.col("benchmark").is_in(present.implode())).then("benchmark"))
        .select("symbol", "stage", "currency", "calendar", "benchmark", "first_trade_date")
    )


def _propagated(scenarios: Scenarios, sheets: tuple[Worksheet, ...], seen: MarketView, day: date) -> pl.DataFrame:
    wanted = [
        (one.facts.id, sheet)
        for one, sheet in zip(scenarios.scenarios, sheets, strict=True)
        if one.facts.propagation == "upstream"
    ]
    if not wanted:
        return pl.DataFrame()
    lines = _lines(seen, day)
    members = wanted[0][1].companies.select("symbol")
    members = members.join(lines, on="symbol", how="left", maintain_order="left")
    weekly = weekly_returns(members, seen.market)
    rows = [{"scenario": name, **asdict(passed_on(sheet.companies, weekly))} for name, sheet in wanted]
    return pl.DataFrame(rows, infer_schema_length=None)


def _financing(found: Firms, seen: MarketView, day: date) -> pl.DataFrame:
    """What is promised to members without NdPr sales and not yet signed."""
    without = (pl.col("kind") == PROJECT) | ((pl.col("kind") == SELLER) & (pl.col("ndpr_kg") == 0))
    projects = found.table.filter(without).select("company_id", "symbol")
    promised = standing_on(seen.market, seen.reference, day).filter(
        pl.col("company_id").is_in(projects["company_id"].implode()) & ~pl.col("status").is_in(FIRM_STATUSES)
    )
    summed = counted(promised, ["company_id"]).select("company_id", "commitments", "amount_usd", "undisclosed")
    return projects.join(summed, on="company_id", maintain_order="left")


def _files(workspace: Workspace) -> dict[str, Path]:
    found = {path.stem: path for path in sorted(workspace.scenarios.glob("*.toml"))}
    if not found:
        hint = "exchina init . lays ours there, and leaves what is yours as it is"
        raise DataError(Problem(str(workspace.scenarios), "no scenarios here", hint))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ExchinaError(Problem(str(path), f"cannot be read: {fault}", "exchina init . lays ours there")) from fault


def _scenario(path: Path) -> Scenario:
    found = parse_scenario(_text(path), str(path))
    problems: list[Problem] = []
    if found.facts.id != path.stem:
        what = f"found {found.facts.id!r} in the file {path.name}"
        problems.append(Problem(f"{path}: scenario.id", what, f'write id = "{path.stem}", or rename the file'))
    problems += [
        Problem(f"{path}: scenario.replay", f"no kind of event called {kind!r}", did_you_mean(kind, SHOCK_KINDS))
        for kind in found.facts.replay
        if kind not in SHOCK_KINDS
    ]
    if problems:
        raise RulebookError(*problems)
    return found


def _assumptions(workspace: Workspace) -> Assumptions:
    path = workspace.scenarios / "assumptions" / "firms.toml"
    return parse_assumptions(_text(path), str(path))
