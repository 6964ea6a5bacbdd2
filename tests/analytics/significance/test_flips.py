"""Sign flips: exact counts against plain enumeration, and the draws beyond them."""

from itertools import product
from time import perf_counter

import numpy as np
import pytest

from exchina.analytics.significance.flips import DRAWS, sign_flips

RANDOM = np.random.default_rng(8)


def enumerated(values: np.ndarray) -> float:
    """The share by plain enumeration, every sign vector a row of bits."""
    signs = 1 - 2 * (np.arange(2**values.size)[:, None] >> np.arange(values.size) & 1)
    return float((np.abs(signs @ values) >= abs(values.sum()) * (1 - 1e-10)).mean())


def test_by_hand() -> None:
    """Of the eight sums of 3, 2, 2 two are 7 in size, two 3 (3, 2, -2 both ways: four), two 1."""
    assert sign_flips(np.array([3.0, 2.0, 2.0])).p == 2 / 8
    assert sign_flips(np.array([3.0, 2.0, -2.0])).p == 6 / 8
    assert sign_flips(np.array([3.0, 2.0, 2.0])).smallest_p == 2 / 8
    assert sign_flips(np.array([4.0])).p == 1
    assert sign_flips(np.zeros(5)).p == 1


@pytest.mark.parametrize("count", [2, 7, 12, 20])
def test_exact_is_plain_enumeration(count: int) -> None:
    for values in (RANDOM.normal(0.4, 1, count), RANDOM.integers(-3, 5, count).astype(float)):
        assert sign_flips(values).p == enumerated(values)


def test_ties_of_whole_numbers_by_pure_python() -> None:
    values = np.array([1.0, 2, 3, 4, 5, -6, 7])
    hits = sum(
        abs(sum(s * v for s, v in zip(signs, values, strict=True))) >= 16 for signs in product((1, -1), repeat=7)
    )
    assert sign_flips(values).p == hits / 2**7


def test_34_figures_are_exact_and_quick() -> None:
    """Equal figures: |sum| >= 20 of 34 is 27 or more of one sign, a binomial tail."""
    values = np.ones(34)
    values[:7] = -1
    tail = sum(int(np.prod([(34 - k) / (k + 1) for k in range(j)]).round()) for j in range(8))
    start = perf_counter()
    assert sign_flips(values).p == pytest.approx(2 * tail / 2**34, rel=1e-12)
    assert perf_counter() - start < 2


def test_more_figures_are_drawn_and_a_seed_draws_above_sixteen() -> None:
    values = RANDOM.normal(0.3, 1, 17)
    exact, drawn = sign_flips(values), sign_flips(values, seed=0)
    assert "all 131,072 sign vectors" in exact.note
    assert drawn.p == pytest.approx(exact.p, abs=4 * np.sqrt(exact.p * (1 - exact.p) / DRAWS))
    assert drawn == sign_flips(values, seed=0) != sign_flips(values, seed=1)
    assert sign_flips(values[:16], seed=1) == sign_flips(values[:16])
    assert "9,999 draws of seed 0" in sign_flips(RANDOM.normal(size=35)).note
