"""One reader per kind of file: rows by our column names, with the faults and notices of that file."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from exchina.market.intake import checks
from exchina.market.intake.entries import read_entry, said, with_known_symbols, with_venue
from exchina.market.intake.mapping import (
    Benchmarks,
    ColumnOf,
    Fixed,
    Floats,
    Prices,
    Shares,
    Splits,
)
from exchina.market.intake.sheet import Taken, listed
from exchina.model import Reference

OUTSIDE_CURE = 'rows of another company stand here; outside_listing_window = "cut" in the mapping drops them'


def read_prices(entry: Prices, folder: Path, reference: Reference) -> Taken:
    """Closes in units of the listing's currency, with columns ``currency`` and ``market_cap_usd`` (null: unknown)."""
    columns: dict[str, ColumnOf | None] = {
        "symbol": entry.symbol,
        "session": entry.session,
        "close": entry.close,
        "volume": entry.volume,
        "market_cap_usd": entry.market_cap_usd,
    }
    taken = read_entry(entry, folder, columns, "symbol", optional=("volume", "market_cap_usd"))
    taken = _since(entry, taken)
    if taken.rows.is_empty():
        return taken
    file, close = taken.rows["file"][0], entry.close
    by_name = checks.adjusted_by_name(file, close)
    faults = [
        *(by_name or checks.adjusted_by_look(taken.rows, file, close)),
        *checks.strangers(taken.rows, file, said(entry.symbol), reference.listings),
        *checks.out_of_order(taken.rows, file, entry.session),
    ]
    for name in ("volume", "market_cap_usd"):
        if name not in taken.rows.columns:
            taken = replace(taken, rows=taken.rows.with_columns(pl.lit(None, pl.Float64).alias(name)))
    taken = _inside_window(entry, taken, reference)
    rows = with_venue(taken.rows, reference).with_columns(pl.col("close") * pl.col("quote_unit"))
    return Taken(rows.drop("quote_unit"), [*taken.problems, *faults], [*taken.notices, *_stale(taken.rows)])


def read_splits(entry: Splits, folder: Path, reference: Reference) -> Taken:
    """Splits."""
    columns: dict[str, ColumnOf | None] = {"symbol": entry.symbol, "ex_date": entry.ex_date, "ratio": entry.ratio}
    return with_known_symbols(read_entry(entry, folder, columns, "symbol"), entry.symbol, reference)


def read_shares(entry: Shares, folder: Path, reference: Reference) -> Taken:
    """Share counts."""
    columns: dict[str, ColumnOf | None] = {
        "symbol": entry.symbol,
        "effective_date": entry.effective_date,
        "shares": entry.shares,
    }
    return with_known_symbols(read_entry(entry, folder, columns, "symbol"), entry.symbol, reference)


def read_floats(entry: Floats, folder: Path, reference: Reference) -> Taken:
    """Free-float factors; those in a file count as reported."""
    columns: dict[str, ColumnOf | None] = {
        "symbol": entry.symbol,
        "effective_date": entry.effective_date,
        "free_float_factor": entry.free_float_factor,
        "basis": Fixed(value="reported"),
    }
    return with_known_symbols(read_entry(entry, folder, columns, "symbol"), entry.symbol, reference)


def read_benchmarks(entry: Benchmarks, folder: Path) -> Taken:
    """Benchmark levels, of any symbol."""
    columns: dict[str, ColumnOf | None] = {
        "symbol": entry.symbol,
        "session": entry.session,
        "level": entry.level,
    }
    return read_entry(entry, folder, columns, "symbol")


def _since(entry: Prices, taken: Taken) -> Taken:
    """The rows from ``since`` on, with a notice that counts the others."""
    if entry.since is None or taken.rows.is_empty():
        return taken
    rows = taken.rows.filter(pl.col("session") >= entry.since)
    notice = f"{taken.rows['file'][0]}: {taken.rows.height - rows.height} rows before {entry.since} were passed over."
    return replace(taken, rows=rows, notices=[*taken.notices, notice])


def _inside_window(entry: Prices, taken: Taken, reference: Reference) -> Taken:
    """Rows outside their listing's window refused, or cut with a notice that counts them."""
    outside = checks.outside_window(taken.rows, reference.listings)
    if outside.is_empty():
        return taken
    file = outside["file"][0]
    if entry.outside_listing_window == "refuse":
        what = "{found} lies outside the time in which this symbol was listed"
        faults = listed(file, entry.session, outside.select("row", found="session"), what, OUTSIDE_CURE)
        return replace(taken, problems=[*taken.problems, *faults])
    counts = outside.group_by("symbol").len().sort("symbol").iter_rows()
    notices = [f"{file}: {number} rows of {symbol} outside its time of listing were cut." for symbol, number in counts]
    rows = taken.rows.join(outside.select("row"), on="row", how="anti", maintain_order="left")
    return replace(taken, rows=rows, notices=[*taken.notices, *notices])


def _stale(rows: pl.DataFrame) -> list[str]:
    again = checks.stale(rows).group_by("file", "session").agg(pl.col("symbol").sort()).sort("session")
    return [
        f"{file}: on {session} {', '.join(symbols)} repeat both close and volume of the session before."
        for file, session, symbols in again.iter_rows()
    ]
