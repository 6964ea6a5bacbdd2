"""A fetch that is killed at any moment leaves a whole store, and the next one completes it to the same bytes."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest

from exchina import workflow
from exchina.market.live.plan import Ask
from exchina.market.store import load, markets
from exchina.workspace import Workspace, init, open_workspace
from tests.shell.yahoo_stub import Stub, market, serving

MOMENTS = int(os.environ.get("EXCHINA_KILLS", "20"))
NOW = datetime(2025, 11, 24, 8, tzinfo=UTC)
ASK = Ask(start=date(2025, 6, 2), only=("MP", "RBW.L"), control="")
CHILD = (
    f"""
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from exchina import workflow
from exchina.market.live.plan import Ask
from exchina.workspace import open_workspace
settings = {{"pause_seconds": 0, "endpoint": sys.argv[2]}}
workflow.fetch(
    open_workspace(Path(sys.argv[1])), "yahoo", market="live", recorded_at={NOW!r}, settings=settings, ask={ASK!r}
)
""".replace("datetime.datetime", "datetime")
    .replace("datetime.date", "date")
    .replace("datetime.timezone.utc", "UTC")
)


def fetch(place: Workspace, stub: Stub) -> None:
    settings = {"pause_seconds": 0, "endpoint": stub.url}
    workflow.fetch(place, "yahoo", market="live", recorded_at=NOW, settings=settings, ask=ASK)


def killed(root: Path, stub: Stub, chance: Random, requests: int) -> str:
    """Start a fetch and kill it: after some request, or shortly after the first file of the store is there."""
    stub.asked.clear()
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(root), stub.url], stderr=subprocess.PIPE)
    at_end = chance.random() < 0.4
    wanted, delay = chance.randint(1, requests), chance.random() * (0.02 if at_end else 0.05)
    parts = root / "store" / "live" / "parts"
    while child.poll() is None and not (parts.exists() if at_end else len(stub.asked) >= wanted):
        time.sleep(0.0005)
    time.sleep(delay)
    child.send_signal(signal.SIGKILL)
    _, said = child.communicate()
    assert child.returncode in {0, -signal.SIGKILL}, said.decode()
    return "store" if at_end else "asking"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed") / "desk"
    init(folder)
    return folder


def test_killed_at_random_moments(desk: Path, tmp_path: Path) -> None:
    chance, seen = Random(5), {"nothing": 0, "pieces": 0, "whole": 0}
    with serving(market()) as stub:
        for number in range(-1, MOMENTS):
            root = tmp_path / str(number)
            root.mkdir()
            (root / "indices").symlink_to(desk / "indices")
            place = open_workspace(root)
            if number < 0:
                fetch(place, stub)
                whole, requests = load(place.store, "live")[1], len(stub.asked)
                continue
            killed(root, stub, chance, requests)
            there = markets(place.store)
            pieces = {path.name for path in place.store.glob("live/incoming/yahoo/[!.]*.json")}
            seen["whole" if there else "pieces" if pieces else "nothing"] += 1
            assert not there or load(place.store, "live")[1] == whole
            stub.asked.clear()
            fetch(place, stub)
            assert load(place.store, "live")[1] == whole
            asked = {f"history~{symbol}" for symbol in stub.charts()}
            assert not asked & {"~".join(name.split("~")[:2]) for name in pieces}
            assert not (place.store / "live" / "incoming").exists()
    print(f"killed {MOMENTS} times: {seen}")
    assert min(seen["pieces"], MOMENTS - seen["nothing"]) > 0
