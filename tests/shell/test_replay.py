"""A year of an index gives the same bytes in another process, on other threads, and day by day from written states."""

import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest

from exchina.tables.actions import TERMS
from tests.shell.year import ACTIONS, CHANGED, all_at_once, day_by_day


@pytest.fixture(scope="module")
def here() -> dict[str, bytes]:
    """The files as this process computes them."""
    return all_at_once()


@pytest.mark.parametrize("threads", ["1", "4"])
def test_another_process_writes_the_same_bytes(
    here: dict[str, bytes], root: Path, tmp_path: Path, threads: str
) -> None:
    environment = {**os.environ, "POLARS_MAX_THREADS": threads, "PYTHONHASHSEED": threads, "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "tests.shell.year", str(tmp_path)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {name: (tmp_path / name).read_bytes() for name in here} == here


def test_day_by_day_from_written_states_gives_the_same_bytes(here: dict[str, bytes], tmp_path: Path) -> None:
    daily = day_by_day(tmp_path)
    for name, content in here.items():
        assert daily[name] == content, name


def test_every_kind_of_event_is_in_the_log(here: dict[str, bytes]) -> None:
    causes = set(";".join(pl.read_csv(BytesIO(here["divisor.csv"]))["cause"]).split(";"))
    applied = {kind for number, (_, kind, _, _) in enumerate(ACTIONS) if f"action-{number}" in causes}
    assert set(TERMS) - applied == set()
    assert {"review", "split:S40:2024-05-14", "special_dividend:S50:2024-04-03"} <= causes
    assert any(cause.startswith("suspension_clock:S22") for cause in causes)


def test_one_other_close_changes_levels_from_that_day_on_only(here: dict[str, bytes]) -> None:
    before, after = (
        pl.read_csv(BytesIO(files["levels.csv"]), try_parse_dates=True) for files in (here, all_at_once(True))
    )
    early = pl.col("session") < CHANGED
    assert after.filter(early).equals(before.filter(early))
    day = pl.col("session") == CHANGED
    for name in ("PR", "GTR", "NTR", "LOCAL"):
        assert after.filter(day)[name].item() > before.filter(day)[name].item()
