"""What is shipped, and who may import what."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

QUARANTINE = {
    "apscheduler": {"service/serving.py"},
    "prometheus_client": {"service/health.py"},
    "icalendar": {"site/calendar_file.py"},
    "standardwebhooks": {"delivery/channels/webhook.py"},
    "fsspec": {"delivery/channels/upload.py"},
    "exchange_calendars": {"market/calendar.py"},
    "sqlalchemy": {"delivery/log.py", "ledger/database.py", "ledger/lease.py", "ledger/rows.py"},
    "cryptography": {"ledger/signing.py"},
    "typst": {"reporting/render.py"},
    "jinja2": {"reporting/render.py"},
    "markupsafe": {"reporting/render.py"},
    "altair": {"reporting/figures.py", "reporting/study_charts.py"},
    "vl_convert": {"reporting/figures.py"},
    "cyclopts": {"cli/__init__.py", "cli/common.py", "cli/serving.py"},
    "rich": {"terminal.py"},
    "yfinance": {"market/providers/yahoo.py"},
    "curl_cffi": {"market/providers/yahoo.py"},
}


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_lays_the_same_workspace_as_the_repository(root: Path, wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = "import exchina, pathlib; exchina.init(pathlib.Path('desk')); print(exchina.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": "site"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "site" in done.stdout
    laid = {path.relative_to(tmp_path / "desk"): path for path in (tmp_path / "desk").rglob("*") if path.is_file()}
    assert {Path("scheduler/schedule.toml"), Path("indices/reference/companies.csv")} <= set(laid)
    assert any(path.suffix == ".ttf" for path in laid)
    for path, copy in laid.items():
        assert copy.read_bytes() == (root / path).read_bytes(), path


def test_the_wheel_holds_no_market_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if name.endswith((".parquet", ".sqlite"))] == []
        assert sum(info.file_size for info in archive.infolist()) < 6_000_000


@pytest.mark.parametrize("library", QUARANTINE)
def test_a_library_is_known_to_one_module(root: Path, library: str) -> None:
    package = root / "src" / "exchina"
    found = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == library for name in names):
                found.add(path.relative_to(package).as_posix())
    assert found == QUARANTINE[library]
