"""The same holding under another line, name or country."""

from dataclasses import replace

from exchina.calculation.action_register import action
from exchina.calculation.lines import Event, Line, Lines, put, without
from exchina.model import CalculationRule


@action("conversion", "renames")
def conversion(lines: Lines, event: Event, rule: CalculationRule) -> Lines:
    """One line becomes another (change of listing, share class, receipt): B of ``other`` for every A held.

    The new line stands at its own last close, or at ``price``, or where it has neither at P A / B. Market value:
    q' = q B / A, and the divisor takes a difference in value. Fixed weight: q' = q P X / (P' X').
    """
    old, new = lines[event.symbol], lines.get(event.other)
    price = event.price or (new.price if new and new.price else old.price / event.ratio)
    rate = new.rate if new else old.rate
    keeps = old.value / (price * rate)
    shares = {"market_cap": old.shares * event.ratio, "fixed_weight": keeps, "price_weighted": old.shares}[rule.family]
    held = new.shares if new else 0.0
    return put(without(lines, event.symbol), event.other, Line(held + shares, price, rate))


@action("rename", "renames")
def rename(lines: Lines, event: Event, rule: CalculationRule) -> Lines:  # noqa: ARG001 - every action takes the rule
    """The symbol changes and nothing else."""
    held = lines[event.other].shares if event.other in lines else 0.0
    old = lines[event.symbol]
    return put(without(lines, event.symbol), event.other, replace(old, shares=old.shares + held))


@action("redomicile")
def redomicile(lines: Lines, event: Event, rule: CalculationRule) -> Lines:  # noqa: ARG001 - every action takes the rule
    """The issuer moves to another country: tax on later dividends changes, the lines do not."""
    return lines


@action("suspension")
def suspension(lines: Lines, event: Event, rule: CalculationRule) -> Lines:  # noqa: ARG001 - every action takes the rule
    """Trading is halted: the last close is carried with that status."""
    return lines


@action("resumption")
def resumption(lines: Lines, event: Event, rule: CalculationRule) -> Lines:  # noqa: ARG001 - every action takes the rule
    """Trading goes on."""
    return lines
