"""Event-study numbers computed outside this project: `python -m pytest tests/answers --cases PATH` runs any such file.

Every key that a case expects is answered to its tolerance; one that nothing here answers fails by name, and so does an
input that nothing read.
"""

from typing import Any

import pytest

from tests.answers.compare import differences, mistaken
from tests.answers.event_study import produced
from tests.answers.event_study_simulation import SIMULATED, assert_within_noise
from tests.answers.given import Given, never_read

ABSOLUTE = 1e-12


def test_case(event_study_case: dict[str, Any]) -> None:
    case, inputs = event_study_case, Given(event_study_case["inputs"])
    if case["id"] in SIMULATED:
        assert_within_noise(case)
        return
    answer, expected = produced({"id": case["id"], "inputs": inputs}), case["expected"]
    relative = case.get("tolerance_rel") or 1e-8
    assert [*differences(answer, expected, relative, ABSOLUTE), *never_read(inputs)] == []
    assert list(mistaken(answer, expected, case.get("wrong_values") or {})) == []


def test_a_key_that_nothing_answers_fails_by_name() -> None:
    case = {"id": "ES15", "inputs": {"bhar": [0.1, 0.2, 0.4]}, "expected": {"phlogiston": 1.0}, "tolerance_rel": 1e-8}
    with pytest.raises(AssertionError, match="phlogiston: no answer"):
        test_case(case)


def test_an_input_that_nothing_read_fails_by_name() -> None:
    inputs = {"bhar": [0.1, 0.2, 0.4], "aether": 3, "note": "a remark"}
    with pytest.raises(AssertionError, match="aether: an input that nothing read"):
        test_case({"id": "ES15", "inputs": inputs, "expected": {}, "tolerance_rel": 1e-8})


def test_a_case_that_nothing_knows_fails_by_name() -> None:
    with pytest.raises(AssertionError, match="no answer is mapped to ES99"):
        test_case({"id": "ES99", "inputs": {"aether": 1}, "expected": {}, "tolerance_rel": 1e-8})
