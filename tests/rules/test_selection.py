"""Selection rules: who is taken, in a declared order that two machines agree on."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.model import Rule
from exchina.rules.order import ranked
from exchina.rules.registers import REGISTERS
from exchina.rules.screening import persistent

SELECT = REGISTERS["select"]


def table(scores: list[float | None], members: str = "", **columns: Any) -> pl.DataFrame:
    """One review; companies a, b, c, ... by falling score unless said otherwise."""
    names = [chr(ord("a") + number) for number in range(len(scores))]
    return pl.DataFrame(
        {
            "review": [1] * len(scores),
            "company_id": names,
            "policy_score": scores,
            "free_float_market_cap_usd": scores,
            "market_cap_usd": scores,
            "traded_values_usd": [[1.0]] * len(scores),
            "is_member": [name in members for name in names],
            **columns,
        },
        schema_overrides={"policy_score": pl.Float64, "free_float_market_cap_usd": pl.Float64},
    )


def taken(name: str, rows: pl.DataFrame, **settings: Any) -> str:
    checked, problems = SELECT.checked_settings("select", name, settings)
    assert problems == []
    return "".join(rows.filter(SELECT[name](rows, **checked)["passed"])["company_id"])


def fault(name: str, **settings: Any) -> str:
    return "; ".join(problem.what for problem in SELECT.checked_settings("select", name, settings)[1])


TEN = [10.0 - number for number in range(10)]


def test_stoxx_style_buffer() -> None:
    """Four of ten: to rank 2 automatic, members to rank 6, then the best rank."""
    by: dict[str, Any] = {"by": "policy_score", "count": 4, "enter_within_rank": 2, "keep_until_rank": 6}
    assert taken("top", table(TEN, members="defg"), **by) == "abde", "a and b displace f; g is too far down"
    assert taken("top", table(TEN, members="cdef"), **by) == "abcd"
    assert taken("top", table(TEN, members="fghi"), **by) == "abcf"
    without = by | {"enter_within_rank": None}
    assert taken("top", table(TEN, members="cdef"), **without) == "cdef", "members go first"


def test_ties_are_broken_in_the_declared_order() -> None:
    rows = table([1.0] * 5, members="d", traded_values_usd=[[1.0], [1.0], [2.0], [1.0], [1.0]])
    rows = rows.with_columns(free_float_market_cap_usd=pl.Series([1.0, 1.0, 1.0, 1.0, 2.0]))
    order = ranked(rows, "policy_score").sort("_rank")["company_id"].to_list()
    assert order == ["e", "c", "d", "a", "b"], "float value, traded value, member, then id"


def test_numbers_that_differ_after_the_twelfth_digit_are_equal() -> None:
    rows = table([0.3, 0.1 + 0.2], members="")
    assert ranked(rows, "policy_score")["_rank"].to_list() == [1, 2]
    apart = table([0.3, 0.3 + 1e-9])
    assert ranked(apart, "policy_score")["_rank"].to_list() == [2, 1]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("top", {"by": "market_cap_usd", "count": 3}),
        ("coverage", {"by": "market_cap_usd", "enter_up_to": 1.0}),
        ("quota", {"by": "market_cap_usd", "counts": {"producer": 3}, "fill": "next_best"}),
        ("value_band", {"by": "market_cap_usd", "percentile": 0, "enter_above": 0.0}),
    ],
)
def test_the_unknown_is_never_taken_and_said(name: str, settings: dict[str, Any]) -> None:
    rows = table([2.0, None, 1.0], members="b", stage=["producer"] * 3)
    assert taken(name, rows, **settings) == "ac"
    assert SELECT[name](rows, **SELECT.checked_settings("select", name, settings)[0])["found"][1] == "unknown"


def test_all_takes_all() -> None:
    assert taken("all", table([1.0, 2.0])) == "ab"


def test_coverage_includes_the_name_at_the_boundary() -> None:
    rows = table([6.0, 3.0, 1.0], members="c")
    assert taken("coverage", rows, enter_up_to=0.9) == "ab"
    assert taken("coverage", rows, enter_up_to=0.89) == "a"
    assert taken("coverage", rows, enter_up_to=0.59) == "a", "nobody is within: one is filled by rank"
    assert taken("coverage", rows, enter_up_to=0.6, stay_up_to=1.0) == "ac"
    assert taken("coverage", rows, enter_up_to=0.6, fill_to_count=2) == "ab"
    assert taken("coverage", rows, enter_up_to=1.0, at_most_count=2) == "ab"


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=30), st.floats(0.05, 0.9), st.integers(0, 2**30))
def test_coverage_is_what_a_plain_loop_finds(sizes: list[float], enter: float, seed: int) -> None:
    """The standard's rule, written as a person would."""
    stay = min(1.0, enter + 0.08)
    members = np.random.default_rng(seed).random(len(sizes)) < 0.5
    rows = table([round(size, 6) for size in sizes]).with_columns(
        company_id=pl.Series([f"c{number:02d}" for number in range(len(sizes))]), is_member=pl.Series(members)
    )
    order = sorted(rows.to_dicts(), key=lambda row: (-row["market_cap_usd"], not row["is_member"], row["company_id"]))
    total, so_far, wanted = sum(row["market_cap_usd"] for row in order), 0.0, set[str]()
    for row in order:
        so_far += row["market_cap_usd"]
        if abs(so_far / total - enter) < 1e-9 or abs(so_far / total - stay) < 1e-9:
            return
        if so_far / total <= (stay if row["is_member"] else enter):
            wanted.add(row["company_id"])
    found = rows.filter(SELECT["coverage"](rows, enter_up_to=enter, stay_up_to=stay)["passed"])["company_id"]
    assert set(found) == (wanted or {order[0]["company_id"]})


STAGES = ["producer"] * 5 + ["magnet_maker"] * 2 + ["developer", "recycler", "recycler"]


def test_quota_of_each_stage() -> None:
    rows = table(TEN, members="d", stage=STAGES)
    by: dict[str, Any] = {"by": "policy_score", "counts": {"producer": 3, "magnet_maker": 3}}
    assert taken("quota", rows, **by) == "abcfg", "one seat of the magnet makers stays empty"
    assert taken("quota", rows, **by, fill="next_best") == "abcdfg"
    assert taken("quota", rows, **by, keep_until_rank={"producer": 4}) == "abdfg", "the member keeps its seat"
    note = SELECT["quota"](rows, **by, fill="next_best")["note"][3]
    assert note == "takes a seat that another stage could not fill"
    missing = rows.with_columns(stage=pl.lit(None, pl.String))
    assert taken("quota", missing, **by) == ""


def test_value_band_of_emix() -> None:
    """Threshold 6 at the median of eleven sizes; in from 7.2, out below 4.8; rounded to tens it is 10."""
    sizes = [float(number) for number in range(11, 0, -1)]
    rows = table(sizes, members="fghi")
    assert taken("value_band", rows, percentile=50) == "abcdfg"
    assert taken("value_band", rows, percentile=50, round_to_usd=10) == ""
    assert taken("value_band", rows, percentile=50, round_to_usd=4, leave_below=0.5) == "abfgh", (
        "8: in at 9.6, out below 4"
    )


@pytest.mark.parametrize(
    ("name", "settings", "what"),
    [
        ("top", {"by": "policy_score", "count": 4, "enter_within_rank": 5}, "enter_within_rank 5 lies after the count"),
        ("top", {"by": "close", "count": 4}, "Input should be 'policy_score'"),
        ("coverage", {"enter_up_to": 0.9, "stay_up_to": 0.8}, "members would stay only to 0.8, newcomers enter to 0.9"),
        (
            "coverage",
            {"enter_up_to": 0.9, "fill_to_count": 9, "at_most_count": 8},
            "at_most_count 8 is less than the 9",
        ),
        (
            "quota",
            {"by": "policy_score", "counts": {"producer": 3}, "at_least": 4},
            "4 members cannot come from 3 seats",
        ),
        (
            "quota",
            {"by": "policy_score", "counts": {"producer": 3}, "keep_until_rank": {"recycler": 3}},
            "names recycler, which has no count",
        ),
    ],
)
def test_settings_that_cannot_be_met_are_refused(name: str, settings: dict[str, Any], what: str) -> None:
    assert what in fault(name, **settings)


def look(passed: str, failed: str) -> pl.DataFrame:
    """The verdicts of one screen on one day: companies named by letters."""
    return pl.DataFrame(
        {
            "company_id": [*passed, *failed],
            "rule": "liquid",
            "passed": [True] * len(passed) + [False] * len(failed),
            "note": pl.Series([None] * len(passed + failed), dtype=pl.String),
        }
    )


def kept(rule: Rule, now: pl.DataFrame, *before: pl.DataFrame, members: str = "") -> str:
    looks = tuple(one.with_columns(is_member=pl.lit(True)) if "is_member" not in one.columns else one for one in before)
    return "".join(persistent((rule,), now, looks, set(members)).filter("passed").sort("company_id")["company_id"])


def test_a_newcomer_must_pass_in_a_row() -> None:
    """MVREMX tests liquidity at this and the two previous reviews."""
    rule = Rule("screen", "liquid", {}, "why", passes_to_enter=3)
    now = look("abcm", "")
    assert kept(rule, now, look("abm", "c"), look("bcm", "a"), members="") == "bm"
    assert kept(rule, now, look("", "abcm"), look("abcm", ""), look("abcm", "")) == "abcm", "three looks back"
    assert kept(rule, now, look("a", "bc")) == "a", "only one look before: it counts, and m was not in it"
    assert kept(rule, now) == "abcm", "the first review has no other"
    assert kept(rule, now, look("", "m"), look("", "m"), members="m") == "m", "a member passes by passing now"
    looks = tuple(one.with_columns(is_member=pl.lit(False)) for one in (look("abm", "c"), look("bcm", "a")))
    note = persistent((rule,), now, looks, set())["note"][0]
    assert note == "passes now and at 1 of the 2 reviews before; a newcomer must pass 3 in a row"


def test_a_member_leaves_after_failing_in_a_row() -> None:
    rule = Rule("screen", "liquid", {}, "why", fails_to_leave=2)
    now = look("", "abc")
    assert kept(rule, now, look("ab", "c"), members="bc") == "b"
    assert kept(rule, now, look("a", ""), members="b") == "b", "a look without the member is no failure"
    assert kept(rule, now, members="b") == "", "no look before: this one counts"
    outside = look("", "abc").with_columns(is_member=pl.col("company_id") != "b")
    assert kept(rule, now, outside, members="b") == "b", "a fail from before it was a member is none"
    note = persistent((rule,), now, (look("ab", "c").with_columns(is_member=pl.lit(True)),), set("bc"))["note"][1]
    assert note == "fails now and at 0 of the 1 reviews before; a member leaves after 2 in a row"


def test_other_rules_are_left_alone() -> None:
    rule = Rule("screen", "large", {}, "why", passes_to_enter=2)
    assert kept(rule, look("a", "b"), look("", "ab")) == "a"
