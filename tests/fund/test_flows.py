"""What comes into a fund and leaves it: each model by hand, and what every model must do."""

import doctest
import inspect
import sys
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from exchina.errors import DataError
from exchina.fund.flows.given import Order
from exchina.fund.path import FloatArray
from exchina.fund.registers import flows
from exchina.plugins import keyword_settings

SESSIONS = tuple(day for day in (date(2024, 1, 2) + timedelta(days) for days in range(400)) if day.weekday() < 5)
COUNT = len(SESSIONS)
RETURNS = np.concatenate([[0.0], np.random.default_rng(7).normal(0.0005, 0.02, COUNT - 1)])
SETTINGS = {
    "none": {},
    "given": {"orders": (Order(date(2024, 3, 29), 2e6), Order(date(2024, 6, 28), -1e6))},
    "steady": {"per_year": 0.2},
    "follows_return": {"sensitivity": 0.5, "over_sessions": 63, "per_year": 0.1, "at_most": 0.2},
}
MONTH_CLOSES = list({(day.year, day.month): row for row, day in enumerate(SESSIONS)}.values())[:-1]


@pytest.mark.parametrize("name", flows.all())
class TestEveryModel:
    def test_nothing_at_the_launch_and_a_figure_a_session(self, name: str) -> None:
        plan = flows[name](SESSIONS, RETURNS, **SETTINGS[name])
        for column in (plan.money, plan.growth):
            assert column.shape == (COUNT,)
            assert column.dtype == np.float64
            assert np.isfinite(column).all()
            assert column[0] == 0

    def test_no_flow_knows_the_return_of_its_own_session_or_a_later_one(self, name: str) -> None:
        plan = flows[name](SESSIONS, RETURNS, **SETTINGS[name])
        for row in MONTH_CLOSES:
            changed = RETURNS.copy()
            changed[row:] = -0.3
            other = flows[name](SESSIONS, changed, **SETTINGS[name])
            assert np.array_equal(plan.growth[: row + 1], other.growth[: row + 1])
            assert np.array_equal(plan.money[: row + 1], other.money[: row + 1])

    @pytest.mark.parametrize("count", [2, 3, 40, 63, 64, 65, 100])
    def test_a_young_fund(self, name: str, count: int) -> None:
        settings = {} if name in ("none", "given") else SETTINGS[name]
        settings |= {"orders": ()} if name == "given" else {}
        whole, young = (flows[name](SESSIONS[:n], RETURNS[:n], **settings) for n in (COUNT, count))
        assert np.array_equal(young.growth[:-1], whole.growth[: count - 1])

    def test_has_an_example_and_documents_every_setting(self, name: str) -> None:
        model = flows[name]
        examples = doctest.DocTestFinder().find(model, name, sys.modules[model.__module__])
        assert any(one.examples for one in examples)
        for setting in keyword_settings(model):
            assert f"{setting}:" in (inspect.getdoc(model) or "")

    def test_is_tested_here(self, name: str) -> None:
        assert name in SETTINGS


def test_without_flows_nothing_moves() -> None:
    plan = flows["none"](SESSIONS, RETURNS)
    assert not plan.money.any()
    assert not plan.growth.any()


def test_orders_are_dealt_on_their_day_or_the_next_session_and_add_up() -> None:
    orders = (Order(date(2024, 1, 6), 3e6), Order(date(2024, 1, 8), 1e6), Order(SESSIONS[-1], -5e5))
    plan = flows["given"](SESSIONS, RETURNS, orders=orders)
    dealt = {SESSIONS[row]: plan.money[row] for row in np.flatnonzero(plan.money)}
    assert dealt == {date(2024, 1, 8): 4e6, SESSIONS[-1]: -5e5}
    assert not plan.growth.any()


def test_orders_outside_the_life_of_the_fund_are_each_named() -> None:
    days = (date(2023, 12, 29), SESSIONS[0], date(2024, 5, 1), SESSIONS[-1] + timedelta(1))
    with pytest.raises(DataError) as caught:
        flows["given"](SESSIONS, RETURNS, orders=tuple(Order(day, 1e6) for day in days))
    said = [str(problem) for problem in caught.value.problems]
    assert len(said) == 3
    for day, one in zip((days[0], days[1], days[3]), said, strict=True):
        assert str(day) in one
        assert "1,000,000" in one
        assert f"{SESSIONS[0]} to {SESSIONS[-1]}" in one


@drawn(per_year=st.floats(-0.9, 3))
def test_twelve_months_of_steady_flows_are_the_year(per_year: float) -> None:
    growth = flows["steady"](SESSIONS, RETURNS, per_year=per_year).growth
    assert np.flatnonzero(growth).tolist() in ([], MONTH_CLOSES)
    year = growth[MONTH_CLOSES[:12]]
    assert np.prod(1 + year) == pytest.approx(1 + per_year, rel=1e-12)


def trailing(row: int, over: int, returns: FloatArray = RETURNS) -> float:
    """The return of `over` sessions up to the one before a row, one by one."""
    wealth = 1.0
    for one in returns[row - over : row]:
        wealth *= 1 + one
    return wealth - 1


def test_money_follows_the_trailing_return_of_the_session_before() -> None:
    growth = flows["follows_return"](SESSIONS, RETURNS, sensitivity=0.3, over_sessions=63, per_year=0.1).growth
    base = 1.1 ** (1 / 12) - 1
    for row in MONTH_CLOSES:
        expected = base + (0.3 * trailing(row, 63) if row > 63 else 0.0)
        assert growth[row] == pytest.approx(expected, abs=1e-12)
    assert np.flatnonzero(growth).tolist() == MONTH_CLOSES


@pytest.mark.parametrize(("step", "expected"), [(0.01, 0.08), (-0.01, -0.08)])
def test_one_month_is_bounded_either_way(step: float, expected: float) -> None:
    returns = np.concatenate([[0.0], np.full(COUNT - 1, step)])
    growth = flows["follows_return"](SESSIONS, returns, sensitivity=1.0, over_sessions=63, at_most=0.08).growth
    assert growth[MONTH_CLOSES[-1]] == expected
    assert np.abs(growth).max() == 0.08


def test_without_sensitivity_it_is_steady() -> None:
    follows = flows["follows_return"](SESSIONS, RETURNS, sensitivity=0.0, per_year=0.2).growth
    assert np.array_equal(follows, flows["steady"](SESSIONS, RETURNS, per_year=0.2).growth)
