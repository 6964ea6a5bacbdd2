"""Weightings against their formulas written out by hand, nested schemes, and facts that are not known."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.rules.registers import REGISTERS
from exchina.tables.reference_words import STAGES

WEIGHT = REGISTERS["weight"]


def companies(**columns: list[object]) -> pl.DataFrame:
    count = len(next(iter(columns.values())))
    return pl.DataFrame({"review": [1] * count, **columns})


def checked(name: str, **settings: object) -> dict[str, object]:
    found, problems = WEIGHT.checked_settings(f"weight.{name}", name, settings)
    assert problems == []
    return found


def problems(name: str, **settings: object) -> list[str]:
    return [str(problem) for problem in WEIGHT.checked_settings(f"weight.{name}", name, settings)[1]]


def test_square_root_of_free_float_value() -> None:
    table = companies(free_float_market_cap_usd=[9e9, 4e9, 1e9])
    assert WEIGHT["free_float_cap"](table, power=0.5).to_list() == pytest.approx([3 / 6, 2 / 6, 1 / 6])


@pytest.mark.parametrize(
    ("name", "column"),
    [("free_float_cap", "free_float_market_cap_usd"), ("market_cap", "market_cap_usd"), ("price", "close_usd")],
)
@pytest.mark.parametrize("unknown", [None, float("nan"), float("inf"), 0.0, -1.0])
def test_a_size_that_is_not_known_is_no_weight(name: str, column: str, unknown: float | None) -> None:
    table = companies(**{column: [3.0, 1.0, unknown], "policy_score": [0.0, 0.0, 1.0]})
    assert WEIGHT[name](table).to_list() == [0.75, 0.25, None]


def test_a_power_of_zero_does_not_let_the_unknown_in() -> None:
    assert WEIGHT["market_cap"](companies(market_cap_usd=[5.0, 0.0, 7.0]), power=0.0).to_list() == [0.5, None, 0.5]


def test_tiers_take_the_best_commitment_that_binds_enough() -> None:
    def one(instrument: str, status: str, bind: float) -> dict[str, object]:
        return {"instrument": instrument, "status": status, "bind": bind}

    floor, letter, offtake = (
        one("price_floor", "signed", 0.8),
        one("price_floor", "letter_of_interest", 0.15),
        one("offtake", "closed", 0.9),
    )
    table = companies(commitments=[[floor, offtake], [letter, offtake], [letter], None])
    settings = checked("tiers", multipliers={"price_floor": 3, "offtake": 2}, within="equal")
    assert WEIGHT["tiers"](table, **settings).to_list() == pytest.approx([3 / 7, 2 / 7, 1 / 7, 1 / 7])


@pytest.mark.parametrize(
    ("shape", "strength", "expected"),
    [
        ("linear", 1.0, [1.0, 1.5, 2.0]),
        ("linear", -2.0, [1.0, 0.0, 0.0]),
        ("power", 2.0, [0.0, 0.25, 1.0]),
        ("exponential", 1.0, [1.0, math.exp(0.5), math.e]),
        ("z_score", 1.0, [1 / (1 + math.sqrt(1.5)), 1.0, 1 + math.sqrt(1.5)]),
    ],
)
def test_tilts(shape: str, strength: float, expected: list[float]) -> None:
    table = companies(policy_score=[0.0, 0.5, 1.0])
    settings = checked("tilt", by="policy_score", shape=shape, strength=strength, within="equal")
    whole = sum(expected)
    assert WEIGHT["tilt"](table, **settings).to_list() == pytest.approx([one / whole for one in expected])


def test_a_tilt_by_z_score_is_clipped_and_calm_where_nothing_differs() -> None:
    table = companies(policy_score=[0.0] * 9 + [1.0])
    clipped = WEIGHT["tilt"](table, by="policy_score", shape="z_score", clip_at=1.0, within="equal")
    assert clipped[9] / clipped[0] == pytest.approx(2 * (1 + 1 / 3))
    same = WEIGHT["tilt"](companies(policy_score=[0.4] * 4), by="policy_score", shape="z_score", within="equal")
    assert same.to_list() == [0.25] * 4


def test_an_unknown_tilt_is_no_weight_unless_the_rulebook_says_what_it_is() -> None:
    table = companies(china_revenue_share=[0.0, None])
    settings = {"by": "china_revenue_share", "strength": -1.0, "within": "equal"}
    assert WEIGHT["tilt"](table, **settings).to_list() == [1.0, None]
    assert WEIGHT["tilt"](table, **settings, unknown_multiplier=0.5).to_list() == pytest.approx([2 / 3, 1 / 3])


def test_inverse_volatility_counts_the_last_sessions_only() -> None:
    rng = np.random.default_rng(5)
    calm, wild = rng.normal(0, 0.01, 252), rng.normal(0, 0.04, 252)
    table = companies(daily_returns=[list(calm), list(wild), list(calm[:30]), [0.0] * 252, None])
    found = WEIGHT["inverse_volatility"](table, sessions=100)
    ratio = wild[-100:].std(ddof=1) / calm[-100:].std(ddof=1)
    assert found[0] / found[1] == pytest.approx(ratio)
    assert found[2:].to_list() == [None] * 3


def test_score_times_value() -> None:
    table = companies(free_float_market_cap_usd=[100.0, 400.0, 100.0], policy_score=[1.0, 0.25, 0.0])
    assert WEIGHT["score"](table).to_list() == [0.5, 0.5, 0.0]
    assert WEIGHT["score"](table, plus=1.0, power=0.5).to_list() == pytest.approx([20 / 55, 25 / 55, 10 / 55])


def test_every_stage_can_have_a_share() -> None:
    table = companies(stage=list(STAGES), free_float_market_cap_usd=[1.0] * len(STAGES))
    shares = {stage.replace("/", "_"): number / 36 for number, stage in enumerate(STAGES, 1)}
    assert WEIGHT["stage_buckets"](table, **checked("stage_buckets", **shares)).to_list() == pytest.approx(
        [number / 36 for number in range(1, 9)]
    )


def test_an_empty_bucket_spills_in_proportion_or_equally() -> None:
    table = companies(country=["AU", "US", "US"])
    shares = {"AU": 0.2, "US": 0.5, "JP": 0.3}
    within = {"by": "country", "shares": shares, "within": "equal"}
    assert WEIGHT["buckets"](table, **within).to_list() == pytest.approx([2 / 7, 2.5 / 7, 2.5 / 7])
    assert WEIGHT["buckets"](table, **within, spill="equally").to_list() == pytest.approx([0.35, 0.325, 0.325])


def test_a_bucket_whose_sizes_are_unknown_is_empty_and_an_unknown_bucket_no_weight() -> None:
    table = companies(
        rare_earth_exposure=["pure", "marginal", None, "quasi"], free_float_market_cap_usd=[5.0, None, 5.0, 5.0]
    )
    settings = checked("buckets", by="rare_earth_exposure", shares={"pure": 0.6, "marginal": 0.4})
    assert WEIGHT["buckets"](table, **settings).to_list() == [1.0, None, None, 0.0]
    settings |= {"spill": "equally"}
    assert WEIGHT["buckets"](table, **settings).to_list() == [1.0, None, None, 0.0]


def test_a_scheme_sees_each_bucket_alone() -> None:
    """A z-score within a bucket is measured on that bucket; a bucket within a bucket spills within it."""
    table = companies(stage=["producer"] * 2 + ["processor"] * 2, policy_score=[0.0, 0.1, 0.8, 1.0])
    tilt = {"tilt": {"by": "policy_score", "shape": "z_score", "within": "equal"}}
    found = WEIGHT["buckets"](table, by="stage", shares={"producer": 0.5, "processor": 0.5}, within=tilt)
    assert found.to_list() == pytest.approx([0.1, 0.4, 0.1, 0.4])
    mixed = companies(stage=["producer", "processor", "producer"], country=["AU", "AU", "US"])
    nested = {"stage_buckets": {"producer": 0.3, "processor": 0.7, "within": "equal"}}
    found = WEIGHT["buckets"](mixed, by="country", shares={"AU": 0.5, "US": 0.5}, within=nested)
    assert found.to_list() == pytest.approx([0.15, 0.35, 0.5])


def test_a_blend_is_a_mixture() -> None:
    table = companies(free_float_market_cap_usd=[16.0, 1.0], policy_score=[0.0, 0.0])
    half = {"scheme": {"free_float_cap": {"power": 0.5}}, "share": 0.25}
    settings = checked("blend", parts=[{"scheme": "equal", "share": 0.75}, half])
    assert WEIGHT["blend"](table, **settings).to_list() == pytest.approx([0.75 / 2 + 0.2, 0.75 / 2 + 0.05])


def test_every_fault_of_a_nested_scheme_is_told_at_its_place() -> None:
    within = {"tilt": {"by": "polcy_score", "strenght": 1.0, "within": {"free_float_cap": {"power": 3}}}}
    told = problems("stage_buckets", producer=1.0, within=within)
    place = "weight.stage_buckets.within.tilt"
    assert any(one.startswith(f"{place}.by: ") and "'polcy_score'" in one for one in told)
    assert any(one.startswith(f"{place}.strenght: ") and "did you mean 'strength'" in one for one in told)
    assert any(one.startswith(f"{place}.within.free_float_cap.power: ") and one.count("found 3") == 1 for one in told)
    assert len(told) == 3


@pytest.mark.parametrize(
    ("within", "said"),
    [
        ("free_float", "no weighting called 'free_float' (did you mean 'free_float_cap'?)"),
        ({"equal": {}, "price": {}}, "write the name of one weighting"),
        ({"equal": 3}, "write { name = { settings } }"),
        (7, "write the name of one weighting"),
        ("tilt", "by: this setting is required"),
    ],
)
def test_a_scheme_is_a_name_or_one_table(within: object, said: str) -> None:
    assert any(said in one for one in problems("stage_buckets", producer=1.0, within=within))


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("buckets", {"by": "stage", "shares": {"producr": 1.0}}, "did you mean 'producer'"),
        ("buckets", {"by": "country", "shares": {"Australia": 1.0}}, "two capital letters"),
        ("buckets", {"by": "country", "shares": {"AU": 0.9}}, "sum to 0.9"),
        ("stage_buckets", {"producer": 0.5}, "sum to 0.5"),
        ("blend", {"parts": [{"scheme": "equal", "share": 0.5}]}, "sum to 0.5"),
        ("blend", {"parts": [{"scheme": "equel", "share": 1}]}, "parts.0.scheme.equel"),
        ("tilt", {"by": "market_cap_usd", "shape": "linear"}, "power or z_score"),
        ("tilt", {"by": "policy_score", "shape": "power", "strength": -1}, "from 0 up"),
        ("inverse_volatility", {"sessions": 20}, "above sessions"),
    ],
)
def test_settings_that_contradict_each_other(name: str, settings: dict[str, object], said: str) -> None:
    assert any(said in one for one in problems(name, **settings))


@given(
    sizes=st.lists(st.none() | st.floats(1.0, 1e12), min_size=1, max_size=12),
    stages=st.lists(st.sampled_from(STAGES), min_size=12, max_size=12),
)
def test_weights_sum_to_one_or_are_all_missing(sizes: list[float | None], stages: list[str]) -> None:
    table = companies(free_float_market_cap_usd=sizes, stage=stages[: len(sizes)]).with_columns(
        pl.col("free_float_market_cap_usd").cast(pl.Float64), policy_score=pl.lit(0.5)
    )
    shares = dict.fromkeys(STAGES, 1 / len(STAGES))
    for spill in ("in_proportion", "equally"):
        found = WEIGHT["buckets"](table, by="stage", shares=shares, spill=spill)
        assert found.null_count() == len([one for one in sizes if one is None])
        assert found.sum() == pytest.approx(1.0 if found.count() else 0.0, abs=1e-12)
        assert not found.is_nan().any()
