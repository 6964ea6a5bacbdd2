"""Corporate actions with terms: what each kind needs, and the order in which those of one day are applied.

The order is that of `TERMS`: names first, since all else may use the new one; cash is quoted on the terms of the
ex-date, so splits come before it; what leaves comes last.
"""

from collections.abc import Iterator

import polars as pl

from exchina.errors import Problem
from exchina.tables.checking import at

TERMS = {
    "rename": ("other",),
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
        actions: id, symbol, type, ex_date, new, old, amount, price, fraction, other, status, source.
        where: what a person calls the table; empty where each row is known by its ``source``.
        first_row: number of its first row.
    """
    rows = actions.with_row_index("_row", first_row).filter(pl.col("status").is_in(APPLIED)).to_dicts()
    return [
        *(problem for row in rows for problem in _lacking(row, where)),
        *(problem for row in rows for problem in _impossible(row, where)),
        *_twice(rows, where),
    ]


def _place(row: dict[str, object], where: str, column: str) -> str:
    return at(where, int(str(row["_row"])), column) if where else f"{row['source']}, column {column}"


def _lacking(row: dict[str, object], where: str) -> Iterator[Problem]:
    terms = TERMS.get(str(row["type"]), ())
    if row["type"] == "takeover" and row["price"] is None and row["new"] is None:
        terms = ("price",)
    elif (row["new"] is None) != (row["old"] is None):
        terms = ("new", "old")
    for name in terms:
        if row[name] is None:
            what = f"event {row['id']}, {row['type']} of {row['symbol']}, has no {name}"
            yield Problem(_place(row, where, name), what, "fill it in, or set status to date_unverified")


def _impossible(row: dict[str, object], where: str) -> Iterator[Problem]:
    event = f"event {row['id']}, {row['type']} of {row['symbol']},"
    if row["other"] == row["symbol"]:
        yield Problem(_place(row, where, "other"), f"{event} names the line itself", "name the other line")
    if row["type"] == "compulsory_tender" and row["fraction"] is not None and float(str(row["fraction"])) >= 1:
        yield Problem(_place(row, where, "fraction"), f"{event} takes every share", "write it as a takeover")


def _twice(rows: list[dict[str, object]], where: str) -> Iterator[Problem]:
    first: dict[object, dict[str, object]] = {}
    for row in sorted(rows, key=lambda row: (str(row["ex_date"]), str(row["id"]))):
        if row["type"] not in EXCLUSIVE:
            continue
        before = first.setdefault(row["symbol"], row)
        if before is not row:
            earlier = f"row {before['_row']}" if where else before["source"]
            what = f"event {row['id']} ends {row['symbol']}, which {before['id']} ({earlier}) has ended"
            yield Problem(_place(row, where, "symbol"), what, "keep one; withdraw the other")


def share_ratios(splits: pl.DataFrame, actions: pl.DataFrame) -> pl.DataFrame:
    """By how much each event multiplies a company's shares for no money: symbol, ex_date, ratio.

    Splits, and among the confirmed or completed actions splits, stock dividends (1 + B / A) and consolidations that
    come with a return of capital.
    """
    kept = actions.filter(pl.col("status").is_in(APPLIED) & pl.col("new").is_not_null())
    kept = kept.filter(pl.col("type").is_in(["split", "stock_dividend", "capital_return"]))
    beside = pl.when(pl.col("type") == "stock_dividend").then(1.0).otherwise(0.0)
    made = kept.select("symbol", "ex_date", ratio=beside + pl.col("new") / pl.col("old"))
    return pl.concat([splits.select("symbol", "ex_date", "ratio"), made]).sort("symbol", "ex_date")
