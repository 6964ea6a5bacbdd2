"""What a fund holds over time, by issuer: what the limits on a fund are asked of."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from exchina.errors import DataError, Problem

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
ROUNDING = 1e-6


@dataclass(frozen=True)
class Held:
    """T sessions down, n issuers across; all lines of an issuer together, as the laws count them.

    Attributes:
        sessions: ascending; the first is taken to be the first of the fund.
        companies: the issuers.
        weights: (T, n) after the trades of each close, fractions of net assets, >= 0, no NaN.
        bought: (T, n) whether the fund bought the issuer at that close. A slice that comes in kind in proportion to
            what is held moves no weight and need not count as a purchase.
        votes: (T, n) share of the issuer's voting stock held; NaN where unknown.
        themed: (n,) or (T, n) whether the issuer counts as what the name of the fund says.
        cash: (T,) cash and receivables less what is owed, fractions of net assets; below zero what is overdrawn.
        non_voting: (T, n) share of the issuer's stock without votes held, NaN where unknown; None: the fund holds no
            such stock.
        forwards: (T,) value of open currency forwards, fractions of net assets; None: it has none.

    Raises:
        DataError: shapes that do not agree, sessions out of order, NaN or weights below zero (with the first day), or
            weights, cash and forwards that add up to less than net assets: something held is missing.
    """

    sessions: tuple[date, ...]
    companies: tuple[str, ...]
    weights: FloatArray
    bought: BoolArray
    votes: FloatArray
    themed: BoolArray
    cash: FloatArray
    non_voting: FloatArray | None = None
    forwards: FloatArray | None = None

    def __post_init__(self) -> None:
        faults = _misshapen(self) or _unsound(self)
        if faults:
            raise DataError(*faults)

    @property
    def assets(self) -> FloatArray:
        """(T,) total assets, fractions of net assets: what is held, forwards that have gained and cash that is not
        overdrawn; 1 without debts."""
        return np.ascontiguousarray(self.weights).sum(axis=1) + np.maximum(self.cash, 0.0) + self.gains

    @property
    def gains(self) -> FloatArray:
        """(T,) what forwards that have gained are worth: an asset, and neither cash nor an issuer."""
        return np.zeros(len(self.cash)) if self.forwards is None else np.maximum(self.forwards, 0.0)

    @property
    def in_theme(self) -> BoolArray:
        """(T, n) `themed` of each session."""
        return np.broadcast_to(self.themed, self.weights.shape)


def held_of_index(
    sessions: tuple[date, ...],
    companies: tuple[str, ...],
    weights: FloatArray,
    *,
    reviewed: BoolArray,
    themed: BoolArray,
) -> Held:
    """An index as if it were a fund without votes or cash, which buys every member at each review.

    Args:
        sessions: T, ascending.
        companies: n issuers.
        weights: (T, n) at each close, after the review that takes effect there.
        reviewed: (T,) closes at which a review takes effect; the first session should be one.
        themed: (n,) or (T, n), as in `Held`.
    """
    return Held(
        sessions,
        companies,
        weights,
        bought=np.asarray(reviewed)[:, None] & (weights > 0),
        votes=np.zeros(weights.shape),
        themed=themed,
        cash=np.zeros(len(sessions)),
    )


def held_on(
    day: date,
    weights: Mapping[str, float],
    *,
    cash: float = 0.0,
    votes: Mapping[str, float] | None = None,
    themed: Collection[str] | None = None,
) -> Held:
    """What a fund holds on one day, as if all of it had just been bought.

    Args:
        day: the session.
        weights: of net assets, by issuer.
        cash: cash and receivables, of net assets.
        votes: share of the voting stock held; of issuers that are not named it is unknown; None: no votes are held.
        themed: issuers that count as what the name of the fund says; None: all.

    Example:
        >>> held_on(date(2025, 12, 31), {"lynas": 0.5, "mp": 0.25}, cash=0.25).assets.tolist()
        [1.0]
    """
    names = tuple(weights)
    stock = [0.0 if votes is None else votes.get(name, np.nan) for name in names]
    return Held(
        (day,),
        names,
        np.array([list(weights.values())], float),
        bought=np.ones((1, len(names)), bool),
        votes=np.array([stock], float),
        themed=np.array([themed is None or name in themed for name in names], bool),
        cash=np.array([cash], float),
    )


def _misshapen(held: Held) -> list[Problem]:
    full = (len(held.sessions), len(held.companies))
    asked = {"weights": [full], "bought": [full], "votes": [full], "themed": [full[1:], full], "cash": [full[:1]]}
    found = {name: np.shape(getattr(held, name)) for name in asked}
    if held.non_voting is not None:
        asked["non_voting"], found["non_voting"] = [full], held.non_voting.shape
    if held.forwards is not None:
        asked["forwards"], found["forwards"] = [full[:1]], held.forwards.shape
    faults = [
        Problem(f"held.{name}", f"has shape {found[name]}", f"give {' or '.join(str(shape) for shape in shapes)}")
        for name, shapes in asked.items()
        if found[name] not in shapes
    ]
    if not held.sessions:
        faults.append(Problem("held.sessions", "there is none", "give at least one session"))
    if len(set(held.companies)) < len(held.companies):
        faults.append(Problem("held.companies", "an issuer stands twice", "add its lines together"))
    return faults


def _unsound(held: Held) -> list[Problem]:
    days = held.sessions
    bad = ~(held.weights >= 0) | ~np.isfinite(held.weights)
    faults = list[Problem]()
    if any(later <= earlier for earlier, later in pairwise(days)):
        faults.append(Problem("held.sessions", "not in ascending order", "sort the sessions, each once"))
    if bad.any():
        row, place = np.argwhere(bad)[0]
        what = f"{held.companies[place]} weighs {held.weights[row, place]}"
        faults.append(Problem(f"held.weights on {days[row]}", what, "give a number of zero or more"))
    money = {"cash": held.cash} | ({} if held.forwards is None else {"forwards": held.forwards})
    for name, share in money.items():
        if not np.isfinite(share).all():
            row = int(np.argmin(np.isfinite(share)))
            faults.append(Problem(f"held.{name} on {days[row]}", f"found {share[row]}", "give a number"))
    share = held.votes if held.non_voting is None else np.stack([held.votes, held.non_voting])
    if (share < 0).any() or (share > 1).any():
        faults.append(Problem("held.votes", "a share of a company outside 0 to 1", "give fractions of its stock"))
    together = held.weights.sum(axis=1) + sum(money.values())
    if not faults and (together < 1 - ROUNDING).any():
        row = int(np.argmax(together < 1 - ROUNDING))
        what = f"weights, cash and forwards are {together[row]:.4%} of net assets"
        cure = "what is missing must stand in weights, in cash or in forwards"
        faults.append(Problem(f"held on {days[row]}", what, cure))
    return faults
