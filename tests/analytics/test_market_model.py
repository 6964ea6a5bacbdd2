import numpy as np
import pytest

from exchina.analytics.market_model import abnormal_returns
from exchina.errors import DataError

RANDOM = np.random.default_rng(5)
FACTOR = RANDOM.normal(0, 0.01, 80)
RETURNS = 0.001 + 1.4 * FACTOR[:, None] + RANDOM.normal(0, 0.02, (80, 3))
DAYS = {"estimation": np.arange(60), "event": np.arange(70, 74)}


def dummy_regression(returns: np.ndarray, design: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and covariance of least squares with one dummy per event day: another way to the same AR and CAR."""
    dummies = (np.arange(len(returns))[:, None] == DAYS["event"]).astype(float)
    x, y = np.hstack([design, dummies])[rows], returns[rows]
    b, *_ = np.linalg.lstsq(x, y, rcond=None)
    return b, np.linalg.inv(x.T @ x) * ((y - x @ b) ** 2).sum() / (len(y) - x.shape[1])


@pytest.mark.parametrize("factors", [1, 2], ids=["market", "two factors"])
def test_forecast_errors_equal_those_of_event_day_dummies(factors: int) -> None:
    both = np.column_stack([FACTOR, RANDOM.normal(0, 0.01, 80)])[:, :factors]
    fit = abnormal_returns(RETURNS, both, **DAYS)
    rows = np.concatenate([DAYS["estimation"], DAYS["event"]])
    design = np.hstack([np.ones((80, 1)), both])
    for name in range(3):
        b, covariance = dummy_regression(RETURNS[:, name], design, rows)
        k, ones = design.shape[1], np.ones(4)
        np.testing.assert_allclose(fit.coefficients[:, name], b[:k], rtol=1e-9)
        np.testing.assert_allclose(fit.ar[:, name], b[k:], rtol=1e-9)
        np.testing.assert_allclose(fit.se_ar[:, name], np.sqrt(np.diag(covariance)[k:]), rtol=1e-9)
        np.testing.assert_allclose(fit.se_car[name], np.sqrt(ones @ covariance[k:, k:] @ ones), rtol=1e-9)


def test_each_security_is_fitted_on_its_own() -> None:
    gaps = RETURNS.copy()
    gaps[3:20, 1] = np.nan
    together = abnormal_returns(gaps, FACTOR, **DAYS)
    for name in range(3):
        alone = abnormal_returns(gaps[:, [name]], FACTOR, **DAYS)
        for part in ("coefficients", "residuals", "s", "ar", "se_ar", "car", "se_car", "bhar"):
            np.testing.assert_array_equal(getattr(alone, part)[..., 0], getattr(together, part)[..., name])
    assert together.sessions.tolist() == [60, 43, 60]


def test_a_missing_session_equals_a_session_that_is_not_there() -> None:
    gaps, factor = RETURNS.copy(), FACTOR.copy()
    gaps[30, 0], factor[31], gaps[71, 0] = np.nan, np.nan, np.nan
    fit = abnormal_returns(gaps[:, :1], factor, **DAYS)
    days = np.setdiff1d(DAYS["estimation"], [30, 31])
    without = abnormal_returns(RETURNS[:, :1], FACTOR, estimation=days, event=np.array([70, 72, 73]))
    assert np.isnan(fit.ar[1, 0])
    np.testing.assert_allclose(fit.ar[[0, 2, 3]], without.ar, rtol=1e-12)
    np.testing.assert_allclose([fit.car, fit.se_car, fit.bhar], [without.car, without.se_car, without.bhar], rtol=1e-12)


def test_a_security_without_any_event_day_has_no_car() -> None:
    gaps = RETURNS.copy()
    gaps[70:74, 2] = np.nan
    fit = abnormal_returns(gaps, FACTOR, **DAYS)
    assert np.isnan(fit.car).tolist() == [False, False, True]


def test_the_market_adjusted_model_fits_nothing() -> None:
    fit = abnormal_returns(RETURNS, FACTOR, **DAYS, model="adjusted")
    np.testing.assert_array_equal(fit.ar, RETURNS[70:74] - FACTOR[70:74, None])
    np.testing.assert_allclose(fit.s**2, ((RETURNS[:60] - FACTOR[:60, None]) ** 2).mean(axis=0))
    np.testing.assert_allclose(fit.se_car, fit.s * 2)


def test_the_mean_adjusted_model() -> None:
    fit = abnormal_returns(RETURNS, FACTOR, **DAYS, model="mean")
    np.testing.assert_allclose(fit.coefficients[0], RETURNS[:60].mean(axis=0))
    np.testing.assert_allclose(fit.se_car, RETURNS[:60].std(axis=0, ddof=1) * np.sqrt(4 + 16 / 60))


def test_a_benchmark_that_does_not_move_is_refused() -> None:
    with pytest.raises(DataError, match="does not move"):
        abnormal_returns(RETURNS, np.full(80, 0.001), **DAYS)


def test_too_few_sessions_are_refused() -> None:
    with pytest.raises(DataError, match="too few"):
        abnormal_returns(RETURNS, FACTOR, estimation=np.arange(2), event=np.arange(70, 74))


def test_residuals_are_those_of_the_sessions_used() -> None:
    gaps = RETURNS.copy()
    gaps[3:20, 1] = np.nan
    fit = abnormal_returns(gaps, FACTOR, **DAYS)
    assert fit.residuals.shape == (60, 3)
    assert np.isnan(fit.residuals).sum(axis=0).tolist() == [0, 17, 0]
    fitted = fit.coefficients[0] + np.outer(FACTOR[:60], fit.coefficients[1])
    np.testing.assert_allclose(fit.residuals, gaps[:60] - fitted, atol=1e-15)
    np.testing.assert_allclose(np.nansum(fit.residuals**2, axis=0) / fit.df, fit.s**2)


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (FACTOR * 2 + 0.001, "factor 2 cannot be told apart from the benchmark"),
        (np.zeros(80), "factor 2 does not move"),
    ],
)
def test_factors_that_cannot_be_told_apart_are_named(second: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        abnormal_returns(RETURNS, np.column_stack([FACTOR, second]), **DAYS)


def test_a_factor_made_of_two_others_is_named() -> None:
    other = np.random.default_rng(11).normal(0, 0.01, 80)
    with pytest.raises(DataError, match="factor 3 cannot be told apart from those before it"):
        abnormal_returns(RETURNS, np.column_stack([FACTOR, other, FACTOR - other]), **DAYS)


def test_no_such_model_and_factors_of_other_sessions_are_refused_at_once() -> None:
    with pytest.raises(DataError) as caught:
        abnormal_returns(RETURNS, FACTOR[:70], **DAYS, model="market_adjusted")  # type: ignore[arg-type]
    assert [problem.where for problem in caught.value.problems] == ["model", "factors"]
    assert all(problem.hint for problem in caught.value.problems)
