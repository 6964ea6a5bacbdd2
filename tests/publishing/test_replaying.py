"""Every publication is made again to the same bytes from what was frozen with it, whatever has changed since."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from exchina import workflow
from exchina.model import Publication
from exchina.workspace import Workspace
from tests.publishing.rehearsed import (
    ANNOUNCED,
    CUTOFF,
    EFFECTIVE,
    FIRST,
    LAST,
    add_measure,
    changed,
    copied,
    deliver,
    keep_jobs,
    rehearse,
    row_of,
)
from tests.shell.rehearsal import INDEX

Run = Callable[..., tuple[int, str, str]]
KINDS = ("announcement", "close", "draft", "factsheet", "post_trade", "snapshot")
NOW = datetime(2024, 9, 27, tzinfo=UTC)


@pytest.fixture(scope="module")
def archive(rehearsed: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The desk years later: a factsheet published too, and everything that it was made from is another."""
    place = copied(rehearsed, tmp_path_factory.mktemp("archive") / "desk")
    book, view = workflow.index_rulebook(place, INDEX), workflow.open_market("small", workspace=place.root)
    occasion = workflow.last_occasion("factsheet", book, view.as_of(LAST))
    workflow.publish(place, book, view, occasion, clock=workflow.Clock(NOW), wishes=workflow.Wishes("retail", "^GSPC"))
    rulebook = place.indices / INDEX / "rulebook.toml"
    changed(rulebook, "count = 4", "count = 2")
    changed(rulebook, '"1.0.0"', '"2.0.0"')
    add_measure(place, "MP-GM-2021-OFF", date(2024, 8, 1))
    for page in (*place.reports.glob("layouts/*.toml"), *place.reports.glob("templates/*.*")):
        page.write_text("nothing of what was here")
    prices = view.market.prices.filter(pl.col("session").is_between(CUTOFF, LAST))
    deliver(place, datetime(2026, 11, 24, tzinfo=UTC), prices=prices.with_columns(pl.col("close") * 2))
    assert workflow.open_market("small", workspace=place.root).provenance != view.provenance
    return place


def replayed(place: Workspace, row: Publication) -> list[str]:
    return [str(problem) for problem in workflow.replay(place, row, workflow.publications(place))]


@pytest.mark.parametrize("what", KINDS)
def test_each_kind_is_made_again(archive: Workspace, what: str) -> None:
    """After rules, reference data, layouts, templates and closes have become others."""
    rows = [row for row in workflow.publications(archive) if row.what == what]
    days = (FIRST, ANNOUNCED, EFFECTIVE, LAST)
    for row in (one for one in rows if what != "close" or one.for_day in days):
        assert replayed(archive, row) == []


def test_what_was_made_otherwise_is_named(archive: Workspace) -> None:
    """The same row with the files of another day: each file that differs is a problem, and no other."""
    one, other = row_of(archive, "close", LAST), row_of(archive, "close", FIRST)
    files = dict(one.files)
    folder = f"{INDEX}/close"
    files[f"{folder}/{LAST}/closing.csv"] = other.files[f"{folder}/{FIRST}/closing.csv"]
    del files[f"{folder}/{LAST}/levels.csv"]
    files[f"{folder}/{LAST}/notices.txt"] = "0" * 64
    found = workflow.replay(archive, replace(one, files=files), workflow.publications(archive))
    assert [problem.where.rpartition(": ")[2] for problem in found] == ["closing.csv", "levels.csv", "notices.txt"]
    assert {problem.what for problem in found} == {"made again, it is not what was published"}
    assert "it was made by exchina" in found[0].hint


@pytest.mark.parametrize("name", ["rules", "reference", "documents"])
def test_what_was_frozen_and_is_no_longer_so_is_named(archive: Workspace, tmp_path: Path, name: str) -> None:
    place = copied(archive, tmp_path / "desk")
    row = row_of(place, "announcement", EFFECTIVE)
    path = place.reports / row.inputs[f"frozen_{name}"]
    path.write_bytes(path.read_bytes() + b" ")
    (problem,) = replayed(place, row)
    assert f"{path.name}: is not what was frozen" in problem
    path.unlink()
    (problem,) = replayed(place, row)
    assert f"{path.name}: No such file or directory" in problem


def test_a_state_of_the_market_that_is_lost_is_named(archive: Workspace, tmp_path: Path) -> None:
    place = copied(archive, tmp_path / "desk")
    row = row_of(place, "close", LAST)
    (place.store / "small" / "manifests" / "000001.json").unlink()
    (problem,) = replayed(place, row)
    assert "000001.json" in problem
    shutil.rmtree(place.store / "small")
    (problem,) = replayed(place, row)
    assert "market 'small' never held the data with SHA-256" in problem


def test_a_state_that_follows_the_one_that_was_lost_is_not_taken_for_it(rehearsed: Workspace, tmp_path: Path) -> None:
    """A market that was fetched anew, to the same rows but for one, is another."""
    place = copied(rehearsed, tmp_path / "desk")
    data = workflow.open_market("small", workspace=place.root).market
    shutil.rmtree(place.store / "small")
    tables = {name: getattr(data, name) for name in ("prices", "fx", "sessions", "shares", "floats")}
    deliver(place, datetime(2026, 11, 23, tzinfo=UTC), **{**tables, "prices": data.prices[:-1]})
    (problem,) = replayed(place, row_of(place, "close", LAST))
    assert "never held the data with SHA-256" in problem


def test_the_command_makes_one_row_again_or_all(archive: Workspace, tmp_path: Path, run: Run) -> None:
    place = copied(archive, tmp_path / "desk")
    row = row_of(place, "snapshot", EFFECTIVE)
    code, out, err = run("verify", "--row", row.sequence, "-w", place.root)
    assert (code, err) == (0, "")
    assert f"publications verified: {len(workflow.publications(place))}, made again: 1" in out
    code, _, err = run("verify", "--row", 999, "-w", place.root)
    assert code == 1
    assert "ledger row 999: is no publication that can be made again (the last are:" in err
    frozen = place.reports / row.inputs["frozen_reference"]
    frozen.write_bytes(b"")
    code, _, err = run("verify", "--row", row.sequence, "-w", place.root)
    assert code == 1
    assert frozen.name in err


def test_the_command_makes_everything_again(seed: Workspace, tmp_path: Path, run: Run) -> None:
    place = copied(seed, tmp_path / "desk")
    keep_jobs(place, "close", "snapshot")
    rehearse(place, datetime(2024, 9, 6, 23, tzinfo=UTC))
    code, out, err = run("verify", "--replay", "-w", place.root)
    assert (code, err) == (0, "")
    assert "publications verified: 5, made again: 5; trials verified: 0" in out
