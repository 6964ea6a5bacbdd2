"""A byte that changes on the disk: `verify` finds it, unless no reader can see that anything changed."""

import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from exchina.ledger import Ledger, open_ledger
from tests.ledgers import DAY, database, publish, three, weights

SAMPLE = 150


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """Three publications and a revision."""
    ledger = three(open_ledger(tmp_path_factory.mktemp("original") / "reports"))
    publish(ledger, content=b"corrected", revision=1)
    return ledger


def flips(content: bytes) -> list[tuple[int, int]]:
    """Sampled places, few of them in the empty parts of a page, and the bits that change there."""
    chance = random.Random(20260603)
    full = [place for place, byte in enumerate(content) if byte]
    places = {*chance.sample(full, min(len(full), SAMPLE)), *chance.sample(range(len(content)), min(len(content), 20))}
    return [(place, 1 << chance.randrange(8)) for place in sorted(places)]


def flipped(file: Path, place: int, bits: int) -> None:
    content = bytearray(file.read_bytes())
    content[place] ^= bits
    file.write_bytes(content)


def seen(ledger: Ledger) -> Any:
    """All that a reader of the database can see: the rows, what each index finds, and the next publication."""
    found = [ledger.find(row.index_id, row.what, row.for_day) for row in ledger.entries()]
    connection = sqlite3.connect(database(ledger))
    listed = connection.execute("SELECT path, sha256, sequence FROM publications_files ORDER BY path").fetchall()
    by_hash = [
        connection.execute("SELECT sequence FROM publications WHERE hash = ?", (row.hash,)).fetchall()
        for row in ledger.entries()
    ]
    guards = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name").fetchall()
    connection.close()
    return ledger.entries(), found, listed, by_hash, guards


def test_a_flipped_byte_of_the_database_is_found_or_changes_nothing(original: Ledger, tmp_path: Path) -> None:
    before, harmless = seen(original), 0
    for place, bits in flips(database(original).read_bytes()):
        shutil.rmtree(tmp_path, ignore_errors=True)
        ledger = open_ledger(Path(shutil.copytree(original.folder, tmp_path / "reports")))
        flipped(database(ledger), place, bits)
        if ledger.verify() == []:
            harmless += 1
            assert seen(ledger) == before, f"bits {bits} of byte {place}"
            assert publish(ledger, DAY.replace(month=7))[0].sequence == 5
    assert 0 < harmless < SAMPLE / 3


def test_a_flipped_byte_of_a_row_is_found_wherever_it_stands(original: Ledger, tmp_path: Path) -> None:
    content = database(original).read_bytes()
    row = original.entries()[2]
    for text in (row.hash, row.previous_hash, row.published_at, row.index_id, str(row.for_day), '{"rulebook":"ab"}'):
        place = content.rindex(text.encode())
        for offset in range(0, len(text), 7):
            shutil.rmtree(tmp_path, ignore_errors=True)
            ledger = open_ledger(Path(shutil.copytree(original.folder, tmp_path / "reports")))
            flipped(database(ledger), place + offset, 1)
            assert ledger.verify(), (text, offset)


@pytest.mark.parametrize("bits", [1, 7, 128])
def test_a_flipped_byte_of_the_export_or_of_a_file_is_found(original: Ledger, tmp_path: Path, bits: int) -> None:
    ledger = open_ledger(Path(shutil.copytree(original.folder, tmp_path / "reports")))
    for file in (ledger.export, weights(ledger)):
        content = file.read_bytes()
        ends = [(place, bits) for place, byte in enumerate(content) if byte == ord("\n")]
        for place, _ in [*flips(content), *ends]:
            flipped(file, place, bits)
            assert ledger.faults(), (file, place)
            file.write_bytes(content)
    assert ledger.verify() == []


def test_a_database_cut_short_is_found(original: Ledger, tmp_path: Path) -> None:
    ledger = open_ledger(Path(shutil.copytree(original.folder, tmp_path / "reports")))
    content = database(ledger).read_bytes()
    for size in range(512, len(content), 4096):
        database(ledger).write_bytes(content[:size])
        assert ledger.faults(), size
