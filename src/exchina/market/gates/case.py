"""What a gate looks at: the delivered rows, the line's history behind them, the calendars and the present moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

import polars as pl

from exchina.market.calendar import sessions_table
from exchina.market.gates.shifts import Shifts, shifts_of
from exchina.model import MarketData, Reference
from exchina.plugins import Register
from exchina.tables.market import CONTRACTS, SCHEMAS

gate = Register("gate", "exchina.market.gates")

DAY = {
    "prices": "session",
    "dividends": "ex_date",
    "splits": "ex_date",
    "shares": "effective_date",
    "floats": "effective_date",
    "fx": "session",
    "benchmarks": "session",
}
FIELD = {
    "prices": "close",
    "dividends": "amount",
    "splits": "ratio",
    "shares": "shares",
    "floats": "free_float_factor",
    "fx": "usd_per_unit",
    "benchmarks": "level",
}
ORDINARY = 0.5  # a larger move of a day, up 65 % or down 39 %, says nothing of how a line usually moves
HELD = {
    "table": pl.String,
    "row": pl.UInt32,
    "symbol": pl.String,
    "day": pl.Date,
    "found": pl.String,
    "needed": pl.String,
}


@dataclass(frozen=True, eq=False)
class Case:
    """What is to be judged.

    Attributes:
        tables: the rows that ask to enter, by table, each with its number ``row``; only tables with gates.
        stored: the market as it stands; None for a new one.
        sessions: trading sessions that came with the delivery or are stored.
        reference: the reference data.
        now: the present moment, with a time zone.
    """

    tables: Mapping[str, pl.DataFrame]
    stored: MarketData | None
    sessions: pl.DataFrame
    reference: Reference
    now: datetime

    def rows(self, table: str) -> pl.DataFrame:
        """The rows of a table that ask to enter, with ``row``; empty if there are none."""
        return self.tables.get(table, pl.DataFrame(schema={"row": pl.UInt32, **SCHEMAS[table]}))

    def known(self, table: str) -> pl.DataFrame:
        """The rows of a table after the delivery: the stored ones as last known, a delivered one in place of its own.

        ``row`` is null where a row is stored and not delivered.
        """
        key = [column for column in CONTRACTS[table].unique or [] if column != "known_date"]
        before = pl.DataFrame(schema=SCHEMAS[table]) if self.stored is None else getattr(self.stored, table)
        before = before.with_columns(row=pl.lit(None, pl.UInt32)).select("row", *SCHEMAS[table])
        last = pl.concat([part.sort("known_date") for part in (before, self.rows(table))])
        return last.unique(key, keep="last", maintain_order=True).sort(key)

    @cached_property
    def places(self) -> pl.DataFrame:
        """symbol, mic, calendar, currency, first, last of every listing of the reference."""
        venues = self.reference.venues.select("mic", "calendar")
        lines = self.reference.listings.select(
            "mic", "currency", symbol="yahoo_symbol", first="first_trade_date", last="last_trade_date"
        )
        return lines.join(venues, on="mic", how="left", maintain_order="left")

    @cached_property
    def lines(self) -> pl.DataFrame:
        """The history of every line with a delivered price, by symbol and session.

        Columns: symbol, session, close, volume; row; was (the stored close of the same session); mic, calendar; place
        (number within the line); lots (shares now for one of the first day, by the splits between); paid (dividends of
        the session); raw (ln of the close over the one before); move (the same with splits undone); usual (standard
        deviation of an ordinary move, at least 1 %, from the median of those neither zero nor over `ORDINARY`).
        """
        asked = self.rows("prices")["symbol"].unique().implode()
        lines = self.known("prices").filter(pl.col("symbol").is_in(asked)).drop("known_date")
        stored = pl.DataFrame(schema=SCHEMAS["prices"]) if self.stored is None else self.stored.prices
        was = stored.sort("known_date").unique(["symbol", "session"], keep="last", maintain_order=True)
        lines = lines.join(was.select("symbol", "session", was="close"), on=["symbol", "session"], how="left")
        lines = lines.join(self.places.select("symbol", "mic", "calendar"), on="symbol", how="left")
        return moves(lines.sort("symbol", "session"), self.known("splits"), self.known("dividends"))

    @cached_property
    def shifts(self) -> Shifts:
        """Where the closes stand on another level than the line's own, by the factor of a unit or a split."""
        return shifts_of(self.lines, self.known("splits"))

    @cached_property
    def open_days(self) -> pl.DataFrame:
        """calendar, session, close_at of every calendar of a venue over the days of the delivered prices."""
        prices = self.rows("prices")["session"]
        first, last = prices.min(), prices.max()
        wanted = set(self.lines["calendar"].drop_nulls())
        lacking = wanted - set(self.sessions["calendar"])
        for name, days in (
            self.sessions.group_by("calendar")
            .agg(first=pl.col("session").min(), last=pl.col("session").max())
            .rows_by_key("calendar", named=True, unique=True)
            .items()
        ):
            if name in wanted and isinstance(first, date) and isinstance(last, date):
                lacking |= {name} if days["first"] > first or days["last"] < last else set()
        if not lacking or not isinstance(first, date) or not isinstance(last, date):
            return self.sessions
        made = sessions_table(lacking, first, max(last, self.now.date()))
        return pl.concat([self.sessions, made]).unique(["calendar", "session"], keep="last", maintain_order=True)


def moves(lines: pl.DataFrame, splits: pl.DataFrame, dividends: pl.DataFrame) -> pl.DataFrame:
    """Lines by symbol and session with place, lots, raw, paid, move and usual (see `Case.lines`)."""
    steps = _on_sessions(splits.select("symbol", session="ex_date", step=pl.col("ratio").log()), lines)
    counted = dividends.filter(pl.col("status") != "retracted")
    paid = _on_sessions(counted.select("symbol", session="ex_date", paid="amount"), lines)
    met = lines.join(steps, on=["symbol", "session"], how="left", maintain_order="left")
    met = met.join(paid, on=["symbol", "session"], how="left", maintain_order="left")
    met = met.with_columns(pl.col("step", "paid").fill_null(0.0))
    raw = (pl.col("close") / pl.col("close").shift(1)).log().over("symbol")
    lots = pl.col("step").cum_sum().exp().over("symbol")
    moved = met.with_columns(place=pl.int_range(pl.len()).over("symbol"), raw=raw, lots=lots)
    moved = moved.with_columns(move=pl.col("raw") + pl.col("step")).drop("step")
    size = pl.col("move").abs()
    usual = 1.4826 * size.filter((size > 0) & (size < ORDINARY)).median().over("symbol")
    return moved.with_columns(usual=pl.max_horizontal(usual.fill_null(0.0), pl.lit(0.01)))


def _on_sessions(terms: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Terms summed on the first session of their line on or after their day."""
    days = lines.select("symbol", "session", at="session").sort("session")
    met = terms.sort("session").join_asof(days, on="session", by="symbol", strategy="forward", check_sortedness=False)
    return met.drop_nulls("at").group_by("symbol", session="at").agg(pl.col(terms.columns[-1]).sum())


def held(table: str, rows: pl.DataFrame, found: pl.Expr, needed: str | pl.Expr) -> pl.DataFrame:
    """Rows that a gate holds back.

    Args:
        table: which they are of.
        rows: with ``row``, and the columns that name them.
        found: what was found, in words.
        needed: what was needed, in words.
    """
    name = "currency" if table == "fx" else "symbol"
    return rows.filter(pl.col("row").is_not_null()).select(
        table=pl.lit(table),
        row=pl.col("row").cast(pl.UInt32),
        symbol=pl.col(name),
        day=pl.col(DAY[table]),
        found=found,
        needed=pl.lit(needed) if isinstance(needed, str) else needed,
    )


def nothing() -> pl.DataFrame:
    """No row held."""
    return pl.DataFrame(schema=HELD)
