"""A person's file, read cell by cell: typed rows that know their place, and every cell that could not be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from exchina.errors import Problem, did_you_mean
from exchina.market.intake.mapping import ColumnOf, Fixed
from exchina.tables.checking import MOST_OF_A_KIND, at, kind_of, shown

ABSENT = ["", "N/A"]
ROW = "#row"
RANGES: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("close", "amount", "ratio", "shares", "usd_per_unit", "level", "market_cap_usd"), (1e-12, 1e15)),
    **dict.fromkeys(("new", "old", "price", "fraction"), (1e-12, 1e15)),
    "franked": (0.0, 1.0),
    "rate": (-0.5, 2.0),
    "volume": (0.0, 1e15),
    "free_float_factor": (1e-6, 1.0),
}


@dataclass(frozen=True)
class Sheet:
    """A file as it was found: its name, its cells, and the number of each row in column ``#row``."""

    name: str
    cells: pl.DataFrame


@dataclass(frozen=True)
class Taken:
    """Rows that could be read, with ``file`` and ``row`` of each, and what was wrong with the others."""

    rows: pl.DataFrame
    problems: list[Problem]
    notices: list[str]


def open_sheet(path: str, folder: Path) -> Sheet | Problem:
    """A CSV or Parquet file, or the problem that it cannot be read.

    Args:
        path: relative to ``folder``, absolute, or a URL that polars can open.
        folder: of the mapping file.
    """
    address = path if "://" in path else str(folder / path)
    name = path.split("?", 1)[0].rsplit("/", 1)[-1]  # what follows a question mark may be a secret
    try:
        if name.endswith((".parquet", ".pq")):
            return Sheet(name, pl.read_parquet(address).with_row_index(ROW, offset=1))
        frame = pl.read_csv(address, infer_schema=False, null_values=ABSENT)
    except (OSError, pl.exceptions.PolarsError) as fault:
        reason = str(fault).splitlines()[0].replace(address, name)
        return Problem(name, f"cannot be read: {reason}", "paths are relative to the mapping file")
    return Sheet(name, frame.with_row_index(ROW, offset=2))


def take(sheet: Sheet, columns: Mapping[str, ColumnOf], kinds: Mapping[str, Any], optional: tuple[str, ...]) -> Taken:
    """The mapped columns of a sheet in their types, without the rows that hold a fault.

    Args:
        sheet: the file.
        columns: our name of each column, and its name in the file or a fixed value.
        kinds: polars type of each of our columns.
        optional: our columns in which a cell may be empty.
    """
    missing = {
        ours: name for ours, name in columns.items() if isinstance(name, str) and name not in sheet.cells.columns
    }
    if missing:
        known = sheet.cells.columns[1:]
        faults = [
            Problem(sheet.name, f"no column {name!r} for {ours}", did_you_mean(name, known))
            for ours, name in missing.items()
        ]
        return Taken(pl.DataFrame(), faults, [])
    raw = sheet.cells.select(
        pl.col(ROW).alias("row"), *(_cells(sheet, name).alias(ours) for ours, name in columns.items())
    )
    rows = raw.with_columns(_typed(raw[ours], kinds[ours]) for ours in columns)
    faults: list[Problem] = []
    sound = pl.repeat(True, rows.height, eager=True)
    for ours, name in columns.items():
        said = name if isinstance(name, str) else ours
        for bad, what, cure in _bad_cells(raw[ours], rows[ours], ours, ours in optional):
            faults += listed(sheet.name, said, raw.filter(bad).select("row", found=ours), what, cure)
            sound &= ~bad
    return Taken(rows.filter(sound).with_columns(file=pl.lit(sheet.name)), faults, [])


def listed(file: str, column: str, found: pl.DataFrame, what: str, cure: str) -> list[Problem]:
    """One problem per row, at most 20, then one that counts the rest.

    Args:
        file: what a person calls the file.
        column: as the file calls it.
        found: columns row and found.
        what: the fault; ``{found}`` stands for the cell.
        cure: what to do.
    """
    some = found.head(MOST_OF_A_KIND).iter_rows()
    problems = [Problem(at(file, row, column), what.format(found=shown(cell)), cure) for row, cell in some]
    more = found.height - MOST_OF_A_KIND
    return [*problems, *([Problem(f"{file}, column {column}", f"and {more} more like these")] if more > 0 else [])]


def _cells(sheet: Sheet, name: ColumnOf) -> pl.Expr:
    if isinstance(name, Fixed):
        return pl.lit(name.value)
    cell = pl.col(name)
    return cell.str.strip_chars().replace("", None) if sheet.cells.schema[name] == pl.String else cell


def _typed(cells: pl.Series, kind: Any) -> pl.Series:
    if kind == pl.Date and cells.dtype == pl.String:
        return cells.str.to_date("%Y-%m-%d", strict=False)
    if kind == pl.Boolean and cells.dtype == pl.String:
        return cells.str.to_lowercase().replace_strict(
            {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
        )
    return cells.cast(kind, strict=False)


def _bad_cells(raw: pl.Series, typed: pl.Series, ours: str, optional: bool) -> list[tuple[pl.Series, str, str]]:
    """Which rows hold which kind of fault, and the cure."""
    low, high = RANGES.get(ours, (0.0, 0.0))
    empty = raw.is_null() & (not optional)
    unread = raw.is_not_null() & typed.is_null()
    found = [(empty, "the cell is empty", "fill it in, or leave the row out")]
    found.append((unread, "found {found}", f"write {kind_of(typed.dtype)}"))
    if ours in RANGES:
        outside = ~(typed.is_between(low, high) & typed.is_finite()).fill_null(value=True)
        found.append((outside, "found {found}", f"must be a number between {low:g} and {high:g}"))
    return found
