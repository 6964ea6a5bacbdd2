"""Reviewed decisions on rows in quarantine: ``indices/reference/market_overrides.csv``.

One row a decision, with its reason and its author; nothing enters a market past a gate without one. The file is the
record of who decided what, so a decision is taken back by deleting its row before it was applied, or else by a word in
the file's history: a row that entered stays.
"""

from pathlib import Path

import pandera.polars as pa
import polars as pl

from exchina.errors import DataError, Problem, did_you_mean
from exchina.market.gates.case import DAY, gate
from exchina.tables.checking import at
from exchina.tables.parsing import parse

FILE = "market_overrides.csv"
TEXT = pa.Column(pl.String, pa.Check.str_length(1, 500))
OVERRIDES = pa.DataFrameSchema(
    {
        "market": pa.Column(pl.String, pa.Check.str_matches(r"^[a-z0-9]+(-[a-z0-9]+)*$")),
        "table": pa.Column(pl.String, pa.Check.isin(list(DAY))),
        "symbol": pa.Column(pl.String, pa.Check.str_length(1, 32)),
        "day": pa.Column(pl.Date, nullable=True),  # empty: every day of the symbol that this gate holds
        "gate": TEXT,
        "action": pa.Column(pl.String, pa.Check.isin(["release", "drop"])),
        "reason": TEXT,
        "author": TEXT,
        "decided_on": pa.Column(pl.Date),
    },
    name="market_overrides",
    strict=True,
    ordered=True,
    unique=["market", "table", "symbol", "day", "gate"],
)


def read_overrides(folder: Path) -> pl.DataFrame:
    """The decisions, in file order; none where the folder has no such file.

    Args:
        folder: that of the reference data.

    Raises:
        DataError: with every fault of the file.
    """
    rows, faults = _read(folder)
    if faults:
        raise DataError(*faults)
    return rows


def check_overrides(folder: Path) -> list[Problem]:
    """Every fault of the file of decisions."""
    return _read(folder)[1]


def _read(folder: Path) -> tuple[pl.DataFrame, list[Problem]]:
    none = pl.DataFrame(schema={name: column.dtype.type for name, column in OVERRIDES.columns.items()})
    path = folder / FILE
    if not path.exists():
        return none, []
    try:
        content = path.read_bytes()
    except OSError as fault:
        return none, [Problem(str(path), f"cannot be read: {fault.strerror}", "make it readable")]
    rows, faults = parse(content, OVERRIDES, FILE)
    if rows is None:
        return none, faults
    gates = list(gate.all())
    unknown = [
        Problem(at(FILE, row, "gate"), f"no gate is called {name!r}", did_you_mean(name, gates))
        for row, name in rows.with_row_index("at", 2).select("at", "gate").drop_nulls().iter_rows()
        if name not in gates
    ]
    return rows, [*faults, *unknown]
