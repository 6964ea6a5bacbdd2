"""How much of a company a fund may own."""

from typing import Annotated

from pydantic import Field

from exchina.fund.held import Held
from exchina.fund.limit_tests import Measure, Regime, Test, limit_test, purchases
from exchina.fund.registers import limits
from exchina.fund.terms import Law

NON_VOTING = 0.10
UCITS = Regime(
    "Directive 2009/65/EC, article 56(1), no significant influence (the share of votes is set by national law), and "
    "56(2)(a), at most 10 % of the non-voting shares; excess beyond the fund's control: article 57(2)",
    active="Sell it down at once: the purchase was not allowed; all funds of the manager count together for votes.",
    passive="No breach: selling it down is the first aim of sales (article 57(2)); buy no more of it until then.",
)
ACT_1940 = Regime(
    "The fund's own policy on votes; Investment Company Act of 1940: from 5 % the issuer is an affiliated person "
    "(section 2(a)(3)), above 10 % it leaves the diversified part (5(b)(1)), above 25 % control is presumed (2(a)(9))",
    active="Sell it down: the purchase was against the fund's policy.",
    passive="Buy no more of it until the share of votes is back inside.",
)


@limits("votes")
def votes(held: Held, *, law: Law, at_most: Annotated[float, Field(gt=0, lt=1)] = 0.10) -> tuple[Test, ...]:
    """The share of any issuer's voting stock that the fund may hold, at purchase.

    A UCITS must not gain significant influence and may hold at most 10 % of an issuer's non-voting stock; where that
    influence begins, national law says (10 % in some states, 20 % in others). The 1940 Act knows no such ban for
    shares of operating companies, but its other rules turn on the same share.

    Args:
        held: what the fund holds.
        law: the regime of the fund.
        at_most: of the voting stock.

    Example:
        >>> from datetime import date
        >>> from exchina.fund.held import held_on
        >>> fund = held_on(date(2025, 12, 31), {"a": 0.5, "b": 0.5}, votes={"a": 0.02, "b": 0.11})
        >>> (test,) = votes(fund, law="us_1940_act")
        >>> float(test.found[0]), bool(test.outside[0])
        (0.11, True)
    """
    regime, on = UCITS if law == "ucits" else ACT_1940, purchases(held)
    voting = limit_test(held, "voting stock of an issuer", Measure("votes"), at_most, regime=regime, on=on)
    if law != "ucits":
        return (voting,)
    other = limit_test(held, "non-voting stock of an issuer", Measure("non_voting"), NON_VOTING, regime=regime, on=on)
    return (voting, other)
