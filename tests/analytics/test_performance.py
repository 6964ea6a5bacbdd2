import math
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from exchina.analytics.performance import calendar_year_returns, risk, summary, trailing_returns
from exchina.errors import DataError


def series(*rows: tuple[date, float]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"session": pl.Date, "level": pl.Float64}, orient="row")


def weekdays(first: date, count: int, growth: float) -> pl.DataFrame:
    days = [day for n in range(2 * count) if (day := first + timedelta(days=n)).weekday() < 5][:count]
    return series(*((day, 1000 * growth**n) for n, day in enumerate(days)))


# ticker, return, volatility, max drawdown, trough, peak: adjusted closes, 2024-12-31 to 2025-12-31
YEAR_2025 = [
    ("MP", 2.238462, 0.965073, -0.488697, date(2025, 12, 30), date(2025, 10, 14)),
    ("REMX", 0.929485, 0.416087, -0.266292, date(2025, 4, 8), date(2025, 3, 18)),
    ("UUUU", 1.834308, 0.851463, -0.512772, date(2025, 11, 21), date(2025, 10, 14)),
    ("USAR", 0.036585, 1.589348, -0.692347, date(2025, 12, 31), date(2025, 10, 13)),
    ("TMC", 4.508929, 1.274666, -0.543031, date(2025, 11, 17), date(2025, 10, 13)),
    ("TMQ", 2.715517, 2.380081, -0.667925, date(2025, 11, 14), date(2025, 10, 14)),
    ("SPY", 0.177191, 0.194868, -0.187552, date(2025, 4, 8), date(2025, 2, 19)),
]


@pytest.mark.parametrize("row", YEAR_2025, ids=lambda row: row[0])
def test_real_shares_in_2025(row: tuple[str, float, float, float, date, date], shared: Path) -> None:
    ticker, total, volatility, drawdown, trough, peak = row
    real = shared / "market" / "real"
    files = [real / "prices" / "us_ree_adjclose.csv", real / "benchmarks" / "us_etf_adjclose.csv"]
    if not all(file.exists() for file in files):
        pytest.skip("needs the adjusted closes of the outside data")
    levels = (
        pl.concat([pl.read_csv(file, try_parse_dates=True) for file in files])
        .filter(pl.col("ticker") == ticker, pl.col("date").is_between(date(2024, 12, 31), date(2025, 12, 31)))
        .select(session="date", level="adj_close")
        .sort("session")
    )
    numbers = risk(levels)
    assert calendar_year_returns(levels).rows() == [(2025, pytest.approx(total, abs=6e-7), False)]
    assert numbers["volatility_since_base"] == pytest.approx(volatility, abs=6e-7)
    assert numbers["volatility_1y"] is None
    assert numbers["max_drawdown"] == pytest.approx(drawdown, abs=6e-7)
    assert (numbers["drawdown_peak"], numbers["drawdown_trough"]) == (peak, trough)


def test_trailing_returns_start_at_the_last_session_at_or_before_the_calendar_date() -> None:
    levels = series(
        (date(2019, 12, 31), 80.0),
        (date(2022, 12, 30), 90.0),
        (date(2024, 2, 29), 100.0),
        (date(2024, 12, 31), 110.0),
        (date(2025, 1, 31), 120.0),
        (date(2025, 2, 27), 121.0),
        (date(2025, 2, 28), 132.0),
    )
    trailing = {period: (start, value) for period, start, value in trailing_returns(levels).iter_rows()}
    assert trailing["1 month"] == (date(2024, 12, 31), pytest.approx(132 / 110 - 1))
    assert trailing["3 months"] == (date(2024, 2, 29), pytest.approx(0.32))
    assert trailing["YTD"] == (date(2024, 12, 31), pytest.approx(0.2))
    assert trailing["1 year"] == (date(2022, 12, 30), pytest.approx(132 / 90 - 1))
    assert trailing["3 years p.a."] == (date(2019, 12, 31), pytest.approx(1.65 ** (365.25 / 1886) - 1))
    assert trailing["5 years p.a."] == (date(2019, 12, 31), pytest.approx(1.65 ** (365.25 / 1886) - 1))
    assert trailing["Since base p.a."] == trailing["5 years p.a."]


def test_a_month_that_lacks_the_day_starts_at_its_end() -> None:
    levels = series(
        (date(2025, 2, 27), 1.0), (date(2025, 2, 28), 2.0), (date(2025, 3, 3), 4.0), (date(2025, 3, 31), 8.0)
    )
    assert trailing_returns(levels).row(0) == ("1 month", date(2025, 2, 28), 3.0)


def test_periods_longer_than_the_history_are_null_and_a_short_one_is_not_annualised() -> None:
    trailing = trailing_returns(weekdays(date(2025, 3, 3), 40, 1.001))
    known = trailing.filter(pl.col("return").is_not_null())
    assert known["period"].to_list() == ["1 month", "Since base"]
    assert trailing.filter(pl.col("start").is_null())["period"].to_list() == [
        "3 months",
        "YTD",
        "1 year",
        "3 years p.a.",
        "5 years p.a.",
    ]
    assert known["return"][1] == pytest.approx(1.001**39 - 1)


def test_exactly_one_year_is_not_annualised() -> None:
    trailing = trailing_returns(series((date(2024, 3, 1), 100.0), (date(2025, 3, 1), 110.0)))
    assert trailing["period"][-1] == "Since base"
    assert trailing["return"][-1] == pytest.approx(0.1)
    longer = trailing_returns(series((date(2024, 2, 29), 100.0), (date(2025, 3, 1), 110.0)))
    assert longer["period"][-1] == "Since base p.a."
    assert longer["return"][-1] == pytest.approx(1.1 ** (365.25 / 366) - 1)


@pytest.mark.parametrize(
    ("base", "end", "years"),
    [
        (date(2024, 6, 3), date(2026, 5, 29), [(2024, True), (2025, False), (2026, True)]),
        (date(2022, 12, 30), date(2023, 12, 29), [(2023, False)]),
        (date(2022, 12, 29), date(2023, 12, 28), [(2022, True), (2023, True)]),
    ],
)
def test_the_first_and_the_last_year_are_partial_unless_whole(
    base: date, end: date, years: list[tuple[int, bool]]
) -> None:
    levels = weekdays(base, 800, 1.0002).filter(pl.col("session") <= end)
    table = calendar_year_returns(levels)
    assert table.select("year", "partial").rows() == years
    assert float(np.prod(table["return"].to_numpy() + 1)) == pytest.approx(levels["level"][-1] / 1000)


def test_one_year_of_volatility_is_the_last_252_returns() -> None:
    calm, wild = weekdays(date(2024, 1, 1), 300, 1.0), np.tile([1.01, 1 / 1.01], 126).cumprod()
    levels = calm.with_columns(level=pl.Series([*calm["level"][:48], *(1000 * wild)]))
    expected = np.std(np.tile([0.01, 1 / 1.01 - 1], 126), ddof=1) * math.sqrt(252)
    assert risk(levels)["volatility_1y"] == pytest.approx(expected)
    assert risk(levels.tail(253))["volatility_1y"] == pytest.approx(expected)
    assert risk(levels.tail(252))["volatility_1y"] is None


def test_a_series_that_never_falls_has_no_drawdown() -> None:
    numbers = risk(weekdays(date(2025, 1, 1), 30, 1.01))
    assert (numbers["max_drawdown"], numbers["drawdown_peak"], numbers["drawdown_trough"]) == (0.0, None, None)


def test_summary_says_each_measure_once_with_its_unit() -> None:
    table = summary(weekdays(date(2021, 1, 4), 1400, 1.0005))
    assert table["measure"].is_unique().all()
    units = dict(table.select("measure", "unit").iter_rows())
    assert units["Return, 3 years p.a."] == "fraction per year"
    assert units["Return, YTD"] == "fraction"
    assert set(units.values()) == {"index points", "fraction", "fraction per year"}
    assert table["value"].null_count() == 0


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        (series((date(2025, 1, 2), 100.0)), "a return needs two sessions"),
        (series((date(2025, 1, 3), 100.0), (date(2025, 1, 2), 101.0)), "not ascending"),
        (series((date(2025, 1, 2), 100.0), (date(2025, 1, 2), 101.0)), "not ascending and unique"),
        (series((date(2025, 1, 2), 100.0), (date(2025, 1, 3), math.nan)), "not finite"),
        (series((date(2025, 1, 2), 100.0), (date(2025, 1, 3), 0.0)), "not above zero"),
    ],
)
def test_levels_that_are_no_series_are_refused(levels: pl.DataFrame, words: str) -> None:
    for function in (trailing_returns, calendar_year_returns, risk, summary):
        with pytest.raises(DataError, match=words):
            function(levels)
