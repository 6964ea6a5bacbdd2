"""What becomes known between reviews is told on the session by which it is known, and which reviews it calls."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from exchina import service, workflow
from exchina.workspace import Workspace
from tests.markets import market
from tests.publishing.rehearsed import (
    add_measure,
    changed,
    copied,
    csv,
    deliver,
    done,
    keep_jobs,
    rehearse,
    row_of,
    text,
)
from tests.shell.rehearsal import INDEX

Run = Callable[..., tuple[int, str, str]]
BEFORE = datetime(2024, 8, 1, tzinfo=UTC)
TUESDAY, FRIDAY, SATURDAY, SUNDAY, MONDAY = (date(2024, 9, day) for day in (10, 13, 14, 15, 16))
CONFIRMED = date(2024, 9, 17)
UNTIL = datetime(2024, 9, 18, 23, tzinfo=UTC)


def action(identity: str, symbol: str, kind: str, ex_date: date, known: date, **terms: object) -> dict[str, object]:
    said = {"id": identity, "symbol": symbol, "type": kind, "ex_date": ex_date, "known_date": known}
    return {**said, "status": "confirmed", **terms}


def happened(place: Workspace, *rows: dict[str, object]) -> None:
    """Corporate actions, each in the store since before it became known."""
    deliver(place, BEFORE, actions=market(actions=pl.DataFrame(list(rows), infer_schema_length=None)).actions)


@pytest.fixture(scope="module")
def quarter(seed: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A takeover announced on a Tuesday and confirmed a week later, and what happened on a weekend."""
    place = copied(seed, tmp_path_factory.mktemp("quarter") / "desk")
    happened(
        place,
        action("BID", "NEO.TO", "takeover", date(2024, 12, 2), TUESDAY, price=9.0, status="announced"),
        action("END", "4063.T", "delisting", date(2024, 12, 3), SATURDAY, status="announced"),
        action("OTHER", "6762.T", "takeover", date(2024, 12, 2), TUESDAY, price=9.0, status="announced"),
        action("COUNT", "MP", "share_change", date(2024, 12, 2), FRIDAY, fraction=0.1),
        action("BID", "NEO.TO", "takeover", date(2024, 12, 2), CONFIRMED, price=9.5),
    )
    add_measure(place, "LYC-JARE-2026-FLOOR", SUNDAY, "FLOOR")
    add_measure(place, "LYC-JARE-2026-FLOOR", FRIDAY, "FLOOR-2", company_id="tdk")
    keep_jobs(place, "close", "notice")
    rehearse(place, UNTIL)
    return place


def told(place: Workspace, day: date) -> list[tuple[str, str, str, str]]:
    rows = json.loads(text(place, "notice", day, "notice.json"))["notices"]
    return [(row["known_date"], row["company_id"], row["kind"], row["status"]) for row in rows]


def test_what_became_known_on_a_weekday_is_told_that_evening(quarter: Workspace) -> None:
    assert told(quarter, TUESDAY) == [("2024-09-10", "neo-performance-materials", "takeover", "announced")]
    row = row_of(quarter, "notice", TUESDAY)
    assert (row.due_at, row.published_at) == ("2024-09-10T21:30:00+00:00",) * 2
    assert row.inputs["known_by"] == "2024-09-10"


def test_what_became_known_on_a_weekend_is_told_on_monday(quarter: Workspace) -> None:
    assert told(quarter, MONDAY) == [
        ("2024-09-14", "shin-etsu-chemical", "delisting", "announced"),
        ("2024-09-15", "lynas-rare-earths", "price_floor", "signed"),
    ]
    table = csv(quarter, "notice", MONDAY, "notice.csv")
    assert table["symbol"].to_list() == ["4063.T", "LYC.AX"]
    assert table["effective"].to_list() == ["2024-12-03", str(SUNDAY)]


def test_a_later_version_is_told_beside_the_first(quarter: Workspace) -> None:
    assert told(quarter, CONFIRMED) == [("2024-09-17", "neo-performance-materials", "takeover", "confirmed")]


def test_nobody_is_told_of_companies_not_held_or_of_share_counts(quarter: Workspace) -> None:
    days = [day for what, day in done(quarter) if what == "notice"]
    assert days == [TUESDAY, MONDAY, CONFIRMED]
    held = csv(quarter, "close", TUESDAY, "closing.csv")["symbol"].to_list()
    assert "6762.T" not in held
    assert json.loads(text(quarter, "notice", TUESDAY, "notice.json"))["reviews_called"] == []


def test_each_is_told_after_its_close_and_can_be_told_again(quarter: Workspace) -> None:
    found, rows = done(quarter), workflow.publications(quarter)
    for row in rows:
        if row.what == "notice":
            assert found.index(("close", row.for_day)) == row.sequence - 2
            assert workflow.replay(quarter, row, rows) == []


def test_after_downtime_each_is_told_as_it_was(quarter: Workspace, seed: Workspace, tmp_path: Path) -> None:
    place = copied(quarter, tmp_path / "desk")
    for name in ("ledger.sqlite", "ledger.jsonl"):
        (place.reports / name).unlink()
    _, problems = service.run_once(place, UNTIL, set_by_hand=True)
    assert problems == []
    assert [(row.what, row.for_day, row.files) for row in workflow.publications(place)] == [
        (row.what, row.for_day, row.files) for row in workflow.publications(quarter)
    ]


def test_the_command_tells_the_last_one(quarter: Workspace, tmp_path: Path, run: Run) -> None:
    place = copied(quarter, tmp_path / "desk")
    asked = ("publish", INDEX, "--what", "notice", "-m", "small", "-w", place.root, "--as-of")
    code, out, _ = run(*asked, "2024-09-18", "--dry-run")
    assert code == 0
    assert out.startswith("state already published, index small-chain, what notice, for_day 2024-09-17")
    code, _, err = run(*asked, "2024-09-09")
    assert code == 1
    assert "no notice was due by 2024-09-09" in err


TRIGGERED = """
[review.on]
price_floor_signed = { scope = "whole", announced_sessions_after = 5, effective_sessions_after = 10, why = "A floor." }

[screen]"""


@pytest.fixture(scope="module")
def called(seed: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A floor for MP signed on Saturday, 28 September, calls a review under the written rules."""
    place = copied(seed, tmp_path_factory.mktemp("called") / "desk")
    changed(place.indices / INDEX / "rulebook.toml", "\n[screen]", TRIGGERED)
    add_measure(place, "MP-DOW-2025-FLOOR", date(2024, 9, 28))
    keep_jobs(place, "snapshot", "close", "notice", "announcement", "post_trade")
    place.schedule.write_text(place.schedule.read_text().replace("since = 2024-09-03", "since = 2024-09-23"))
    rehearse(place, datetime(2024, 10, 16, tzinfo=UTC))
    return place


def test_a_review_that_is_called_is_named_with_its_days(called: Workspace) -> None:
    """Known by Monday the 30th: announced five sessions later, in force after ten."""
    said = json.loads(text(called, "notice", date(2024, 9, 30), "notice.json"))
    (review,) = said["reviews_called"]
    assert (review["announced"], review["effective"]) == ("2024-10-07", "2024-10-14")
    assert "price_floor of US-DoD for mp-materials became signed, known 2024-09-28" in review["why"][0]


def test_a_review_that_is_called_has_its_whole_cycle(called: Workspace) -> None:
    effective = date(2024, 10, 14)
    kinds = ("snapshot", "announcement", "post_trade")
    days = {what: row_of(called, what, effective).published_at[:10] for what in kinds}
    assert days == {"snapshot": "2024-09-30", "announcement": "2024-10-07", "post_trade": "2024-10-15"}
    report = json.loads(text(called, "post_trade", effective, "post_trade.json"))
    assert report["one_way_turnover"] > 0
    rows = workflow.publications(called)
    assert [row for row in rows if row.for_day == effective and workflow.replay(called, row, rows)] == []


def test_a_report_that_cannot_be_made_does_not_stop_the_next(called: Workspace) -> None:
    """The review of September was announced before this schedule began."""
    found = done(called)
    assert ("post_trade_delayed", date(2024, 9, 20)) in found
    assert ("post_trade", date(2024, 10, 14)) in found


def test_passes_as_time_goes_by_are_the_same_as_a_rehearsal(called: Workspace, seed: Workspace, tmp_path: Path) -> None:
    """Nobody knew of the floor before the 30th; who looks back on all of it plans the same."""
    place = copied(called, tmp_path / "desk")
    for name in ("ledger.sqlite", "ledger.jsonl"):
        (place.reports / name).unlink()
    for month, day in ((9, 27), (9, 30), (10, 7), (10, 15)):
        evening = datetime(2024, month, day, 22, tzinfo=UTC)
        _, problems = service.run_once(place, evening, set_by_hand=True)
        assert {one.where for one in problems} == {"small-chain review 2024-09-20"}
    assert sorted((row.what, row.for_day, *row.files.values()) for row in workflow.publications(place)) == sorted(
        (row.what, row.for_day, *row.files.values()) for row in workflow.publications(called)
    )
