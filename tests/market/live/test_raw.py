from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.market.live.raw import as_traded, in_major, money_unit, off_noise
from exchina.market.live.source import BARS, DIVIDENDS, SPLITS, History

DAYS = [date(2025, 6, day) for day in (12, 13, 16, 17)]


def history(closes: list[float], ratio: float = 2.0, ex: date = DAYS[2]) -> History:
    """Closes and a dividend of 0.33 on the first day, all adjusted for a split in single precision, as Yahoo does."""
    adjusted = [float(np.float32(c / (ratio if day < ex else 1))) for c, day in zip(closes, DAYS, strict=True)]
    volumes = [100.0 * (ratio if day < ex else 1) for day in DAYS]
    return History(
        pl.DataFrame({"session": DAYS, "close": adjusted, "volume": volumes}, schema=BARS),
        pl.DataFrame({"ex_date": DAYS[:1], "amount": [0.33 / ratio], "currency": [None]}, schema=DIVIDENDS),
        pl.DataFrame({"ex_date": [ex], "ratio": [ratio]}, schema=SPLITS),
        "USD",
    )


@given(
    st.lists(st.integers(50, 900_000), min_size=4, max_size=4),
    st.sampled_from([2.0, 3.0, 1.5, 10.0, 0.1, 0.04]),
)
def test_what_was_traded_comes_back(cents: list[int], ratio: float) -> None:
    closes = [cent / 100 for cent in cents]
    found = as_traded(history(closes, ratio))
    assert found.bars["close"].to_list() == closes
    assert found.bars["volume"].to_list() == [100.0] * 4
    assert found.dividends["amount"].to_list() == [0.33]


def test_a_split_after_the_last_bar_counts_too() -> None:
    told = history([10.0, 11.0, 12.0, 13.0], 4.0, date(2025, 7, 1))
    assert as_traded(told).bars["close"].to_list() == [10.0, 11.0, 12.0, 13.0]


def test_a_close_that_is_empty_or_zero_is_no_close() -> None:
    told = history([10.0, 11.0, 12.0, 13.0])
    bars = told.bars.with_columns(close=pl.Series([None, 0.0, float("nan"), 13.0]))
    assert as_traded(History(bars, told.dividends, told.splits, "USD")).bars["session"].to_list() == DAYS[3:]


@pytest.mark.parametrize("price", [0.001, 0.0035, 0.0125, 9.999, 43.48, 1234.5, 71_250.0, 1_234_567.0])
def test_single_precision_is_rounded_off(price: float) -> None:
    assert off_noise(pl.Series([float(np.float32(price))])).to_list() == [price]


def test_pence() -> None:
    assert money_unit("GBp") == ("GBP", 0.01)
    assert in_major(pl.Series([14.47, 15.26, 123.45]), 0.01).to_list() == [14.47 / 100, 15.26 / 100, 1.2345]
