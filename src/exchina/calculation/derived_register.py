"""The register of derived series, what such a series may read, and the steps that several kinds share."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from exchina.errors import DataError, Problem, did_you_mean
from exchina.plugins import Register

derived = Register("derived series", "exchina.calculation.derived")

REBUILD = "calculate the index itself again before deriving from it"


@dataclass(frozen=True)
class Parent:
    """What a derived series may read: n index sessions down, k currencies across; the first row is the base date.

    Attributes:
        sessions: index sessions, ascending (n).
        levels: I, the return variant it is derived from (n); the first is the base value.
        price_levels: the price index (n).
        points: gross dividend points of the price index that go ex on each session (n).
        currency: index currency.
        currencies: listing currencies of the members and all quoted ones, sorted (k).
        weights: w, share of the index held in each currency after each close (n x k), each row sums to 1.
        spot: S, index currency per one unit of each (n x k); NaN where unknown.
        forward: F, the same as a one-month outright (n x k); NaN where unknown.
        cash: yearly money-market rate of each currency as a fraction (n x k); NaN where unknown.

    Raises:
        DataError: a table has the wrong shape, sessions do not ascend, a level is not above zero, a number is missing
            where none may be, or weights do not sum to 1 (within 1e-6).
    """

    sessions: tuple[date, ...]
    levels: NDArray[np.float64]
    price_levels: NDArray[np.float64]
    points: NDArray[np.float64]
    currency: str
    currencies: tuple[str, ...]
    weights: NDArray[np.float64]
    spot: NDArray[np.float64]
    forward: NDArray[np.float64]
    cash: NDArray[np.float64]

    def __post_init__(self) -> None:
        if faults := _misshapen(self) or _unfit(self):
            raise DataError(*faults)


def _misshapen(parent: Parent) -> list[Problem]:
    n, k = len(parent.sessions), len(parent.currencies)
    due = dict.fromkeys(("levels", "price_levels", "points"), (n,))
    due |= dict.fromkeys(("weights", "spot", "forward", "cash"), (n, k))
    found = {name: getattr(parent, name).shape for name in due}
    wrong = [
        Problem(f"{name} of the parent index", f"shape {found[name]}, due is {shape}", "one row a session")
        for name, shape in due.items()
        if found[name] != shape
    ]
    return wrong if n else [Problem("sessions of the parent index", "there is none", REBUILD)]


def _unfit(parent: Parent) -> list[Problem]:
    pairs = zip(parent.sessions, parent.sessions[1:], strict=False)
    faults = [Problem(f"session {b}", f"comes after {a}", "sort the sessions") for a, b in pairs if b <= a]
    sums = parent.weights.sum(axis=1)
    checks = {
        "price index": (parent.price_levels > 0) & np.isfinite(parent.price_levels),
        "level": (parent.levels > 0) & np.isfinite(parent.levels),
        "dividend points": np.isfinite(parent.points),
        "sum of currency weights": np.abs(sums - 1) <= 1e-6,
    }
    columns = dict(zip(checks, (parent.price_levels, parent.levels, parent.points, sums), strict=True))
    for name, good in checks.items():
        rows = np.flatnonzero(~good).tolist()
        faults += [Problem(f"{name} on {parent.sessions[row]}", f"is {columns[name][row]:g}", REBUILD) for row in rows]
    return faults


def days_between(parent: Parent) -> NDArray[np.float64]:
    """Calendar days from each session to the next (n - 1)."""
    return np.diff(np.array([day.toordinal() for day in parent.sessions])).astype(np.float64)


def growth(parent: Parent) -> NDArray[np.float64]:
    """I_t / I_{t-1} of each session after the first (n - 1)."""
    return parent.levels[1:] / parent.levels[:-1]


def compounded(parent: Parent, factors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels from the base value and one factor a session, multiplied in order (n).

    A factor at or below zero means that nothing is left: the level is 0 from that session on, for ever.
    """
    return np.multiply.accumulate(np.concatenate([parent.levels[:1], np.maximum(factors, 0.0)]))


def cash_rate(parent: Parent) -> NDArray[np.float64]:
    """r_{t-1}: the last known money-market rate of the index currency at the session before each (n - 1).

    Raises:
        DataError: none is known on the base date, where the first is needed.
    """
    cure = f"bring {parent.currency} rates in: table `cash_rates` of the market"
    if parent.currency not in parent.currencies:
        raise DataError(Problem(f"cash rate {parent.currency}", "none is known for the index currency", cure))
    rates = parent.cash[:, parent.currencies.index(parent.currency)]
    if np.isnan(rates[0]):
        raise DataError(Problem(f"cash rate {parent.currency} on {parent.sessions[0]}", "none is known by then", cure))
    rows = np.maximum.accumulate(np.where(np.isnan(rates), 0, np.arange(len(rates))))
    return rates[rows][:-1]


def quoted(parent: Parent) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Spot and forward of the parent, with the index currency itself at 1."""
    own = np.array([code == parent.currency for code in parent.currencies])
    return np.where(own, 1.0, parent.spot), np.where(own, 1.0, parent.forward)


def in_currency(parent: Parent, into: str) -> Parent:
    """The same index in another currency: same basket, same weights, same base value.

        I_c,t = base x (I_t / I_0) x (X_0 / X_t),   S'_k = S_k / S_c,   F'_k = F_k / F_c

    Args:
        parent: the index; itself if it is in that currency already.
        into: c; X = S_c is index currency per one unit of it.

    Raises:
        DataError: c is not quoted, or has no spot rate on a session.
    """
    if into == parent.currency:
        return parent
    if into not in parent.currencies:
        raise DataError(Problem(into, "no exchange rate of it is known", did_you_mean(into, parent.currencies)))
    column = parent.currencies.index(into)
    spot, forward = quoted(parent)
    rate = spot[:, column]
    if faults := unknown(parent, "spot", into, np.isnan(rate)):
        raise DataError(*faults)
    ratio = rate[0] / rate
    return replace(
        parent,
        levels=parent.levels[0] * (parent.levels / parent.levels[0]) * ratio,
        price_levels=parent.price_levels[0] * (parent.price_levels / parent.price_levels[0]) * ratio,
        points=parent.points * ratio,
        currency=into,
        spot=spot / rate[:, None],
        forward=forward / forward[:, column, None],
    )


def unknown(parent: Parent, quote: str, currency: str, missing: NDArray[np.bool_]) -> list[Problem]:
    """One problem for the sessions on which a quote is needed and missing, if there is any.

    Args:
        parent: the index.
        quote: ``spot`` or ``forward``.
        currency: whose quote.
        missing: true where it is needed and not known (n).
    """
    rows = np.flatnonzero(missing).tolist()
    if not rows:
        return []
    first, last = parent.sessions[rows[0]], parent.sessions[rows[-1]]
    more = f"; sessions without one: {len(rows)}, the last {last}" if len(rows) > 1 else ""
    table = {"spot": "fx", "forward": "forwards"}[quote]
    cure = f"bring {currency} and {parent.currency} rates in: table `{table}` of the market"
    return [Problem(f"{quote} {currency} on {first}", f"no rate is known{more}", cure)]
