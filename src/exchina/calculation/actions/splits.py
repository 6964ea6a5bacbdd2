"""More or fewer shares for the same value: splits, consolidations, bonus issues."""

from exchina.calculation.action_register import action, adjusted
from exchina.calculation.lines import Event, Lines, put
from exchina.model import CalculationRule


@action("split")
def split(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """P' = P A / B, s = B / A, for B new shares in place of A old; a consolidation has B < A.

    Example:
        >>> from datetime import date
        >>> from exchina.calculation.lines import Line
        >>> event = Event("e", "a", "split", date(2020, 8, 31), new=4, old=1)
        >>> split({"a": Line(300, 499.23, 1.0)}, event, CalculationRule(family="market_cap"))["a"].shares
        1200.0
    """
    line = lines[event.symbol]
    return put(lines, event.symbol, adjusted(line, line.price / event.factor, event.factor, rule))


@action("stock_dividend")
def stock_dividend(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """P' = P A / (A + B), s = (A + B) / A, for B new shares beside A old (bonus issue).

    Example:
        >>> from datetime import date
        >>> from exchina.calculation.lines import Line
        >>> event = Event("e", "a", "stock_dividend", date(2020, 8, 31), new=1, old=4)
        >>> stock_dividend({"a": Line(100, 10.0, 1.0)}, event, CalculationRule(family="market_cap"))["a"].price
        8.0
    """
    line = lines[event.symbol]
    return put(lines, event.symbol, adjusted(line, line.price / event.factor, event.factor, rule))
