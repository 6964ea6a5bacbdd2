"""The guide for subscribers, run as they would."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site.conftest import Desk

ANNOUNCED = "a/announcement/2026-09-18/announcement.html"


@pytest.fixture
def blocks(root: Path) -> list[tuple[str, str]]:
    """Language and text of each example: checksums, plain Python, with exchina."""
    text = (root / "docs" / "guides" / "subscribers.md").read_text(encoding="utf-8")
    return re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)


def run(code: str, folder: Path, *flags: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *flags, "-c", code], cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    return done.returncode, done.stdout + done.stderr


def test_every_example_runs_on_a_sound_folder(blocks: list[tuple[str, str]], filled_once: Desk, filled: Desk) -> None:
    (_, sums), (_, plain), (_, ours) = blocks
    done = subprocess.run(["bash", "-c", sums], cwd=filled.public, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    tip = filled.ledger.entries()[-1].hash
    assert run(plain, filled.public, "-I", "-S") == (0, f"verified up to {tip}\n")
    assert len(plain.strip().splitlines()) <= 16
    key = filled_once.reports.parent / "desk.pub.pem"
    (filled.public.parent / "desk.pub.pem").write_bytes(key.read_bytes())
    assert run(ours, filled.public) == (0, "")
    (filled.public / ANNOUNCED).unlink()
    assert ANNOUNCED in run(ours, filled.public)[1]


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        (ANNOUNCED, "announcement", "another", f"{ANNOUNCED} is not what was published"),
        ("ledger.jsonl", '"what":"notice"', '"what":"close"', "row 12 was changed, taken out or put in"),
        ("ledger.jsonl", '"revision":1', '"revision":2', "row 6 was changed, taken out or put in"),
    ],
)
def test_the_plain_lines_find_what_was_changed(
    blocks: list[tuple[str, str]], filled: Desk, path: str, old: str, new: str, says: str
) -> None:
    text = (filled.public / path).read_text(encoding="utf-8")
    assert old in text
    (filled.public / path).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert run(blocks[1][1], filled.public, "-I", "-S") == (1, f"{says}\n")


def test_the_plain_lines_find_a_row_taken_out(blocks: list[tuple[str, str]], filled: Desk) -> None:
    ledger = filled.public / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:6] + lines[7:]))
    assert run(blocks[1][1], filled.public, "-I", "-S") == (1, "row 8 was changed, taken out or put in\n")
