"""The machine file of a review."""

from datetime import date
from io import StringIO

import polars as pl
from polars.testing import assert_series_equal

from exchina.reporting.proforma import COLUMNS, proforma_csv

from . import documents


def read() -> pl.DataFrame:
    return pl.read_csv(StringIO(proforma_csv(documents.basket())), try_parse_dates=True)


def test_one_row_per_member_and_leaver_in_the_stated_columns() -> None:
    table = read()
    assert table.columns == COLUMNS
    assert table.height == 22
    assert table["company_id"].n_unique() == 22
    assert table["effective_date"].unique().to_list() == [date(2026, 9, 18)]
    assert table["simulated"].unique().to_list() == [True]


def test_numbers_read_back_bit_for_bit() -> None:
    table, members = read().head(20), documents.members()
    for column in ("weight", "previous_weight", "uncapped_weight", "close", "free_float_market_cap_usd"):
        assert_series_equal(table[column], members[column], check_exact=True)


def test_actions_follow_the_weights() -> None:
    actions = dict(read().select("company_id", "action").iter_rows())
    assert actions["gone-metals"] == actions["lost-magnets"] == "delete"
    assert actions["company-19"] == "add"
    assert actions["company-00"] == "up"
    assert actions["company-18"] == "down"


def test_unchanged_weight_is_kept() -> None:
    basket = documents.basket()
    same = basket.members.with_columns(previous_weight=pl.col("weight"))
    object.__setattr__(basket, "members", same)
    table = pl.read_csv(StringIO(proforma_csv(basket)))
    assert set(table.head(20)["action"]) == {"keep"}


def test_leavers_weigh_nothing_and_have_no_price() -> None:
    leavers = read().filter(action="delete")
    assert leavers["weight"].to_list() == [0.0, 0.0]
    assert leavers["change"].to_list() == [-0.05, -0.02]
    assert leavers["close"].null_count() == 2
