"""The register of corporate actions, and the one rule by which index shares follow an adjusted price."""

from dataclasses import replace

from exchina.calculation.lines import Line
from exchina.model import CalculationRule
from exchina.plugins import Register

action = Register("corporate action", "exchina.calculation.actions")


def adjusted(line: Line, price: float, follows: float, rule: CalculationRule) -> Line:
    """The line at an adjusted price, with the index shares that the family of the index asks for.

    For a price P that becomes P' while the company's shares are multiplied by s:

        market_cap      q' = q s        index shares follow the company; the divisor takes what value comes or goes
        fixed_weight    q' = q P / P'   the line keeps its value, so its weight; the divisor stays
        price_weighted  q' = q          nothing follows; the divisor takes it all

    Args:
        line: at the last close on the old terms.
        price: P', adjusted, above zero.
        follows: s.
        rule: its ``family`` decides.
    """
    if not line.price:  # a child that has not traded yet: only its number can change
        return replace(line, shares=line.shares * follows)
    factor = {"market_cap": follows, "fixed_weight": line.price / price, "price_weighted": 1.0}[rule.family]
    return replace(line, price=price, shares=line.shares * factor)
