"""Whether a decision could have known the future: the future is changed, and nothing decided before may change.

Picked names alone miss leaks: a full-sample volatility inside a ranking can leave every pick as it was and move every
score. So continuous scores and weights are compared, to the last bit, under several futures.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias, TypeVar

import polars as pl

from exchina.errors import DataError, Problem

Inputs = TypeVar("Inputs")
Moment: TypeAlias = date | int
Decisions: TypeAlias = Mapping[str, pl.DataFrame]
Verdict: TypeAlias = Literal["leak", "no leak found"]
FEWEST_FUTURES = 3


@dataclass(frozen=True)
class LookAhead:
    """What changed when the future did.

    Attributes:
        verdict: "leak" if anything did; else "no leak found", which is no proof that there is none.
        changed: table -> for each future the decisions up to the cut that differ, ascending.
        first: the earliest of them; None without a leak.
    """

    verdict: Verdict
    changed: Mapping[str, tuple[tuple[Moment, ...], ...]]
    first: Moment | None


def look_ahead(
    rule: Callable[[Inputs], Decisions], known: Inputs, futures: Sequence[Inputs], *, decided: str, until: Moment
) -> LookAhead:
    """Run a rule on the inputs as they are and on copies with other futures, and compare what it decided before.

    A decision for row t may read rows before t, so with rows from t0 on overwritten everything decided up to and
    including t0 must stay as it was.

    Args:
        rule: inputs -> tables of decisions by name (scores, weights, eligibility, verdicts), each with ``decided``.
        known: the inputs.
        futures: three or more copies, overwritten after the cut in different ways.
        decided: column that says when a row was decided, a date or a row number.
        until: last decision that may not change.

    Raises:
        DataError: fewer than three futures, or what `changed_decisions` refuses.
    """
    if len(futures) < FEWEST_FUTURES:
        hint = f"one future can leave a leak unseen: give {FEWEST_FUTURES} or more"
        raise DataError(Problem("futures", f"{len(futures)}", hint))
    return changed_decisions(rule(known), [rule(future) for future in futures], decided=decided, until=until)


def changed_decisions(before: Decisions, after: Sequence[Decisions], *, decided: str, until: Moment) -> LookAhead:
    """Compare tables of decisions, row by row in their order, to the last bit.

    A decision is its rows in a table; one that is missing from a future, or has other columns there, has changed.

    Args:
        before: table name -> decisions on the inputs as they are.
        after: the same for each future.
        decided: column that says when a row was decided.
        until: last decision that is compared.

    Raises:
        DataError: no decision up to the cut, or other tables in a future.
    """
    problems = [
        Problem(f"future {at}", f"tables {sorted(other)}", f"the same as before: {sorted(before)}")
        for at, other in enumerate(after)
        if other.keys() != before.keys()
    ]
    past = {name: _by_decision(table, decided, until) for name, table in before.items()}
    empty = [name for name, found in past.items() if not found]
    problems += [Problem(name, f"no decision up to {until}", "move the cut, or leave the table out") for name in empty]
    if problems:
        raise DataError(*problems)
    changed = {
        name: tuple(_differing(past[name], _by_decision(other[name], decided, until)) for other in after)
        for name in before
    }
    all_changed = sorted({day for futures in changed.values() for days in futures for day in days})  # pyright: ignore[reportArgumentType]
    return LookAhead("leak" if all_changed else "no leak found", changed, all_changed[0] if all_changed else None)


def _by_decision(table: pl.DataFrame, decided: str, until: Moment) -> dict[Moment, pl.DataFrame]:
    past = table.filter(pl.col(decided) <= until)
    return {key[0]: rows for key, rows in past.partition_by(decided, as_dict=True, maintain_order=True).items()}


def _differing(before: dict[Moment, pl.DataFrame], after: dict[Moment, pl.DataFrame]) -> tuple[Moment, ...]:
    days = sorted(before.keys() | after.keys())  # pyright: ignore[reportArgumentType]
    return tuple(day for day in days if day not in before or day not in after or not before[day].equals(after[day]))
