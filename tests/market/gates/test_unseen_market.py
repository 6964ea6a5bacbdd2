"""The gates on a market that no threshold was set on: the sample's, as if a firm had delivered it."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from exchina.market import Delivery, provider
from exchina.market.gates import passed
from exchina.model import Reference
from tests.market.gates.vendor import NO_OVERRIDES

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PLANTED = 60


@pytest.fixture(scope="module")
def delivered(reference: Reference) -> Delivery:
    return replace(provider["sample"](reference), kind="file")


def held(delivered: Delivery, prices: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    given = replace(delivered, tables={**delivered.tables, "prices": prices})
    return passed(given, None, reference, NO_OVERRIDES, NOW)[1].filter(status="held")


def test_not_one_of_two_hundred_thousand_right_rows_is_held(delivered: Delivery, reference: Reference) -> None:
    prices = delivered.tables["prices"]
    assert prices.height > 190_000
    assert held(delivered, prices, reference).is_empty()


@pytest.mark.parametrize(("factor", "fewest"), [(100.0, PLANTED), (0.01, PLANTED), (3.0, 57)])
def test_planted_errors_are_held_and_their_neighbours_are_not(
    delivered: Delivery, reference: Reference, factor: float, fewest: int
) -> None:
    """One close in some 3,000 is wrong for a day, far from the ends of its line."""
    prices = delivered.tables["prices"].sort("symbol", "session")
    place = pl.int_range(pl.len()).over("symbol")
    inner = prices.with_row_index("at").filter(place > 100, place < pl.len().over("symbol") - 100)["at"].to_numpy()
    chosen = np.random.default_rng(int(factor)).choice(inner, PLANTED, replace=False)
    wrong = prices.with_row_index("at").with_columns(
        wrong=pl.col("at").is_in(pl.Series(chosen, dtype=pl.UInt32).implode())
    )
    spoilt = wrong.with_columns(close=pl.when("wrong").then(pl.col("close") * factor).otherwise("close"))
    found = held(delivered, spoilt.select(prices.columns), reference).select("symbol", session="day").unique()
    planted = wrong.filter("wrong").select("symbol", "session")
    assert found.join(planted, on=["symbol", "session"], how="anti").is_empty()
    assert found.height >= fewest
