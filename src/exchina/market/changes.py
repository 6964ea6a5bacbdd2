"""PURE. What a delivery changes in the tables of a market: rows that are new, revised, learnt late or withdrawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from exchina.errors import Problem
from exchina.tables.checking import MOST_OF_A_KIND, at
from exchina.tables.market import CONTRACTS, SCHEMAS

OBSERVED = dict.fromkeys(("prices", "fx", "benchmarks", "forwards", "cash_rates"), "session")
ANNOUNCED_AHEAD = dict.fromkeys(("dividends", "splits", "actions"), "ex_date")
OWN_DAY = {**OBSERVED, **ANNOUNCED_AHEAD}
OWN_SERIES = ("fx", "benchmarks", "forwards", "cash_rates")


@dataclass(frozen=True, slots=True)
class Change:
    """What a delivery changes in one table.

    Attributes:
        added: rows whose key is new.
        revised: rows whose key was there with other values.
        written: the rows to record; for sessions every row of the delivery if it changes anything.
        notices: what the person who fetches should know.
    """

    added: pl.DataFrame
    revised: pl.DataFrame
    written: pl.DataFrame
    notices: tuple[str, ...] = ()


def change(name: str, given: pl.DataFrame, stored: Mapping[str, pl.DataFrame], day: date) -> Change:
    """Compare the delivered rows of a table with the stored ones.

    Args:
        name: of the table.
        given: its delivered rows.
        stored: every version of every row of this table and of the prices, sorted.
        day: on which the delivery is recorded.
    """
    key = [column for column in CONTRACTS[name].unique or [] if column != "known_date"]
    last = stored[name].unique(key, keep="last", maintain_order=True)
    ordered = given.sort(CONTRACTS[name].unique or [])
    new = ordered.join(last, on=key, how="anti", maintain_order="left")
    values = [column for column in given.columns if column not in {*key, "known_date"}]
    again = ordered.unique(key, keep="last", maintain_order=True).join(last, on=key, how="semi", maintain_order="left")
    again = again.join(last, on=[*key, *values], how="anti", nulls_equal=True, maintain_order="left")
    if name == "sessions":
        return _sessions_change(stored[name], ordered, new, again)
    before = again.join(last.select(*key, before="known_date"), on=key, how="left", maintain_order="left")["before"]
    again = again.with_columns(known_date=pl.max_horizontal(pl.lit(day), before))
    dated = new.with_columns(known_date=pl.when(_late(name, stored)).then(_not_before(day)).otherwise("known_date"))
    late = (dated["known_date"] != new["known_date"]).sum()
    cure = "to import a history anew, fetch it under another name"
    notice = f"{late} {name} tell of days already in the market and count as known from {day}; {cure}."
    return Change(dated, again, pl.concat([dated, again]), (notice,) if late else ())


def renewed(stored: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """Sessions after a delivery: of each calendar, the delivered ones replace all from its first to its last day."""
    spans = given.group_by("calendar").agg(first=pl.col("session").min(), last=pl.col("session").max())
    spanned = stored.join(spans, on="calendar", how="left", maintain_order="left")
    inside = pl.col("session").is_between("first", "last").fill_null(value=False)
    return pl.concat([spanned.filter(~inside).select(stored.columns), given]).sort("calendar", "session")


def known_too_early(name: str, table: pl.DataFrame, where: str) -> list[Problem]:
    """Rows known before their own day; share counts, floats, dividends, splits and actions may be announced ahead.

    Args:
        name: of the table.
        table: its rows.
        where: what a person calls the table.
    """
    if name not in OBSERVED or table.schema != SCHEMAS[name]:
        return []
    day = OBSERVED[name]
    early = table.with_row_index("row", 1).filter(pl.col("known_date") < pl.col(day)).select("row", "known_date", day)
    faults = [
        Problem(at(where, row, "known_date"), f"{known} lies before the {day} {own}", f"give {own} or a later day")
        for row, known, own in early.head(MOST_OF_A_KIND).iter_rows()
    ]
    if early.height > MOST_OF_A_KIND:
        faults.append(Problem(f"{where}, column known_date", f"and {early.height - MOST_OF_A_KIND} more like these"))
    return faults


def _sessions_change(stored: pl.DataFrame, given: pl.DataFrame, new: pl.DataFrame, again: pl.DataFrame) -> Change:
    after = renewed(stored, given)
    gone = stored.join(after, on=["calendar", "session"], how="anti", maintain_order="left")
    days = ", ".join(f"{calendar} {day}" for calendar, day in gone.select("calendar", "session").iter_rows())
    written = given.clear() if after.equals(stored) else given
    return Change(new, again, written, (f"The calendar has withdrawn sessions: {days}.",) if days else ())


def _late(name: str, stored: Mapping[str, pl.DataFrame]) -> pl.Expr:
    """Whether a new row tells of a day before the market's last session, of a series that the market already held.

    Share counts and floats take effect before or after they are known; of these the day known decides. Dividends,
    splits and actions may be announced ahead: of their ex-date and the day known the earlier one decides.
    """
    home = stored[name if name in OWN_SERIES else "prices"]
    last = pl.lit(stored["prices"]["session"].max(), pl.Date)
    held = home.get_column(home.columns[0]).unique().to_list()
    day = pl.min_horizontal(OWN_DAY[name], "known_date") if name in OWN_DAY else pl.col("known_date")
    return (day < last) & pl.col(home.columns[0]).is_in(held)


def _not_before(day: date) -> pl.Expr:
    return pl.max_horizontal("known_date", pl.lit(day))
