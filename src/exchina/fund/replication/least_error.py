"""The least tracking error on stated lines: a convex quadratic programme, and a bound on what other lines would bring.

    minimise 1/2 (w - b)' S (w - b)   s.t.  sum w = 1,  l <= w <= u on the lines held, 0 elsewhere,  G w <= h

Clarabel solves it to about 1e-9; with the limits that bind as equalities its optimality conditions are linear, and
their solution is right to rounding.

With the multipliers of one optimum the limits go into the objective, and what is left, sum w = 1 alone, has a closed
form for every exchange of a line (block inverse). By weak duality no optimum after that exchange can be lower.
"""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from exchina.fund.path import BoolArray, FloatArray, IntArray

EXACT = 1e-11
ROUNDS = 40


@dataclass(frozen=True)
class Programme:
    """What is asked, on n lines of some issuers.

    Attributes:
        covariance: (n, n) S, positive definite, of about 1.
        benchmark: (n,) b.
        upper: (n,) the most that a line may weigh; 0: not to be held.
        least: the least that a line held must weigh.
        count: how many lines may be held.
        issuers: (n,) issuer of each line, from 0.
        issuer_at_most: the most that the lines of an issuer may weigh together; 1 for no such limit.
        large: issuers heavier than the first weigh together at most the second; None for no such rule.
    """

    covariance: FloatArray = field(repr=False)
    benchmark: FloatArray
    upper: FloatArray
    least: float
    count: int
    issuers: IntArray
    issuer_at_most: float = 1.0
    large: tuple[float, float] | None = None


@dataclass(frozen=True)
class Choice:
    """What is chosen: lines held (n,), issuers that may be large, and whether the lines held must weigh the least."""

    held: BoolArray
    large: BoolArray
    floored: bool = False


@dataclass(frozen=True)
class Optimum:
    """The optimum of a choice, over its k lines held.

    Attributes:
        choice: the lines held and the large issuers.
        weights: (n,) w.
        value: 1/2 (w - b)' S (w - b).
        level: multiplier of sum w = 1.
        above, below: (n,) multipliers of the upper and of the lower bounds, not negative.
        slope: (n,) S b less what the multipliers of G take off.
        together: the multiplier of the limit on all large issuers.
    """

    choice: Choice
    weights: FloatArray
    value: float
    level: float
    above: FloatArray
    below: FloatArray
    slope: FloatArray
    together: float


@dataclass(frozen=True)
class _Limits:
    """Of a choice: bounds of all lines, the rows of G over all lines, and h."""

    lower: FloatArray
    upper: FloatArray
    rows: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class _Answer:
    """Over the lines held: weights, multiplier of the sum, of the rows, and of the bounds (above zero: the upper)."""

    weights: FloatArray
    level: float
    prices: FloatArray
    bounds: FloatArray


def issuer_caps(programme: Programme, large: BoolArray) -> FloatArray:
    """The most that each issuer may weigh where only some may be large."""
    most = np.full(len(large), programme.issuer_at_most)
    return most if programme.large is None else np.where(large, most, np.minimum(most, programme.large[0]))


def optimum(programme: Programme, choice: Choice) -> Optimum | None:
    """The optimum of a choice, to rounding; None where no weights meet its limits."""
    limits, held = _limits(programme, choice), np.flatnonzero(choice.held)
    if limits.upper[held].sum() < 1 - EXACT or limits.lower[held].sum() > 1 + EXACT:
        return None
    covariance = programme.covariance
    pull = covariance @ programme.benchmark
    inside = _Limits(limits.lower[held], limits.upper[held], limits.rows[:, held], limits.high)
    if (inside.lower > inside.upper + EXACT).any():
        return None
    near = _solved(covariance[np.ix_(held, held)], pull[held], inside)
    if near is None:
        return None
    found = _settled(covariance[np.ix_(held, held)], pull[held], inside, near)
    weights, bounds = np.zeros(len(pull)), np.zeros(len(pull))
    weights[held], bounds[held] = found.weights, found.bounds
    active = weights - programme.benchmark
    value = float(active @ covariance @ active) / 2
    above, below = np.maximum(bounds, 0.0), np.maximum(-bounds, 0.0)
    together = float(found.prices[-1]) if programme.large is not None and choice.large.any() else 0.0
    return Optimum(choice, weights, value, found.level, above, below, pull - limits.rows.T @ found.prices, together)


def _limits(programme: Programme, choice: Choice) -> _Limits:
    issuers, caps = programme.issuers, issuer_caps(programme, choice.large)
    several = np.flatnonzero((np.bincount(issuers[choice.held], minlength=len(caps)) > 1) & (caps < 1))
    rows, high = (issuers == several[:, None]).astype(float), caps[several]
    if programme.large is not None and choice.large.any():
        rows, high = np.vstack([rows, choice.large[issuers].astype(float)]), np.append(high, programme.large[1])
    lower = np.full(len(issuers), programme.least if choice.floored else 0.0)
    return _Limits(lower, np.minimum(programme.upper, caps[issuers]), rows, high)


def _solved(covariance: FloatArray, pull: FloatArray, limits: _Limits) -> _Answer | None:
    """Clarabel's answer; None where it finds that there is none."""
    from scipy import sparse

    clarabel: Any = import_module("clarabel")  # a compiled module without type stubs
    count, rows = len(pull), len(limits.high)
    names = np.eye(count)
    matrix = np.vstack([np.ones((1, count)), limits.rows, names, -names])
    right = np.concatenate([[1.0], limits.high, limits.upper, -limits.lower])
    chosen = clarabel.DefaultSettings()
    chosen.verbose, chosen.max_threads = False, 1
    chosen.tol_gap_abs = chosen.tol_gap_rel = chosen.tol_feas = 1e-10
    cones = [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(len(right) - 1)]
    objective = sparse.csc_matrix(np.triu(covariance))
    found = clarabel.DefaultSolver(objective, -pull, sparse.csc_matrix(matrix), right, cones, chosen).solve()
    if "Infeasible" in str(found.status):
        return None
    prices, weights = np.array(found.z), np.clip(np.array(found.x), limits.lower, limits.upper)
    bounds = prices[1 + rows : 1 + rows + count] - prices[1 + rows + count :]
    return _Answer(weights, float(prices[0]), np.maximum(prices[1 : 1 + rows], 0.0), bounds)


def _settled(covariance: FloatArray, pull: FloatArray, limits: _Limits, near: _Answer) -> _Answer:
    """The limits that bind as equalities: one that is broken joins them, one that pushes the wrong way leaves."""
    top = near.bounds > np.maximum(limits.upper - near.weights, 1e-9)
    bottom = -near.bounds > np.maximum(near.weights - limits.lower, 1e-9)
    tight = near.prices > np.maximum(limits.high - limits.rows @ near.weights, 1e-9)
    seen: set[bytes] = set()
    while (key := b"".join(one.tobytes() for one in (top, bottom, tight))) not in seen and len(seen) < ROUNDS:
        seen.add(key)
        answer = _met(covariance, pull, limits, (top, bottom, tight))
        if answer is None:
            return near
        w, prices, bounds = answer.weights, answer.prices, answer.bounds
        over = limits.rows @ w > limits.high + EXACT
        following = (
            (top & (bounds >= -EXACT)) | (w > limits.upper + EXACT),
            (bottom & (bounds <= EXACT)) | (w < limits.lower - EXACT),
            (tight & (prices >= -EXACT)) | over,
        )
        if all((one == other).all() for one, other in zip(following, (top, bottom, tight), strict=True)):
            return _Answer(np.clip(w, limits.lower, limits.upper), answer.level, np.maximum(prices, 0.0), bounds)
        top, bottom, tight = following
    return near


def _met(
    covariance: FloatArray, pull: FloatArray, limits: _Limits, binding: tuple[BoolArray, BoolArray, BoolArray]
) -> _Answer | None:
    """The optimum where exactly the binding limits hold as equalities; None where they do not determine it."""
    top, bottom, tight = binding
    free = ~(top | bottom)
    fixed = np.where(top, limits.upper, np.where(bottom, limits.lower, 0.0))
    rows = np.vstack([np.ones(len(pull)), limits.rows[tight]])
    size, count = int(free.sum()), len(rows)
    system = np.zeros((size + count, size + count))
    system[:size, :size] = covariance[np.ix_(free, free)]
    system[:size, size:], system[size:, :size] = rows[:, free].T, rows[:, free]
    right = np.append(1.0, limits.high[tight]) - rows @ fixed
    try:
        solution = np.linalg.solve(system, np.concatenate([pull[free] - covariance[free] @ fixed, right]))
    except np.linalg.LinAlgError:
        return None
    weights = fixed.copy()
    weights[free] = solution[:size]
    multipliers, prices = solution[size:], np.zeros(len(limits.high))
    prices[tight] = multipliers[1:]
    bounds = np.where(free, 0.0, pull - covariance @ weights - rows.T @ multipliers)
    return _Answer(weights, float(multipliers[0]), prices, bounds)


@dataclass(frozen=True)
class Outlook:
    """Lower bounds on the optimum after one move: without a line (k,), with one more (m,), with one for another (k, m).

    Attributes:
        held, others: places of the k lines held and of the m that could be.
    """

    held: IntArray
    others: IntArray
    without: FloatArray
    added: FloatArray
    exchanged: FloatArray


def outlook(programme: Programme, now: Optimum, *, promoted: bool = False) -> Outlook:
    """What every move of one line could bring at best; ``promoted`` where the line that comes may be large."""
    limits, covariance = _limits(programme, now.choice), programme.covariance
    large = now.choice.large[programme.issuers]
    most = np.where(~large & promoted, np.minimum(programme.upper, programme.issuer_at_most), limits.upper)
    reachable = (most >= np.maximum(limits.lower, EXACT)) & ~(large & promoted)
    held, others = np.flatnonzero(now.choice.held), np.flatnonzero(~now.choice.held & reachable)
    size = len(held)
    system = np.ones((size + 1, size + 1))
    system[:size, :size], system[size, size] = covariance[np.ix_(held, held)], 0.0
    inverse = np.linalg.inv(system)
    diagonal, weights = np.diag(inverse)[:size], now.weights[held]
    lost = weights / np.maximum(diagonal, 1e-300)
    relief = now.above[held] * limits.upper[held] - now.below[held] * limits.lower[held]
    without = now.value + weights * lost / 2 + relief
    borders = np.vstack([covariance[np.ix_(held, others)], np.ones(len(others))])
    moved = inverse @ borders
    push = borders[:size].T @ weights + now.level - now.slope[others] + now.together * promoted
    stiff = np.diag(covariance)[others] - (borders * moved).sum(axis=0)
    low, high = limits.lower[others], most[others]
    added = now.value + _lowest(push, stiff, low, high)
    pushed = push - lost[:, None] * moved[:size]
    exchanged = without[:, None] + _lowest(pushed, stiff + moved[:size] ** 2 / diagonal[:, None], low, high)
    return Outlook(held, others, without, added, exchanged)


def _lowest(push: FloatArray, stiff: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """min of push t + stiff t^2 / 2 over low <= t <= high."""
    best = np.clip(-push / np.maximum(stiff, 1e-300), low, high)
    return push * best + stiff * best**2 / 2
