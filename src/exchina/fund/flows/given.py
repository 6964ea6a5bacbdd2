"""Flows as given: a list of days and amounts."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date

import numpy as np
from pydantic.dataclasses import dataclass as checked

from exchina.errors import DataError, Problem
from exchina.fund.flow_plan import FlowPlan
from exchina.fund.path import FloatArray
from exchina.fund.registers import flows
from exchina.model import STRICT


@checked(frozen=True, config=STRICT)
class Order:
    """Money on a day, fund currency; below zero it leaves."""

    on: date
    amount: float


@flows("given")
def given(sessions: Sequence[date], returns: FloatArray, *, orders: tuple[Order, ...]) -> FlowPlan:
    """Orders at the close of their days; a day that is no session counts on the next one.

    Args:
        sessions: n.
        returns: (n,) not read.
        orders: each ``{ on = 2020-03-31, amount = 2e6 }``.

    Returns:
        (n,) money; no growth.

    Raises:
        DataError: an order on or before the launch, or after the last session; each is named.

    Example:
        >>> sessions = [date(2026, 1, 8), date(2026, 1, 9), date(2026, 1, 12)]
        >>> given(sessions, np.zeros(3), orders=(Order(date(2026, 1, 10), 2e6),)).money.tolist()
        [0.0, 0.0, 2000000.0]
    """
    money = np.zeros(len(returns))
    problems = [
        Problem(
            f"dealing.flows.orders, {order.on}",
            f"{order.amount:,.0f} outside the life of the fund, {sessions[0]} to {sessions[-1]}",
            "the launch itself takes the seed; orders follow it",
        )
        for order in orders
        if not sessions[0] < order.on <= sessions[-1]
    ]
    if problems:
        raise DataError(*problems)
    for order in orders:
        money[bisect_left(sessions, order.on)] += order.amount
    return FlowPlan(money, np.zeros(len(returns)))
