"""Exchange rates, forwards and money-market rates: rows by our column names, with the faults of their file."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from exchina.errors import Problem
from exchina.market.intake.entries import NOTHING, read_entry, said, with_known_date
from exchina.market.intake.mapping import CashRates, ColumnOf, Forwards, Rates
from exchina.market.intake.sheet import Taken, listed, open_sheet, take


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
        taken = read_entry(entry, folder, columns, "currency")
    if taken.rows.is_empty():
        return taken
    return replace(taken, rows=taken.rows.filter(pl.col("currency") != "USD"))


def read_forwards(entry: Forwards, folder: Path) -> Taken:
    """One-month outrights, US dollars per unit of each currency; the dollar itself is left out."""
    columns: dict[str, ColumnOf | None] = {
        "currency": entry.currency,
        "session": entry.session,
        "usd_per_unit": entry.usd_per_unit,
    }
    taken = _with_known_currencies(read_entry(entry, folder, columns, "currency"), entry.currency)
    return taken if taken.rows.is_empty() else replace(taken, rows=taken.rows.filter(pl.col("currency") != "USD"))


def read_cash_rates(entry: CashRates, folder: Path) -> Taken:
    """Yearly money-market rates, of the dollar too."""
    columns: dict[str, ColumnOf | None] = {
        "currency": entry.currency,
        "session": entry.session,
        "rate": entry.rate,
    }
    return _with_known_currencies(read_entry(entry, folder, columns, "currency"), entry.currency)


def _with_known_currencies(taken: Taken, column: ColumnOf) -> Taken:
    """The rows, with a problem for each that has no currency code."""
    if taken.rows.is_empty():
        return taken
    strange = taken.rows.filter(~pl.col("currency").str.contains("^[A-Z]{3}$")).select("row", "currency")
    file, cure = taken.rows["file"][0], "write its ISO 4217 code, three capital letters such as AUD"
    faults = listed(file, said(column, "currency"), strange, "{found} is no currency", cure)
    return replace(taken, problems=[*taken.problems, *faults])


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
        with_known_date(taken.rows, "session").with_columns(pl.lit(1.0).alias(base)).with_columns(dollar=pl.col("USD"))
    )
    long = rows.unpivot(
        [*wanted, base] if base not in wanted else wanted,
        index=["file", "row", "session", "known_date", "dollar"],
        variable_name="currency",
        value_name="units",
    ).with_columns(usd_per_unit=pl.col("dollar") / pl.col("units"))
    return replace(taken, rows=long.drop_nulls("usd_per_unit").drop("dollar", "units"))
