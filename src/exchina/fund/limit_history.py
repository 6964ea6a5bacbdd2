"""The limits on a fund over time: each spell outside a limit, who made it, and what the law makes of it.

`exchina.fund.limit_tests` says what active and passive mean, and where that stands in the law.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from exchina.errors import Problem
from exchina.fund.held import BoolArray, Held
from exchina.fund.limit_tests import DECIMALS, Test, limit_tests, names
from exchina.fund.terms import Chosen

COLUMNS = {
    "rule": pl.String,
    "test": pl.String,
    "from": pl.Date,
    "to": pl.Date,
    "sessions": pl.Int64,
    "first_found": pl.Float64,
    "worst": pl.Float64,
    "limit": pl.Float64,
    "cause": pl.String,
    "binding": pl.Boolean,
    "cure_by": pl.Date,
    "asks": pl.String,
    "issuers": pl.List(pl.String),
    "source": pl.String,
}
UNKNOWN = {"rule": pl.String, "test": pl.String, "from": pl.Date, "to": pl.Date, "sessions": pl.Int64}
NOT_ASKED = "Nothing: the law did not look while it lasted."
NOT_YET = "Nothing yet: the law has not looked since; mend it before it does."
IN_TIME = "Nothing more: it was cured in time, by {by}."
NEVER_MET = "The excuse of a change of value is only for who has met the test before; no earlier close did."


@dataclass(frozen=True, slots=True)
class _Spell:
    """Rows ``first`` to ``last`` outside a limit, of one cause, within an excess that ends at row ``end``."""

    first: int
    last: int
    end: int
    active: bool


def limit_history(held: Held, limits: Iterable[Chosen]) -> pl.DataFrame:
    """One row a spell outside a limit. A passive excess that the fund adds to by a purchase goes on as an active one.

    Args:
        held: what the fund held.
        limits: which limits.

    Returns:
        rule, test, from, to (the last session outside; null: still open), sessions, first_found and worst (the
        measure), limit, cause (``active``, ``passive``), binding (whether the law counts it; null: not decided yet),
        cure_by (last day of a cure, where the law gives one), asks (what it asks, in words), issuers (that were over
        the line at some time), source.
    """
    rows = [
        _row(held, rule, test, spell)
        for rule, tests in limit_tests(held, limits).items()
        for test in tests
        for spell in _spells(held, test)
    ]
    return pl.DataFrame(rows, COLUMNS).sort("from", "rule", "test", maintain_order=True)


def limit_unknowns(held: Held, limits: Iterable[Chosen]) -> pl.DataFrame:
    """The runs of sessions on which a verdict hangs on votes that are not known: rule, test, from, to, sessions."""
    rows = [
        (rule, test.name, held.sessions[first], held.sessions[last], last - first + 1)
        for rule, tests in limit_tests(held, limits).items()
        for test in tests
        for first, last in _runs(test.unknown)
    ]
    return pl.DataFrame(rows, UNKNOWN, orient="row")


def index_breaches(held_of_index: Held, limits: Iterable[Chosen]) -> list[Problem]:
    """The limits that the index itself breaks, so that a fund that follows it must: a problem each, with its first day.

    Args:
        held_of_index: as `exchina.fund.held.held_of_index` makes it.
        limits: of the fund.
    """
    breaches = limit_history(held_of_index, limits).filter(pl.col("binding") | pl.col("binding").is_null())
    problems = list[Problem]()
    for (rule, test), spells in breaches.group_by("rule", "test", maintain_order=True):
        first = spells.row(0, named=True)
        most = "at most" if first["first_found"] > first["limit"] else "at least"
        what = f"the index itself breaks it: {test} {first['first_found']:.2%} on {first['from']}, {most} "
        what += f"{first['limit']:.2%} is allowed" + (f" ({', '.join(first['issuers'])})" if first["issuers"] else "")
        if spells.height > 1:
            what += f"; {spells.height} times until {spells['from'].max()}"
        hint = "cap the index inside the limit, replicate it by a method with that bound, or take the limit out"
        problems.append(Problem(f"limits.{rule}", what, hint))
    return problems


def _spells(held: Held, test: Test) -> Iterator[_Spell]:
    """The spells of a test: each run outside, cut where the fund first bought an issuer that was over the line."""
    chosen = test.measure.kind == "cash"
    bought = np.ones(len(held.sessions), bool) if chosen else np.asarray((held.bought & test.involved).any(axis=1))
    for first, last in _runs(test.outside):
        over = np.flatnonzero(bought[first : last + 1])
        turned = first + int(over[0]) if len(over) else last + 1
        if turned > first:
            yield _Spell(first, turned - 1, last, active=False)
        if turned <= last:
            yield _Spell(turned, last, last, active=True)


def _runs(mask: BoolArray) -> Iterator[tuple[int, int]]:
    """First and last row of each run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    for first, after in edges.reshape(-1, 2).tolist():
        yield first, after - 1


def _row(held: Held, rule: str, test: Test, spell: _Spell) -> dict[str, object]:
    within = slice(spell.first, spell.last + 1)
    found = np.round(test.found[within], DECIMALS)
    binding, by, asks = _verdict(held, test, spell)
    opened = spell.last == len(held.sessions) - 1
    return {
        "rule": rule,
        "test": test.name,
        "from": held.sessions[spell.first],
        "to": None if opened else held.sessions[spell.last],
        "sessions": spell.last - spell.first + 1,
        "first_found": float(found[0]),
        "worst": float(found.max() if test.sense == "at_most" else found.min()),
        "limit": test.limit,
        "cause": "active" if spell.active else "passive",
        "binding": binding,
        "cure_by": by,
        "asks": asks,
        "issuers": names(held, np.logical_or.reduce(test.involved[within])),
        "source": test.source,
    }


def _verdict(held: Held, test: Test, spell: _Spell) -> tuple[bool | None, date | None, str]:
    """Whether the law counts a spell, the last day of its cure, and what it asks."""
    regime, last = test.regime, len(held.sessions) - 1
    days, words = (regime.active_days, regime.active) if spell.active else (regime.passive_days, regime.passive)
    if not spell.active and regime.passive_from and held.sessions[spell.last] < regime.passive_from:
        return False, None, regime.passive_before
    looked = spell.first + np.flatnonzero(test.tested_on[spell.first : spell.last + 1])
    if not spell.active and regime.passive_from:
        looked = looked[[held.sessions[row] >= regime.passive_from for row in looked]]
    if not spell.active and days is None:
        counts = regime.once_met and len(looked) > 0 and not _met_before(test, int(looked[0]))
        return counts, None, NEVER_MET if counts else words
    if not len(looked):
        return (None, None, NOT_YET) if spell.last == last else (False, None, NOT_ASKED)
    if not days:
        return True, None, words
    by = held.sessions[int(looked[0])] + timedelta(days=days)
    if spell.end < last and held.sessions[spell.end + 1] <= by:
        return False, by, IN_TIME.format(by=by)
    decided = spell.end < last or held.sessions[last] >= by
    return (True if decided else None), by, words.format(by=by)


def _met_before(test: Test, row: int) -> bool:
    """Whether the test was met on an earlier day on which the law looked."""
    return bool((test.tested_on & ~test.outside)[:row].any())
