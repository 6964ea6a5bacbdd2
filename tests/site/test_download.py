"""What a subscriber can prove of a downloaded public folder, without the publisher."""

import json
import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from exchina.errors import PublicationError
from exchina.ledger.chain import canonical, export_lines
from exchina.ledger.signing import new_key
from exchina.site.download import download_faults
from exchina.site.lists import listed, sums
from tests.site.conftest import REVIEW, Desk

SEED, FLIPS = 8, 12


@pytest.fixture
def key(filled_once: Desk) -> bytes:
    """The publisher's public key."""
    return (filled_once.reports.parent / "desk.pub.pem").read_bytes()


@pytest.fixture
def folder(filled_once: Desk, tmp_path: Path, copied: Callable[[Path, Path], Path]) -> Path:
    """What a subscriber has downloaded."""
    return copied(filled_once.public, tmp_path / "download")


def whats(folder: Path, key: bytes | None = None) -> list[str]:
    return [str(problem) for problem in download_faults(folder, key)]


def sums_made_anew(folder: Path) -> None:
    """What somebody does who has changed a file and hides it."""
    said = listed((folder / "SHA256SUMS").read_bytes())
    here = {path: folder / path for path in said}
    found = {path: sha256(file.read_bytes()).hexdigest() for path, file in here.items() if file.is_file()}
    (folder / "SHA256SUMS").write_bytes(sums(found))


def test_a_download_is_as_published(folder: Path, key: bytes) -> None:
    assert whats(folder) == []
    assert whats(folder, key) == []


def kinds(folder: Path) -> Iterator[Path]:
    """One file of each name there is."""
    seen: dict[str, Path] = {path.name: path for path in sorted(folder.rglob("*")) if path.is_file()}
    yield from seen.values()


def test_a_flipped_byte_is_found_in_every_kind_of_file(filled_once: Desk, folder: Path, key: bytes) -> None:
    random, files = Random(SEED), list(kinds(folder))
    assert len(files) == 18
    for path in files:
        before = path.read_bytes()
        for at in {0, len(before) - 1, *(random.randrange(len(before)) for _ in range(FLIPS))}:
            flipped = bytearray(before)
            flipped[at] ^= 1 << random.randrange(8)
            path.write_bytes(bytes(flipped))
            found = whats(folder)
            assert found, (path, at)
            assert any(text.startswith(str(path)) or "ledger" in text for text in found), (path, at, found)
            assert all("download it again" in text for text in found)
        path.write_bytes(before)
    assert whats(folder, key) == []


def test_every_file_that_is_missing_or_strange_is_found(folder: Path) -> None:
    for path in [path for path in sorted(folder.rglob("*")) if path.is_file()]:
        kept = path.read_bytes()
        path.unlink()
        (found,) = whats(folder)[:1]
        assert found.startswith(str(path))
        path.write_bytes(kept)
    (folder / "a" / "close" / "extra.csv").write_text("x")
    assert whats(folder) == [
        f"{folder}/a/close/extra.csv: is in no row of the ledger "
        "(download it again; if that does not help, ask the publisher)"
    ]


@pytest.mark.parametrize("name", ["latest.json", "a/latest.json", "inventory.json"])
def test_a_list_that_leads_elsewhere_is_found_though_its_checksum_fits(folder: Path, name: str) -> None:
    text = (folder / name).read_text()
    assert "2026-09-18.r1/proforma.csv" in text
    (folder / name).write_text(text.replace("2026-09-18.r1/proforma.csv", "2026-09-18/proforma.csv"))
    sums_made_anew(folder)
    assert [text.split(" (")[0] for text in whats(folder)] == [f"{folder / name}: is not what the ledger says"]
    (folder / name).write_text("no JSON")
    sums_made_anew(folder)
    assert [text.split(" (")[0] for text in whats(folder)] == [f"{folder / name}: is not what the ledger says"]


def test_a_published_file_that_was_changed_is_found_though_its_checksum_fits(folder: Path) -> None:
    path = folder / "a/restatement/2026-09-18/levels.csv"
    path.write_bytes(path.read_bytes().replace(b"PR", b"NR"))
    sums_made_anew(folder)
    found = whats(folder)
    assert found[0].startswith(f"{path}: was changed after it was published in row 11 (download it again")
    assert found[1].startswith(f"{folder / 'SHA256SUMS'}: is not the list of the files that the ledger names")
    assert len(found) == 2


def rewritten(folder: Path, line: int, **changes: object) -> None:
    rows = [json.loads(text) for text in (folder / "ledger.jsonl").read_text().splitlines()]
    rows[line] |= changes
    (folder / "ledger.jsonl").write_text("".join(canonical(row) + "\n" for row in rows))
    sums_made_anew(folder)


def test_a_row_that_was_changed_breaks_the_chain(folder: Path) -> None:
    rewritten(folder, 4, published_at="2026-09-11T21:00:00+00:00")
    assert [text.split(" (")[0] for text in whats(folder)] == [
        "ledger.jsonl row 5: was changed after it was published: its hash does not fit it"
    ]


def test_a_ledger_that_somebody_else_made_is_not_signed(folder: Path, key: bytes, empty: Desk, tmp_path: Path) -> None:
    rewritten(folder, 13, signature="")
    assert whats(folder) == []
    assert [text.split(" (")[0] for text in whats(folder, key)] == ["ledger row 14: is not signed"]
    empty.publish("close", REVIEW, "levels.csv")
    empty.refresh()
    assert whats(empty.public) == []
    assert "ledger row 1: is not signed" in whats(empty.public, key)[0]
    new_key(tmp_path / "other.pem")
    other = (tmp_path / "other.pub.pem").read_bytes()
    assert len(whats(folder, other)) == 14
    with pytest.raises(PublicationError, match="holds no Ed25519 key"):
        download_faults(folder, b"no key")


def test_a_ledger_without_its_last_rows_has_files_of_nobody(folder: Path) -> None:
    lines = (folder / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "ledger.jsonl").write_bytes(b"".join(lines[:-1]))
    assert any("b/factsheet_delayed/2026-09-18/delayed.json: is in no row" in text for text in whats(folder))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"{}\n", "line 1: is not a row of a ledger"),
        (b"\xff\n", "line 1: is not a row of a ledger"),
        (b"", "index.html: is not what SHA256SUMS says"),
    ],
)
def test_what_is_no_ledger(empty: Desk, content: bytes, expected: str) -> None:
    empty.refresh()
    (empty.public / "ledger.jsonl").write_bytes(content)
    (empty.public / "index.html").write_bytes(b"")
    assert any(expected in text for text in whats(empty.public))
    (empty.public / "ledger.jsonl").unlink()
    assert "ledger.jsonl: cannot be read: No such file" in whats(empty.public)[0]


def test_a_row_with_other_spaces_is_no_row(folder: Path) -> None:
    text = (folder / "ledger.jsonl").read_text()
    (folder / "ledger.jsonl").write_text(text.replace('","', '", "', 1))
    sums_made_anew(folder)
    assert ["ledger.jsonl line 1: is not written as a ledger" in text for text in whats(folder)] == [True]


def test_a_ledger_cannot_make_us_read_elsewhere(empty: Desk) -> None:
    from dataclasses import replace

    from exchina.ledger.chain import sealed

    empty.publish("close", REVIEW, "levels.csv")
    empty.refresh()
    (row,) = empty.ledger.entries()
    bad = sealed(replace(row, files={"../secret.csv": "0" * 64, "/etc/passwd": "0" * 64}), None)
    (empty.public / "ledger.jsonl").write_bytes(export_lines([bad]))
    assert [text.split(":")[0] for text in whats(empty.public)] == ["../secret.csv", "/etc/passwd"]


def test_licensed_files_are_checked_where_they_are(folder: Path, filled_once: Desk) -> None:
    name = "a/close/2026-09-18/closing.licensed.csv"
    shutil.copyfile(filled_once.reports / name, folder / name)
    assert whats(folder) == []
    (folder / name).write_text("another")
    assert [text.split(" (")[0] for text in whats(folder)] == [
        f"{folder / name}: was changed after it was published in row 9"
    ]
