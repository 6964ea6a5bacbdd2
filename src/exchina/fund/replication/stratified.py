"""Stratified sampling: the largest lines of each cell of stage, country and size, each cell at its index weight."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import Field

from exchina.errors import DataError, Problem
from exchina.fund.candidates import Candidates
from exchina.fund.path import FloatArray, IntArray
from exchina.fund.registers import replication

By: TypeAlias = Literal["stage", "country", "size"]
EVEN = 1e-12


def _once(*, by: tuple[By, ...], **_: object) -> str | None:
    return "by names a criterion twice" if len(set(by)) < len(by) else None


@replication("stratified", check=_once)
def stratified(
    candidates: Candidates,
    *,
    count: Annotated[int, Field(ge=1)],
    by: Annotated[tuple[By, ...], Field(min_length=1)] = ("stage", "country", "size"),
) -> FloatArray:
    """Hold the largest lines of each stratum, with the weight that the whole stratum has in the index.

    w_i = W_s b_i / (sum of b over the lines chosen in s), W_s the sum of b over all lines of stratum s. No risk model:
    what drives returns is taken to be what ``by`` names.

    1. A stratum is a cell of ``by``; lines without weight are in none. Size is large from the median free-float value
       on, else small.
    2. While there are more strata than ``count``, the lightest one joins the stratum most like it: the one that shares
       the first criterion in ``by`` before one that shares only a later one; among equals the lightest, then by name.
       Both go by the name of the heavier from then on.
    3. Each stratum gets the whole part of count x W_s, at least one; what is left goes by the largest remainder, what
       is too much (of the one each) is taken where most is over. No stratum gets more than it has.
    4. Its largest lines by b are held. Ties go by symbol.

    Args:
        candidates: the lines of the index; reads symbols, stages, countries, weights and size_usd.
        count: how many lines are held; all of the index where it has fewer.
        by: what makes a stratum, the most important first.

    Returns:
        (n,) w.

    Raises:
        DataError: by size, and a line of unknown free-float value.

    Example:
        >>> b, nothing = np.array([0.4, 0.2, 0.3, 0.1]), np.full(4, np.nan)
        >>> lines = Candidates(
        ...     tuple("ABCD"), tuple("abcd"), ("producer", "producer", "magnet_maker", "magnet_maker"), ("AU",) * 4,
        ...     b, nothing, nothing, nothing, np.ones(4), np.zeros(4, int), np.zeros((0, 4)),
        ... )
        >>> stratified(lines, count=2, by=("stage",)).round(12).tolist()
        [0.6, 0.0, 0.4, 0.0]
    """
    b = candidates.weights
    if count >= np.count_nonzero(b):
        return b.copy()
    strata = _merged(_cells(candidates, by), b, count)
    totals = np.array([b[members].sum() for members in strata])
    seats = _seats(totals, np.array([len(members) for members in strata]), count)
    weights = np.zeros(len(b))
    for members, total, held in zip(strata, totals, seats, strict=True):
        chosen = members[np.argsort(-b[members], kind="stable")[:held]]
        weights[chosen] = total * b[chosen] / b[chosen].sum()
    return weights


def _cells(candidates: Candidates, by: Sequence[By]) -> dict[tuple[str, ...], IntArray]:
    """The lines of each cell, by its labels."""
    columns = {"stage": candidates.stages, "country": candidates.countries}
    if "size" in by:
        columns["size"] = _sizes(candidates)
    labels = list(zip(*(columns[criterion] for criterion in by), strict=True))
    some = [line for line in range(len(labels)) if candidates.weights[line] > 0]
    return {cell: np.array([i for i in some if labels[i] == cell]) for cell in sorted({labels[i] for i in some})}


def _sizes(candidates: Candidates) -> tuple[str, ...]:
    size = candidates.size_usd
    unknown = [candidates.symbols[line] for line in np.flatnonzero(np.isnan(size))]
    if unknown:
        hint = 'give it, or leave "size" out of by'
        raise DataError(*(Problem(f"size_usd of {symbol}", "free-float value unknown", hint) for symbol in unknown))
    return tuple(np.where(size >= np.median(size), "large", "small").tolist())


def _merged(cells: dict[tuple[str, ...], IntArray], b: FloatArray, count: int) -> list[IntArray]:
    """At most ``count`` strata, by their labels."""
    strata = dict(cells)
    weight = {cell: float(b[members].sum()) for cell, members in strata.items()}
    while len(strata) > count:
        lightest = min(strata, key=lambda cell: (weight[cell], cell))
        others = (cell for cell in strata if cell != lightest)
        like = min(others, key=lambda cell: (_differences(cell, lightest), weight[cell], cell))
        heavier = max(lightest, like, key=lambda cell: weight[cell])
        both = np.sort(np.concatenate([strata.pop(lightest), strata.pop(like)]))
        strata[heavier], weight[heavier] = both, float(b[both].sum())
    return [strata[cell] for cell in sorted(strata)]


def _differences(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[bool, ...]:
    return tuple(mine != theirs for mine, theirs in zip(one, other, strict=True))


def _seats(totals: FloatArray, sizes: IntArray, count: int) -> IntArray:
    """How many lines each stratum gets, sum ``count``; see `stratified`."""
    quotas = count * totals / totals.sum()
    seats = np.clip(np.floor(quotas + EVEN).astype(np.int64), 1, sizes)
    while seats.sum() < count:
        seats[np.argmax(np.where(seats < sizes, quotas - seats, -np.inf).round(12))] += 1
    while seats.sum() > count:
        seats[np.argmin(np.where(seats > 1, quotas - seats, np.inf).round(12))] -= 1
    return seats
