"""A fund's own limit on an issuer."""

from typing import Annotated, Literal

from pydantic import Field

from exchina.fund.held import Held
from exchina.fund.limit_tests import Measure, Regime, Test, every_session, limit_test, purchases
from exchina.fund.registers import limits

ALWAYS = Regime(
    "The fund's own limit, every session",
    active="Sell it down: the purchase was against the fund's own limit.",
    passive="Sell it down: the limit holds whatever moved it.",
    passive_days=0,
)
BOUGHT = Regime(
    "The fund's own limit, at purchase",
    active="Sell it down: the purchase was against the fund's own limit.",
    passive="Buy no more of it until it is back inside.",
)


@limits("own_issuer")
def own_issuer(
    held: Held, *, at_most: Annotated[float, Field(gt=0, le=1)], when: Literal["always", "at_purchase"] = "always"
) -> tuple[Test, ...]:
    """An issuer at most so much of net assets.

    Args:
        held: what the fund holds.
        at_most: of an issuer.
        when: ``always``, a drift counts too, or ``at_purchase``.

    Example:
        >>> from datetime import date
        >>> from exchina.fund.held import held_on
        >>> fund = held_on(date(2025, 12, 31), {"a": 0.5, "b": 0.5})
        >>> [bool(test.outside[0]) for test in own_issuer(fund, at_most=0.12)]
        [True]
    """
    regime, on = (ALWAYS, every_session(held)) if when == "always" else (BOUGHT, purchases(held))
    return (limit_test(held, "largest issuer", Measure("largest"), at_most, regime=regime, on=on),)
