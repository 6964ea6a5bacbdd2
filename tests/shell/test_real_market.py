"""The guide on real data: quotes that somebody really recorded, from import to publication."""

import re
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from exchina import workflow
from exchina.currency import with_rate
from exchina.workspace import Workspace, init, open_workspace


def blocks(root: Path, language: str) -> list[str]:
    guide = (root / "docs" / "guides" / "your-own-prices.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", guide, re.DOTALL)


@pytest.fixture(scope="module")
def real(root: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str]:
    """A workspace on which every command of the guide has run, and what they printed."""
    folder = tmp_path_factory.mktemp("real")
    init(folder)
    for name in ("prices", "benchmarks"):
        (folder / name).symlink_to(shared / "market" / "real" / name)
    (folder / "prices.toml").write_text(blocks(root, "toml")[0])
    script = "set -e\n" + "\n".join(blocks(root, "sh"))
    script = re.sub(r"^exchina ", f"{shlex.quote(sys.executable)} -m exchina.cli ", script, flags=re.MULTILINE)
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return open_workspace(folder), done.stdout


def test_known_closes_and_rate(real: tuple[Workspace, str]) -> None:
    view = workflow.open_market("desk", workspace=real[0].root)
    mp = view.market.prices.filter(pl.col("symbol") == "MP")
    closes = dict(mp.select("session", "close").iter_rows())
    assert closes[date(2025, 7, 9)] == 30.03
    assert closes[date(2025, 7, 10)] == 45.23
    asked = pl.DataFrame({"day": [date(2025, 7, 10)], "currency": ["AUD"]})
    assert with_rate(asked, view.market.fx, day="day", currency="currency")["rate"][0] == pytest.approx(0.655122251)
    assert view.provenance.kind == "file"


def test_backtest_caps_and_says_what_it_took(real: tuple[Workspace, str]) -> None:
    place, _ = real
    book = workflow.read_rulebook(place.rulebook("core-in-new-york"))
    series = workflow.backtest(book, workflow.open_market("desk", workspace=place.root))
    assert series.levels["level"][0] == 1000
    first = series.baskets[0]
    assert {"mp-materials", "energy-fuels", "lynas-rare-earths"} <= set(first.members["company_id"])
    assert any("issuer cap had to be multiplied" in step for step in first.steps)
    assert (first.members["float_basis"] == "assumed").any()


def test_the_floor_day_shows_in_the_study(real: tuple[Workspace, str]) -> None:
    place, _ = real
    book = workflow.read_rulebook(place.rulebook("core-in-new-york"))
    view = workflow.open_market("desk", workspace=place.root)
    study = workflow.study(workflow.backtest(book, view), view, benchmark="SPY")
    event = study.securities.filter(pl.col("event_id") == "S20250710-MP-DOW")
    mp = event.row(by_predicate=pl.col("symbol") == "MP", named=True)
    assert mp["day0"] == date(2025, 7, 10)
    assert 0.35 < mp["car"] < 0.65
    lynas = event.row(by_predicate=pl.col("symbol") == "LYC.AX", named=True)
    assert lynas["day0_latest"] == date(2025, 7, 11)


def test_published_and_not_called_simulated(real: tuple[Workspace, str]) -> None:
    place, said = real
    assert "published: core-in-new-york, review effective 2025-09-19" in said
    page = (place.reports / "core-in-new-york" / "2025-09-19" / "factsheet.html").read_text()
    assert "SIMULATED" not in page
    assert "Nasdaq screener closes" in page
    assert workflow.verify(place) == []
