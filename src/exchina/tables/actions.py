"""Corporate actions with terms: what each kind needs, and the order in which those of one day are applied.

The order is that of `TERMS`: cash is quoted on the terms of the ex-date, so splits come first; what leaves comes last.
"""

from collections.abc import Iterator

import polars as pl

from exchina.errors import Problem
from exchina.tables.checking import at

TERMS = {
    "split": ("new", "old"),
    "stock_dividend": ("new", "old"),
    "other_stock_dividend": ("new", "old", "price"),
    "special_dividend": ("amount",),
    "capital_return": ("amount",),
    "rights_issue": ("new", "old", "price"),
    "compulsory_tender": ("fraction", "price"),
    "spin_off": ("new", "old", "other"),
    "share_change": ("fraction",),
    "float_change": ("fraction",),
    "takeover": (),
    "delisting": (),
    "bankruptcy": (),
    "conversion": ("new", "old", "other"),
    "rename": ("other",),
    "redomicile": ("other",),
    "suspension": (),
    "resumption": (),
}
ORDER = {name: place for place, name in enumerate(TERMS)}
LEAVING = ("takeover", "delisting", "bankruptcy")
APPLIED = ("confirmed", "completed")
STATUSES = ("announced", "date_unverified", *APPLIED, "withdrawn")
EXCLUSIVE = (*LEAVING, "conversion", "rename")


def term_problems(actions: pl.DataFrame, where: str, first_row: int = 2) -> list[Problem]:
    """Every fault in the terms of events that would be applied: each names the event's id and its row.

    A missing term, B or A given alone, a takeover without terms, a tender of all shares, a line that is its own child
    or acquirer, or a line that leaves or changes its name twice at once.

    Args:
        actions: id, symbol, type, ex_date, new, old, amount, price, fraction, other, status.
        where: what a person calls the table.
        first_row: number of its first row.
    """
    rows = actions.with_row_index("_row", first_row).filter(pl.col("status").is_in(APPLIED)).to_dicts()
    return [
        *(problem for row in rows for problem in _lacking(row, where)),
        *(problem for row in rows for problem in _impossible(row, where)),
        *_twice(rows, where),
    ]


def _lacking(row: dict[str, object], where: str) -> Iterator[Problem]:
    terms = TERMS.get(str(row["type"]), ())
    if row["type"] == "takeover" and row["price"] is None and row["new"] is None:
        terms = ("price",)
    elif (row["new"] is None) != (row["old"] is None):
        terms = ("new", "old")
    for name in terms:
        if row[name] is None:
            what = f"event {row['id']}, {row['type']} of {row['symbol']}, has no {name}"
            yield Problem(at(where, int(str(row["_row"])), name), what, "fill it in, or set status to date_unverified")


def _impossible(row: dict[str, object], where: str) -> Iterator[Problem]:
    place, event = int(str(row["_row"])), f"event {row['id']}, {row['type']} of {row['symbol']},"
    if row["other"] == row["symbol"]:
        yield Problem(at(where, place, "other"), f"{event} names the line itself", "name the other line")
    if row["type"] == "compulsory_tender" and row["fraction"] is not None and float(str(row["fraction"])) >= 1:
        yield Problem(at(where, place, "fraction"), f"{event} takes every share", "write it as a takeover")


def _twice(rows: list[dict[str, object]], where: str) -> Iterator[Problem]:
    first: dict[object, dict[str, object]] = {}
    for row in sorted(rows, key=lambda row: (str(row["ex_date"]), str(row["id"]))):
        if row["type"] not in EXCLUSIVE:
            continue
        before = first.setdefault(row["symbol"], row)
        if before is not row:
            what = f"event {row['id']} ends {row['symbol']}, which {before['id']} (row {before['_row']}) has ended"
            yield Problem(at(where, int(str(row["_row"])), "symbol"), what, "keep one; withdraw the other")
