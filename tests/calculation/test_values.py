"""Unit values by hand: splits move price and quantity together, on the line's own days; carried prices say why."""

from datetime import date

import polars as pl
import pytest

from exchina.calculation.levels import chain
from exchina.calculation.statuses import carried_prices
from exchina.calculation.values import unit_values
from exchina.errors import DataError
from tests.markets import market, sessions

MON, TUE, WED, THU, FRI = (date(2026, 3, day) for day in range(2, 7))
WEEK = [MON, TUE, WED, THU, FRI]


def prices(**closes: dict[date, float]) -> pl.DataFrame:
    rows = [(symbol, day, close) for symbol, row in closes.items() for day, close in row.items()]
    return pl.DataFrame(rows, {"symbol": pl.String, "session": pl.Date, "close": pl.Float64}, orient="row")


def splits(*rows: tuple[str, date, float]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), {"symbol": pl.String, "ex_date": pl.Date, "ratio": pl.Float64}, orient="row")


def column(table: pl.DataFrame, cuts: pl.DataFrame, days: list[date]) -> list[float]:
    return unit_values(market(prices=table, splits=cuts), {"A": "USD"}, days, "USD").values[:, 0].tolist()


def test_a_split_leaves_the_value_of_a_holding() -> None:
    closes = {MON: 100.0, TUE: 102.0, WED: 25.75, THU: 26.0}
    assert column(prices(A=closes), splits(("A", WED, 4.0)), WEEK[:4]) == [100.0, 102.0, 103.0, 104.0]


def test_two_splits_multiply() -> None:
    closes = {MON: 100.0, TUE: 50.0, WED: 500.0}
    assert column(prices(A=closes), splits(("A", TUE, 2.0), ("A", WED, 0.1)), WEEK[:3]) == [100.0, 100.0, 100.0]


def test_an_ex_date_on_an_index_holiday_takes_effect_at_the_next_index_session() -> None:
    closes = {MON: 100.0, TUE: 101.0, WED: 25.25, THU: 25.5}
    assert column(prices(A=closes), splits(("A", WED, 4.0)), [MON, TUE, THU]) == [100.0, 101.0, 102.0]


def test_while_a_line_is_suspended_its_old_price_goes_with_its_old_quantity() -> None:
    closes = {MON: 100.0, FRI: 26.0}
    assert column(prices(A=closes), splits(("A", WED, 4.0)), WEEK) == [100.0, 100.0, 100.0, 100.0, 104.0]


def test_before_the_first_close_there_is_no_value_and_no_share() -> None:
    values = unit_values(market(prices=prices(A={WED: 1.0}, B={MON: 1.0})), {"A": "USD", "B": "USD"}, WEEK, "USD")
    with pytest.raises(DataError, match="A on 2026-03-02: a member has no close by its effective day"):
        chain(values, [(MON, {"A": 0.5, "B": 0.5})], 100.0)


def test_each_carried_price_says_why() -> None:
    table = prices(A={MON: 1.0, TUE: 1.0, THU: 1.0, FRI: 1.0}, B={MON: 1.0, TUE: 1.0}, C={MON: 1.0, WED: 1.0, FRI: 1.0})
    values = unit_values(market(prices=table), dict.fromkeys("ABC", "USD"), WEEK, "USD")
    made = chain(values, [(MON, dict.fromkeys("ABC", 1 / 3))], 100.0)
    opened = pl.concat([sessions("HOL", [MON, TUE, THU, FRI]), sessions("ALL", WEEK)])
    lines = pl.DataFrame(
        {"symbol": ["A", "B", "C"], "calendar": ["HOL", "ALL", "ALL"], "last_trade_date": [None, TUE, None]},
        schema_overrides={"last_trade_date": pl.Date},
    )
    found = carried_prices(values, made.shares, lines, opened)
    assert found.select("session", "symbol", "status").rows() == [
        (TUE, "C", "stale"),
        (WED, "A", "holiday_carry"),
        (WED, "B", "line_ended"),
        (THU, "B", "line_ended"),
        (THU, "C", "stale"),
        (FRI, "B", "line_ended"),
    ]


def test_levels_by_hand_through_a_review() -> None:
    """Equal weights, A doubles, then all goes to B: shares, levels and turnover on paper."""
    table = prices(A={MON: 10.0, TUE: 20.0, WED: 20.0}, B={MON: 5.0, TUE: 5.0, WED: 6.0})
    values = unit_values(market(prices=table), {"A": "USD", "B": "USD"}, WEEK[:3], "USD")
    made = chain(values, [(MON, {"A": 0.5, "B": 0.5}), (TUE, {"B": 1.0})], 100.0)
    assert made.levels["level"].to_list() == pytest.approx([100.0, 150.0, 180.0])
    assert made.turnover.row(0) == (TUE, pytest.approx(2 / 3))
