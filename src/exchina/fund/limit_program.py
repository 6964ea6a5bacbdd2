"""The tests on a fund at one close as a mixed-integer linear programme; `exchina.fund.cure` has it in formulas.

Columns: x (n) targets, y cash, what is sold (n) and of cash; then of each test on large issuers z (n) and L (n) = x z,
of each test on the second largest s (n). In basis points, so that the tolerances of the solver are below 1e-10.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from exchina.errors import ExchinaError, Problem
from exchina.fund.held import BoolArray, FloatArray, Held
from exchina.fund.limit_tests import Test

SCALE = 1e4
INFEASIBLE = 2
CLOSE = 1e-9


@dataclass
class Program:
    """A programme in fractions of net assets; `program` makes it.

    Attributes:
        weights: (n,) before.
        cash: before, least and most after.
        upper: (n,) bounds that hold for whatever is large.
        blocks: of each test with a choice: (n,) what an issuer may weigh if it is not chosen, the most that those
            chosen may weigh together (None: one may be chosen, whatever it weighs).
        floors: the issuers that must weigh so much together.
    """

    weights: FloatArray
    cash: tuple[float, float, float]
    upper: FloatArray
    blocks: list[tuple[FloatArray, float | None]] = field(default_factory=list)
    floors: list[tuple[BoolArray, float]] = field(default_factory=list)

    @property
    def total(self) -> float:
        """What is to be held, cash included."""
        return float(self.weights.sum()) + self.cash[0]


@dataclass(frozen=True)
class Found:
    """An optimum.

    Attributes:
        weights: x.
        cash: y.
        upper: (n,) the most of each issuer under the choices made.
        together: (n,) issuers that a limit on several counts.
    """

    weights: FloatArray
    cash: float
    upper: FloatArray
    together: BoolArray


def program(held: Held, tests: Sequence[Test], row: int, *, margin: float, hold_cash: bool) -> Program:
    """What the tests ask of the weights at one close; arguments as of `exchina.fund.cure.cure`."""
    weights, cash = held.weights[row], float(held.cash[row])
    most = min([test.limit - margin for test in tests if test.measure.kind == "cash"], default=np.inf)
    least = min(cash, max(most, 0.0))
    total = float(weights.sum()) + cash
    bounds = (cash, least, max(min(most, total), least) if hold_cash and cash >= 0 else least)
    ask = Program(weights, bounds, np.where(weights > 0, total, 0.0))
    for test in tests:
        _add(ask, held, test, row, margin)
    return ask


def _add(ask: Program, held: Held, test: Test, row: int, margin: float) -> None:
    """Add what one test asks."""
    measure, weights = test.measure, ask.weights
    assets = float(held.assets[row]) if measure.of == "total" else 1.0
    inside = (test.limit + margin if test.sense == "at_least" else max(test.limit - margin, 0.0)) * assets
    if measure.kind == "largest":
        ask.upper = np.minimum(ask.upper, inside)
    elif measure.kind == "second":
        ask.blocks.append((np.full(len(weights), inside), None))
    elif measure.kind == "themed":
        ask.floors.append((held.in_theme[row], inside))
    elif measure.kind in ("large", "rest"):
        line = np.full(len(weights), max(measure.above - margin, 0.0) * assets)
        if measure.above_votes is not None:
            by_votes = _by_stock(held.votes[row], weights, measure.above_votes - margin)
            ask.upper = np.where(np.isnan(by_votes), np.minimum(ask.upper, weights), ask.upper)
            line = np.fmin(line, by_votes)
        most = inside if measure.kind == "large" else assets - float(held.gains[row]) - inside
        ask.blocks.append((line, most))
    elif measure.kind in ("votes", "non_voting"):
        share = held.votes if measure.kind == "votes" else held.non_voting
        if share is not None:
            by_stock = _by_stock(share[row], weights, test.limit - margin)
            ask.upper = np.minimum(ask.upper, np.where(np.isnan(by_stock), weights, by_stock))


def _by_stock(share: FloatArray, weights: FloatArray, limit: float) -> FloatArray:
    """(n,) the weight at which the fund would hold so much of an issuer's stock; NaN where it is not known."""
    per_share = np.divide(weights, share, out=np.full(len(weights), np.inf), where=share != 0)
    return np.where((share > 0) | np.isnan(share), max(limit, 0.0) * per_share, np.inf)


def solved(ask: Program) -> Found | None:
    """The least that has to be sold; None if nothing meets the tests."""
    count = len(ask.weights)
    cost = np.zeros(2 * count + 2)
    cost[count + 1 :] = 1.0
    first = _solve(ask, cost, whole=True)
    if first is None:
        return None
    picked = first[1].reshape(len(ask.blocks), count) > 0.5
    chosen = [one & (first[0][:count] > line + CLOSE) for one, (line, _) in zip(picked, ask.blocks, strict=True)]
    again = _solve(ask, cost, whole=True, chosen=chosen)
    if again is None:
        return None
    upper, together = ask.upper.copy(), np.zeros(count, bool)
    for (line, most), large in zip(ask.blocks, chosen, strict=True):
        upper = np.where(large, upper, np.minimum(upper, line))
        together |= large & (most is not None)
    for counted, _ in ask.floors:
        together |= ~counted
    values = again[0]
    return Found(np.clip(values[:count], 0.0, upper), float(values[count]), upper, together)


def carried(ask: Program) -> tuple[float, float, str]:
    """How much the issuers can carry, how much is asked, and of what: the theme where it falls short, else all."""
    count = len(ask.weights)
    free = Program(ask.weights, ask.cash, ask.upper, ask.blocks)
    for counted, least in ask.floors:
        most = _solve(free, -np.concatenate([counted.astype(float), np.zeros(count + 2)]), whole=False)
        reached = float(most[0][:count][counted].sum()) if most else 0.0
        if reached < least:
            return reached, least, "in the theme"
    most = _solve(free, -np.concatenate([np.ones(count), np.zeros(count + 2)]), whole=False)
    return float(most[0][:count].sum()) if most else 0.0, ask.total - ask.cash[2], "of net assets"


def _solve(
    ask: Program, cost: FloatArray, *, whole: bool, chosen: Sequence[BoolArray] | None = None
) -> tuple[FloatArray, FloatArray] | None:
    """x, y and what is sold, and the choices of every block; None where there is no solution.

    Args:
        ask: the programme.
        cost: (2n + 2,) of the columns x, y, sold.
        whole: whether all must be held; else at most all.
        chosen: the choices of each block, if they are settled.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    count, blocks = len(ask.weights), len(ask.blocks)
    width = 2 * count + 2 + 2 * count * blocks
    lower, upper = np.zeros(width), np.full(width, np.inf)
    upper[:count] = ask.upper
    lower[count], upper[count] = ask.cash[1:]
    choices = slice(2 * count + 2, 2 * count + 2 + count * blocks)
    upper[choices] = 1.0
    if chosen is not None and blocks:
        lower[choices] = upper[choices] = np.concatenate(chosen).astype(float)
    matrix, low, high = _rows(ask, width, whole=whole)
    integral = np.zeros(width)
    integral[choices] = 0 if chosen is not None else 1
    money = np.ones(width)
    money[choices] = 1 / SCALE
    found = milp(
        np.concatenate([cost, np.zeros(width - len(cost))]),
        integrality=integral,
        bounds=Bounds(lower * SCALE * money, upper * SCALE * money),  # pyright: ignore[reportArgumentType]
        constraints=LinearConstraint(matrix / money, low * SCALE, high * SCALE),  # pyright: ignore[reportArgumentType]
        options={"mip_rel_gap": 0.0},
    )
    if found.status == INFEASIBLE:
        return None
    if found.x is None or found.status:
        raise ExchinaError(
            Problem("cure", f"the solver stopped: {found.message}", "give fewer tests, or a larger margin")
        )
    values = found.x / SCALE
    return values[: 2 * count + 2], found.x[choices]


def _rows(ask: Program, width: int, *, whole: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The constraints low <= A v <= high over all columns."""
    count, blocks = len(ask.weights), len(ask.blocks)
    eye, sold = np.eye(count), count + 1
    parts = [np.zeros((1, width)), np.zeros((count + 1, width)), np.zeros((len(ask.floors), width))]
    parts[0][0, : count + 1] = 1.0
    parts[1][:, : count + 1] = parts[1][:, sold : sold + count + 1] = np.eye(count + 1)
    for row, (counted, _) in enumerate(ask.floors):
        parts[2][row, :count] = counted
    low = [np.array([ask.total if whole else -np.inf]), np.append(ask.weights, ask.cash[0])]
    low.append(np.array([least for _, least in ask.floors]))
    high = [np.array([ask.total]), np.full(count + 1, np.inf), np.full(len(ask.floors), np.inf)]
    for place, (line, most) in enumerate(ask.blocks):
        first = 2 * count + 2 + place * count
        own, product = slice(first, first + count), slice(first + blocks * count, first + blocks * count + count)
        over, joint, together = np.zeros((count, width)), np.zeros((count, width)), np.zeros((1, width))
        over[:, :count], over[:, own] = eye, -np.diag(np.maximum(ask.upper - line, 0.0))
        joint[:, :count], joint[:, own], joint[:, product] = -eye, -np.diag(line), eye
        together[0, own if most is None else product] = 1.0 / SCALE if most is None else 1.0
        parts += [over, joint, together]
        low += [np.full(count, -np.inf), -line, np.array([-np.inf])]
        high += [line, np.full(count, np.inf), np.array([1.0 / SCALE if most is None else most])]
    return np.vstack(parts), np.concatenate(low), np.concatenate(high)
