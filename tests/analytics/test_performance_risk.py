"""Drawdowns, tails and figures against a benchmark, by hand."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from exchina.analytics.downside import downside, drawdowns, rolling_volatility
from exchina.analytics.relative import relative
from exchina.errors import DataError

FIRST = date(2025, 1, 30)


def series(*levels: float, first: date = FIRST, step: int = 1) -> pl.DataFrame:
    days = [first + timedelta(days=step * n) for n in range(len(levels))]
    return pl.DataFrame({"session": days, "level": [float(level) for level in levels]})


def test_drawdowns_run_from_the_peak_to_the_recovery() -> None:
    table = drawdowns(series(100, 110, 99, 104.5, 110, 120, 60, 90), deepest=5)
    assert table.rows() == [
        (day(5), day(6), None, -0.5, 1, 2),
        (day(1), day(2), day(4), pytest.approx(-0.1), 1, 3),
    ]
    assert drawdowns(series(100, 110, 99, 120, 60), deepest=1)["depth"].to_list() == [-0.5]


def test_a_series_that_only_rises_has_no_drawdown_and_no_calmar() -> None:
    levels = series(100, 101, 103)
    assert drawdowns(levels).height == 0
    figures = downside(levels)
    assert (figures["calmar"], figures["ulcer_index"], figures["downside_deviation"]) == (None, 0, 0)


def test_a_series_that_opens_with_a_fall_is_under_water_from_its_first_level() -> None:
    assert drawdowns(series(100, 90, 80)).rows() == [(day(0), day(2), None, pytest.approx(-0.2), 2, 2)]


def test_downside_by_hand() -> None:
    levels = series(100, 110, 99, 108.9)
    figures = downside(levels)
    assert figures["downside_deviation"] == pytest.approx(np.sqrt(0.01 / 3 * 252))
    assert figures["ulcer_index"] == pytest.approx(np.sqrt((0.1**2 + 0.01**2) / 4))
    assert figures["value_at_risk"] == pytest.approx(-0.08)
    assert figures["expected_shortfall"] == pytest.approx(-0.1)
    assert figures["return_per_year"] == pytest.approx(1.089 ** (365.25 / 3) - 1)
    assert figures["calmar"] == pytest.approx((1.089 ** (365.25 / 3) - 1) / 0.1)


def test_the_worst_month_is_a_whole_one() -> None:
    """The first month has no month-end before it and the last, the worst by far, is not over."""
    months = series(100, 90, 99, 94.05, 40, first=date(2025, 1, 31), step=28)
    assert [day.month for day in months["session"]] == [1, 2, 3, 4, 5]
    assert downside(months)["worst_month"] == pytest.approx(-0.1)
    assert downside(series(100, 90))["worst_month"] is None


def test_rolling_volatility_starts_with_a_full_window() -> None:
    levels = series(100, 110, 99, 108.9)
    table = rolling_volatility(levels, sessions=2)
    assert table["session"].to_list() == [day(2), day(3)]
    assert table["volatility"].to_list() == pytest.approx([np.std([0.1, -0.1], ddof=1) * np.sqrt(252)] * 2)
    assert rolling_volatility(levels, sessions=4).height == 0


def test_a_series_against_itself() -> None:
    levels = series(100, 110, 99, 108.9)
    figures = relative(levels, levels)
    assert figures["tracking_error"] == figures["tracking_difference"] == 0
    assert figures["information_ratio"] is None
    assert [figures[name] for name in ("beta", "correlation", "up_capture", "down_capture")] == pytest.approx([1] * 4)


def test_relative_by_hand_over_the_common_sessions() -> None:
    benchmark = series(100, 110, 99, 108.9)
    doubled = pl.concat([series(100, 120, 96, 115.2), pl.DataFrame({"session": [day(9)], "level": [1.0]})])
    figures = relative(doubled, benchmark)
    r, b = np.array([0.2, -0.2, 0.2]), np.array([0.1, -0.1, 0.1])
    assert figures["sessions"] == 4
    assert figures["beta"] == pytest.approx(2)
    assert figures["correlation"] == pytest.approx(1)
    assert (figures["up_capture"], figures["down_capture"]) == (pytest.approx(2), pytest.approx(2))
    assert figures["tracking_error"] == pytest.approx(np.std(r - b, ddof=1) * np.sqrt(252))
    assert figures["information_ratio"] == pytest.approx(np.mean(r - b) / np.std(r - b, ddof=1) * np.sqrt(252))
    assert figures["tracking_difference"] == pytest.approx(1.152 ** (365.25 / 3) - 1.089 ** (365.25 / 3))


def test_a_benchmark_that_stands_still_gives_no_beta_and_no_capture() -> None:
    figures = relative(series(100, 110, 99), series(5, 5, 5))
    assert [figures[name] for name in ("beta", "correlation", "up_capture", "down_capture")] == [None] * 4


def test_too_little_in_common_is_refused() -> None:
    with pytest.raises(DataError, match="2 sessions in common"):
        relative(series(1, 2, 3), series(1, 2, 3, first=day(1)))


def day(number: int) -> date:
    return FIRST + timedelta(days=number)
