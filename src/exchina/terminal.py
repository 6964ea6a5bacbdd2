"""How results look in a terminal: tables for people, ``--json`` for machines."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

from exchina.errors import Problem

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


def say(line: str = "") -> None:
    """Print a line for people, as it is."""
    OUT.print(line, markup=False)


def as_json(result: object) -> None:
    """Print one JSON document; days in ISO form."""
    print(json.dumps(result, default=str, ensure_ascii=False, indent=2))


def table(rows: Iterable[Mapping[str, Any]], title: str = "") -> None:
    """Print rows as a table, numbers to the right; the columns are those of the first row."""
    listed = list(rows)
    if not listed:
        say(f"{title}: none" if title else "none")
        return
    shown = Table(title=title or None, title_justify="left", title_style="bold", header_style="bold")
    for name in listed[0]:
        numeric = all(isinstance(row[name], int | float) or row[name] is None for row in listed)
        shown.add_column(name, justify="right" if numeric or name.endswith("%") else "left", overflow="fold")
    for row in listed:
        shown.add_row(*("" if value is None else str(value) for value in row.values()))
    OUT.print(shown)


def problems(found: Sequence[Problem], *, json_wanted: bool) -> None:
    """Print problems one a line, to standard error; as JSON to standard output."""
    if json_wanted:
        as_json({"problems": [problem.as_dict() for problem in found]})
    for problem in found if not json_wanted else ():
        ERR.print(str(problem), markup=False, style="red")


def percent(fraction: float | None, *, signed: bool = False) -> str | None:
    """A fraction as a percentage with two decimals."""
    if fraction is None:
        return None
    return f"{fraction * 100:+.2f}" if signed else f"{fraction * 100:.2f}"


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something is under way, on a terminal only."""
    with ERR.status(what):
        yield
