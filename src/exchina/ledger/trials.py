"""The ledger of trials: every backtest that was run, with its levels; a trial cannot be taken back.

It stands in one folder: ``trials.sqlite`` holds the rows, ``trials.jsonl`` is their export, ``series/<sha256>.parquet``
the levels of each trial and ``rules/<sha256>.json`` what the rules of each trial were. The files are named by their
content, the rows are chained as those of publications are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from types import NoneType
from typing import get_args, get_type_hints

import polars as pl

from exchina.errors import Problem, PublicationError
from exchina.ledger import clock_faults
from exchina.ledger.chain import RESTORE
from exchina.ledger.rows import table_of
from exchina.ledger.store import Chain, Form


@dataclass(frozen=True, slots=True)
class Trial:
    """One row: which rules were tried on which data, and what came out.

    Attributes:
        sequence: from 1.
        index_id: the index whose rulebook was run.
        label: what was varied, such as ``select.top.count=15``; empty for a rulebook as it stands.
        config: SHA-256 of the meaning of the rules (`exchina.analytics.sweep.meaning`).
        data: SHA-256 of the market data, the reference data and the day to which they were cut.
        market: name of the market in the store.
        code: version of exchina.
        variants: the return variants computed, such as ``PR,NTR``.
        first: first session of the levels; empty where none could be computed.
        last: last session of the levels; empty as well.
        measured: the return variant that ``sharpe`` is of; empty as well.
        sessions: number of session returns.
        sharpe: mean over standard deviation (n - 1) of the session returns, per session, cash not taken off; None where
            no levels could be computed or they do not vary.
        reason: why no levels could be computed; else empty.
        author: who ran it.
        recorded_at: when it was first run, ISO 8601 UTC.
        files: SHA-256 of the levels and of the rules, by path.
        previous_hash: of the row before.
        hash: of this row.
    """

    sequence: int
    index_id: str
    label: str
    config: str
    data: str
    market: str
    code: str
    variants: str
    first: str
    last: str
    measured: str
    sessions: int
    sharpe: float | None
    reason: str
    author: str
    recorded_at: str
    files: Mapping[str, str]
    previous_hash: str
    hash: str

    @property
    def name(self) -> str:
        """How a person tells it from others: index, what was varied, and the first letters of its configuration."""
        return " ".join(filter(None, [self.index_id, self.label, f"({self.config[:8]})"]))


KEY = ("config", "data", "market", "code", "variants")


def _columns() -> dict[str, type]:
    """The columns between sequence and the two hashes, by the types of the fields; a mapping is kept as text."""
    hints = get_type_hints(Trial)
    kinds = {
        one.name: next((t for t in get_args(hints[one.name]) if t is not NoneType), hints[one.name])
        for one in fields(Trial)
    }
    return {
        name: kind
        for name, kind in {**kinds, "files": str}.items()
        if name not in ("sequence", "previous_hash", "hash")
    }


TRIALS: Form[Trial] = Form(
    stem="trials",
    table=table_of("trials", _columns(), KEY),
    key=KEY,
    made=lambda row: Trial(**row),
    words=("recorded", "run", "trial"),
    stray="a run was stopped, which running it again mends; or its row was cut off: restore the folder from a backup",
)


@dataclass(frozen=True, slots=True)
class TrialLedger(Chain[Trial]):
    """The trials of one folder; nothing is created before the first."""

    @property
    def form(self) -> Form[Trial]:
        """Trials."""
        return TRIALS

    def record(self, draft: Trial, rules: str, levels: pl.DataFrame | None, *, at: datetime) -> tuple[Trial, bool]:
        """Append a trial with its levels: both or neither, whatever fails.

        Args:
            draft: the row; number, time, files and hashes are filled in.
            rules: the text whose SHA-256 is ``draft.config``.
            levels: session, variant, level; None where there is a ``reason``.
            at: now, with a time zone.

        Returns:
            The row, and whether it is new. The same rules on the same data, by the same code, were tried once: that row
            comes back with its first author and time.

        Raises:
            PublicationError: the place, what failed there, and the cure; nothing was recorded unless it says so.
        """
        faults = clock_faults("recorded_at", at)
        if sha256(rules.encode()).hexdigest() != draft.config:
            faults.append(
                Problem("config", "is not the SHA-256 of the rules", "use exchina.analytics.sweep.config_hash")
            )
        if faults:
            raise PublicationError(*faults)
        contents = {f"rules/{draft.config}.json": rules.encode()}
        if levels is not None:
            content = _parquet(levels)
            contents[f"series/{sha256(content).hexdigest()}.parquet"] = content
        named = {path: Path(path).stem for path in sorted(contents)}
        stamp = at.astimezone(UTC).isoformat(timespec="seconds")
        return self.append(replace(draft, files=named, recorded_at=stamp), contents)

    def levels(self, trial: Trial) -> pl.DataFrame | None:
        """The levels of a trial: session, variant, level; None where none could be computed.

        Raises:
            PublicationError: the file is missing, or is not what was recorded.
        """
        path = next((path for path in trial.files if path.startswith("series/")), None)
        if path is None:
            return None
        place = self.folder / path
        try:
            content = place.read_bytes()
        except OSError as fault:
            what = f"recorded in row {trial.sequence}, cannot be read: {fault.strerror}"
            raise PublicationError(Problem(str(place), what, RESTORE)) from fault
        if sha256(content).hexdigest() != trial.files[path]:
            what = f"was changed after it was recorded in row {trial.sequence}"
            raise PublicationError(Problem(str(place), what, RESTORE))
        return pl.read_parquet(BytesIO(content))


def open_trials(folder: Path, url: str = "") -> TrialLedger:
    """The ledger of trials in a folder; its rows stand at ``url`` as those of `exchina.ledger.open_ledger`."""
    return TrialLedger(folder, url)


def _parquet(levels: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    levels.select("session", "variant", "level").write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
