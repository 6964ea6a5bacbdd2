"""The ledgers: what was published, and what was tried, with the hash of each file; rows are only ever added.

Each row holds the hash of the row before, so that no row can be changed, taken out or put in unnoticed:
``hash`` is the SHA-256 of the canonical JSON (sorted keys, no spaces, UTF-8) of all other fields, and ``previous_hash``
is 64 zeros in the first row. ``ledger.jsonl``, one such row a line, travels with the published files, so that a
subscriber can check them without us.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from exchina.errors import Problem
from exchina.ledger.chain import append_faults
from exchina.ledger.files import path_faults
from exchina.ledger.rows import table_of
from exchina.ledger.signing import signature_of
from exchina.ledger.store import Chain, Form, refuse
from exchina.model import Publication

if TYPE_CHECKING:
    from exchina.ledger.signing import Ed25519PrivateKey


def _publication(fields: dict[str, Any]) -> Publication:
    fields["for_day"] = date.fromisoformat(fields["for_day"])
    return Publication(**fields)


TEXTS = ("due_at", "published_at", "files", "inputs", "signature")
KIN = ("index_id", "what", "for_day")
KEY = (*KIN, "revision")
PUBLICATIONS = Form(
    stem="ledger",
    table=table_of("publications", {**dict.fromkeys(KEY, str), "revision": int, **dict.fromkeys(TEXTS, str)}, KEY),
    key=KEY,
    made=_publication,
    words=("published", "publish", "publication"),
    stray="it was not published: move it elsewhere",
    revised=KIN,
    faults=lambda revisions, last, draft: list(append_faults(revisions, last, draft)),
)


@dataclass(frozen=True, slots=True)
class Ledger(Chain[Publication]):
    """The publications of one folder; each row is signed where the ledger is opened with a key."""

    key: "Ed25519PrivateKey | None" = field(default=None, repr=False)

    @property
    def form(self) -> Form[Publication]:
        """Publications."""
        return PUBLICATIONS

    def find(self, index_id: str, what: str, for_day: date) -> Publication | None:
        """The latest revision of a publication, or None."""
        sought = SimpleNamespace(index_id=index_id, what=what, for_day=for_day)
        return max(self.rows_like(sought, KIN), key=lambda row: row.revision, default=None)

    def signed(self, entry: Publication) -> Publication:
        """The row with its signature, if there is a key."""
        return replace(entry, signature=signature_of(entry.hash, self.key)) if self.key else entry

    def publish(
        self,
        index_id: str,
        what: str,
        for_day: date,
        files: Mapping[str, bytes],
        inputs: Mapping[str, str],
        *,
        published_at: datetime,
        due_at: datetime | None = None,
        revision: int = 0,
    ) -> tuple[Publication, bool]:
        """Write the files and append the row: both or neither, whatever fails.

        Args:
            index_id: the index.
            what: the kind of publication, such as ``rebalance``.
            for_day: the day that it is for.
            files: the content of each file by its path below the folder.
            inputs: what it was made from, such as the hashes of rulebook and data.
            published_at: now, with a time zone.
            due_at: when the schedule asked for it, with a time zone; None for what is published by hand.
            revision: 0, or one more than the last for a restatement.

        Returns:
            The row, and whether it is new. A revision that was published before comes back as it was; its files are
            not touched.

        Raises:
            PublicationError: the place, what failed there, and the cure; nothing was published unless it says so.
        """
        due = [] if due_at is None else clock_faults("due_at", due_at)
        refuse([*path_faults(files), *due, *clock_faults("published_at", published_at)])
        hashes = {path: sha256(content).hexdigest() for path, content in sorted(files.items())}
        draft = Publication(
            sequence=0,
            index_id=index_id,
            what=what,
            for_day=for_day,
            revision=revision,
            due_at=_instant(due_at) if due_at else "",
            published_at=_instant(published_at),
            files=hashes,
            inputs=dict(sorted(inputs.items())),
            previous_hash="",
            hash="",
            signature="",
        )
        return self.append(draft, files)


def open_ledger(folder: Path, url: str = "", key: "Ed25519PrivateKey | None" = None) -> Ledger:
    """The ledger of a folder; nothing is created before the first publication.

    Args:
        folder: of the files and of their export, ``ledger.jsonl``.
        url: of the database, ``postgresql://...``, which several machines that share the folder share too; empty for
            ``ledger.sqlite`` in the folder.
        key: of `exchina.ledger.signing.read_key`, to sign each new row.
    """
    return Ledger(folder, url, key)


def clock_faults(where: str, moment: datetime) -> list[Problem]:
    """A moment without a time zone."""
    return [] if moment.tzinfo else [Problem(where, f"{moment} has no time zone", "give the instant in UTC")]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
