"""PURE. The corporate actions that the reference registers, as rows of a market."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from exchina.model import Reference
from exchina.tables.actions import APPLIED, EXCLUSIVE
from exchina.tables.market import CONTRACTS, SCHEMAS

KINDS = {
    "spinoff": "spin_off",
    "merger_cash": "takeover",
    "merger_stock": "takeover",
    "rights_issue": "rights_issue",
    "delisting": "delisting",
    "bankruptcy": "bankruptcy",
    "rename": "rename",
}
NEEDS = {"spin_off": ("new", "old", "other"), "rights_issue": ("new", "old", "price"), "rename": ("other",)}


def registered_actions(reference: Reference) -> pl.DataFrame:
    """The registered actions with an ex-date and all terms, by the contract `exchina.tables.market.ACTIONS`.

    A merger is a takeover at ``cash_per_share``, plus ``new_shares`` of ``other_symbol`` for ``old_shares``. A
    delisting whose shares go on trading as another line is a rename. Splits and consolidations come with the prices;
    an ``ipo``, the acquirer's side of a merger and a new name under the same symbol change no line. Of several rows on
    one departure the merger counts, else the earliest. What was known before its ex-date is ``confirmed``.

    Args:
        reference: its ``corporate_actions``, in file order: ``source`` names the row.
    """
    found = _translated(reference).filter(pl.col("lacks").is_null())
    ended = pl.col("type").is_in(EXCLUSIVE) & pl.col("status").is_in(APPLIED)
    first = (
        found.filter(ended)
        .sort(pl.col("type") != "takeover", "ex_date", "row")
        .unique("symbol", keep="first", maintain_order=True)
    )
    kept = found.filter(~ended | pl.col("id").is_in(first["id"].implode()))
    return kept.select(SCHEMAS["actions"].names()).sort(CONTRACTS["actions"].unique or [])


def incomplete_actions(reference: Reference, since: Mapping[str, date]) -> list[str]:
    """The registered actions that cannot be applied, such as ``ILU.AX-SPINOFF-2022 (no ex_date)``, in file order.

    Args:
        reference: its ``corporate_actions``.
        since: the symbols that matter, each with the first day that does; earlier actions are left out.
    """
    first = pl.DataFrame(
        {"symbol": list(since), "since": list(since.values())}, {"symbol": pl.String, "since": pl.Date}
    )
    rows = _translated(reference).filter(pl.col("lacks").is_not_null() & (pl.col("status") != "withdrawn"))
    rows = rows.join(first, on="symbol", how="inner", maintain_order="left")
    rows = rows.filter((pl.coalesce("ex_date", "effective_date") >= pl.col("since")).fill_null(value=True))
    return [f"{name} (no {lacks})" for name, lacks in rows.select("id", "lacks").iter_rows()]


def _translated(reference: Reference) -> pl.DataFrame:
    """Columns of the contract, and row, effective_date and ``lacks``: the first term that is missing, or null."""
    kind = pl.col("type").replace_strict(KINDS, default=None)
    moves = (pl.col("type") == "delisting") & pl.col("other_symbol").is_not_null()
    back = pl.col("type") == "rename"
    paper = (kind != "rename") & ~moves
    rows = reference.corporate_actions.with_row_index("row", 2).filter(
        kind.is_not_null() & pl.col("company_id").ne_missing(pl.col("successor_id"))
    )
    rows = rows.filter(~back | pl.col("other_symbol").is_not_null())
    ahead = (pl.col("status") == "completed") & (pl.col("known_date") < pl.col("ex_date"))
    nothing = [pl.lit(None, SCHEMAS["actions"][name]).alias(name) for name in ("amount", "fraction", "underwritten")]
    shaped = rows.select(
        "row",
        "id",
        "ex_date",
        "effective_date",
        "known_date",
        *nothing,
        symbol=pl.when(back).then("other_symbol").otherwise("yahoo_symbol"),
        type=pl.when(moves).then(pl.lit("rename")).otherwise(kind),
        new=pl.when(paper).then("new_shares"),
        old=pl.when(paper).then("old_shares"),
        price=pl.when(kind == "takeover").then("cash_per_share").otherwise("price"),
        other=pl.when(back).then("yahoo_symbol").otherwise("other_symbol"),
        status=pl.when(ahead).then(pl.lit("confirmed")).otherwise("status"),
        source=pl.format("corporate_actions.csv row {}", "row"),
    )
    return shaped.with_columns(lacks=_lacks())


def _lacks() -> pl.Expr:
    kind, paper = pl.col("type"), pl.col("new").is_not_null() | pl.col("other").is_not_null()
    empty = [(pl.col("ex_date").is_null(), "ex_date")]
    empty += [((kind == name) & pl.col(term).is_null(), term) for name, terms in NEEDS.items() for term in terms]
    empty += [((kind == "takeover") & paper & pl.col(term).is_null(), term) for term in ("new", "old", "other")]
    empty += [((kind == "takeover") & ~paper & pl.col("price").is_null(), "price")]
    return pl.coalesce(pl.when(broken).then(pl.lit(term)) for broken, term in empty)
