"""I/O. The public folder: everything that subscribers see, made from the ledger, for any static web server."""

import csv
import os
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from io import StringIO
from pathlib import Path

from exchina.atomic import place
from exchina.errors import Problem, PublicationError
from exchina.ledger.chain import RESTORE, export_lines
from exchina.model import Publication
from exchina.schedule import Job, lateness
from exchina.site.feed import Site, feed_xml
from exchina.site.lists import (
    CALENDAR,
    FEED,
    INVENTORY,
    LEDGER,
    PAGE,
    SUMS,
    inventory,
    latest,
    listed,
    public_rows,
    published,
    sums,
)
from exchina.site.page import LEVELS, Levels, page
from exchina.site.visible import public_files
from exchina.site.words import CLOSING

LEFT_BY_A_CRASH = re.compile(r"\..+\.[0-9a-f]{32}")  # the names of `exchina.atomic.hidden_beside`
ASK = "find out who changed it; then delete it, and the next pass puts there what was published"


def build(
    rows: Sequence[Publication],
    reports: Path,
    *,
    site: Site,
    names: Mapping[str, str],
    calendar: bytes,
    jobs: Collection[Job] = (),
) -> dict[str, bytes | Path]:
    """The public folder: by path the file below the reports that stands there, or the content derived from the rows.

    The order is that in which they are put in place: what points to others comes after them. Nothing comes from the
    clock; the same arguments give the same bytes.

    Args:
        rows: the ledger, oldest first.
        reports: where the published files are.
        site: who publishes, and where.
        names: of the indices, by id.
        calendar: of `exchina.site.calendar_file.calendar_ics`.
        jobs: the schedule; says how late is late.

    Raises:
        PublicationError: with every published file that is missing, and every ``levels.csv`` to be shown that is not
            what was published.
    """
    files = published(rows)
    sizes, faults = _sizes(reports, files)
    levels, more = _levels(rows, reports)
    if faults or more:
        raise PublicationError(*dict.fromkeys([*faults, *more]))
    derived = {
        LEDGER: export_lines(rows),
        INVENTORY: inventory(rows, sizes),
        **latest(rows, lambda row: bool(lateness(row, jobs))),
        CALENDAR: calendar,
        FEED: feed_xml(rows, site=site, names=names, jobs=jobs),
        PAGE: page(rows, levels, site=site, names=names, jobs=jobs),
    }
    digests = _digests(files) | {path: sha256(content).hexdigest() for path, content in derived.items()}
    return {**{path: reports / path for path in files}, **derived, SUMS: sums(digests)}


def refresh(
    folder: Path,
    reports: Path,
    rows: Sequence[Publication],
    *,
    site: Site,
    names: Mapping[str, str],
    calendar: bytes,
    jobs: Collection[Job] = (),
    thorough: bool = False,
) -> list[Problem]:
    """Bring the public folder up to date; a crash at any moment leaves one whose links and checksums all hold.

    Published files come first, each a copy with the time of its publication, by which a later pass knows it without
    reading it. While derived files change, the list of checksums names only what never does.

    Args:
        folder: the public folder; it is made. One process at a time may do this.
        reports: as for `build`; so are the others.
        rows: the ledger, oldest first.
        site: who publishes, and where.
        names: of the indices, by id.
        calendar: the calendar file.
        jobs: the schedule.
        thorough: read every published file again, not only those whose size or time is another.

    Returns:
        What stands in the folder and should not: a published file that was changed, which is left as it is; a derived
        one that was, which is made again; and files of nobody.

    Raises:
        PublicationError: as `build`, or the folder cannot be written. What was derived before stays.
    """
    try:
        made = build(rows, reports, site=site, names=names, calendar=calendar, jobs=jobs)
        files, derived = published(rows), {path: text for path, text in made.items() if isinstance(text, bytes)}
        present = _swept(folder)
        faults = _put_all(folder, reports, files, thorough=thorough)
        faults += _derive(folder, derived, sums(_digests(files)), present)
    except OSError as fault:
        what = f"cannot be read or written: {fault.strerror or fault}"
        cure = "give this user the right to write the public folder, or free space"
        raise PublicationError(Problem(str(fault.filename or folder), what, cure)) from fault
    strange = sorted(present - made.keys())
    return [*faults, *(Problem(str(folder / path), "is in no row of the ledger", "move it away") for path in strange)]


def _put_all(folder: Path, reports: Path, files: Mapping[str, Publication], *, thorough: bool) -> list[Problem]:
    """Every published file in its place; `PublicationError` where one below the reports is no longer itself."""
    changed: list[Problem] = []
    lost: list[Problem] = []
    for path, row in files.items():
        try:
            changed += _put(folder / path, reports / path, path, row, thorough=thorough)
        except PublicationError as fault:
            lost += fault.problems
    if lost:
        raise PublicationError(*lost)
    return changed


def _put(target: Path, source: Path, path: str, row: Publication, *, thorough: bool) -> list[Problem]:
    """A published file in its place; the problem where another stands there."""
    at = int(datetime.fromisoformat(row.published_at).timestamp())
    if not target.exists():
        place(
            target,
            _content(source, path, row),
            lambda hidden, final: (os.utime(hidden, (at, at)), hidden.replace(final)),
        )
        return []
    known = target.stat()
    if not thorough and (known.st_size, known.st_mtime) == (source.stat().st_size, at):
        return []
    if sha256(target.read_bytes()).hexdigest() != row.files[path]:
        return [Problem(str(target), f"is not what was published in row {row.sequence}", ASK)]
    os.utime(target, (at, at))
    return []


def _derive(folder: Path, derived: Mapping[str, bytes], lasting: bytes, present: Collection[str]) -> list[Problem]:
    """What is derived, as far as it is not there yet; while it changes, the checksums are those of what lasts."""
    there = {path: (folder / path).read_bytes() for path in derived if path in present}
    stale = [path for path in derived if there.get(path) != derived[path]]
    if not stale:
        return []
    faults = _changed(folder, there, stale, lasting)
    others = [path for path in stale if path != SUMS]
    if others:
        place(folder / SUMS, lasting)
    for path in [*others, SUMS]:
        place(folder / path, derived[path])
    return faults


def _changed(folder: Path, there: Mapping[str, bytes], stale: Sequence[str], lasting: bytes) -> list[Problem]:
    """Derived files that are not what the checksums beside them say, so that somebody else wrote them."""
    said = listed(there.get(SUMS, b""))
    wrong = [path for path in stale if path in there and path in said]
    wrong = [path for path in wrong if sha256(there[path]).hexdigest() != said[path]]
    if stale == [SUMS] and there.get(SUMS, lasting) != lasting:
        wrong.append(SUMS)
    what, cure = "was changed since it was made, and was made again", "find out who changed it"
    return [Problem(str(folder / path), what, cure) for path in wrong]


def _swept(folder: Path) -> set[str]:
    """The path of each file in the folder, after what a crash has left half written was removed."""
    found: set[str] = set()
    for above, _, names in os.walk(folder):
        for name in names:
            path = Path(above) / name
            if LEFT_BY_A_CRASH.fullmatch(name):
                path.unlink()
            else:
                found.add(path.relative_to(folder).as_posix())
    return found


def _sizes(reports: Path, files: Mapping[str, Publication]) -> tuple[dict[str, int], list[Problem]]:
    sizes: dict[str, int] = {}
    faults: list[Problem] = []
    for path, row in files.items():
        try:
            sizes[path] = (reports / path).stat().st_size
        except OSError as fault:
            what = f"published in row {row.sequence}, cannot be read: {fault.strerror}"
            faults.append(Problem(str(reports / path), what, RESTORE))
    return sizes, faults


def _levels(rows: Sequence[Publication], reports: Path) -> tuple[dict[str, tuple[Publication, Levels]], list[Problem]]:
    """By index the row that closed its last session, and the lines of its levels."""
    closing = [row for row in public_rows(rows) if row.what in CLOSING]
    last = {row.index_id: row for row in sorted(closing, key=lambda row: (row.for_day, row.sequence))}
    found: dict[str, tuple[Publication, Levels]] = {}
    faults: list[Problem] = []
    for index_id, row in last.items():
        for path in [path for path in public_files(row) if path.endswith(f"/{LEVELS}")]:
            try:
                text = _content(reports / path, path, row).decode()
                found[index_id] = row, list(csv.DictReader(StringIO(text)))
            except PublicationError as fault:
                faults += fault.problems
            except OSError:
                continue  # `_sizes` names it
    return found, faults


def _content(source: Path, path: str, row: Publication) -> bytes:
    """A published file; `PublicationError` where it is no longer what was published."""
    content = source.read_bytes()
    if sha256(content).hexdigest() != row.files[path]:
        what = f"was changed after it was published in row {row.sequence}"
        raise PublicationError(Problem(str(source), what, RESTORE))
    return content


def _digests(files: Mapping[str, Publication]) -> dict[str, str]:
    return {path: row.files[path] for path, row in files.items()}
