from collections.abc import Callable
from math import inf, sqrt

import numpy as np
import pytest

from exchina.analytics.power import (
    KP_BMP_FACTOR_AT_8,
    approximation_note,
    effective_names,
    minimum_detectable_effect,
    power_of_effect,
)
from exchina.errors import DataError

SIGMA = 0.04
STATED = [
    (1, 0.3, 1, 11.2),
    (8, 0.0, 1, 4.0),
    (8, 0.3, 1, 7.0),
    (20, 0.3, 1, 6.5),
    (50, 0.3, 3, 10.9),
    (inf, 0.3, 1, 6.1),
]


@pytest.mark.parametrize(("names", "rho", "sessions", "per_cent"), STATED)
def test_effects_of_the_standard(names: float, rho: float, sessions: int, per_cent: float) -> None:
    effect = minimum_detectable_effect(SIGMA, names, rho=rho, sessions=sessions)
    assert effect is not None
    assert round(effect * 100, 1) == per_cent


def test_dates_divide_the_effect_by_their_root() -> None:
    one, nine = (minimum_detectable_effect(SIGMA, 20, rho=0.3, dates=dates) for dates in (1, 9))
    assert one is not None
    assert nine == pytest.approx(one / 3, rel=1e-14)


def test_more_names_than_a_correlation_allows_tell_no_more() -> None:
    assert effective_names(10, 0) == 10
    assert effective_names(10, 1) == 1
    assert effective_names(inf, 0.25) == 4
    assert effective_names(8, 0.3) == pytest.approx(8 / 3.1, rel=1e-14)


@pytest.mark.parametrize("rho", [-1 / 7, -0.5])
def test_an_impossible_correlation_is_not_computable(rho: float) -> None:
    assert effective_names(8, rho) is None
    assert minimum_detectable_effect(SIGMA, 8, rho=rho) is None
    assert power_of_effect(0.02, SIGMA, 8, rho=rho) is None
    assert effective_names(inf, 0) is None


def test_the_effect_has_the_power_it_was_made_for() -> None:
    for power in (0.5, 0.8, 0.95):
        effect = minimum_detectable_effect(SIGMA, 8, rho=0.3, power=power, level=0.01)
        assert effect is not None
        assert power_of_effect(effect, SIGMA, 8, rho=0.3, level=0.01) == pytest.approx(power, abs=2e-6)
    assert power_of_effect(0, SIGMA, 8, rho=0.3, level=0.1) == pytest.approx(0.1, rel=1e-12), "no effect: the size"
    assert power_of_effect(-0.05, SIGMA, 8, rho=0.3) == power_of_effect(0.05, SIGMA, 8, rho=0.3)


def test_power_is_the_share_of_simulated_samples_that_reject() -> None:
    draws = np.random.default_rng(7).multivariate_normal(np.full(5, 0.05), SIGMA**2 * (0.3 + 0.7 * np.eye(5)), 40_000)
    rejected = np.abs(draws.mean(axis=1)) > 1.959963984540054 * SIGMA * sqrt((1 + 4 * 0.3) / 5)
    assert power_of_effect(0.05, SIGMA, 5, rho=0.3) == pytest.approx(rejected.mean(), abs=0.01)


def test_few_names_need_more_than_the_normal_approximation_says() -> None:
    """Simulated power of KP-BMP at N = 8, rho 0.3: 71 % at 8 %, 84 % at 10 %."""
    effect = minimum_detectable_effect(SIGMA, 8, rho=0.3)
    assert effect is not None
    simulated = np.interp(0.80, [0.71, 0.84], [0.08, 0.10])
    assert simulated / effect == pytest.approx(KP_BMP_FACTOR_AT_8, abs=0.02)
    assert "1.35" in approximation_note(8)
    assert approximation_note(20) == "normal approximation"


def test_every_argument_out_of_range_is_named() -> None:
    with pytest.raises(DataError) as caught:
        minimum_detectable_effect(-1, 0, rho=2, sessions=0, dates=0, level=0, power=1)
    wrong = [problem.where for problem in caught.value.problems]
    assert wrong == ["names", "rho", "sigma", "sessions", "dates", "level", "power"]


@pytest.mark.parametrize(
    "asked",
    [
        lambda: effective_names(float("nan"), 0.1),
        lambda: power_of_effect(inf, SIGMA, 8, rho=0.1),
        lambda: minimum_detectable_effect(float("nan"), 8, rho=0.1),
        lambda: minimum_detectable_effect(SIGMA, 8, rho=0.1, level=0.5, power=0.4),
    ],
)
def test_no_number_comes_from_none(asked: Callable[[], float | None]) -> None:
    with pytest.raises(DataError):
        asked()


def test_power_at_a_level_above_that_of_the_usual_power() -> None:
    assert power_of_effect(0, SIGMA, 8, rho=0, level=0.9) == pytest.approx(0.9)
