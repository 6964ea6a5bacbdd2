"""Files of the outside data as deliveries, as a live provider would shape them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from exchina.market import Delivery, gates
from exchina.market.calendar import sessions_table
from exchina.market.overrides import OVERRIDES
from exchina.model import MarketData, Reference
from exchina.tables.market import SCHEMAS

LATE = datetime(2026, 11, 23, 12, tzinfo=UTC)
NO_OVERRIDES = pl.DataFrame(schema={name: column.dtype.type for name, column in OVERRIDES.columns.items()})
SUFFIX = {"AX": "XASX", "T": "XTKS", "L": "XLON", "PA": "XPAR", "DE": "XETR", "MI": "XMIL"}


def mic(symbol: str) -> str:
    return SUFFIX.get(symbol.rpartition(".")[2], "XNYS") if "." in symbol else "XNYS"


def listed(reference: Reference, symbols: Sequence[str]) -> Reference:
    """The reference with a listing, open on both sides, for each symbol that has none; and a venue for each."""
    new = [symbol for symbol in symbols if symbol not in reference.listings["yahoo_symbol"]]
    row = reference.listings.head(1)
    open_ended = {"first_trade_date": pl.lit(None, pl.Date), "last_trade_date": pl.lit(None, pl.Date)}
    rows = [
        row.with_columns(yahoo_symbol=pl.lit(one), mic=pl.lit(mic(one)), currency=pl.lit("USD"), **open_ended)
        for one in new
    ]
    venue = reference.venues.head(1)
    lacking = sorted({mic(one) for one in new} - set(reference.venues["mic"]))
    venues = [venue.with_columns(mic=pl.lit(one), calendar=pl.lit(one)) for one in lacking]
    return replace(
        reference,
        listings=pl.concat([reference.listings, *rows]),
        venues=pl.concat([reference.venues, *venues]),
    )


def table(name: str, rows: pl.DataFrame, day: str) -> pl.DataFrame:
    """Rows with the columns of a table of the market, known on their own day."""
    return rows.with_columns(known_date=pl.col(day)).select(
        pl.col(column).cast(kind)
        if column in rows.columns or column == "known_date"
        else pl.lit(None, kind).alias(column)
        for column, kind in SCHEMAS[name].items()
    )


def delivery(
    prices: pl.DataFrame,
    dividends: pl.DataFrame | None = None,
    splits: pl.DataFrame | None = None,
    *,
    kind: str = "vendor",
    **more: pl.DataFrame,
) -> Delivery:
    """symbol, session, close and perhaps volume; symbol, ex_date, amount; symbol, ex_date, ratio."""
    tables = {"prices": table("prices", prices, "session"), **more}
    if dividends is not None:
        paid = {"currency": "USD", "type": "ordinary", "franked": 0.0, "status": "confirmed"}
        lacking = {column: pl.lit(value) for column, value in paid.items() if column not in dividends.columns}
        tables["dividends"] = table("dividends", dividends.with_columns(**lacking), "ex_date")
    if splits is not None:
        tables["splits"] = table("splits", splits, "ex_date")
    days = prices["session"].sort()
    calendars = {mic(symbol) for symbol in prices["symbol"].unique()}
    tables["sessions"] = sessions_table(calendars, days[0], max(days[-1], date(days[-1].year, 12, 31)))
    return Delivery(kind, "A vendor.", tables)  # type: ignore[arg-type]


def yahoo(path: Path, symbol: str, unit: float = 1.0) -> Delivery:
    """A file of the vendor's own form: closes are adjusted for splits, which is undone here."""
    raw = pl.read_csv(path, infer_schema_length=None)
    raw = raw.rename({raw.columns[0]: "Date"}).with_columns(session=pl.col("Date").str.slice(0, 10).str.to_date())
    rows = raw.sort("session").with_columns(
        ratio=pl.col("Stock Splits").cast(pl.Float64), volume=pl.col("Volume").cast(pl.Float64)
    )
    step = pl.when(pl.col("ratio") > 0).then(pl.col("ratio")).otherwise(1.0)
    later = step.cum_prod(reverse=True) / step
    rows = rows.with_columns(
        symbol=pl.lit(symbol), close=pl.col("Close").cast(pl.Float64) * unit * later, volume=pl.col("volume") / later
    )
    paid = rows.filter(pl.col("Dividends").cast(pl.Float64) > 0)
    split = rows.filter(pl.col("ratio") > 0)
    return delivery(
        rows.select("symbol", "session", "close", "volume"),
        paid.select("symbol", ex_date="session", amount=pl.col("Dividends").cast(pl.Float64) * unit),
        split.select("symbol", "ratio", ex_date="session"),
    )


def held(
    given: Delivery,
    reference: Reference,
    stored: MarketData | None = None,
    now: datetime = LATE,
    overrides: pl.DataFrame = NO_OVERRIDES,
) -> pl.DataFrame:
    """What the gates say of a delivery whose symbols are all listed."""
    known = listed(reference, given.tables["prices"]["symbol"].unique(maintain_order=True).to_list())
    return gates.passed(given, stored, known, overrides, now)[1]
