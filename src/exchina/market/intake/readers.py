"""One reader per kind of file: rows by our column names, with the faults and notices of that file."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from exchina.errors import Problem
from exchina.market.intake import checks
from exchina.market.intake.mapping import (
    Benchmarks,
    ColumnOf,
    Dividends,
    Entry,
    Fixed,
    Floats,
    Prices,
    Rates,
    Shares,
    Splits,
)
from exchina.market.intake.sheet import Sheet, Taken, listed, open_sheet, take
from exchina.model import Reference
from exchina.tables.market import SCHEMAS

OUTSIDE_CURE = 'rows of another company stand here; outside_listing_window = "cut" in the mapping drops them'
NOTHING = pl.DataFrame()
KINDS = {name: kind for schema in SCHEMAS.values() for name, kind in schema.items()} | {"market_cap_usd": pl.Float64}


def read_prices(entry: Prices, folder: Path, reference: Reference) -> Taken:
    """Closes in units of the listing's currency, with columns ``currency`` and ``market_cap_usd`` (null: unknown)."""
    columns: dict[str, ColumnOf | None] = {
        "symbol": entry.symbol,
        "session": entry.session,
        "close": entry.close,
        "volume": entry.volume,
        "market_cap_usd": entry.market_cap_usd,
    }
    taken = _read(entry, folder, columns, "symbol", ("volume", "market_cap_usd"))
    if taken.rows.is_empty():
        return taken
    file, close = taken.rows["file"][0], entry.close
    by_name = checks.adjusted_by_name(file, close)
    faults = [
        *(by_name or checks.adjusted_by_look(taken.rows, file, close)),
        *checks.strangers(taken.rows, file, _said(entry.symbol), reference.listings),
        *checks.out_of_order(taken.rows, file, entry.session),
    ]
    for name in ("volume", "market_cap_usd"):
        if name not in taken.rows.columns:
            taken = replace(taken, rows=taken.rows.with_columns(pl.lit(None, pl.Float64).alias(name)))
    taken = _inside_window(entry, taken, reference)
    rows = _with_venue(taken.rows, reference).with_columns(pl.col("close") * pl.col("quote_unit"))
    return Taken(rows.drop("quote_unit"), [*taken.problems, *faults], [*taken.notices, *_stale(taken.rows)])


def read_dividends(entry: Dividends, folder: Path, reference: Reference) -> Taken:
    """Dividends; without a currency column, in the listing's currency after its quote unit."""
    columns: dict[str, ColumnOf | None] = {
        "symbol": entry.symbol,
        "ex_date": entry.ex_date,
        "amount": entry.amount,
        "currency": entry.currency,
        "type": entry.type,
    }
    taken = _checked_symbols(_read(entry, folder, columns, "symbol"), entry.symbol, reference)
    if entry.currency or taken.rows.is_empty():
        return taken
    rows = _with_venue(taken.rows, reference).with_columns(pl.col("amount") * pl.col("quote_unit"))
    return replace(taken, rows=rows.drop("quote_unit"))


def read_splits(entry: Splits, folder: Path, reference: Reference) -> Taken:
    """Splits."""
    columns: dict[str, ColumnOf | None] = {"symbol": entry.symbol, "ex_date": entry.ex_date, "ratio": entry.ratio}
    return _checked_symbols(_read(entry, folder, columns, "symbol"), entry.symbol, reference)


def read_shares(entry: Shares, folder: Path, reference: Reference) -> Taken:
    """Share counts."""
    columns: dict[str, ColumnOf | None] = {
        "symbol": entry.symbol,
        "effective_date": entry.effective_date,
        "shares": entry.shares,
    }
    return _checked_symbols(_read(entry, folder, columns, "symbol"), entry.symbol, reference)


def read_floats(entry: Floats, folder: Path, reference: Reference) -> Taken:
    """Free-float factors; those in a file count as reported."""
    columns: dict[str, ColumnOf | None] = {
        "symbol": entry.symbol,
        "effective_date": entry.effective_date,
        "free_float_factor": entry.free_float_factor,
        "basis": Fixed(value="reported"),
    }
    return _checked_symbols(_read(entry, folder, columns, "symbol"), entry.symbol, reference)


def read_benchmarks(entry: Benchmarks, folder: Path) -> Taken:
    """Benchmark levels, of any symbol."""
    columns: dict[str, ColumnOf | None] = {
        "symbol": entry.symbol,
        "session": entry.session,
        "level": entry.level,
    }
    return _read(entry, folder, columns, "symbol")


def read_rates(entry: Rates, folder: Path) -> Taken:
    """US dollars per unit of each currency, from either layout; the dollar itself is left out."""
    if entry.layout == "wide":
        taken = _read_wide(entry, folder)
    else:
        columns: dict[str, ColumnOf | None] = {
            "currency": entry.currency,
            "session": entry.session,
            "usd_per_unit": entry.usd_per_unit,
        }
        taken = _read(entry, folder, columns, "currency")
    if taken.rows.is_empty():
        return taken
    return replace(taken, rows=taken.rows.filter(pl.col("currency") != "USD"))


def _read_wide(entry: Rates, folder: Path) -> Taken:
    """usd_per_unit(X) = units of USD / units of X, both per one unit of ``units_per``; empty cells are skipped."""
    sheet = open_sheet(entry.path, folder)
    if isinstance(sheet, Problem):
        return Taken(NOTHING, [sheet], [])
    held = [name for name in sheet.cells.columns if len(name) == 3 and name.isalpha() and name.isupper()]
    base = entry.units_per
    lacking = [name for name in (*entry.only, "USD") if name not in (*held, base)]
    if lacking:
        cure = f"there are {', '.join(held) or 'none'}"
        return Taken(NOTHING, [Problem(sheet.name, f"no column for the currency {name}", cure) for name in lacking], [])
    wanted = [name for name in held if not entry.only or name in (*entry.only, "USD")]
    days = {"session": entry.session, **({"known_date": entry.known_date} if entry.known_date else {})}
    kinds = {**dict.fromkeys(wanted, pl.Float64), "session": pl.Date, "known_date": pl.Date}
    taken = take(sheet, {**days, **{name: name for name in wanted}}, kinds, tuple(wanted))
    if not taken.rows.width:
        return taken
    rows = (
        _with_known_date(taken.rows, "session").with_columns(pl.lit(1.0).alias(base)).with_columns(dollar=pl.col("USD"))
    )
    long = rows.unpivot(
        [*wanted, base] if base not in wanted else wanted,
        index=["file", "row", "session", "known_date", "dollar"],
        variable_name="currency",
        value_name="units",
    ).with_columns(usd_per_unit=pl.col("dollar") / pl.col("units"))
    return replace(taken, rows=long.drop_nulls("usd_per_unit").drop("dollar", "units"))


def _read(
    entry: Entry, folder: Path, columns: dict[str, ColumnOf | None], key: str, optional: tuple[str, ...] = ()
) -> Taken:
    """The mapped columns of a file that is told apart by ``key``; columns mapped to None are left out."""
    sheet = open_sheet(entry.path, folder)
    if isinstance(sheet, Problem):
        return Taken(NOTHING, [sheet], [])
    mapped = {
        name: column for name, column in {**columns, "known_date": entry.known_date}.items() if column is not None
    }
    sheet, absent = _only(sheet, entry, mapped[key])
    kinds = {name: KINDS[name] for name in mapped}
    taken = take(sheet, mapped, kinds, optional)
    if not taken.rows.width:
        return replace(taken, problems=[*absent, *taken.problems])
    day = next(name for name in mapped if KINDS[name] == pl.Date)
    return Taken(_with_known_date(taken.rows, day), [*absent, *taken.problems], [])


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


def _with_known_date(rows: pl.DataFrame, day: str) -> pl.DataFrame:
    return rows if "known_date" in rows.columns else rows.with_columns(known_date=pl.col(day))


def _with_venue(rows: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """The rows with ``currency`` and ``quote_unit`` of their listing; rows of unknown symbols fall out."""
    units = reference.listings.join(
        reference.venues.select("mic", "quote_unit"), on="mic", how="left", maintain_order="left"
    )
    facts = units.select("yahoo_symbol", "currency", "quote_unit")
    return rows.join(facts, left_on="symbol", right_on="yahoo_symbol", how="inner", maintain_order="left")


def _checked_symbols(taken: Taken, column: ColumnOf, reference: Reference) -> Taken:
    if taken.rows.is_empty():
        return taken
    faults = checks.strangers(taken.rows, taken.rows["file"][0], _said(column), reference.listings)
    return replace(taken, problems=[*taken.problems, *faults])


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


def _said(column: ColumnOf) -> str:
    return column if isinstance(column, str) else "symbol"
