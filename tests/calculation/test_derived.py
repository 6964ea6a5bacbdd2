"""Derived series against outside cases, worked days and the laws that hold for any index."""

import json
from calendar import isleap
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from exchina.calculation.chain_link import chain_linked
from exchina.calculation.derived.converted import converted
from exchina.calculation.derived.decrement import decrement
from exchina.calculation.derived.dividend_points import dividend_points
from exchina.calculation.derived.excess_return import excess_return
from exchina.calculation.derived.hedged import hedged
from exchina.calculation.derived.leveraged import leveraged
from exchina.calculation.derived_register import Parent, derived, in_currency
from exchina.errors import DataError

Levels = NDArray[np.float64]
CODES = ("AUD", "EUR", "JPY", "USD")
JAN31, FEB14, FEB29 = date(2024, 1, 31), date(2024, 2, 14), date(2024, 2, 29)


def index(days: list[date], levels: list[float], **given_: Any) -> Parent:
    """An index in US dollars, all of it held in Australian dollars unless said otherwise."""
    n = len(days)
    codes: tuple[str, ...] = given_.pop("currencies", ("AUD", "USD"))
    table = {name: np.full((n, len(codes)), np.nan) for name in ("spot", "forward", "cash")}
    table["weights"] = np.tile([1.0] + [0.0] * (len(codes) - 1), (n, 1))
    for name, value in given_.items():
        if name in table and isinstance(value, dict):
            for code, column in value.items():
                table[name][:, codes.index(code)] = column
        elif name in table:
            table[name] = np.array(value, dtype=float)
    return Parent(
        sessions=tuple(days),
        levels=np.array(levels),
        price_levels=np.array(levels),
        points=np.array(given_.get("points", [0.0] * n)),
        currency="USD",
        currencies=codes,
        **table,
    )


@st.composite
def indices(draw: st.DrawFn, least: int = 2) -> Parent:
    """An index in US dollars in four currencies: some weekdays skipped, random walks, all quotes known."""
    n = draw(st.integers(least, 90))
    start = draw(st.dates(date(2015, 1, 1), date(2026, 1, 1)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weekdays = [day for step in range(3 * n + 9) if (day := start + timedelta(days=step)).weekday() < 5]
    days = sorted(random.choice(len(weekdays), n, replace=False).tolist())
    held = random.uniform(0, 1, (n, 4))
    spot = np.array([0.65, 1.1, 0.0067, 1.0]) * np.exp(np.cumsum(random.normal(0, 0.01, (n, 4)) * [1, 1, 1, 0], axis=0))
    cash = np.where(random.uniform(0, 1, (n, 4)) < 0.3, np.nan, random.uniform(-0.01, 0.06, (n, 4)))
    cash[0] = 0.03
    return Parent(
        sessions=tuple(weekdays[day] for day in days),
        levels=1000 * np.exp(np.cumsum(random.normal(0, 0.02, n))),
        price_levels=900 * np.exp(np.cumsum(random.normal(0, 0.02, n))),
        points=random.uniform(0, 2, n),
        currency="USD",
        currencies=CODES,
        weights=held / held.sum(axis=1, keepdims=True),
        spot=spot,
        forward=spot * (1 + random.normal(0, 0.002, (n, 4)) * [1, 1, 1, 0]),
        cash=cash,
    )


def until(parent: Parent, n: int) -> Parent:
    """The parent as it stood after its first n sessions."""
    tables = ("sessions", "levels", "price_levels", "points", "weights", "spot", "forward", "cash")
    return replace(parent, **{name: getattr(parent, name)[:n] for name in tables})


def case(shared: Path, name: str) -> dict[str, Any]:
    cases = json.loads((shared / "cases" / "index_math_cases.json").read_text(encoding="utf-8"))
    return next(one for one in cases if one["id"] == name)


KINDS: list[Callable[[Parent], Levels]] = [
    lambda p: converted(p, into="EUR"),
    lambda p: converted(p, into="USD"),
    hedged,
    lambda p: hedged(p, into="JPY", ratio=0.5, currencies=("AUD", "USD"), decided_sessions_before=2),
    lambda p: decrement(p, rate_per_year=0.05),
    lambda p: decrement(p, points_per_year=900.0, day_count=360),
    excess_return,
    lambda p: leveraged(p, factor=-2.0),
    lambda p: leveraged(p, factor=5.0),
    dividend_points,
    lambda p: dividend_points(p, reset="quarterly"),
    lambda p: dividend_points(p, reset="yearly"),
]


def test_the_register_knows_every_kind() -> None:
    kinds = ["converted", "decrement", "dividend_points", "excess_return", "hedged", "leveraged"]
    assert list(derived.all()) == kinds


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_later_session_changes_no_earlier_bit(kind: Callable[[Parent], Levels], data: st.DataObject) -> None:
    parent = data.draw(indices())
    cut = data.draw(st.integers(1, len(parent.sessions)))
    assert kind(parent)[:cut].tobytes() == kind(until(parent, cut)).tobytes()


@pytest.mark.parametrize("kind", KINDS)
@given(parent=indices())
def test_every_series_starts_at_the_base_and_leaves_its_parent_alone(
    kind: Callable[[Parent], Levels], parent: Parent
) -> None:
    before = parent.levels.tobytes()
    levels = kind(parent)
    assert levels.shape == parent.levels.shape
    assert levels[0] in {0.0, parent.levels[0]}
    levels[:] = -1
    assert parent.levels.tobytes() == before


# converted


def test_converted_by_hand() -> None:
    parent = index([JAN31, FEB14], [1000.0, 1100.0], spot={"AUD": [0.64, 0.66]})
    assert converted(parent, into="AUD") == pytest.approx([1000, 1000 * 1.1 * 0.64 / 0.66], rel=1e-14)


@given(parent=indices())
def test_the_currency_triangle_closes(parent: Parent) -> None:
    direct = converted(parent, into="JPY")
    assert converted(in_currency(parent, "AUD"), into="JPY") == pytest.approx(direct, rel=1e-12)
    assert converted(in_currency(parent, "AUD"), into="USD") == pytest.approx(parent.levels, rel=1e-12)


def test_every_table_of_an_index_goes_into_the_other_currency() -> None:
    quotes = {"spot": {"AUD": [0.6, 0.75], "EUR": [1.0, 1.25]}, "forward": {"AUD": [0.61, 0.76], "EUR": [1.01, 1.24]}}
    made = in_currency(index([JAN31, FEB14], [1000.0, 1100.0], currencies=CODES, points=[5.0, 6.0], **quotes), "EUR")
    assert made.price_levels.tolist() == pytest.approx([1000, 880])
    assert made.points.tolist() == pytest.approx([5, 4.8])
    assert made.spot[:, [0, 1, 3]].tolist() == [[0.6, 1, 1], pytest.approx([0.6, 1, 0.8])]
    assert made.forward[:, [0, 1, 3]].tolist() == [
        pytest.approx([0.61 / 1.01, 1, 1 / 1.01]),
        pytest.approx([0.76 / 1.24, 1, 1 / 1.24]),
    ]


def test_a_missing_rate_or_an_unknown_currency_is_named() -> None:
    parent = index([JAN31, FEB14, FEB29], [1.0, 1.0, 1.0], spot={"AUD": [0.6, np.nan, np.nan]})
    with pytest.raises(DataError, match=r"spot AUD on 2024-02-14: .*without one: 2, the last 2024-02-29 .*`fx`"):
        converted(parent, into="AUD")
    with pytest.raises(DataError, match="AUX: no exchange rate of it is known .did you mean .AUD"):
        converted(parent, into="AUX")


# hedged


def month(local: float, spot: list[float], forward: float) -> Parent:
    """One month, January's end to February's, of an index held abroad."""
    levels = [1000.0, 1000.0 * (1 + local) * spot[1] / spot[0]]
    return index([JAN31, FEB29], levels, spot={"AUD": spot}, forward={"AUD": [forward, np.nan]})


def test_hedge_of_one_month_is_the_published_formula(shared: Path) -> None:
    found = case(shared, "HEDGE-1M-A")
    given_, due = found["inputs"], found["expected"]
    parent = month(given_["local_return"], [given_["spot_begin"], given_["spot_end"]], given_["forward_1m_at_begin"])
    assert parent.levels[1] / 1000 - 1 == pytest.approx(due["unhedged_return"], abs=1e-12)
    assert hedged(parent)[1] / 1000 - 1 == pytest.approx(due["hedged_return"], abs=1e-12)
    gain = (hedged(parent) - hedged(parent, ratio=0))[1] / 1000
    assert gain == pytest.approx(due["hedge_return"], abs=1e-12)


def test_hedge_of_yen_leaves_the_dollars_invested(shared: Path) -> None:
    found = case(shared, "HEDGE-JPY-100K")
    given_, due = found["inputs"], found["expected"]
    spot = [1 / given_["usdjpy_begin"], 1 / given_["usdjpy_end"]]
    parent = month(given_["asset_return_jpy"], spot, 1 / given_["hedged_at"])
    invested = given_["usd_invested"]
    assert parent.levels[1] / 1000 * invested == pytest.approx(due["unhedged_usd"], abs=0.005)
    assert hedged(parent)[1] / 1000 * invested == pytest.approx(due["hedged_usd"], abs=0.005)


shares = st.floats(0, 1)


@given(st.floats(-0.4, 0.4), st.floats(0.5, 2), st.floats(0.8, 1.2), st.floats(0.98, 1.02), shares)
def test_month_end_identity(local: float, begin: float, move: float, carry: float, ratio: float) -> None:
    """R_hedged = R_local + FX (1 + R_local) + h (Fwd - FX)."""
    parent = month(local, [begin, begin * move], begin * carry)
    due = local + (move - 1) * (1 + local) + ratio * (carry - move)
    assert hedged(parent, ratio=ratio)[1] / 1000 - 1 == pytest.approx(due, abs=1e-12)


def test_inside_the_month_the_forward_is_interpolated() -> None:
    """29 days from 31 January to 29 February; 15 of them are left on the 14th."""
    parent = index([JAN31, FEB14], [1000.0, 1010.0], spot={"AUD": [0.66, 0.65]}, forward={"AUD": [0.661, 0.6512]})
    price = 0.65 + 15 / 29 * 0.0012
    assert hedged(parent, ratio=0.8)[1] == pytest.approx(1000 * (1.01 + 0.8 * (0.661 - price) / 0.66), rel=1e-13)


def test_each_month_is_sold_anew_from_the_hedged_level() -> None:
    days = [JAN31, FEB29, date(2024, 3, 15)]
    spot, forward = [0.66, 0.65, 0.67], [0.661, 0.6512, 0.6703]
    parent = index(days, [1000.0, 990.0, 1020.0], spot={"AUD": spot}, forward={"AUD": forward})
    first = 1000 * (0.99 + (0.661 - 0.65) / 0.66)
    price = 0.67 + 14 / 29 * 0.0003
    second = first * (1020 / 990 + (0.6512 - price) / 0.65)
    assert hedged(parent).tolist() == pytest.approx([1000, first, second], rel=1e-13)


def test_an_index_that_begins_inside_a_month_sells_what_is_left_of_it() -> None:
    """17 January to 31 January: 14 of the 33 days since 29 December; without a move nothing is gained at once."""
    days = [date(2024, 1, 17), date(2024, 1, 18), JAN31]
    parent = index(days, [1000.0] * 3, spot={"AUD": 0.66}, forward={"AUD": 0.6633})
    gain = 0.0033 / 0.66 / 33
    assert hedged(parent).tolist() == pytest.approx([1000, 1000 * (1 + gain), 1000 * (1 + 14 * gain)], rel=1e-13)


def test_a_month_whose_last_weekday_is_a_holiday_keeps_a_day_of_carry() -> None:
    """Good Friday 2024 is the last weekday of March; the contract of Thursday has a day left, April's starts anew."""
    days = [FEB29, date(2024, 3, 28), date(2024, 4, 1)]
    parent = index(days, [1000.0] * 3, spot={"AUD": 0.66}, forward={"AUD": 0.6633})
    march = 1000 * (1 + 0.0033 / 0.66 * 28 / 29)
    april = march * (1 + 0.0033 / 0.66 * 4 / 33)
    assert hedged(parent).tolist() == pytest.approx([1000, march, april], rel=1e-13)


def test_a_session_after_the_last_weekday_has_no_carry_left() -> None:
    """Saturday, 30 May 2026 is an index session: the contract ended on Friday at the spot rate."""
    days = [date(2026, 4, 30), date(2026, 5, 29), date(2026, 5, 30)]
    quotes = {"spot": {"AUD": 0.66}, "forward": {"AUD": [0.6633, 0.67, 0.68]}}
    assert hedged(index(days, [1000.0] * 3, **quotes)).tolist() == pytest.approx([1000, 1005, 1005], rel=1e-13)


def test_a_notional_decided_before_the_month_end_keeps_its_units() -> None:
    """Units sold = h w_r HI_r / S_r, decided the session before, whatever happens on the last day of January."""
    days = [date(2023, 12, 29), date(2024, 1, 30), JAN31, FEB29]
    spot, forward = np.array([0.68, 0.66, 0.64, 0.65]), np.array([0.681, 0.661, 0.642, 0.651])
    weights = [[1, 0], [0.6, 0.4], [0.9, 0.1], [1, 0]]
    levels = [1000.0, 980.0, 940.0, 970.0]
    parent = index(days, levels, spot={"AUD": spot}, forward={"AUD": forward}, weights=weights)
    made = hedged(parent, decided_sessions_before=1)
    units = 0.6 * made[1] / spot[1]
    due = made[2] * 970 / 940 + units * (0.642 - 0.65)
    assert made[3] == pytest.approx(due, rel=1e-13)
    assert hedged(parent)[3] != pytest.approx(due, rel=1e-4)


@given(parent=indices(), into=st.sampled_from(CODES), before=st.integers(0, 2))
def test_without_a_hedge_only_the_currency_changes(parent: Parent, into: str, before: int) -> None:
    made = hedged(parent, into=into, ratio=0.0, decided_sessions_before=before)
    assert made == pytest.approx(converted(parent, into=into), rel=1e-12)


@given(parent=indices(), into=st.sampled_from(CODES))
def test_a_hedge_for_another_investor_is_the_hedge_of_the_converted_index(parent: Parent, into: str) -> None:
    assert hedged(parent, into=into) == pytest.approx(hedged(in_currency(parent, into)), rel=1e-12)


def test_hedged_for_another_investor_by_hand() -> None:
    """A euro investor sells Australian dollars at 0.661 / 1.087 euros; on the 14th they stand at the interpolation."""
    quotes = {
        "spot": {"AUD": [0.66, 0.65], "EUR": [1.085, 1.07]},
        "forward": {"AUD": [0.661, 0.6512], "EUR": [1.087, 1.072]},
    }
    parent = index([JAN31, FEB14], [1000.0, 1010.0], currencies=CODES, **quotes)
    near = 0.65 / 1.07
    price = near + 15 / 29 * (0.6512 / 1.072 - near)
    due = 1000 * (1.01 * 1.085 / 1.07 + (0.661 / 1.087 - price) / (0.66 / 1.085))
    assert hedged(parent, into="EUR")[1] == pytest.approx(due, rel=1e-13)


@given(parent=indices())
def test_hedges_of_single_currencies_add_up_inside_the_first_month(parent: Parent) -> None:
    plain = hedged(parent, ratio=0)
    gains = [hedged(parent, currencies=(code,)) - plain for code in CODES[:3]]
    first = [day.replace(day=1) == parent.sessions[1].replace(day=1) for day in parent.sessions]
    assert sum(gains)[first] == pytest.approx((hedged(parent) - plain)[first], abs=1e-8)


def test_every_missing_quote_is_named_at_once() -> None:
    days = [JAN31, FEB14, FEB29]
    parent = index(
        days,
        [1.0, 1.0, 1.0],
        currencies=CODES,
        weights=np.tile([0.5, 0.0, 0.5, 0.0], (3, 1)),
        spot={"AUD": [0.6, np.nan, 0.6], "JPY": 0.007},
        forward={"AUD": 0.6, "JPY": [np.nan, np.nan, np.nan]},
    )
    with pytest.raises(DataError) as caught:
        hedged(parent)
    assert [str(problem).split(" (")[0] for problem in caught.value.problems] == [
        "spot AUD on 2024-02-14: no rate is known",
        "forward JPY on 2024-01-31: no rate is known; sessions without one: 2, the last 2024-02-14",
    ]
    assert "`forwards` of the market" in str(caught.value)
    assert hedged(parent, ratio=0).tolist() == [1.0, 1.0, 1.0]


def test_the_spot_rate_of_the_decision_is_needed_too() -> None:
    """Decided on 30 January on a weight that the index did not have in the month before."""
    days = [date(2023, 12, 29), date(2024, 1, 30), JAN31, FEB29]
    weights = [[0, 1], [1, 0], [1, 0], [1, 0]]
    parent = index(days, [1.0] * 4, weights=weights, spot={"AUD": [0.6, np.nan, 0.6, 0.6]}, forward={"AUD": 0.6})
    assert hedged(parent).tolist() == [1.0] * 4
    with pytest.raises(DataError, match="spot AUD on 2024-01-30"):
        hedged(parent, decided_sessions_before=1)


def test_the_investors_own_forward_is_missed_under_its_own_name() -> None:
    parent = index([JAN31, FEB14], [1.0, 1.0], currencies=CODES, spot={"AUD": 0.6, "EUR": 1.1}, forward={"AUD": 0.6})
    with pytest.raises(DataError, match="forward EUR on 2024-01-31"):
        hedged(parent, into="EUR")
    with pytest.raises(DataError, match="spot EUR on 2024-01-31(.|\n)*forward EUR on 2024-01-31"):
        hedged(index([JAN31, FEB14], [1.0, 1.0], currencies=CODES, spot={"AUD": 0.6}, forward={"AUD": 0.6}), into="EUR")


def test_a_hedge_of_an_unknown_or_of_the_own_currency_is_refused() -> None:
    parent = index([JAN31, FEB14], [1.0, 1.0])
    with pytest.raises(DataError) as caught:
        hedged(parent, currencies=("USD", "AUS"))
    assert [problem.where for problem in caught.value.problems] == ["hedge of USD", "hedge of AUS"]


def test_a_hedge_that_costs_more_than_the_index_is_refused() -> None:
    parent = index([JAN31, FEB29], [1000.0, 1000.0], spot={"AUD": [0.01, 0.66]}, forward={"AUD": 0.01})
    with pytest.raises(DataError, match="hedged level on 2024-02-29: falls to -64000"):
        hedged(parent)


# decrement, excess return, leverage


def test_decrements_by_hand() -> None:
    parent = index([JAN31, FEB14, FEB29], [1000.0, 1010.0, 1030.0])
    percent = 1000 * (1.01 - 0.05 * 14 / 365)
    assert decrement(parent, rate_per_year=0.05).tolist() == pytest.approx(
        [1000, percent, percent * (1030 / 1010 - 0.05 * 15 / 365)], rel=1e-14
    )
    points = 1010 - 50 * 14 / 360
    assert decrement(parent, points_per_year=50, day_count=360).tolist() == pytest.approx(
        [1000, points, points * 1030 / 1010 - 50 * 15 / 360], rel=1e-14
    )


def test_a_decrement_in_points_ends_at_zero_for_ever() -> None:
    parent = index([JAN31, FEB14, FEB29], [10.0, 10.0, 9e9])
    assert decrement(parent, points_per_year=365).tolist() == [10.0, 0.0, 0.0]


def test_a_decrement_takes_exactly_one_deduction() -> None:
    for settings in ({}, {"rate_per_year": 0.05, "points_per_year": 50.0}):
        assert "exactly one" in str(derived.checked_settings("derived.d", "decrement", settings)[1])
        with pytest.raises(DataError, match="exactly one"):
            decrement(index([JAN31], [1.0]), **settings)
    assert derived.checked_settings("derived.d", "decrement", {"rate_per_year": 0.05})[1] == []


def test_a_flat_index_loses_its_decrement_in_a_year() -> None:
    year = [date(2023, 1, 1) + timedelta(days=day) for day in range(366)]
    assert not isleap(2023)
    made = decrement(index(year, [1000.0] * 366), rate_per_year=0.05)
    assert made[-1] == pytest.approx(1000 * (1 - 0.05 / 365) ** 365, rel=1e-12)


def test_excess_return_pays_the_rate_of_the_day_before_carried_from_the_last_known() -> None:
    days = [JAN31, FEB14, FEB29]
    parent = index(days, [1000.0, 1010.0, 1030.0], cash={"USD": [0.05, np.nan, 0.9], "AUD": 0.5})
    first = 1000 * (1.01 - 0.05 * 14 / 360)
    due = [1000, first, first * (1030 / 1010 - 0.05 * 15 / 360)]
    assert excess_return(parent).tolist() == pytest.approx(due, rel=1e-14)


def test_excess_return_without_a_rate_is_refused() -> None:
    parent = index([JAN31, FEB14], [1.0, 1.0], cash={"USD": [np.nan, 0.05]})
    with pytest.raises(DataError, match="cash rate USD on 2024-01-31: none is known by then .*`cash_rates`"):
        excess_return(parent)
    with pytest.raises(DataError, match="cash rate USD: none is known for the index currency"):
        leveraged(index([JAN31, FEB14], [1.0, 1.0], currencies=("AUD",)), factor=2)


def test_leverage_by_hand() -> None:
    parent = index([JAN31, FEB14], [1000.0, 1010.0], cash={"USD": 0.05})
    carry = 0.05 * 14 / 360
    assert leveraged(parent, factor=2)[1] == pytest.approx(1000 * (1.02 - carry), rel=1e-14)
    assert leveraged(parent, factor=-1)[1] == pytest.approx(1000 * (0.99 + 2 * carry), rel=1e-14)


@given(parent=indices())
def test_leverage_of_one_is_the_index_and_of_none_is_cash(parent: Parent) -> None:
    assert leveraged(parent, factor=1) == pytest.approx(parent.levels, rel=1e-12)
    flat = replace(parent, levels=np.full_like(parent.levels, 1000.0))
    assert leveraged(parent, factor=0)[-1] / parent.levels[0] == pytest.approx(leveraged(flat, factor=0)[-1] / 1000)


def test_leverage_that_loses_everything_ends_at_zero_for_ever() -> None:
    parent = index([JAN31, FEB14, FEB29], [10.0, 5.0, 50.0], cash={"USD": 0.0})
    assert leveraged(parent, factor=3).tolist() == [10.0, 0.0, 0.0]


# dividend points


def test_dividend_points_start_anew_after_the_third_friday() -> None:
    days = [date(2026, 3, 17), date(2026, 3, 19), date(2026, 3, 20), date(2026, 3, 23), date(2026, 12, 17)]
    days += [date(2026, 12, 21), date(2027, 3, 22)]
    parent = index(days, [1000.0] * 7, points=[9.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    assert dividend_points(parent).tolist() == [0, 1, 3, 7, 15, 31, 63]
    assert dividend_points(parent, reset="yearly").tolist() == [0, 1, 3, 7, 15, 16, 48]
    assert dividend_points(parent, reset="quarterly").tolist() == [0, 1, 3, 4, 8, 16, 32]


@given(parent=indices())
def test_dividend_points_of_all_periods_sum_to_those_never_reset(parent: Parent) -> None:
    made = dividend_points(parent, reset="quarterly")
    ends = [row for row in range(1, len(made)) if made[row] == parent.points[row]]
    assert made[[row - 1 for row in ends] + [-1]].sum() == pytest.approx(dividend_points(parent)[-1], abs=1e-9)


# the parent


def test_every_fault_of_a_parent_is_named_at_once() -> None:
    with pytest.raises(DataError) as caught:
        index([FEB14, JAN31], [1.0, np.nan], weights=[[0.5, 0.4], [1, 0]], points=[0.0, np.inf])
    assert [problem.where for problem in caught.value.problems] == [
        "session 2024-01-31",
        "price index on 2024-01-31",
        "level on 2024-01-31",
        "dividend points on 2024-01-31",
        "sum of currency weights on 2024-02-14",
    ]
    with pytest.raises(DataError, match=r"levels of the parent index: shape \(1,\), due is \(2,\)"):
        index([JAN31, FEB14], [1.0])


# chain linking


def test_segments_are_linked_at_the_common_date(shared: Path) -> None:
    found = case(shared, "CHAIN-LINK")
    names = ["d0", "d1", "d2", "d3", "d4"]
    day = {name: date(2026, 1, 1) + timedelta(days=place) for place, name in enumerate(names)}
    segments = [found["inputs"][f"segment{place}"] for place in (1, 2)]
    days, levels = chain_linked([([day[name] for name in one["dates"]], one["levels"]) for one in segments])
    assert list(days) == list(day.values())
    assert levels.tolist() == pytest.approx(found["expected"]["chained"], rel=1e-12)


@given(indices(least=3), st.data())
def test_pieces_of_one_index_link_to_that_index(parent: Parent, data: st.DataObject) -> None:
    n = len(parent.sessions)
    cut = data.draw(st.integers(0, n - 1))
    end = data.draw(st.integers(cut + 1, n))
    scale = data.draw(st.floats(0.01, 100))
    whole = parent.sessions, parent.levels
    pieces = [(whole[0][:end], whole[1][:end]), (whole[0][cut:], scale * whole[1][cut:])]
    days, levels = chain_linked(pieces)
    assert days == parent.sessions
    assert levels == pytest.approx(parent.levels, rel=1e-12)


def test_the_later_segment_speaks_after_the_first_common_date() -> None:
    d1, d2, d3, d4, d5 = (date(2026, 1, day) for day in (1, 2, 5, 6, 7))
    days, levels = chain_linked([((d1, d2, d3, d4), [100.0, 110.0, 999.0, 999.0]), ((d2, d4, d5), [50.0, 55.0, 60.0])])
    assert days == (d1, d2, d4, d5)
    assert levels.tolist() == pytest.approx([100, 110, 121, 132])


def test_segments_that_share_no_date_or_are_faulty_are_refused() -> None:
    with pytest.raises(DataError, match="segments 1 and 2: share no date .*\nsegments 2 and 3: share no date"):
        chain_linked([([JAN31], [1.0]), ([FEB14], [1.0]), ([FEB29], [1.0])])
    with pytest.raises(DataError, match="segments: there is none"):
        chain_linked([])
    with pytest.raises(DataError) as caught:
        chain_linked([([FEB14, JAN31], [1.0, 0.0]), ([], []), ([JAN31], [1.0, 2.0])])
    assert [problem.where for problem in caught.value.problems] == ["segment 1", "segment 1", "segment 2", "segment 3"]
