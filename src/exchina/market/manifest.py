"""Manifests: which parts make up a market, one numbered file per state, each with the hash of the one before."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from exchina import atomic
from exchina.errors import DataError, Problem
from exchina.model import Kind, Provenance

VERSION = 1
NUMBERED = re.compile(r"[0-9]{6}\.json")
RESTORE = "restore it from a copy"


@dataclass(frozen=True, slots=True)
class Part:
    """One immutable file of rows: its table, the SHA-256 of its bytes, its rows and the days that they span."""

    table: str
    sha256: str
    rows: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Manifest:
    """One state of a market.

    Attributes:
        market: its name.
        number: 1, 2, 3...; the highest is current.
        parent: SHA-256 of the manifest before; None for the first.
        kind: of data; the same in every manifest of a market.
        source: of the last delivery.
        assumptions: of every delivery so far.
        recorded_at: when the last delivery was saved, ISO 8601 UTC.
        parts: every part in the order of recording.
        sha256: of the manifest file itself; empty until it is written.
    """

    market: str
    number: int
    parent: str | None
    kind: Kind
    source: str
    assumptions: tuple[str, ...]
    recorded_at: str
    parts: tuple[Part, ...]
    sha256: str = field(default="", compare=False)

    def provenance(self) -> Provenance:
        """What travels with the data; its content hash is the SHA-256 over the part hashes in their order."""
        joined = "\n".join(part.sha256 for part in self.parts)
        return Provenance(
            market=self.market,
            kind=self.kind,
            source=self.source,
            retrieved_at=self.recorded_at,
            content_hash=hashlib.sha256(joined.encode()).hexdigest(),
            through=max(part.last for part in self.parts if part.table == "prices"),
            assumptions=self.assumptions,
        )


def manifest_numbers(root: Path, market: str) -> list[int]:
    """Numbers of the manifests of a market, rising; empty if there is no such market. Other files are passed over."""
    paths = (root / market / "manifests").glob("*.json")
    return sorted(int(path.stem) for path in paths if NUMBERED.fullmatch(path.name))


def current(root: Path, market: str) -> Manifest | None:
    """The current manifest; None if there is no such market yet."""
    return read_manifest(root, market) if manifest_numbers(root, market) else None


def read_manifest(root: Path, market: str, number: int | None = None) -> Manifest:
    """One manifest of a market that is there, with every one before it checked against the hash that follows it.

    Raises:
        DataError: no such number; a manifest up to it is missing or changed; or it is of another format.
    """
    numbers = manifest_numbers(root, market)
    wanted = numbers[-1] if number is None else number
    if wanted not in numbers:
        cure = f"there are {numbers[0]} to {numbers[-1]}"
        raise DataError(Problem(f"market {market!r}", f"no manifest has the number {wanted}", cure))
    path = _path(root, market, wanted)
    content = _content(path)
    found = _parsed(path, content)
    if found.number != wanted:
        raise DataError(Problem(str(path), f"holds manifest {found.number}", RESTORE))
    _check_parents(root, market, found)
    return replace(found, sha256=hashlib.sha256(content).hexdigest())


def manifest_of(root: Path, market: str, provenance: tuple[str, str]) -> int | None:
    """Number of the manifest with a content hash that was recorded at a time; None if there is none any more."""
    found = (read_manifest(root, market, number) for number in manifest_numbers(root, market))
    said = ((one.number, one.provenance()) for one in found)
    return next((number for number, of in said if (of.content_hash, of.retrieved_at) == provenance), None)


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Write a manifest that is not there yet; `DataError` if another process took its number meanwhile."""
    facts = {"version": VERSION} | {key: value for key, value in asdict(manifest).items() if key != "sha256"}
    content = json.dumps(facts, indent=1, default=date.isoformat, ensure_ascii=False) + "\n"
    place(_path(root, manifest.market, manifest.number), content.encode(), put=_link)


def place(path: Path, content: bytes, put: Callable[[Path, Path], object] = os.replace) -> None:
    """Put a file of the store in its place by `exchina.atomic.place`; `DataError` if the folder cannot be written."""
    try:
        atomic.place(path, content, put)
    except OSError as fault:
        cure = "make the folder writable, or name another one"
        raise DataError(Problem(str(path.parent), f"cannot be written: {fault.strerror}", cure)) from fault


def other_format(where: Path, folder: Path, what: str) -> DataError:
    """The error of a store that another version of exchina wrote; ``folder`` is that of its market."""
    cure = f"fetch again under a new name, or delete {folder} and fetch again"
    return DataError(Problem(str(where), f"{what}: another version of exchina wrote it", cure))


def _path(root: Path, market: str, number: int) -> Path:
    return root / market / "manifests" / f"{number:06}.json"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise DataError(Problem(str(path), f"cannot be read: {fault.strerror}", RESTORE)) from fault


def _parsed(path: Path, content: bytes) -> Manifest:
    try:
        version = TypeAdapter(dict[str, Any]).validate_json(content).get("version")
        if version == VERSION:
            return TypeAdapter(Manifest).validate_json(content)
    except ValidationError as fault:
        raise DataError(Problem(str(path), "is damaged", RESTORE)) from fault
    raise other_format(path, path.parents[1], f"is of format {version or 'none'}, not {VERSION}")


def _check_parents(root: Path, market: str, last: Manifest) -> None:
    """`DataError` unless each manifest before ``last`` has the hash that the one after it recorded."""
    parent = last.parent
    for number in range(last.number - 1, 0, -1):
        path = _path(root, market, number)
        content = _content(path)
        if hashlib.sha256(content).hexdigest() != parent:
            raise DataError(Problem(str(path), f"is no longer the manifest that number {number + 1} follows", RESTORE))
        parent = json.loads(content)["parent"]


def _link(hidden: Path, path: Path) -> None:
    try:
        path.hardlink_to(hidden)  # unlike a rename, refuses where the name is taken
    except FileExistsError as fault:
        what = "another process saved to this market at the same moment"
        raise DataError(Problem(str(path), what, "run the command again")) from fault
