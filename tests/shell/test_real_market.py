"""The guide on real data: quotes that somebody really recorded, from import to publication."""

import re
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from exchina import history, workflow
from exchina.analytics.constituent_moves import StudySettings
from exchina.currency import with_rate
from exchina.model import Basket
from exchina.rulebook import parse_rulebook
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
    study = workflow.study(workflow.backtest(book, view), view, StudySettings(benchmark="SPY"))
    event = study.securities.filter(pl.col("event_id") == "S20250710-MP-DOW")
    mp = event.row(by_predicate=pl.col("symbol") == "MP", named=True)
    assert mp["day0"] == date(2025, 7, 10)
    assert 0.35 < mp["car"] < 0.65
    lynas = event.row(by_predicate=pl.col("symbol") == "LYC.AX", named=True)
    assert lynas["day0_latest"] == date(2025, 7, 11)


def test_published_and_not_called_simulated(real: tuple[Workspace, str]) -> None:
    place, said = real
    assert "published: core-in-new-york, announcement for 2025-09-19" in said
    page = (place.reports / "core-in-new-york" / "announcement" / "2025-09-19" / "factsheet.html").read_text()
    assert "SIMULATED" not in page
    assert "Nasdaq screener closes" in page
    assert workflow.verify(place) == []


@pytest.fixture(scope="module")
def quarters(real: tuple[Workspace, str]) -> list[Basket]:
    """A proposal for every quarter since 2021 on recorded prices, four names at first."""
    place, _ = real
    text = place.rulebook("core-in-new-york").read_text()
    text = re.sub(r"base_date = [0-9-]+", "base_date = 2021-09-17", text).replace("at_least = 4,", "at_least = 2,")
    book, view = parse_rulebook(text), workflow.open_market("desk", workspace=place.root)
    return history.composed(book, view, history.reviews_until(book, view, date(2026, 6, 30)))


def test_every_quarter_is_feasible_or_prints_each_step(quarters: list[Basket]) -> None:
    assert len(quarters) == 20
    for basket in quarters:
        weights = basket.members["weight"]
        assert weights.sum() == pytest.approx(1, abs=1e-12)
        assert (weights > 0).all()
        assert bool(basket.steps) == (weights.max() > 0.10 + 1e-9 or basket.held)
        assert all(re.match(r"(raise|widen|spill|hold)_", step) for step in basket.steps)
    assert quarters[0].steps
    assert quarters[0].members.height < 10


def test_the_september_basket_of_2025_sees_the_floor_and_the_june_one_does_not(quarters: list[Basket]) -> None:
    floors = {
        basket.review.effective.replace(day=1): dict(basket.members.select("company_id", "floor_part").iter_rows())
        for basket in quarters
    }
    assert floors[date(2025, 6, 1)]["mp-materials"] == 0
    assert floors[date(2025, 9, 1)]["mp-materials"] > 0.3
