"""A row of the ledger as a letter in plain text."""

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import PurePosixPath

from exchina.delivery.message import Message
from exchina.delivery.subscribers import Site
from exchina.site.lists import LEDGER
from exchina.site.words import instant_text

LARGEST = 64 * 1024
LEVELS = "levels.csv", ("variant", "level", "currency", "status")
CHANGES = "proforma.csv", ("action", "name", "symbol", "weight", "previous_weight")


def letter(message: Message, site: Site) -> str:
    """What was published, its levels or its changes where the files that have them are small, and where the files are.

    Raises:
        PublicationError: a file that is quoted is no longer what was published.
    """
    row = message.row
    late = ", late" if message.late else ""
    due = f" (due {instant_text(row.due_at)}{late})" if row.due_at else ""
    parts = [
        [message.title, *message.remarks],
        [f"Published {instant_text(row.published_at)}{due}."],
        list(_levels(_table(message, *LEVELS))),
        list(_changes(_table(message, *CHANGES))) if row.what == "announcement" else [],
        [line for path, digest in sorted(message.files.items()) for line in (site.link(path), f"  SHA-256 {digest}")],
        [f"Row {row.sequence} of the ledger, {site.link(LEDGER)}:", row.hash],
        [site.title, *([site.contact] if site.contact else [])],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _table(message: Message, name: str, columns: Collection[str]) -> Sequence[Mapping[str, str]]:
    """The lines of a CSV file of a message; none where it has no such file, a large one, or one of another kind."""
    for path in message.files:
        if PurePosixPath(path).name == name and message.size(path) <= LARGEST:
            lines = csv.DictReader(StringIO(message.content(path).decode()))
            return list(lines) if set(columns) <= set(lines.fieldnames or ()) else ()
    return ()


def _levels(lines: Sequence[Mapping[str, str]]) -> Iterator[str]:
    for line in lines:
        marked = "" if line["status"] == "published" else f", {line['status']}"
        yield f"{line['variant']:<24} {float(line['level']):>14,.2f} {line['currency']}{marked}"


def _changes(lines: Sequence[Mapping[str, str]]) -> Iterator[str]:
    if not lines:
        return
    for heading, action, column in (("Added", "add", "weight"), ("Deleted", "delete", "previous_weight")):
        found = [line for line in lines if line["action"] == action]
        weights = ", ".join(f"{line['name']} ({line['symbol']}, {float(line[column]):.2%})" for line in found)
        yield f"{heading}: {weights or 'none'}"
