"""The convex problem: the closed form where limits are nested, else the cone solver and its polish."""

from dataclasses import dataclass, replace

import numpy as np

from exchina.errors import ExchinaError, Problem
from exchina.rules.solving.bounds import Weights
from exchina.rules.solving.conic import relaxed
from exchina.rules.solving.limits import Limits, divergence
from exchina.rules.solving.linear import fixed_where_thin
from exchina.rules.solving.polish import polished
from exchina.rules.solving.water import filled, nested

MET = 1e-10


@dataclass(frozen=True)
class Point:
    """Weights that meet every limit; no others have a KL below ``least``."""

    weights: Weights
    distance: float
    least: float
    closed_form: bool

    @property
    def gap(self) -> float:
        """How much nearer another basket could be at most."""
        return max(self.distance - self.least, 0.0)


def nearest(weights: Weights, limits: Limits) -> Point | None:
    """min KL(w | u) with sum w = 1 under convex limits; None where no weights meet them.

    Args:
        weights: u, all > 0; they need not sum to 1.
        limits: of as many members.

    Raises:
        ExchinaError: the solver did not reach weights that meet the limits to 1e-10.
    """
    if nested(limits):
        found = filled(weights, limits)
        return None if found is None else _point(weights, found, None)
    keep = limits.upper > 0
    if not keep.all():
        inner = nearest(weights[keep], limits.on(keep))
        return None if inner is None else _spread(inner, keep)
    near = relaxed(weights, limits)
    best = None if near is None else polished(weights, limits, near)
    if best is None or best.violation > MET:
        fixed = fixed_where_thin(limits)
        again = None if fixed is None else relaxed(weights, fixed)
        if fixed is None or again is None:
            return None
        closer = polished(weights, fixed, again)
        best = replace(closer, least=-np.inf if best is None else best.least)
    if best.violation > MET:
        what = f"the optimum was found only to {best.violation:.1e}"
        raise ExchinaError(Problem("cap", what, "loosen the tightest cap a little: it leaves next to no choice"))
    return _point(weights, best.weights / best.weights.sum(), best.least)


def _point(weights: Weights, found: Weights, least: float | None) -> Point:
    distance = divergence(found, weights)
    return Point(found, distance, distance if least is None else least, least is None)


def _spread(inner: Point, keep: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Point:
    weights = np.zeros(len(keep))
    weights[keep] = inner.weights
    return Point(weights, inner.distance, inner.least, inner.closed_form)
