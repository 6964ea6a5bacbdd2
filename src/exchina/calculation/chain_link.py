"""One series out of several: segments of history linked where they meet."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from exchina.errors import DataError, Problem

Segment: TypeAlias = tuple[Sequence[date], Sequence[float] | NDArray[np.float64]]


def chain_linked(segments: Sequence[Segment]) -> tuple[tuple[date, ...], NDArray[np.float64]]:
    """Link segments at their common dates; the result stands on the level of the first.

        C_t = C_k x (L_t / L_k) for t after k, L the later segment, k the first date that both have

    The later segment takes over at the first common date: what the earlier one says after it is left out, so that
    extending an old segment changes nothing. At k itself the earlier one speaks.

    Args:
        segments: sessions (ascending) and levels (above zero, one a session) of each segment, oldest first.

    Returns:
        The sessions and their levels.

    Raises:
        DataError: there is no segment, one is empty or faulty, or two neighbours share no date.

    Example:
        >>> new_year, epiphany, spring = date(2026, 1, 1), date(2026, 1, 6), date(2026, 3, 20)
        >>> chain_linked([((new_year, epiphany), (100.0, 103.0)), ((epiphany, spring), (250.0, 255.0))])[1].tolist()
        [100.0, 103.0, 105.06]
    """
    if faults := _faults(segments):
        raise DataError(*faults)
    chained, apart = _by_day(segments[0]), list[Problem]()
    for place, segment in enumerate(segments[1:], start=2):
        later = _by_day(segment)
        link = next((day for day in later if day in chained), None)
        if link is None:
            cure = "extend one of them to a date that both have"
            apart.append(Problem(f"segments {place - 1} and {place}", "share no date", cure))
            chained = later
            continue
        kept = {day: level for day, level in chained.items() if day <= link}
        chained = kept | {day: kept[link] * (level / later[link]) for day, level in later.items() if day > link}
    if apart:
        raise DataError(*apart)
    return tuple(chained), np.array(list(chained.values()))


def _by_day(segment: Segment) -> dict[date, float]:
    return dict(zip(segment[0], np.asarray(segment[1], dtype=np.float64).tolist(), strict=True))


def _faults(segments: Sequence[Segment]) -> list[Problem]:
    found = [] if segments else [Problem("segments", "there is none", "give at least one")]
    for place, (sessions, given) in enumerate(segments, start=1):
        where, levels = f"segment {place}", np.asarray(given, dtype=np.float64)
        if not sessions or levels.shape != (len(sessions),):
            found.append(Problem(where, f"{len(sessions)} sessions, {levels.size} levels", "give one level a session"))
            continue
        found += [Problem(where, f"{b} comes after {a}", "sort it") for a, b in pairwise(sessions) if b <= a]
        found += [
            Problem(where, f"level {level:g} on {day}", "levels are above zero; correct the source")
            for day, level in zip(sessions, levels.tolist(), strict=True)
            if not 0 < level < float("inf")
        ]
    return found
