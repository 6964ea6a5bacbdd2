"""A published number was wrong: what a restatement publishes, what stays, and from what the index goes on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from exchina import workflow
from exchina.errors import DataError
from exchina.model import Publication
from exchina.workflow.published import table_of
from exchina.workspace import Workspace
from tests.publishing.rehearsed import AFTER, EFFECTIVE, LAST, copied, csv, deliver, done, names, row_of
from tests.shell.rehearsal import INDEX

WRONG = date(2024, 9, 24)
NEXT = LAST + timedelta(1)
RECORDED = datetime(2024, 9, 26, 6, tzinfo=UTC)
NOW = datetime(2024, 9, 26, 9, tzinfo=UTC)
WISHES = workflow.Wishes(was=LAST, because="close of MP corrected", approved_by="index committee")


@pytest.fixture
def place(rehearsed: Workspace, tmp_path: Path) -> Workspace:
    """A desk of its own with every session closed up to the 25th."""
    return copied(rehearsed, tmp_path / "desk")


def corrected(place: Workspace, *days: date, factor: float = 0.9, at: datetime = RECORDED) -> None:
    """The vendor says that the closes of MP on some days were otherwise."""
    prices = workflow.open_market("small", workspace=place.root).market.prices
    rows = prices.filter((pl.col("symbol") == "MP") & pl.col("session").is_in(list(days)))
    deliver(place, at, prices=rows.with_columns(pl.col("close") * factor))


def restate(place: Workspace, wishes: workflow.Wishes = WISHES, now: datetime = NOW) -> workflow.Published:
    book, view = workflow.index_rulebook(place, INDEX), workflow.open_market("small", workspace=place.root)
    return workflow.restate(place, book, view, now=now, wishes=wishes)


def differences(place: Workspace, was: date = LAST) -> pl.DataFrame:
    book, view = workflow.index_rulebook(place, INDEX), workflow.open_market("small", workspace=place.root)
    return workflow.differences(place, book, view, was)


def closed(place: Workspace, until: date) -> None:
    """The desk closes what is open up to a day."""
    book, view = workflow.index_rulebook(place, INDEX), workflow.open_market("small", workspace=place.root)
    now = datetime.combine(until, datetime.min.time(), UTC) + timedelta(hours=23)
    workflow.calculate(place, book, view.as_of(until), now=now, wishes=workflow.Wishes())


def backtest(place: Workspace) -> dict[tuple[date, str], float]:
    """Levels as all that is known says they are."""
    book, view = workflow.index_rulebook(place, INDEX), workflow.open_market("small", workspace=place.root)
    found = workflow.backtest(book, view).levels
    return {(day, name): level for day, name, level in found.select("session", "variant", "level").rows()}


def levels(place: Workspace, row: Publication) -> dict[tuple[date, str], float]:
    table = table_of(place, row, "levels.csv")
    return {(day, name): x for day, name, x in table.select("session", "variant", "unrounded_level").rows()}


def test_a_corrected_close_is_restated_once_and_the_index_goes_on_from_it(place: Workspace) -> None:
    """MP closed a tenth lower on the 24th and 25th than was published."""
    corrected(place, WRONG, LAST)
    kept = {path: path.read_bytes() for path in (place.reports / INDEX / "close").rglob("*.csv")}
    old = {day: levels(place, row_of(place, "close", day)) for day in (AFTER, WRONG, LAST)}
    found = restate(place)
    assert found.new
    assert done(place)[-1] == ("restatement", LAST)
    row = row_of(place, "restatement", LAST)
    assert (row.revision, row.due_at, row.published_at) == (0, "", "2024-09-26T09:00:00+00:00")
    assert row.inputs["because"] == "close of MP corrected"
    assert row.inputs["approved_by"] == "index committee"
    assert row.inputs["was"] == str(LAST)
    assert row.inputs["follows"] == row_of(place, "close", LAST).hash
    assert names(row) == names(row_of(place, "close", LAST)) | {"differences.csv"}
    table, right = table_of(place, row, "differences.csv"), backtest(place)
    assert sorted(set(table["session"])) == [WRONG, LAST]
    assert set(table["decision"]) == {"restated"}
    for day, variant, before, after in table.select("session", "variant", "old_level", "new_level").iter_rows():
        assert before == old[day][day, variant]
        assert after == pytest.approx(right[day, variant], rel=1e-12)
        assert after < before * 0.99
    assert levels(place, row) == pytest.approx({(LAST, name): right[LAST, name] for name in ("PR", "NTR", "GTR")})
    assert {path: path.read_bytes() for path in kept} == kept
    assert workflow.verify(place) == []
    assert differences(place).is_empty()
    closed(place, NEXT + timedelta(1))
    for day in (NEXT, NEXT + timedelta(1)):
        after = row_of(place, "close", day)
        assert levels(place, after) == pytest.approx({key: right[key] for key in levels(place, after)}, rel=1e-12)
    assert row_of(place, "close", NEXT).inputs["follows"] == row.hash
    rows = workflow.publications(place)
    assert [workflow.replay(place, one, rows) for one in rows[-3:]] == [[], [], []]


def test_the_day_before_the_last_is_restated_and_the_last_level_stands(place: Workspace) -> None:
    """MP closed otherwise on the 24th only, where index shares hold: the level of the 25th is as it was."""
    corrected(place, WRONG)
    row = restate(place).entry
    table = table_of(place, row, "differences.csv")
    assert set(table["session"]) == {WRONG}
    assert "levels.csv" not in names(row)
    assert {"closing.csv", "opening.csv", "state.json"} <= names(row)
    assert differences(place).is_empty()
    closed(place, NEXT)
    right = backtest(place)
    found = levels(place, row_of(place, "close", NEXT))
    assert found == pytest.approx({key: right[key] for key in found}, rel=1e-12)


def test_weights_set_at_a_wrong_close_are_set_again(place: Workspace) -> None:
    """The close after which the review took effect was wrong: the shares since then differ, and every level after."""
    corrected(place, EFFECTIVE)
    row = restate(place).entry
    table = table_of(place, row, "differences.csv")
    assert sorted(set(table["session"])) == [EFFECTIVE, AFTER, WRONG, LAST]
    before, after = (table_of(place, one, "opening.csv") for one in (row_of(place, "close", LAST), row))
    assert before["symbol"].to_list() == after["symbol"].to_list()
    assert before["index_shares"].to_list() != after["index_shares"].to_list()
    closed(place, NEXT)
    right = backtest(place)
    found = levels(place, row_of(place, "close", NEXT))
    assert found == pytest.approx({key: right[key] for key in found}, rel=1e-12)


def test_an_earlier_day_of_knowledge_leaves_no_published_level_out(place: Workspace) -> None:
    corrected(place, WRONG, LAST)
    assert differences(place, WRONG - timedelta(1)).rows() == differences(place).rows()


def test_below_the_threshold_the_past_stays(place: Workspace) -> None:
    """A hundredth of a basis point of one line: nobody is told anything but that."""
    corrected(place, LAST, factor=1 + 1e-6)
    assert set(differences(place)["decision"]) == {"prospective"}
    with pytest.raises(DataError, match="by policy what differs is corrected for the future only"):
        restate(place)
    assert done(place)[-1] == ("close", LAST)


def test_a_small_error_is_right_from_the_next_session_on_and_the_published_level_stands(place: Workspace) -> None:
    """Between one and five basis points: corrected, not restated."""
    weight = dict(csv(place, "close", LAST, "closing.csv").select("symbol", "weight").iter_rows())["MP"]
    corrected(place, LAST, factor=1 + 3e-4 / weight)
    row = restate(place).entry
    table = table_of(place, row, "differences.csv")
    assert set(table["decision"]) == {"corrected"}
    assert table["difference_bp"].to_list() == pytest.approx([3.0] * 3, abs=0.01)
    assert set(table["old_status"]) == {"published"}
    assert "levels.csv" not in names(row)
    closed(place, NEXT)
    right = backtest(place)
    found = levels(place, row_of(place, "close", NEXT))
    assert found == pytest.approx({key: right[key] for key in found}, rel=1e-12)


def test_nothing_is_restated_where_nothing_differs(place: Workspace) -> None:
    with pytest.raises(DataError, match=r"no level differs \(there is nothing to restate\)"):
        restate(place)


def test_nobody_restates_alone_and_without_a_reason(place: Workspace) -> None:
    """Also where the session was restated before."""
    corrected(place, LAST)
    for _ in range(2):
        for lacking in ({"because": ""}, {"approved_by": ""}, {"was": None}):
            with pytest.raises(DataError, match="a correction needs a reason and who approved it"):
                restate(place, replace(WISHES, **lacking))  # pyright: ignore[reportArgumentType]
        if row_count(place) == 0:
            restate(place)
    assert row_count(place) == 1


def row_count(place: Workspace) -> int:
    return sum(what == "restatement" for what, _ in done(place))


def test_a_second_restatement_of_the_day_is_its_revision(place: Workspace) -> None:
    corrected(place, LAST)
    first = restate(place).entry
    kept = table_of(place, first, "differences.csv")
    corrected(place, LAST, factor=0.8, at=RECORDED + timedelta(hours=5))
    second = restate(place, now=NOW + timedelta(hours=5)).entry
    assert (second.revision, second.inputs["follows"]) == (1, first.hash)
    again = table_of(place, second, "differences.csv")
    assert again["old_level"].to_list() == kept["new_level"].to_list()
    assert all(again["new_level"] < kept["new_level"])
    assert table_of(place, first, "differences.csv").equals(kept)
    closed(place, NEXT)
    assert row_of(place, "close", NEXT).inputs["follows"] == second.hash
    rows = workflow.publications(place)
    assert workflow.replay(place, second, rows) == []


def test_the_command_says_what_it_did(place: Workspace, run: Callable[..., tuple[int, str, str]]) -> None:
    corrected(place, LAST)
    asked = ("restate", INDEX, "--was", LAST, "-m", "small", "-w", place.root)
    code, out, _ = run(*asked)
    assert (code, row_count(place)) == (1, 0)
    assert "restated" in out
    code, _, err = run(*asked, "--because", "close of MP corrected")
    assert (code, row_count(place)) == (1, 0)
    assert "needs a reason and who approved it" in err
    approved = ("--because", "close of MP corrected", "--approved-by", "index committee")
    code, out, _ = run(*asked, *approved)
    assert (code, row_count(place)) == (0, 1)
    row = row_of(place, "restatement", LAST)
    assert f"restated in ledger row {row.sequence}; the index goes on from {LAST}" in out
    code, _, err = run(*asked, *approved)
    assert (code, row_count(place)) == (1, 1)
    assert "no level differs" in err
    code, out, _ = run(*asked)
    assert (code, out.splitlines()[0]) == (0, f"No level differs from what was known on {LAST}.")
    code, out, _ = run("log", INDEX, "--what", "restatement", "-w", place.root)
    assert "close of MP corrected" in out
