"""Event studies of real shares, computed outside this project or published by an R package."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from exchina.analytics.market_model import abnormal_returns
from exchina.analytics.significance import battery, from_fit

# day, ticker, alpha, beta, sigma, return, AR, t, CAR(-1,+1), t: adjusted closes against SPY, days -260..-11
POLICY_DAYS = [
    ("2025-07-10", "MP", 0.004220, 1.1344, 0.043911, 0.506160, 0.498741, 11.358, 0.447641, 5.886),
    ("2025-07-10", "UUUU", 0.000108, 1.1320, 0.038708, 0.164580, 0.161279, 4.167, 0.130914, 1.953),
    ("2025-07-10", "REMX", -0.000543, 0.9437, 0.019073, 0.086791, 0.084673, 4.439, 0.085293, 2.582),
    ("2025-07-10", "USAR", 0.003932, -0.1665, 0.083347, 0.123596, 0.120133, 1.441, 0.081238, 0.563),
    ("2025-04-04", "USAR", 0.001724, 0.6932, 0.059222, 0.161538, 0.200397, 3.384, 0.435554, 4.246),
    ("2025-04-04", "MP", 0.002592, 1.6804, 0.035284, -0.070911, 0.024872, 0.705, 0.132308, 2.165),
    ("2025-10-10", "MP", 0.007037, 0.9727, 0.055535, 0.083691, 0.102944, 1.854, 0.314275, 3.267),
    ("2025-10-10", "REMX", 0.001717, 0.8429, 0.021351, -0.071008, -0.049945, -2.339, 0.079564, 2.151),
    ("2025-10-13", "MP", 0.006420, 0.9532, 0.056032, 0.213429, 0.192382, 3.433, 0.327928, 3.379),
    ("2025-10-13", "REMX", 0.001338, 0.8334, 0.020887, 0.140348, 0.126223, 6.043, 0.082394, 2.278),
    ("2025-10-13", "UAMY", 0.010054, 1.5433, 0.073833, 0.368550, 0.334815, 4.535, 0.526029, 4.113),
    ("2025-10-20", "MP", 0.006479, 0.9581, 0.055728, 0.026117, 0.009674, 0.174, -0.151118, -1.566),
]


@pytest.fixture(scope="module")
def adjusted_closes(shared: Path) -> pl.DataFrame:
    real = shared / "market" / "real"
    files = [real / "prices" / "us_ree_adjclose.csv", real / "benchmarks" / "us_etf_adjclose.csv"]
    if not all(file.exists() for file in files):
        pytest.skip("needs the adjusted closes of the outside data")
    return pl.concat([pl.read_csv(file, try_parse_dates=True) for file in files])


@pytest.mark.parametrize("row", POLICY_DAYS, ids=lambda row: f"{row[1]} {row[0]}")
def test_policy_days_of_real_shares(row: tuple[Any, ...], adjusted_closes: pl.DataFrame) -> None:
    day, ticker, *expected = row
    pair = (
        adjusted_closes.filter(pl.col("ticker").is_in([ticker, "SPY"]))
        .pivot("ticker", index="date", values="adj_close")
        .drop_nulls()
        .sort("date")
    )
    returns = pair.select(pl.col(ticker, "SPY").pct_change()).to_numpy()
    day0 = pair["date"].index_of(date.fromisoformat(day))
    assert day0 is not None
    fit = abnormal_returns(
        returns[:, :1],
        returns[:, 1],
        estimation=np.arange(day0 - 260, day0 - 10),
        event=np.arange(day0 - 1, day0 + 2),
    )
    (alpha, beta), s, ar, car = fit.coefficients[:, 0], fit.s[0], fit.ar[1, 0], fit.car[0]
    produced = [alpha, beta, s, returns[day0, 0], ar, ar / s, car, car / (s * np.sqrt(3))]
    half_of_last_digit = [5e-7, 5e-5, 5e-7, 5e-7, 5e-7, 5e-4, 5e-7, 5e-4]
    assert (np.abs(np.subtract(produced, expected)) <= 1.0001 * np.array(half_of_last_digit)).all()


def test_published_market_models_with_late_listings(shared: Path) -> None:
    """Seven shares to 2020-03-13, two of them listed late, and the mean abnormal return of the week after."""
    folder = shared / "market" / "real" / "eventstudy"
    if not folder.is_dir():
        pytest.skip("needs the published event study of the outside data")
    returns = pl.read_csv(folder / "estudy2_log_returns.csv", try_parse_dates=True)
    published = pl.read_csv(folder / "estudy2_published_market_model.csv")
    statistics = pl.read_csv(folder / "estudy2_published_statistics.csv", try_parse_dates=True)
    estimation = (returns["date"] <= date(2020, 3, 13)).arg_true().to_numpy()
    event = returns["date"].is_in(statistics["date"].implode()).arg_true().to_numpy()
    matrix = returns.select(published["ticker"].to_list()).to_numpy()
    fit = abnormal_returns(matrix, returns["GSPC"].to_numpy(), estimation=estimation, event=event)
    assert fit.sessions.tolist() == published["estimation_length"].to_list()
    np.testing.assert_allclose(fit.coefficients, published.select("alpha", "beta").to_numpy().T, rtol=1e-9)
    np.testing.assert_allclose(fit.ar.mean(axis=1), statistics["mean_ar"].to_numpy(), atol=6e-9)


def test_published_statistics_with_late_listings(shared: Path) -> None:
    """Four tests of each of five days. That package takes the residual standard deviation with n - 1, and mean and sum
    of squares of the market over all estimation days: with its errors put in, its Patell and BMP are ours to 1e-6."""
    folder = shared / "market" / "real" / "eventstudy"
    if not folder.is_dir():
        pytest.skip("needs the published event study of the outside data")
    returns = pl.read_csv(folder / "estudy2_log_returns.csv", try_parse_dates=True)
    statistics = pl.read_csv(folder / "estudy2_published_statistics.csv", try_parse_dates=True)
    estimation = (returns["date"] <= date(2020, 3, 13)).arg_true().to_numpy()
    matrix, market = returns.drop("date", "GSPC").to_numpy(), returns["GSPC"].to_numpy()
    for row in statistics.iter_rows(named=True):
        event = (returns["date"] == row["date"]).arg_true().to_numpy()
        fit = abnormal_returns(matrix, market, estimation=estimation, event=event)
        past = market[estimation]
        leverage = 1 / fit.sessions + (market[event] - past.mean()) ** 2 / ((past - past.mean()) ** 2).sum()
        theirs = fit.s * np.sqrt((fit.sessions - 2) / (fit.sessions - 1)) * np.sqrt(1 + leverage)
        ours = {one.name: one.value for one in battery(from_fit(fit))}
        bent = {one.name: one.value for one in battery(from_fit(replace(fit, se_car=theirs, se_ar=theirs[None])))}
        assert ours["cross_section"] == pytest.approx(row["t_test"], rel=1e-6)
        assert ours["crude_dependence"] == pytest.approx(row["brown_warner_1985"], rel=1e-6)
        assert bent["patell"] == pytest.approx(row["patell"], rel=1e-6)
        assert bent["bmp"] == pytest.approx(row["boehmer_bmp"], rel=1e-6)
        assert ours["patell"] == pytest.approx(row["patell"], rel=0.0045)
        assert ours["bmp"] == pytest.approx(row["boehmer_bmp"], rel=0.0045)
