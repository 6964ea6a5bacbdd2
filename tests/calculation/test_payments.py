"""Dividends by hand: versions, taxes, currencies, splits and holidays between the ex-date and the booking."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from exchina.calculation.lines import Event
from exchina.calculation.payments import TaxTable, bookings, with_cash
from exchina.errors import DataError
from exchina.model import CalculationRule
from tests.boards import FIXED_WEIGHT, board, days
from tests.markets import market

D = days(6)
RATES = pl.DataFrame(
    [("AU", "maximum", 0.3, date(2010, 1, 1), date(2024, 3, 6)), ("AU", "maximum", 0.2, date(2024, 3, 7), None)],
    {"country": pl.String, "profile": pl.String, "rate": pl.Float64, "valid_from": pl.Date, "valid_to": pl.Date},
    orient="row",
)
TAXES = TaxTable(RATES, {"A": "AU"})
ESTIMATES = replace(FIXED_WEIGHT, dividend_estimates="estimate_then_correct")


def dividends(*rows: tuple[date, float, date, str, float]) -> pl.DataFrame:
    """ex-date, amount, known date, status, franked."""
    names = ("ex_date", "amount", "known_date", "status", "franked")
    table = pl.DataFrame(list(rows), names, orient="row").with_columns(
        symbol=pl.lit("A"), currency=pl.lit("C0"), type=pl.lit("ordinary")
    )
    return market(dividends=table).dividends


def paid(
    table: pl.DataFrame,
    rule: CalculationRule = FIXED_WEIGHT,
    events: Sequence[Event] = (),
    taxes: TaxTable | None = TAXES,
    open_days: np.ndarray | None = None,
) -> tuple[list[float], list[float]]:
    """Gross and net cash of each session."""
    made = replace(board({"A": [10.0] * 6}), open_days=open_days)
    found = with_cash(made, table, events, taxes, rule)
    return found.gross[:, 0].tolist(), found.net[:, 0].tolist()


def test_tax_is_that_of_the_ex_date_and_of_the_unfranked_part() -> None:
    table = dividends((D[1], 1.0, D[1], "confirmed", 0.0), (D[3], 1.0, D[3], "confirmed", 0.5))
    gross, net = paid(table)
    assert gross == [0, 1.0, 0, 1.0, 0, 0]
    assert net == pytest.approx([0, 0.7, 0, 0.9, 0, 0])
    assert paid(table, replace(FIXED_WEIGHT, franking="full_rate"))[1] == pytest.approx([0, 0.7, 0, 0.8, 0, 0])


def test_an_estimate_is_corrected_when_the_amount_is_known() -> None:
    table = dividends((D[1], 1.0, D[1], "estimated", 0.0), (D[1], 1.2, D[4], "confirmed", 0.0))
    assert paid(table, ESTIMATES)[0] == pytest.approx([0, 1.0, 0, 0, 0.2, 0])
    assert paid(table)[0] == pytest.approx([0, 0, 0, 0, 1.2, 0])


def test_a_correction_takes_back_the_old_version_with_its_own_tax() -> None:
    franked = dividends((D[1], 1.0, D[1], "confirmed", 0.0), (D[1], 1.0, D[4], "confirmed", 1.0))
    gross, net = paid(franked)
    assert gross == pytest.approx([0, 1, 0, 0, 0, 0], abs=1e-15)
    assert sum(net) == pytest.approx(1.0)
    gone = dividends((D[1], 1.0, D[1], "confirmed", 1.0), (D[1], 1.0, D[3], "retracted", 0.0))
    gross, net = paid(gone)
    assert (sum(gross), sum(net)) == pytest.approx((0.0, 0.0))
    assert net[3] == pytest.approx(-1.0)


def test_cash_is_spread_over_the_shares_of_the_session_on_which_it_is_booked() -> None:
    cut = [Event("cut", "A", "split", D[3], new=4, old=1)]
    late = dividends((D[1], 1.0, D[4], "confirmed", 0.0))
    assert paid(late, events=cut)[0] == pytest.approx([0, 0, 0, 0, 0.25, 0])
    bonus = [Event("bonus", "A", "stock_dividend", D[3], new=1, old=1)]
    assert paid(late, events=bonus)[0] == pytest.approx([0, 0, 0, 0, 0.5, 0])
    in_time = dividends((D[3], 1.0, D[3], "confirmed", 0.0))
    assert paid(in_time, events=cut)[0] == pytest.approx([0, 0, 0, 1.0, 0, 0])


def test_an_ex_date_on_a_holiday_of_the_line_waits_for_its_next_open() -> None:
    """The price falls when the line trades again, so the points come with it."""
    table = board({"A": [10.0, 10.0, None, 9.0, 9.0, 9.0]})
    found = paid(dividends((D[2], 1.0, D[2], "confirmed", 0.0)), open_days=table.price_days)
    assert found[0] == [0, 0, 0, 1.0, 0, 0]


def test_no_rate_and_no_country_are_named_at_once() -> None:
    table = dividends((D[1], 1.0, D[1], "confirmed", 0.0), (D[2], 1.0, D[2], "confirmed", 0.0))
    with pytest.raises(DataError, match="dividend of 2024-03-05: the issuer's country is not known") as refused:
        paid(table, taxes=TaxTable(RATES, {"A": None}))
    assert len(refused.value.problems) == 2
    with pytest.raises(DataError, match=r"withholding.csv has no rate of NZ for maximum"):
        paid(table, taxes=TaxTable(RATES, {"A": "NZ"}))
    with pytest.raises(DataError, match="no rate from XXX to C0"):
        paid(table.with_columns(currency=pl.lit("XXX")))


def test_a_redomiciled_issuer_is_taxed_where_it_lives_then() -> None:
    moved = TaxTable(RATES, {"A": "NZ"}, (("A", D[2], "AU"),))
    assert moved.rate("A", D[2], "maximum") == 0.3
    assert moved.rate("A", D[3], "maximum") == 0.2
    assert not isinstance(moved.rate("A", D[1], "maximum"), float)


def test_bookings_name_each_difference_once() -> None:
    table = dividends((D[1], 1.0, D[1], "confirmed", 0.0), (D[1], 1.0, D[2], "confirmed", 0.0))
    assert bookings(table, FIXED_WEIGHT).height == 1
    assert np.isclose(bookings(table, FIXED_WEIGHT)["amount"][0], 1.0)
