"""UCITS 20/35 of funds that replicate an index."""

from typing import Annotated

from pydantic import Field

from exchina.fund.held import Held
from exchina.fund.limit_tests import Measure, Regime, Test, limit_test, purchases
from exchina.fund.registers import limits

ISSUER = 0.20
REGIME = Regime(
    "Directive 2009/65/EC, article 53(1) and (2); excess beyond the fund's control: article 57(2)",
    active="Sell it down at once: the purchase was not allowed, nor may the index be followed so far.",
    passive="No breach: selling it down is the first aim of sales, in the interest of the holders (article 57(2)); "
    "buy none of these issuers until then.",
)


@limits("ucits_53")
def ucits_53(held: Held, *, one_at_most: Annotated[float, Field(ge=ISSUER, le=0.35)] = 0.35) -> tuple[Test, ...]:
    """An issuer at most 20 % of net assets, a single one up to 35 %, at purchase, for a fund that replicates an index.

    The index must be diversified enough, a fair benchmark and published; a supervisor judges that, not this test.

    Args:
        held: what the fund holds.
        one_at_most: of the single issuer; the 35 % need exceptional market conditions, 0.20 says that there are none.

    Example:
        >>> from datetime import date
        >>> from exchina.fund.held import held_on
        >>> fund = held_on(date(2025, 12, 31), {"a": 0.34, "b": 0.21, "c": 0.15, "d": 0.15, "e": 0.15})
        >>> [bool(test.outside[0]) for test in ucits_53(fund)]
        [False, True]
    """
    on = purchases(held)
    return (
        limit_test(held, "largest issuer", Measure("largest"), one_at_most, regime=REGIME, on=on),
        limit_test(held, "second largest issuer", Measure("second"), ISSUER, regime=REGIME, on=on),
    )
