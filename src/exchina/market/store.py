"""The market store: immutable Parquet parts named by their content, and a numbered manifest for each change.

    <root>/<market>/parts/<sha256>.parquet      rows of one table that one delivery added
    <root>/<market>/manifests/000001.json       the parts of the market in order; the highest number is current

A part, once written, is never touched; a manifest is written last and appears whole or not at all. So a crash at any
moment leaves the market as it was, and every earlier state can be loaded by its number.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from io import BytesIO
from pathlib import Path

import polars as pl

from exchina.errors import DataError, Problem, did_you_mean
from exchina.market import Delivery
from exchina.market.changes import change, known_too_early, renewed
from exchina.market.manifest import (
    Manifest,
    Part,
    current,
    manifest_numbers,
    other_format,
    place,
    read_manifest,
    write_manifest,
)
from exchina.market.terms import event_problems
from exchina.model import MarketData, Provenance
from exchina.tables.checking import problems
from exchina.tables.market import CONTRACTS, SCHEMAS

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Saved:
    """What a delivery changed in the store.

    Attributes:
        market: its name.
        manifest: number of the manifest that is now current.
        added: rows that are new, by table; tables without any are left out.
        revised: rows that were there with other values and are now there a second time, by table, with the new values.
        identical: number of rows that were there already.
        notices: what the provider wanted to be known, which rows were learnt late and which sessions withdrawn.
    """

    market: str
    manifest: int
    added: Mapping[str, int]
    revised: Mapping[str, pl.DataFrame]
    identical: int
    notices: tuple[str, ...] = ()


def markets(root: Path) -> list[str]:
    """Names of the markets in the store, sorted."""
    return sorted(path.name for path in root.glob("*") if manifest_numbers(root, path.name))


def save(root: Path, market: str, delivery: Delivery, *, recorded_at: datetime, dry_run: bool = False) -> Saved:
    """Add a delivery to a market, or to nothing: whatever is wrong with it is reported at once and nothing is written.

    Rows that are there already are skipped. A row whose key is there with other values is kept beside the first, known
    from the day it was recorded. Where a delivery holds several versions of a stored row, the last known one counts.

    A new row of a day before the market's last session (of a share count or float: known before it; of a dividend,
    split or action: either) was learnt late if the market already held prices of its symbol, or rates or levels of its
    currency or benchmark: it too is known from the day it was recorded, unless it says a later day. So what is
    delivered later is not visible in an earlier view. Rows of a symbol, currency or benchmark that is new to the market
    keep their days, as a first import does.

    Sessions replace those of the same calendar between the first and the last one delivered.

    Args:
        root: folder of the store.
        market: name such as ``sample``; made if it is not there yet.
        delivery: what a provider handed over.
        recorded_at: the present moment, with a time zone.
        dry_run: check and compare everything, and write nothing.

    Raises:
        DataError: the delivery breaks a contract, is of another kind than the market, or the folder cannot be written.
    """
    parent = current(root, market) if NAME.fullmatch(market) else None
    tables = _checked(market, delivery, parent)
    day = recorded_at.astimezone(UTC).date()
    stored = {name: _stored(root, market, parent, name) for name in {*tables, "prices"}}
    changes = {name: change(name, table, stored, day) for name, table in tables.items()}
    added = {name: made.added.height for name, made in changes.items() if made.added.height}
    revised = {name: made.revised for name, made in changes.items() if made.revised.height}
    identical = sum(table.height for table in tables.values()) - sum(added.values())
    identical -= sum(again.height for again in revised.values())
    fresh = {name: made.written for name, made in changes.items() if made.written.height}
    manifest = _next(market, delivery, parent, recorded_at)
    if not fresh and parent is not None and manifest.assumptions == parent.assumptions:
        manifest = parent
    elif not dry_run:
        parts = [_write_part(root, market, name, rows) for name, rows in fresh.items()]
        write_manifest(root, replace(manifest, parts=(*manifest.parts, *parts)))
    notices = (*delivery.notices, *(notice for made in changes.values() for notice in made.notices))
    return Saved(market, manifest.number, added, revised, identical, notices)


def load(root: Path, market: str, manifest: int | None = None) -> tuple[MarketData, Provenance]:
    """A market as it stands, or as it stood.

    Args:
        root: folder of the store.
        market: its name.
        manifest: number of an earlier manifest; None for the current one.

    Returns:
        The tables, each sorted by its key, a revised row once per version; and where they came from.

    Raises:
        DataError: no such market or manifest; a part or an earlier manifest is missing or no longer what was written;
            or another version of exchina wrote the market.
    """
    if not manifest_numbers(root, market):
        there = ", ".join(markets(root)) or "none yet"
        cure = f"markets in the store: {there}; exchina fetch brings another in"
        raise DataError(Problem(str(root), f"no market called {market!r}", cure))
    found = read_manifest(root, market, manifest)
    tables = {name: _stored(root, market, found, name) for name in CONTRACTS}
    return MarketData(**tables), found.provenance()


def _stored(root: Path, market: str, manifest: Manifest | None, name: str) -> pl.DataFrame:
    """Every version of every row of a table, sorted; of two versions of one day, and of sessions, the last recorded."""
    contract = CONTRACTS[name]
    parts = [part for part in manifest.parts if part.table == name] if manifest else []
    frames = [pl.DataFrame(schema=SCHEMAS[name]), *(_read_part(root, market, part) for part in parts)]
    if name == "sessions":
        return reduce(renewed, frames)
    rows = pl.concat(frames)
    return rows.unique(contract.unique, keep="last", maintain_order=True).sort(contract.unique or [])


def _read_part(root: Path, market: str, part: Part) -> pl.DataFrame:
    path = root / market / "parts" / f"{part.sha256}.parquet"
    cure = f"restore it from a copy, or delete {root / market} and fetch again"
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise DataError(Problem(str(path), f"cannot be read: {fault.strerror}", cure)) from fault
    if hashlib.sha256(content).hexdigest() != part.sha256:
        raise DataError(Problem(str(path), f"is no longer the {part.table} that were recorded", cure))
    rows = pl.read_parquet(BytesIO(content))
    if rows.schema != SCHEMAS[part.table]:
        raise other_format(path, root / market, f"the {part.table} have the columns {', '.join(rows.columns)}")
    return rows


def _checked(market: str, delivery: Delivery, parent: Manifest | None) -> dict[str, pl.DataFrame]:
    faults = [] if NAME.fullmatch(market) else [_bad_name(market)]
    faults += _contradictions(market, delivery, parent)
    for name, table in delivery.tables.items():
        where = f"{market} {name}"
        if name in CONTRACTS:
            broken = problems(table, CONTRACTS[name], where, first_row=1)
            faults += [*broken, *known_too_early(name, table, where)]
            if name == "actions" and not broken:
                faults += event_problems(table, where, range(1, table.height + 1))
        else:
            faults.append(Problem(where, f"no table is called {name!r}", did_you_mean(name, CONTRACTS)))
    if faults:
        raise DataError(*faults)
    return {name: delivery.tables[name] for name in CONTRACTS if name in delivery.tables}


def _bad_name(market: str) -> Problem:
    return Problem(market, "cannot be the name of a market", "small letters and digits in words joined by hyphens")


def _contradictions(market: str, delivery: Delivery, parent: Manifest | None) -> list[Problem]:
    if parent is None:
        prices = delivery.tables.get("prices")
        cure = "deliver at least one price"
        return [] if prices is not None and prices.height else [Problem(f"{market} prices", "there are none", cure)]
    if parent.kind == delivery.kind:
        return []
    what = f"holds {parent.kind} data; this delivery is {delivery.kind}"
    return [Problem(f"market {market!r}", what, "save it under another name: kinds are never mixed")]


def _next(market: str, delivery: Delivery, parent: Manifest | None, recorded_at: datetime) -> Manifest:
    """The manifest after ``parent``, still with the parts of ``parent``."""
    before = parent.assumptions if parent else ()
    return Manifest(
        market=market,
        number=parent.number + 1 if parent else 1,
        parent=parent.sha256 if parent else None,
        kind=delivery.kind,
        source=delivery.source,
        assumptions=tuple(dict.fromkeys((*before, *delivery.assumptions))),
        recorded_at=recorded_at.astimezone(UTC).isoformat(timespec="seconds"),
        parts=parent.parts if parent else (),
    )


def _write_part(root: Path, market: str, name: str, rows: pl.DataFrame) -> Part:
    buffer = BytesIO()
    rows.write_parquet(buffer, compression="zstd")
    content = buffer.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    place(root / market / "parts" / f"{digest}.parquet", content)
    days = rows[next(column for column, kind in SCHEMAS[name].items() if kind == pl.Date)].sort()
    return Part(name, digest, rows.height, days[0], days[-1])
