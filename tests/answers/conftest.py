"""Where the worked answers come from."""

import json
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "cases" / "index_math_cases.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", type=Path, default=SHARED, help="a file of index cases of the same schema")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "index_case" in metafunc.fixturenames:
        path: Path = metafunc.config.getoption("--cases", default=SHARED)
        cases = json.loads(path.read_text()) if path.is_file() else []
        metafunc.parametrize("index_case", cases, ids=[case["id"] for case in cases])
