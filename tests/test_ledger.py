"""The ledger never loses, repeats or silently changes a publication, whatever fails."""

import errno
import json
import multiprocessing
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from exchina import workflow
from exchina.errors import PublicationError
from exchina.ledger import Ledger, open_ledger
from exchina.market.view import MarketView
from exchina.model import Publication, Rulebook
from exchina.workflow import publishing
from exchina.workspace import Workspace

DAY = date(2026, 6, 3)
NOW = datetime(2026, 6, 3, 22, 15, tzinfo=UTC)


def publish(
    ledger: Ledger, day: date = DAY, content: bytes = b"weights", revision: int = 0
) -> tuple[Publication, bool]:
    files = {f"magnet-chain/{day}-r{revision}/weights.csv": content}
    return ledger.publish(
        "magnet-chain", "rebalance", day, files, {"rulebook": "ab"}, published_at=NOW, revision=revision
    )


def whats(ledger: Ledger) -> str:
    return "\n".join(str(problem) for problem in ledger.verify())


def on_disk(folder: Path) -> dict[str, bytes]:
    """Every file that a reader would see; the database's rows stand in for its pages."""
    kept = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {path: content for path, content in kept.items() if not path.startswith("ledger.sqlite")}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Three publications."""
    ledger = open_ledger(tmp_path / "reports")
    for days in range(3):
        publish(ledger, DAY + timedelta(days))
    return ledger


def unguarded(ledger: Ledger, *statements: str) -> None:
    """Somebody with the right to write takes the guards off and changes rows."""
    connection = sqlite3.connect(ledger.database)
    for verb in ("update", "delete"):
        connection.execute(f"DROP TRIGGER publications_no_{verb}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_publication_writes_files_row_and_export(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "deep" / "reports")
    entry, new = publish(ledger)
    assert new
    assert (entry.sequence, entry.revision, entry.previous_hash) == (1, 0, "0" * 64)
    assert entry.published_at == "2026-06-03T22:15:00+00:00"
    assert entry.files == {"magnet-chain/2026-06-03-r0/weights.csv": sha256(b"weights").hexdigest()}
    assert (ledger.folder / "magnet-chain/2026-06-03-r0/weights.csv").read_bytes() == b"weights"
    assert ledger.entries() == [entry]
    assert ledger.verify() == []
    assert sorted(on_disk(ledger.folder)) == ["ledger.jsonl", "magnet-chain/2026-06-03-r0/weights.csv"]


def test_a_subscriber_can_check_the_export_without_us(ledger: Ledger) -> None:
    before = "0" * 64
    for line in ledger.export.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        stated = row.pop("hash")
        assert row["previous_hash"] == before
        text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert sha256(text.encode()).hexdigest() == stated
        before = stated
        for path, digest in row["files"].items():
            assert sha256((ledger.folder / path).read_bytes()).hexdigest() == digest


def test_looking_at_a_ledger_that_is_not_there_makes_nothing(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "reports")
    assert ledger.entries() == []
    assert ledger.find("magnet-chain", "rebalance", DAY) is None
    assert ledger.verify() == []
    assert list(tmp_path.iterdir()) == []


def test_the_same_publication_again_is_the_first_one(ledger: Ledger) -> None:
    before = on_disk(ledger.folder)
    entry, new = publish(ledger, content=b"other weights")
    assert not new
    assert entry == ledger.entries()[0]
    assert on_disk(ledger.folder) == before


def test_a_restatement_is_a_new_row_and_the_old_file_stays(ledger: Ledger) -> None:
    entry, new = publish(ledger, content=b"corrected", revision=1)
    assert new
    assert ledger.find("magnet-chain", "rebalance", DAY) == entry
    assert (ledger.folder / "magnet-chain/2026-06-03-r0/weights.csv").read_bytes() == b"weights"
    assert ledger.verify() == []


def test_revisions_come_in_order(ledger: Ledger) -> None:
    with pytest.raises(PublicationError, match="the next revision is 1"):
        publish(ledger, revision=2)


def test_what_is_published_is_never_overwritten(ledger: Ledger) -> None:
    before = on_disk(ledger.folder)
    files = {"magnet-chain/2026-06-03-r0/weights.csv": b"corrected"}
    with pytest.raises(PublicationError, match="was published in row 1 with other content"):
        ledger.publish("magnet-chain", "rebalance", DAY, files, {}, published_at=NOW, revision=1)
    assert on_disk(ledger.folder) == before


OWN_PATHS = ["ledger.sqlite", "./ledger.sqlite", "Ledger.JSONL", ".//ledger.jsonl", "a/./b.csv", "a//b.csv"]


@pytest.mark.parametrize("path", ["../outside.csv", "/etc/outside.csv", "a\\b.csv", "", *OWN_PATHS])
def test_a_path_outside_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(PublicationError):
        open_ledger(tmp_path).publish("magnet-chain", "rebalance", DAY, {path: b""}, {}, published_at=NOW)
    assert list(tmp_path.iterdir()) == []


def test_an_instant_needs_a_zone_and_is_kept_in_utc(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    with pytest.raises(PublicationError, match="has no time zone"):
        ledger.publish("a", "b", DAY, {}, {}, published_at=datetime(2026, 6, 3))
    local = datetime(2026, 6, 3, 18, 15, tzinfo=timezone(timedelta(hours=-4)))
    entry, _ = ledger.publish("a", "b", DAY, {}, {}, published_at=local)
    assert entry.published_at == "2026-06-03T22:15:00+00:00"


COLUMNS = "index_id, what, for_day, revision, published_at, files, inputs, previous_hash"
REPLACE = "INSERT OR REPLACE INTO publications SELECT {}, {}, {} FROM publications WHERE sequence = 1"
FORBIDDEN = {
    "update": "UPDATE publications SET inputs = '{}'",
    "delete": "DELETE FROM publications",
    "replace by sequence": REPLACE.format(1, COLUMNS.replace("what", "'other'"), "'x'"),
    "replace by key": REPLACE.format(9, COLUMNS, "'x'"),
    "replace by hash": REPLACE.format(9, COLUMNS.replace("what", "'other'"), "hash"),
}


@pytest.mark.parametrize("statement", FORBIDDEN.values(), ids=FORBIDDEN)
def test_the_database_refuses_to_change_a_row(ledger: Ledger, statement: str) -> None:
    before = ledger.entries()
    connection = sqlite3.connect(ledger.database, isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()
    assert ledger.entries() == before


def test_guards_that_were_taken_off_come_back_with_the_next_publication(ledger: Ledger) -> None:
    unguarded(ledger)
    publish(ledger, DAY + timedelta(9))
    connection = sqlite3.connect(ledger.database)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(FORBIDDEN["delete"])
    connection.close()


TAMPERED: list[tuple[Callable[[Ledger], Any], str]] = [
    (
        lambda ledger: unguarded(ledger, "UPDATE publications SET published_at = 'x' WHERE sequence = 2"),
        "row 2: was changed",
    ),
    (
        lambda ledger: unguarded(ledger, "UPDATE publications SET hash = 'x' WHERE sequence = 2"),
        "row 3: does not follow",
    ),
    (
        lambda ledger: unguarded(ledger, "UPDATE publications SET files = 'x' WHERE sequence = 2"),
        "row 2: is not a row that",
    ),
    (
        lambda ledger: unguarded(ledger, "DELETE FROM publications WHERE sequence = 2"),
        "row 3: stands where row 2 should",
    ),
    (
        lambda ledger: unguarded(ledger, "DELETE FROM publications WHERE sequence = 3"),
        "line 3: has no row in the database",
    ),
    (
        lambda ledger: ledger.database.write_bytes(b"not a database, whatever its name says" * 99),
        "cannot be read: file is not",
    ),
    (
        lambda ledger: weights(ledger).write_bytes(b"better weights"),
        "weights.csv: was changed after it was published in row 1",
    ),
    (lambda ledger: weights(ledger).unlink(), "weights.csv: published in row 1, cannot be read: No such file"),
    (lambda ledger: ledger.export.unlink(), "ledger.jsonl: is missing or empty, while the database holds 3 rows"),
    (lambda ledger: ledger.export.write_text(ledger.export.read_text().replace("ab", "cd", 1)), "line 1: differs"),
    (lambda ledger: ledger.export.write_text(ledger.export.read_text() + "{}\n"), "line 4: has no row in the database"),
    (lambda ledger: ledger.database.unlink(), "line 1: has no row in the database"),
]


def weights(ledger: Ledger) -> Path:
    return ledger.folder / "magnet-chain/2026-06-03-r0/weights.csv"


@pytest.mark.parametrize(("tamper", "expected"), TAMPERED)
def test_tampering_is_found(ledger: Ledger, tamper: Callable[[Ledger], Any], expected: str) -> None:
    tamper(ledger)
    assert expected in whats(ledger)


def test_nothing_is_added_to_a_broken_chain(ledger: Ledger) -> None:
    unguarded(ledger, "UPDATE publications SET published_at = 'x' WHERE sequence = 2")
    before = on_disk(ledger.folder)
    with pytest.raises(PublicationError, match="row 2: was changed after it was published"):
        publish(ledger, DAY + timedelta(9))
    assert on_disk(ledger.folder) == before
    assert len(ledger.entries()) == 3


def test_a_lost_export_comes_back_with_the_next_publication(ledger: Ledger) -> None:
    ledger.export.unlink()
    publish(ledger)
    assert ledger.verify() == []


def test_a_lagging_export_is_renewed(ledger: Ledger) -> None:
    lines = ledger.export.read_text().splitlines(keepends=True)
    ledger.export.write_text(lines[0])
    assert "line 2: is missing" in whats(ledger)
    ledger.renew_export()
    assert ledger.verify() == []
    assert ledger.export.read_text() == "".join(lines)


@pytest.mark.parametrize("change", [lambda text: text.replace("ab", "cd", 1), lambda text: text + "{}\n"])
def test_an_export_that_contradicts_the_rows_is_never_overwritten(ledger: Ledger, change: Callable[[str], str]) -> None:
    ledger.export.write_text(change(ledger.export.read_text()))
    before = on_disk(ledger.folder)
    ledger.renew_export()
    with pytest.raises(PublicationError, match="export and database disagree"):
        publish(ledger, DAY + timedelta(9))
    assert on_disk(ledger.folder) == before
    assert len(ledger.entries()) == 3


def test_a_lost_database_does_not_cost_the_export(ledger: Ledger) -> None:
    before = ledger.export.read_text()
    ledger.database.unlink()
    with pytest.raises(PublicationError, match="line 1: has no row in the database"):
        publish(ledger, DAY + timedelta(9))
    assert ledger.export.read_text() == before


def test_a_changed_row_is_not_exported(ledger: Ledger) -> None:
    unguarded(ledger, "UPDATE publications SET published_at = 'x' WHERE sequence = 2")
    ledger.export.unlink()
    ledger.renew_export()
    assert not ledger.export.exists()


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


FAILURES = [("fsync", os, "fsync"), ("rename", Path, "replace"), ("commit", sa.Connection, "commit")]


@pytest.mark.parametrize(("owner", "name"), [pytest.param(owner, name, id=label) for label, owner, name in FAILURES])
def test_a_failure_leaves_everything_as_it_was(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    before = on_disk(ledger.folder)
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, full)
        with pytest.raises(PublicationError, match="nothing was published: No space left on device"):
            publish(ledger, DAY + timedelta(9))
    assert on_disk(ledger.folder) == before
    assert len(ledger.entries()) == 3
    assert ledger.verify() == []
    assert publish(ledger, DAY + timedelta(9))[1]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file where the folder should be")
    with pytest.raises(PublicationError, match=r"reports: nothing was published: File exists \(free space"):
        publish(open_ledger(tmp_path / "reports"))


def crash_before_commit(folder: Path) -> None:
    """Run in a process of its own: the power goes after the files were placed and before the row was committed."""
    sa.Connection.commit = lambda _: os._exit(9)  # type: ignore[method-assign, assignment]
    publish(open_ledger(folder), DAY + timedelta(9))


def test_a_crash_between_files_and_row_is_mended_by_publishing_again(ledger: Ledger) -> None:
    process = multiprocessing.get_context("spawn").Process(target=crash_before_commit, args=(ledger.folder,))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert (ledger.folder / "magnet-chain/2026-06-12-r0/weights.csv").exists()
    assert len(ledger.entries()) == 3
    entry, new = publish(ledger, DAY + timedelta(9))
    assert new
    assert entry.sequence == 4
    assert ledger.verify() == []


def crash_before_export(folder: Path) -> None:
    """Run in a process of its own: the power goes after the row was committed and before it was exported."""
    Ledger.renew_export = lambda _: os._exit(9)  # type: ignore[method-assign, assignment]
    publish(open_ledger(folder), DAY + timedelta(9))


def test_a_crash_between_row_and_export_does_not_stop_the_next_publication(
    tmp_path: Path, chain: Rulebook, sample: MarketView, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Workspace(tmp_path)
    publish(open_ledger(desk.reports))
    process = multiprocessing.get_context("spawn").Process(target=crash_before_export, args=(desk.reports,))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert "line 2: is missing: export and database disagree" in whats(open_ledger(desk.reports))
    monkeypatch.setattr(publishing, "_files", lambda *_, **__: {"magnet-chain/proforma.csv": b"weights"})
    assert workflow.publish(desk, chain, sample, published_at=NOW).entry.sequence == 3
    assert workflow.verify(desk) == []


def race(folder: Path, start: Any, won: Any) -> None:
    start.wait()
    for days in range(5):
        won.put((days, publish(open_ledger(folder), DAY + timedelta(days))[1]))


def test_two_processes_publish_each_day_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, won = context.Barrier(2), context.Queue()
    racers = [context.Process(target=race, args=(tmp_path, start, won)) for _ in range(2)]
    for racer in racers:
        racer.start()
    results = [won.get(timeout=60) for _ in range(10)]
    for racer in racers:
        racer.join()
    assert sorted(day for day, new in results if new) == [0, 1, 2, 3, 4]
    ledger = open_ledger(tmp_path)
    assert [entry.sequence for entry in ledger.entries()] == [1, 2, 3, 4, 5]
    assert ledger.verify() == []


def test_a_file_that_no_row_names_is_reported_but_stops_nothing(ledger: Ledger) -> None:
    stray = next(ledger.folder.glob("magnet-chain/*/")) / "weights-final-v2.csv"
    stray.write_bytes(b"1")
    assert ledger.faults() == []
    assert f"{stray}: is in no row of the ledger" in whats(ledger)
    assert publish(ledger, DAY + timedelta(9))[1]
