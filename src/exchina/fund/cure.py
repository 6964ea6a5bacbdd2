"""The smallest trade that brings a fund back inside its limits.

    minimise    sum_i max(w_i - x_i, 0) + max(c - y, 0)                       what is sold = one-way turnover
    subject to  sum x + y = sum w + c,   x, y >= 0
                x_i <= bound_i                                                an issuer, its votes
                x_i <= t_i + (1 - t_i) z_i,  sum_i x_i z_i <= Z               issuers above t_i together (linear in L_i)
                x_i <= h + (H - h) s_i,  sum s <= 1                           one issuer may pass h (20/35)
                sum_themed x >= f

x targets, w weights, c and y cash before and after; z and s are 0 or 1: a mixed-integer linear programme, which HiGHS
solves to proven optimality (gap 0). With z and s so chosen it is solved once more as a linear programme, to rounding.
What is sold is then settled; what it brings is spread over the others in proportion to their weights as far as their
bounds go (`exchina.rules.solving.water`). Issuers that a limit on several together counts are bought only where the
others have no room for all of it, and then get what the programme gives them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from exchina.errors import DataError, InfeasibleError, Problem
from exchina.fund.held import FloatArray, Held
from exchina.fund.limit_program import Found, carried, program, solved
from exchina.fund.limit_tests import Test, beyond, measured
from exchina.rules.solving.water import water_fill

TRADED = 1e-12


@dataclass(frozen=True)
class Cure:
    """A trade, and what it mends.

    Attributes:
        day: the close at which it is done.
        trades: company, weight, target, trade (target - weight), fractions of net assets, for every issuer.
        cash: before.
        cash_target: after.
        turnover: one-way, 0.5 (sum |trade| + |change of cash|); no smaller one meets the tests.
        mended: the tests that were outside before.
    """

    day: date
    trades: pl.DataFrame
    cash: float
    cash_target: float
    turnover: float
    mended: tuple[str, ...]


def cure(held: Held, tests: Sequence[Test], *, row: int = -1, margin: float = 0.0, hold_cash: bool = False) -> Cure:
    """The trade of least one-way turnover after which every test is met at a close.

    Nobody is bought who is not held. An issuer of whose votes it is not known how many are held is not bought where a
    test counts votes. Cash stays, unless a test bounds it. Of several smallest trades the solver's is taken.

    Args:
        held: what the fund holds.
        tests: to be met, as the rules answer them for ``held``.
        row: the session; the last one unless told.
        margin: distance kept to every limit, in the units of the limit; the 5 % above which an issuer is large, too.
        hold_cash: whether what is sold may stay cash.

    Raises:
        InfeasibleError: no weights of the issuers held meet the tests; those that clash are named with the figures.
    """
    if not 0 <= margin < 1:
        raise DataError(Problem("cure.margin", f"found {margin}", "0 or a small fraction, such as 0.005"))
    weights = held.weights[row]
    ask = program(held, tests, row, margin=margin, hold_cash=hold_cash)
    found = solved(ask)
    if found is None:
        raise InfeasibleError(_clash(held, tests, row, margin=margin, hold_cash=hold_cash))
    targets = _spread(weights, found)
    _check(held, tests, row, targets, found.cash)
    trade = np.where(np.abs(targets - weights) > TRADED, targets - weights, 0.0)
    moved = float(np.abs(trade).sum() + abs(found.cash - held.cash[row]))
    return Cure(
        day=held.sessions[row],
        trades=pl.DataFrame({"company": held.companies, "weight": weights, "target": targets, "trade": trade}),
        cash=float(held.cash[row]),
        cash_target=found.cash,
        turnover=moved / 2,
        mended=tuple(f"{test.name} ({test.source})" for test in tests if test.outside[row]),
    )


def _spread(weights: FloatArray, found: Found) -> FloatArray:
    """Share out what is bought in proportion to weight, within the bounds; sales stay as they are."""
    targets = found.weights
    kept = (targets >= weights - TRADED) & (weights > 0)
    total = targets[kept].sum()
    if total - weights[kept].sum() <= TRADED:
        return targets
    free = np.maximum(np.where(found.together, weights, found.upper), weights)
    if free[kept].sum() < total:
        free = np.maximum(np.where(found.together, targets, found.upper), weights)
    spread = targets.copy()
    spread[kept] = water_fill(weights[kept], free[kept], total)[0]
    return spread


def _check(held: Held, tests: Sequence[Test], row: int, targets: FloatArray, cash: float) -> None:
    """The targets meet every test as the rules measure it."""
    after = _after(held, row, targets, cash)
    for test in tests:
        found = measured(after, test.measure, test.limit)[0]
        if beyond(found, test.limit, test.sense)[0]:
            what = f"{test.name} is {found[0]:.12%} after the cure, against {test.limit:.2%}"
            raise InfeasibleError(
                Problem(f"cure on {held.sessions[row]}", what, "ask for a small margin, such as 1e-6")
            )


def _after(held: Held, row: int, targets: FloatArray, cash: float) -> Held:
    """What the fund holds after a trade; votes move with weights."""
    weights = held.weights[row]
    grown = np.divide(targets, weights, out=np.zeros_like(weights), where=weights > 0)
    other = None if held.non_voting is None else (held.non_voting[row] * grown)[None, :]
    return Held(
        held.sessions[row : row + 1 or None],
        held.companies,
        targets[None, :],
        (targets > weights)[None, :],
        (held.votes[row] * grown)[None, :],
        held.in_theme[row],
        np.array([cash]),
        other,
        None if held.forwards is None else held.forwards[row : row + 1 or None],
    )


def _clash(held: Held, tests: Sequence[Test], row: int, *, margin: float, hold_cash: bool) -> Problem:
    """The fewest tests that cannot be met together, and how far they can."""
    clashing = list(tests)
    for test in tests:
        fewer = [one for one in clashing if one is not test]
        if solved(program(held, fewer, row, margin=margin, hold_cash=hold_cash)) is None:
            clashing = fewer
    names = " and ".join(dict.fromkeys(f"{one.name} {one.sense.replace('_', ' ')} {one.limit:.2%}" for one in clashing))
    issuers = int((held.weights[row] > 0).sum())
    most, asked, what = carried(program(held, clashing, row, margin=margin, hold_cash=hold_cash))
    said = f"{names}: {issuers} issuers held can carry {most:.2%} {what}, {asked:.2%} is asked"
    hint = "hold more issuers" + ("" if hold_cash else ", or let what is sold stay cash") + ", or loosen one of them"
    unknown = int((np.isnan(held.votes[row]) & (held.weights[row] > 0)).sum())
    if unknown and any(one.measure.kind == "votes" or one.measure.above_votes is not None for one in clashing):
        hint += f"; of {unknown} issuers the votes held are not known, so none of them is bought: give them"
    return Problem(f"cure on {held.sessions[row]}", said, hint)
