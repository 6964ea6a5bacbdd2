"""The provider of the guide, from its page, against a server on loopback."""

import json
import re
import sys
import threading
from collections.abc import Generator
from datetime import UTC, date, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from exchina import workflow
from exchina.market import provider
from exchina.market.calendar import sessions_table
from exchina.market.live.plan import Ask
from exchina.market.live.report import Fetched
from exchina.market.store import load
from exchina.workspace import init, open_workspace

NOW = datetime(2025, 3, 14, 8, tzinfo=UTC)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def url(tmp_path: Path) -> Generator[str]:
    days = [str(day) for day in sessions_table(["XASX"], date(2025, 1, 2), date(2025, 3, 14))["session"]]
    bars = [[day, 7.0 + number / 100, 1e6] for number, day in enumerate(days)]
    line = {"currency": "AUD", "zone": "Australia/Sydney", "bars": bars, "dividends": [], "splits": []}
    line |= {"counts": [["2024-12-31", 9.3e8, "2025-01-31"]], "shares": 9.3e8, "float_shares": 9e8}
    rates = [[day, 0.62, None] for day in days]
    rate = {"currency": "USD", "zone": "Europe/London", "bars": rates, "dividends": [], "splits": []}
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, told in (("LYC.AX", line), ("AUDUSD", rate), ("^AXJO", {**line, "currency": "AUD"})):
        (folder / f"{name}.json").write_text(json.dumps(told))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def house(root: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """The module of the guide, entered in the register for one test."""
    page = (root / "docs" / "guides" / "a-provider-of-your-own.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    module = ModuleType("house")
    monkeypatch.setitem(sys.modules, "house", module)
    exec(compile(code, "a-provider-of-your-own.md", "exec"), module.__dict__)
    yield
    for held in (provider._plugins, provider._checks, provider._traits):
        held.pop("house")


@pytest.mark.usefixtures("house")
def test_the_provider_of_the_guide_is_one_file(url: str, tmp_path: Path) -> None:
    init(tmp_path / "desk")
    place = open_workspace(tmp_path / "desk")
    ask = Ask(start=date(2025, 1, 2), only=("LYC.AX", "MP"), control="")
    found = workflow.fetch(place, "house", market="house", recorded_at=NOW, settings={"url": url}, ask=ask)
    assert isinstance(found, Fetched)
    absent = [("^GSPC", "no document of ^GSPC"), ("MP", "no document of MP")]
    assert found.missing.select("name", "why").rows() == absent
    data, provenance = load(place.store, "house")
    assert data.prices["symbol"].unique().to_list() == ["LYC.AX"]
    assert data.prices["session"].max() == date(2025, 3, 14)
    assert data.shares.select("shares", "known_date").rows() == [(9.3e8, date(2025, 1, 31))]
    assert provenance.source == "Market data of our own house"
