"""Total return of one share against two vendors' adjusted prices: the vendors' conventions are two of ours.

A price adjusted backwards by close / (close + dividend) / split is total return under ``close_points``; one adjusted by
1 - dividend / close of the day before is total return under ``open_divisor``.
"""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from exchina.calculation.engine import advance, started
from exchina.calculation.lines import Event
from exchina.calculation.payments import with_cash
from exchina.calculation.state import Reset
from tests.boards import MARKET_CAP, market_board
from tests.markets import market, read

WIKI = ["AIG", "KSU", "CSCO", "NEM", "COP", "EMR", "LVLT", "EFX", "NPBC", "LEN"]
YAHOO = ["SPY", "VALE", "FCX", "GE", "GLW"]


def total_return(
    prices: pl.DataFrame, dividends: pl.DataFrame, splits: list[tuple[date, float]], convention: str
) -> np.ndarray:
    """Gross total return of one share of A, from 1 at the first close."""
    rule = replace(MARKET_CAP, dividends=convention)
    paid = dividends.select(symbol=pl.lit("A"), ex_date="date", amount="dividend", currency=pl.lit("USD"))
    data = market(prices=prices.select(symbol=pl.lit("A"), session="date", close="close"), dividends=paid)
    days = prices["date"].to_list()
    board = with_cash(market_board(data, {"A": "USD"}, days), data.dividends, [], None, rule)
    state = started(board.part(days[0], days[0]), Reset(shares={"A": 1.0}), {"PR": 1.0, "GTR": 1.0})
    cuts = [Event(f"split-{day}", "A", "split", day, new=ratio, old=1.0) for day, ratio in splits]
    return np.concatenate([[1.0], advance(state, board, cuts, {}, rule).levels["GTR"]])


@pytest.mark.parametrize("ticker", WIKI)
def test_reinvested_at_the_close_of_the_ex_date(shared: Path, ticker: str) -> None:
    path = shared / "market" / "real" / "corporate_actions" / "wiki_unadjusted_1995_2014.csv"
    table = read(path).filter(pl.col("ticker") == ticker).sort("date")
    paid = table.filter(pl.col("ex_dividend") > 0).select("date", dividend="ex_dividend")
    cuts = list(table.filter(pl.col("split_ratio") != 1).select("date", "split_ratio").iter_rows())
    found = total_return(table, paid, cuts, "close_points")
    published = table["adj_close"].to_numpy()
    assert np.abs(found / (published / published[0]) - 1).max() < 1e-12


@pytest.mark.parametrize("ticker", YAHOO)
def test_reinvested_before_the_open_of_the_ex_date(shared: Path, ticker: str) -> None:
    folder = shared / "market" / "real" / "corporate_actions"
    adjusted = read(folder / "yahoo_adjclose_2015_2026.csv").filter(pl.col("ticker") == ticker)
    closes = read(folder / "yahoo_close_2015_2026.csv").filter(pl.col("ticker") == ticker)
    table = closes.join(adjusted, on="date").sort("date")
    paid = read(folder / "yahoo_dividends_2015_2026.csv").filter(pl.col("ticker") == ticker)
    paid = paid.filter(pl.col("date").is_between(table["date"][0], table["date"][-1]))
    assert table.height > 2_000
    assert paid.height > 10
    ratio = total_return(table, paid, [], "open_divisor") / table["adj_close"].to_numpy()
    assert np.abs(ratio / ratio.mean() - 1).max() < 1.3e-6
