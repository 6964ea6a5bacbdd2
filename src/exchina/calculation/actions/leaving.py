"""Lines that leave: takeovers, delistings, failures; the price at which they do; and where the proceeds go."""

from dataclasses import replace

from exchina.calculation.action_register import action
from exchina.calculation.lines import Event, Lines, market_value, put, scaled, without
from exchina.model import CalculationRule

FLOOR = 1e-7


def waits(event: Event, rule: CalculationRule) -> bool:
    """Whether a takeover is not far enough: a known part of the target's shares is tendered, and it is too small."""
    return event.type == "takeover" and 0 < event.fraction < rule.takeover_accepted_at_least


def last_price(lines: Lines, event: Event, traded: bool, rule: CalculationRule) -> float | None:
    """The price to which the last close before a line leaves is moved, so that gain or loss is booked first.

    None where the last close stands: always when the line traded on its last index session. Otherwise a takeover
    under ``deal_terms`` is worth its terms, c + (B / A) P_a X_a / X; a bankruptcy, and a delisting under ``then_zero``,
    the given price (over the counter) or 1e-7.
    """
    if traded:
        return None
    if event.type == "takeover" and rule.takeover == "deal_terms":
        acquirer, target = lines.get(event.other), lines[event.symbol]
        if event.new and (acquirer is None or not acquirer.price):
            raise event.refuse(f"there is no price of the acquirer {event.other}", "bring its prices into the market")
        paper = event.ratio * acquirer.price * acquirer.rate / target.rate if acquirer and event.new else 0.0
        return event.price + paper
    if event.type == "bankruptcy" or (event.type == "delisting" and rule.delisting == "last_traded_then_zero"):
        return event.price or FLOOR
    return None


@action("delisting", "leaves", "marked")
def delisting(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """The line leaves at its `last_price`. Under ``proceeds = "divisor"`` the divisor falls by its value.

    Under ``pro_rata`` all others take its place, q' = q MV / (MV - q_t P_t X_t), and the divisor stays.
    """
    rest = without(lines, event.symbol)
    left = market_value(rest)
    if left <= 0:
        raise event.refuse("the last line of the index cannot leave", "end the index, or review it before that day")
    return scaled(rest, market_value(lines) / left) if rule.proceeds == "pro_rata" else rest


@action("bankruptcy", "leaves", "marked")
def bankruptcy(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """The line leaves at its `last_price`: the loss is in the level before it goes."""
    return delisting(lines, event, rule)


@action("takeover", "leaves", "marked")
def takeover(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """The target leaves for cash, for B of the acquirer's shares for every A of its own, or for both.

    Where the index holds the acquirer and paper is paid, a market-value index adds q_t B / A of its shares and the
    divisor takes the rest; under ``pro_rata`` the acquirer takes the target's value. Otherwise the target just leaves.
    """
    target, acquirer = lines[event.symbol], lines.get(event.other)
    if acquirer is None or not acquirer.shares or not event.new or rule.family == "price_weighted":
        return delisting(lines, event, rule)
    gained = target.value / (acquirer.price * acquirer.rate) if rule.proceeds == "pro_rata" else 0.0
    shares = acquirer.shares + (gained or target.shares * event.ratio)
    return put(without(lines, event.symbol), event.other, replace(acquirer, shares=shares))


@action("leave")
def leave(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """A child leaves after its first close: the divisor falls; in a fixed-weight index its value goes into the parent,
    q_p' = q_p (q_p P_p + q_c P_c) / (q_p P_p)."""
    child, rest = lines[event.symbol], without(lines, event.symbol)
    parent = rest.get(event.other)
    if rule.family != "fixed_weight" or parent is None or not parent.shares:
        return delisting(lines, event, rule)
    return put(rest, event.other, replace(parent, shares=parent.shares * (1 + child.value / parent.value)))
