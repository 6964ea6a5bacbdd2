"""Rights issues: new shares offered to holders below, or not below, the market price."""

from dataclasses import replace

from exchina.calculation.action_register import action, adjusted
from exchina.calculation.lines import Event, Lines, put
from exchina.model import CalculationRule

HIGHLY_DILUTIVE = 2.0


@action("rights_issue")
def rights_issue(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """In the money (S < P): P' = (A P + B S) / (A + B), s = (A + B) / A, full take-up assumed. Out of it: nothing.

    A highly dilutive issue (B / A of 2 or more) that is not underwritten follows ``dilutive_rights``: ``take_up`` as
    above; ``sell_right``: the right is sold at its theoretical value P - P' and no new share is taken, s = 1.

    Example:
        >>> from datetime import date
        >>> from exchina.calculation.lines import Line
        >>> event = Event("e", "a", "rights_issue", date(2024, 5, 1), new=1, old=3, price=2.0)
        >>> rule = CalculationRule(family="market_cap")
        >>> round(rights_issue({"a": Line(300, 3.04, 1.0)}, event, rule)["a"].price, 2)
        2.78
    """
    line = lines[event.symbol]
    if event.price >= line.price:
        return lines
    ex_rights = (event.old * line.price + event.new * event.price) / (event.old + event.new)
    sold = event.ratio >= HIGHLY_DILUTIVE and not event.underwritten and rule.dilutive_rights == "sell_right"
    return put(lines, event.symbol, adjusted(line, ex_rights, 1.0 if sold else 1 + event.ratio, rule))


@action("compulsory_tender")
def compulsory_tender(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """A fraction f of every holding is bought at T: P' = (P - f T) / (1 - f), s = 1 - f."""
    line, gone = lines[event.symbol], event.fraction
    price = (line.price - gone * event.price) / (1 - gone)
    if price <= 0:
        what = f"{gone:.0%} bought at {event.price:g} on a price of {line.price:g}"
        raise event.refuse(what, "correct the fraction or the price")
    return put(lines, event.symbol, adjusted(line, price, 1 - gone, rule))


@action("share_change")
def share_change(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """The share count becomes f times what it was (buy-back, issuance, placement): q' = q f in a market-value index.

    Changes below ``share_change_at_least``, and every one under ``share_changes = "at_review"``, wait for the review.
    """
    at_once = rule.share_changes == "at_threshold" and abs(event.fraction - 1) >= rule.share_change_at_least
    if rule.family != "market_cap" or not at_once:
        return lines
    line = lines[event.symbol]
    return put(lines, event.symbol, replace(line, shares=line.shares * event.fraction))


@action("float_change")
def float_change(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """The free-float factor becomes f times what it was: as `share_change`."""
    return share_change(lines, event, rule)
