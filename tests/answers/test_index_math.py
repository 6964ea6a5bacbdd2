"""Worked answers from outside: `python -m pytest tests/answers --cases PATH` runs any file of the same schema.

Each topic is mapped to what asks the calculator or the rules for it. A topic that nothing here knows fails by name.
"""

from collections.abc import Callable
from typing import Any

import pytest

from exchina.calculation.weights import one_way_turnover
from tests.answers import index_actions, index_capping, index_levels, index_reviews, index_screens, index_weights


def turnover(case: dict[str, Any]) -> None:
    given = case["inputs"]
    found = one_way_turnover(given["weights_after"], given["weights_before_drifted"])
    assert found == pytest.approx(case["expected"]["one_way_turnover"], abs=1e-12)


ANSWERED: dict[str, Callable[[dict[str, Any]], None]] = {
    **index_levels.ANSWERED,
    **index_actions.ANSWERED,
    **index_screens.ANSWERED,
    **index_capping.ANSWERED,
    **index_reviews.ANSWERED,
    **index_weights.ANSWERED,
    "turnover": turnover,
}


def test_case(index_case: dict[str, Any]) -> None:
    topic = index_case["topic"]
    assert topic in ANSWERED, f"no test is mapped to the topic {topic!r}"
    ANSWERED[topic](index_case)


def test_a_topic_that_nothing_knows_fails_by_name() -> None:
    with pytest.raises(AssertionError, match="no test is mapped to the topic 'perpetual_motion'"):
        test_case({"topic": "perpetual_motion"})
