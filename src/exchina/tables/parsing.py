"""A CSV file as people write it, into a typed table: every cell is read as text first, so that none can crash."""

import csv
from collections import Counter
from io import StringIO
from itertools import zip_longest
from typing import Any

import pandera.polars as pa
import polars as pl

from exchina.errors import Problem
from exchina.tables.checking import at, problems

CURES = {
    pl.Float64: "write a number with a decimal point and no other mark, such as 1234.5",
    pl.Int8: "write a whole number, such as -1",
    pl.Int32: "write a whole number, such as 2025",
    pl.Boolean: "write true or false",
    pl.Date: "write the day as YYYY-MM-DD, such as 2025-07-10",
    pl.Datetime: "write day, time and offset, such as 2026-06-03T08:23:25-04:00",
}


def parse(content: bytes, contract: pa.DataFrameSchema, where: str) -> tuple[pl.DataFrame | None, list[Problem]]:
    """The table in a CSV file, and every fault of it against its contract.

    Spaces around a cell and a byte-order mark are dropped; an empty cell is null. Rows are counted as a spreadsheet
    does: the header is row 1.

    Args:
        content: the file's bytes: UTF-8, commas, a header, text with commas in double quotes.
        contract: what each column must hold.
        where: the file's name; each problem's place starts with it.

    Returns:
        The table, rows in file order and columns in that of the contract, and the problems. The table is None where
        columns are missing or rows are ragged, so that nothing else can be said about it.
    """
    try:
        header, *rows = list(csv.reader(StringIO(content.decode("utf-8-sig"), newline=""), strict=True)) or [[]]
    except UnicodeDecodeError as fault:
        return None, [Problem(where, f"byte {fault.start + 1} is not UTF-8 text", "save it as CSV in UTF-8")]
    except csv.Error as fault:
        return None, [Problem(where, f"is not a CSV file: {fault}", "close every double quote, and save it as CSV")]
    names = [name.strip() for name in header]
    faults = [*_repeated(names, where), *_ragged(names, rows, where)]
    if faults:
        return None, faults
    raw = pl.DataFrame(
        dict(zip_longest(names, zip(*rows, strict=True), fillvalue=())),
        schema=dict.fromkeys(names, pl.String),
    ).with_columns(pl.all().str.strip_chars().replace("", None))
    frame = raw.with_columns(
        _typed(raw[name], contract.columns[name].dtype.type) for name in names if name in contract.columns
    )
    if set(names) == set(contract.columns):
        frame = frame.select(list(contract.columns))
    unread = [problem for name in names for problem in _unread(raw[name], frame[name], where)]
    places = {problem.where for problem in unread}
    faults = [*unread, *(problem for problem in problems(frame, contract, where) if problem.where not in places)]
    return (frame if set(contract.columns) <= set(names) else None), faults


def _repeated(names: list[str], where: str) -> list[Problem]:
    return [
        Problem(f"{where} row 1", f"{times} columns are called {name!r}", "give each column its own name, once")
        for name, times in Counter(names).items()
        if times > 1
    ]


def _ragged(names: list[str], rows: list[list[str]], where: str) -> list[Problem]:
    cure = "put a cell that contains a comma in double quotes; delete empty rows"
    return [
        Problem(f"{where} row {number}", f"has {len(row)} cells where the header has {len(names)}", cure)
        for number, row in enumerate(rows, 2)
        if len(row) != len(names)
    ]


def _typed(cells: pl.Series, dtype: Any) -> pl.Series:
    if dtype == pl.Date:
        return cells.str.to_date("%Y-%m-%d", strict=False)
    if dtype == pl.Datetime:
        return cells.str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_unit="us", strict=False)
    if dtype == pl.Boolean:
        return cells.str.to_lowercase().replace_strict(
            {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
        )
    return cells.cast(dtype, strict=False)


def _unread(cells: pl.Series, values: pl.Series, where: str) -> list[Problem]:
    cure = next((words for kind, words in CURES.items() if values.dtype == kind), "")
    rows = (cells.is_not_null() & values.is_null()).arg_true()
    return [Problem(at(where, row + 2, cells.name), f"found {cells[row]!r}", cure) for row in rows]
