"""The service is killed at random moments of two years: nothing is lost, nothing comes twice, nothing differs.

EXCHINA_KILLS=5000 goes on over as many two-year calendars as that takes; a server that has read the code before then
starts the processes, since they would spend most of an hour on reading it.
"""

import os
import shutil
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from exchina import workflow
from exchina.market.view import MarketView
from exchina.workspace import Workspace, open_workspace
from tests.shell.rehearsal import Process, forked, laid, published, started

KILLS = int(os.environ.get("EXCHINA_KILLS", "50"))
SOAK = KILLS > 100
LONGEST = 0.8 if SOAK else 4.0


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory, sample: MarketView) -> Workspace:
    """The desk before its first day."""
    return laid(tmp_path_factory.mktemp("rehearsal") / "seed", sample.market)


def start(root: Path) -> Process:
    return forked(root) if SOAK else started(root)


def finished(root: Path) -> None:
    child = start(root)
    child.join()
    assert child.exitcode == 0, child.said()


def killed(root: Path, chance: Random) -> str:
    """Start the service and kill it: some time after it began to publish, or as soon as a file is half written."""
    shutil.rmtree(root / "reports" / ".staging", ignore_errors=True)
    child, ledger = start(root), root / "reports" / "ledger.sqlite-wal"
    at_write = chance.random() < 0.5
    before = written(ledger)
    while child.is_alive() and written(ledger) == before:
        time.sleep(0.001)
    time.sleep(chance.random() * LONGEST / 2)
    while at_write and child.is_alive() and not half_written(root):
        time.sleep(0.0001)
    time.sleep(chance.random() * 0.02 if at_write else 0)
    child.kill()
    child.join()
    assert child.exitcode in {0, -9}, child.said()
    if child.exitcode == 0:
        return "after its end"
    return "while a file was written" if half_written(root) else "at another moment"


def written(path: Path) -> int:
    """When a file was written last; 0 where there is none, as there is no log while nobody has the ledger open."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def half_written(root: Path) -> list[Path]:
    """Files that are being written, or were when the process was killed."""
    return [path for path in (root / "reports" / ".staging").rglob("*") if path.is_file()]


def test_killed_at_random_moments_of_two_years(
    seed: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calm, wild = tmp_path / "calm", tmp_path / "wild"
    shutil.copytree(seed.root, calm)
    finished(calm)
    expected = published(calm)
    chance, seen, calendars, begun = Random(8), Counter[str](), 0, time.monotonic()
    while seen.total() < KILLS:
        shutil.rmtree(wild, ignore_errors=True)
        shutil.copytree(seed.root, wild)
        calendars += 1
        while seen.total() < KILLS and seen["after its end"] < calendars:
            seen[killed(wild, chance)] += 1
            if SOAK and not seen.total() % 100:
                _so_far(wild, expected, f"{dict(seen)}, {(time.monotonic() - begun) / 3600:.2f} h", capsys)
        finished(wild)
        found = published(wild)
        assert found["ledger.jsonl"] == expected["ledger.jsonl"]
        assert found == expected
        assert workflow.verify(open_workspace(wild)) == []
        rows = workflow.publications(open_workspace(wild))
        assert len({(row.index_id, row.what, row.for_day, row.revision) for row in rows}) == len(rows) > 500
    with capsys.disabled():
        kinds = ", ".join(f"{count} {kind}" for kind, count in seen.most_common())
        print(f"\nkilled {seen.total()} times ({kinds}) over {calendars} x two years: each time the same", end=" ")
        print(f"{len(rows)} rows and {len(found)} files, byte for byte")


def _so_far(wild: Path, expected: dict[str, bytes], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is there is a part of what will be, to the byte; files of a row that is not there yet among it."""
    found = published(wild)
    lines = found.pop("ledger.jsonl")
    assert expected["ledger.jsonl"].startswith(lines)
    assert found.items() <= expected.items()
    with capsys.disabled():
        print(f"{datetime.now(UTC):%H:%M} row {lines.count(chr(10).encode())}, {said}", flush=True)
