"""Fair value of closed markets: planted leads are found, independent ones are not, and the future changes nothing."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from exchina.errors import DataError
from exchina.fund.fair_value import FairValue, fair_value

ROWS, WINDOW = 900, 250
MARKETS = ("XTKS", "XTKS", "XASX", "XNYS")
CLOSES = {"XTKS": 6.0, "XASX": 6.0, "XNYS": 21.0, "XLON": 16.5}
WEIGHTS = np.tile([0.3, 0.2, 0.3, 0.15], (ROWS, 1))


def run(
    returns: Any, factor: Any, weights: Any = WEIGHTS, markets: tuple[str, ...] = MARKETS, **other: Any
) -> FairValue:
    settings = {"fund_closes_at": 21.0, "estimation_sessions": WINDOW, **other}
    return fair_value(weights, returns, factor, markets, CLOSES, **settings)


def draw(seed: int, lead: float, noise: float = 0.01) -> tuple[Any, Any]:
    """A factor, and lines that answer it a session later."""
    random = np.random.default_rng(seed)
    factor = random.normal(0.0003, 0.01, ROWS)
    returns = random.normal(0.0, noise, (ROWS, len(MARKETS)))
    returns[1:, :3] += lead * factor[:-1, None]
    return returns, factor


def figures(found: FairValue, market: str = "fund") -> dict[str, Any]:
    return found.figures.row(by_predicate=pl.col("market") == market, named=True)


def test_a_planted_lead_is_found() -> None:
    """0.8 of the factor a session later on 0.8 of the fund: premium sd 0.64 %, R2 of the known signal over noise."""
    returns, factor = draw(1, 0.8, noise=0.006)
    found = run(returns, factor)
    late = found.slopes[WINDOW:]
    assert late[:, :3] == pytest.approx(0.8, abs=5 * 0.006 / 0.01 / WINDOW**0.5)
    assert late[:, :3].mean() == pytest.approx(0.8, abs=0.03)
    assert (late[:, 3] == 0).all()
    fund = figures(found)
    signal = 0.8 * 0.8 * 0.01
    noise = 0.006 * (0.3**2 + 0.2**2 + 0.3**2 + 0.15**2) ** 0.5
    assert fund["premium_sd"] == pytest.approx(signal, rel=0.06)
    assert (fund["premium_p05"], fund["premium_p95"]) == pytest.approx((-1.645 * signal, 1.645 * signal), rel=0.12)
    assert fund["r2"] == pytest.approx(signal**2 / (signal**2 + noise**2), abs=0.03)
    # P(|e| < |p + e|) of a normal signal p and error e
    assert fund["nearer"] == pytest.approx(0.5 + np.arctan(signal / noise / 2) / np.pi, abs=0.04)
    assert fund["p"] < 1e-10
    assert fund["sessions"] == ROWS - WINDOW
    assert figures(found, "XTKS")["premium_sd"] == pytest.approx(0.5 * 0.8 * 0.01, rel=0.06)


def test_without_a_lead_the_premium_is_noise_and_tells_nothing() -> None:
    """Over 20 draws: a slope is off by 1/sqrt(window), so the premium by about 0.04 % and R2 is a little below 0."""
    found = [figures(run(*draw(seed, 0.0))) for seed in range(20)]
    r2 = np.array([one["r2"] for one in found])
    expected = (0.01 / WINDOW**0.5) * np.linalg.norm([0.3, 0.2, 0.3])
    assert np.mean([one["premium_sd"] for one in found]) == pytest.approx(expected, rel=0.4)
    assert r2.mean() < 0
    assert r2.max() < 4 / (ROWS - WINDOW)
    assert np.mean([one["nearer"] for one in found]) == pytest.approx(0.5, abs=0.02)
    assert sum(one["p"] < 0.05 for one in found) <= 4


def test_the_slope_is_the_part_of_the_factor_that_was_still_to_come() -> None:
    """24 hours a day: a market that closes 15 hours before NAV answers with 15/24 of its beta, one at NAV with none."""
    random = np.random.default_rng(3)
    hours = random.normal(0.0, 0.002, (3000, 24))
    factor = hours.sum(axis=1)
    line = np.zeros(3000)
    line[1:] = 1.2 * (hours[:-1, 9:].sum(axis=1) + hours[1:, :9].sum(axis=1))
    returns = np.column_stack([line, line])
    weights = np.full((3000, 2), 0.5)
    found = run(returns, factor, weights, ("XTKS", "XNYS"), estimation_sessions=1500)
    assert found.slopes[1500:, 0].mean() == pytest.approx(1.2 * 15 / 24, abs=0.03)
    assert (found.slopes[:, 1] == 0).all()
    assert figures(found, "XNYS")["note"].startswith("closes within three hours")


def test_a_factor_that_trends_lends_the_slope_nothing() -> None:
    """A line that moves with its own session alone; the factor has autocorrelation 0.5: a plain slope would be 0.5."""
    random = np.random.default_rng(4)
    factor = np.zeros(2000)
    for row in range(1, 2000):
        factor[row] = 0.5 * factor[row - 1] + random.normal(0, 0.01)
    returns = (factor + random.normal(0, 0.002, 2000))[:, None]
    found = run(returns, factor, np.ones((2000, 1)), ("XTKS",), estimation_sessions=1000)
    assert np.corrcoef(returns[1:, 0], factor[:-1])[0, 1] > 0.4
    assert found.slopes[1000:].mean() == pytest.approx(0.0, abs=0.02)


def test_slopes_are_those_of_least_squares_on_the_trailing_window_with_holidays() -> None:
    returns, factor = draw(5, 0.6)
    random = np.random.default_rng(6)
    returns[random.random(returns.shape) < 0.05] = np.nan
    found = run(returns, factor)
    for line, day in ((0, 249), (0, 600), (2, 899), (1, 400)):
        y, rows = [], []
        before = None
        for row in range(day + 1):
            if np.isfinite(returns[row, line]):
                if before is not None and row > day - WINDOW:
                    rows.append([1.0, factor[before:row].sum(), factor[row]])
                    y.append(returns[row, line])
                before = row
        slope = np.linalg.lstsq(np.array(rows), np.array(y), rcond=None)[0][1]
        assert found.slopes[day, line] == pytest.approx(slope, rel=1e-9)
    day = 700
    premium = 0.0
    for line in range(3):
        last = max(row for row in range(day + 1) if np.isfinite(returns[row, line]))
        premium += WEIGHTS[day, line] * found.slopes[day, line] * factor[last : day + 1].sum()
    assert found.premium[day] == pytest.approx(premium, rel=1e-9)


def test_behind_a_holiday_the_premium_carries_all_that_was_missed() -> None:
    returns, factor = draw(7, 0.8, noise=0.001)
    returns[600:602, :3] = np.nan
    found = run(returns, factor)
    missed = factor[599:602].sum()
    assert found.premium[601] == pytest.approx((WEIGHTS[601, :3] * found.slopes[601, :3]).sum() * missed, rel=1e-9)
    assert found.premium[602] == pytest.approx((WEIGHTS[602, :3] * found.slopes[602, :3]).sum() * factor[602], rel=1e-9)


@pytest.mark.parametrize("cut", [300, 555, 898])
def test_the_future_changes_nothing(cut: int) -> None:
    returns, factor = draw(8, 0.7)
    returns[np.random.default_rng(9).random(returns.shape) < 0.03] = np.nan
    before = run(returns, factor)
    random = np.random.default_rng(10)
    weights, returns, factor = WEIGHTS.copy(), returns.copy(), factor.copy()
    returns[cut + 1 :] = random.normal(0, 0.3, returns[cut + 1 :].shape).clip(-0.9)
    factor[cut + 1 :] = random.normal(0, 0.3, len(factor) - cut - 1).clip(-0.9)
    weights[cut + 1 :] = 0.1
    after = run(returns, factor, weights)
    for name in ("premium", "slopes", "borrowed", "left_out"):
        kept, now = getattr(before, name)[: cut + 1], getattr(after, name)[: cut + 1]
        assert kept.tobytes() == now.tobytes(), name
    assert before.moves[:cut].tobytes() == after.moves[:cut].tobytes()
    assert before.premium[cut + 1 :].tobytes() != after.premium[cut + 1 :].tobytes()


def test_a_new_listing_borrows_from_its_market_and_a_suspended_line_is_left_out() -> None:
    returns, factor = draw(11, 0.8)
    returns[:500, 1] = np.nan  # Tokyo's second line is listed on row 500
    weights = WEIGHTS.copy()
    weights[:500, 1] = 0.0
    found = run(returns, factor, weights)
    assert found.slopes[510, 1] == found.slopes[510, 0]
    assert found.borrowed[[499, 510, 700]].tolist() == [0.0, 0.2, 0.0]
    assert found.slopes[700, 1] != found.slopes[700, 0]
    returns[700:, 2] = np.nan  # Sydney's only line stops: 0.3 of 0.8 is too much to leave out
    found = run(returns, factor, weights)
    assert found.left_out[[709, 710, 800]].tolist() == [0.0, 0.3, 0.3]
    assert np.isfinite(found.premium[709])
    assert np.isnan(found.premium[710:]).all()
    light = weights.copy()
    light[:, 2] = 0.04
    found = run(returns, factor, light)
    assert np.isfinite(found.premium[WINDOW - 1 :]).all()
    assert figures(found)["sessions"] == ROWS - WINDOW


def test_a_fund_without_a_closed_market_has_no_premium_and_says_why() -> None:
    returns, factor = draw(12, 0.0)
    found = run(returns, factor, markets=("XNYS",) * 4)
    assert (found.premium[WINDOW - 1 :] == 0).all()
    row = figures(found)
    assert (row["r2"], row["premium_sd"]) == (None, None)
    assert row["note"] == "closes within three hours before NAV is struck, or after it: no price is stale"
    london = run(returns, factor, markets=("XLON",) * 4)
    assert (london.slopes[WINDOW:] != 0).all()


def test_fair_nav_and_moves() -> None:
    returns, factor = draw(13, 0.5)
    returns[701, 0] = np.nan
    weights = WEIGHTS * np.linspace(0.5, 1.0, ROWS)[:, None]
    found = run(returns, factor, weights)
    assert found.fair_nav(np.full(ROWS, 50.0))[700] == 50.0 * (1 + found.premium[700])
    assert found.moves[700] == pytest.approx(float((weights[700, 1:] * returns[701, 1:]).sum()), rel=1e-12)
    assert np.isnan(found.moves[-1])


def test_a_fund_that_owes_a_little_is_more_than_invested() -> None:
    returns, factor = draw(16, 0.5)
    assert np.isfinite(run(returns, factor, WEIGHTS * 1.06).premium[-1])  # 0.95 x 1.06 = 1.007


def test_what_is_too_short_or_makes_no_sense_is_refused_all_at_once() -> None:
    returns, factor = draw(14, 0.5)
    with pytest.raises(DataError) as fault:
        run(returns[:300], factor[:300], WEIGHTS[:300], least_sessions=300)
    assert [(problem.where, problem.hint) for problem in fault.value.problems] == [
        ("fair value, least_sessions", "from 5 to estimation_sessions"),
        ("fair value, sessions", "311 needed: 250 to fit and 60 to test on"),
    ]
    factor[3], returns[4, 1] = np.nan, -1.5
    with pytest.raises(DataError) as fault:
        fair_value(
            WEIGHTS * 2, returns, factor, ("XTKS", "XTK", "XASX", "XNYS"), {**CLOSES, "XASX": 30.0}, fund_closes_at=21.0
        )
    assert [problem.where.removeprefix("fair value, ") for problem in fault.value.problems] == [
        "weights",
        "returns",
        "factor",
        "XTK",
        "XASX",
    ]
    with pytest.raises(DataError, match="weights \\(900, 4\\), returns \\(900, 3\\)"):
        run(returns[:, :3], factor)


def test_tokyo_catches_up_with_new_york_on_real_prices(shared: Path) -> None:
    """Shin-Etsu on what REMX did after its close, 2019-2024: found from the year before, gone when shuffled."""
    prices = shared / "market" / "real" / "prices"
    fund = pl.read_csv(prices / "remx_second_source.csv", try_parse_dates=True).filter(
        pl.col("date") < date(2024, 12, 24)
    )
    line = pl.read_csv(prices / "jp_magnet_ohlcv.csv", try_parse_dates=True).filter(pl.col("volume") > 0)
    own = line.select("date", "adj_close", traded="date")
    joined = fund.sort("date").join_asof(own.sort("date"), on="date")
    fresh = (joined["traded"] != joined["traded"].shift(1)).to_numpy()
    returns = np.where(fresh, joined["adj_close"].pct_change().to_numpy(), np.nan)[1:, None]
    factor = joined["close"].pct_change().to_numpy()[1:]
    settings = {"weights": np.ones_like(returns), "markets": ("XTKS",)}
    row = figures(run(returns, factor, **settings))
    assert row["sessions"] > 1100
    assert (row["r2"], row["premium_sd"]) == (pytest.approx(0.065, abs=0.02), pytest.approx(0.006, abs=0.001))
    assert row["p"] < 1e-6
    shuffled = figures(run(returns, np.random.default_rng(15).permutation(factor), **settings))
    assert shuffled["r2"] < 0.005
