"""News of one time zone shows a day later in another: the headline must hold its size all the same."""

import numpy as np
import pytest

from exchina.analytics.significance import Market, battery, sample
from exchina.analytics.significance.correlation import mean_correlation

SAMPLES, SESSIONS, DAY = 700, 142, 130
NEW_YORK, SYDNEY = 20.0, 6.0


def rejected(share: float, sydney: float) -> tuple[dict[str, float], float]:
    """Share of true nulls rejected at 5 %, and mean rbar: two markets of five names, common news in New York's hours.

    Args:
        share: of the common news that falls into New York's hours; the rest both markets show on the same day.
        sydney: hour of the second market's close, as the test is told.
    """
    random = np.random.default_rng(7)
    hits: dict[str, list[bool]] = {"kp_bmp": [], "portfolio_regression": []}
    correlations: list[float] = []
    days, estimation = np.arange(SESSIONS), np.arange(120)
    for _ in range(SAMPLES):
        late = random.normal(size=SESSIONS + 1) * np.sqrt(0.3 * share)
        same = random.normal(size=SESSIONS) * np.sqrt(0.3 * (1 - share))
        late[DAY + 1], same[DAY : DAY + 2] = random.normal() * np.sqrt(0.3), 0
        markets: list[Market] = []
        for closes_at, news, day in ((NEW_YORK, late[1:], DAY), (sydney, late[:-1], DAY + 1)):
            factor, own = random.normal(0, 0.012, SESSIONS), np.sqrt(0.7) * random.normal(size=(SESSIONS, 5))
            returns = random.uniform(0.8, 1.8, 5) * factor[:, None] + 0.04 * ((news + same)[:, None] + own)
            markets.append(Market(days, returns, factor, estimation, np.array([day]), closes_at))
        made = sample(*markets)
        for one in battery(made):
            if one.name in hits:
                hits[one.name].append(one.p is not None and one.p <= 0.05)
        correlations.append(made.rbar)
    return {name: float(np.mean(found)) for name, found in hits.items()}, float(np.mean(correlations))


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_the_size_holds_where_the_hours_are_known(share: float) -> None:
    sizes, rbar = rejected(share, SYDNEY)
    assert rbar == pytest.approx(0.3, abs=0.02)
    assert all(0.025 < size < 0.085 for size in sizes.values()), sizes


def test_calendar_days_alone_reject_far_too_often() -> None:
    sizes, rbar = rejected(1.0, NEW_YORK)
    assert rbar < 0.16
    assert sizes["kp_bmp"] > 0.12


def test_only_pairs_of_distant_markets_count_the_days_beside() -> None:
    random = np.random.default_rng(3)
    common = random.normal(size=301)
    first, late, third = common[1:], common[:-1], random.normal(size=300)
    residuals = np.column_stack([first, late, third])
    near = mean_correlation(residuals, np.array([20.0, 20.0, 20.0]))
    assert near == pytest.approx(mean_correlation(residuals), abs=1e-12)
    assert abs(near) < 0.06
    apart = mean_correlation(residuals, np.array([20.0, 6.0, 20.0]))
    assert apart == pytest.approx(1 / 3, abs=0.09)
