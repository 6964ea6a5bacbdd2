"""Small markets for tests."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from exchina.model import MarketData
from exchina.tables.market import CONTRACTS, SCHEMAS


def empty(name: str) -> pl.DataFrame:
    """A table of a market with its columns and no row."""
    return pl.DataFrame(schema={column: spec.dtype.type for column, spec in CONTRACTS[name].columns.items()})


DEFAULTS: dict[str, dict[str, Any]] = {
    "dividends": {"type": "ordinary", "franked": 0.0, "status": "confirmed"},
    "actions": {
        **dict.fromkeys(("new", "old", "amount", "price", "fraction", "other", "underwritten")),
        **{"status": "confirmed", "source": "a test"},
    },
}


def market(**tables: pl.DataFrame) -> MarketData:
    """A market of the given tables; known_date is the day of the row where it is not given.

    Dividends are ordinary, unfranked and confirmed, actions confirmed and without terms where they do not say.
    """
    return MarketData(**{name: _table(name, tables[name]) if name in tables else empty(name) for name in CONTRACTS})


def _table(name: str, table: pl.DataFrame) -> pl.DataFrame:
    kinds = SCHEMAS[name]
    lacking = {column: value for column, value in DEFAULTS.get(name, {}).items() if column not in table.columns}
    defaults = [pl.lit(value, kinds[column]).alias(column) for column, value in lacking.items()]
    filled = _filled(table.with_columns(defaults))
    return filled.select(kinds.names()) if lacking else filled


def _filled(table: pl.DataFrame) -> pl.DataFrame:
    day = next((column for column in ("session", "ex_date", "effective_date") if column in table.columns), None)
    known = "known_date" in table.columns or "close_at" in table.columns or day is None
    table = table if known else table.with_columns(known_date=pl.col(day))
    return (
        table.with_columns(volume=pl.lit(None, pl.Float64))
        if "close" in table.columns and "volume" not in table.columns
        else table
    )


def sessions(calendar: str, days: Iterable[date]) -> pl.DataFrame:
    """Sessions that close at 21:00 UTC."""
    table = pl.DataFrame({"calendar": calendar, "session": list(days)}, schema_overrides={"session": pl.Date})
    return table.with_columns(close_at=pl.col("session").dt.combine(pl.time(21)).dt.replace_time_zone("UTC"))


def read(path: Path, **dates: str) -> pl.DataFrame:
    """A CSV with ISO dates parsed."""
    return pl.read_csv(path, try_parse_dates=True, infer_schema_length=None)
