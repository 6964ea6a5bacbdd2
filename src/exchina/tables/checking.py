"""The one way to check a table against its contract: every fault at once, each at its row and column."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from difflib import get_close_matches

import pandera.polars as pa
import polars as pl

from exchina.errors import Problem

MOST_OF_A_KIND = 20
MEANING = {
    pl.String: "text",
    pl.Float64: "numbers",
    pl.Int8: "whole numbers",
    pl.Int32: "whole numbers",
    pl.Boolean: "true or false",
    pl.Date: "dates written YYYY-MM-DD",
    pl.Datetime: "instants written YYYY-MM-DDThh:mm:ss with an offset such as +00:00",
}


def problems(frame: pl.DataFrame, contract: pa.DataFrameSchema, where: str, first_row: int = 2) -> list[Problem]:
    """Every fault of a table against its contract; an empty list means that the table is sound.

    Args:
        frame: the table.
        contract: a pandera contract for polars, of columns, their checks and keys (no check of whole frames).
        where: what a person calls the table, such as ``stages.csv``; each problem's place starts with it.
        first_row: number of the frame's first row in its file; 2 is the row below a header.

    Returns:
        Problems by column, then kind, then row; of one kind in one column at most 20, then one that counts the rest.
    """
    cells = _broken_cells(frame, contract)
    return [
        *_columns(frame, contract, where),
        *_types(frame, contract, where),
        *(problem for name, rows, cure in cells for problem in _listed(frame[name], rows, cure, where, first_row)),
        *_keys(frame, contract, where, first_row),
    ]


def at(where: str, row: int, *columns: str) -> str:
    """A place in a table in words: ``stages.csv row 7, column stage``."""
    return f"{where} row {row}, column {'+'.join(columns)}"


def shown(value: object) -> str:
    """A cell as a person would write it: text in quotes, days as YYYY-MM-DD."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    return "nothing" if value is None else repr(value)


def allowed(word: object, words: Sequence[str]) -> str:
    """The cure for a word outside a list: the list, and the nearest word in it."""
    near = get_close_matches(str(word), words, n=1)
    return f"allowed: {', '.join(words)}" + (f"; did you mean {near[0]!r}?" if near else "")


def kind_of(dtype: object) -> str:
    """What a column of a polars type holds, in words a spreadsheet user knows."""
    return next((words for kind, words in MEANING.items() if dtype == kind), str(dtype))


def _columns(frame: pl.DataFrame, contract: pa.DataFrameSchema, where: str) -> Iterator[Problem]:
    wanted, found = list(contract.columns), frame.columns
    missing = [name for name in wanted if name not in found]
    for name in missing:
        yield Problem(where, f"column {name!r} is missing", f"add a column {name!r} of {_holds(contract, name)}")
    unexpected = [name for name in found if name not in wanted] if contract.strict else []
    for name in unexpected:
        yield Problem(f"{where}, column {name}", f"no column is called {name!r}", allowed(name, missing or wanted))
    if contract.ordered and not missing and not unexpected and found != wanted:
        yield Problem(where, f"columns stand in the order {', '.join(found)}", f"order them {', '.join(wanted)}")


def _holds(contract: pa.DataFrameSchema, name: str) -> str:
    return kind_of(contract.columns[name].dtype.type)


def _types(frame: pl.DataFrame, contract: pa.DataFrameSchema, where: str) -> Iterator[Problem]:
    for name in contract.columns:
        if name in frame.columns and not _sound(frame, contract, name):
            yield Problem(
                f"{where}, column {name}",
                f"holds {kind_of(frame.schema[name])} ({frame.schema[name]})",
                f"must hold {_holds(contract, name)} ({contract.columns[name].dtype})",
            )


def _sound(frame: pl.DataFrame, contract: pa.DataFrameSchema, name: str) -> bool:
    return name in frame.columns and frame.schema[name] == contract.columns[name].dtype.type


def _broken_cells(frame: pl.DataFrame, contract: pa.DataFrameSchema) -> Iterator[tuple[str, pl.Series, str | pa.Check]]:
    """Column, row numbers from 0, and the cure or the check that says it, of each kind of fault in each column."""
    for name, column in contract.columns.items():
        if _sound(frame, contract, name):
            cure = "give a number, or leave it empty" if column.nullable else "give a number"
            yield name, _not_finite(frame[name]).arg_true(), cure
    for cases in _failures(frame, contract).partition_by("column", "check", maintain_order=True):
        name, _, number, _ = cases.row(0)
        if _sound(frame, contract, name):
            rows = cases["index"].sort()
            cure = f"fill in {_holds(contract, name)}" if number is None else contract.columns[name].checks[number]
            yield name, rows.filter(~_not_finite(frame[name][rows])), cure


def _failures(frame: pl.DataFrame, contract: pa.DataFrameSchema) -> pl.DataFrame:
    """The cells that pandera refuses: column, check, check_number, index (row number from 0)."""
    none = {"column": pl.String, "check": pl.String, "check_number": pl.Int32, "index": pl.Int32}
    try:
        contract.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as fault:
        cases: pl.DataFrame = fault.failure_cases
        found = cases.select(*none).filter(pl.col("index").is_not_null() & pl.col("column").is_in(frame.columns))
        return found.filter(pl.col("check") != "field_uniqueness")
    return pl.DataFrame(schema=none)


def _not_finite(values: pl.Series) -> pl.Series:
    finite = values.is_finite() if values.dtype.is_float() else pl.repeat(True, len(values), eager=True)
    return ~finite.fill_null(value=True)


def _listed(column: pl.Series, rows: pl.Series, cure: str | pa.Check, where: str, first_row: int) -> Iterator[Problem]:
    for row in rows[:MOST_OF_A_KIND]:
        value = column[row]
        what = "the cell is empty" if value is None else f"found {shown(value)}"
        hint = cure if isinstance(cure, str) else _rule(cure, value)
        yield Problem(at(where, first_row + row, column.name), what, hint)
    if len(rows) > MOST_OF_A_KIND:
        yield Problem(f"{where}, column {column.name}", f"and {len(rows) - MOST_OF_A_KIND} more like these")


def _rule(check: pa.Check, value: object) -> str:
    facts = check.statistics or {}
    match check.name:
        case "isin":
            return allowed(value, [str(word) for word in facts["allowed_values"]])
        case _ if check.description:
            return check.description
        case "in_range":
            return f"must lie between {facts['min_value']:g} and {facts['max_value']:g}"
        case "str_length":
            return f"must have {facts['min_value']} to {facts['max_value']} characters"
        case "str_matches":
            return f"must match the pattern {facts['pattern']}"
        case _:
            return f"must satisfy {check.error or check.name}"


def _keys(frame: pl.DataFrame, contract: pa.DataFrameSchema, where: str, first_row: int) -> Iterator[Problem]:
    keys = [list(contract.unique or []), *([name] for name, column in contract.columns.items() if column.unique)]
    for key in keys:
        if key and all(name in frame.columns for name in key):
            yield from _repeats(frame.select(key), where, first_row)


def _repeats(keys: pl.DataFrame, where: str, first_row: int) -> Iterator[Problem]:
    groups = keys.with_columns(_row=pl.int_range(pl.len()) + first_row).filter(keys.is_duplicated())
    groups = groups.group_by(keys.columns, maintain_order=True).agg("_row")
    for *values, rows in groups[:MOST_OF_A_KIND].iter_rows():
        found = ", ".join(f"{name} {shown(value)}" for name, value in zip(keys.columns, values, strict=True))
        more = f" ({len(rows)} rows in all)" if len(rows) > 2 else ""
        what = f"repeats row {rows[0]}{more}: {found}"
        yield Problem(at(where, rows[1], *keys.columns), what, "keep one of these rows, or mend its key")
    if groups.height > MOST_OF_A_KIND:
        yield Problem(f"{where}, column {'+'.join(keys.columns)}", f"and {groups.height - MOST_OF_A_KIND} more repeats")
