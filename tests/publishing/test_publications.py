"""The desk's cycle over one review, as the schedule makes it: what is published, when, and from what."""

import json
from datetime import date, timedelta
from hashlib import sha256
from itertools import pairwise
from math import fsum
from pathlib import Path

import polars as pl
import pytest

from exchina import history, workflow
from exchina.model import IndexSeries
from exchina.schedule import lateness
from exchina.workflow.publishing import BY_HAND
from exchina.workflow.scheduled import jobs_of
from exchina.workspace import Workspace
from tests.publishing.rehearsed import (
    AFTER,
    ANNOUNCED,
    CUTOFF,
    DRAFTED,
    EFFECTIVE,
    FIRST,
    LAST,
    csv,
    done,
    names,
    row_of,
    text,
)
from tests.shell.rehearsal import INDEX

CLOSING = {f"{name}.csv" for name in ("closing", "opening", "levels", "divisor", "corporate_actions")} | {"state.json"}


@pytest.fixture(scope="module")
def series(rehearsed: Workspace) -> IndexSeries:
    """The backtest of the index over the same days."""
    view = workflow.open_market("small", known_by=LAST, workspace=rehearsed.root)
    return workflow.backtest(workflow.index_rulebook(rehearsed, INDEX), view)


def test_the_rows_of_a_review_in_their_order(rehearsed: Workspace) -> None:
    sessions = [FIRST + timedelta(days) for days in range(23)]
    expected: list[tuple[str, date]] = []
    for day in sessions:
        if day.weekday() > 4:
            continue
        expected.append(("close", day))
        expected += {
            CUTOFF: [("snapshot", EFFECTIVE)],
            DRAFTED: [("draft", EFFECTIVE)],
            ANNOUNCED: [("announcement", EFFECTIVE)],
            AFTER: [("post_trade", EFFECTIVE)],
        }.get(day, [])
    found = [one for one in done(rehearsed) if one[0] != "notice"]
    assert sorted(found) == sorted(expected)
    order = [what for what, _ in found if what != "close"]
    assert order == ["snapshot", "draft", "announcement", "post_trade"]
    closes = [day for what, day in found if what == "close"]
    assert closes == sorted(closes)
    for what, day in (("draft", DRAFTED), ("announcement", ANNOUNCED), ("post_trade", AFTER)):
        before, after = found[found.index((what, EFFECTIVE)) - 1], found[found.index((what, EFFECTIVE)) + 1]
        assert ("close", day) in (before, after), what


def test_the_files_of_each_kind(rehearsed: Workspace) -> None:
    prints = {"announcement.pdf", "announcement.html", "factsheet.pdf", "factsheet.html"}
    wanted = {
        "snapshot": {"universe.ndjson", "snapshot.json"},
        "draft": {"proforma.csv", "weak_facts.csv", "draft.pdf", "draft.html"},
        "announcement": {"proforma.csv", "weak_facts.csv", "event_ledger.csv", *prints},
        "post_trade": {"post_trade.csv", "post_trade.json"},
    }
    for what, files in wanted.items():
        assert names(row_of(rehearsed, what, EFFECTIVE)) == files, what
    for row in workflow.publications(rehearsed):
        if row.what == "close":
            previewed = ANNOUNCED < row.for_day < EFFECTIVE
            assert names(row) == CLOSING | ({"proforma.csv"} if previewed else set()), row.for_day


def test_each_row_says_what_it_was_made_from_and_when(rehearsed: Workspace) -> None:
    view = workflow.open_market("small", workspace=rehearsed.root)
    book = workflow.index_rulebook(rehearsed, INDEX)
    days = {"snapshot": CUTOFF, "draft": DRAFTED, "announcement": ANNOUNCED, "post_trade": AFTER}
    for row in workflow.publications(rehearsed):
        assert row.due_at == row.published_at
        assert not lateness(row, jobs_of(rehearsed))
        day = str(days.get(row.what, row.for_day))
        said = {"rulebook": book.content_hash, "market_data": view.provenance.content_hash, "clock": BY_HAND}
        said |= {"reference": view.reference.content_hash, "known_by": day, "day": day, "rulebook_version": "1.0.0"}
        assert said.items() <= row.inputs.items()
        held = ("rules", "reference", "documents") if row.what in ("draft", "announcement") else ("rules", "reference")
        frozen = {row.inputs[f"frozen_{name}"] for name in held}
        assert frozen == {path for path in row.files if path.startswith("frozen/")}
        assert all(Path(path).stem == row.files[path] for path in frozen)
        for path, digest in row.files.items():
            assert sha256((rehearsed.reports / path).read_bytes()).hexdigest() == digest
        assert (rehearsed.reports / row.inputs["frozen_rules"]).read_text() == book.text
    assert workflow.verify(rehearsed) == []


def test_it_is_due_an_hour_and_a_half_after_the_last_close_of_its_exchanges(rehearsed: Workspace) -> None:
    """New York closes at 20:00 UTC in summer, and Toronto too: the last of the venues."""
    assert row_of(rehearsed, "close", FIRST).due_at == "2024-09-03T21:30:00+00:00"
    assert row_of(rehearsed, "post_trade", EFFECTIVE).due_at == "2024-09-23T21:30:00+00:00"


def test_the_levels_are_those_of_a_backtest(rehearsed: Workspace, series: IndexSeries) -> None:
    right = {(day, name): level for day, name, level in series.levels.select("session", "variant", "level").rows()}
    seen = 0
    for what, day in done(rehearsed):
        if what == "close":
            levels = csv(rehearsed, "close", day, "levels.csv")
            for variant, level in levels.select("variant", "unrounded_level").iter_rows():
                assert level == pytest.approx(right[day, variant], rel=1e-12)
                seen += 1
    assert seen == 17 * 3


def test_each_opening_file_is_what_the_next_session_held(rehearsed: Workspace) -> None:
    closes = [day for what, day in done(rehearsed) if what == "close"]
    for day, following in pairwise(closes):
        opening, closing = (
            csv(rehearsed, "close", day, "opening.csv"),
            csv(rehearsed, "close", following, "closing.csv"),
        )
        assert opening.select("symbol", "index_shares").rows() == closing.select("symbol", "index_shares").rows()


def test_the_report_after_the_trade_adds_up(rehearsed: Workspace, series: IndexSeries) -> None:
    report = csv(rehearsed, "post_trade", EFFECTIVE, "post_trade.csv")
    said = json.loads(text(rehearsed, "post_trade", EFFECTIVE, "post_trade.json"))
    turnover = dict(series.turnover.iter_rows())[EFFECTIVE]
    assert said["one_way_turnover"] == pytest.approx(turnover, abs=1e-12)
    assert said["one_way_turnover"] == pytest.approx(fsum(abs(x) for x in report["trade"]) / 2, abs=1e-15)
    assert turnover > 0.01
    closing, opening = (csv(rehearsed, "close", EFFECTIVE, f"{name}.csv") for name in ("closing", "opening"))
    weights = [dict(table.select("symbol", "weight").iter_rows()) for table in (closing, opening)]
    for symbol, before, after in report.select("symbol", "weight_before", "weight_after").iter_rows():
        assert (before, after) == (weights[0].get(symbol, 0.0), weights[1].get(symbol, 0.0))
    announced = csv(rehearsed, "announcement", EFFECTIVE, "proforma.csv").filter(pl.col("weight") > 0)
    wanted = dict(announced.select("symbol", "weight").iter_rows())
    found = dict(report.filter(pl.col("announced_weight") > 0).select("symbol", "announced_weight").iter_rows())
    assert found == wanted
    assert said["divisor"][0]["divisor_after"] == opening["divisor"][0]
    assert said["announced_in_row"] == row_of(rehearsed, "announcement", EFFECTIVE).sequence


def test_what_was_announced_is_what_was_taken_on(rehearsed: Workspace) -> None:
    """Weights are set at the effective close: the opening file after it has the announced ones."""
    announced = csv(rehearsed, "announcement", EFFECTIVE, "proforma.csv").filter(pl.col("weight") > 0)
    opened = csv(rehearsed, "close", EFFECTIVE, "opening.csv")
    expected = dict(announced.select("symbol", "weight").iter_rows())
    assert dict(opened.select("symbol", "weight").iter_rows()) == pytest.approx(expected, abs=1e-12)


def test_the_snapshot_is_the_universe_that_the_review_read(rehearsed: Workspace) -> None:
    view = workflow.open_market("small", known_by=ANNOUNCED, workspace=rehearsed.root)
    book = workflow.index_rulebook(rehearsed, INDEX)
    lines = text(rehearsed, "snapshot", EFFECTIVE, "universe.ndjson").splitlines()
    seen = history.universe_read(book, view, CUTOFF)
    assert [json.loads(line)["company_id"] for line in lines] == sorted(seen["company_id"])
    assert json.loads(text(rehearsed, "snapshot", EFFECTIVE, "snapshot.json"))["prices_through"] == str(CUTOFF)
