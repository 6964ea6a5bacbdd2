"""The stress of a basket: each firm at each point of a scenario's grid, with measures and without, and by stage.

Two rules stand side by side, because they answer different questions and never mix within one index figure:

- ``cash_flow``: change of EBITDA x annuity / market value (`exchina.analytics.stress.cash_flow`);
- ``revenue``: price change x NdPr share of revenue x (1 - floored share), the plain reading where no costs are known.

"With measures" reads the floors in force on the day, reduced by what the scenario does to them; "without" is the same
world with no floor, no offtake and no buyer-paid floor on magnet makers. The dampener is "with" less "without": above
zero the measures soften the loss, below zero they deepen it, as a floor does that is lost or that a member pays for.
A scenario with a floor of its own (`allied_floor` above 0) has a third figure, "with the scenario's floor as well": no
such floor is in force, so neither of the other two holds it, nor does the dampener.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from exchina.analytics.stress.cash_flow import developer_shock
from exchina.analytics.stress.firms import ALLOY, CONSUMER, PROJECT, SELLER, Firms
from exchina.analytics.stress.floor import FloatArray, floor_payment
from exchina.analytics.stress.scenario import Assumptions, Scenario
from exchina.analytics.stress.world import Cell, World, growth, numbers

LEAST_COVERED = 0.5
SIDES = ("with", "without", "with_floor")
FIGURES = {"with": "with_measures", "without": "without_measures", "with_floor": "with_scenario_floor"}
NULLABLE = {**dict.fromkeys([*FIGURES.values(), "dampener"], pl.Float64), "note": pl.String}
SILENT = "its companies sell no NdPr yet, and what their projects lose is in no figure"


@dataclass(frozen=True)
class Worksheet:
    """A scenario on a basket; shocks are fractions of the market value of the index or the firm.

    Attributes:
        index: one row a grid point and rule: scenario, version, opinion, the shocked quantities, rule, with_measures,
            without_measures, with_scenario_floor (null unless the scenario brings a floor of its own), dampener (null
            with a note where less than half of the weight can be computed), covered_weight, assumed_weight (weight
            whose figure rests on an assumption), note.
        stages: the same by stage: the market-value-weighted mean of its firms, weight of the stage, firms; null with a
            note for a stage whose firms all sell no NdPr yet.
        companies: the headline point firm by firm: ebitda_before, ebitda_after, operating_leverage (sellers, with
            measures and the scenario's floor), change_usd of yearly EBITDA with measures, without, and with the
            scenario's floor as well, shock by both rules, note.
        payers: who pays the floors before and after, at the headline point, the scenario's floor holding: id, seller,
            bears, sponsor, usd_before, usd_after (a year).
    """

    index: pl.DataFrame
    stages: pl.DataFrame
    companies: pl.DataFrame
    payers: pl.DataFrame


def worksheet(held: Firms, scenario: Scenario, assumptions: Assumptions) -> Worksheet:
    """Put a basket through a scenario.

    Args:
        held: the members, what is known of them and what is assumed.
        scenario: what moves.
        assumptions: on firms, prices, tax and time.
    """
    index: list[dict[str, Any]] = []
    stages: list[dict[str, Any]] = []
    companies = pl.DataFrame()
    for number, cell in enumerate(scenario.grid()):
        found = _companies(held.table, cell, scenario, assumptions)
        companies = found if number == 0 else companies
        facts = scenario.facts
        said = {"scenario": facts.id, "version": facts.version, "opinion": facts.opinion}
        said |= {name: cell[name] for name in cell}
        for rule in ("cash_flow", "revenue"):
            index.append({**said, "rule": rule, **_index_row(found, rule)})
            stages += [{**said, "rule": rule, **row} for row in _stage_rows(found, rule)]
    payers = _payers(held, scenario.grid()[0], assumptions)
    return Worksheet(_table(index), _table(stages), companies, payers)


def _table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema_overrides=NULLABLE, infer_schema_length=None)


def _companies(table: pl.DataFrame, cell: Cell, scenario: Scenario, assumptions: Assumptions) -> pl.DataFrame:
    """Every firm at one point of the grid."""
    both = {side: _cash_flow(table, cell, scenario, assumptions, side) for side in SIDES}
    shares = {side: _revenue(table, cell, side) for side in SIDES}
    sheet = both["with_floor" if cell["allied_floor"] else "with"]
    added = {name: sheet[name] for name in ("ebitda_before", "ebitda_after", "operating_leverage")}
    for name in SIDES:
        added |= {f"change_usd_{name}": both[name]["change"], f"cash_flow_{name}": both[name]["shock"]}
        added |= {f"revenue_{name}": shares[name]}
    return table.with_columns(**{name: pl.Series(values) for name, values in added.items()}).with_columns(
        pl.col(*added).fill_nan(None)
    )


def _cash_flow(
    table: pl.DataFrame, cell: Cell, scenario: Scenario, assumptions: Assumptions, side: str
) -> dict[str, FloatArray]:
    """Change of EBITDA and shock of every firm; NaN where a firm has no worksheet, or the scenario no floor."""
    sheet = {name: np.full(table.height, np.nan) for name in ("ebitda_before", "ebitda_after", "operating_leverage")}
    shock, change = np.full(table.height, np.nan), np.full(table.height, np.nan)
    if side == "with_floor" and not cell["allied_floor"]:
        return {**sheet, "change": change, "shock": shock}
    world = World(cell, scenario, assumptions, measures=side != "without", own_floor=side == "with_floor")
    for kind, rows, part in _by_kind(table):
        if cell["independence"]:
            shock[rows] = growth(kind, part, cell, scenario, assumptions)
            continue
        if kind == SELLER:
            change[rows], shock[rows] = world.seller(part)
            for name, values in world.levels(part).items():
                sheet[name][rows] = values
        elif kind == CONSUMER:
            change[rows], shock[rows] = world.consumer(part)
        elif kind == ALLOY:
            change[rows], shock[rows] = world.alloy(part)
        else:
            shock[rows] = developer_shock(numbers(part, "elasticity"), world.moved, world.persistence)
    return {**sheet, "change": change, "shock": shock}


def _revenue(table: pl.DataFrame, cell: Cell, side: str) -> FloatArray:
    """x s (1 - h) of every seller, alloy maker and project; magnet makers sell no NdPr: 0.

    NaN where the scenario moves what the rule knows nothing of: volumes, paths, a floor of a whole bloc.
    """
    found = np.full(table.height, np.nan)
    if cell["independence"] or cell["offtake_default"] or side == "with_floor":
        return found
    kept = (1 - cell["floors_repealed"]) * (1 - cell["sponsor_haircut"]) if side == "with" else 0.0
    for kind, rows, part in _by_kind(table):
        share = numbers(part, "elasticity") if kind == PROJECT else numbers(part, "ndpr_share")
        found[rows] = np.maximum(-1.0, cell["ndpr_price"] * share * (1 - kept * numbers(part, "floored_share"))) + 0.0
    return found


def _by_kind(table: pl.DataFrame) -> list[tuple[str, Any, pl.DataFrame]]:
    """Kind, places and rows of the firms that have a worksheet."""
    kinds = table["kind"].to_numpy()
    places = {kind: np.flatnonzero(kinds == kind) for kind in (SELLER, ALLOY, CONSUMER, PROJECT)}
    return [(kind, rows, table[rows.tolist()]) for kind, rows in places.items() if rows.size]


def _index_row(companies: pl.DataFrame, rule: str) -> dict[str, Any]:
    """The index: sum of weight x shock over the weight that can be computed."""
    here = companies.filter(pl.col(f"{rule}_with").is_not_null())
    weight = here["weight"].to_numpy()
    covered = float(np.sum(weight)) / float(np.sum(companies["weight"].to_numpy()))
    assumed = here.filter("assumed" if rule == "cash_flow" else "share_assumed")["weight"]
    row, note = _figures(here.clear(), "weight", rule), None
    if covered < LEAST_COVERED:
        note = f"only {covered:.0%} of the weight can be computed by this rule"
    else:
        row = _figures(here, "weight", rule)
    return {**row, "covered_weight": covered, "assumed_weight": float(np.sum(assumed.to_numpy())), "note": note}


def _stage_rows(companies: pl.DataFrame, rule: str) -> list[dict[str, Any]]:
    """Each stage: the mean of its firms by market value."""
    rows: list[dict[str, Any]] = []
    for (stage,), firms in companies.partition_by("stage", as_dict=True).items():
        here = firms.filter(pl.col(f"{rule}_with").is_not_null())
        sold = "ndpr_kg" if rule == "cash_flow" else "ndpr_share"
        silent = here.height > 0 and here.filter((pl.col("kind") != SELLER) | (pl.col(sold) > 0)).is_empty()
        figures = _figures(here.clear() if silent else here, "market_cap_usd", rule)
        weight = float(np.sum(firms["weight"].to_numpy()))
        note = SILENT if silent else None
        rows.append({"stage": stage, "firms": here.height, "weight": weight, **figures, "note": note})
    return sorted(rows, key=lambda row: row["stage"])


def _figures(firms: pl.DataFrame, by: str, rule: str) -> dict[str, float | None]:
    """Means of the firms by a column, one a side, and the dampener; None where a side has no figure."""
    size = firms[by].to_numpy()
    found: dict[str, float | None] = {
        name: float(np.sum(size * column.to_numpy()) / np.sum(size))
        if firms.height and not column.null_count()
        else None
        for side, name in FIGURES.items()
        for column in [firms[f"{rule}_{side}"]]
    }
    held, bare = found["with_measures"], found["without_measures"]
    return {**found, "dampener": None if held is None or bare is None else held - bare}


def _payers(held: Firms, cell: Cell, assumptions: Assumptions) -> pl.DataFrame:
    """What each payer of a floor pays a year, before and after the shock; floors that do not count are not here."""
    made = held.table.select("company_id", "ndpr_kg", "upside_share")
    table = held.measures.filter("as_floor").join(made, on="company_id", maintain_order="left")
    volume = np.minimum(table["ndpr_kg"].to_numpy(), table["volume_kg"].fill_null(np.inf).to_numpy())
    start, kept = assumptions["ndpr_price"], (1 - cell["floors_repealed"]) * (1 - cell["sponsor_haircut"])
    market = max(start * (1 + cell["ndpr_price"]), cell["allied_floor"])
    paid = [floor_payment(price, numbers(table, "floor"), numbers(table, "upside_share")) for price in (start, market)]
    return table.select("id", "bears", "sponsor", "floor", "years_left", seller="company_id").with_columns(
        usd_before=pl.Series(volume * paid[0]), usd_after=pl.Series(volume * paid[1] * kept)
    )
