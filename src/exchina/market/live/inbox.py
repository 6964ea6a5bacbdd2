"""The inbox of a fetch: every answer of the vendor is a file as soon as it is there, so that nothing is asked twice.

    <store>/<market>/incoming/<provider>/<call>~<symbol>~<since>~<until>.json

A file is whole or not there. The store itself is touched once, when all is there; then the inbox is removed.
"""

import json
import shutil
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import polars as pl

from exchina import atomic
from exchina.errors import DataError, Problem
from exchina.market.live.source import BARS, COUNTS, DIVIDENDS, SPLITS, Absent, Facts, History

FORMAT = 1
TABLES = {"bars": BARS, "dividends": DIVIDENDS, "splits": SPLITS}
Piece: TypeAlias = History | pl.DataFrame | Facts | Absent


def inbox(root: Path, market: str, provider: str) -> Path:
    """The folder in which a fetch keeps what it was answered."""
    return root / market / "incoming" / provider


def piece_path(folder: Path, call: str, symbol: str, since: date, until: date) -> Path:
    """The file of one answer."""
    return folder / f"{call}~{quote(symbol, safe='.-')}~{since}~{until}.json"


def keep(path: Path, piece: Piece) -> None:
    """Write an answer; `DataError` if the folder cannot be written."""
    try:
        atomic.place(path, json.dumps({"format": FORMAT, **_plain(piece)}, allow_nan=False).encode())
    except OSError as fault:
        cure = "make the folder writable, or name another one"
        raise DataError(Problem(str(path.parent), f"cannot be written: {fault.strerror}", cure)) from fault


def kept(path: Path) -> Piece | None:
    """An answer that was kept; None if there is none, or not one that this version wrote."""
    try:
        found = json.loads(path.read_bytes())
        return _piece(found) if found["format"] == FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
        return None


def emptied(root: Path, market: str) -> None:
    """Remove the inbox of a market with all that is in it."""
    shutil.rmtree(root / market / "incoming", ignore_errors=True)


def _plain(piece: Piece) -> dict[str, Any]:
    if isinstance(piece, Absent):
        return {"absent": piece.why}
    if isinstance(piece, Facts):
        return {"facts": asdict(piece)}
    if isinstance(piece, pl.DataFrame):
        return {"counts": _columns(piece)}
    rest = {
        "currency": piece.currency,
        "zone": piece.zone,
        "traded_to": None if piece.traded_to is None else piece.traded_to.isoformat(),
        "adjusted_for": piece.adjusted_for,
    }
    return {"history": rest | {name: _columns(getattr(piece, name)) for name in TABLES}}


def _piece(found: dict[str, Any]) -> Piece:
    if "absent" in found:
        return Absent(found["absent"])
    if "facts" in found:
        return Facts(**found["facts"])
    if "counts" in found:
        return _frame(found["counts"], COUNTS)
    rest: dict[str, Any] = found["history"]
    last = rest.pop("traded_to")
    tables = {name: _frame(rest.pop(name), schema) for name, schema in TABLES.items()}
    return History(**tables, **rest, traded_to=date.fromisoformat(last) if last else None)


def _columns(frame: pl.DataFrame) -> dict[str, list[Any]]:
    plain = frame.with_columns(pl.selectors.date().cast(pl.String), pl.selectors.float().fill_nan(None))
    return plain.to_dict(as_series=False)


def _frame(columns: dict[str, list[Any]], schema: pl.Schema) -> pl.DataFrame:
    texts = {name: pl.String if kind == pl.Date else kind for name, kind in schema.items()}
    days = [pl.col(name).str.to_date() for name, kind in schema.items() if kind == pl.Date]
    return pl.DataFrame(columns, schema=texts).with_columns(days)
