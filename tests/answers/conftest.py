"""Where the worked answers come from: `--cases FILE` takes a file of any of the topics, told apart by the ids in it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "cases"
TOPICS = {
    "event_study_case": ("event_study_cases.json", r"ES\d+"),
    "honesty_case": ("honesty_cases.json", r"H\d+"),
    "index_case": ("index_math_cases.json", r"(?!(ES|H)\d+$).+"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", type=Path, default=None, help="a file of cases of the same schema")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked: Path | None = metafunc.config.getoption("--cases", default=None)
    if asked is not None and not asked.is_file():
        raise pytest.UsageError(f"--cases {asked}: no such file")
    for fixture, (file, ids) in TOPICS.items():
        if fixture in metafunc.fixturenames:
            known = [case for case in read(asked or SHARED / file) if re.fullmatch(ids, case["id"])]
            metafunc.parametrize(fixture, known, ids=[case["id"] for case in known])


def read(path: Path) -> list[dict[str, Any]]:
    """The cases of a file; none where it is not there."""
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return found["cases"] if isinstance(found, dict) else found
