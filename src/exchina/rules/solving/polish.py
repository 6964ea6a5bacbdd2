"""From an answer to about 1e-8 to one to rounding: the limits that bind are met as equalities, by Newton's method.

With the binding limits as equalities B w = d the optimum is w = u exp(B' y), and y solves B w(y) = d. A limit that
turns out violated joins the binding ones, one whose multiplier has the wrong sign leaves them, until none does.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from exchina.rules.solving.bounds import Weights
from exchina.rules.solving.conic import Linear, Matrix, Relaxed, linear, proven
from exchina.rules.solving.limits import Excess, Limits

CLOSE = 1e-13
ROUNDS = 60
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Heaviest:
    """Of a limit on the k heaviest units: which are surely among them, and which are level with the last of them."""

    above: Mask
    level: Mask

    @property
    def binding(self) -> bool:
        """Whether the limit binds at all."""
        return bool(self.above.any() or self.level.any())


@dataclass(frozen=True)
class _Binding:
    lines: Mask
    heaviest: tuple[Heaviest, ...]

    @property
    def key(self) -> bytes:
        """Equal where the same limits bind."""
        return b"".join([self.lines.tobytes(), *(one.above.tobytes() + one.level.tobytes() for one in self.heaviest)])


@dataclass(frozen=True)
class Polished:
    """Weights, by how much they break a limit at worst, and a proven lower bound on the optimum."""

    weights: Weights
    violation: float
    least: float


def polished(weights: Weights, limits: Limits, near: Relaxed) -> Polished:
    """The optimum to rounding, from a relaxed answer; the best that was seen where the binding limits do not settle."""
    lines = linear(limits)
    binding = _first(lines, near)
    best = Polished(near.weights, _violation(near.weights, lines, limits), near.least)
    values = near.weights
    seen: set[bytes] = set()
    for _ in range(ROUNDS):
        values, prices, parts = _met(weights, limits, lines, binding, values)
        least = max(near.least, proven(weights, limits, lines, *_signed(lines, prices, parts)))
        violation = _violation(values, lines, limits)
        if (round(violation, 12), -least) < (round(best.violation, 12), -best.least):
            best = Polished(values, violation, least)
        following = _next(limits, lines, binding, values, (prices, parts))
        if following.key in seen:
            break
        seen.add(following.key)
        binding = following
    return best


def _first(lines: Linear, near: Relaxed) -> _Binding:
    slack = lines.limit - lines.matrix @ near.weights
    tight = lines.equal | (near.multipliers > np.maximum(slack, 1e-9))
    return _Binding(tight, tuple(_heaviest(share) for share in near.shares))


def _heaviest(share: tuple[float, Weights]) -> Heaviest:
    whole, parts = share
    if whole < 1e-7:
        return Heaviest(np.zeros(len(parts), bool), np.zeros(len(parts), bool))
    relative = parts / whole
    above = relative > 1 - 1e-4
    level = (relative > 1e-4) & ~above
    return Heaviest(above, level)


def _rows(limits: Limits, lines: Linear, binding: _Binding) -> tuple[Matrix, Weights]:
    """The equalities: the sum, the binding lines, then those of each limit on the heaviest."""
    rows = [np.ones((1, lines.matrix.shape[1])), lines.matrix[binding.lines]]
    right = [np.ones(1), lines.limit[binding.lines]]
    for one, heaviest in zip(limits.excesses, binding.heaviest, strict=True):
        if not heaviest.binding:
            continue
        units = one.units.astype(float)
        first, left = units[heaviest.level], one.count - int(heaviest.above.sum())
        together = units[heaviest.above].sum(axis=0) + (left * first[0] if len(first) else 0.0)
        rows += [together[None, :], first[1:] - first[:1]]
        right += [np.array([one.at_most]), np.zeros(max(len(first) - 1, 0))]
    return np.vstack(rows), np.concatenate(right)


def _met(
    weights: Weights, limits: Limits, lines: Linear, binding: _Binding, start: Weights
) -> tuple[Weights, Weights, tuple[Weights, ...]]:
    """w = u exp(B' y) with B w = d; the multiplier of each line, and of each unit of the excesses."""
    rows, right = _rows(limits, lines, binding)
    logs = np.log(weights)
    y = np.linalg.lstsq(rows.T, np.log(np.maximum(start, 1e-12)) - logs, rcond=None)[0]
    missed, found = np.inf, start
    for _ in range(80):
        found = np.exp(np.minimum(logs + rows.T @ y, 1.0))
        miss = right - rows @ found
        if np.abs(miss).max() < 1e-16 or (missed < CLOSE and np.abs(miss).max() >= missed):
            break
        missed = np.abs(miss).max()
        step = np.linalg.lstsq((rows * found) @ rows.T, miss, rcond=1e-14)[0]
        y = y + step * min(1.0, 2.0 / max(np.abs(rows.T @ step).max(), 1e-300))
    prices = np.zeros(len(lines.limit))
    count = int(binding.lines.sum())
    prices[binding.lines] = -y[1 : count + 1]
    parts, place = [], count + 1
    for one, heaviest in zip(limits.excesses, binding.heaviest, strict=True):
        shares = np.zeros(len(one.units))
        if heaviest.binding:
            whole, ties = -y[place], int(heaviest.level.sum())
            others = -y[place + 1 : place + max(ties, 1)]
            shares[heaviest.above] = whole
            if ties:
                left = one.count - int(heaviest.above.sum())
                shares[heaviest.level] = np.concatenate([[left * whole - others.sum()], others])
            place += max(ties, 1)
        parts.append(shares)
    return found, prices, tuple(parts)


def _signed(
    lines: Linear, prices: Weights, parts: tuple[Weights, ...]
) -> tuple[Weights, tuple[tuple[float, Weights], ...]]:
    shares = tuple((0.0, np.maximum(part, 0.0)) for part in parts)
    return np.where(lines.equal, prices, np.maximum(prices, 0.0)), shares


def _violation(values: Weights, lines: Linear, limits: Limits) -> float:
    over = lines.matrix @ values - lines.limit
    worst = np.abs(np.where(lines.equal, over, np.maximum(over, 0.0))).max(initial=abs(values.sum() - 1))
    for one in limits.excesses:
        sums = np.sort(one.units @ values)[::-1]
        worst = max(worst, sums[: one.count].sum() - one.at_most)
    return float(worst)


def _next(
    limits: Limits, lines: Linear, binding: _Binding, values: Weights, multipliers: tuple[Weights, tuple[Weights, ...]]
) -> _Binding:
    """Violated limits join, those that push the wrong way leave."""
    prices, parts = multipliers
    over = lines.matrix @ values - lines.limit
    held = (binding.lines & (lines.equal | (prices >= -1e-12))) | (over > CLOSE)
    heaviest = tuple(
        _moved(one, now, one.units @ values, part)
        for one, now, part in zip(limits.excesses, binding.heaviest, parts, strict=True)
    )
    return replace(binding, lines=held, heaviest=heaviest)


def _moved(one: Excess, now: Heaviest, sums: Weights, parts: Weights) -> Heaviest:
    nothing = np.zeros(len(sums), bool)
    if not now.binding:
        order = np.argsort(-sums, kind="stable")
        if sums[order[: one.count]].sum() <= one.at_most + CLOSE:
            return now
        above = nothing.copy()
        above[order[: one.count]] = True
        return Heaviest(above, nothing)
    left = one.count - int(now.above.sum())
    whole = parts[now.above].max(initial=0.0) if now.above.any() else parts[now.level].sum() / max(left, 1)
    if whole < -1e-12:
        return Heaviest(nothing, nothing)
    edge = sums[now.level].max(initial=-np.inf) if now.level.any() else np.sort(sums)[::-1][one.count - 1]
    above = (now.above & (sums >= edge - CLOSE)) | (now.level & (parts > whole + 1e-12))
    level = (now.level & (parts >= -1e-12)) | (now.above & (sums < edge - CLOSE)) | (~now.above & (sums > edge + CLOSE))
    level &= ~above
    if not level.any() and above.sum() != one.count:
        return Heaviest(nothing, nothing)
    return Heaviest(above, level)
