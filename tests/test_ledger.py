"""The ledger never loses, repeats or silently changes a publication, whatever fails."""

import json
import multiprocessing
import os
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from exchina.errors import PublicationError
from exchina.ledger import Ledger, open_ledger, store
from exchina.ledger.trials import open_trials
from exchina.model import Publication
from tests import ledgers
from tests.ledgers import DAY, NOW, database, on_disk, publish, run, three, unguarded, weights, whats
from tests.test_trials import record

INTEGRITY = (sqlite3.IntegrityError, sa.exc.IntegrityError)


@pytest.fixture
def ledger(tmp_path: Path, ledger_url: str) -> Ledger:
    """Three publications, in a database of each kind."""
    return three(open_ledger(tmp_path / "reports", ledger_url))


def test_a_publication_writes_files_row_and_export(tmp_path: Path, ledger_url: str) -> None:
    ledger = open_ledger(tmp_path / "deep" / "reports", ledger_url)
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
        assert row.pop("signature") == ""
        assert row["previous_hash"] == before
        text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert sha256(text.encode()).hexdigest() == stated
        before = stated
        for path, digest in row["files"].items():
            assert sha256((ledger.folder / path).read_bytes()).hexdigest() == digest


def test_looking_at_a_ledger_that_is_not_there_makes_nothing(tmp_path: Path, ledger_url: str) -> None:
    ledger = open_ledger(tmp_path / "reports", ledger_url)
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


def test_an_instant_needs_a_zone_and_is_kept_in_utc(tmp_path: Path, ledger_url: str) -> None:
    ledger = open_ledger(tmp_path, ledger_url)
    with pytest.raises(PublicationError, match="has no time zone"):
        ledger.publish("a", "b", DAY, {}, {}, published_at=datetime(2026, 6, 3))
    local = datetime(2026, 6, 3, 18, 15, tzinfo=timezone(timedelta(hours=-4)))
    entry, _ = ledger.publish("a", "b", DAY, {}, {}, published_at=local)
    assert entry.published_at == "2026-06-03T22:15:00+00:00"


COLUMNS = "index_id, what, for_day, revision, due_at, published_at, files, inputs, signature, previous_hash"
REPLACE = "INSERT OR REPLACE INTO publications SELECT {}, {}, {} FROM publications WHERE sequence = 1"
FILES = "INSERT OR REPLACE INTO publications_files SELECT path, 'x', 1 FROM publications_files"
UPSERT = "INSERT INTO publications SELECT * FROM publications ON CONFLICT (sequence) DO UPDATE SET hash = 'x'"
FORBIDDEN = {
    "update": ("UPDATE publications SET inputs = '{}'",) * 2,
    "delete": ("DELETE FROM publications",) * 2,
    "replace by sequence": (REPLACE.format(1, COLUMNS.replace("what", "'other'"), "'x'"), "TRUNCATE publications"),
    "replace by key": (REPLACE.format(9, COLUMNS, "'x'"), UPSERT),
    "replace by hash": (
        REPLACE.format(9, COLUMNS.replace("what", "'other'"), "hash"),
        "SET session_replication_role = replica; DELETE FROM publications",
    ),
    "update files": ("UPDATE publications_files SET sha256 = 'x'",) * 2,
    "replace file": (FILES, "DELETE FROM publications_files"),
}


@pytest.mark.parametrize("statements", FORBIDDEN.values(), ids=FORBIDDEN)
def test_the_database_refuses_to_change_a_row(ledger: Ledger, statements: tuple[str, str]) -> None:
    before = ledger.entries()
    with pytest.raises(INTEGRITY, match="append-only"):
        run(ledger, statements[bool(ledger.url)])
    assert ledger.entries() == before
    assert ledger.verify() == []


def test_guards_that_were_taken_off_are_missed_and_come_back_with_the_next_publication(ledger: Ledger) -> None:
    unguarded(ledger)
    assert {problem.what for problem in ledger.verify()} == {"its guard against changes was taken off"}
    assert ledger.faults() == []
    publish(ledger, DAY + timedelta(9))
    with pytest.raises(INTEGRITY, match="append-only"):
        run(ledger, "DELETE FROM publications")
    assert ledger.verify() == []


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
        lambda ledger: weights(ledger).write_bytes(b"better weights"),
        "weights.csv: was changed after it was published in row 1",
    ),
    (lambda ledger: weights(ledger).unlink(), "weights.csv: published in row 1, cannot be read: No such file"),
    (lambda ledger: ledger.export.unlink(), "ledger.jsonl: is missing or empty, while the database holds 3 rows"),
    (lambda ledger: ledger.export.write_text(ledger.export.read_text().replace("ab", "cd", 1)), "line 1: differs"),
    (lambda ledger: ledger.export.write_text(ledger.export.read_text() + "{}\n"), "line 4: has no row in the database"),
    (
        lambda ledger: ledger.export.write_bytes(ledger.export.read_bytes().replace(b"\n", b"\v", 1)),
        "line 1: differs",
    ),
    (
        lambda ledger: unguarded(ledger, "UPDATE publications_files SET sequence = 2"),
        "weights.csv: is not what the rows say",
    ),
]
LOST: list[tuple[Callable[[Ledger], Any], str]] = [
    (
        lambda ledger: database(ledger).write_bytes(b"not a database, whatever its name says" * 99),
        "cannot be read: file is not a database (restore",
    ),
    (lambda ledger: database(ledger).unlink(), "line 1: has no row in the database"),
    (lambda ledger: run(ledger, "ALTER TABLE publications DROP COLUMN due_at"), "another version of exchina"),
    (lambda ledger: unguarded(ledger, "UPDATE publications SET what = X'00' WHERE sequence = 2"), "what is no str"),
]


@pytest.mark.parametrize(("tamper", "expected"), TAMPERED)
def test_tampering_is_found(ledger: Ledger, tamper: Callable[[Ledger], Any], expected: str) -> None:
    tamper(ledger)
    assert expected in whats(ledger)


@pytest.mark.parametrize(("lose", "expected"), LOST)
def test_a_lost_database_is_found(tmp_path: Path, lose: Callable[[Ledger], Any], expected: str) -> None:
    ledger = three(open_ledger(tmp_path))
    lose(ledger)
    assert expected in whats(ledger)


def test_nothing_is_added_to_a_broken_chain(ledger: Ledger) -> None:
    unguarded(ledger, "UPDATE publications SET published_at = 'x' WHERE sequence = 3")
    before = on_disk(ledger.folder)
    with pytest.raises(PublicationError, match="row 3: was changed after it was published"):
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


CHANGES: list[Callable[[str], str]] = [
    lambda text: text[:-20] + "x" + text[-19:],
    lambda text: text + "{}\n",
    lambda text: text + "{",
    lambda text: "x",
]


@pytest.mark.parametrize("change", CHANGES)
def test_an_export_that_contradicts_the_rows_is_never_overwritten(ledger: Ledger, change: Callable[[str], str]) -> None:
    ledger.export.write_text(change(ledger.export.read_text()))
    before = on_disk(ledger.folder)
    ledger.renew_export()
    with pytest.raises(PublicationError, match="export and database disagree"):
        publish(ledger, DAY + timedelta(9))
    assert on_disk(ledger.folder) == before
    assert len(ledger.entries()) == 3


def test_a_lost_database_does_not_cost_the_export(tmp_path: Path) -> None:
    ledger = three(open_ledger(tmp_path))
    before = ledger.export.read_text()
    database(ledger).unlink()
    with pytest.raises(PublicationError, match="line 1: has no row in the database"):
        publish(ledger, DAY + timedelta(9))
    assert ledger.export.read_text() == before


def test_a_changed_row_is_not_exported(ledger: Ledger) -> None:
    unguarded(ledger, "UPDATE publications SET published_at = 'x' WHERE sequence = 2")
    ledger.export.unlink()
    ledger.renew_export()
    assert not ledger.export.exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file where the folder should be")
    with pytest.raises(PublicationError, match=r"reports: nothing was published: File exists \(free space"):
        publish(open_ledger(tmp_path / "reports"))


def killed(crash: Callable[[Path, str], None], ledger: Ledger) -> int | None:
    """How a process of its own ended that published into the ledger."""
    process = multiprocessing.get_context("spawn").Process(target=crash, args=(ledger.folder, ledger.url))
    process.start()
    process.join()
    return process.exitcode


def test_a_crash_between_files_and_row_is_mended_by_publishing_again(ledger: Ledger) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=ledgers.crash_before_commit, args=(ledger.folder, ledger.url)
    )
    process.start()
    process.join()
    assert process.exitcode == 9
    assert (ledger.folder / "magnet-chain/2026-06-12-r0/weights.csv").exists()
    assert len(ledger.entries()) == 3
    entry, new = publish(ledger, DAY + timedelta(9))
    assert new
    assert entry.sequence == 4
    assert ledger.verify() == []


def test_a_crash_between_row_and_export_does_not_stop_the_next_publication(ledger: Ledger) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=ledgers.crash_before_export, args=(ledger.folder, ledger.url)
    )
    process.start()
    process.join()
    assert process.exitcode == 9
    assert "line 4: is missing: export and database disagree" in whats(ledger)
    assert publish(ledger, DAY + timedelta(10))[0].sequence == 5
    assert ledger.verify() == []


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_a_line_that_a_crash_tore_is_completed(ledger: Ledger, cut: int) -> None:
    whole = ledger.export.read_bytes()
    ledger.export.write_bytes(whole[:-cut])
    assert "export and database disagree" in whats(ledger)
    assert publish(ledger, DAY + timedelta(9))[1]
    assert ledger.export.read_bytes().startswith(whole)
    assert ledger.verify() == []


def test_a_line_is_completed_in_the_middle_of_a_character(tmp_path: Path, ledger_url: str) -> None:
    ledger = open_ledger(tmp_path, ledger_url)
    ledger.publish("a", "notice", DAY, {}, {"note": "5 µm"}, published_at=NOW)
    whole = ledger.export.read_bytes()
    ledger.export.write_bytes(whole[: whole.index("µ".encode()) + 1])
    ledger.renew_export()
    assert ledger.export.read_bytes() == whole


def test_a_file_that_many_rows_name_is_written_once(tmp_path: Path, ledger_url: str) -> None:
    ledger = open_ledger(tmp_path, ledger_url)
    frozen = tmp_path / "frozen/abc.parquet"
    written = set()
    for days in range(3):
        at = NOW + timedelta(days)
        ledger.publish("a", "close", DAY + timedelta(days), {"frozen/abc.parquet": b"prices"}, {}, published_at=at)
        written.add((frozen.stat().st_ino, frozen.stat().st_mtime_ns))
    assert len(written) == 1
    assert ledger.verify() == []
    with pytest.raises(PublicationError, match=r"frozen/abc.parquet was published in row 1 with other content"):
        ledger.publish("b", "close", DAY, {"frozen/abc.parquet": b"other"}, {}, published_at=NOW + timedelta(3))


def test_a_list_of_files_that_is_lost_is_made_anew_from_the_rows(ledger: Ledger) -> None:
    run(ledger, "DROP TABLE publications_files")
    assert ledger.verify() == []
    files = {"magnet-chain/2026-06-03-r0/weights.csv": b"corrected"}
    with pytest.raises(PublicationError, match="was published in row 1 with other content"):
        ledger.publish("magnet-chain", "rebalance", DAY, files, {}, published_at=NOW, revision=1)
    assert publish(ledger, DAY + timedelta(9))[1]
    assert ledger.verify() == []


def test_a_file_taken_away_while_it_is_published_is_named(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    path = "magnet-chain/2026-06-03-r0/weights.csv"
    real = store.put_in_place

    def late(pairs: Any) -> list[Path]:
        weights(ledger).unlink()
        return real(pairs)

    monkeypatch.setattr(store, "put_in_place", late)
    with pytest.raises(PublicationError, match=r"weights.csv: nothing was published: No such file"):
        ledger.publish("b", "close", DAY, {path: b"weights"}, {}, published_at=NOW)
    assert len(ledger.entries()) == 3


def test_time_does_not_run_backwards(tmp_path: Path, ledger_url: str) -> None:
    ledger = open_ledger(tmp_path, ledger_url)
    publish(ledger)

    def earlier(**by: int) -> Publication:
        return ledger.publish("a", "close", DAY, {}, {}, published_at=NOW - timedelta(**by))[0]

    what = "published at 2026-06-03T22:09:59.00:00 would come before row 1, at 2026-06-03T22:15:00.00:00.*set it"
    with pytest.raises(PublicationError, match=what):
        earlier(minutes=5, seconds=1)
    assert earlier(minutes=5).sequence == 2
    assert earlier(days=9).sequence == 2  # it stands already


def test_when_it_was_due_stands_in_the_row(tmp_path: Path, ledger_url: str) -> None:
    ledger = open_ledger(tmp_path, ledger_url)
    local = datetime(2026, 6, 3, 18, tzinfo=timezone(timedelta(hours=-4)))
    entry, _ = ledger.publish("a", "close", DAY, {}, {}, published_at=NOW, due_at=local)
    assert (entry.due_at, entry.published_at) == ("2026-06-03T22:00:00+00:00", "2026-06-03T22:15:00+00:00")
    with pytest.raises(PublicationError, match="due_at: .* has no time zone"):
        ledger.publish("a", "b", DAY, {}, {}, published_at=NOW, due_at=datetime(2026, 6, 3))


def test_trials_share_the_database(ledger: Ledger) -> None:
    trials = open_trials(ledger.folder / "trials", ledger.url)
    assert [record(trials, number)[0].sequence for number in range(2)] == [1, 2]
    assert trials.verify() == ledger.verify() == []


def test_a_file_that_no_row_names_is_reported_but_stops_nothing(ledger: Ledger) -> None:
    stray = next(ledger.folder.glob("magnet-chain/*/")) / "weights-final-v2.csv"
    stray.write_bytes(b"1")
    assert ledger.faults() == []
    assert f"{stray}: is in no row of the ledger" in whats(ledger)
    assert publish(ledger, DAY + timedelta(9))[1]


def test_what_a_killed_process_left_half_written_goes_after_an_hour(ledger: Ledger) -> None:
    staging = ledger.folder / ".staging"
    for name, age in (("old", 3700), ("young", 60)):
        (staging / name).mkdir()
        (staging / name / "0").write_bytes(b"half")
        os.utime(staging / name, (time.time() - age, time.time() - age))
    publish(ledger, DAY + timedelta(9))
    assert [path.name for path in staging.iterdir()] == ["young"]
    assert ledger.verify() == []
