"""Event-study numbers computed outside this project: `python -m pytest tests/answers --cases PATH` runs any such file.

Every key that a case expects is answered to its tolerance; one that nothing here answers fails by name.
"""

from typing import Any

import pytest

from tests.answers.event_study import produced
from tests.answers.event_study_simulation import SIMULATED, assert_within_noise
from tests.answers.test_honesty import differences, numbers

ABSOLUTE = 1e-12


def test_case(event_study_case: dict[str, Any]) -> None:
    case = event_study_case
    if case["id"] in SIMULATED:
        assert_within_noise(case)
        return
    answer, expected = produced(case), without_remarks(case["expected"])
    assert list(differences(answer, expected, case["tolerance_rel"], ABSOLUTE)) == []
    rights = list(numbers(expected))
    answered = list(numbers(asked(answer, expected)))
    for name, wrong in case.get("wrong_values", {}).items():
        if not any(near(wrong, right) for right in rights):
            assert not any(near(number, wrong) for number in answered), name


def near(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-8 * abs(other)


def without_remarks(expected: Any) -> Any:
    """The expectation without what is said in words beside a figure."""
    if isinstance(expected, dict):
        return {key: without_remarks(value) for key, value in expected.items() if key != "position"}
    return expected


def asked(answer: Any, expected: Any) -> Any:
    """The parts of an answer that were asked for."""
    return {key: asked(answer[key], part) for key, part in expected.items()} if isinstance(expected, dict) else answer


def test_a_key_that_nothing_answers_fails_by_name() -> None:
    case = {"id": "ES15", "inputs": {"bhar": [0.1, 0.2, 0.4]}, "expected": {"phlogiston": 1.0}, "tolerance_rel": 1e-8}
    with pytest.raises(AssertionError, match="phlogiston: no answer"):
        test_case(case)


def test_a_case_that_nothing_knows_fails_by_name() -> None:
    with pytest.raises(AssertionError, match="no answer is mapped to ES99"):
        test_case({"id": "ES99", "inputs": {"aether": 1}, "expected": {}, "tolerance_rel": 1e-8})
