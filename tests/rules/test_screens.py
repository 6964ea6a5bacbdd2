"""What each screen lets in, by hand: levels to enter and to stay, unknown facts, and settings that clash."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from exchina.rules.registers import REGISTERS
from tests.every.universe import universe

SCREEN = REGISTERS["screen"]


def judged(name: str, columns: dict[str, list[Any]], **settings: Any) -> pl.DataFrame:
    table = pl.DataFrame(columns)
    if "is_member" not in table.columns:
        table = table.with_columns(is_member=pl.lit(False))
    return SCREEN[name](table, **settings)


def passed(name: str, columns: dict[str, list[Any]], **settings: Any) -> list[bool]:
    return judged(name, columns, **settings)["passed"].to_list()


def fault(name: str, **settings: Any) -> str:
    problems = SCREEN.checked_settings(f"screen.{name}", name, settings)[1]
    return "; ".join(str(problem) for problem in problems)


LEVELS = [
    ("market_cap", "market_cap_usd", {"at_least_usd": 150e6, "members_at_least_usd": 75e6}, 100e6, 160e6),
    ("free_float", "free_float_factor", {"at_least_factor": 0.15, "members_at_least_factor": 0.1}, 0.12, 0.2),
    ("foreign_room", "foreign_room", {"at_least_fraction": 0.15, "members_at_least_fraction": 0.1}, 0.12, 0.2),
    ("price_history", "price_sessions", {"sessions_at_least": 252, "members_sessions_at_least": 100}, 200, 252),
    ("seasoning", "seasoned_months", {"months_at_least": 3, "members_months_at_least": 1}, 2, 3),
    ("seasoning", "seasoned_sessions", {"sessions_at_least": 63, "members_sessions_at_least": 0}, 62, 63),
    ("revenue_share", "revenue_share_rare_earth", {}, 0.3, 0.5),
]


@pytest.mark.parametrize(("name", "column", "settings", "between", "enough"), LEVELS)
def test_entry_is_higher_than_stay(
    name: str, column: str, settings: dict[str, Any], between: float, enough: float
) -> None:
    others = {"float_basis": ["reported"] * 3, "stage": ["producer"] * 3, "seasoned_on": [date(2025, 3, 14)] * 3}
    table = {column: [between, between, enough], "is_member": [True, False, False], **others}
    assert passed(name, table, **settings) == [True, False, True]


@pytest.mark.parametrize(("name", "column", "settings"), [level[:3] for level in LEVELS])
def test_an_unknown_value_never_passes_in_silence(name: str, column: str, settings: dict[str, Any]) -> None:
    kind = pl.Float64 if "fraction" in str(settings) or "factor" in str(settings) or not settings else pl.Int64
    table = pl.DataFrame({column: [None], "float_basis": ["reported"], "stage": ["producer"], "is_member": [True]})
    table = table.with_columns(pl.col(column).cast(kind), seasoned_on=pl.lit(None, pl.Date))
    verdict = SCREEN[name](table, **settings).row(0, named=True)
    assert verdict["found"] == "unknown"
    assert not verdict["passed"] or "unknown" in verdict["note"]


@pytest.mark.parametrize("name", ["free_float", "foreign_room", "revenue_share"])
def test_what_unknown_means_is_a_setting(name: str) -> None:
    column = {"free_float": "free_float_factor", "revenue_share": "revenue_share_rare_earth"}.get(name, name)
    needed = {"free_float": {"at_least_factor": 0.1}, "foreign_room": {"at_least_fraction": 0.1}}.get(name, {})
    table = pl.DataFrame({column: [None], "float_basis": [None], "stage": ["producer"], "is_member": [False]})
    table = table.with_columns(pl.col(column).cast(pl.Float64))
    for unknown in ("fail", "pass_and_flag"):
        verdict = SCREEN[name](table, **needed, unknown=unknown).row(0, named=True)
        assert verdict["passed"] == (unknown == "pass_and_flag")
        assert verdict["note"] is not None


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        (
            "market_cap",
            {"at_least_usd": 1e6, "members_at_least_usd": 2e6},
            "members would need 2,000,000",
        ),
        (
            "free_float",
            {"at_least_factor": 0.1, "members_at_least_factor": 0.2},
            "members would need 0.2",
        ),
        ("revenue_share", {"at_least_fraction": 0.2}, "members would need 0.25, newcomers only 0.2"),
        ("seasoning", {}, "give either sessions_at_least or months_at_least"),
        ("seasoning", {"months_at_least": 3, "sessions_at_least": 63}, "give either"),
        ("seasoning", {"months_at_least": 3, "members_sessions_at_least": 1}, "members_sessions_at_least goes with"),
        ("daily_traded_value", {"at_least_usd": 1, "sessions": 100, "windows": 3}, "more than the 252 sessions"),
        (
            "daily_traded_value",
            {"at_least_usd": 1, "median_of_sessions": 63, "sessions": 63},
            "in one; give it",
        ),
        ("daily_traded_value", {"at_least_usd": 1, "median_of_sessions": 63, "measure": "mean"}, "in one"),
        ("traded_value_ratio", {"at_least_ratio": 0.2, "months": [6]}, "months"),
        ("traded_value_ratio", {"at_least_ratio": 0.2, "months": []}, "at least one span"),
        ("china_dependence", {}, "give at least one of domicile"),
        ("china_dependence", {"members_revenue_at_most": 0.5, "domicile": True}, "goes with revenue_at_most"),
        ("china_dependence", {"revenue_at_most": 0.5, "members_revenue_at_most": 0.2}, "more strictly"),
        ("china_dependence", {"operations_at_most": "minor", "members_operations_at_most": "none"}, "more strictly"),
        ("china_dependence", {"operations_at_most": "some"}, "operations_at_most"),
        ("listing_venue", {"any_of": ["ASX"]}, "any_of"),
        ("listing_venue", {"any_of": []}, "any_of"),
    ],
)
def test_settings_that_clash_are_told(name: str, settings: dict[str, Any], said: str) -> None:
    assert said in fault(name, **settings)


def test_the_settings_of_the_rulebooks_still_hold() -> None:
    assert fault("daily_traded_value", at_least_usd=1e5, members_at_least_usd=6e4, median_of_sessions=63) == ""
    assert fault("china_dependence", revenue_at_most=0.5, unknown="pass_and_flag") == ""
    assert fault("china_dependence", ownership_at_most=0.05, unknown={"ownership": "fail"}, domicile=["CN", "HK"]) == ""


class TestDailyTradedValue:
    def test_mean_and_median_of_a_suspended_line(self) -> None:
        values = {"traded_values_usd": [[4.0, 0.0, 4.0, 0.0]]}
        assert passed("daily_traded_value", values, at_least_usd=2, measure="mean", sessions=4) == [True]
        assert passed("daily_traded_value", values, at_least_usd=2.01, measure="mean", sessions=4) == [False]
        assert passed("daily_traded_value", values, at_least_usd=2, sessions=3) == [False]

    def test_every_window_must_reach_the_threshold(self) -> None:
        values = {"traded_values_usd": [[9.0, 9, 1, 1, 9, 9], [1.0, 1, 9, 9, 9, 9]]}
        settings = {"at_least_usd": 5, "sessions": 2}
        assert passed("daily_traded_value", values, **settings) == [True, True]
        assert passed("daily_traded_value", values, **settings, windows=2) == [False, True]
        assert passed("daily_traded_value", values, **settings, windows=3) == [False, False]

    def test_a_young_line_is_judged_on_what_it_has_and_says_so(self) -> None:
        verdict = judged(
            "daily_traded_value", {"traded_values_usd": [[9.0, 9, 9]]}, at_least_usd=5, sessions=2, windows=3
        )
        assert verdict.row(0)[0] is True
        assert verdict["note"].item() == "only 2 of 3 windows"

    def test_unknown_volumes_are_left_out_and_said(self) -> None:
        table = pl.DataFrame({"traded_values_usd": [[9.0, None, 7.0], [None, None, None]]}).with_columns(
            is_member=False
        )
        verdict = SCREEN["daily_traded_value"](table, at_least_usd=8, measure="mean", sessions=3)
        assert verdict["passed"].to_list() == [True, False]
        assert verdict["found"].to_list()[1] == "unknown"
        assert verdict["note"].to_list() == [f"{count} sessions of unknown volume left out" for count in (1, 3)]


class TestTradedValueRatio:
    def table(self, *values: list[float | None], cap: float | None = 1e6) -> dict[str, list[Any]]:
        return {"traded_values_usd": list(values), "free_float_market_cap_usd": [cap] * len(values)}

    @given(seed=st.integers(0, 999), sessions=st.integers(21, 252), span=st.sampled_from([3, 12]))
    def test_it_is_the_mean_of_monthly_medians_times_twelve(self, seed: int, sessions: int, span: int) -> None:
        values = np.random.default_rng(seed).exponential(1000, sessions)
        months = [values[len(values) - 21 * (back + 1) :][:21] for back in range(min(span, sessions // 21))]
        ratio = 12 * np.mean([np.median(month) * 21 for month in months]) / 1e6
        for bar, wanted in ((ratio * (1 - 1e-9), True), (ratio * (1 + 1e-9), False)):
            table = self.table(values.tolist())
            assert passed("traded_value_ratio", table, at_least_ratio=bar, months=[span]) == [wanted]

    def test_both_spans_and_the_frequency_must_pass(self) -> None:
        old = [1000.0] * 189 + [0.0] * 63
        often = ([0.0] + [1000.0] * 2) * 84
        settings = {"at_least_ratio": 0.1}
        assert passed("traded_value_ratio", self.table(old, often), **settings) == [False, True]
        assert passed("traded_value_ratio", self.table(old), **settings, months=[12]) == [True]
        assert passed("traded_value_ratio", self.table(often), **settings, frequency_at_least=0.67) == [False]
        assert passed("traded_value_ratio", self.table(often), **settings, frequency_at_least=0.66) == [True]

    def test_what_is_unknown_fails(self) -> None:
        gaps: list[float | None] = [1000.0] * 100 + [None] + [1000.0] * 151
        verdict = judged("traded_value_ratio", self.table(gaps, [1000.0] * 20), at_least_ratio=0.0)
        assert verdict["passed"].to_list() == [False, False]
        assert verdict["found"].to_list() == ["unknown", "unknown"]
        assert verdict["note"].to_list()[1] == "only 0 of 12 months"
        assert passed("traded_value_ratio", self.table([1000.0] * 252, cap=None), at_least_ratio=0.0) == [False]


ALL = {"domicile": True, "ownership_at_most": 0.05, "operations_at_most": "minor", "revenue_at_most": 0.25}


class TestChinaDependence:
    def row(self, **facts: Any) -> pl.DataFrame:
        known = {
            "country": "AU",
            "china_domicile": False,
            "china_ownership_share": 0.0,
            "china_ownership_holder": None,
            "china_operations": "none",
            "china_revenue_share": 0.0,
            **{f"china_{aspect}_evidence": None for aspect in ("domicile", "ownership", "operations", "revenue")},
            "is_member": False,
        }
        kinds = {"china_ownership_share": pl.Float64, "china_operations": pl.String, "china_revenue_share": pl.Float64}
        kinds |= {name: pl.String for name in known if name.endswith(("_evidence", "_holder"))}
        return pl.DataFrame([known | facts], schema_overrides=kinds)

    def test_each_aspect_decides_alone(self) -> None:
        bad = {
            "china_domicile": True,
            "china_ownership_share": 0.06,
            "china_operations": "material",
            "china_revenue_share": 0.3,
        }
        assert SCREEN["china_dependence"](self.row(), **ALL)["passed"].item()
        for column, value in bad.items():
            verdict = SCREEN["china_dependence"](self.row(**{column: value}), **ALL).row(0, named=True)
            assert not verdict["passed"]
            assert verdict["note"].startswith(f"fails on {column.split('_')[1]}: ")

    def test_members_have_their_own_levels(self) -> None:
        facts = {"china_ownership_share": 0.08, "china_operations": "material", "china_revenue_share": 0.4}
        stay = {"ownership_at_most": 0.1, "operations_at_most": "material", "revenue_at_most": 0.5}
        bars = {f"members_{name}": bar for name, bar in stay.items()}
        for member in (False, True):
            verdict = SCREEN["china_dependence"](self.row(**facts, is_member=member), **ALL, **bars)
            assert verdict["passed"].item() == member

    def test_unknown_is_judged_aspect_by_aspect(self) -> None:
        silent = self.row(china_operations=None, china_revenue_share=None)
        for unknown, wanted, note in (
            ("pass_and_flag", True, "operations unknown; revenue unknown"),
            ("fail", False, "fails on operations: unknown; fails on revenue: unknown"),
            ({"revenue": "fail"}, False, "operations unknown; fails on revenue: unknown"),
            ({"ownership": "fail"}, True, "operations unknown; revenue unknown"),
        ):
            verdict = SCREEN["china_dependence"](silent, **ALL, unknown=unknown).row(0, named=True)
            assert (verdict["passed"], verdict["note"]) == (wanted, note)

    def test_the_verdict_is_whole(self) -> None:
        facts = {"china_ownership_share": 0.0999, "china_ownership_holder": "Shenghe", "china_revenue_share": None}
        evidence = {"china_ownership_evidence": "bought 9.99%"}
        verdict = SCREEN["china_dependence"](self.row(**facts, **evidence), **ALL).row(0, named=True)
        assert verdict["found"] == "domicile AU; ownership 9.99 % by Shenghe; operations none; revenue unknown"
        assert verdict["needed"] == (
            "domicile not China; ownership at most 5.0 %; operations at most minor; revenue at most 25.0 %"
        )
        assert verdict["note"] == "fails on ownership: bought 9.99%; revenue unknown"
        assert verdict["margin"] == pytest.approx(1 - 0.0999 / 0.05)

    def test_all_reviews_at_once_in_any_order(self) -> None:
        rows = universe(3, 20, seed=11)
        whole = pl.concat(
            [rows.select("review", "company_id"), SCREEN["china_dependence"](rows, **ALL)], how="horizontal"
        )
        mixed = rows.sample(fraction=1, shuffle=True, seed=12)
        other = pl.concat(
            [mixed.select("review", "company_id"), SCREEN["china_dependence"](mixed, **ALL)], how="horizontal"
        )
        assert_frame_equal(whole.sort("review", "company_id"), other.sort("review", "company_id"))


class TestRevenueShare:
    def test_a_project_at_a_dated_stage_passes_without_revenue(self) -> None:
        table = {
            "revenue_share_rare_earth": [0.0, None, None, 0.6],
            "stage": ["developer", "developer", "explorer", "developer"],
        }
        verdict = judged("revenue_share", table, project_stages=["developer"])
        assert verdict["passed"].to_list() == [True, True, False, True]
        assert verdict["note"].to_list()[0] == "passes as a project: developer"
        assert verdict["note"].to_list()[3] is None
        assert "or developer" in verdict["needed"].item(0)
