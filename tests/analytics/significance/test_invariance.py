"""What must not change when the sample is told differently: order, scale, sign, the same names twice."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from exchina.analytics.significance import Market, Sample, battery, pooled, sample

RANDOM = np.random.default_rng(11)
DAYS, NAMES = 133, 12
BENCHMARK = RANDOM.normal(0, 0.012, DAYS)
COMMON = RANDOM.normal(0, 0.02, (DAYS, 1))
RETURNS = 1.3 * BENCHMARK[:, None] + COMMON + RANDOM.normal(0, 0.03, (DAYS, NAMES))
RETURNS[130:] += 0.03
ESTIMATION, EVENT = np.arange(120), np.arange(130, DAYS)
COUNTS = {"sign_exact", "wilcoxon", "generalised_sign"}


def formed(returns: np.ndarray, **how: Any) -> Sample:
    return sample(Market(np.arange(DAYS), returns, BENCHMARK, ESTIMATION, EVENT), **how)


def values(one: Sample) -> dict[str, tuple[float | None, float | None]]:
    return {found.name: (found.value, found.p) for found in battery(one)}


PLAIN = values(formed(RETURNS, weights=np.arange(1.0, NAMES + 1)))


def test_every_statistic_is_there() -> None:
    assert len(PLAIN) == 22
    assert all(value is not None and p is not None and 0 <= p <= 1 for value, p in PLAIN.values())


def test_the_order_of_names_does_not_matter() -> None:
    order = RANDOM.permutation(NAMES)
    turned = values(formed(RETURNS[:, order], weights=np.arange(1.0, NAMES + 1)[order]))
    for name, found in turned.items():
        assert found == pytest.approx(PLAIN[name], rel=1e-9), name


def test_a_scale_does_not_matter() -> None:
    scaled = values(formed(7.5 * RETURNS, weights=np.full(NAMES, 3.0)))
    equal = values(formed(RETURNS, weights=np.full(NAMES, 1.0)))
    for name, (value, p) in scaled.items():
        scale = 7.5 if name == "placebo" else 1.0
        assert ((value or 0) / scale, p) == pytest.approx(equal[name], rel=1e-8), name


def test_turned_signs_turn_the_statistics_and_keep_p() -> None:
    turned = values(formed(-RETURNS, weights=np.arange(1.0, NAMES + 1)))
    for name, (value, p) in turned.items():
        was, p_was = PLAIN[name]
        assert p == pytest.approx(p_was, rel=1e-8), name
        if name not in COUNTS:
            assert (value, was) == (pytest.approx(-(was or 0), rel=1e-8), was), name


def test_the_same_names_twice_are_no_news() -> None:
    twice = values(formed(np.hstack([RETURNS, RETURNS])))
    for name in ("kp_bmp", "kp_patell", "corrado_rank", "portfolio_regression", "placebo"):
        assert twice[name][0] == pytest.approx(PLAIN[name][0], rel=1e-9), name
    assert twice["grank_t"][0] == pytest.approx(PLAIN["grank_t"][0], abs=0.01)
    for name in ("bmp", "patell", "cross_section"):
        assert (twice[name][0] or 0) / (PLAIN[name][0] or 1) == pytest.approx(np.sqrt(2), rel=0.05), name


def test_a_change_of_one_name_is_seen() -> None:
    other = RETURNS.copy()
    other[130, 0] += 0.05
    assert all(values(formed(other))[name] != PLAIN[name] for name in ("kp_bmp", "grank_t", "portfolio_regression"))


def test_dates_that_do_not_overlap_enter_as_uncorrelated() -> None:
    one = formed(RETURNS)
    both = pooled(one, replace(one, days=one.days + 1000))
    within = one.rbar * NAMES * (NAMES - 1) * 2
    assert both.rbar == pytest.approx(within / (2 * NAMES * (2 * NAMES - 1)))
    assert both.rows.shape == (120, 2 * NAMES)
    found = {statistic.name: statistic for statistic in battery(both)}
    assert (found["corrado_rank"].value, found["grank_t"].df) == (pytest.approx(PLAIN["corrado_rank"][0]), 119)
    assert found["portfolio_regression"].value is None
    assert "several dates" in found["portfolio_regression"].note
    assert found["crude_dependence"].value is None
