"""Who joins, and who leaves for which reason."""

import polars as pl

from exchina.model import Basket
from exchina.reporting import section
from exchina.reporting.document import Block, Column, Heading, Table, Text
from exchina.reporting.parts import Parts
from exchina.reporting.wording import capitalised, percent, rule_words, stage

UNKNOWN = "No live listing at the data cut-off (delisted, taken over or renamed)"


@section("changes")
def changes(parts: Parts, *, at_most: int = 12) -> list[Block]:
    """Additions with their weight; deletions with the first rule that they failed.

    Args:
        parts: reads the basket.
        at_most: rows of each table; the number of the others is stated.
    """
    basket = parts.composition
    return [*_additions(basket, at_most), *_deletions(basket, at_most)]


def first_failure(basket: Basket, company: str) -> str:
    """The first rule that a company failed, what was found and what was needed; the verdicts are in rulebook order."""
    failed = basket.verdicts.filter((pl.col("company_id") == company) & ~pl.col("passed"))
    if failed.is_empty():
        return UNKNOWN
    first = failed.row(0, named=True)
    return f"{capitalised(rule_words(first['rule']))}: found {first['found']}; needed {first['needed']}"


def _additions(basket: Basket, at_most: int) -> list[Block]:
    if basket.turnover is None:
        return [Heading("Additions", place="side"), Text("First composition: every constituent is new.", place="side")]
    came = basket.members.filter(previous_weight=0).sort(["weight", "company_id"], descending=[True, False])
    head = came.head(at_most)
    rows = tuple((row["name"], stage(row["stage"]), percent(row["weight"], 2)) for row in head.iter_rows(named=True))
    columns = (
        Column("Company", wide=True),
        Column("Stage", keys=tuple(head["stage"])),
        Column("Weight", align="right"),
    )
    return _table("Additions", Table(columns, rows, "Additions", place="side"), came.height)


def _deletions(basket: Basket, at_most: int) -> list[Block]:
    gone = basket.leavers.sort(["previous_weight", "company_id"], descending=[True, False])
    rows = tuple(
        (row["name"], first_failure(basket, row["company_id"]), percent(row["previous_weight"], 2))
        for row in gone.head(at_most).iter_rows(named=True)
    )
    columns = (
        Column("Company", wide=True),
        Column("First rule failed", wide=True),
        Column("Old weight", align="right"),
    )
    return _table("Deletions", Table(columns, rows, "Deletions and why", place="main"), gone.height)


def _table(title: str, table: Table, count: int) -> list[Block]:
    heading = Heading(title, note=str(count), place=table.place)
    if not count:
        return [heading, Text("None.", place=table.place)]
    more = count - len(table.rows)
    rest = [Text(f"{more} more in the CSV file.", quiet=True, place=table.place)] if more else []
    return [heading, table, *rest]
