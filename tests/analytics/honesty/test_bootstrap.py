"""Block lengths, draws and intervals: what the stationary bootstrap must be, by definition and by simulation."""

import numpy as np
import pytest

from exchina.analytics.honesty.blocks import (
    block_length,
    checked_indices,
    counts_of,
    stationary_counts,
    stationary_indices,
)
from exchina.analytics.honesty.bootstrap import bootstrap_intervals
from exchina.errors import DataError

RNG = np.random.default_rng(12)


def autoregressive(rho: float, periods: int, count: int) -> np.ndarray:
    values = RNG.standard_normal((periods, count))
    for t in range(1, periods):
        values[t] += rho * values[t - 1]
    return values


def plain_block_length(x: np.ndarray) -> tuple[float, float]:
    """The formula of Politis and White once more, written as they do: one lag after the other."""
    n, x = len(x), x - x.mean()
    run, limit = max(5, int(np.log10(n))), 2 * np.sqrt(np.log10(n) / n)
    most = int(np.ceil(np.sqrt(n))) + run
    r = [float(x[k:] @ x[: n - k]) / n for k in range(most + 1)]
    first = next((m for m in range(1, most - run + 1) if all(abs(r[m + i] / r[0]) < limit for i in range(run))), None)
    width = most if first is None else min(2 * first, most)
    weights = [1 if k / width <= 0.5 else 2 * (1 - k / width) for k in range(1, width + 1)]
    g = sum(2 * w * k * r[k] for k, w in enumerate(weights, 1))
    g0 = r[0] + sum(2 * w * r[k] for k, w in enumerate(weights, 1))
    cap = np.ceil(min(3 * np.sqrt(n), n / 3))
    return tuple(min((2 * g**2 / (c * g0**2)) ** (1 / 3) * n ** (1 / 3), cap) for c in (2, 4 / 3))


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.9, -0.5])
@pytest.mark.parametrize("periods", [30, 250, 1000])
def test_block_lengths_of_many_series_are_those_of_each(rho: float, periods: int) -> None:
    series = autoregressive(rho, periods, 6)
    found = block_length(series)
    expected = np.array([plain_block_length(column) for column in series.T])
    np.testing.assert_allclose(found.stationary, expected[:, 0], rtol=1e-9)
    np.testing.assert_allclose(found.circular, expected[:, 1], rtol=1e-9)


def test_block_lengths_are_those_of_arch() -> None:
    peer = pytest.importorskip("arch.bootstrap", reason="compares with arch, which is not installed")
    series = autoregressive(0.4, 600, 8)
    theirs = np.array([peer.optimal_block_length(column).to_numpy()[0] for column in series.T])
    found = block_length(series)
    np.testing.assert_allclose(np.column_stack([found.stationary, found.circular]), theirs, rtol=1e-6)


def test_the_block_of_an_autoregression_grows_with_its_memory() -> None:
    lengths = [block_length(autoregressive(rho, 2000, 20)).mean_block() for rho in (0.0, 0.3, 0.6, 0.9)]
    assert lengths == sorted(lengths)
    assert lengths[0] < 4
    assert lengths[-1] > 20


@pytest.mark.parametrize("mean_block", [1, 2.5, 40])
def test_counts_are_those_of_the_indices(mean_block: float) -> None:
    indices = stationary_indices(120, mean_block=mean_block, draws=600, seed=4)
    counts = np.concatenate([*stationary_counts(120, mean_block=mean_block, draws=600, seed=4)])
    expected = np.array([np.bincount(row, minlength=120) for row in indices])
    np.testing.assert_array_equal(counts, expected)
    np.testing.assert_array_equal(np.concatenate([*counts_of(indices, 120)]), expected)


@pytest.mark.parametrize("mean_block", [1, 3, 25])
def test_draws_are_those_of_politis_and_romano(mean_block: int) -> None:
    """Every session is as likely; the next one follows with chance 1 - 1/b + 1/(b n), also round the end."""
    n, draws = 50, 20_000
    indices = stationary_indices(n, mean_block=mean_block, draws=draws, seed=5)
    assert indices.shape == (draws, n)
    shares = np.bincount(indices.ravel(), minlength=n) / indices.size
    np.testing.assert_allclose(shares, 1 / n, rtol=0.1)
    follows = (indices[:, 1:] - indices[:, :-1]) % n == 1
    assert follows.mean() == pytest.approx(1 - 1 / mean_block + 1 / (mean_block * n), abs=0.003)
    at_the_end = indices[:, :-1] == n - 1
    assert follows[at_the_end].mean() == pytest.approx(follows.mean(), abs=0.03)
    np.testing.assert_allclose(follows.mean(axis=0), follows.mean(), atol=0.02)


def test_the_same_seed_gives_the_same_draws_and_fewer_draws_are_the_first_of_more() -> None:
    def drawn(draws: int, seed: int) -> np.ndarray:
        return stationary_indices(60, mean_block=4, draws=draws, seed=seed)

    np.testing.assert_array_equal(drawn(300, 1), drawn(300, 1))
    np.testing.assert_array_equal(drawn(500, 1)[:250], drawn(250, 1))
    assert not np.array_equal(drawn(300, 1), drawn(300, 2))


def test_what_cannot_be_drawn_is_refused_all_at_once() -> None:
    with pytest.raises(DataError) as caught:
        stationary_indices(0, mean_block=0.5, draws=0, seed=1)
    assert {problem.where for problem in caught.value.problems} == {"periods", "mean_block", "draws"}
    for indices in (np.zeros((3, 4), int), np.full((3, 5), 5), np.full((3, 5), -1), np.full((3, 5), 0.5)):
        with pytest.raises(DataError, match="indices"):
            checked_indices(indices, 5)
    for series in (np.arange(9.0), np.ones(50), np.full(50, np.nan)):
        with pytest.raises(DataError, match="series"):
            block_length(series)


def test_an_interval_says_how_it_was_made_and_is_the_same_again() -> None:
    returns = RNG.normal(0.0005, 0.01, 300)
    found = bootstrap_intervals(returns, draws=400, seed=9)
    assert found == bootstrap_intervals(returns, draws=400, seed=9)
    assert (found.draws, found.seed, found.level) == (400, 9, 0.95)
    assert found.mean_block == max(1, block_length(returns).stationary[0])
    assert found.difference == {}
    assert set(found.figures) == {"cagr", "volatility", "sharpe", "max_drawdown"}


def test_the_difference_to_a_benchmark_uses_the_same_draws() -> None:
    """A series that is its benchmark plus a constant differs by nearly nothing, whatever is drawn."""
    benchmark = RNG.normal(0.0002, 0.02, 400)
    found = bootstrap_intervals(benchmark + 0.001, benchmark=benchmark, draws=300, seed=2)
    volatility, error = found.difference["volatility"], found.figures["tracking_error"]
    assert [volatility.low, volatility.high, error.high] == pytest.approx([0, 0, 0], abs=1e-12)
    low, high = found.difference["cagr"].low, found.difference["cagr"].high
    assert low is not None
    assert high is not None
    assert 0 < low < high
    alone = bootstrap_intervals(benchmark + 0.001, draws=300, seed=2).figures["cagr"]
    assert high - low < 0.8 * ((alone.high or 0) - (alone.low or 0))


def test_cash_is_deducted_from_the_sharpe_ratio_alone() -> None:
    returns, cash = RNG.normal(0.001, 0.01, 200), np.full(200, 0.0002)
    with_cash, without = (bootstrap_intervals(returns, cash=one, draws=100, seed=3).figures for one in (cash, None))
    expected = (returns - cash).mean() / (returns - cash).std(ddof=1) * np.sqrt(252)
    assert with_cash["sharpe"].point == pytest.approx(expected)
    for name in ("cagr", "volatility", "max_drawdown"):
        assert with_cash[name] == without[name]


def test_a_ratio_that_some_draws_do_not_have_has_no_interval() -> None:
    returns = np.zeros(30)
    returns[7] = 0.01
    found = bootstrap_intervals(returns, draws=200, seed=1).figures["sharpe"]
    assert found.point is not None
    assert (found.low, found.high) == (None, None)
    assert "draws, which have no spread" in found.note


def test_series_that_do_not_fit_are_refused() -> None:
    good = RNG.normal(0, 0.01, 50)
    with pytest.raises(DataError) as caught:
        bootstrap_intervals(good, benchmark=good[:40], cash=np.full(50, np.nan))
    assert {problem.where for problem in caught.value.problems} == {"benchmark", "cash"}
    with pytest.raises(DataError, match="below -1"):
        bootstrap_intervals(np.append(good, -1.5))
