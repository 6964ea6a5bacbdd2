"""What a rule may read of a company, by hand: only what was known, in US dollars, unknown as null."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchina.market.view import MarketView
from exchina.model import MarketData, Provenance, Reference
from exchina.reference import read_reference
from exchina.universe import universe_on
from tests.markets import market, sessions

SOURCE = Provenance("test", "file", "A test.", "2026-01-01T00:00:00+00:00", "0" * 64, date(2026, 1, 1))
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
    assert len(found["traded_values_usd"]) == 252


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


def test_traded_value_is_at_the_rate_of_its_session(reference) -> None:
    days, rates = TRADING[-3:], [0.5, 0.6, 0.7]
    own = pl.DataFrame({"currency": "AUD", "session": days, "usd_per_unit": rates})
    fx = pl.concat([FX.filter((pl.col("currency") != "AUD") | ~pl.col("session").is_in(days)), own])
    found = row(market(prices=line("LYC.AX", TRADING), fx=fx, sessions=OPEN), reference, "lynas-rare-earths")
    assert found["traded_values_usd"][-3:] == [10.0 * 100 * rate for rate in rates]


def test_a_session_without_a_rate_has_no_traded_value(reference) -> None:
    late = FX.filter(pl.col("session") > DAY - timedelta(days=100))
    found = row(market(prices=line("LYC.AX", TRADING), fx=late, sessions=OPEN), reference, "lynas-rare-earths")
    values = found["traded_values_usd"]
    assert values[0] is None
    assert values[-1] == 500.0


def returns_by_hand(closes: dict[date, float], ratios: dict[date, float]) -> list[float]:
    """Simple returns of the sessions since the first close: carried where nothing traded, times the split ratio."""
    start = min(closes)
    found: list[float] = []
    last, owed = closes[start], 1.0
    for session in (one for one in TRADING if one > start):
        owed *= ratios.get(session, 1.0)
        if session in closes:
            found.append(closes[session] * owed / last - 1)
            last, owed = closes[session], 1.0
        else:
            found.append(0.0)
    return found[-252:]


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6))
def test_daily_returns_are_those_by_hand(reference, seed: int) -> None:
    """Closes with gaps, splits on trading days and between them, a stock dividend: returns as a person counts."""
    rng = np.random.default_rng(seed)
    days = sorted(rng.choice(TRADING[:-1], int(rng.integers(2, 280)), replace=False).tolist())
    days = [day for day in days if day >= TRADING[0]] + [DAY]
    closes = dict(zip(days, rng.uniform(1, 20, len(days)).tolist(), strict=True))
    split, bonus = (TRADING[int(at)] for at in sorted(rng.choice(np.arange(1, len(TRADING)), 2, replace=False)))
    prices = pl.concat(line("MP", [day], close=close) for day, close in closes.items())
    splits = pl.DataFrame({"symbol": ["MP"], "ex_date": [split], "ratio": [0.1]})
    action = {"id": "B", "symbol": "MP", "type": "stock_dividend", "ex_date": bonus, "new": 1.0, "old": 4.0}
    kinds = {"new": pl.Float64, "old": pl.Float64}
    data = market(
        prices=prices, fx=FX, sessions=OPEN, splits=splits, actions=pl.DataFrame([action], schema_overrides=kinds)
    )
    found = row(data, reference, "mp-materials")
    assert found["daily_returns"] == pytest.approx(returns_by_hand(closes, {split: 0.1, bonus: 1.25}), abs=1e-12)
    assert found["price_sessions"] == len(days)
    assert len(found["traded_values_usd"]) == min(252, len(found["daily_returns"]) + 1)


def test_a_new_line_has_no_return_yet(reference) -> None:
    found = row(market(prices=line("MP", [DAY]), fx=FX, sessions=OPEN), reference, "mp-materials")
    assert (found["daily_returns"], found["price_sessions"]) == ([], 1)


@pytest.mark.parametrize(
    ("company", "symbol", "day", "since", "months"),
    [
        ("usa-rare-earth", "USAR", date(2025, 3, 14), date(2025, 3, 14), 0),  # the shell traded before
        ("usa-rare-earth", "USAR", date(2025, 6, 13), date(2025, 3, 14), 2),
        ("usa-rare-earth", "USAR", date(2025, 6, 16), date(2025, 3, 14), 3),
        ("niocorp-developments", "NB", date(2023, 4, 21), date(2023, 3, 21), 1),  # listed in Toronto long before
        (
            "energy-transition-minerals",
            "ETM.AX",
            date(2025, 3, 14),
            date(2022, 11, 21),
            27,
        ),  # a new code is no new company
        ("northern-minerals", "NTU.AX", date(2025, 3, 14), TRADING[0], 13),  # before 2010: the first price
    ],
)
def test_seasoned_since(reference, company: str, symbol: str, day: date, since: date, months: int) -> None:
    days = [day - timedelta(days=back) for back in range(400, -1, -1)]
    days = TRADING if day == DAY else [one for one in days if one.weekday() < 5]
    former = [line("GGG.AX", TRADING)] if company == "energy-transition-minerals" else []
    rates = RATES.join(pl.DataFrame({"session": days}), how="cross").select("currency", "session", "usd_per_unit")
    opened = pl.concat([sessions(name, days) for name in ("XNYS", "XASX", "XTSE")])
    data = market(prices=pl.concat([line(symbol, days), *former]), fx=rates, sessions=opened)
    found = row(data, reference, company, day)
    assert found["seasoned_on"] == since
    assert found["seasoned_months"] == months
    assert found["seasoned_sessions"] == len([one for one in days if since < one <= day])


def test_what_exposures_say(reference) -> None:
    """Stakes and shares are read as of the day; a metric without a row is unknown."""
    data = market(prices=pl.concat([line("MP", TRADING), line("LYC.AX", TRADING)]), fx=FX, sessions=OPEN)
    lynas, mp = (row(data, reference, company) for company in ("lynas-rare-earths", "mp-materials"))
    assert (lynas["government_stake"], mp["government_stake"]) == (0.0306, None)
    assert (lynas["foreign_room"], mp["revenue_share_rare_earth"], mp["rare_earth_exposure"]) == (None, None, "pure")
    row_of = {"company_id": "mp-materials", "metric": "foreign_room", "value": 0.4, "unit": "fraction"}
    row_of |= {"as_of": DAY, "known_date": DAY, "source_url": None, "confidence": "memory", "note": None}
    added = pl.concat([reference.exposures, pl.DataFrame([row_of], schema=reference.exposures.schema)])
    assert row(data, replace(reference, exposures=added), "mp-materials")["foreign_room"] == 0.4


GONE = {  # last day on which it stood in the universe
    "neo-material-technologies": date(2012, 6, 11),
    "great-western-minerals-group": date(2015, 4, 30),
    "frontier-rare-earths": date(2015, 9, 30),
    "tasman-metals": date(2016, 8, 24),
    "molycorp": date(2016, 8, 31),
    "quest-rare-minerals": date(2017, 7, 5),
    "hitachi-metals": date(2022, 12, 28),
    "base-resources": date(2024, 9, 19),
    "peak-rare-earths": date(2025, 9, 19),
    "australian-strategic-materials": date(2026, 8, 18),
}
SURVIVORS = {  # year -> companies with a listing at its end, of them later gone (counted in listings.csv by hand)
    2010: (34, 9), 2011: (37, 9), 2012: (36, 8), 2013: (36, 8), 2014: (36, 8), 2015: (35, 6),
    2016: (36, 4), 2017: (38, 3), 2018: (41, 3), 2019: (43, 3), 2020: (47, 4), 2021: (50, 4),
    2022: (52, 3), 2023: (54, 3), 2024: (54, 2), 2025: (54, 1),
}  # fmt: skip


def living(reference: Reference, day: date) -> set[str]:
    cut = MarketView(market(sessions=OPEN, fx=FX), reference, SOURCE).as_of(day)
    return set(universe_on(cut.market, cut.reference, day)["company_id"])


@pytest.mark.parametrize(("company", "last"), GONE.items())
def test_who_failed_or_was_bought_stands_in_the_universe_while_it_lived(reference, company: str, last: date) -> None:
    assert company in living(reference, last)
    assert company in living(reference, last - timedelta(days=365))
    assert company not in living(reference, last + timedelta(days=1))


def test_survivors_and_the_gone_of_each_year(reference) -> None:
    ends = reference.listings.group_by("company_id").agg(
        gone=pl.col("last_trade_date").is_not_null().all(), last=pl.col("last_trade_date").max()
    )
    gone = set(ends.filter("gone")["company_id"])
    assert set(GONE) == gone
    counted: dict[int, Any] = {}
    for year in SURVIVORS:
        found = living(reference, date(year, 12, 31))
        counted[year] = (len(found), len(found & gone))
        assert {name for name, last in GONE.items() if last > date(year, 12, 31)} - found <= born_after(reference, year)
    assert counted == SURVIVORS


def born_after(reference: Reference, year: int) -> set[str]:
    """Companies whose every listing began after the end of a year."""
    first = reference.listings.group_by("company_id").agg(
        since=pl.col("first_trade_date").fill_null(date(2009, 12, 31)).min()
    )
    return set(first.filter(pl.col("since") > date(year, 12, 31))["company_id"])
