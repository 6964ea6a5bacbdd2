"""What was published is published again only as a revision with a reason; changed rules and data are refused."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from exchina import service, workflow
from exchina.errors import DataError, PublicationError
from exchina.workflow import Clock, Published, Wishes
from exchina.workspace import Workspace
from tests.publishing.rehearsed import (
    ANNOUNCED,
    CUTOFF,
    EFFECTIVE,
    LAST,
    add_measure,
    changed,
    copied,
    csv,
    done,
    keep_jobs,
    names,
    rehearse,
    row_of,
    text,
)
from tests.shell.rehearsal import INDEX

LATER = datetime(2024, 9, 27, 9, tzinfo=UTC)
BECAUSE = Wishes(because="a typing error")


def again(place: Workspace, what: str, day: date = LAST, wishes: Wishes = BECAUSE) -> Published:
    """Publish the last occasion of a kind by hand, as somebody does on a day."""
    book, view = workflow.index_rulebook(place, INDEX), workflow.open_market("small", workspace=place.root)
    occasion = workflow.last_occasion(what, book, view.as_of(day), place)
    return workflow.publish(place, book, view, occasion, clock=Clock(LATER), wishes=wishes)


@pytest.fixture
def place(rehearsed: Workspace, tmp_path: Path) -> Workspace:
    """A desk of its own after the review."""
    return copied(rehearsed, tmp_path / "desk")


@pytest.fixture
def rulebook(place: Workspace) -> Path:
    return place.indices / INDEX / "rulebook.toml"


@pytest.mark.parametrize("what", ["announcement", "snapshot", "post_trade"])
def test_a_revision_stands_beside_the_first(place: Workspace, what: str) -> None:
    first = row_of(place, what, EFFECTIVE)
    kept = {path: (place.reports / path).read_bytes() for path in first.files}
    same = again(place, what, wishes=Wishes())
    assert (same.new, same.entry) == (False, first)
    revised = again(place, what)
    assert revised.new
    assert (revised.entry.revision, revised.entry.inputs["because"]) == (1, "a typing error")
    assert revised.entry.inputs["known_by"] == str(LATER.date())
    assert names(revised.entry) == names(first)
    own = [path for path in revised.entry.files if not path.startswith("frozen/")]
    assert all(path.startswith(f"{INDEX}/{what}/{EFFECTIVE}.r1/") for path in own)
    assert {path: (place.reports / path).read_bytes() for path in first.files} == kept
    assert row_of(place, what, EFFECTIVE).revision == 1
    assert what == "announcement" or again(place, what).entry.revision == 2
    rows = workflow.publications(place)
    assert workflow.verify(place) == []
    assert workflow.replay(place, rows[-1], rows) == []


def test_a_close_has_no_revision_but_a_restatement(place: Workspace) -> None:
    with pytest.raises(PublicationError, match=r"has no revisions \(exchina restate small-chain --was 2024-09-25"):
        again(place, "close")
    assert done(place)[-1] == ("close", LAST)


def test_an_older_review_cannot_come_after_a_newer(place: Workspace) -> None:
    with pytest.raises(PublicationError, match="the announcement of 2024-09-20 is published already"):
        again(place, "announcement", date(2024, 7, 1), Wishes())
    with pytest.raises(PublicationError, match="the close of 2024-09-25 is published already"):
        again(place, "close", date(2024, 9, 2), Wishes())


def test_the_same_version_with_other_rules_is_refused(place: Workspace, rulebook: Path) -> None:
    changed(rulebook, "at_most = 0.5", "at_most = 0.45")
    with pytest.raises(DataError, match=r"was published by other rules of the same version 1\.0\.0"):
        again(place, "close", LAST + timedelta(1), Wishes())
    assert done(place)[-1] == ("close", LAST)


def test_a_new_version_goes_on_from_what_the_old_one_held(place: Workspace, rulebook: Path) -> None:
    """The new cap rules the review of December; until then the old shares are held, and no level jumps."""
    before = dict(csv(place, "close", LAST, "opening.csv").select("symbol", "index_shares").iter_rows())
    changed(rulebook, "at_most = 0.5", "at_most = 0.3")
    changed(rulebook, '"1.0.0"', '"1.1.0"')
    row = again(place, "close", LAST + timedelta(1), Wishes()).entry
    assert row.inputs["rulebook_version"] == "1.1.0"
    held = dict(csv(place, "close", row.for_day, "closing.csv").select("symbol", "index_shares").iter_rows())
    assert held == before
    assert csv(place, "close", row.for_day, "levels.csv")["rules_version"].unique().to_list() == ["1.1.0"]
    assert again(place, "close", LAST + timedelta(2), Wishes()).new
    rows = workflow.publications(place)
    assert [workflow.replay(place, row, rows) for row in rows[-2:]] == [[], []]


@pytest.fixture(scope="module")
def before_announcement(seed: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The desk on the eve of the announcement; the snapshot is frozen."""
    place = copied(seed, tmp_path_factory.mktemp("eve") / "desk")
    keep_jobs(place, "snapshot", "announcement")
    rehearse(place, datetime(2024, 9, 12, 23, tzinfo=UTC))
    assert done(place) == [("snapshot", EFFECTIVE)]
    return place


def test_the_announcement_reads_what_was_frozen(before_announcement: Workspace, tmp_path: Path) -> None:
    """A commitment known before the cut-off, entered after it: refused until somebody freezes anew and says why."""
    place = copied(before_announcement, tmp_path / "desk")
    add_measure(place, "LYC-DOD-2020-HRE1", CUTOFF - timedelta(9))
    evening = datetime(2024, 9, 14, 1, tzinfo=UTC)
    _, (problem,) = service.run_once(place, evening, set_by_hand=True)
    assert "the data known of 2024-09-06 differ from the snapshot in row 1" in str(problem)
    assert "--what snapshot --because REASON" in str(problem)
    assert done(place) == [("snapshot", EFFECTIVE), ("announcement_delayed", EFFECTIVE)]
    book, view = workflow.index_rulebook(place, INDEX), workflow.open_market("small", workspace=place.root)
    occasion = workflow.last_occasion("snapshot", book, view.as_of(ANNOUNCED))
    wishes = Wishes(because="a commitment had not been entered")
    frozen = workflow.publish(place, book, view, occasion, clock=Clock(evening, None, True), wishes=wishes).entry
    assert frozen.revision == 1
    assert service.run_once(place, evening, set_by_hand=True)[1] == []
    assert done(place)[-1] == ("announcement", EFFECTIVE)
    then, now = ((place.reports / INDEX / "snapshot" / f"{EFFECTIVE}{end}" / "universe.ndjson") for end in ("", ".r1"))
    assert then.read_bytes() != now.read_bytes()
    rows = workflow.publications(place)
    assert workflow.replay(place, rows[-1], rows) == []


def test_what_became_known_after_the_cutoff_changes_nothing(before_announcement: Workspace, tmp_path: Path) -> None:
    place = copied(before_announcement, tmp_path / "desk")
    add_measure(place, "LYC-DOD-2020-HRE1", CUTOFF + timedelta(3))
    assert service.run_once(place, datetime(2024, 9, 14, 1, tzinfo=UTC), set_by_hand=True)[1] == []
    assert done(place)[-1] == ("announcement", EFFECTIVE)


def test_reference_data_that_change_under_a_publication_stop_it(before_announcement: Workspace, tmp_path: Path) -> None:
    """What is frozen is what was read, or nothing is published."""
    place = copied(before_announcement, tmp_path / "desk")
    book, view = workflow.index_rulebook(place, INDEX), workflow.open_market("small", workspace=place.root)
    add_measure(place, "LYC-DOD-2020-HRE1", CUTOFF + timedelta(30))
    occasion = workflow.last_occasion("announcement", book, view.as_of(ANNOUNCED))
    with pytest.raises(DataError, match=r"was changed while something was being published from it \(publish again\)"):
        workflow.publish(place, book, view, occasion, clock=Clock(LATER))
    assert done(place) == [("snapshot", EFFECTIVE)]


def test_the_reasons_of_a_delay_are_told(before_announcement: Workspace, tmp_path: Path) -> None:
    place = copied(before_announcement, tmp_path / "desk")
    add_measure(place, "LYC-DOD-2020-HRE1", CUTOFF)
    service.run_once(place, datetime(2024, 9, 14, 1, tzinfo=UTC), set_by_hand=True)
    said = json.loads(text(place, "announcement_delayed", EFFECTIVE, "delayed.json"))
    assert (said["delayed"], said["for_day"]) == ("announcement", str(EFFECTIVE))
    assert "differ from the snapshot in row 1" in said["reasons"][0]
