"""What a subscriber is told of one row of the ledger, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeAlias

from exchina.errors import Problem, PublicationError
from exchina.ledger.chain import RESTORE
from exchina.model import Publication

State: TypeAlias = Literal["ok", "failed", "given_up", "gone"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt.

    Attributes:
        state: ``ok``; ``failed``, which is tried again; ``given_up``, the last of many that failed; or ``gone``, the
            subscriber's server said that nothing shall be sent any more.
        detail: in words, without any secret.
    """

    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One row of the ledger, as one subscriber is told of it.

    Attributes:
        row: of the ledger; its hash is the key by which a subscriber knows a repetition.
        files: the SHA-256 by path of the files that this subscriber gets.
        title: the publication in a line.
        remarks: what a reader must know of it, a sentence each.
        late: whether it was published later than its job allows.
        rows: the ledger up to this row.
        folder: where the files are.
        at: the moment of this attempt.
    """

    row: Publication
    files: Mapping[str, str]
    title: str
    remarks: Sequence[str]
    late: bool
    rows: Sequence[Publication]
    folder: Path
    at: datetime

    def size(self, path: str) -> int:
        """Bytes of a file; raises as `content`."""
        try:
            return (self.folder / path).stat().st_size
        except OSError as fault:
            raise self._unreadable(path, fault) from fault

    def content(self, path: str) -> bytes:
        """A file.

        Raises:
            PublicationError: it cannot be read, or is no longer what was published.
        """
        try:
            found = (self.folder / path).read_bytes()
        except OSError as fault:
            raise self._unreadable(path, fault) from fault
        if sha256(found).hexdigest() != self.files[path]:
            what = f"was changed after it was published in row {self.row.sequence}; it was not sent"
            raise PublicationError(Problem(str(self.folder / path), what, RESTORE))
        return found

    def _unreadable(self, path: str, fault: OSError) -> PublicationError:
        what = f"published in row {self.row.sequence}, cannot be read: {fault.strerror}"
        return PublicationError(Problem(str(self.folder / path), what, RESTORE))
