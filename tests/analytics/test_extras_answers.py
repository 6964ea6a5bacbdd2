"""Thin trading, families of tests and calendar-time portfolios against numbers computed outside this project."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.answers.event_study_extras import ANSWERED


def close(produced: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, dict):
        return all(close(produced[key], value, tolerance) for key, value in expected.items())
    return np.allclose(np.array(produced, float), np.array(expected, float), rtol=tolerance, atol=1e-12)


@pytest.mark.parametrize("identifier", ["ES13", "ES16", "ES22"])
def test_a_case_is_answered_in_full(identifier: str, shared: Path) -> None:
    cases = json.loads((shared / "cases" / "event_study_cases.json").read_text())["cases"]
    case = next(case for case in cases if case["id"] == identifier)
    produced = ANSWERED[identifier](case["inputs"])
    for name, expected in case["expected"].items():
        assert close(produced[name], expected, case["tolerance_rel"]), name


def test_guessed_shapes_of_a_power_case_give_the_same_answer() -> None:
    designs = [{"N": 1, "rho": 0.0, "L": 1}, {"N": 50, "rho": 0.3, "L": 3}]
    listed = ANSWERED["ES17"]({"sigma": 0.04, "designs": designs})
    named = ANSWERED["ES17"]({"sigma": 0.04} | {f"design {n}": design for n, design in enumerate(designs)})
    alone = [ANSWERED["ES17"]({"sigma": 0.04} | design)["mde"] for design in designs]
    assert listed["mde"] == [named[key]["mde"] for key in named] == alone
    assert np.round(alone, 3).tolist() == [0.112, 0.109]
