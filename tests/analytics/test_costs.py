"""Turnover, explicit costs, impact and after-cost levels: the shared answer, published tax facts, and invariants."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.analytics import costs
from exchina.calculation.weights import one_way_turnover
from exchina.errors import DataError
from exchina.reference import read_reference
from tests.answers.honesty_costs import ANSWERED

BASKETS = st.lists(st.floats(0.001, 1.0), min_size=3, max_size=3).map(lambda raw: np.array(raw) / sum(raw))


@pytest.fixture(scope="module")
def h12(shared: Path) -> dict[str, Any]:
    cases = json.loads((shared / "cases" / "honesty_cases.json").read_text())["cases"]
    return next(case for case in cases if case["id"] == "H12")


def test_turnover_and_drag_are_those_of_the_shared_answer(h12: dict[str, Any]) -> None:
    found = ANSWERED["H12"](h12["inputs"])
    assert found.keys() == h12["expected"].keys()
    for name, value in h12["expected"].items():
        assert found[name] == pytest.approx(value, rel=h12["tolerance_rel"]), name
    wrong = h12["wrong_values"]["one_way_turnover_against_old_target"]
    assert abs(found["one_way_turnover"] - wrong) > 0.05


@given(BASKETS, BASKETS)
def test_one_way_turnover_is_that_of_the_calculator(new: np.ndarray, drifted: np.ndarray) -> None:
    names = ("a", "b", "c")
    both = [dict(zip(names, weights.tolist(), strict=True)) for weights in (new, drifted)]
    assert costs.one_way_turnover(new, drifted) == pytest.approx(one_way_turnover(*both), abs=1e-15)
    assert 0 <= costs.one_way_turnover(new, drifted) <= 1


@given(BASKETS, st.lists(st.floats(-0.9, 3.0), min_size=3, max_size=3).map(np.array))
def test_weights_drift_as_holdings_do(weights: np.ndarray, returns: np.ndarray) -> None:
    holdings = 1e6 * weights * (1 + returns)
    assert costs.drifted_weights(weights, returns) == pytest.approx(holdings / holdings.sum(), rel=1e-12)


@pytest.mark.parametrize(
    ("weights", "returns", "said"),
    [
        ([0.5, 0.6], [0.0, 0.0], "sum to 1.1, not to 1"),
        ([1.5, -0.5], [0.0, 0.0], "a weight is unknown or below zero"),
        ([0.5, 0.5], [0.0, np.nan], "one is unknown or below -1"),
        ([0.5, 0.5], [-1.0, -1.0], "nothing is left"),
    ],
)
def test_weights_that_cannot_drift_are_refused(weights: list[float], returns: list[float], said: str) -> None:
    with pytest.raises(DataError, match=said):
        costs.drifted_weights(np.array(weights), np.array(returns))


@pytest.fixture(scope="module")
def model(root: Path) -> costs.CostModel:
    return costs.CostModel(read_reference(root / "indices" / "reference").trading_costs)


def test_every_venue_has_costs_and_every_row_says_that_it_is_assumed(root: Path, model: costs.CostModel) -> None:
    venues = read_reference(root / "indices" / "reference").venues["mic"]
    assert sorted(model.venues["mic"]) == sorted(venues)
    assert set(model.venues["confidence"]) == {"assumption"}


def test_stamp_duty_falls_on_british_shares_of_the_main_market_and_on_purchases_alone(model: costs.CostModel) -> None:
    rates = costs.rates_of(model, ["XLON", "XLON", "XLON", "AIMX", "XKOS"], ["GB", "GG", None, "GB", "KR"])
    assert (rates.buy - rates.sell) / costs.BP == pytest.approx([50, 0, 50, 0, -20])


def test_a_venue_without_costs_is_named(model: costs.CostModel) -> None:
    with pytest.raises(DataError, match=r"trading_costs\.csv XLOM: no row for this venue \(add what a trade costs"):
        costs.rates_of(model, ["XLOM", "XASX"], ["GB", "AU"])


def test_a_switch_pays_the_tax_of_each_side() -> None:
    rates = costs.Rates(buy=np.array([0.006, 0.001]), sell=np.array([0.001, 0.003]))
    cost = costs.dealing_cost(np.array([1.0, 0.0]), np.array([0.0, 1.0]), rates)
    assert cost == pytest.approx(0.006 + 0.003)


@given(st.floats(1e5, 1e10), st.floats(0.1, 2.0))
def test_twice_the_fund_is_root_two_times_the_impact(fund: float, y: float) -> None:
    traded, adv, sigma = np.array([0.2, 0.0, 0.1]), np.array([1e6, 5e6, 2e5]), np.array([0.03, 0.01, 0.05])
    once, twice = (costs.impact_cost(traded, size, adv, sigma, y) for size in (fund, 2 * fund))
    assert twice / once == pytest.approx(np.sqrt(2), rel=1e-14)


def test_an_order_of_one_adv_costs_y_sigma() -> None:
    found = costs.impact_per_dollar(np.array([3e6]), np.array([3e6]), np.array([0.04]), 0.7)
    assert found == pytest.approx([0.028], rel=1e-15)


def levels() -> pl.DataFrame:
    days = [date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7), date(2026, 1, 8)]
    return pl.DataFrame({"session": days, "level": [1000.0, 1100.0, 1100.0, 1210.0]})


def test_costs_are_taken_at_the_close_of_each_rebalance_and_compound() -> None:
    taken = pl.DataFrame({"session": [date(2026, 1, 8), date(2026, 1, 6)], "cost": [0.02, 0.01]})
    found = costs.after_costs(levels(), taken)
    assert found["level"].to_list() == levels()["level"].to_list()
    assert found["after_costs"].to_list() == pytest.approx([1000, 1089, 1089, 1210 * 0.99 * 0.98], rel=1e-15)


def test_a_rebalance_before_the_first_level_costs_nothing_of_it() -> None:
    taken = pl.DataFrame({"session": [date(2025, 12, 19)], "cost": [0.5]})
    assert costs.after_costs(levels(), taken)["after_costs"].to_list() == levels()["level"].to_list()


def test_every_impossible_cost_is_named() -> None:
    taken = pl.DataFrame(
        {"session": [date(2026, 1, 6), date(2026, 1, 10), date(2026, 1, 7)], "cost": [1.0, 0.01, None]}
    )
    with pytest.raises(DataError) as fault:
        costs.after_costs(levels(), taken)
    assert [problem.where for problem in fault.value.problems] == [
        "cost of 2026-01-06",
        "cost of 2026-01-07",
        "cost of 2026-01-10",
    ]


def test_returns_before_and_after_costs_stand_side_by_side() -> None:
    taken = pl.DataFrame({"session": [date(2026, 1, 6)], "cost": [0.01]})
    whole = costs.after_costs(levels(), taken).with_columns(variant=pl.lit("PR"))
    (row,) = costs.returns_after_costs(whole).rows(named=True)
    assert row["gross"] == pytest.approx(0.21)
    assert row["after_costs"] == pytest.approx(1.21 * 0.99 - 1)


def test_four_equal_rebalances_a_year_add_up() -> None:
    assert costs.annual_drag(np.full(4, 0.001), 1.0) == pytest.approx(0.004)
    assert costs.annual_drag(np.full(4, 0.001), 2.0) == pytest.approx(0.002)


def test_a_name_that_the_answers_do_not_know_fails_by_name() -> None:
    with pytest.raises(KeyError, match="H13 holds none of dw"):
        ANSWERED["H13"]({"moved": [0.1]})


def test_the_answer_to_a_capacity_case_by_hand() -> None:
    """5 % in a line of 1m a day: 0.3m is 5 % of 6m; 0.05 x 0.5 x 0.04 x sqrt(Q / 1m) is 25 bp at Q = 6.25m."""
    given = {"dw": [0.05], "adv_usd": [1e6], "sigma": [0.04], "Y": 0.5, "participation": 0.1, "days": 3}
    found = ANSWERED["H13"]({**given, "cost_limit_bp": 25})
    assert found["capacity_participation_usd"] == pytest.approx(6e6)
    assert found["capacity_cost_limit_usd"] == pytest.approx(6.25e6 / 0.05)


@pytest.mark.parametrize("impact", [-1.0, 0.0, float("nan"), float("inf")])
def test_an_impact_that_is_none_is_refused(model: costs.CostModel, impact: float) -> None:
    with pytest.raises(DataError, match="CostModel.impact: found .* above 0"):
        costs.CostModel(model.venues, impact=impact)


def test_a_review_that_costs_all_the_fund_says_what_to_do() -> None:
    dear = pl.DataFrame({"session": [date(2026, 1, 6)], "cost": [1.2]})
    with pytest.raises(DataError, match="ask for a smaller one"):
        costs.after_costs(levels(), dear)
