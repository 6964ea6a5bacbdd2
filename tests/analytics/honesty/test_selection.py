"""Reality check, SPA and PBO: against plain loops, by what must hold, and what is refused."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import linregress, rankdata

from exchina.analytics.honesty.blocks import stationary_indices
from exchina.analytics.honesty.data_snooping import data_snooping, long_run_deviation
from exchina.analytics.honesty.overfitting import overfitting
from exchina.errors import DataError

RNG = np.random.default_rng(13)


def plain_deviation(x: np.ndarray, q: float) -> float:
    n, x = len(x), x - x.mean()
    c = [float(x[i:] @ x[: n - i]) / n for i in range(n)]
    kernel = [(1 - i / n) * (1 - q) ** i + i / n * (1 - q) ** (n - i) for i in range(n)]
    return float(np.sqrt(c[0] + 2 * sum(kernel[i] * c[i] for i in range(1, n))))


@pytest.mark.parametrize("periods", [40, 97])
@pytest.mark.parametrize("mean_block", [1, 2, 12.5])
def test_the_long_run_deviation_is_its_sum(periods: int, mean_block: float) -> None:
    excess = RNG.normal(size=(periods, 4)).cumsum(axis=0) * 0.1 + RNG.normal(size=(periods, 4))
    expected = [plain_deviation(column, 1 / mean_block) for column in excess.T]
    np.testing.assert_allclose(long_run_deviation(excess, mean_block), expected, rtol=1e-10)


def test_both_tests_are_their_definition() -> None:
    excess = RNG.normal(0.0003, 0.01, (90, 5)) * np.array([1, 1, 1, 1, 4]) - np.array([0, 0, 0.006, 0, 0])
    indices = stationary_indices(90, mean_block=3, draws=301, seed=8)
    found = data_snooping(excess, mean_block=3, indices=indices)
    mean, root = excess.mean(axis=0), np.sqrt(90)
    omega = np.array([plain_deviation(column, 1 / 3) for column in excess.T])
    consistent = np.where(mean >= -omega * np.sqrt(2 * np.log(np.log(90)) / 90), mean, 0)
    assert (consistent == 0).any()
    drawn = excess[indices].mean(axis=1)
    t_spa = max(0, (root * mean / omega).max())
    centres = {"lower": np.maximum(mean, 0), "consistent": consistent, "upper": mean}
    for name, centre in centres.items():
        p = ((root * (drawn - centre) / omega).max(axis=1) > t_spa).mean()
        assert getattr(found, f"p_spa_{name}") == p
    assert found.p_reality_check == ((root * (drawn - mean)).max(axis=1) > (root * mean).max()).mean()
    assert found.p_spa_lower <= found.p_spa_consistent <= found.p_spa_upper
    assert (found.draws, found.seed, found.best) == (301, None, int((mean / omega).argmax()))


def test_a_wild_loser_does_not_hide_a_good_variant_from_spa() -> None:
    good, bad = RNG.normal(0.002, 0.01, (500, 1)), RNG.normal(-0.005, 0.2, (500, 3))
    found = data_snooping(np.hstack([good, bad]), draws=1000)
    assert found.p_spa_consistent < 0.01
    assert found.p_reality_check > 0.2
    assert found.best == 0


def test_variants_that_all_lose_are_not_found_skilful() -> None:
    """Counted strictly, no draw of clear losers is above a statistic of 0, and the p would be 0."""
    found = data_snooping(RNG.normal(-0.01, 0.01, (300, 5)), draws=200)
    assert found.t_spa == 0
    assert [found.p_spa_lower, found.p_spa_consistent, found.p_spa_upper, found.p_reality_check] == [1, 1, 1, 1]


def test_the_scale_and_the_order_of_the_variants_do_not_matter() -> None:
    excess = RNG.normal(0, 0.01, (200, 6))
    one = data_snooping(excess, mean_block=4, draws=500, seed=3)
    order = [3, 0, 5, 1, 4, 2]
    other = data_snooping(excess[:, order] * 7, mean_block=4, draws=500, seed=3)
    for name in ("p_reality_check", "p_spa_lower", "p_spa_consistent", "p_spa_upper"):
        assert getattr(one, name) == getattr(other, name)
    assert order[other.best] == one.best


def test_a_variant_that_is_the_benchmark_is_left_out_and_named() -> None:
    excess = RNG.normal(0, 0.01, (200, 4))
    with_it = data_snooping(np.insert(excess, 2, 0.0, axis=1), mean_block=4, draws=400)
    without = data_snooping(excess, mean_block=4, draws=400)
    assert with_it.left_out == (2,)
    assert with_it.omega[2] == 0
    assert (with_it.variants, without.variants) == (5, 4)
    assert with_it.p_spa_consistent == without.p_spa_consistent


@pytest.mark.parametrize(
    ("excess", "said"),
    [
        (np.ones((50, 2)) * 0.01, "the same in every period"),
        (np.zeros((50, 2)), "every variant equals the benchmark"),
        (np.full((50, 2), np.nan), "variant 0: a return is missing"),
        (np.zeros(50), "periods x variants"),
        (np.zeros((5, 2)), "10 periods or more"),
    ],
)
def test_what_cannot_be_tested_is_refused(excess: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        data_snooping(excess)


def test_draws_from_elsewhere_need_their_mean_block() -> None:
    with pytest.raises(DataError, match="mean_block"):
        data_snooping(RNG.normal(size=(50, 2)), indices=np.zeros((10, 50), int))


@pytest.mark.parametrize(("variants", "periods", "blocks"), [(7, 66, 6), (8, 90, 8), (30, 133, 4)])
def test_overfitting_is_its_definition(variants: int, periods: int, blocks: int) -> None:
    trials = RNG.normal(0.0002, 0.01, (periods, variants)).round(4)
    found = overfitting(trials, blocks=blocks)
    cut = np.array_split(trials[periods % blocks :], blocks)
    rows = []
    for chosen in combinations(range(blocks), blocks // 2):
        halves = [np.vstack([cut[b] for b in range(blocks) if (b in chosen) is inside]) for inside in (True, False)]
        inside, outside = (half.mean(axis=0) / half.std(axis=0, ddof=1) for half in halves)
        best = int(inside.argmax())
        rows.append((best, inside[best], outside[best], rankdata(outside)[best] / (variants + 1)))
    best, inside, outside, rank = map(np.array, zip(*rows, strict=True))
    np.testing.assert_array_equal(found.selected, best)
    np.testing.assert_allclose(found.logits, np.log(rank / (1 - rank)), rtol=1e-9)
    assert found.pbo == (rank <= 0.5).mean()
    assert found.loss == (outside < 0).mean()
    assert (found.mean_in_sample, found.mean_out_of_sample) == pytest.approx((inside.mean(), outside.mean()))
    fit = linregress(inside, outside)
    assert (found.slope, found.intercept) == pytest.approx((fit.slope, fit.intercept))


def test_what_makes_overfitting_weak_is_said() -> None:
    few = RNG.normal(size=(100, 3))
    warnings = overfitting(np.hstack([few, few, few]), blocks=4).warnings
    assert warnings == (
        "3 different variants, fewer than 7",
        "blocks of 25 periods, shorter than 40",
        "4 blocks, fewer than 8",
    )
    strong = overfitting(RNG.normal(size=(700, 7)))
    assert (strong.blocks, strong.block_periods, strong.warnings) == (16, 43, ())
    assert overfitting(RNG.normal(size=(400, 7))).blocks == 10
    assert overfitting(RNG.normal(size=(200, 7))).blocks == 8


@pytest.mark.parametrize(
    ("trials", "blocks", "said"),
    [
        (np.tile(RNG.normal(size=(90, 1)), 8), 6, "all variants are identical"),
        (RNG.normal(size=(90, 1)), 6, "two variants or more"),
        (RNG.normal(size=(90, 4)), 5, "even number"),
        (RNG.normal(size=(90, 4)), 22, "even number"),
        (RNG.normal(size=(10, 4)), 8, "two periods a block"),
        (np.hstack([RNG.normal(size=(90, 3)), np.repeat([[0.0], [1.0]], [80, 10], axis=0)]), 6, "variant 3"),
    ],
)
def test_overfitting_that_cannot_be_computed_is_refused(trials: np.ndarray, blocks: int, said: str) -> None:
    with pytest.raises(DataError, match=said):
        overfitting(trials, blocks=blocks)
