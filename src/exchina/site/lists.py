"""PURE. The lists of the public folder for machines: what is current, what there is, and the SHA-256 of each file."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from exchina.ledger.chain import FIRST
from exchina.model import Publication
from exchina.site.visible import public_files
from exchina.site.words import simulated, successors

LEDGER, INVENTORY, LATEST, CALENDAR = "ledger.jsonl", "inventory.json", "latest.json", "calendar.ics"
FEED, PAGE, SUMS = "feed.xml", "index.html", "SHA256SUMS"


def public_rows(rows: Sequence[Publication]) -> list[Publication]:
    """The rows with files that everybody may see, in the same order."""
    return [row for row in rows if public_files(row)]


def published(rows: Sequence[Publication]) -> dict[str, Publication]:
    """The row that each public file came with, by its path, in the order of the ledger."""
    found: dict[str, Publication] = {}
    for row in rows:
        for path in public_files(row):
            found.setdefault(path, row)
    return found


def latest(rows: Sequence[Publication], late: Callable[[Publication], bool]) -> dict[str, bytes]:
    """``latest.json`` of the whole folder and of each index: under names that stay, where the current files are.

    What counts under ``close`` is the last session closed, or the restatement of it; ``what`` says which.

    Args:
        rows: the ledger, oldest first.
        late: whether a row came later after it was due than its job allows.
    """
    after = successors(rows)
    indices: dict[str, dict[str, Any]] = {}
    for row in sorted(public_rows(rows), key=lambda row: (row.for_day, row.sequence)):
        said = _current(row, after.get(row.sequence), late(row))
        of_index = indices.setdefault(row.index_id, {})
        of_index[row.what] = said
        if row.what == "restatement":
            of_index["close"] = said
    tip = {"rows": len(rows), "hash": rows[-1].hash if rows else FIRST}
    folders = {f"{name}/{LATEST}": {"index_id": name, "publications": said} for name, said in sorted(indices.items())}
    everything = {"ledger": tip, "indices": indices}
    return {path: _json(said) for path, said in [*folders.items(), (LATEST, everything)]}


def inventory(rows: Sequence[Publication], sizes: Mapping[str, int]) -> bytes:
    """``inventory.json``: path, SHA-256, size in bytes and row of every public file, in the order of the ledger.

    Args:
        rows: the ledger, oldest first.
        sizes: in bytes, by path.
    """
    files = [
        {"path": path, "sha256": row.files[path], "size": sizes[path], "row": row.sequence}
        for path, row in published(rows).items()
    ]
    return _json({"files": files})


def sums(digests: Mapping[str, str]) -> bytes:
    """``SHA256SUMS`` as ``sha256sum --check`` reads it, of SHA-256 by path."""
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(digests.items())).encode()


def listed(content: bytes) -> dict[str, str]:
    """The SHA-256 by path of a file that `sums` wrote; a line that says something else is an unknown path."""
    lines = (line.partition("  ") for line in content.decode(errors="replace").splitlines())
    return {path: digest for digest, _, path in lines}


def _current(row: Publication, after: Publication | None, late: bool) -> dict[str, Any]:
    return {
        "what": row.what,
        "for_day": str(row.for_day),
        "revision": row.revision,
        "row": row.sequence,
        "hash": row.hash,
        "due_at": row.due_at or None,
        "published_at": row.published_at,
        "late": late,
        "simulated": simulated(row),
        "superseded_by_row": after.sequence if after else None,
        "files": {
            PurePosixPath(path).name: {"path": path, "sha256": digest} for path, digest in public_files(row).items()
        },
    }


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
