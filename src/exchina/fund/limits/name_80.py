"""A fund holds what its name says."""

from dataclasses import replace
from datetime import date
from typing import Annotated

import numpy as np
from pydantic import Field

from exchina.fund.held import Held
from exchina.fund.limit_tests import Measure, Regime, Test, limit_test, purchases, quarter_ends
from exchina.fund.registers import limits

LARGER_GROUPS = date(2026, 6, 11)
REGIME = Regime(
    "17 CFR 270.35d-1 (names rule): at the time of investment; as amended on 2023-09-20 (88 FR 70436, in effect "
    "2023-12-11; compliance put off by 90 FR 13076) also reviewed at least every quarter",
    active="Buy what the name says, and sell the rest: a purchase outside it while below the line breaks it.",
    passive="Invest only in what the name says, and be back by {by}, 90 days after it was found.",
    passive_days=90,
    passive_before="No breach: the rule tested purchases alone; invest only in what the name says until it is met.",
)


@limits("name_80")
def name_80(
    held: Held,
    *,
    at_least: Annotated[float, Field(gt=0, le=1)] = 0.80,
    year_ends: Annotated[int, Field(ge=1, le=12)] = 12,
    amended_from: date = LARGER_GROUPS,
) -> tuple[Test, ...]:
    """At least 80 % of assets in what the name of the fund says, at purchase and, as amended, at each quarterly review.

    Assets are net assets plus borrowings for investment, of which a fund here has none. Under the amendment a fund that
    drifted out has 90 days from the first purchase or quarterly review that finds it; before, what was asked is that
    further purchases bring it back. It took effect on 2023-12-11, and nobody had to comply before 2026-06-11 (groups of
    1 billion dollars or more; 2026-12-11 smaller ones, and a fund that exists then with its next annual prospectus).

    Args:
        held: what the fund holds; `Held.themed` says which issuers count.
        at_least: in the theme.
        year_ends: month in which the fiscal year ends; the reviews are its quarters.
        amended_from: first day on which the fund complies with the amendment.

    Example:
        >>> from datetime import date
        >>> from exchina.fund.held import held_on
        >>> fund = held_on(date(2025, 12, 31), {"a": 0.7, "b": 0.3}, themed={"a"})
        >>> (test,) = name_80(fund)
        >>> float(test.found[0]), bool(test.outside[0])
        (0.7, True)
    """
    amended = np.array([day >= amended_from for day in held.sessions])
    on = purchases(held) | (amended & quarter_ends(held.sessions, year_ends))
    regime = replace(REGIME, passive_from=amended_from)
    name = "issuers of the theme together"
    return (limit_test(held, name, Measure("themed"), at_least, regime=regime, on=on, sense="at_least"),)
