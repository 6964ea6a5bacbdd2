"""What a limit asks: a measure of what is held, its bound, when the law looks, and what it makes of an excess.

Weights are those of issuers, unrounded; "more than" is strict after rounding at 1e-12, so that two machines agree. An
issuer is *large* if it weighs more than t, or if the fund holds more than v of its votes.

Active or passive: an excess is **active** if the fund, at the close from which it is counted, bought an issuer that is
over the line; else prices, flows or the index moved it, and it is **passive**. This is the distinction of Internal
Revenue Code 851(d)(1) and of the Investment Company Act, section 5(c) ("immediately after the acquisition ... and
wholly or partly the result of such acquisition"), and of directive 2009/65/EC, article 57(2) ("for reasons beyond the
control of a UCITS"). A purchase of such an issuer during a passive excess begins an active one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import polars as pl

from exchina.errors import DataError, Problem
from exchina.fund.held import BoolArray, FloatArray, Held
from exchina.fund.registers import limits as register
from exchina.fund.terms import Chosen

Sense: TypeAlias = Literal["at_most", "at_least"]
Kind: TypeAlias = Literal["largest", "second", "large", "rest", "themed", "votes", "non_voting", "cash"]
DECIMALS = 12
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured, as a fraction of net or of total assets (of an issuer's stock for votes).

    Attributes:
        kind: ``largest`` and ``second`` largest issuer, ``large`` issuers together, the ``rest`` (1 - large - gains of
            open forwards: cash and issuers that are not), ``themed`` issuers together, largest share of ``votes`` or of
            ``non_voting`` stock, ``cash``.
        of: the assets of which it is a fraction.
        above: t, the weight above which an issuer is large.
        above_votes: v, the share of its votes above which it is, too; None: votes do not matter.
    """

    kind: Kind
    of: Literal["net", "total"] = "net"
    above: float = np.inf
    above_votes: float | None = None


@dataclass(frozen=True, slots=True)
class Regime:
    """What a law makes of an excess.

    Attributes:
        source: the legal citation in words.
        active: what it asks of a fund that bought the excess; ``{by}`` stands for the last day of a cure.
        passive: what it asks where prices made it.
        active_days: calendar days, from the day the law looks, in which an active excess can still be cured; 0: none.
        passive_days: the same of a passive one; None: it never counts.
        passive_from: first day on which those days run; None: always.
        passive_before: what was asked before that day, where nothing counted.
        once_met: a passive excess is excused only if the test was met before on a day on which the law looked.
    """

    source: str
    active: str
    passive: str
    active_days: int = 0
    passive_days: int | None = None
    passive_from: date | None = None
    passive_before: str = ""
    once_met: bool = False


@dataclass(frozen=True, slots=True)
class Test:
    """A test over T sessions of n issuers.

    Attributes:
        name: in words.
        measure: what was measured.
        limit: its bound.
        sense: which side of the bound is inside.
        regime: the law.
        tested_on: (T,) sessions on which the law looks.
        found: (T,) the measure, from what is known; NaN where nothing is.
        unknown: (T,) whether votes that are not known could turn the verdict.
        involved: (T, n) the issuers that are over the line, or would be sold to get back.
    """

    __test__: ClassVar[bool] = False  # pytest: no test of ours

    name: str
    measure: Measure
    limit: float
    sense: Sense
    regime: Regime
    tested_on: BoolArray
    found: FloatArray
    unknown: BoolArray
    involved: BoolArray

    @property
    def source(self) -> str:
        """The legal citation."""
        return self.regime.source

    @property
    def outside(self) -> BoolArray:
        """(T,) whether what is known is outside the bound."""
        return beyond(self.found, self.limit, self.sense)


def beyond(found: FloatArray, limit: float, sense: Sense) -> BoolArray:
    """Whether figures are outside a bound, after rounding at 1e-12; NaN is not."""
    return _above(found, limit) if sense == "at_most" else np.less(np.round(found, DECIMALS), np.round(limit, DECIMALS))


def _above(figures: FloatArray, line: float) -> BoolArray:
    return np.greater(np.round(figures, DECIMALS), np.round(line, DECIMALS))


def limit_test(
    held: Held, name: str, measure: Measure, limit: float, *, regime: Regime, on: BoolArray, sense: Sense = "at_most"
) -> Test:
    """The test of one measure.

    Args:
        held: what the fund holds.
        name: the test, in words.
        measure: what is measured.
        limit: the bound.
        regime: the law.
        on: (T,) sessions on which it looks.
        sense: which side is inside.
    """
    found, doubtful, involved = measured(held, measure, limit)
    unknown = ~beyond(found, limit, sense) & (beyond(doubtful, limit, sense) | np.isnan(doubtful))
    return Test(name, measure, limit, sense, regime, on, found, unknown, involved)


def measured(held: Held, measure: Measure, limit: float) -> tuple[FloatArray, FloatArray, BoolArray]:
    """The measure from what is known, the same if every unknown share of votes were over the line, and who is over it.

    Returns:
        found (T,), doubtful (T,) (NaN where it cannot be told), involved (T, n).
    """
    assets = held.assets if measure.of == "total" else np.ones(len(held.cash))
    weights = np.round(held.weights / assets[:, None], 14)
    kind = measure.kind
    if kind in ("votes", "non_voting"):
        return _stock(held.votes if kind == "votes" else held.non_voting, held.weights > 0, limit)
    if kind in ("large", "rest"):
        large, perhaps = large_issuers(weights, held.votes, measure)
        sums = [_together(weights, who) for who in (large, large | perhaps)]
        found, doubtful = sums if kind == "large" else [1 - one - held.gains / assets for one in sums]
        return found, doubtful, large
    if kind == "cash":
        found, involved = np.maximum(held.cash, 0.0), np.zeros(weights.shape, bool)
    elif kind == "themed":
        found, involved = _together(weights, held.in_theme), ~held.in_theme & (weights > 0)
    else:
        involved = _above(weights, limit)
        if kind == "second":  # the largest may be above
            involved &= np.arange(weights.shape[1]) != weights.argmax(axis=1)[:, None]
        place = 1 if kind == "largest" else 2
        found = np.sort(weights, axis=1)[:, -place] if weights.shape[1] >= place else np.zeros(len(weights))
    return found, found, involved


def large_issuers(weights: FloatArray, votes: FloatArray, measure: Measure) -> tuple[BoolArray, BoolArray]:
    """Who is large, and of whom it cannot be told because the votes held are not known; (T, n) each."""
    heavy = _above(weights, measure.above)
    if measure.above_votes is None:
        return heavy, np.zeros(weights.shape, bool)
    return heavy | _above(votes, measure.above_votes), ~heavy & np.isnan(votes) & (weights > 0)


def _together(weights: FloatArray, who: BoolArray) -> FloatArray:
    """(T,) sums over some issuers, in one order whatever the layout of the arrays."""
    return np.ascontiguousarray(np.where(who, weights, 0.0)).sum(axis=1)


def _stock(share: FloatArray | None, holds: BoolArray, limit: float) -> tuple[FloatArray, FloatArray, BoolArray]:
    if share is None:
        return np.zeros(len(holds)), np.zeros(len(holds)), np.zeros(holds.shape, bool)
    lacking = (holds & np.isnan(share)).any(axis=1)
    known = np.where(np.isnan(share), -np.inf, share).max(axis=1, initial=-np.inf)
    known = np.where(np.isfinite(known), known, np.where(lacking, np.nan, 0.0))
    return known, np.where(lacking, np.nan, known), _above(share, limit)


def purchases(held: Held) -> BoolArray:
    """(T,) closes at which the fund bought anything."""
    return np.asarray(held.bought.any(axis=1))


def every_session(held: Held) -> BoolArray:
    """(T,) all of them."""
    return np.ones(len(held.sessions), bool)


def quarter_ends(sessions: Sequence[date], year_ends: int = 12) -> BoolArray:
    """(T,) last sessions of the quarters of a fiscal year; the last one known, if no weekday of its month is left.

    Args:
        sessions: ascending.
        year_ends: month in which the fiscal year ends.

    Example:
        >>> quarter_ends([date(2025, 6, 27), date(2025, 6, 30), date(2025, 7, 1)]).tolist()
        [False, True, False]
    """
    following = [*sessions[1:], _next_weekday(sessions[-1])]
    ends = [
        this.month != after.month or this.year != after.year for this, after in zip(sessions, following, strict=True)
    ]
    return np.array([end and (day.month - year_ends) % 3 == 0 for end, day in zip(ends, sessions, strict=True)])


def _next_weekday(day: date) -> date:
    following = day + timedelta(days=1)
    return following if following.weekday() < SATURDAY else _next_weekday(following)


def limit_tests(held: Held, limits: Iterable[Chosen]) -> dict[str, tuple[Test, ...]]:
    """The tests of each limit by its name.

    Raises:
        DataError: a limit or a setting that does not exist; each is named.
    """
    found, faults = dict[str, tuple[Test, ...]](), list[Problem]()
    for one in limits:
        settings, wrong = register.checked_settings(f"limits.{one.name}", one.name, one.settings)
        faults += wrong
        if not wrong:
            found[one.name] = register[one.name](held, **settings)
    if faults:
        raise DataError(*faults)
    return found


def limits_on(held: Held, limits: Iterable[Chosen], row: int = -1) -> pl.DataFrame:
    """Every test on one session, whether or not the law looks on that day.

    Args:
        held: what the fund holds.
        limits: which limits.
        row: the session; the last one unless told.

    Returns:
        rule, test, found, limit, sense, passed (null: votes that are not known decide it), asked (whether the law looks
        on that day), issuers (over the line, where the test fails), source.
    """
    rows = [
        {
            "rule": rule,
            "test": test.name,
            "found": None if np.isnan(test.found[row]) else float(test.found[row]),
            "limit": test.limit,
            "sense": test.sense,
            "passed": None if test.unknown[row] else not test.outside[row],
            "asked": bool(test.tested_on[row]),
            "issuers": names(held, test.involved[row]) if test.outside[row] else [],
            "source": test.source,
        }
        for rule, tests in limit_tests(held, limits).items()
        for test in tests
    ]
    words = dict.fromkeys(("rule", "test", "sense", "source"), pl.String)
    kinds = {"found": pl.Float64, "limit": pl.Float64, "passed": pl.Boolean, "asked": pl.Boolean}
    schema = {**words, **kinds, "issuers": pl.List(pl.String)}
    columns = ["rule", "test", "found", "limit", "sense", "passed", "asked", "issuers", "source"]
    return pl.DataFrame(rows, {name: schema[name] for name in columns})


def names(held: Held, which: BoolArray) -> list[str]:
    """The issuers of a mask (n,)."""
    return [held.companies[place] for place in np.flatnonzero(which)]
