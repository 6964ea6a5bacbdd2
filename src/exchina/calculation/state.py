"""The nouns of the calculator: what a review sets, what the next session needs, what happened, what was computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from exchina.calculation.board import Days, Numbers
from exchina.calculation.lines import Event, Lines


@dataclass(frozen=True, slots=True)
class Reset:
    """What a review sets after the close of a session: weights that are to hold there, or index shares.

    ``weights`` (sum 1) give q_i = w_i MV / (P_i X_i); ``shares`` are taken as they are, and with them the ``children``
    that still wait for their first close.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    children: Mapping[str, Event] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """What a review has decided: its data cut-off, the session after whose close it takes effect, and what it sets.

    ``reset`` holds weights, or index shares on the terms of the cut-off.
    """

    cutoff: date
    effective: date
    reset: Reset


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the next session needs, unrounded: the index after the close of ``session``.

    Attributes:
        session: the last session computed; a review effective after it and the events of the next are still to come.
        shares: index shares in force on it.
        divisor: in force on it.
        levels: by return variant; which are there decides which are computed, ``PR`` always is.
        closes: reference price of each line and the day of the close behind it (days since 1970-01-01).
        children: spun-off lines that wait for their first close, by symbol: the event.
    """

    session: date
    shares: Mapping[str, float]
    divisor: float
    levels: Mapping[str, float]
    closes: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    children: Mapping[str, Event] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the divisor log: everything that happened between two sessions.

    Attributes:
        session: first session on the new terms, or the day after the last one computed.
        causes: ``review`` and the ids of the events, in the order in which they were applied.
        before: lines at the close before.
        after: lines at adjusted prices.
        divisor_before: D.
        divisor_after: D'.
        gross_points: special cash that the price index has not made good, in index points.
        net_points: the same after tax; below zero where tax is due on what it has made good.
    """

    session: date
    causes: tuple[str, ...]
    before: Lines
    after: Lines
    divisor_before: float
    divisor_after: float
    gross_points: float
    net_points: float


@dataclass(frozen=True)
class Run:
    """What an advance has computed, n sessions after the start.

    Attributes:
        sessions: of each row.
        levels: by return variant (n each): ``PR``; ``GTR`` and ``NTR``; ``LOCAL``, the price index with the exchange
            rates of the session before on both sides of each day's return.
        market_value: index currency (n).
        divisor: in force on each session (n).
        gross_points: dividend points (n).
        net_points: after tax (n).
        changes: the divisor log.
        holdings: first row (from 0) and index shares of each composition, oldest first.
        prices: reference prices of the whole board, carried closes on new terms (1 + n, m).
        price_days: day of the close behind each, days since 1970-01-01 (1 + n, m).
        state: after the last session.
    """

    sessions: tuple[date, ...]
    levels: Mapping[str, Numbers]
    market_value: Numbers
    divisor: Numbers
    gross_points: Numbers
    net_points: Numbers
    changes: tuple[Change, ...]
    holdings: tuple[tuple[int, Mapping[str, float]], ...]
    prices: Numbers
    price_days: Days
    state: State

    def shares_on(self, row: int) -> Mapping[str, float]:
        """Index shares in force on a row of the board, from 1."""
        return next(shares for start, shares in reversed(self.holdings) if start < row)
