"""Worked answers on backtest honesty: `python -m pytest tests/answers --cases PATH` runs any file of the same schema.

Every key of ``expected`` is answered to the tolerance of the case; a key or case that nothing here knows fails by name,
and so does an input that nothing read.
"""

from typing import Any

import numpy as np
import pytest

from tests.answers.compare import differences, mistaken
from tests.answers.given import Given, never_read
from tests.answers.honesty import ANSWERED, COVERED, TESTED

MONTE_CARLO = "H20"


def test_case(honesty_case: dict[str, Any]) -> None:
    name, inputs = honesty_case["id"], Given(honesty_case["inputs"])
    assert name in ANSWERED, f"no test is mapped to the case {name!r}"
    produced, expected = ANSWERED[name](inputs), honesty_case["expected"]
    if name == MONTE_CARLO:
        assert_within_noise(produced, expected)
        return
    absolute = expected.get("tolerance_abs", 1e-12)
    relative = 0 if "tolerance_abs" in expected else honesty_case.get("tolerance_rel") or 1e-8
    wanted = {key: value for key, value in expected.items() if key != "tolerance_abs"}
    assert [*differences(produced, wanted, relative, absolute), *never_read(inputs)] == []
    assert list(mistaken(produced, wanted, honesty_case.get("wrong_values") or {})) == []


def assert_within_noise(produced: dict[str, Any], expected: dict[str, Any]) -> None:
    """Within four standard errors of the difference: both figures are simulated."""
    samples = {"SPA_p<=0.05": (TESTED, 300), "RC_p<=0.05": (TESTED, 300)}
    for setting, figures in expected.items():
        shares = dict(figures.get("false_or_true_positive_pct", figures))
        answered = dict(produced[setting].get("false_or_true_positive_pct", produced[setting]))
        counts = {name: samples.get(name, (1000, 1000)) for name in shares}
        if setting.startswith("coverage"):
            shares = {(kind, name): rate for kind, rates in figures.items() for name, rate in rates.items()}
            answered = {(kind, name): produced[setting][kind][name] for kind, name in shares}
            counts = dict.fromkeys(shares, (COVERED, 600))
        for name, rate in shares.items():
            here, there = counts[name]
            share = (answered[name] * here + rate * there) / (here + there) / 100
            allowed = 400 * np.sqrt(share * (1 - share) * (1 / here + 1 / there))
            assert abs(answered[name] - rate) <= allowed, (setting, name, answered[name], rate)
        if "mean_PBO" in figures:
            for name, spread in {"mean_PBO": 0.2, "mean_best_annual_sr": 0.4, "share_best_is_trial_0": 0.5}.items():
                here, there = (TESTED, 300) if name == "mean_PBO" else (1000, 1000)
                gap = abs(produced[setting][name] - figures[name])
                assert gap <= 4 * spread * np.sqrt(1 / here + 1 / there), (setting, name)
            assert (produced[setting]["T"], produced[setting]["K"]) == (figures["T"], figures["K"])


def test_an_expected_key_that_nothing_answers_fails_by_name() -> None:
    case = {"id": "H05", "inputs": {"trials": [7]}, "expected": {"perpetual_motion": 1.0}, "tolerance_rel": 1e-8}
    with pytest.raises(AssertionError, match="perpetual_motion: no answer"):
        test_case(case)


def test_an_input_that_nothing_read_fails_by_name() -> None:
    case = {"id": "H05", "inputs": {"trials": [7], "moon_phase": 0.5}, "expected": {}, "tolerance_rel": 1e-8}
    with pytest.raises(AssertionError, match="moon_phase: an input that nothing read"):
        test_case(case)
