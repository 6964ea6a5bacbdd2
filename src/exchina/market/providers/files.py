"""A person's own files, CSV or Parquet, local or in object storage, as a mapping file describes them."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from exchina.errors import DataError, Problem
from exchina.market import Delivery, provider
from exchina.market.intake import checks, event_readers, rate_readers, readers
from exchina.market.intake.mapping import MappingFile, read_mapping
from exchina.market.intake.registry import incomplete_actions, registered_actions
from exchina.market.intake.sheet import Taken
from exchina.model import Reference
from exchina.tables.actions import APPLIED, EXCLUSIVE
from exchina.tables.market import CONTRACTS, SCHEMAS

SAME_COUNT = 1e-6


@provider("files")
def files(reference: Reference, *, mapping: Path) -> Delivery:
    """The market that a person's own files hold.

    Closes must be raw. A symbol must be a listing of the reference; its venue says whether it is quoted in pence. A row
    is known on its own day unless the mapping names a column for that. The registered corporate actions of the symbols
    with prices come along, except those of which the files say something of their own.

    Args:
        reference: its listings, venues and corporate actions.
        mapping: TOML file that names the files and their columns, see `exchina.market.intake.mapping`.

    Raises:
        DataError: with every fault of the mapping; or, where that is sound, every fault of every file.
    """
    from exchina.market.calendar import market_sessions

    plan = read_mapping(mapping)
    taken = _taken(plan, mapping.parent, reference)
    rows = {name: _joined(name, parts) for name, parts in taken.items()}
    faults = [problem for parts in taken.values() for part in parts for problem in part.problems]
    faults += [
        problem for name, table in rows.items() for problem in checks.repeats(table, CONTRACTS[name].unique or [])
    ]
    faults += checks.missing_rates(rows["prices"], rows["fx"], "session")
    faults += checks.missing_rates(rows["dividends"], rows["fx"], "ex_date")
    if not faults and rows["prices"].is_empty():
        faults = [Problem(mapping.name, "the files hold no price", "name a file with prices in [[prices]]")]
    if faults:
        raise DataError(*faults)
    prices = rows["prices"]
    rows["shares"] = pl.concat([rows["shares"], _counts(prices, rows["fx"], rows["shares"])], how="diagonal")
    rows["floats"] = pl.concat([rows["floats"], _assumed_floats(plan, prices, rows["floats"])], how="diagonal")
    rows["actions"], notices = _with_registered(reference, rows["actions"], prices)
    tables = {
        name: table.select(SCHEMAS[name].names()).sort(CONTRACTS[name].unique or []) for name, table in rows.items()
    }
    days = prices["session"].sort()
    tables["sessions"] = market_sessions(reference, days[0], days[-1])
    closed = checks.off_session(prices, tables["sessions"], reference)
    if closed:
        raise DataError(*closed)
    said = [notice for parts in taken.values() for part in parts for notice in part.notices]
    assumed = _assumptions(plan, tables["floats"])
    return Delivery("file", plan.source.description, tables, assumed, (*said, *_gaps(tables), *notices))


def _taken(plan: MappingFile, folder: Path, reference: Reference) -> dict[str, list[Taken]]:
    return {
        "prices": [readers.read_prices(entry, folder, reference) for entry in plan.prices],
        "dividends": [event_readers.read_dividends(entry, folder, reference) for entry in plan.dividends],
        "splits": [readers.read_splits(entry, folder, reference) for entry in plan.splits],
        "shares": [readers.read_shares(entry, folder, reference) for entry in plan.shares],
        "floats": [readers.read_floats(entry, folder, reference) for entry in plan.floats],
        "fx": [rate_readers.read_rates(entry, folder) for entry in plan.fx],
        "benchmarks": [readers.read_benchmarks(entry, folder) for entry in plan.benchmarks],
        "actions": [event_readers.read_actions(entry, folder, reference) for entry in plan.actions],
        "forwards": [rate_readers.read_forwards(entry, folder) for entry in plan.forwards],
        "cash_rates": [rate_readers.read_cash_rates(entry, folder) for entry in plan.cash_rates],
    }


def _joined(name: str, parts: Sequence[Taken]) -> pl.DataFrame:
    """The sound rows of every file of one kind, with ``file`` and ``row``."""
    empty = pl.DataFrame(schema={**SCHEMAS[name], "file": pl.String, "row": pl.UInt32})
    return pl.concat([empty, *(part.rows for part in parts if part.rows.width)], how="diagonal_relaxed")


def _with_registered(reference: Reference, own: pl.DataFrame, prices: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """The files' own actions and the registered ones of their symbols, and what cannot or need not be applied.

    A registered action gives way to an own one of the same id; one that ends a line, to any own one that ends it.
    """
    since = dict(prices.group_by("symbol").agg(pl.col("session").min()).sort("symbol").iter_rows())
    known = registered_actions(reference).filter(pl.col("symbol").is_in(list(since)))
    fresh = known.filter(~pl.col("id").is_in(own["id"].unique().implode()))
    ended = own.filter(pl.col("type").is_in(EXCLUSIVE) & pl.col("status").is_in(APPLIED))["symbol"].unique()
    double = pl.col("type").is_in(EXCLUSIVE) & pl.col("symbol").is_in(ended.implode())
    given = set(own["id"])
    passed_over = fresh.filter(double)["id"].to_list()
    lacking = [said for said in incomplete_actions(reference, since) if said.split(" ")[0] not in given]
    notices = {
        "Registered actions that these files replace": passed_over,
        "Registered actions that cannot be applied; give them in [[actions]] under the same id": lacking,
    }
    said = [f"{what}: {', '.join(names)}." for what, names in notices.items() if names]
    return pl.concat([own, fresh.filter(~double)], how="diagonal"), said


def _counts(prices: pl.DataFrame, rates: pl.DataFrame, reported: pl.DataFrame) -> pl.DataFrame:
    """Share counts from market values: market_cap_usd / (close x usd_per_unit), where they change.

    The rate is the last one known on the session. A symbol with counts in a file of its own is left out.
    """
    valued = prices.filter(
        pl.col("market_cap_usd").is_not_null() & ~pl.col("symbol").is_in(reported["symbol"].unique().to_list())
    ).sort("session")
    last = rates.select("currency", "session", "usd_per_unit").sort("session")
    priced = valued.join_asof(last, on="session", by="currency", check_sortedness=False)
    usd = pl.col("close") * pl.col("usd_per_unit").fill_null(1.0)  # no rate is missing but the dollar's own
    counted = priced.sort("symbol", "session").with_columns(shares=(pl.col("market_cap_usd") / usd).round())
    before = pl.col("shares").shift(1).over("symbol")
    moved = before.is_null() | ((pl.col("shares") / before - 1).abs() > SAME_COUNT)
    return counted.filter(moved).select("symbol", "shares", "known_date", effective_date="session")


def _assumed_floats(plan: MappingFile, prices: pl.DataFrame, reported: pl.DataFrame) -> pl.DataFrame:
    """The assumed factor from the first price of each symbol that has no reported one."""
    factor = plan.assume.free_float_factor
    if factor is None:
        return reported.clear()
    silent = prices.filter(~pl.col("symbol").is_in(reported["symbol"].unique().to_list()))
    firsts = silent.group_by("symbol").agg(effective_date=pl.col("session").min()).sort("symbol")
    return firsts.with_columns(
        free_float_factor=pl.lit(factor), basis=pl.lit("assumed"), known_date=pl.col("effective_date")
    )


def _assumptions(plan: MappingFile, floats: pl.DataFrame) -> tuple[str, ...]:
    symbols = floats.filter(pl.col("basis") == "assumed")["symbol"].unique().sort().to_list()
    if not symbols:
        return ()
    return (f"Free float of {', '.join(symbols)} assumed to be {plan.assume.free_float_factor:.0%} of the shares.",)


def _gaps(tables: dict[str, pl.DataFrame]) -> list[str]:
    """Symbols with prices but without what a market value needs."""
    priced = set(tables["prices"]["symbol"])
    lacking = {
        "share count": sorted(priced - set(tables["shares"]["symbol"])),
        "free-float factor": sorted(priced - set(tables["floats"]["symbol"])),
    }
    return [
        f"No {what} for {', '.join(symbols)} in these files: that of the reference counts, where it has one."
        for what, symbols in lacking.items()
        if symbols
    ]
