"""Dividends and corporate actions: rows by our column names, with the faults of their file."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from exchina.errors import Problem
from exchina.market.intake import checks
from exchina.market.intake.entries import read_entry, said, with_known_symbols, with_venue
from exchina.market.intake.mapping import Actions, ColumnOf, Dividends
from exchina.market.intake.sheet import Taken, listed
from exchina.market.terms import event_problems
from exchina.model import Reference
from exchina.tables.actions import STATUSES, TERMS
from exchina.tables.market import SCHEMAS

DIVIDEND_TYPES = ("ordinary", "special", "return_of_capital")
DIVIDEND_STATUSES = ("confirmed", "estimated", "retracted")
OPTIONAL_TERMS = ("new", "old", "amount", "price", "fraction", "other", "underwritten", "source")
NOT_A_LINE = ("redomicile", "rename")


def read_dividends(entry: Dividends, folder: Path, reference: Reference) -> Taken:
    """Dividends; without a currency column, in the listing's currency after its quote unit."""
    columns: dict[str, ColumnOf | None] = {
        "symbol": entry.symbol,
        "ex_date": entry.ex_date,
        "amount": entry.amount,
        "currency": entry.currency,
        "type": entry.type,
        "franked": entry.franked,
        "status": entry.status,
    }
    taken = with_known_symbols(read_entry(entry, folder, columns, "symbol"), entry.symbol, reference)
    if taken.rows.is_empty():
        return taken
    faults = [
        *checks.strange_words(taken.rows, said(entry.type, "type"), "type", DIVIDEND_TYPES),
        *checks.strange_words(taken.rows, said(entry.status, "status"), "status", DIVIDEND_STATUSES),
    ]
    rows = taken.rows if entry.franked else taken.rows.with_columns(franked=pl.lit(0.0))
    if not entry.currency:
        rows = with_venue(rows, reference).with_columns(pl.col("amount") * pl.col("quote_unit")).drop("quote_unit")
    return replace(taken, rows=rows, problems=[*taken.problems, *faults])


def read_actions(entry: Actions, folder: Path, reference: Reference) -> Taken:
    """Corporate actions; amounts and prices in the listing's currency after its quote unit, known on the ex-date."""
    names = ("symbol", "id", "type", "ex_date", "status", *OPTIONAL_TERMS)
    columns: dict[str, ColumnOf | None] = {name: getattr(entry, name) for name in names}
    unmapped = tuple(name for name in OPTIONAL_TERMS if getattr(entry, name) == name)
    taken = read_entry(entry, folder, columns, "symbol", optional=OPTIONAL_TERMS, if_there=unmapped)
    taken = with_known_symbols(taken, entry.symbol, reference)
    if taken.rows.is_empty():
        return taken
    absent = [pl.lit(None, SCHEMAS["actions"][name]).alias(name) for name in names if name not in taken.rows.columns]
    rows = taken.rows.with_columns(absent)
    rows = rows.with_columns(source=pl.coalesce("source", pl.format("{} row {}", "file", "row")))
    file = rows["file"][0]
    faults = [
        *checks.strange_words(rows, said(entry.type, "type"), "type", tuple(TERMS)),
        *checks.strange_words(rows, said(entry.status, "status"), "status", STATUSES),
        *_strange_others(rows, file, entry.other, reference),
    ]
    sound = rows.filter(pl.col("type").is_in(list(TERMS)))
    faults += event_problems(sound.select(SCHEMAS["actions"].names()), file, sound["row"].to_list())
    venued = with_venue(rows, reference)
    quoted = venued.with_columns(pl.col("amount", "price") * pl.col("quote_unit")).drop("quote_unit", "currency")
    return replace(taken, rows=quoted, problems=[*taken.problems, *faults])


def _strange_others(rows: pl.DataFrame, file: str, column: str, reference: Reference) -> list[Problem]:
    """Other lines that are no listing of the reference; of a redomicile, what is no country."""
    named = rows.drop_nulls("other")
    lines = named.filter(~pl.col("type").is_in(NOT_A_LINE)).drop("symbol").rename({"other": "symbol"})
    countries = named.filter((pl.col("type") == "redomicile") & ~pl.col("other").str.contains("^[A-Z]{2}$"))
    what, cure = "{found} is no country", "write its ISO 3166 code, two capital letters such as AU"
    return [
        *checks.strangers(lines, file, column, reference.listings),
        *listed(file, column, countries.select("row", "other"), what, cure),
    ]
