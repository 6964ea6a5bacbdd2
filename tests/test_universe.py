"""What a rule may read of a company, by hand: only what was known, in US dollars, unknown as null."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from exchina.model import MarketData, Reference
from exchina.reference import read_reference
from exchina.universe import universe_on
from tests.markets import market, sessions

DAY = date(2025, 3, 14)
TRADING = [DAY - timedelta(days=n) for n in range(400, -1, -1) if (DAY - timedelta(days=n)).weekday() < 5]
RATES = pl.DataFrame({"currency": ["AUD", "JPY", "EUR", "CAD"], "usd_per_unit": [0.5, 0.01, 1.1, 0.7]})
FX = RATES.join(pl.DataFrame({"session": TRADING}), how="cross").select("currency", "session", "usd_per_unit")
OPEN = pl.concat([sessions(name, TRADING) for name in ("XNYS", "XASX", "XTKS", "XTSE", "XLON", "XKRX", "XBRU")])


@pytest.fixture(scope="module")
def reference(root: Path) -> Reference:
    return read_reference(root / "indices" / "reference")


def line(symbol: str, days: list[date], close: float = 10.0, volume: float | None = 100.0) -> pl.DataFrame:
    table = pl.DataFrame({"session": days}, schema={"session": pl.Date})
    return table.select(
        symbol=pl.lit(symbol), session="session", close=pl.lit(close), volume=pl.lit(volume, pl.Float64)
    )


def counts(symbol: str, effective: date, shares: float, known: date | None = None) -> pl.DataFrame:
    row = {"symbol": [symbol], "effective_date": [effective], "shares": [shares], "known_date": [known or effective]}
    return pl.DataFrame(row)


def row(data: MarketData, reference: Reference, company: str, day: date = DAY) -> dict[str, object]:
    return universe_on(data, reference, day).row(by_predicate=pl.col("company_id") == company, named=True)


def test_value_and_trading_are_in_dollars(reference) -> None:
    shares = counts("LYC.AX", date(2024, 1, 1), 1e6)
    found = row(
        market(prices=line("LYC.AX", TRADING), fx=FX, sessions=OPEN, shares=shares), reference, "lynas-rare-earths"
    )
    assert found["close_usd"] == 5.0
    assert found["market_cap_usd"] == 5e6
    assert set(found["traded_values_usd"]) == {500.0}
    assert len(found["traded_values_usd"]) == 126


def test_a_session_without_a_trade_is_a_session_of_zero(reference) -> None:
    """17 trades in the last half year are no liquid line, however large each of them."""
    days = TRADING[-119::7]
    found = row(market(prices=line("MP", days, volume=1e6), fx=FX, sessions=OPEN), reference, "mp-materials")
    values = found["traded_values_usd"]
    assert values.count(1e7) == len(days)
    assert values.count(0.0) == len(values) - len(days)


def test_an_unknown_volume_is_unknown(reference) -> None:
    found = row(market(prices=line("MP", TRADING, volume=None), fx=FX, sessions=OPEN), reference, "mp-materials")
    assert set(found["traded_values_usd"]) == {None}


@pytest.mark.parametrize(("last", "priced"), [(25, True), (35, False)])
def test_a_price_a_month_old_is_no_price(reference, last: int, priced: bool) -> None:
    days = [day for day in TRADING if day <= DAY - timedelta(days=last)]
    data = market(prices=pl.concat([line("MP", days), line("UUUU", TRADING)]), fx=FX, sessions=OPEN)
    assert (row(data, reference, "mp-materials")["close"] is not None) == priced


def test_counts_are_carried_over_splits_and_not_read_before_their_day(reference) -> None:
    shares = pl.concat(
        [
            counts("6762.T", date(2024, 9, 1), 100.0),
            counts("6762.T", date(2025, 3, 1), 777.0, known=date(2025, 4, 1)),
            counts("6762.T", date(2025, 6, 1), 888.0, known=date(2025, 3, 1)),
        ]
    )
    splits = pl.DataFrame({"symbol": ["6762.T"], "ex_date": [date(2024, 9, 27)], "ratio": [5.0]})
    data = market(prices=line("6762.T", TRADING, close=2000.0), fx=FX, sessions=OPEN, shares=shares, splits=splits)
    assert row(data, reference, "tdk")["market_cap_usd"] == pytest.approx(500 * 2000 * 0.01)


def test_counts_of_the_reference_are_carried_over_splits_too(reference) -> None:
    """TDK split five for one on 2024-09-27; here nobody has counted its shares since."""
    old = (pl.col("company_id") != "tdk") | (pl.col("as_of") < date(2024, 9, 20))
    silent = replace(reference, exposures=reference.exposures.filter(old))
    data = market(prices=line("6762.T", TRADING, close=2000.0), fx=FX, sessions=OPEN)
    before = row(data, silent, "tdk", date(2024, 9, 20))["market_cap_usd"]
    splits = pl.DataFrame({"symbol": ["6762.T"], "ex_date": [date(2024, 9, 27)], "ratio": [5.0]})
    after = market(prices=line("6762.T", TRADING, close=400.0), fx=FX, sessions=OPEN, splits=splits)
    assert before is not None
    assert row(after, silent, "tdk", date(2024, 10, 1))["market_cap_usd"] == pytest.approx(before)


def test_a_reported_float_beats_an_assumed_one(reference) -> None:
    floats = pl.DataFrame(
        {
            "symbol": ["MP", "MP"],
            "effective_date": [date(2025, 2, 1), date(2024, 1, 1)],
            "free_float_factor": [1.0, 0.8],
            "basis": ["assumed", "reported"],
        }
    )
    data = market(prices=line("MP", TRADING), fx=FX, sessions=OPEN, floats=floats)
    found = row(data, reference, "mp-materials")
    assert (found["free_float_factor"], found["float_basis"]) == (0.8, "reported")
