"""Regulatory tests of published weights, and buffers inside a limit."""

from typing import Any

import polars as pl
import pytest

from exchina.rules.regulation import checks, crosses, exceeds, together_above

Case = dict[str, Any]
RULES = {
    "ucits_5_10_40": "UCITS 52",
    "ucits_20_35": "UCITS 53",
    "ric_25_50": "US RIC",
    "act40_diversified_75_5": "1940 Act",
}


def regulatory_check(case: Case) -> None:
    """The published weights, and others below the stated bound that make them whole."""
    given, expected = case["inputs"], case["expected"]
    shown = given.get("weights_pct_above_or_near_4") or given["weights_pct"]
    below = given["all_other_weights_below_pct"]
    rest = 100 - sum(shown)
    count = int(rest // (0.5 * below)) + 1
    weights = {f"{n}": one / 100 for n, one in enumerate([*shown, *[rest / count] * count])}
    table = checks(weights, when="at_review").filter(pl.col("passed").is_not_null())
    passed = dict(table.group_by("rule").agg(pl.col("passed").all()).iter_rows())
    assert {name: passed[rule] for name, rule in RULES.items()} == {name: expected[name] for name in RULES}
    assert max(weights.values()) * 100 == pytest.approx(expected["max_pct"], abs=1e-9)
    for name, threshold in {"sum_above_5_pct": 5, "sum_above_4_5_pct": 4.5, "sum_above_4_8_pct": 4.8}.items():
        if name in expected:
            assert together_above(weights, threshold / 100) * 100 == pytest.approx(expected[name], abs=1e-9)
    if "index_rule" in given:
        rule = {name: value / 100 for name, value in given["index_rule"].items()}
        assert crosses(weights, **rule) is not expected["index_rule_ok"]


def cap_buffer(case: Case) -> None:
    """The index resets inside the limit in the weeks in which the limit itself is crossed, and only in those."""
    limit = {name: case["inputs"]["trigger"][name] for name in ("single", "aggregate")}
    found = [exceeds(week["max"], week["sum_above_5"], **limit) for week in case["inputs"]["weeks"]]
    assert found == case["expected"]["rebalance"]


ANSWERED = {"regulatory_check": regulatory_check, "cap_buffer": cap_buffer}
