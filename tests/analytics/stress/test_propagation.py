"""Propagation and reverse stress against regression, simulation and the definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.analytics.stress.propagation import covariance_of, isolated, propagated, reverse_stress
from exchina.errors import DataError


def returns(seed: int = 3, rows: int = 400, names: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.03, (rows, names)) + rng.normal(0, 0.02, (rows, 1))


def test_propagated_is_the_fitted_value_of_a_regression() -> None:
    panel = returns()
    s = covariance_of(panel)
    x = panel[:, 3:] - panel[:, 3:].mean(axis=0)
    slopes = np.linalg.lstsq(x, panel[:, :3] - panel[:, :3].mean(axis=0), rcond=None)[0]
    shock = np.array([-0.2, 0.1])
    np.testing.assert_allclose(propagated(s[:3, 3:], s[3:, 3:], shock), shock @ slopes, rtol=1e-9)


def test_one_factor_propagated_is_isolated() -> None:
    s = covariance_of(returns())
    betas = s[:4, 4:] / s[4, 4]
    shock = np.array([-0.4])
    np.testing.assert_allclose(propagated(s[:4, 4:], s[4:, 4:], shock), isolated(betas, shock), rtol=1e-12)


@given(part=st.floats(0.01, 0.99), seed=st.integers(0, 20))
def test_reverse_costs_the_loss_and_no_other_move_is_nearer(part: float, seed: int) -> None:
    s = covariance_of(returns(seed))
    rng = np.random.default_rng(seed)
    w = rng.dirichlet(np.ones(5))
    loss = part * float(w @ s @ w / (s @ w).max())  # beyond it one name would lose more than its value
    found = reverse_stress(s, w, loss)
    assert w @ found.moves == pytest.approx(-loss)
    inverse = np.linalg.inv(s)
    assert np.sqrt(found.moves @ inverse @ found.moves) == pytest.approx(found.distance)
    other = found.moves + 0.01 * (rng.normal(size=5))
    other *= -loss / (w @ other) if w @ other else 1
    assert np.sqrt(other @ inverse @ other) >= found.distance - 1e-9


def test_what_cannot_be_computed_is_refused() -> None:
    s = covariance_of(returns())
    with pytest.raises(DataError, match="a loss above 0"):
        reverse_stress(s, np.full(5, 0.2), 0.0)
    with pytest.raises(DataError, match="cannot be inverted"):
        propagated(np.ones((2, 2)), np.ones((2, 2)), np.array([-0.1, -0.1]))
    with pytest.raises(DataError, match="twice as many periods"):
        covariance_of(returns(rows=9))


def test_no_name_loses_more_than_its_value_and_the_largest_loss_is_told() -> None:
    """Two alike but for the first's double volatility: it moves 4 / 2.5 = 1.6 times the loss."""
    s, w = np.diag([4.0, 1.0]), np.array([0.5, 0.5])
    with pytest.raises(DataError, match=r"a loss of 70 % takes 112.00 % off a member.*these weights is 0.625\)"):
        reverse_stress(s, w, 0.7)
    assert reverse_stress(s, w, 0.625).moves == pytest.approx([-1.0, -0.25])


def test_gaps_take_no_part() -> None:
    panel = returns()
    holed = np.vstack([panel, [[0.5, np.nan, 0, 0, 0]]])
    np.testing.assert_array_equal(covariance_of(holed), covariance_of(panel))
