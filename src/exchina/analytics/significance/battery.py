"""Every test of one sample, in a fixed order: essential first, then secondary, then diagnostic."""

from collections.abc import Callable
from functools import cache, partial
from inspect import getdoc
from math import isfinite

import polars as pl

from exchina.analytics.significance.outcome import Kind, NotComputableError, Outcome, Statistic
from exchina.analytics.significance.register import KINDS, WARNINGS, statistic
from exchina.analytics.significance.security_events import Sample
from exchina.plugins import Plugin

COLUMNS = {
    "name": pl.String,
    "label": pl.String,
    "kind": pl.String,
    "value": pl.Float64,
    "df": pl.Int64,
    "p": pl.Float64,
    "note": pl.String,
}


def battery(sample: Sample) -> tuple[Statistic, ...]:
    """Every registered test of a sample; one that cannot be computed has no value, and says why."""
    tests = statistic.all()
    return tuple(
        stated(name, _label(tests[name]), kind, partial(tests[name], sample), warning)
        for name, kind, warning in _entries()
    )


def table(statistics: tuple[Statistic, ...]) -> pl.DataFrame:
    """One row a statistic: name, label, kind, value, df, p, note."""
    rows = [tuple(getattr(one, column) for column in COLUMNS) for one in statistics]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def stated(name: str, label: str, kind: Kind, compute: Callable[[], Outcome], warning: str = "") -> Statistic:
    """What a computation says, as a statistic: its value with the warning, or why there is none."""
    try:
        found = compute()
    except NotComputableError as reason:
        return Statistic(name, label, None, None, None, kind, f"not computable: {reason}")
    if not (isfinite(found.value) and isfinite(found.p)):
        return Statistic(name, label, None, None, None, kind, "not computable: the figures overflow")
    note = "; ".join(part for part in (found.note, warning) if part)
    return Statistic(name, label, found.value, found.df, found.p, kind, note)


def _label(test: Plugin) -> str:
    return (getdoc(test) or "").partition(":")[0]


@cache
def _entries() -> tuple[tuple[str, Kind, str], ...]:
    """Name, kind and warning of every test in the order in which they are printed."""
    warned = {trait: set(statistic.having(trait)) for trait in WARNINGS}
    return tuple(
        (name, kind, "; ".join(WARNINGS[trait] for trait, names in warned.items() if name in names))
        for kind in KINDS
        for name in statistic.having(kind)
    )
