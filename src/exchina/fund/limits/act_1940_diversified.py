"""The diversified company of the Investment Company Act of 1940."""

from exchina.fund.held import Held
from exchina.fund.limit_tests import Measure, Regime, Test, limit_test, purchases
from exchina.fund.registers import limits

REST, LARGE, VOTES = 0.75, 0.05, 0.10
REGIME = Regime(
    "Investment Company Act of 1940, section 5(b)(1); changes of value: section 5(c)",
    active="Sell it down: bought so, the fund is no longer diversified; its holders would have to vote for that "
    "(section 13(a)(1)).",
    passive="The fund stays diversified (section 5(c)); buy nothing that adds to it until the test is met again.",
)


@limits("act_1940_diversified")
def act_1940_diversified(held: Held) -> tuple[Test, ...]:
    """75/5/10: cash, receivables and issuers that weigh at most 5 % and of whose votes the fund holds at most 10 %,
    together at least 75 % of total assets, at purchase.

    Only a fund that calls itself diversified is bound. An issuer over a line counts with nothing, as in the tax test
    of the same words; counting the first 5 % of it, as some do, is milder.

    Args:
        held: what the fund holds.

    Example:
        >>> from datetime import date
        >>> from exchina.fund.held import held_on
        >>> fund = held_on(date(2025, 12, 31), {"a": 0.2, "b": 0.1} | {f"c{i}": 0.05 for i in range(14)})
        >>> [round(float(test.found[0]), 2) for test in act_1940_diversified(fund)]
        [0.7]
    """
    name = "cash and issuers not above 5 % or 10 % of votes together"
    measure = Measure("rest", "total", LARGE, VOTES)
    return (limit_test(held, name, measure, REST, regime=REGIME, on=purchases(held), sense="at_least"),)
