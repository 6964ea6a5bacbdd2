"""What a fund follows: a portfolio in shares a unit, its prices and cash, and what dealing in it costs."""

from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Stop:
    """What happens to the portfolio between the close of ``row - 1`` and the open of ``row``.

    Attributes:
        row: the first session on the new terms.
        before, after: (m,) shares a unit.
        worth_before: (m,) fund currency a share at that close; of a line that leaves, what is paid for it.
        worth_after: (m,) the same on the new terms.
        traded: whether the fund trades (a review); else only corporate actions happen.
        special: special cash a unit, after the stop, that is booked on ``row``, which no change of shares has made
            good, before tax.
        withheld, borne: tax on it a unit, as in `Path`.
    """

    row: int
    before: FloatArray
    after: FloatArray
    worth_before: FloatArray
    worth_after: FloatArray
    traded: bool
    special: float = 0.0
    withheld: float = 0.0
    borne: float = 0.0


@dataclass(frozen=True)
class Dealing:
    """What trades cost from a row on, (m,) each: fractions of a purchase and of a sale, k of impact, and ADV.

        cost = sum_i v_i buy_i (bought) + |v_i| sell_i (sold) + |v_i|^1.5 k_i,   k_i = Y sigma_i sqrt(usd / ADV_i)

    v and ADV in fund currency; usd, US dollars a unit of it; NaN where ADV is not known, None: of no line.
    `exchina.analytics.costs` has the law and its source.
    """

    row: int
    buy: FloatArray
    sell: FloatArray
    impact: FloatArray
    adv: FloatArray | None = None

    def cost(self, traded: FloatArray) -> float:
        """Of a trade, (m,), fund currency, purchases above zero."""
        bought, sold = np.maximum(traded, 0.0), np.maximum(-traded, 0.0)
        size = bought + sold
        return float((bought * self.buy + sold * self.sell + size * np.sqrt(size) * self.impact).sum())


@dataclass(frozen=True)
class Path:
    """n sessions down (the first is the launch), m lines across, k currencies; money in fund currency.

    Attributes:
        sessions: consecutive sessions of the index.
        month_ends: (n,) whether it is the last session of its month.
        symbols: the lines.
        currencies: in which they are quoted.
        currency_at: (m,) place of each line's.
        lots: (m,) shares of a lot; 0 allows fractions.
        kind: (m,) whether the line can be handed over in kind.
        start: (m,) shares a unit at the close of the launch.
        worth: (n, m) last close x rate; 0 where the line is not held.
        gross: (n, m) ordinary dividend a share booked on the session.
        withheld: (n, m) tax taken from it at source.
        borne: (n, m) tax that remains when every claim is paid.
        stops: by row.
        dealing: by row, the first at or before row 0; one holds until the next.
        index_gross: (n,) gross total return of the index.
        benchmark: (n,) level of what the fund says it tracks.
        unhedged: (n,) the benchmark before its currency hedge; None where it has none.
        model: (n,) gross total return of the replicating portfolio by the conventions of the index, traded when the
            index changes; of full replication the index itself.
        money_market: (n,) rate a year of the fund's currency, actual/360.
        hedge_gain: (n, k) gain of a forward on one unit of fund currency sold at the last roll; empty without a hedge.
        hedge_rolls: (n,) sessions at whose close forwards are sold anew.
    """

    sessions: tuple[date, ...]
    month_ends: BoolArray
    symbols: tuple[str, ...]
    currencies: tuple[str, ...]
    currency_at: IntArray
    lots: IntArray
    kind: BoolArray
    start: FloatArray
    worth: FloatArray = field(repr=False)
    gross: FloatArray = field(repr=False)
    withheld: FloatArray = field(repr=False)
    borne: FloatArray = field(repr=False)
    stops: tuple[Stop, ...] = field(repr=False)
    dealing: tuple[Dealing, ...] = field(repr=False)
    index_gross: FloatArray = field(repr=False)
    benchmark: FloatArray = field(repr=False)
    model: FloatArray = field(repr=False)
    money_market: FloatArray = field(repr=False)
    hedge_gain: FloatArray = field(repr=False)
    hedge_rolls: BoolArray = field(repr=False)
    unhedged: FloatArray | None = field(default=None, repr=False)


def gross_growth(path: Path) -> FloatArray:
    """(n,) r of the portfolio itself, in fractions of shares and with no friction; the first is 0.

    r_t = (sum_i q_i (P_it + d_it) + special_t) / sum_i q_i P'_i,t-1 - 1, q and P' on the terms of session t.
    """
    held, grown = path.start, np.zeros(len(path.sessions))
    stops = {stop.row: stop for stop in path.stops}
    rows = [1, *(stop.row for stop in path.stops if stop.row > 1), len(path.sessions)]
    for first, last in pairwise(rows):
        stop = stops.get(first)
        held = held if stop is None else stop.after
        value = (path.worth[first - 1 : last] * held).sum(axis=1)
        opened = value[:-1].copy()
        cash = (path.gross[first:last] * held).sum(axis=1)
        if stop is not None:
            opened[0] = float((stop.worth_after * held).sum())
            cash[0] += stop.special
        grown[first:last] = (value[1:] + cash) / opened - 1
    return grown
