"""Parts of the tests against another implementation of the same definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from exchina.analytics.market_model import abnormal_returns
from exchina.analytics.significance import Sample, single_tests, skewness_adjusted
from exchina.analytics.significance.correlation import mean_correlation
from exchina.analytics.significance.forming import from_fit
from exchina.analytics.significance.ranking import average_ranks, with_events
from exchina.analytics.significance.signs import sign_exact, wilcoxon

RANDOM = np.random.default_rng(3)


def with_car(car: np.ndarray) -> Sample:
    n = car.size
    returns = RANDOM.normal(0, 0.01, (31, n))
    fit = abnormal_returns(returns, RANDOM.normal(0, 0.01, 31), estimation=np.arange(30), event=np.array([30]))
    return Sample(**vars(from_fit(fit)) | {"car": car})


@given(st.lists(st.integers(-4, 4), min_size=4, max_size=20), st.lists(st.integers(-4, 4), min_size=1, max_size=3))
def test_ranks_with_ties_and_gaps(estimation: list[int], event: list[int]) -> None:
    column = np.array([np.nan if value == 4 else value for value in estimation], float)[:, None]
    row = np.array([np.nan if value == 4 else value for value in event], float)[:, None]
    together = np.vstack([column, row])
    expected = stats.rankdata(together, axis=0, nan_policy="omit") / (np.isfinite(together).sum() + 1)
    np.testing.assert_allclose(with_events(column, average_ranks(column), row), expected)


@pytest.mark.parametrize("gaps", [False, True])
def test_mean_correlation_equals_a_loop_over_pairs(gaps: bool) -> None:
    residuals = RANDOM.normal(size=(30, 5)) + RANDOM.normal(size=(30, 1))
    if gaps:
        residuals[RANDOM.random((30, 5)) < 0.3] = np.nan
        residuals[:28, 4] = np.nan
    found: list[float] = []
    for i in range(5):
        for j in range(i):
            both = np.isfinite(residuals[:, [i, j]]).all(axis=1)
            enough = both.sum() >= 3
            found.append(np.corrcoef(residuals[both][:, [i, j]].T)[0, 1] if enough else 0.0)
    assert mean_correlation(residuals) == pytest.approx(np.mean(found), rel=1e-10)


@pytest.mark.parametrize("n", [3, 8, 25])
def test_exact_tests_on_signs(n: int) -> None:
    car = RANDOM.normal(0.01, 0.02, n)
    p = stats.wilcoxon(car, method="exact").pvalue
    assert wilcoxon(with_car(car)).p == pytest.approx(p, rel=1e-10)
    assert sign_exact(with_car(car)).p == pytest.approx(stats.binomtest(int((car > 0).sum()), n).pvalue, rel=1e-10)


def test_wilcoxon_of_many_names() -> None:
    car = RANDOM.normal(0.005, 0.02, 60)
    found = wilcoxon(with_car(car))
    expected = stats.wilcoxon(car, method="approx", correction=False, alternative="two-sided")
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert "normal approximation" in found.note


def test_skewness() -> None:
    values = RANDOM.exponential(size=20)
    found = skewness_adjusted(values)
    assert found.skewness == pytest.approx(stats.skew(values, bias=False))
    assert found.plain.value == pytest.approx(stats.ttest_1samp(values, 0).statistic)


def test_single_security_at_a_missing_day() -> None:
    returns = RANDOM.normal(0, 0.01, (42, 2))
    returns[40, 1] = np.nan
    fit = abnormal_returns(returns, RANDOM.normal(0, 0.01, 42), estimation=np.arange(40), event=np.arange(40, 42))
    tests = single_tests(fit)
    assert np.isnan([tests.t_ar[0, 1], tests.p_ar[0, 1], tests.p_sq[0, 1]]).all()
    assert tests.sq_count[0, 1] == -1
    assert tests.p_car[0] == pytest.approx(2 * stats.t.sf(abs(fit.car[0] / fit.se_car[0]), 38))
