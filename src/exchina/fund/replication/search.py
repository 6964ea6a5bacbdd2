"""Which lines to hold: backward elimination, then exchanges, until no move of one line helps.

Each move is judged by its exact optimum. Moves are tried in the order of their lower bound, and none is left out
whose bound leaves hope: so the line dropped is the one whose removal costs least, and at the end it is proven that no
single move helps. A better choice may still lie several moves away.

Where a rule limits the large issuers together, who may be large is chosen first (the heaviest without the rule, or
those with most room, so many as are best; from the four best such sets the search starts), then by single moves.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from exchina.fund.path import BoolArray, IntArray
from exchina.fund.replication.least_error import Choice, Optimum, Programme, issuer_caps, optimum, outlook
from exchina.fund.replication.room import fullest

GAIN = 1e-12
RELATIVE = 1e-9
WHOLE = 1 - 1e-11
LARGER = 1e-9
STARTS = 4


def reach(programme: Programme, choice: Choice) -> float:
    """The most that ``count`` of the lines held can weigh together.

    The limits are nested (line, issuer, all large issuers), so taking the line that adds most, again and again, is
    best.
    """
    issuers, caps = programme.issuers, issuer_caps(programme, choice.large)
    room = np.where(choice.held, programme.upper, 0.0)
    order = np.lexsort((-room, issuers))
    room, issuers = room[order], issuers[order]
    before = np.concatenate([[0.0], np.cumsum(room)])
    first = np.searchsorted(issuers, issuers)
    most = caps[issuers]
    added = np.minimum(before[1:] - before[first], most) - np.minimum(before[:-1] - before[first], most)
    if programme.large is not None:
        inside = np.sort(added[choice.large[issuers]])[::-1]
        together = np.minimum(np.concatenate([[0.0], np.cumsum(inside)]), programme.large[1])
        added = np.concatenate([added[~choice.large[issuers]], np.diff(together)])
    return float(np.sort(added)[::-1][: programme.count].sum())


def best(programme: Programme) -> Optimum | None:
    """The best choice that elimination and single moves find; None where none meets the limits."""
    starts = [_eliminated(programme, start) for start in _started(programme)]
    found = [one for one in starts if one is not None] or _fullest(programme)
    return min((_moved(programme, one) for one in found), key=lambda one: one.value, default=None)


def _moved(programme: Programme, now: Optimum) -> Optimum:
    """Moved until no single move helps."""
    better: Optimum | None = now
    while better is not None:
        now = _without_idle(programme, better)
        better = _improved(programme, now)
    return now


def _eliminated(programme: Programme, start: Optimum) -> Optimum | None:
    """What backward elimination leaves; None where it ends where no weights meet the limits."""
    now: Optimum | None = start
    while now is not None and now.choice.held.sum() > programme.count:
        now = _dropped(programme, now, np.flatnonzero(now.choice.held))
    return _floored(programme, now) if now is not None and programme.least > 0 else now


def _fullest(programme: Programme) -> list[Optimum]:
    """Where elimination finds nothing: the choice with most room; empty where that has too little, for certain."""
    found = fullest(programme)
    start = None if found is None else optimum(programme, found[1])
    return [] if start is None else [start]


def _started(programme: Programme) -> list[Optimum]:
    """Every line that can be held, with the best few sets of large issuers."""
    held = programme.upper > 0
    choices = [Choice(held, large) for large in _large_sets(programme, held)]
    found = [optimum(programme, choice) for choice in choices if reach(programme, choice) >= WHOLE]
    return sorted((one for one in found if one is not None), key=lambda one: one.value)[:STARTS]


def _large_sets(programme: Programme, held: BoolArray) -> list[BoolArray]:
    count = int(programme.issuers.max()) + 1
    nobody = np.zeros(count, bool)
    if programme.large is None:
        return [nobody]
    free = optimum(replace(programme, large=None), Choice(held, nobody))
    rooms = [programme.upper] if free is None else [free.weights, programme.upper]
    most = min(count, int(programme.large[1] / programme.large[0]) + 1)
    sets = [nobody]
    for room in rooms:
        order = np.argsort(-np.bincount(programme.issuers, room).round(12), kind="stable")
        for size in range(1, most + 1):
            large = nobody.copy()
            large[order[:size]] = True
            sets.append(large)
    return list({one.tobytes(): one for one in sets}.values())


def _dropped(programme: Programme, now: Optimum, lines: IntArray) -> Optimum | None:
    """The best optimum without one of some lines, of those that leave enough room; None where none does."""
    view = outlook(programme, now)
    bounds = dict(zip(view.held.tolist(), view.without.tolist(), strict=True))
    found: Optimum | None = None
    for line in sorted(lines.tolist(), key=lambda one: (bounds[one], one)):
        if found is not None and bounds[line] >= found.value - _gain(found):
            break
        choice = replace(now.choice, held=_changed(now.choice.held, out=line))
        if reach(programme, choice) < WHOLE:
            continue
        idle = now.weights[line] <= 0 and now.below[line] <= 0
        other = replace(now, choice=choice) if idle else optimum(programme, choice)
        if other is not None and (found is None or other.value < found.value - _gain(found)):
            found = other
    return found


def _floored(programme: Programme, now: Optimum) -> Optimum | None:
    """Without lines below the least weight, the one that costs least first; those that stay must reach it."""
    while True:
        small = now.choice.held & (now.weights < programme.least)
        fewer = _dropped(programme, now, np.flatnonzero(small)) if small.any() else None
        if fewer is None:
            return optimum(programme, replace(now.choice, floored=True))
        now = fewer


def _without_idle(programme: Programme, now: Optimum) -> Optimum:
    """Issuers that may be large and are not give up their place: never worse, and others may come in their stead."""
    if programme.large is None:
        return now
    sums = np.bincount(programme.issuers, now.weights, minlength=len(now.choice.large))
    large = now.choice.large & (sums > programme.large[0] + LARGER)
    other = optimum(programme, replace(now.choice, large=large))
    return now if other is None or (large == now.choice.large).all() else other


def _improved(programme: Programme, now: Optimum) -> Optimum | None:
    """The first move that helps, in the order of the bounds; None where none does."""
    hoped = now.value - _gain(now)
    for choice in (*_moves(programme, now, hoped), *_promotions(programme, now)):
        other = optimum(programme, choice)
        if other is not None and other.value < hoped:
            return other
    return None


def _gain(now: Optimum) -> float:
    return GAIN + RELATIVE * now.value


def _moves(programme: Programme, now: Optimum, hoped: float) -> Iterator[Choice]:
    """Lines dropped, added and exchanged, the most hopeful first; none whose bound is not below ``hoped``."""
    moves: list[tuple[float, int, int, bool]] = []
    for promoted in (False, True)[: 1 if programme.large is None else 2]:
        view = outlook(programme, now, promoted=promoted)
        moves += [
            (float(view.exchanged[row, column]), int(view.held[row]), int(view.others[column]), promoted)
            for row, column in np.argwhere(view.exchanged < hoped)
        ]
        if now.choice.held.sum() < programme.count:
            hopeful = np.flatnonzero(view.added < hoped)
            moves += [(float(view.added[row]), -1, int(view.others[row]), promoted) for row in hopeful]
        if not promoted:
            moves += [
                (float(view.without[row]), int(view.held[row]), -1, False)
                for row in np.flatnonzero(view.without < hoped)
            ]
    for _, out, into, promoted in sorted(moves):
        large = _changed(now.choice.large, into=int(programme.issuers[into])) if promoted else now.choice.large
        yield replace(now.choice, held=_changed(now.choice.held, out, into), large=large)


def _promotions(programme: Programme, now: Optimum) -> Iterable[Choice]:
    """One issuer less that may be large, one more, and one for another."""
    if programme.large is None:
        return
    large, present = now.choice.large, np.bincount(programme.issuers[now.choice.held], minlength=len(now.choice.large))
    for out in (-1, *np.flatnonzero(large).tolist()):
        for into in (-1, *np.flatnonzero(~large & (present > 0)).tolist()):
            if out != into:
                yield replace(now.choice, large=_changed(large, out, into))


def _changed(marks: BoolArray, out: int = -1, into: int = -1) -> BoolArray:
    changed = marks.copy()
    if out >= 0:
        changed[out] = False
    if into >= 0:
        changed[into] = True
    return changed
