"""Worked answers from outside: `python -m pytest tests/answers --cases PATH` runs any file of the same schema.

Each topic is mapped to what asks the calculator or the rules for it. A topic that nothing here knows fails by name.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from exchina.calculation.weights import one_way_turnover
from exchina.errors import InfeasibleError
from exchina.model import NthWeekday
from exchina.rules.reviews import nth_weekday
from exchina.rules.solve import Bound, capped_weights, widen_until_feasible
from tests.answers import index_actions, index_levels


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
    **index_levels.ANSWERED,
    **index_actions.ANSWERED,
    "cap_single_name": cap_single_name,
    "cap_infeasible": cap_infeasible,
    "cap_groups": cap_groups,
    "turnover": turnover,
    "calendar": calendar,
}
LATER = {
    "cap_concentration": "concentration caps such as 5/10/40",
    "cap_topk_sum": "caps on the largest names together",
    "cap_20_35": "the 20/35 cap",
    "cap_issuer": "caps over all lines of an issuer",
    "cap_two_stage": "two-stage caps",
    "cap_buffer": "buffers inside a regulatory limit",
    "regulatory_check": "regulatory tests of weights",
    "renormalise": "excluding a country from published weights",
    "selection_buffer": "coverage selection with a band",
    "liquidity": "average traded value over suspended sessions",
}


def test_case(index_case: dict[str, Any]) -> None:
    topic = index_case["topic"]
    if topic in LATER:
        pytest.skip(f"{LATER[topic]} are not built yet")
    assert topic in ANSWERED, f"no test is mapped to the topic {topic!r}"
    ANSWERED[topic](index_case)


def test_a_topic_that_nothing_knows_fails_by_name() -> None:
    with pytest.raises(AssertionError, match="no test is mapped to the topic 'perpetual_motion'"):
        test_case({"topic": "perpetual_motion"})
