"""The worksheet of invented firms, worked by hand; and which measures of the registry count."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from exchina.analytics.stress.cash_flow import annuity_factor
from exchina.analytics.stress.cover import measures_counted
from exchina.analytics.stress.firms import FIRM, INPUT, Firms
from exchina.analytics.stress.scenario import Assumptions, Scenario, parse_assumptions, parse_scenario
from exchina.analytics.stress.worksheet import Worksheet, worksheet
from exchina.reference import read_reference

ANNUITY = annuity_factor(tax=0.25, discount=0.09, decay=0.35, years=8)
MARKET, FALLEN = 95.0, 57.0


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "indices" / "scenarios"


@pytest.fixture(scope="module")
def assumptions(folder: Path) -> Assumptions:
    return parse_assumptions((folder / "assumptions" / "firms.toml").read_text(encoding="utf-8"))


def scenario(folder: Path, name: str) -> Scenario:
    return parse_scenario((folder / f"{name}.toml").read_text(encoding="utf-8"))


def firm(name: str, kind: str, stage: str, **numbers: object) -> dict[str, object]:
    blank = {column: 0.0 for column, kind in FIRM.items() if kind == pl.Float64}
    return {
        **blank,
        **dict.fromkeys(("company_id", "symbol", "name"), name),
        **{"stage": stage, "kind": kind, "note": None, "weight": 0.25, "market_cap_usd": 1e9},
        **{"assumed": kind != "seller", "share_assumed": False, **numbers},
    }


def invented() -> Firms:
    rows = [
        firm("bare", "seller", "processor", ndpr_kg=5e6, unit_cost=49.0, ndpr_share=0.8),
        firm(
            *("floored", "seller", "processor"),
            **{"ndpr_kg": 5e6, "unit_cost": 49.0, "ndpr_share": 0.8, "floored_share": 1.0, "floor": 110.0},
            floor_years=9.0,
        ),
        firm(
            *("magnets", "consumer", "magnet_maker"),
            **{"oxide_kg": 1e6, "magnet_kg": 3e6, "feed_floored_share": 0.4, "feed_floor": 110.0},
            feed_floor_years=12.0,
        ),
        firm("project", "project", "developer", elasticity=1.8),
    ]
    measure = {
        **{"id": "A", "company_id": "floored", "as_floor": True, "bears": "treasury", "sponsor": "US-DoD"},
        **{"floor": 110.0, "years_left": 9.0, "volume_kg": None, "note": None},
    }
    schema = {"volume_kg": pl.Float64, "note": pl.String}
    return Firms(pl.DataFrame(rows, FIRM), pl.DataFrame(schema=INPUT), pl.DataFrame([measure], schema_overrides=schema))


def ran(folder: Path, assumptions: Assumptions, name: str) -> Worksheet:
    return worksheet(invented(), scenario(folder, name), assumptions)


def test_the_fall_of_40_percent_by_hand(folder: Path, assumptions: Assumptions) -> None:
    sheet = ran(folder, assumptions, "ndpr-40")
    found = {row["symbol"]: row for row in sheet.companies.to_dicts()}
    bare = 5e6 * (FALLEN - MARKET) * ANNUITY / 1e9
    assert found["bare"]["cash_flow_with"] == found["bare"]["cash_flow_without"] == pytest.approx(bare)
    assert found["floored"]["cash_flow_with"] == 0.0
    assert found["floored"]["cash_flow_without"] == pytest.approx(bare)
    market = 1e6 * (1 - 0.8) * (MARKET - FALLEN)
    assert found["magnets"]["cash_flow_without"] == pytest.approx(market * ANNUITY / 1e9)
    with_floor = market - 0.4 * 1e6 * (MARKET - FALLEN)
    assert found["magnets"]["cash_flow_with"] == pytest.approx(with_floor * ANNUITY / 1e9)
    still = annuity_factor(tax=0.25, discount=0.09, decay=0.0, years=8)
    project = -0.4 * 1.8 * ANNUITY / still
    assert found["project"]["cash_flow_with"] == pytest.approx(project)
    row = sheet.index.row(0, named=True)
    index = 0.25 * (bare + with_floor * ANNUITY / 1e9 + project)
    assert row["with_measures"] == pytest.approx(index)
    assert row["dampener"] == pytest.approx(row["with_measures"] - row["without_measures"])
    assert row["covered_weight"] == 1.0
    assert row["assumed_weight"] == 0.5


def test_the_revenue_rule_by_hand(folder: Path, assumptions: Assumptions) -> None:
    rows = ran(folder, assumptions, "ndpr-40").companies
    assert rows["revenue_with"].to_list() == pytest.approx([-0.32, 0.0, 0.0, -0.72])
    assert rows["revenue_without"].to_list() == pytest.approx([-0.32, -0.32, 0.0, -0.72])
    haircut = ran(folder, assumptions, "sponsor-haircut").companies
    assert haircut["revenue_with"][1] == pytest.approx(-0.32 * 0.3)


def test_a_repealed_floor_costs_what_it_paid_and_relieves_who_paid(folder: Path, assumptions: Assumptions) -> None:
    sheet = ran(folder, assumptions, "floor-repealed")
    found = {row["symbol"]: row for row in sheet.companies.to_dicts()}
    assert found["floored"]["change_usd_with"] == pytest.approx(-5e6 * 15)
    assert found["magnets"]["change_usd_with"] == pytest.approx(0.4e6 * 15)
    assert sheet.companies["cash_flow_without"].to_list() == [0.0, 0.0, 0.0, 0.0]
    paid = sheet.payers.row(0, named=True)
    assert (paid["bears"], paid["usd_before"], paid["usd_after"]) == ("treasury", 75e6, 0.0)


def test_the_treasury_pays_more_when_the_price_falls(folder: Path, assumptions: Assumptions) -> None:
    paid = ran(folder, assumptions, "ndpr-40").payers.row(0, named=True)
    assert paid["usd_after"] == pytest.approx(5e6 * (110 - FALLEN))


def test_a_floor_helps_only_while_it_stands(folder: Path, assumptions: Assumptions) -> None:
    held = invented()
    short = held.table.with_columns(floor_years=pl.lit(2.0))
    sheet = worksheet(Firms(short, held.inputs, held.measures), scenario(folder, "ndpr-40"), assumptions)
    two = annuity_factor(tax=0.25, discount=0.09, decay=0.35, years=2)
    expected = 5e6 * (FALLEN - MARKET) * (ANNUITY - two) / 1e9
    assert sheet.companies["cash_flow_with"][1] == pytest.approx(expected)


def test_a_common_floor_burdens_the_magnet_stage(folder: Path, assumptions: Assumptions) -> None:
    found = {row["symbol"]: row for row in ran(folder, assumptions, "allied-price-floor-bloc").companies.to_dicts()}
    assert found["bare"]["change_usd_with_floor"] == pytest.approx(5e6 * 15)
    assert found["bare"]["change_usd_without"] == pytest.approx(5e6 * (FALLEN - MARKET))
    fed = 1e6 * (0.8 * (FALLEN - MARKET) - (110 - (0.4 * 110 + 0.6 * 95)))
    assert found["magnets"]["change_usd_with_floor"] == pytest.approx(fed)
    assert found["project"]["cash_flow_with_floor"] > 0 > found["project"]["cash_flow_without"]


def test_a_floor_that_is_not_in_force_is_no_measure(folder: Path, assumptions: Assumptions) -> None:
    """A fall of 40 % costs the same with the measures in force, whatever floor the scenario supposes on top."""
    bloc, plain = (ran(folder, assumptions, name) for name in ("allied-price-floor-bloc", "ndpr-40"))
    columns = ["with_measures", "without_measures", "dampener"]
    for sheets in ((bloc.index, plain.index), (bloc.stages, plain.stages)):
        found, expected = (
            sheet.filter((pl.col("decay") == 0.35) & (pl.col("floors_repealed") == 0)).select(columns).unique()
            for sheet in sheets
        )
        assert found.sort(columns).rows() == expected.sort(columns).rows()
    own = bloc.companies.select((pl.col("weight") * pl.col("cash_flow_with_floor")).sum()).item()
    head = bloc.index.row(0, named=True)
    assert head["with_scenario_floor"] == pytest.approx(own)
    assert head["with_scenario_floor"] > head["with_measures"] > head["without_measures"]
    assert bloc.index.filter(pl.col("rule") == "revenue")["with_scenario_floor"].null_count() == bloc.index.height / 2
    assert plain.index["with_scenario_floor"].null_count() == plain.index.height


def test_a_stage_that_sells_nothing_has_no_figure(folder: Path, assumptions: Assumptions) -> None:
    held = invented()
    none = pl.when(pl.col("stage") == "processor").then(0.0)
    silent = held.table.with_columns(none.otherwise(pl.col(name)).alias(name) for name in ("ndpr_kg", "ndpr_share"))
    sheet = worksheet(Firms(silent, held.inputs, held.measures), scenario(folder, "ndpr-40"), assumptions)
    rows = sheet.stages.filter(pl.col("decay") == 0.35)
    for row in rows.filter(pl.col("stage") == "processor").to_dicts():
        assert (row["with_measures"], row["without_measures"], row["dampener"]) == (None, None, None)
        assert "sell no NdPr yet" in row["note"]
    others = rows.filter(pl.col("stage") != "processor")
    assert others["with_measures"].null_count() == others["note"].len() - others["note"].null_count() == 0
    one = held.table.with_columns(ndpr_kg=pl.when(pl.col("symbol") == "bare").then(0.0).otherwise("ndpr_kg"))
    mixed = worksheet(Firms(one, held.inputs, held.measures), scenario(folder, "ndpr-40"), assumptions)
    assert mixed.stages["with_measures"].null_count() == 0


def test_below_half_of_the_weight_there_is_no_figure(folder: Path, assumptions: Assumptions) -> None:
    held = invented()
    gone = pl.when(pl.col("symbol") == "bare").then("kind")
    few = Firms(held.table.with_columns(kind=gone), held.inputs, held.measures)
    row = worksheet(few, scenario(folder, "ndpr-40"), assumptions).index.row(0, named=True)
    assert row["with_measures"] is None
    assert row["note"] == "only 25% of the weight can be computed by this rule"


def test_opinion_is_carried_and_measures_change_nothing_there(folder: Path, assumptions: Assumptions) -> None:
    index = ran(folder, assumptions, "essay-2040-50").index
    assert index["opinion"].all()
    assert index["dampener"][0] == 0.0
    half, third = (ran(folder, assumptions, f"essay-2040-{name}").companies for name in (50, 30))
    ratio = half["cash_flow_with"][0] / third["cash_flow_with"][0]
    assert ratio == pytest.approx((0.5 / 0.1 - 1) / (0.3 / 0.1 - 1))


def test_a_floor_counts_from_the_day_that_it_pays(root: Path) -> None:
    reference = read_reference(root / "indices" / "reference")
    tables = reference.policy_measures, reference.sponsors

    def floors(day: date) -> dict[str, str | None]:
        found = measures_counted(*tables, day).filter(pl.col("instrument") == "price_floor")
        return dict(found.select("id", "note").iter_rows())

    assert "MP-DOW-2025-FLOOR" not in floors(date(2025, 7, 9))
    assert floors(date(2025, 7, 10))["MP-DOW-2025-FLOOR"] == "begins on 2025-10-01"
    assert floors(date(2025, 10, 1))["MP-DOW-2025-FLOOR"] is None
    late = floors(date(2026, 9, 1))
    assert late["LYC-JARE-2026-FLOOR"] is None
    assert late["LYC-DOW-2026-FLOOR"] == "only conditional"
    bears = measures_counted(*tables, date(2026, 9, 1)).filter("as_floor").select("id", "bears")
    assert dict(bears.iter_rows()) == {"LYC-JARE-2026-FLOOR": "magnet_maker", "MP-DOW-2025-FLOOR": "treasury"}
