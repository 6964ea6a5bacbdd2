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


def idle(overrides: pl.DataFrame, market: str, quarantine: pl.DataFrame) -> list[Problem]:
    """Decisions on rows that no gate of the market ever held: a symbol, a day or a gate is misspelt.

    Args:
        overrides: every decision, by `OVERRIDES`, in file order.
        market: whose decisions are looked at.
        quarantine: of that market.
    """
    key = ["table", "symbol", "gate"]
    rows = overrides.with_row_index("at", 2).filter(pl.col("market") == market)
    held = quarantine.select(*key, held_day="day").unique()
    whole_line_or_day = pl.col("day").is_null() | (pl.col("day") == pl.col("held_day"))
    fitting = rows.join(held, on=key).filter(whole_line_or_day)["at"]
    hint = f"`exchina check market {market} --everything` lists what was held"
    return [
        Problem(at(FILE, row, "symbol"), f"nothing that market {market!r} ever held fits: {' '.join(said)}", hint)
        for row, *said in rows.filter(~pl.col("at").is_in(fitting.implode()))
        .select("at", "table", "symbol", pl.col("day").cast(pl.String).fill_null("any day"), "gate")
        .iter_rows()
    ]


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
