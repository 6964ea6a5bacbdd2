"""After downtime, and while data is missing: what was missed comes in order, late, from what was known on its day."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from exchina import service, workflow
from exchina.errors import PublicationError
from exchina.market.view import MarketView
from exchina.schedule import lateness
from exchina.workflow.scheduled import jobs_of, opened
from exchina.workspace import Workspace
from tests.publishing.rehearsed import (
    AFTER,
    ANNOUNCED,
    CUTOFF,
    EFFECTIVE,
    END,
    FIRST,
    LAST,
    copied,
    deliver,
    done,
    keep_jobs,
    rehearse,
    restock,
    row_of,
    rows_between,
    text,
)
from tests.shell.rehearsal import INDEX, SCHEDULE

DOWN, UP = datetime(2024, 9, 5, 23, tzinfo=UTC), datetime(2024, 9, 26, 6, tzinfo=UTC)
EVENING = datetime(2024, 9, 4, 22, tzinfo=UTC)


def files(place: Workspace) -> dict[str, bytes]:
    found = (path for path in (place.reports / INDEX).rglob("*") if path.is_file())
    return {str(path.relative_to(place.reports)): path.read_bytes() for path in found}


def test_what_was_missed_comes_in_order_and_is_late(seed: Workspace, rehearsed: Workspace, tmp_path: Path) -> None:
    """Down from 5 to 26 September, over the whole review: the same bytes, and both times in each row."""
    place = copied(seed, tmp_path / "desk")
    keep_jobs(place, "snapshot", "draft", "close", "announcement", "notice", "post_trade")
    rehearse(place, DOWN)
    before = workflow.publications(place)
    outcomes, problems = service.run_once(place, UP, set_by_hand=True)
    assert problems == []
    assert len(outcomes) > 15
    assert files(place) == files(rehearsed)
    rows, calm = workflow.publications(place), workflow.publications(rehearsed)
    assert rows[: len(before)] == before == calm[: len(before)]
    assert [(row.what, row.for_day, row.files, row.due_at) for row in rows] == [
        (row.what, row.for_day, row.files, row.due_at) for row in calm
    ]
    for row, twin in zip(rows[len(before) :], calm[len(before) :], strict=True):
        assert row.published_at == "2024-09-26T06:00:00+00:00"
        late = UP - datetime.fromisoformat(twin.published_at)
        assert lateness(row, jobs_of(place)) == late
        assert {**row.inputs, "follows": ""} == {**twin.inputs, "follows": ""}
    assert service.run_once(place, UP, set_by_hand=True) == ([], [])
    assert workflow.verify(place) == []


def test_a_few_minutes_are_not_late(seed: Workspace, tmp_path: Path) -> None:
    place = copied(seed, tmp_path / "desk")
    keep_jobs(place, "close")
    service.run_once(place, datetime(2024, 9, 3, 22, 30, tzinfo=UTC), set_by_hand=True)
    service.run_once(place, datetime(2024, 9, 4, 22, 31, tzinfo=UTC), set_by_hand=True)
    first, second = workflow.publications(place)
    assert lateness(first, jobs_of(place)) == timedelta(0)
    assert lateness(second, jobs_of(place)) == timedelta(hours=1, minutes=1)


def test_nothing_wrong_is_published_while_the_closes_are_missing(
    seed: Workspace, sample: MarketView, tmp_path: Path
) -> None:
    place = copied(seed, tmp_path / "desk")
    keep_jobs(place, "close")
    restock(place, through=FIRST)
    service.run_once(place, EVENING - timedelta(days=1), set_by_hand=True)
    outcomes, problems = service.run_once(place, EVENING, set_by_hand=True)
    assert [str(one) for one in problems] == [str(one) for outcome in outcomes for one in outcome.problems]
    assert "prices end on 2024-09-03" in str(problems[0])
    assert "fetch the session's closes first" in str(problems[0])
    assert done(place) == [("close", FIRST)]
    for hours in (1, 2, 3):
        service.run_once(place, EVENING + timedelta(hours=hours), set_by_hand=True)
    assert done(place) == [("close", FIRST), ("close_delayed", date(2024, 9, 4))]
    said = json.loads(text(place, "close_delayed", date(2024, 9, 4), "delayed.json"))
    assert said["due_at"] == "2024-09-04T21:30:00+00:00"
    assert "prices end on 2024-09-03" in said["reasons"][0]
    assert row_of(place, "close_delayed", date(2024, 9, 4)).published_at == "2024-09-04T23:00:00+00:00"
    morning = datetime(2024, 9, 5, 8, tzinfo=UTC)
    deliver(place, morning, **rows_between(sample, FIRST, date(2024, 9, 4)))
    assert service.run_once(place, morning, set_by_hand=True)[1] == []
    assert done(place)[-1] == ("close", date(2024, 9, 4))
    assert lateness(row_of(place, "close", date(2024, 9, 4)), jobs_of(place)) == morning - EVENING + timedelta(
        minutes=30
    )


def test_closes_that_come_after_those_of_the_next_day_need_a_persons_word(
    seed: Workspace, sample: MarketView, tmp_path: Path
) -> None:
    """The 4th is missing when the 5th is there: its closes were not known on its day, and the desk does not guess."""
    place = copied(seed, tmp_path / "desk")
    keep_jobs(place, "close")
    restock(place, through=FIRST)
    service.run_once(place, EVENING - timedelta(days=1), set_by_hand=True)
    night = datetime(2024, 9, 5, 23, 30, tzinfo=UTC)
    deliver(place, night, **rows_between(sample, date(2024, 9, 4), date(2024, 9, 5)))
    deliver(place, night + timedelta(days=1), **rows_between(sample, FIRST, date(2024, 9, 4)))
    _, problems = service.run_once(place, night + timedelta(days=1), set_by_hand=True)
    assert "exchina calculate --late REASON" in str(problems[0])
    book, view = workflow.index_rulebook(place, INDEX), workflow.open_market("small", workspace=place.root)
    wishes = workflow.Wishes(late="the vendor missed a day")
    closed = workflow.calculate(place, book, view, now=night + timedelta(days=1, hours=1), wishes=wishes)
    assert [one.session for one in closed] == [date(2024, 9, 4), date(2024, 9, 5)]
    levels = text(place, "close", date(2024, 9, 4), "levels.csv")
    assert pl.read_csv(levels.encode())["status"].unique().to_list() == ["delayed"]
    right = workflow.backtest(book, view.as_of(night.date() + timedelta(days=1))).levels
    now = pl.read_csv(text(place, "close", date(2024, 9, 5), "levels.csv").encode())
    expected = right.filter((pl.col("session") == date(2024, 9, 5)) & (pl.col("variant") == "PR"))["level"][0]
    assert now.filter(pl.col("variant") == "PR")["unrounded_level"][0] == pytest.approx(expected, rel=1e-12)
    for row in workflow.publications(place):
        assert row.what != "close" or workflow.replay(place, row, workflow.publications(place)) == []


def test_the_fault_of_one_index_does_not_stop_the_other(seed: Workspace, tmp_path: Path) -> None:
    place = copied(seed, tmp_path / "desk")
    keep_jobs(place, "close")
    twin = place.indices / "twin-chain" / "rulebook.toml"
    twin.parent.mkdir()
    twin.write_text((place.indices / INDEX / "rulebook.toml").read_text().replace('"small-chain"', '"twin-chain"'))
    job = SCHEDULE.format(what="close", on="every_session", after=0)
    place.schedule.write_text(f"{job}\n{job.replace('small-chain', 'twin-chain')}")
    service.run_once(place, EVENING - timedelta(days=1), set_by_hand=True)
    assert done(place) == [("close", FIRST)] * 2
    twin.write_text(twin.read_text().replace("at_most = 0.5", "at_most = 0.6"))
    _, problems = service.run_once(place, EVENING + timedelta(hours=1), set_by_hand=True)
    assert "was published by other rules of the same version 1.0.0" in str(problems[0])
    twin.write_text(twin.read_text().replace("at_most", "at_mots"))
    _, problems = service.run_once(place, EVENING + timedelta(days=1), set_by_hand=True)
    assert "at_mots" in str(problems[0])
    days = [(row.index_id, row.what, row.for_day.day) for row in workflow.publications(place)[2:]]
    assert days == [
        ("small-chain", "close", 4),
        ("twin-chain", "close_delayed", 4),
        ("small-chain", "close", 5),
    ]


def test_a_report_waits_for_its_close(seed: Workspace, sample: MarketView, tmp_path: Path) -> None:
    place = copied(seed, tmp_path / "desk")
    keep_jobs(place, "close", "announcement", "post_trade")
    place.schedule.write_text(place.schedule.read_text().replace(str(FIRST), str(ANNOUNCED)))
    restock(place, through=EFFECTIVE - timedelta(days=1))
    rehearse(place, datetime(2024, 9, 23, 22, tzinfo=UTC))
    assert ("post_trade", EFFECTIVE) not in done(place)
    _, problems = service.run_once(place, datetime(2024, 9, 24, 1, tzinfo=UTC), set_by_hand=True)
    assert "the ledger has no close of it (publish the close first)" in " ".join(map(str, problems))
    assert done(place)[-1] == ("post_trade_delayed", EFFECTIVE)
    morning = datetime(2024, 9, 24, 6, tzinfo=UTC)
    deliver(place, morning, **rows_between(sample, EFFECTIVE - timedelta(days=1), AFTER))
    assert service.run_once(place, morning, set_by_hand=True)[1] == []
    assert done(place)[-3:] == [("close", EFFECTIVE), ("close", AFTER), ("post_trade", EFFECTIVE)]


def test_a_fetch_comes_before_there_is_any_market(seed: Workspace, tmp_path: Path) -> None:
    """The first fetch of a new desk: nothing else can be planned yet, and all of it is once the market is there."""
    place = copied(seed, tmp_path / "desk")
    fetch = 'provider = "sample"\ncalendar = "XNYS"\non = "every_session"\nafter_close = "00:30"\nsince = 2026-09-30\n'
    job = SCHEDULE.format(what="close", on="every_session", after=0).replace('"small"', '"other"')
    job = job.replace("2024-09-03", "2026-09-30") + "until = 2026-09-30\n"
    place.schedule.write_text(f'{job}\n[[job]]\ndo = "fetch"\nmarket = "other"\n{fetch}until = 2026-09-30\n')
    outcomes, problems = service.run_once(place, datetime(2026, 10, 1, tzinfo=UTC), set_by_hand=True)
    assert problems == []
    assert [(one.due.what, one.due.index) for one in outcomes] == [("fetch", "other"), ("close", INDEX)]
    row = workflow.publications(place)[0]
    assert (row.index_id, row.what, dict(row.files)) == ("other", "fetch", {})
    view = workflow.open_market("other", workspace=place.root)
    assert row.inputs["market_data"] == view.provenance.content_hash
    assert row.inputs["through"] == str(view.provenance.through)


def test_a_desk_that_is_live_is_not_rehearsed_on(seed: Workspace, tmp_path: Path) -> None:
    place = copied(seed, tmp_path / "desk")
    keep_jobs(place, "close")
    service.run_once(place, datetime(2024, 9, 3, 22, tzinfo=UTC))
    with pytest.raises(PublicationError, match="row 1 was published by the clock of the machine"):
        rehearse(place)
    assert done(place) == [("close", FIRST)]


def test_two_rehearsals_are_one(rehearsed: Workspace, tmp_path: Path) -> None:
    """What was rehearsed is not done twice, and goes on where it ended."""
    place = copied(rehearsed, tmp_path / "desk")
    assert rehearse(place) == []
    more = rehearse(place, END + timedelta(days=2))
    assert [one.due.for_day for one in more if one.due.what == "close"] == [LAST + timedelta(1), LAST + timedelta(2)]


def test_what_is_planned_is_what_is_done(seed: Workspace, rehearsed: Workspace) -> None:
    """`ahead` of an empty ledger is the rehearsal, but for what nobody could know."""
    found = service.ahead(opened(seed, END.date()), [], datetime(2024, 9, 1, tzinfo=UTC), END)
    assert [(one.what, one.for_day) for one in found] == [one for one in done(rehearsed) if one[0] != "notice"]
    assert ("announcement", EFFECTIVE) in [(one.what, one.for_day) for one in found if one.day == ANNOUNCED]
    assert ("snapshot", EFFECTIVE) in [(one.what, one.for_day) for one in found if one.day == CUTOFF]
