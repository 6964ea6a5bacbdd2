"""Levels that somebody else published or computed, reproduced from raw prices."""

from datetime import date
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from exchina.calculation.logs import weights_on
from exchina.calculation.weights import one_way_turnover, weights_of
from tests.boards import market_board, walk
from tests.markets import market, read


def ecb_usd_per_unit(path: Path) -> pl.DataFrame:
    rates = read(path).rename({"date": "session"})
    aud = rates.select("session", currency=pl.lit("AUD"), usd_per_unit=pl.col("USD") / pl.col("AUD"))
    return aud.select("currency", "session", "usd_per_unit").drop_nulls()


@pytest.fixture(scope="module")
def five_shares(shared: Path):
    real = shared / "market" / "real"
    us = read(real / "prices" / "us_ree_adjclose.csv").select(symbol="ticker", session="date", close="adj_close")
    lynas = read(real / "prices" / "asx_ree_ohlcv.csv").filter(pl.col("ticker") == "LYC.AX")
    prices = pl.concat(
        [
            us.filter(pl.col("symbol").is_in(["MP", "UUUU", "USAR", "TMC"])),
            lynas.select(symbol="ticker", session="date", close="close"),
        ]
    )
    fx = ecb_usd_per_unit(real / "benchmarks" / "ecb_reference_rates.csv")
    spy = read(real / "benchmarks" / "us_etf_adjclose.csv").filter(pl.col("ticker") == "SPY")
    days = spy.filter(pl.col("date").is_between(date(2024, 12, 31), date(2025, 12, 31)))["date"].to_list()
    currencies = dict.fromkeys(["MP", "UUUU", "USAR", "TMC"], "USD") | {"LYC.AX": "AUD"}
    return market_board(market(prices=prices, fx=fx), currencies, days)


def test_five_share_basket_in_dollars(five_shares) -> None:
    """real_data 4.6: four New York lines and Sydney's Lynas, equal weights, two calendars, quarterly."""
    equal = dict.fromkeys(five_shares.symbols, 0.2)
    days = [date(2024, 12, 31), date(2025, 1, 2), date(2025, 4, 1), date(2025, 7, 1), date(2025, 10, 1)]
    run = walk(five_shares, [(day, equal) for day in days])
    levels = dict(zip(run.sessions, run.levels["PR"].tolist(), strict=True))
    expected = {
        date(2025, 1, 2): 106.499512,
        date(2025, 3, 31): 109.132205,
        date(2025, 4, 4): 113.730120,
        date(2025, 6, 30): 217.287575,
        date(2025, 7, 9): 200.443254,
        date(2025, 7, 10): 235.743412,
        date(2025, 9, 30): 390.180547,
        date(2025, 10, 13): 623.439510,
        date(2025, 12, 31): 318.260815,
    }
    for day, level in expected.items():
        assert levels[day] == pytest.approx(level, abs=1e-6), day
    turnover = [one_way_turnover(weights_of(change.after), weights_of(change.before)) for change in run.changes]
    assert turnover == pytest.approx([0.011473, 0.176440, 0.183752, 0.103287], abs=1e-6)


def test_lynas_is_converted_by_the_rate_of_the_index_session(five_shares) -> None:
    lynas = (five_shares.prices * five_shares.rates)[:, five_shares.columns(["LYC.AX"])[0]]
    assert lynas[0] == pytest.approx(3.982904, abs=1e-6)
    assert lynas[-1] == pytest.approx(8.314089, abs=1e-6)


def test_drift_follows_prices(five_shares) -> None:
    run = walk(five_shares, [(date(2024, 12, 31), dict.fromkeys(five_shares.symbols, 0.2))])
    drifted = weights_on(run, five_shares, date(2025, 1, 2))
    turnover = sum(abs(weight - 0.2) for weight in drifted.values()) / 2
    assert turnover == pytest.approx(0.011473, abs=1e-6)


def test_solactive_exercise(shared: Path) -> None:
    """An index provider's own exercise: 262 published levels, each equal at two decimals."""
    folder = shared / "market" / "real" / "index"
    wide = pl.read_csv(folder / "solactive_challenge_prices.csv")
    wide = wide.with_columns(pl.col(wide.columns[0]).str.to_date("%d/%m/%Y").alias("session")).drop(wide.columns[0])
    prices = wide.unpivot(index="session", variable_name="symbol", value_name="close").with_columns(
        pl.col("close").cast(pl.Float64)
    )
    names = prices["symbol"].unique().to_list()
    published = pl.read_csv(folder / "solactive_challenge_expected_levels.csv")
    published = published.select(session=pl.col("Date").str.to_date("%d/%m/%Y"), level="index_level")
    days = wide["session"].sort().to_list()
    firsts = [day for before, day in pairwise(days) if before.month != day.month and day.year == 2020]
    table = market_board(market(prices=prices), dict.fromkeys(names, "USD"), days)
    resets = [(day, _three_largest(prices, before)) for before, day in pairwise(days) if day in firsts]
    run = walk(table, resets)
    found = pl.DataFrame({"session": [resets[0][0], *run.sessions], "level": [100.0, *run.levels["PR"]]})
    levels = found.join(published, on="session", suffix="_published")
    assert levels.height == published.height == 262
    assert (levels["level"].round(2) == levels["level_published"].round(2)).all()
    assert found["level"][-1] == pytest.approx(94.024966, abs=1e-6)


def _three_largest(prices: pl.DataFrame, day: date) -> dict[str, float]:
    top = prices.filter(pl.col("session") == day).sort("close", descending=True)["symbol"].to_list()[:3]
    return dict(zip(top, (0.5, 0.25, 0.25), strict=True))
