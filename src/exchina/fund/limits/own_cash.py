"""A fund's own limit on cash."""

from typing import Annotated

from pydantic import Field

from exchina.fund.held import Held
from exchina.fund.limit_tests import Measure, Regime, Test, every_session, limit_test
from exchina.fund.registers import limits

REGIME = Regime(
    "The fund's own limit, every session",
    active="Invest it: no price moves cash, so what is too much of it is the fund's choice.",
    passive="Invest it.",
    passive_days=0,
)


@limits("own_cash")
def own_cash(held: Held, *, at_most: Annotated[float, Field(ge=0, lt=1)]) -> tuple[Test, ...]:
    """Cash and receivables, less what is owed, at most so much of net assets; open forwards are none of it.

    Args:
        held: what the fund holds.
        at_most: of cash.

    Example:
        >>> from datetime import date
        >>> from exchina.fund.held import held_on
        >>> fund = held_on(date(2025, 12, 31), {"a": 0.5, "b": 0.45}, cash=0.05)
        >>> [bool(test.outside[0]) for test in own_cash(fund, at_most=0.02)]
        [True]
    """
    return (limit_test(held, "cash", Measure("cash"), at_most, regime=REGIME, on=every_session(held)),)
