"""Divide a delivery into the rows that enter and the rows that are held, and remember both."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from exchina.errors import DataError, Problem
from exchina.market import Delivery
from exchina.market.gates.case import DAY, FIELD, HELD, Case, gate
from exchina.model import MarketData, Reference
from exchina.tables.market import CONTRACTS, SCHEMAS

KEY = ["table", "symbol", "day", "gate", "record"]
OUT = ("held", "dropped")


def passed(
    delivery: Delivery, stored: MarketData | None, reference: Reference, overrides: pl.DataFrame, now: datetime
) -> tuple[Delivery, pl.DataFrame]:
    """The rows of a delivery that every gate lets through, and what became of the others.

    Rows that were held before ask again, with the data of this delivery beside them; one that enters so is known from
    this day. A simulated delivery passes as it is; so does one that breaks a contract, which the store then refuses.

    Args:
        delivery: what a provider handed over.
        stored: the market as it stands, every version of its rows; None for a new one.
        reference: the reference data.
        overrides: of this market, by the contract `exchina.market.overrides.OVERRIDES`.
        now: the present moment, with a time zone.

    Returns:
        The delivery with the rows that enter, and what is new in quarantine as its table ``quarantine``; and that
        table, contract `exchina.tables.market.QUARANTINE`.
    """
    none = pl.DataFrame(schema=SCHEMAS["quarantine"])
    sound = all(table.schema == SCHEMAS[name] for name, table in delivery.tables.items() if name in DAY)
    if delivery.kind == "simulated" or not sound:
        return delivery, none
    today = now.astimezone(UTC).date()
    history = none if stored is None else last_known(stored.quarantine)
    standing = history.filter(pl.col("status") == "held")
    tables = _candidates(delivery, standing, today)
    sessions = [delivery.tables.get("sessions"), None if stored is None else stored.sessions]
    known = pl.concat([table for table in sessions if table is not None] or [pl.DataFrame(schema=SCHEMAS["sessions"])])
    known = known.unique(["calendar", "session"], keep="first", maintain_order=True)
    case = Case(tables, stored, known, reference, now)
    hits = _judged(_described(_hits(case), tables), stored, overrides.filter(pl.col("decided_on") <= today))
    out = hits.filter(pl.col("status").is_in(OUT)).select("table", "row").unique()
    entering = {
        name: rows.join(out.filter(pl.col("table") == name), on="row", how="anti", maintain_order="left").drop("row")
        for name, rows in tables.items()
    }
    news = pl.concat([hits.drop("row"), _ended(standing, hits, tables, today), _arrived(history, hits, case, today)])
    news = news.with_columns(known_date=pl.lit(today)).select(SCHEMAS["quarantine"].names())
    seen = history.select(*KEY, "status")
    news = news.unique(KEY, keep="first", maintain_order=True).join(seen, on=[*KEY, "status"], how="anti").sort(KEY)
    all_tables = {**delivery.tables, **entering, "quarantine": news}
    return replace(delivery, tables=all_tables, notices=(*delivery.notices, *said(news))), news


def door(
    market: str, reference: Reference, overrides: pl.DataFrame, now: datetime
) -> Callable[[Delivery, MarketData | None], Delivery]:
    """What `passed` leaves of a delivery, as a function of the delivery and of what is stored.

    Raises:
        DataError: from the function, where not one price of a new market passes.
    """

    def let_in(delivery: Delivery, stored: MarketData | None) -> Delivery:
        entering, _ = passed(delivery, stored, reference, overrides, now)
        given = delivery.tables.get("prices")
        if stored is None and given is not None and given.height and entering.tables["prices"].is_empty():
            said = " ".join(entering.notices[len(delivery.notices) :])
            cure = "correct the source, or release rows in market_overrides.csv of the reference data"
            raise DataError(Problem(f"{market} prices", f"the gates hold every one. {said}", cure))
        return entering

    return let_in


def last_known(quarantine: pl.DataFrame) -> pl.DataFrame:
    """The last version of each entry."""
    return quarantine.sort("known_date").unique(KEY, keep="last", maintain_order=True)


def said(news: pl.DataFrame) -> list[str]:
    """What a person should know of new entries: one sentence for each status."""
    words = {
        "held": "Held back by gates: {}. `exchina check market` lists them with their evidence.",
        "noted": "Doubtful, but in the market already: {}. `exchina check market` lists them.",
        "released": "Released by reviewed overrides: {}.",
        "dropped": "Kept out by reviewed overrides: {}.",
        "cleared": "Entered now, since later data explains them: {}.",
        "replaced": "Held before, and replaced by the source: {}.",
    }
    sentences: list[str] = []
    for status, sentence in words.items():
        counts = news.filter(pl.col("status") == status).group_by("table", "gate").len().sort("table", "gate")
        named = [f"{count:,} {table} ({name})" for table, name, count in counts.iter_rows()]
        sentences += [sentence.format(", ".join(named))] if named else []
    return sentences


def _candidates(delivery: Delivery, standing: pl.DataFrame, today: date) -> dict[str, pl.DataFrame]:
    """The rows that ask to enter, numbered: delivered ones, and those held before that are not delivered again."""
    tables: dict[str, pl.DataFrame] = {}
    for name in DAY:
        key = [column for column in CONTRACTS[name].unique or [] if column != "known_date"]
        held_before = _restored(name, standing, today)
        given = delivery.tables.get(name)
        if given is None and held_before.is_empty():
            continue
        rows = pl.DataFrame(schema=SCHEMAS[name]) if given is None else given
        later = pl.max_horizontal("known_date", pl.lit(today))
        waited = held_before.select(*key, waited=pl.lit(value=True)).unique(key)
        rows = rows.join(waited, on=key, how="left", maintain_order="left")
        rows = rows.with_columns(known_date=pl.when("waited").then(later).otherwise("known_date")).drop("waited")
        again = held_before.join(rows, on=key, how="anti", maintain_order="left")
        tables[name] = pl.concat([rows, again]).with_row_index("row")
    return tables


def _restored(name: str, standing: pl.DataFrame, today: date) -> pl.DataFrame:
    """The rows of a table that were held, as they were delivered, known from today."""
    records = standing.filter((pl.col("table") == name) & (pl.col("record") != "{}"))["record"].unique(
        maintain_order=True
    )
    rows = [json.loads(record) for record in records]
    schema = {column: kind for column, kind in SCHEMAS[name].items() if column != "known_date"}
    texts = {column: pl.String if kind == pl.Date else kind for column, kind in schema.items()}
    table = pl.DataFrame(rows, schema=texts)
    days = [pl.col(column).str.to_date() for column, kind in schema.items() if kind == pl.Date]
    return table.with_columns(*days, known_date=pl.lit(today))


def _hits(case: Case) -> pl.DataFrame:
    """What every gate holds, with its name."""
    found = [judge(case).with_columns(gate=pl.lit(name)) for name, judge in gate.all().items()]
    empty = pl.DataFrame(schema={**HELD, "gate": pl.String})
    return pl.concat([empty, *found], how="vertical_relaxed").select(empty.columns)


def _described(hits: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """With field, value and record of each row held."""
    parts: list[pl.DataFrame] = []
    for name, part in hits.group_by("table", maintain_order=True):
        table = str(name[0])
        rows = tables[table].filter(pl.col("row").is_in(part["row"].implode()))
        records = [_record(row) for row in rows.iter_rows(named=True)]
        facts = rows.select("row", value=pl.col(FIELD[table])).with_columns(record=pl.Series(records, dtype=pl.String))
        joined = part.join(facts, on="row", how="left", maintain_order="left")
        parts.append(joined.with_columns(field=pl.lit(FIELD[table]), record=pl.col("record").fill_null("{}")))
    schema = {**hits.schema, "value": pl.Float64, "record": pl.String, "field": pl.String}
    return pl.concat([pl.DataFrame(schema=schema), *parts])


def _record(row: Mapping[str, Any]) -> str:
    return json.dumps({key: value for key, value in row.items() if key not in ("row", "known_date")}, default=str)


def _judged(hits: pl.DataFrame, stored: MarketData | None, overrides: pl.DataFrame) -> pl.DataFrame:
    """With status, reason and author: in the market already, decided by an override, or held."""
    ruled = overrides.select("table", "symbol", "gate", "action", "reason", "author", ruled_day="day")
    facts = hits.with_row_index("hit").join(ruled, on=["table", "symbol", "gate"], how="left", maintain_order="left")
    fits = pl.col("action").is_not_null() & (pl.col("ruled_day").is_null() | (pl.col("ruled_day") == pl.col("day")))
    blank = [pl.when(fits).then(pl.col(name)).alias(name) for name in ("action", "reason", "author")]
    facts = facts.with_columns(blank).sort("hit", "action", nulls_last=True, maintain_order=True)
    facts = facts.unique("hit", keep="first", maintain_order=True).sort("hit")
    inside = _in_market(facts, stored)
    status = (
        pl.when(pl.col("row").is_null() | inside)
        .then(pl.lit("noted"))
        .otherwise(pl.col("action").replace_strict({"release": "released", "drop": "dropped"}, default="held"))
    )
    decided = facts.with_columns(status=status).drop("hit", "action", "ruled_day")
    dropped = decided.filter(pl.col("status") == "dropped").unique(["table", "row"], keep="first", maintain_order=True)
    ruled = dropped.select("table", "row", why="reason", who="author")  # who drops a row drops it for every gate
    joined = decided.join(ruled, on=["table", "row"], how="left", maintain_order="left")
    also = (pl.col("status") == "held") & pl.col("why").is_not_null()
    return joined.with_columns(
        status=pl.when(also).then(pl.lit("dropped")).otherwise("status"),
        reason=pl.when(also).then("why").otherwise("reason"),
        author=pl.when(also).then("who").otherwise("author"),
    ).drop("why", "who")


def _in_market(hits: pl.DataFrame, stored: MarketData | None) -> pl.Series:
    """Whether the row of each hit stands in the market with the same values."""
    names = hits["table"].unique().to_list() if stored is not None else []
    there = {name: _records(name, getattr(stored, name), hits.filter(pl.col("table") == name)) for name in names}
    pairs = hits.select("table", "record").iter_rows()
    return pl.Series([record in there.get(table, ()) for table, record in pairs], dtype=pl.Boolean)


def _records(table: str, rows: pl.DataFrame, named: pl.DataFrame) -> set[str]:
    """The rows of a table of the symbols and days that are named, as records."""
    symbol = "currency" if table == "fx" else "symbol"
    keys = named.select("symbol", "day").unique()
    found = rows.join(keys, left_on=[symbol, DAY[table]], right_on=["symbol", "day"], how="semi")
    return {_record(row) for row in found.iter_rows(named=True)}


def _ended(standing: pl.DataFrame, hits: pl.DataFrame, tables: Mapping[str, pl.DataFrame], today: date) -> pl.DataFrame:
    """Entries that were held and that no gate holds now: cleared, or replaced by another row of the source."""
    gone = standing.filter(pl.col("record") != "{}").join(hits, on=KEY, how="anti", maintain_order="left")
    asked = {record for name, rows in tables.items() for record in _records(name, rows, gone)}
    ends = [_end(record, asked) for record in gone["record"]]
    status = pl.Series(ends, dtype=pl.String)
    return gone.with_columns(status=status, known_date=pl.lit(today)).select(hits.drop("row").columns)


def _end(record: str, asked: set[str]) -> str:
    return "cleared" if record in asked else "replaced"


def _arrived(history: pl.DataFrame, hits: pl.DataFrame, case: Case, today: date) -> pl.DataFrame:
    """Days of a whole market that were missing and have come."""
    absent = history.filter((pl.col("record") == "{}") & (pl.col("status") == "noted"))
    here = case.lines.select(symbol="calendar", day="session").unique()
    come = absent.join(here, on=["symbol", "day"], how="semi", maintain_order="left")
    return come.with_columns(status=pl.lit("cleared"), known_date=pl.lit(today)).select(hits.drop("row").columns)
