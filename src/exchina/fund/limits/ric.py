"""The asset tests of a United States regulated investment company."""

from typing import Annotated

from pydantic import Field

from exchina.fund.held import Held
from exchina.fund.limit_tests import Measure, Regime, Test, limit_test, quarter_ends
from exchina.fund.registers import limits

REST, LARGE, VOTES, ISSUER = 0.50, 0.05, 0.10, 0.25
REGIME = Regime(
    "Internal Revenue Code, section 851(b)(3), at the close of each fiscal quarter; cure, changes of value: 851(d)(1)",
    active="Bring it back by {by}, 30 days after the close of the quarter, or the status is lost (851(d)(1)); a small "
    "or excusable failure may still be bought off (851(d)(2)).",
    passive="Nothing is lost by changes of value alone (851(d)(1)); buy none of these issuers, and no other property "
    "that adds to it, until the test is met again.",
    active_days=30,
    once_met=True,
)


@limits("ric")
def ric(held: Held, *, year_ends: Annotated[int, Field(ge=1, le=12)] = 12) -> tuple[Test, ...]:
    """Both tests of section 851(b)(3) at the close of each fiscal quarter, as fractions of total assets.

    (A) cash, receivables and issuers that weigh at most 5 %, of whose votes the fund holds at most 10 %, together at
    least 50 %; an issuer over either line counts with nothing (26 CFR 1.851-5, example 1), nor does the gain of an open
    forward, which is no cash and, taken strictly, no security. (B) one issuer at most
    25 %; companies that the fund controls would count as one and are not looked for here.

    A fund keeps its status when prices alone moved it, once it has met the test at the close of a quarter; one that
    bought the excess has 30 days from the close of the quarter (851(d)(1)).

    Args:
        held: what the fund holds.
        year_ends: month in which the fiscal year ends.

    Example:
        >>> from datetime import date
        >>> from exchina.fund.held import held_on
        >>> weights = {"a": 0.26, "b": 0.15, "c": 0.12} | {f"d{i}": 0.04 for i in range(11)}
        >>> fund = held_on(date(2025, 12, 31), weights, cash=0.03)
        >>> [bool(test.outside[0]) for test in ric(fund)]
        [True, True]
    """
    on = quarter_ends(held.sessions, year_ends)
    rest = Measure("rest", "total", LARGE, VOTES)
    name = "cash and issuers not above 5 % or 10 % of votes together"
    return (
        limit_test(held, "largest issuer", Measure("largest", "total"), ISSUER, regime=REGIME, on=on),
        limit_test(held, name, rest, REST, regime=REGIME, on=on, sense="at_least"),
    )
