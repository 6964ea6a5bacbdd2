"""Sharpe ratio, its error, deflation and haircut: published anchors, identities, refusals."""

from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.analytics.honesty.deflation import (
    deflated_sharpe,
    effective_trials,
    expected_maximum,
    haircut,
    mean_correlation,
    minimum_backtest_years,
)
from exchina.analytics.honesty.sharpe import (
    PerPeriod,
    Track,
    annual,
    interval,
    lo_factor,
    minimum_track_record,
    per_period,
    probabilistic_sharpe,
    standard_error,
    track,
)
from exchina.errors import DataError

RNG = np.random.default_rng(11)
RATIOS = st.floats(-0.5, 0.5)
SOME = Track(PerPeriod(0.1), -0.5, 4.0, 250)


@given(RATIOS, st.floats(-2, 2), st.floats(5.1, 20), st.integers(20, 2000), st.floats(0, 0.1))
def test_more_trials_never_raise_the_deflated_ratio(sr, skew, kurtosis, periods, variance) -> None:
    record = Track(PerPeriod(sr), skew, kurtosis, periods)
    values = [deflated_sharpe(record, trials=k, variance=variance).value for k in (1, 1.1, 1.5, 2, 3, 7, 50, 1000)]
    assert all(after <= before for before, after in pairwise(values))
    assert values[0] == probabilistic_sharpe(record)


@given(st.floats(0.01, 0.4), st.floats(-2, 2), st.floats(5.1, 20), st.floats(0.55, 0.999))
def test_after_the_minimum_record_the_ratio_has_just_that_confidence(sr, skew, kurtosis, confidence) -> None:
    record = Track(PerPeriod(sr), skew, kurtosis, 100)
    needed = minimum_track_record(record, confidence=confidence)
    assert needed is not None
    spread = 1 - skew * sr + (kurtosis - 1) / 4 * sr**2
    assert sr / np.sqrt(spread / (needed - 1)) == pytest.approx(NormalDist().inv_cdf(confidence), rel=1e-9)


def test_no_record_is_long_enough_for_a_ratio_that_is_not_above() -> None:
    assert minimum_track_record(SOME, above=PerPeriod(0.1)) is None


def test_a_yearly_ratio_beside_a_daily_record_is_what_the_type_keeps_out() -> None:
    """The wrong value that this mistake gives is 1; the right one is not."""
    right = Track(per_period(1.0, 252), 0, 3, 252)
    assert probabilistic_sharpe(right) == pytest.approx(0.841, abs=1e-3)
    assert probabilistic_sharpe(Track(PerPeriod(1.0), 0, 3, 252)) == pytest.approx(1)
    assert annual(per_period(1.3, 252), 252) == pytest.approx(1.3)


def test_lo_knows_what_autocorrelation_does_to_a_year() -> None:
    """Without autocorrelation near sqrt(q); for an AR(1) near the figure of its true autocorrelations."""
    noise = RNG.standard_normal(200_000)
    moving = noise.copy()
    for t in range(1, moving.size):
        moving[t] += 0.3 * moving[t - 1]
    true = 5 / np.sqrt(5 + 2 * sum((5 - k) * 0.3**k for k in range(1, 5)))
    assert lo_factor(noise, 5) == pytest.approx(np.sqrt(5), rel=0.01)
    assert lo_factor(moving, 5) == pytest.approx(true, rel=0.01)
    assert lo_factor(noise[:20], 1) == 1
    assert lo_factor(noise[:20], 20) is None


def test_errors_are_those_of_a_simulation() -> None:
    returns = 0.01 * (RNG.standard_gamma(4, (4000, 250)) / 2 - 2) + 0.001
    ratios = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    errors = [standard_error(track(row)) for row in returns]
    assert np.mean(errors) == pytest.approx(ratios.std(), rel=0.05)
    low, high = interval(track(returns[0]))
    assert high - low == pytest.approx(2 * 1.959964 * errors[0])


@pytest.mark.parametrize(("trials", "years"), [(7, 1.9), (10, 2.5), (45, 5.0), (100, 6.4)])
def test_minimum_backtest_length_as_published(trials: int, years: float) -> None:
    found = minimum_backtest_years(trials)
    assert found == pytest.approx(years, abs=0.05)
    assert found <= 2 * np.log(trials)
    assert minimum_backtest_years(trials, target_annual=2) == pytest.approx(found / 4)


def test_expected_maximum_is_that_of_a_simulation_and_zero_for_one_trial() -> None:
    assert expected_maximum(20) == pytest.approx(RNG.standard_normal((20_000, 20)).max(axis=1).mean(), rel=0.02)
    assert expected_maximum(1) == 0
    assert minimum_backtest_years(1) == 0


def test_haircut_as_published() -> None:
    """A yearly ratio of 1.2 over five years after 20 tests is one of 0.65."""
    found = haircut(per_period(1.2, 12), periods=60, trials=20)
    assert found is not None
    assert annual(found.sr_bonferroni, 12) == pytest.approx(0.65, abs=0.005)
    assert found.sr_bonferroni < found.sr_sidak
    assert found.bhy == pytest.approx(20 * sum(1 / n for n in range(1, 21)) * found.p)
    assert found.sr_bhy < found.sr_bonferroni


def test_haircut_by_all_ratios_is_the_adjustment_of_scipy() -> None:
    from scipy.stats import false_discovery_control, norm

    ratios = np.abs(RNG.normal(0, 0.08, 15)) + 0.02
    p = 2 * norm.sf(ratios * np.sqrt(500))
    adjusted = false_discovery_control(p, method="by")
    for chosen in range(15):
        found = haircut(PerPeriod(ratios[chosen]), periods=500, trials=15, others=ratios)
        assert found is not None
        assert found.bhy == pytest.approx(adjusted[chosen])


def test_one_trial_costs_nothing_and_a_loss_has_no_haircut() -> None:
    found = haircut(PerPeriod(0.1), periods=300, trials=1)
    assert found is not None
    assert [found.sr_bonferroni, found.sr_sidak, found.sr_bhy] == pytest.approx([0.1] * 3)
    assert haircut(PerPeriod(-0.1), periods=300, trials=5) is None


def test_correlation_and_effective_trials() -> None:
    trials = RNG.normal(size=(300, 6)) + RNG.normal(size=(300, 1))
    matrix = np.corrcoef(trials.T)
    rho = mean_correlation(trials)
    assert rho == pytest.approx(matrix[np.triu_indices(6, 1)].mean())
    assert effective_trials(6, rho or 0) == pytest.approx((rho or 0) * 1 + (1 - (rho or 0)) * 6)
    assert mean_correlation(trials[:, :1]) is None
    assert effective_trials(6, 1) == 1


@pytest.mark.parametrize(
    ("returns", "said"),
    [
        ([0.1], "two returns or more"),
        ([0.1, np.nan, 0.2], "1 missing or not finite"),
        ([0.1, 0.1, 0.1], "all returns are the same"),
    ],
)
def test_returns_without_a_ratio_are_refused(returns: list[float], said: str) -> None:
    with pytest.raises(DataError, match=said):
        track(np.array(returns))


def test_excess_kurtosis_is_noticed_where_no_distribution_has_it() -> None:
    with pytest.raises(DataError, match="raw kurtosis"):
        Track(PerPeriod(0.1), 0.0, 0.0, 100)


def test_numbers_of_trials_that_cannot_be_are_refused() -> None:
    for refused in (
        lambda: expected_maximum(0),
        lambda: haircut(PerPeriod(0.1), periods=10, trials=2, others=np.array([0.1, 0.2, 0.3])),
        lambda: deflated_sharpe(SOME, trials=3, variance=-1),
        lambda: minimum_backtest_years(3, target_annual=0),
    ):
        with pytest.raises(DataError):
            refused()
