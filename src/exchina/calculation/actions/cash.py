"""Cash that leaves a company: special dividends, capital returns, and dividends reinvested in their payer."""

from dataclasses import replace

from exchina.calculation.action_register import action, adjusted
from exchina.calculation.lines import Event, Line, Lines, put
from exchina.model import CalculationRule

LARGE = 0.05


def taken(line: Line, event: Event, rule: CalculationRule) -> float:
    """How much of a special dividend d per share the price index itself makes good; the rest is left to total return.

    ``adjust_price_index`` and ``reinvest_in_payer``: d. ``adjust_price_index_net``: d (1 - tau). ``adjust_if_large``: d
    from 5 % of the price on, else 0. ``total_return_only``: 0.
    """
    match rule.special_dividend:
        case "total_return_only":
            return 0.0
        case "adjust_if_large" if entitled(event) < LARGE * line.price:
            return 0.0
        case "adjust_price_index_net":
            return entitled(event) * (1 - event.tax)
        case _:
            return entitled(event)


def entitled(event: Event) -> float:
    """What a holder of one share receives: cash, or shares of another company at their price."""
    return event.price * event.ratio if event.type == "other_stock_dividend" else event.amount


@action("special_dividend", "cash")
def special_dividend(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """P' = P - d, d as far as `taken`; index shares stay and the divisor falls, or follow if paid back into the payer.

    A special dividend in a fixed-weight index lowers the weight of its payer, unless ``reinvest_in_payer``:
    q' = q P / P'. What the price index has made good is never reinvested again in the total return.
    """
    line, price = _lowered(lines, event, rule)
    shares = line.shares * line.price / price if rule.special_dividend == "reinvest_in_payer" else line.shares
    return put(lines, event.symbol, replace(line, price=price, shares=shares))


@action("other_stock_dividend", "cash")
def other_stock_dividend(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """B shares of another company, worth P_o each, for A held: P' = P - d with d = P_o B / A as far as `taken`, s = 1.

    The shares received are not held.

    Example:
        >>> from datetime import date
        >>> event = Event("e", "a", "other_stock_dividend", date(2020, 8, 31), new=3, old=10, price=16.0)
        >>> rule = CalculationRule(family="market_cap")
        >>> round(other_stock_dividend({"a": Line(1, 24.0, 1.0)}, event, rule)["a"].price, 9)
        19.2
    """
    line, price = _lowered(lines, event, rule)
    return put(lines, event.symbol, adjusted(line, price, 1.0, rule))


@action("capital_return", "cash")
def capital_return(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """A special dividend without tax; with a consolidation of A old to B new shares, P' = (P - d) A / B, s = B / A."""
    paid = special_dividend(lines, event, rule)
    if not event.new:
        return paid
    line = paid[event.symbol]
    return put(paid, event.symbol, adjusted(line, line.price / event.ratio, event.ratio, rule))


@action("dividend")
def dividend(lines: Lines, event: Event, rule: CalculationRule) -> Lines:  # noqa: ARG001 - every action takes the rule
    """An ordinary dividend paid back into its payer at the open: P' = P - d (1 - tau), q' = q P / P'.

    Only the total return under ``dividends = "into_payer"`` sees it; the price index shows the fall.
    """
    line = lines[event.symbol]
    price = line.price - event.amount * (1 - event.tax)
    if price <= 0:
        raise event.refuse(f"{event.amount:g} a share on a price of {line.price:g}", "correct the amount or its unit")
    return put(lines, event.symbol, replace(line, price=price, shares=line.shares * line.price / price))


def _lowered(lines: Lines, event: Event, rule: CalculationRule) -> tuple[Line, float]:
    """The line, and its price less what the price index makes good."""
    line = lines[event.symbol]
    if entitled(event) >= line.price:
        raise event.refuse(
            f"{entitled(event):g} a share on a price of {line.price:g}", "correct the amount or its unit"
        )
    return line, line.price - taken(line, event, rule)
