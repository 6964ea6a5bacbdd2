"""Manifests: which parts make up a market, one numbered file per state; and how a file is put in its place whole."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from exchina.errors import DataError, Problem
from exchina.model import Kind, Provenance


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
    """Numbers of the manifests of a market, rising; empty if there is no such market."""
    return sorted(int(path.stem) for path in (root / market / "manifests").glob("[0-9]*.json"))


def current(root: Path, market: str) -> Manifest | None:
    """The current manifest; None if there is no such market yet."""
    return read_manifest(root, market) if manifest_numbers(root, market) else None


def read_manifest(root: Path, market: str, number: int | None = None) -> Manifest:
    """One manifest of a market that is there; `DataError` if it has no such number or cannot be read."""
    numbers = manifest_numbers(root, market)
    wanted = numbers[-1] if number is None else number
    if wanted not in numbers:
        cure = f"there are {numbers[0]} to {numbers[-1]}"
        raise DataError(Problem(f"market {market!r}", f"no manifest has the number {wanted}", cure))
    path = _path(root, market, wanted)
    content = path.read_bytes()
    try:
        found = TypeAdapter(Manifest).validate_json(content)
    except ValidationError as fault:
        raise DataError(Problem(str(path), "is damaged", "restore it from a copy")) from fault
    return replace(found, sha256=hashlib.sha256(content).hexdigest())


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Write a manifest that is not there yet; `DataError` if another process took its number meanwhile."""
    facts = {key: value for key, value in asdict(manifest).items() if key != "sha256"}
    content = json.dumps(facts, indent=1, default=date.isoformat, ensure_ascii=False) + "\n"
    place(_path(root, manifest.market, manifest.number), content.encode(), put=_link)


def place(path: Path, content: bytes, put: Callable[[Path, Path], None] = os.replace) -> None:
    """Put a file in its place, whole and on disk, or not at all.

    Args:
        path: the file; its folder is made.
        content: its bytes.
        put: moves the finished temporary file to ``path``.

    Raises:
        DataError: the folder cannot be written, or ``put`` refused.
    """
    temporary = path.with_name(f".{uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_through(temporary, content)
            put(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as fault:
        cure = "make the folder writable, or name another one"
        raise DataError(Problem(str(path.parent), f"cannot be written: {fault.strerror}", cure)) from fault


def _path(root: Path, market: str, number: int) -> Path:
    return root / market / "manifests" / f"{number:06}.json"


def _link(temporary: Path, path: Path) -> None:
    try:
        path.hardlink_to(temporary)  # unlike a rename, refuses where the name is taken
    except FileExistsError as fault:
        what = "another process saved to this market at the same moment"
        raise DataError(Problem(str(path), what, "run the command again")) from fault


def _write_through(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # elsewhere a folder cannot be opened, and need not be
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
