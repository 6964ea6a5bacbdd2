"""I/O. A downloaded public folder against its own ledger: what a subscriber can prove without the publisher."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from exchina.errors import Problem
from exchina.ledger.chain import chain_faults, export_lines
from exchina.ledger.files import file_faults, path_faults
from exchina.ledger.signing import public_key_of, signature_faults
from exchina.model import Publication
from exchina.site.lists import CALENDAR, FEED, INVENTORY, LEDGER, PAGE, SUMS, inventory, latest, listed, published, sums
from exchina.site.visible import public_files

AGAIN = "download it again; if that does not help, ask the publisher"
ROW = TypeAdapter(Publication)


def download_faults(folder: Path, public_key_pem: bytes | None = None) -> list[Problem]:
    """Everything in a downloaded public folder that is not what its ledger says.

    The chain of hashes, the signatures and each published file prove themselves; ``latest.json`` and
    ``inventory.json`` are made anew from the ledger and compared. Feed, calendar and page rest on ``SHA256SUMS`` alone,
    which nobody signs. A ledger whose last rows were cut off is whole in itself: only a hash or a row known from
    elsewhere shows that.

    Args:
        folder: a copy of the whole folder, with the licensed files or without.
        public_key_pem: the publisher's key, got by another way; None leaves the signatures alone.

    Returns:
        Problems; an empty list means that all is as published.

    Raises:
        PublicationError: the key is no Ed25519 key in PEM.
    """
    key = public_key_of(public_key_pem) if public_key_pem is not None else None
    rows, faults = _rows(folder / LEDGER)
    if faults:
        return faults
    faults += chain_faults(LEDGER, rows)
    faults += signature_faults(rows, key) if key else []
    faults += path_faults(path for row in rows for path in row.files)
    if not faults:
        faults += _file_faults(folder, rows)
    return [replace(fault, hint=AGAIN) for fault in faults]


def _rows(path: Path) -> tuple[list[Publication], list[Problem]]:
    """The rows of the ledger; or the first line that is none."""
    try:
        content = path.read_bytes()
    except OSError as fault:
        return [], [Problem(str(path), f"cannot be read: {fault.strerror}", AGAIN)]
    rows: list[Publication] = []
    for number, line in enumerate(content.splitlines(keepends=True), 1):
        try:
            rows.append(ROW.validate_json(line, strict=True))
        except ValidationError:
            return [], [Problem(f"{path} line {number}", "is not a row of a ledger", AGAIN)]
        if export_lines(rows[-1:]) != line:
            return [], [Problem(f"{path} line {number}", "is not written as a ledger writes its rows", AGAIN)]
    return rows, []


def _file_faults(folder: Path, rows: Sequence[Publication]) -> Iterator[Problem]:
    """Files that are missing, changed or strange, given rows that are sound."""
    wrong = list(file_faults(folder, [replace(row, files=_expected(folder, row)) for row in rows]))
    yield from wrong
    files = published(rows)
    derived = [LEDGER, INVENTORY, *latest(rows, _unknown), CALENDAR, FEED, PAGE]
    texts = {path: (folder / path).read_bytes() for path in [*derived, SUMS] if (folder / path).is_file()}
    for path in [*derived, SUMS]:
        if path not in texts:
            yield Problem(str(folder / path), "is missing")
    yield from _unlike_sums(folder, {path: row.files[path] for path, row in files.items()}, texts)
    if not wrong:
        yield from _unlike_ledger(folder, rows, texts)
    known = {*files, *derived, SUMS}
    known |= {path for row in rows for path in public_files(row, licensed=True)}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in known:
            yield Problem(str(path), "is in no row of the ledger")


def _expected(folder: Path, row: Publication) -> dict[str, str]:
    """The public files of a row, and those of its licensed ones that are here."""
    licensed = public_files(row, licensed=True)
    return {**public_files(row), **{path: digest for path, digest in licensed.items() if (folder / path).is_file()}}


def _unlike_sums(folder: Path, digests: Mapping[str, str], texts: Mapping[str, bytes]) -> Iterator[Problem]:
    """Derived files, and lines of the list of checksums, that do not fit each other or the ledger."""
    if SUMS not in texts:
        return
    said = listed(texts[SUMS])
    found = {path: sha256(content).hexdigest() for path, content in texts.items() if path != SUMS}
    for path, digest in found.items():
        if said.get(path) != digest:
            yield Problem(str(folder / path), f"is not what {SUMS} says")
    if texts[SUMS] != sums({**digests, **{path: said.get(path, "") for path in found}}):
        yield Problem(str(folder / SUMS), "is not the list of the files that the ledger names")


def _unlike_ledger(folder: Path, rows: Sequence[Publication], texts: Mapping[str, bytes]) -> Iterator[Problem]:
    """The lists for programs that are not what the ledger says; only the publisher's schedule says what is late."""
    sizes = {path: (folder / path).stat().st_size for path in published(rows)}
    wanted = {INVENTORY: inventory(rows, sizes), **latest(rows, _unknown)}
    for path, content in wanted.items():
        if path in texts and _said(texts[path]) != _said(content):
            yield Problem(str(folder / path), "is not what the ledger says")


def _unknown(_row: Publication) -> bool:
    """What is late is left out of the comparison."""
    return False


def _said(content: bytes) -> Any:
    try:
        return json.loads(content, object_hook=lambda table: {k: v for k, v in table.items() if k != "late"})
    except ValueError:
        return None
