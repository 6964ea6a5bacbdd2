from dataclasses import replace
from datetime import date
from hashlib import sha256

import numpy as np
import polars as pl
import pytest

from exchina.errors import DataError
from exchina.market import Delivery
from exchina.market.providers.sample import sample
from exchina.market.terms import event_problems
from exchina.model import Reference
from exchina.tables.checking import problems
from exchina.tables.market import CONTRACTS

THROUGH = date(2024, 6, 28)


def returns(table: pl.DataFrame, column: str, symbol: str) -> pl.DataFrame:
    rows = table.filter(symbol=symbol).sort("session")
    return rows.select("session", move=pl.col(column).log().diff()).drop_nulls()


@pytest.mark.parametrize("name", [name for name in CONTRACTS if name != "quarantine"])
def test_every_table_keeps_its_contract(simulated: Delivery, name: str) -> None:
    assert problems(simulated.tables[name], CONTRACTS[name], name) == []
    assert simulated.tables[name].height > 0


def test_it_says_that_it_is_simulated(simulated: Delivery) -> None:
    assert simulated.kind == "simulated"
    assert "no real prices" in simulated.source


def test_the_same_seed_gives_the_same_bytes(reference: Reference, simulated: Delivery) -> None:
    again = sample(reference, through=THROUGH)
    for name, table in simulated.tables.items():
        assert table.equals(again.tables[name])
    assert not sample(reference, seed=1, through=THROUGH).tables["prices"].equals(simulated.tables["prices"])


def test_the_bytes_are_the_same_on_every_machine(reference: Reference) -> None:
    small = sample(reference, through=date(2010, 3, 31)).tables["prices"].filter(symbol="4063.T")
    text = ",".join(f"{close:.0f}" for close in small["close"])
    assert sha256(text.encode()).hexdigest()[:16] == "b9434373cefe760a"


def test_a_later_end_adds_rows_and_changes_none(reference: Reference, simulated: Delivery) -> None:
    earlier = sample(reference, through=date(2016, 12, 30))
    for name in simulated.tables:
        table = simulated.tables[name]
        known = table.filter(pl.col("known_date") <= date(2016, 12, 30)) if name != "sessions" else table
        before = earlier.tables[name]
        assert before.height == before.join(known, on=before.columns, how="semi", nulls_equal=True).height, name
        assert name in ("sessions", "benchmarks", "fx") or before.height == known.height, name


def test_one_company_more_leaves_the_others_as_they_were(reference: Reference, simulated: Delivery) -> None:
    fewer = replace(reference, companies=reference.companies.filter(pl.col("id") != "lynas-rare-earths"))
    left = sample(fewer, through=THROUGH).tables["prices"]
    assert "LYC.AX" not in left["symbol"]
    assert left.equals(simulated.tables["prices"].filter(~pl.col("symbol").is_in(["LYC.AX", "LYSDY"])))


def test_every_listing_trades_in_its_window_on_its_calendar(reference: Reference, simulated: Delivery) -> None:
    listings = reference.listings.join(reference.venues.select("mic", "calendar"), on="mic")
    listings = listings.filter(pl.col("first_trade_date").is_null() | (pl.col("first_trade_date") <= THROUGH))
    prices = simulated.tables["prices"].join(listings, left_on="symbol", right_on="yahoo_symbol")
    assert set(prices["symbol"]) == set(listings["yahoo_symbol"])
    assert prices.filter(pl.col("session") < pl.col("first_trade_date")).is_empty()
    assert prices.filter(pl.col("session") > pl.col("last_trade_date")).is_empty()
    assert prices.join(simulated.tables["sessions"], on=["calendar", "session"], how="anti").is_empty()


@pytest.mark.parametrize(
    ("symbol", "day", "ratio"), [("4063.T", date(2023, 3, 30), 5.0), ("UCU.V", date(2020, 12, 11), 0.1)]
)
def test_a_split_moves_price_and_count_together(simulated: Delivery, symbol: str, day: date, ratio: float) -> None:
    assert simulated.tables["splits"].filter(symbol=symbol, ex_date=day)["ratio"].item() == ratio
    rows = simulated.tables["prices"].filter(symbol=symbol).sort("session")
    before, on = rows.filter(pl.col("session") < day)["close"][-1], rows.filter(session=day)["close"].item()
    assert on / before == pytest.approx(1 / ratio, rel=0.2)
    counts = simulated.tables["shares"].filter(symbol=symbol).sort("effective_date")
    after = counts.filter(effective_date=day)["shares"].item()
    assert after / counts.filter(pl.col("effective_date") < day)["shares"][-1] == pytest.approx(ratio, rel=0.3)


def test_two_listings_of_one_company_have_one_value(simulated: Delivery) -> None:
    prices = simulated.tables["prices"]
    rate = simulated.tables["fx"].filter(currency="AUD").select("session", "usd_per_unit")
    home = (
        prices.filter(symbol="LYC.AX")
        .join(rate, on="session")
        .with_columns(usd=pl.col("close") * pl.col("usd_per_unit"))
    )
    both = home.join(prices.filter(symbol="LYSDY"), on="session")
    gap = (both["usd"] / both["close_right"]).log().abs()
    assert gap.median() < 0.03


def test_a_shock_moves_sydney_a_session_after_new_york(reference: Reference) -> None:
    through = date(2025, 7, 31)
    quiet = reference.policy_shocks.filter(pl.col("event_date") != date(2025, 7, 10))
    with_deal = sample(reference, through=through).tables["prices"]
    without = sample(replace(reference, policy_shocks=quiet), through=through).tables["prices"]
    moved = with_deal.join(without, on=["symbol", "session"]).filter(pl.col("close") != pl.col("close_right"))
    first = dict(moved.group_by("symbol").agg(pl.col("session").min()).iter_rows())
    assert first["MP"] == date(2025, 7, 10)
    assert first["LYC.AX"] == date(2025, 7, 11)
    assert (moved["close"] > moved["close_right"]).all()


def test_a_bankruptcy_takes_most_of_the_value(simulated: Delivery) -> None:
    closes = simulated.tables["prices"].filter(symbol="MCP").sort("session")["close"]
    assert 0.02 < closes[-1] / closes[-12] < 0.3


def test_a_listing_that_ends_says_what_became_of_it(reference: Reference) -> None:
    tables = sample(reference, through=date(2025, 12, 31)).tables
    actions = {row["symbol"]: row for row in tables["actions"].to_dicts()}
    closes = tables["prices"].sort("session").group_by("symbol").agg(pl.col("close").last(), pl.col("session").last())
    last = {symbol: (close, session) for symbol, close, session in closes.iter_rows()}
    peak = actions["PEK.AX"]
    assert (peak["type"], peak["ex_date"]) == ("takeover", date(2025, 9, 22))
    assert peak["price"] == last["PEK.AX"][0]
    move = actions["MCP"]
    assert (move["type"], move["other"], move["ex_date"]) == ("conversion", "MCPIQ", date(2015, 6, 26))
    assert (move["new"], move["old"], move["price"]) == (1.0, 1.0, None)
    kinds = {symbol: actions[symbol]["type"] for symbol in ("GWG.V", "MCPIQ", "5486.T", "BSE.AX", "PM8.AX")}
    assert kinds == dict(zip(kinds, ["bankruptcy", "delisting", "takeover", "takeover", "conversion"], strict=True))
    assert all(last[symbol][1] < row["ex_date"] for symbol, row in actions.items())
    ended = reference.listings.filter(pl.col("last_trade_date") < date(2025, 12, 1))["yahoo_symbol"]
    assert set(ended) == set(actions)
    assert event_problems(tables["actions"], "actions", range(len(actions))) == []


def test_a_line_moves_at_its_own_value(simulated: Delivery) -> None:
    prices, fx = simulated.tables["prices"], simulated.tables["fx"]
    moves = simulated.tables["actions"].filter(type="conversion")
    assert moves.height > 5
    for symbol, other, ex_date in moves.select("symbol", "other", "ex_date").iter_rows():
        close = [
            prices.filter(symbol=symbol).sort("session")["close"][-1],
            prices.filter(pl.col("symbol") == other, pl.col("session") >= ex_date).sort("session")["close"][0],
        ]
        rate = [_usd(fx, line, ex_date) for line in (symbol, other)]
        assert close[1] * rate[1] == pytest.approx(close[0] * rate[0], rel=0.25), symbol


def _usd(fx: pl.DataFrame, symbol: str, day: date) -> float:
    currency = {"TO": "CAD", "AX": "AUD", "L": "GBP", "V": "CAD"}.get(symbol.partition(".")[2])
    return fx.filter(currency=currency, session=day)["usd_per_unit"].item() if currency else 1.0


def test_forwards_keep_covered_parity_with_the_cash_rates(simulated: Delivery) -> None:
    tables = simulated.tables
    rates = tables["cash_rates"].sort("session")
    assert rates["session"].min() == date(2010, 1, 4)
    assert set(rates["currency"]) == {"USD", *tables["fx"]["currency"]}
    both = tables["forwards"].join(tables["fx"], on=["currency", "session"]).sort("session")
    assert both.height == tables["fx"].height
    dollar = rates.filter(currency="USD").select("session", dollar="rate")
    both = both.join_asof(rates.select("currency", "session", "rate"), on="session", by="currency").join_asof(
        dollar, on="session"
    )
    parity = pl.col("usd_per_unit_right") * (1 + pl.col("dollar") / 12) / (1 + pl.col("rate") / 12)
    assert both.select((pl.col("usd_per_unit") / parity - 1).abs().max()).item() < 1e-6
    assert both.filter(currency="AUD", session=date(2021, 1, 4))["dollar"].item() < 0.02


def test_some_australian_dividends_are_franked(simulated: Delivery) -> None:
    dividends = simulated.tables["dividends"]
    franked = dividends.filter(franked=1.0)
    assert set(franked["currency"]) == {"AUD"}
    assert dividends.filter(currency="AUD", franked=0.0).height > 0
    assert set(dividends["status"]) == {"confirmed"}


def test_values_stay_within_reason(simulated: Delivery) -> None:
    prices = simulated.tables["prices"]
    assert 0.55 < returns(prices, "close", "NTU.AX")["move"].std() * np.sqrt(252) < 1.0  # pyright: ignore[reportOperatorIssue]
    assert 0.35 < returns(prices, "close", "ILU.AX")["move"].std() * np.sqrt(252) < 0.65  # pyright: ignore[reportOperatorIssue]
    assert 0.18 < returns(prices, "close", "SOLB.BR")["move"].std() * np.sqrt(252) < 0.35  # pyright: ignore[reportOperatorIssue]
    assert prices["close"].min() >= 0.0001
    dollars = prices.filter(pl.col("symbol").is_in(["MP", "AREC", "UUUU", "METC"]))
    assert dollars["close"].max() < 1000


def test_a_share_follows_its_local_market(simulated: Delivery) -> None:
    benchmark = returns(simulated.tables["benchmarks"], "level", "^AXJO")
    own = returns(simulated.tables["prices"], "close", "ILU.AX")
    both = own.join(benchmark, on="session")
    assert 0.25 < np.corrcoef(both["move"], both["move_right"])[0, 1] < 0.6


def test_a_currency_without_an_anchor_is_refused(reference: Reference) -> None:
    foreign = reference.listings.with_columns(currency=pl.lit("PLN"))
    with pytest.raises(DataError, match="no exchange rate for PLN"):
        sample(replace(reference, listings=foreign), through=date(2010, 2, 1))
