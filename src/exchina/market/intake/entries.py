"""The rows of one entry of a mapping: its columns under our names, its days, its listing's currency and quote unit."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from exchina.errors import Problem
from exchina.market.intake import checks
from exchina.market.intake.mapping import ColumnOf, Entry, Fixed
from exchina.market.intake.sheet import Sheet, Taken, open_sheet, take
from exchina.model import Reference
from exchina.tables.market import SCHEMAS

NOTHING = pl.DataFrame()
KINDS = {name: kind for schema in SCHEMAS.values() for name, kind in schema.items()} | {"market_cap_usd": pl.Float64}


def read_entry(
    entry: Entry,
    folder: Path,
    columns: dict[str, ColumnOf | None],
    key: str,
    *,
    optional: tuple[str, ...] = (),
    if_there: tuple[str, ...] = (),
) -> Taken:
    """The mapped columns of a file, with ``known_date``.

    Args:
        entry: of the mapping.
        folder: of the mapping file.
        columns: our names, the one with the row's own day before other days; a column mapped to None is left out.
        key: our name of the column that ``only`` filters.
        optional: our columns in which a cell may be empty.
        if_there: our columns that the file may lack.
    """
    sheet = open_sheet(entry.path, folder)
    if isinstance(sheet, Problem):
        return Taken(NOTHING, [sheet], [])
    mapped = {
        name: column for name, column in {**columns, "known_date": entry.known_date}.items() if column is not None
    }
    lacking = {ours for ours in if_there if isinstance(mapped[ours], str) and mapped[ours] not in sheet.cells.columns}
    mapped = {ours: column for ours, column in mapped.items() if ours not in lacking}
    sheet, absent = _only(sheet, entry, mapped[key])
    kinds = {name: KINDS[name] for name in mapped}
    taken = take(sheet, mapped, kinds, optional)
    if not taken.rows.width:
        return replace(taken, problems=[*absent, *taken.problems])
    day = next(name for name in mapped if KINDS[name] == pl.Date)
    return Taken(with_known_date(taken.rows, day), [*absent, *taken.problems], [])


def _only(sheet: Sheet, entry: Entry, key: ColumnOf) -> tuple[Sheet, list[Problem]]:
    """The sheet without the rows that ``only`` leaves out, and which of its names are not there."""
    if not entry.only or isinstance(key, Fixed) or key not in sheet.cells.columns:
        return sheet, []
    there = set(sheet.cells[key].cast(pl.String).unique())
    absent = [
        Problem(f"{sheet.name}, column {key}", f"has no {name!r}, which 'only' asks for", "mend 'only' in the mapping")
        for name in entry.only
        if name not in there
    ]
    return replace(sheet, cells=sheet.cells.filter(pl.col(key).cast(pl.String).is_in(list(entry.only)))), absent


def with_known_date(rows: pl.DataFrame, day: str) -> pl.DataFrame:
    """The rows, known on ``day`` where the file does not say."""
    return rows if "known_date" in rows.columns else rows.with_columns(known_date=pl.col(day))


def with_venue(rows: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """The rows with ``currency`` and ``quote_unit`` of their listing; rows of unknown symbols fall out."""
    units = reference.listings.join(
        reference.venues.select("mic", "quote_unit"), on="mic", how="left", maintain_order="left"
    )
    facts = units.select("yahoo_symbol", "currency", "quote_unit")
    return rows.join(facts, left_on="symbol", right_on="yahoo_symbol", how="inner", maintain_order="left")


def with_known_symbols(taken: Taken, column: ColumnOf, reference: Reference) -> Taken:
    """The rows, with a problem for each symbol that is no listing of the reference."""
    if taken.rows.is_empty():
        return taken
    faults = checks.strangers(taken.rows, taken.rows["file"][0], said(column), reference.listings)
    return replace(taken, problems=[*taken.problems, *faults])


def said(column: ColumnOf, ours: str = "symbol") -> str:
    """What a person calls a column: its name in the file, or ours where the mapping fixes its value."""
    return column if isinstance(column, str) else ours
