"""A fund holds what its name says."""

from typing import Annotated

from pydantic import Field

from exchina.fund.held import Held
from exchina.fund.limit_tests import Measure, Regime, Test, limit_test, purchases, quarter_ends
from exchina.fund.registers import limits

REGIME = Regime(
    "17 CFR 270.35d-1 (names rule, as amended in 2023): at the time of investment, reviewed at least every quarter",
    active="Buy what the name says, and sell the rest: a purchase outside it while below the line breaks it.",
    passive="Invest only in what the name says, and be back by {by}, 90 days after it was found.",
    passive_days=90,
)


@limits("name_80")
def name_80(
    held: Held,
    *,
    at_least: Annotated[float, Field(gt=0, le=1)] = 0.80,
    year_ends: Annotated[int, Field(ge=1, le=12)] = 12,
) -> tuple[Test, ...]:
    """At least 80 % of assets in what the name of the fund says, at purchase and at each quarterly review.

    Assets are net assets plus borrowings for investment, of which a fund here has none. After a drift the fund has 90
    days from the first purchase or quarterly review that finds it.

    Args:
        held: what the fund holds; `Held.themed` says which issuers count.
        at_least: in the theme.
        year_ends: month in which the fiscal year ends; the reviews are its quarters.

    Example:
        >>> from datetime import date
        >>> from exchina.fund.held import held_on
        >>> fund = held_on(date(2025, 12, 31), {"a": 0.7, "b": 0.3}, themed={"a"})
        >>> (test,) = name_80(fund)
        >>> float(test.found[0]), bool(test.outside[0])
        (0.7, True)
    """
    on = purchases(held) | quarter_ends(held.sessions, year_ends)
    name = "issuers of the theme together"
    return (limit_test(held, name, Measure("themed"), at_least, regime=REGIME, on=on, sense="at_least"),)
