"""Spin-offs: B shares of a child for every A shares of the parent."""

from dataclasses import replace

from exchina.calculation.action_register import action, adjusted
from exchina.calculation.lines import Event, Line, Lines, put
from exchina.model import CalculationRule


@action("spin_off")
def spin_off(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """The convention ``spin_off`` of the rulebook decides.

    ``add_at_zero_then_remove``: the child enters at a price of zero with q_c = q_p B / A and leaves after its first
    close (by the event ``leave``); the parent's price is not touched. ``add_at_zero_then_keep``: the same, and the
    child stays until the next review. ``when_issued``: P' = P - (B / A) V with V the when-issued price, the child
    enters at V and leaves after its first close. ``adjust_price``: the same P', s = 1, and the child is not held.
    ``market_price``: nothing now; the child enters at its first close (by the event ``join``) and stays.

    A child that the index holds already is none: P' = P - (B / A) P_c, and its index shares grow by q_p B / A.
    """
    parent, held = lines[event.symbol], lines.get(event.other)
    if held is not None and held.shares and held.price:
        return _into_held(lines, event, rule)
    children = parent.shares * (event.ratio if rule.family != "price_weighted" else 1.0)
    rate = lines[event.other].rate if event.other in lines else parent.rate
    match rule.spin_off:
        case "add_at_zero_then_remove" | "add_at_zero_then_keep":
            return put(lines, event.other, Line(children, 0.0, rate))
        case "market_price":
            return lines
        case _:
            price = parent.price - event.ratio * event.price * rate / parent.rate
    if not 0 < price < parent.price:
        what = f"a child worth {event.ratio * event.price:g} on a price of {parent.price:g}"
        raise event.refuse(what, "give the child's when-issued price in the column price")
    if rule.spin_off == "when_issued":
        detached = put(lines, event.symbol, replace(parent, price=price))
        return put(detached, event.other, Line(children, event.price, rate))
    return put(lines, event.symbol, adjusted(parent, price, 1.0, rule))


def _into_held(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    parent, child = lines[event.symbol], lines[event.other]
    price = parent.price - event.ratio * child.price * child.rate / parent.rate
    if price <= 0:
        what = f"{event.ratio:g} shares of {event.other} at {child.price:g} are given on a price of {parent.price:g}"
        raise event.refuse(what, "correct the terms")
    more = parent.shares * event.ratio if rule.family != "price_weighted" else 0.0
    given = put(lines, event.symbol, replace(parent, price=price))
    return put(given, event.other, replace(child, shares=child.shares + more))


@action("join")
def join(lines: Lines, event: Event, rule: CalculationRule) -> Lines:  # noqa: ARG001 - every action takes the rule
    """A child enters at its first close with the shares the index was entitled to; the divisor takes its value."""
    child = lines[event.symbol]
    return put(lines, event.symbol, replace(child, shares=child.shares + event.new))
