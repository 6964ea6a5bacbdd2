"""What becomes of held rows from one fetch to the next, in a store on disk."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from exchina.errors import DataError
from exchina.market import Delivery, gates
from exchina.market.overrides import FILE, OVERRIDES, check_overrides, idle, read_overrides
from exchina.market.store import Saved, load, markets, save
from exchina.market.view import whole_view
from exchina.model import Reference
from tests.market.gates.test_gates import DAYS, on, since, times, walk
from tests.market.gates.vendor import NO_OVERRIDES, delivery

FIRST = datetime(2024, 6, 24, 12, tzinfo=UTC)
SIZE = 119


class Desk:
    """A store that takes deliveries through the gates, a day later each time."""

    def __init__(self, root: Path, reference: Reference) -> None:
        self.root, self.reference, self.now = root, reference, FIRST

    def fetch(self, given: Delivery, overrides: pl.DataFrame = NO_OVERRIDES) -> Saved:
        stored = load(self.root, "firm")[0] if markets(self.root) else None
        let_in, _ = gates.passed(given, stored, self.reference, overrides, self.now)
        saved = save(self.root, "firm", let_in, recorded_at=self.now)
        self.now += timedelta(days=1)
        return saved

    @property
    def closes(self) -> dict[date, float]:
        return dict(load(self.root, "firm")[0].prices.select("session", "close").iter_rows())

    @property
    def statuses(self) -> list[tuple[str, date, str]]:
        entries = gates.last_known(load(self.root, "firm")[0].quarantine)
        return entries.sort("day", "gate").select("gate", "day", "status").rows()


@pytest.fixture
def desk(tmp_path: Path, reference: Reference) -> Desk:
    return Desk(tmp_path / "store", reference)


def decision(action: str, day: date | None, gate: str = "wrong_unit", table: str = "prices") -> pl.DataFrame:
    row = {
        **{"market": "firm", "table": table, "symbol": "MP", "day": day, "gate": gate, "action": action},
        **{"reason": "read on the exchange's page", "author": "A. Desk", "decided_on": FIRST.date()},
    }
    return pl.DataFrame([row], schema=NO_OVERRIDES.schema)


def spoilt() -> Delivery:
    return delivery(times(walk(size=SIZE), 100, on(50)))


def test_a_held_row_stands_in_quarantine_and_not_in_its_table(desk: Desk) -> None:
    saved = desk.fetch(spoilt())
    assert DAYS[50] not in desk.closes
    assert len(desk.closes) == SIZE - 1
    assert ("wrong_unit", DAYS[50], "held") in desk.statuses
    assert any("Held back by gates: 1 prices (wrong_unit)" in said for said in saved.notices)
    entry = load(desk.root, "firm")[0].quarantine.filter(pl.col("gate") == "wrong_unit").row(0, named=True)
    assert entry["known_date"] == FIRST.date()
    assert entry["value"] == pytest.approx(walk()["close"][50] * 100)


def test_the_same_fetch_again_changes_nothing(desk: Desk) -> None:
    first = desk.fetch(spoilt())
    again = desk.fetch(spoilt())
    assert again.manifest == first.manifest
    assert (again.added, again.revised) == ({}, {})


def test_a_release_lets_the_row_in_from_that_day_with_its_reason(desk: Desk) -> None:
    desk.fetch(spoilt())
    held = [gate for gate, day, _ in desk.statuses if day == DAYS[50]]
    overrides = pl.concat([decision("release", DAYS[50], gate) for gate in held])
    released_on = desk.now.date()
    desk.fetch(delivery(walk(size=SIZE + 1).tail(1)), overrides)
    stored = load(desk.root, "firm")[0]
    row = stored.prices.filter(pl.col("session") == DAYS[50]).row(0, named=True)
    assert row["close"] == walk()["close"][50] * 100
    assert row["known_date"] == released_on
    entry = gates.last_known(stored.quarantine).filter(pl.col("gate") == "wrong_unit").row(0, named=True)
    assert (entry["status"], entry["reason"], entry["author"]) == (
        "released",
        "read on the exchange's page",
        "A. Desk",
    )
    before = whole_view(stored, desk.reference, load(desk.root, "firm")[1]).as_of(released_on - timedelta(days=1))
    assert DAYS[50] not in before.market.prices["session"]
    assert set(before.market.quarantine["status"]) == {"held"}


def twice_wrong() -> Delivery:
    """A row that is a hundred times too large, and contradicted by another of the same day."""
    rows = walk(size=SIZE)
    return delivery(pl.concat([rows.filter(on(50)), times(rows, 100, on(50))]))


def test_a_release_of_one_gate_does_not_open_another(desk: Desk) -> None:
    desk.fetch(twice_wrong())
    assert {gate for gate, *_ in desk.statuses} == {"duplicate", "wrong_unit"}
    desk.fetch(twice_wrong(), decision("release", DAYS[50], "wrong_unit"))
    assert DAYS[50] not in desk.closes
    assert ("wrong_unit", DAYS[50], "released") in desk.statuses


def test_a_drop_by_one_gate_decides_for_all(desk: Desk) -> None:
    desk.fetch(twice_wrong())
    desk.fetch(twice_wrong(), decision("drop", DAYS[50], "duplicate"))
    assert {status for *_, status in desk.statuses} == {"dropped"}


def test_a_drop_keeps_the_row_out_and_off_the_list(desk: Desk) -> None:
    desk.fetch(spoilt())
    desk.fetch(spoilt(), decision("drop", None))
    assert DAYS[50] not in desk.closes
    assert ("wrong_unit", DAYS[50], "dropped") in desk.statuses
    later = desk.fetch(spoilt(), decision("drop", None))
    assert (later.added, later.revised) == ({}, {})


def test_a_decision_counts_from_its_day(desk: Desk) -> None:
    desk.fetch(spoilt())
    ahead = decision("release", DAYS[50]).with_columns(decided_on=pl.lit(date(2030, 1, 1)))
    desk.fetch(spoilt(), ahead)
    assert DAYS[50] not in desk.closes


def test_a_split_that_arrives_late_clears_the_closes_that_it_explains(desk: Desk) -> None:
    rows = times(walk(size=SIZE), 1 / 5, since(100), volume=5)
    desk.fetch(delivery(rows.filter(~since(100))))
    desk.fetch(delivery(rows.filter(since(100))))
    assert max(desk.closes) == DAYS[99]
    cleared_on = desk.now.date()
    split = pl.DataFrame({"symbol": ["MP"], "ex_date": [DAYS[100]], "ratio": [5.0]})
    saved = desk.fetch(delivery(rows.tail(1), splits=split))
    assert desk.closes == dict(rows.select("session", "close").iter_rows())
    assert {status for _, day, status in desk.statuses if day >= DAYS[100]} == {"cleared"}
    assert any("later data explains them: 19 prices (split_one_side)" in said for said in saved.notices)
    stored = load(desk.root, "firm")[0].prices
    assert set(stored.filter(since(100))["known_date"]) == {cleared_on}


def test_a_row_that_the_source_mends_replaces_the_held_one(desk: Desk) -> None:
    desk.fetch(spoilt())
    desk.fetch(delivery(walk(size=SIZE).filter(since(40))))
    assert desk.closes[DAYS[50]] == walk()["close"][50]
    assert {status for _, day, status in desk.statuses if day == DAYS[50]} == {"replaced"}


def test_a_leap_seen_too_late_is_noted_and_stays(desk: Desk) -> None:
    rows = times(walk(size=SIZE), 1.4, on(110))
    desk.fetch(delivery(rows.filter(~since(111))))
    assert desk.closes[DAYS[110]] == rows["close"][110]
    desk.fetch(delivery(rows.filter(since(105))))
    assert ("spike_reverses", DAYS[110], "noted") in desk.statuses
    assert desk.closes == dict(rows.select("session", "close").iter_rows())


def test_a_missing_market_day_is_cleared_when_it_comes(desk: Desk) -> None:
    both = pl.concat([walk("MP", SIZE), walk("UUUU", SIZE, seed=2)])
    desk.fetch(delivery(both.filter(~on(40))))
    assert desk.statuses == [("whole_market_missing", DAYS[40], "noted")]
    desk.fetch(delivery(both))
    assert desk.statuses == [("whole_market_missing", DAYS[40], "cleared")]


def test_nothing_is_lost(desk: Desk) -> None:
    """Every delivered value is in its table or in quarantine, to the last bit."""
    given = delivery(times(times(walk(size=SIZE), 100, on(30, 31)), 0.01, on(70)))
    desk.fetch(given)
    stored = load(desk.root, "firm")[0]
    kept = stored.quarantine.filter(pl.col("table") == "prices").select(session="day", close="value").unique()
    whole = pl.concat([stored.prices.select("session", "close"), kept]).sort("session")
    assert whole.equals(given.tables["prices"].select("session", "close"))


def test_override_files(tmp_path: Path) -> None:
    assert read_overrides(tmp_path).is_empty()
    header = ",".join(OVERRIDES.columns)
    (tmp_path / FILE).write_text(
        f"{header}\n"
        "firm,prices,MP,2024-03-14,wrong_unit,release,right after all,A. Desk,2024-06-24\n"
        "firm,prices,MP,,wrong_unti,let_in,,A. Desk,yesterday\n"
    )
    found = "\n".join(map(str, check_overrides(tmp_path)))
    for said in ("row 3, column gate", "did you mean 'wrong_unit'", "column action", "column reason", "'yesterday'"):
        assert said in found
    assert "row 2" not in found
    with pytest.raises(DataError):
        read_overrides(tmp_path)


def test_the_shipped_file_is_empty_and_sound(root: Path) -> None:
    folder = root / "indices" / "reference"
    assert (folder / FILE).is_file()
    assert check_overrides(folder) == []
    assert read_overrides(folder).is_empty()


def test_a_decision_that_fits_nothing_is_named(desk: Desk) -> None:
    desk.fetch(spoilt())
    quarantine = load(desk.root, "firm")[0].quarantine
    held = [decision("release", DAYS[50]), decision("drop", None)]
    idle_rows = [decision("release", DAYS[51]), decision("release", DAYS[50], "stale_suspended")]
    elsewhere = decision("release", DAYS[51]).with_columns(market=pl.lit("other"))
    found = idle(pl.concat([*held, *idle_rows, elsewhere]), "firm", quarantine)
    assert [one.where for one in found] == [f"{FILE} row {row}, column symbol" for row in (4, 5)]
    assert f"prices MP {DAYS[51]} wrong_unit" in found[0].what
