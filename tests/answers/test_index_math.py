"""Worked answers from outside for what the rules and the calculator do today; each topic not yet covered is named."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exchina.calculation.levels import one_way_turnover
from exchina.errors import InfeasibleError
from exchina.model import NthWeekday
from exchina.rules.reviews import nth_weekday
from exchina.rules.solve import Bound, capped_weights, widen_until_feasible

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "index_math_cases.json"


def names(count: int, cap: float) -> Bound:
    return Bound("issuer", np.arange(count), np.full(count, cap))


def cap_single_name(case: dict[str, Any]) -> None:
    weights = np.array(case["inputs"]["uncapped_weights"])
    found = capped_weights(weights, [names(len(weights), case["inputs"]["cap"])])
    assert found == pytest.approx(case["expected"]["weights"], abs=1e-12)


def cap_infeasible(case: dict[str, Any]) -> None:
    if "cap" not in case["inputs"]:
        pytest.skip("concentration rules such as 5/10/40 are not capped yet")
    weights, expected = np.array(case["inputs"]["uncapped_weights"]), case["expected"]
    bounds = [names(len(weights), case["inputs"]["cap"])]
    with pytest.raises(InfeasibleError, match="80.00%"):
        capped_weights(weights, bounds)
    widened, factor = widen_until_feasible(weights, bounds, "issuer")
    assert factor * case["inputs"]["cap"] == pytest.approx(expected["smallest_feasible_cap"], abs=1e-11)
    assert capped_weights(weights, widened) == pytest.approx(np.full(10, 0.1), abs=1e-11)


def cap_groups(case: dict[str, Any]) -> None:
    if any("eq" in group for group in case["inputs"]["groups"]):
        pytest.skip("group shares that must be met exactly are a weighting here, not a cap")
    weights = np.array(case["inputs"]["uncapped_weights"])
    groups, limits = np.zeros(len(weights), np.int64), np.ones(len(weights))
    for number, group in enumerate(case["inputs"]["groups"]):
        groups[group["members"]], limits[group["members"]] = number, group["max"]
    bounds = [names(len(weights), case["inputs"]["single_cap"]), Bound("stage", groups, limits)]
    found = capped_weights(weights, bounds)
    assert found == pytest.approx(case["expected"]["weights"], abs=case["tolerance"]["abs"])
    assert (found * np.log(found / weights)).sum() <= case["expected"]["kl"] + 1e-7


def turnover(case: dict[str, Any]) -> None:
    given = case["inputs"]
    found = one_way_turnover(given["weights_after"], given["weights_before_drifted"])
    assert found == pytest.approx(case["expected"]["one_way_turnover"], abs=1e-12)


def calendar(case: dict[str, Any]) -> None:
    third_friday = NthWeekday(nth=3, weekday="friday")
    found = [nth_weekday(*month, third_friday) for month in case["inputs"]["months"]]
    assert found == [date.fromisoformat(day) for day in case["expected"]["third_friday"]]


ANSWERED: dict[str, Callable[[dict[str, Any]], None]] = {
    "cap_single_name": cap_single_name,
    "cap_infeasible": cap_infeasible,
    "cap_groups": cap_groups,
    "turnover": turnover,
    "calendar": calendar,
}


def cases() -> list[dict[str, Any]]:
    return json.loads(CASES.read_text()) if CASES.is_file() else []


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_case(case: dict[str, Any]) -> None:
    if case["topic"] not in ANSWERED:
        pytest.skip(f"topic {case['topic']} comes with a later version")
    ANSWERED[case["topic"]](case)
