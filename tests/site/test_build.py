"""The public folder is whole at every moment, and made from the ledger alone."""

import json
import os
import re
import shutil
import subprocess
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from exchina.atomic import place
from exchina.errors import PublicationError
from exchina.site import build
from tests.site.conftest import CLOSE, NAMES, REVIEW, Desk, Place, fill

DERIVED = {"SHA256SUMS", "calendar.ics", "feed.xml", "index.html", "inventory.json", "latest.json", "ledger.jsonl"}
ANNOUNCED = "a/announcement/2026-09-18/announcement.html"


class PowerCut(BaseException):
    """Nothing runs after it."""


def check_whole(folder: Path) -> None:
    """Every link leads to a file, and every checksum listed is right."""
    here = {path.name: path for path in folder.glob("*")}
    if "SHA256SUMS" in here:
        for line in here["SHA256SUMS"].read_text().splitlines():
            digest, path = line.split("  ")
            assert sha256((folder / path).read_bytes()).hexdigest() == digest, path
    linked: set[str] = set()
    if "index.html" in here:
        linked |= set(re.findall(r'href="(?!mailto:|#)([^"]+)"', here["index.html"].read_text()))
    if "feed.xml" in here:
        links = ElementTree.parse(here["feed.xml"]).iter("{http://www.w3.org/2005/Atom}link")
        linked |= {str(link.get("href")).removeprefix(f"{Place.url}/") for link in links}
    for name in ("latest.json", "inventory.json"):
        if name in here:
            told = re.findall(r'"path": "(.*?)",\s*"sha256": "(\w+)"', here[name].read_text())
            linked |= {path for path, _ in told}
            assert all(sha256((folder / path).read_bytes()).hexdigest() == digest for path, digest in told)
    assert [path for path in linked if not (folder / unquote(path)).is_file()] == []


def test_what_is_public_and_nothing_else(filled: Desk) -> None:
    made = filled.on_disk()
    dated = made.keys() - DERIVED - {"a/latest.json", "b/latest.json"}
    shown = {path for row in filled.ledger.entries() for path in row.files}
    hidden = {path for path in shown if path.endswith((".licensed.csv", "state.json")) or path.startswith("frozen/")}
    hidden |= {path for path in shown if re.match("a/(snapshot|draft)/", path)}
    assert dated == shown - hidden
    assert all(made[path] == (filled.reports / path).read_bytes() for path in dated)
    assert made["ledger.jsonl"] == (filled.reports / "ledger.jsonl").read_bytes()
    check_whole(filled.public)


def test_again_and_from_nothing_it_is_the_same(filled: Desk) -> None:
    def seen() -> dict[str, tuple[bytes, int]]:
        times = {path: int((filled.public / path).stat().st_mtime) for path in filled.on_disk() if "2026" in path}
        return {path: (content, times.get(path, 0)) for path, content in filled.on_disk().items()}

    before = seen()
    assert filled.refresh() == []
    assert seen() == before
    shutil.rmtree(filled.public)
    assert filled.refresh() == []
    assert seen() == before
    rows = {path: row for row in filled.ledger.entries() for path in row.files}
    assert all(
        at == datetime.fromisoformat(rows[path].published_at).timestamp() for path, (_, at) in before.items() if at
    )


def test_nothing_is_written_when_nothing_is_new(filled: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "place", None)
    monkeypatch.setattr(build, "_content", lambda source, path, row: source.read_bytes() if "levels" in path else None)
    assert filled.refresh() == []


def test_a_ledger_without_rows(empty: Desk) -> None:
    assert empty.refresh() == []
    assert empty.on_disk().keys() == DERIVED
    assert b"Nothing has been published yet" in empty.on_disk()["index.html"]
    check_whole(empty.public)


@pytest.mark.parametrize("begun", [False, True], ids=["the first time", "over an older one"])
def test_a_power_cut_at_any_moment(empty: Desk, begun: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if begun:
        fill(empty)
        assert empty.refresh() == []
        empty.publish("close", REVIEW + timedelta(3), *CLOSE)
        empty.publish("announcement", REVIEW, "announcement.html", revision=2)
    else:
        empty.publish("announcement", REVIEW, "announcement.html", "proforma.csv")
        empty.publish("close", REVIEW, *CLOSE, index="b")
    before = empty.public.with_name("before")
    shutil.copytree(empty.public, before) if begun else before.mkdir()
    empty.refresh()
    wanted, left = empty.on_disk(), 0

    def cut(path: Path, content: bytes, put: object = os.replace) -> None:
        nonlocal left
        if left == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(f".{path.name}.{'0' * 32}").write_bytes(content[: len(content) // 2])
            raise PowerCut
        left -= 1
        place(path, content, put)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(os, "fsync", lambda handle: None)  # a cut that only stops this process loses nothing written
    steps = 0
    while True:
        shutil.rmtree(empty.public)
        shutil.copytree(before, empty.public)
        left = steps
        with monkeypatch.context() as patched:
            patched.setattr(build, "place", cut)
            try:
                empty.refresh()
                break
            except PowerCut:
                check_whole(empty.public)
        assert empty.refresh() == [], steps
        assert empty.on_disk() == wanted, steps
        steps += 1
    assert steps >= 12


def test_a_published_file_that_was_changed_is_named_and_left(filled: Desk) -> None:
    changed, touched, longer = (
        filled.public / path
        for path in (ANNOUNCED, "a/notice/2026-09-18/notice.csv", "b/post_trade/2026-09-18/post_trade.csv")
    )
    changed.write_bytes(changed.read_bytes().upper())
    longer.write_bytes(longer.read_bytes() + b"more\n")
    before = touched.stat().st_mtime
    os.utime(touched, (1, 1))
    ours = filled.on_disk()
    for _ in range(2):
        faults = filled.refresh()
        assert [fault.where for fault in faults] == [str(changed), str(longer)]
        assert "is not what was published in row 5 (find out who changed it" in str(faults[0])
        assert filled.on_disk() == ours
    assert touched.stat().st_mtime == before
    changed.unlink()
    longer.unlink()
    assert filled.refresh() == []
    assert changed.read_bytes() == (filled.reports / ANNOUNCED).read_bytes()


def test_a_forged_time_is_seen_through_when_every_file_is_read(filled: Desk) -> None:
    path = filled.public / ANNOUNCED
    known = path.stat()
    path.write_bytes(path.read_bytes().swapcase())
    os.utime(path, (known.st_mtime, known.st_mtime))
    assert filled.refresh() == []
    assert [fault.where for fault in filled.refresh(thorough=True)] == [str(path)]


@pytest.mark.parametrize("name", sorted(DERIVED | {"b/latest.json"}))
def test_a_derived_file_that_was_changed_is_named_and_made_again(filled: Desk, name: str) -> None:
    before, path = filled.on_disk(), filled.public / name
    path.write_bytes(before[name][:-1] + b"\x00\xff")
    (fault,) = filled.refresh()
    assert (fault.where, fault.what) == (str(path), "was changed since it was made, and was made again")
    assert filled.on_disk() == before
    path.unlink()
    assert filled.refresh() == []
    assert filled.on_disk() == before


def test_a_file_of_nobody_is_named_and_left(filled: Desk) -> None:
    (filled.public / "a" / "robots.txt").write_text("hello")
    (fault,) = filled.refresh()
    assert str(fault) == f"{filled.public / 'a' / 'robots.txt'}: is in no row of the ledger (move it away)"
    assert (filled.public / "a" / "robots.txt").exists()


def test_a_damaged_archive_stops_before_anything_points_to_it(filled: Desk) -> None:
    before = filled.on_disk()
    filled.publish("factsheet", REVIEW, "factsheet.html", "factsheet.pdf")
    for name in ("factsheet.html", "factsheet.pdf"):
        (filled.reports / "a/factsheet/2026-09-18" / name).write_bytes(b"another")
    with pytest.raises(PublicationError) as raised:
        filled.refresh()
    assert [problem.what for problem in raised.value.problems] == ["was changed after it was published in row 15"] * 2
    assert filled.on_disk() == before
    (filled.reports / ANNOUNCED).unlink()
    (filled.reports / "b/close/2026-09-18/levels.csv").write_bytes(b"variant,level\nPR,2000\n")
    with pytest.raises(PublicationError) as raised:
        filled.refresh()
    assert "No such file" in raised.value.problems[0].what
    assert raised.value.problems[1].where.endswith("b/close/2026-09-18/levels.csv")
    assert filled.on_disk() == before


def test_a_folder_that_cannot_be_written(empty: Desk) -> None:
    empty.publish("announcement", REVIEW, "announcement.html")
    empty.public.write_text("a file")
    with pytest.raises(PublicationError, match=r"public.*(exists|directory).*give this user the right"):
        empty.refresh()


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="needs sha256sum of the GNU coreutils")
def test_the_checksums_satisfy_the_tool_that_everybody_has(filled: Desk) -> None:
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(command, cwd=filled.public, capture_output=True, check=False).returncode == 0
    listed = len((filled.public / "SHA256SUMS").read_text().splitlines())
    assert listed == len(filled.on_disk()) - 1
    (filled.public / ANNOUNCED).write_text("another")
    done = subprocess.run(command, cwd=filled.public, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, f"{ANNOUNCED}: FAILED\n")


def test_current_files_stand_under_names_that_stay(filled: Desk) -> None:
    whole = json.loads(filled.on_disk()["latest.json"])
    rows = filled.ledger.entries()
    assert whole["ledger"] == {"rows": 14, "hash": rows[-1].hash}
    mine = json.loads(filled.on_disk()["a/latest.json"])
    assert mine == {"index_id": "a", "publications": whole["indices"]["a"]}
    said = mine["publications"]
    assert said["announcement"]["revision"] == 1
    assert said["announcement"]["files"]["proforma.csv"]["path"] == "a/announcement/2026-09-18.r1/proforma.csv"
    assert (said["announcement"]["late"], said["announcement"]["hash"]) == (False, rows[5].hash)
    assert (said["announcement_delayed"]["row"], said["announcement_delayed"]["superseded_by_row"]) == (4, 5)
    assert said["close"] == said["restatement"]
    assert (said["close"]["what"], said["close"]["due_at"], said["close"]["simulated"]) == ("restatement", None, True)
    assert "closing.licensed.csv" not in said["close"]["files"]
    theirs = whole["indices"]["b"]["close"]
    assert (theirs["what"], theirs["for_day"], theirs["simulated"]) == ("close", "2026-09-18", False)


def test_the_inventory_has_every_published_file(filled: Desk) -> None:
    files = json.loads(filled.on_disk()["inventory.json"])["files"]
    assert {file["path"]: file["size"] for file in files} == {
        path: len(content) for path, content in filled.on_disk().items() if re.search(r"/2026-09-1\d", path)
    }
    rows = {row.sequence: row for row in filled.ledger.entries()}
    assert all(rows[file["row"]].files[file["path"]] == file["sha256"] for file in files)


def test_names_of_the_indices_that_are_gone(filled: Desk) -> None:
    filled.refresh(names={"a": NAMES["a"]})
    assert '<h2 id="index-b">b</h2>' in filled.on_disk()["index.html"].decode()
