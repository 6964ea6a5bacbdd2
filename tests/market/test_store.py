import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from exchina import atomic
from exchina.errors import DataError
from exchina.market import Delivery, manifest
from exchina.market.store import Saved, load, markets, save
from exchina.market.view import MarketView, whole_view
from exchina.model import Reference
from exchina.tables.market import SCHEMAS
from tests.market.conftest import prices
from tests.markets import sessions

MONDAY = datetime(2025, 2, 3, 18, tzinfo=UTC)
TUESDAY = datetime(2025, 2, 4, 18, tzinfo=UTC)


def given(*closes: float, kind: str = "file") -> Delivery:
    return Delivery(kind, "A test.", {"prices": prices(list(closes))})  # pyright: ignore[reportArgumentType]


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    saved = save(tmp_path, "mine", given(1.0, 2.0), recorded_at=MONDAY)
    data, provenance = load(tmp_path, "mine")
    assert (saved.manifest, saved.added, saved.identical) == (1, {"prices": 2}, 0)
    assert data.prices.equals(prices([1.0, 2.0]))
    assert data.fx.is_empty()
    assert data.fx.columns == ["currency", "session", "usd_per_unit", "known_date"]
    assert (provenance.kind, provenance.through) == ("file", date(2025, 1, 7))
    assert provenance.retrieved_at == "2025-02-03T18:00:00+00:00"
    assert markets(tmp_path) == ["mine"]


def test_appending_a_day_rewrites_nothing(tmp_path: Path) -> None:
    save(tmp_path, "mine", given(1.0, 2.0), recorded_at=MONDAY)
    before = files(tmp_path)
    saved = save(tmp_path, "mine", given(1.0, 2.0, 3.0), recorded_at=TUESDAY)
    after = files(tmp_path)
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 2
    assert (saved.manifest, saved.added, saved.identical) == (2, {"prices": 1}, 2)
    assert load(tmp_path, "mine")[0].prices.height == 3
    assert load(tmp_path, "mine", manifest=1)[0].prices.height == 2


def test_a_part_is_named_by_the_hash_of_its_bytes(tmp_path: Path) -> None:
    save(tmp_path, "mine", given(1.0), recorded_at=MONDAY)
    (part,) = (tmp_path / "mine" / "parts").iterdir()
    digest = hashlib.sha256(part.read_bytes()).hexdigest()
    assert part.name == f"{digest}.parquet"
    assert load(tmp_path, "mine")[1].content_hash == hashlib.sha256(digest.encode()).hexdigest()


def test_the_same_delivery_twice_adds_nothing(tmp_path: Path) -> None:
    save(tmp_path, "mine", given(1.0, 2.0), recorded_at=MONDAY)
    before = files(tmp_path)
    saved = save(tmp_path, "mine", given(1.0, 2.0), recorded_at=TUESDAY)
    assert (saved.manifest, saved.added, dict(saved.revised), saved.identical) == (1, {}, {}, 2)
    assert files(tmp_path) == before


def test_a_revision_is_a_second_row_known_when_recorded(tmp_path: Path, reference: Reference) -> None:
    save(tmp_path, "mine", given(1.0, 2.0), recorded_at=MONDAY)
    saved = save(tmp_path, "mine", given(1.0, 2.5), recorded_at=TUESDAY)
    assert saved.revised["prices"].row(0) == ("MP", date(2025, 1, 7), 2.5, 1000.0, date(2025, 2, 4))
    view = whole_view(load(tmp_path, "mine")[0], reference, load(tmp_path, "mine")[1])
    assert view.market.prices["close"].to_list() == [1.0, 2.5]
    assert view.as_of(date(2025, 2, 3)).market.prices["close"].to_list() == [1.0, 2.0]
    assert view.as_of(date(2025, 2, 4)).market.prices["close"].to_list() == [1.0, 2.5]
    assert save(tmp_path, "mine", given(1.0, 2.5), recorded_at=TUESDAY).manifest == 2


def test_a_revision_can_be_taken_back(tmp_path: Path, reference: Reference) -> None:
    for closes, day in [((2.0,), 3), ((2.5,), 4), ((2.0,), 5)]:
        save(tmp_path, "mine", given(*closes), recorded_at=datetime(2025, 2, day, tzinfo=UTC))
    data, source = load(tmp_path, "mine")
    view = whole_view(data, reference, source)
    found = [view.as_of(date(2025, 2, day)).market.prices["close"].item() for day in (3, 4, 5)]
    assert found == [2.0, 2.5, 2.0]


def test_of_two_revisions_in_one_day_the_later_stands(tmp_path: Path) -> None:
    save(tmp_path, "mine", given(2.0), recorded_at=MONDAY)
    save(tmp_path, "mine", given(2.5), recorded_at=TUESDAY)
    save(tmp_path, "mine", given(2.6), recorded_at=TUESDAY)
    assert load(tmp_path, "mine")[0].prices["close"].to_list() == [2.0, 2.6]
    assert load(tmp_path, "mine", manifest=2)[0].prices["close"].to_list() == [2.0, 2.5]


def test_every_fault_is_reported_and_nothing_written(tmp_path: Path) -> None:
    broken = prices([1.0, -2.0, float("nan")])
    with pytest.raises(DataError) as caught:
        save(tmp_path, "Mine!", Delivery("file", "x", {"prices": broken, "price": broken}), recorded_at=MONDAY)
    said = str(caught.value)
    assert "Mine!: cannot be the name of a market" in said
    assert "row 2, column close: found -2.0" in said
    assert "row 3, column close: found nan" in said
    assert "did you mean 'prices'?" in said
    assert files(tmp_path) == {}


def test_kinds_are_never_mixed(tmp_path: Path) -> None:
    save(tmp_path, "mine", given(1.0, kind="simulated"), recorded_at=MONDAY)
    with pytest.raises(DataError, match="holds simulated data; this delivery is vendor"):
        save(tmp_path, "mine", given(1.0, 2.0, kind="vendor"), recorded_at=TUESDAY)


def test_a_market_starts_with_a_price(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mine prices: there are none"):
        save(tmp_path, "mine", Delivery("file", "x", {}), recorded_at=MONDAY)


def test_a_missing_market_names_those_there_are(tmp_path: Path) -> None:
    save(tmp_path, "mine", given(1.0), recorded_at=MONDAY)
    with pytest.raises(DataError, match=r"no market called 'ours' .*: mine; exchina fetch brings"):
        load(tmp_path, "ours")
    with pytest.raises(DataError, match="no manifest has the number 7"):
        load(tmp_path, "mine", manifest=7)


@pytest.mark.parametrize(
    "harm", [lambda part: part.write_bytes(b"x" + part.read_bytes()[1:]), lambda part: part.unlink()]
)
def test_a_damaged_part_is_refused(tmp_path: Path, harm: object) -> None:
    save(tmp_path, "mine", given(1.0), recorded_at=MONDAY)
    (part,) = (tmp_path / "mine" / "parts").iterdir()
    assert callable(harm)
    harm(part)
    with pytest.raises(DataError, match=r"no longer the prices that were recorded|cannot be read"):
        load(tmp_path, "mine")


def test_a_damaged_manifest_is_refused(tmp_path: Path) -> None:
    save(tmp_path, "mine", given(1.0), recorded_at=MONDAY)
    (tmp_path / "mine" / "manifests" / "000001.json").write_text('{"market": "mine"')
    with pytest.raises(DataError, match="is damaged"):
        load(tmp_path, "mine")


@pytest.fixture
def chained(tmp_path: Path) -> Path:
    """A market of four manifests."""
    for count in range(1, 5):
        save(tmp_path, "mine", given(*[1.0] * count), recorded_at=TUESDAY)
    return tmp_path / "mine" / "manifests"


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda path: path.unlink(), "000002.json: cannot be read: No such file"),
        (lambda path: path.write_text(path.read_text().replace("A test.", "Mine.")), "manifest that number 3 follows"),
        (lambda path: path.write_text("{"), "manifest that number 3 follows"),
    ],
)
def test_every_earlier_manifest_is_checked(chained: Path, harm: Callable[[Path], object], said: str) -> None:
    harm(chained / "000002.json")
    with pytest.raises(DataError, match=said):
        load(chained.parents[1], "mine")
    with pytest.raises(DataError, match=said):
        save(chained.parents[1], "mine", given(2.0), recorded_at=TUESDAY)
    assert load(chained.parents[1], "mine", manifest=1)[0].prices.height == 1


def test_a_manifest_under_the_number_of_another_is_refused(chained: Path) -> None:
    (chained / "000005.json").write_bytes((chained / "000004.json").read_bytes())
    with pytest.raises(DataError, match="000005.json: holds manifest 4"):
        load(chained.parents[1], "mine")


def test_files_that_are_no_manifests_are_passed_over(chained: Path) -> None:
    for name in ("000001 (1).json", "notes.json", "0000001.json", ".000009.json"):
        (chained / name).write_text("{}")
    assert load(chained.parents[1], "mine")[0].prices.height == 4
    (chained.parents[1] / "other" / "manifests").mkdir(parents=True)
    (chained.parents[1] / "other" / "manifests" / "000001 (1).json").write_text("{}")
    assert markets(chained.parents[1]) == ["mine"]


@pytest.mark.parametrize(("version", "found"), [('"version": 99,', "99"), ("", "none")])
def test_a_store_of_another_format_says_how_to_go_on(chained: Path, version: str, found: str) -> None:
    path = chained / "000004.json"
    path.write_text(path.read_text().replace('"version": 1,', version))
    with pytest.raises(DataError, match=f"is of format {found}, not 1: another version .*fetch again under a new name"):
        load(chained.parents[1], "mine")


def test_a_part_of_other_columns_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, "mine", given(1.0), recorded_at=MONDAY)
    monkeypatch.setitem(SCHEMAS, "prices", pl.Schema({**SCHEMAS["prices"], "venue": pl.String()}))
    with pytest.raises(DataError, match="prices have the columns symbol, .*another version .*delete .*mine and fetch"):
        load(tmp_path, "mine")


def day(number: int) -> date:
    """A day of January 2025; the market of these tests has prices from the 6th."""
    return date(2025, 1, number)


def splits(*rows: tuple[str, int, int]) -> pl.DataFrame:
    table = [(symbol, day(ex_date), 2.0, day(known)) for symbol, ex_date, known in rows]
    return pl.DataFrame(table, SCHEMAS["splits"], orient="row")


def shares(*rows: tuple[str, int, int]) -> pl.DataFrame:
    table = [(symbol, day(effective), 1e6, day(known)) for symbol, effective, known in rows]
    return pl.DataFrame(table, SCHEMAS["shares"], orient="row")


def rates(*rows: tuple[str, int]) -> pl.DataFrame:
    table = [(currency, day(session), 0.7, day(session)) for currency, session in rows]
    return pl.DataFrame(table, SCHEMAS["fx"], orient="row")


def money(*rows: tuple[str, int, int]) -> pl.DataFrame:
    table = [(currency, day(session), 0.04, day(known)) for currency, session, known in rows]
    return pl.DataFrame(table, SCHEMAS["cash_rates"], orient="row")


def actions(*rows: tuple[str, str, int, int], kind: str = "delisting", status: str = "confirmed") -> pl.DataFrame:
    table = [
        {"id": name, "symbol": symbol, "type": kind, "ex_date": day(ex_date), "known_date": day(known)}
        | {"status": status, "source": "a test"}
        for name, symbol, ex_date, known in rows
    ]
    return pl.DataFrame(table, SCHEMAS["actions"])


def deliver(root: Path, recorded_at: datetime = MONDAY, **tables: pl.DataFrame) -> Saved:
    return save(root, "mine", Delivery("file", "A test.", tables), recorded_at=recorded_at)


def opened(root: Path, reference: Reference) -> MarketView:
    data, provenance = load(root, "mine")
    return whole_view(data, reference, provenance)


def test_nothing_is_known_before_its_own_day(tmp_path: Path) -> None:
    early = prices([1.0, 2.0]).with_columns(known_date=day(6))
    with pytest.raises(DataError) as caught:
        deliver(tmp_path, prices=early, cash_rates=money(("AUD", 8, 7)))
    assert str(caught.value).splitlines() == [
        "mine prices row 2, column known_date: 2025-01-06 lies before the session 2025-01-07 "
        "(give 2025-01-07 or a later day)",
        "mine cash_rates row 1, column known_date: 2025-01-07 lies before the session 2025-01-08 "
        "(give 2025-01-08 or a later day)",
    ]
    assert files(tmp_path) == {}
    ahead = {"shares": shares(("MP", 20, 6)), "splits": splits(("MP", 20, 6)), "actions": actions(("A", "MP", 20, 6))}
    assert deliver(tmp_path, MONDAY, prices=prices([1.0]), **ahead).added == {
        "prices": 1,
        "splits": 1,
        "shares": 1,
        "actions": 1,
    }


def test_what_is_delivered_late_is_not_visible_in_an_earlier_view(tmp_path: Path, reference: Reference) -> None:
    first = prices([1.0, 2.0, 3.0, 4.0, 5.0])
    deliver(tmp_path, prices=first.filter(pl.col("session") != day(8)), fx=rates(("AUD", 6), ("AUD", 10)))
    before = opened(tmp_path, reference).as_of(day(10)).market
    late = {
        "prices": first,
        "splits": splits(("MP", 7, 7), ("MP", 9, 30)),
        "shares": shares(("MP", 20, 9)),
        "fx": rates(("AUD", 8)),
    }
    saved = deliver(tmp_path, TUESDAY, **late)
    after = opened(tmp_path, reference)
    assert saved.added == {"prices": 1, "splits": 2, "shares": 1, "fx": 1}
    cut = after.as_of(day(10)).market
    assert [name for name in SCHEMAS if not getattr(cut, name).equals(getattr(before, name))] == []
    assert after.market.prices.filter(session=day(8))["known_date"].item() == TUESDAY.date()
    assert after.market.splits["known_date"].to_list() == [TUESDAY.date()] * 2
    assert after.market.shares["known_date"].item() == after.market.fx["known_date"][1] == TUESDAY.date()
    assert saved.notices[0].startswith("1 prices tell of days already in the market and count as known from 2025-02-04")
    again = deliver(tmp_path, datetime(2025, 2, 9, tzinfo=UTC), **late)
    assert (again.added, dict(again.revised), again.notices) == ({}, {}, ())


def test_what_is_new_to_the_market_keeps_its_days(tmp_path: Path) -> None:
    deliver(tmp_path, prices=prices([1.0, 2.0]), fx=rates(("AUD", 6)))
    both = pl.concat([prices([3.0, 4.0], "LYC.AX"), prices([1.0, 2.0, 2.5])])
    rows = {"splits": splits(("LYC.AX", 6, 6)), "fx": rates(("CAD", 6), ("AUD", 7)), "shares": shares(("MP", 6, 8))}
    assert deliver(tmp_path, TUESDAY, prices=both, **rows).notices == ()
    data = load(tmp_path, "mine")[0]
    assert data.prices["known_date"].equals(data.prices["session"])
    assert data.splits["known_date"].to_list() == [day(6)]
    assert data.fx["known_date"].equals(data.fx["session"])
    assert data.shares["known_date"].to_list() == [day(8)]


def test_what_is_announced_ahead_is_late_by_the_earlier_of_its_days(tmp_path: Path, reference: Reference) -> None:
    deliver(tmp_path, prices=prices([1.0, 2.0, 3.0]), cash_rates=money(("AUD", 6, 6)))
    late = {
        "splits": splits(("MP", 20, 6), ("MP", 21, 9)),
        "actions": actions(("A", "MP", 7, 9), ("B", "LYC.AX", 7, 7), ("C", "MP", 21, 9), status="announced"),
        "cash_rates": money(("AUD", 7, 7), ("USD", 6, 6)),
        "forwards": rates(("AUD", 6)),
    }
    saved = deliver(tmp_path, TUESDAY, **late)
    market = opened(tmp_path, reference).market
    tuesday = TUESDAY.date()
    assert market.splits["known_date"].to_list() == [tuesday, day(9)]
    assert dict(market.actions.select("id", "known_date").iter_rows()) == {"A": tuesday, "B": day(7), "C": day(9)}
    assert market.cash_rates["known_date"].to_list() == [day(6), tuesday, day(6)]
    assert market.forwards["known_date"].to_list() == [day(6)]
    assert [notice.split(" tell")[0] for notice in saved.notices] == ["1 splits", "1 actions", "1 cash_rates"]


def test_the_terms_of_actions_are_checked_at_the_door(tmp_path: Path) -> None:
    sound = actions(("A", "LYC.AX", 7, 6), ("A", "LYC.AX", 8, 7))
    broken = actions(("B", "MP", 8, 7), ("B", "MP", 9, 8), kind="spin_off")
    again = actions(("C", "LYC.AX", 9, 9), kind="takeover").with_columns(price=1.0)
    with pytest.raises(DataError) as caught:
        deliver(tmp_path, prices=prices([1.0]), actions=pl.concat([sound, broken, again]))
    said = [str(problem) for problem in caught.value.problems]
    assert sorted(line.split(":")[0] for line in said) == [
        *(f"mine actions row {row}, column {name}" for row in (3, 4) for name in ("new", "old", "other")),
        "mine actions row 5, column symbol",
    ]
    assert "event C ends LYC.AX, which A (row 2) has ended" in "\n".join(said)
    assert files(tmp_path) == {}
    assert deliver(tmp_path, prices=prices([1.0]), actions=sound).added["actions"] == 2


def test_an_announcement_that_is_withdrawn_or_changed_is_a_revision(tmp_path: Path, reference: Reference) -> None:
    deliver(tmp_path, prices=prices([1.0]), actions=actions(("A", "MP", 20, 6)))
    deliver(tmp_path, TUESDAY, actions=actions(("A", "MP", 20, 6), status="withdrawn"))
    view = opened(tmp_path, reference)
    assert view.market.actions["status"].to_list() == ["withdrawn"]
    assert view.as_of(day(31)).market.actions["status"].to_list() == ["confirmed"]


def without(root: Path, **tables: list[str]) -> None:
    """Turn a stored market into one that an earlier version wrote: parts of these tables without these columns."""
    path = root / "mine" / "manifests" / "000001.json"
    for name, columns in tables.items():
        stored = json.loads(path.read_text())
        part = next(part for part in stored["parts"] if part["table"] == name)
        old = root / "mine" / "parts" / f"{part['sha256']}.parquet"
        pl.read_parquet(old).drop(columns).write_parquet(old)
        digest = hashlib.sha256(old.read_bytes()).hexdigest()
        old.rename(old.with_name(f"{digest}.parquet"))
        path.write_text(path.read_text().replace(part["sha256"], digest))


def test_a_market_stored_before_there_were_actions(tmp_path: Path, reference: Reference) -> None:
    deliver(tmp_path, prices=prices([1.0]), splits=splits(("MP", 6, 6)))
    view = opened(tmp_path, reference).as_of(day(6))
    assert (view.market.actions.height, view.market.forwards.height, view.market.cash_rates.height) == (0, 0, 0)
    assert view.market.actions.schema == SCHEMAS["actions"]
    paid = ("MP", day(6), 0.1, "USD", "ordinary", 0.0, "confirmed", day(6))
    other = tmp_path / "other"
    deliver(other, prices=prices([1.0]), dividends=pl.DataFrame([paid], SCHEMAS["dividends"], orient="row"))
    without(other, dividends=["franked", "status"])
    cure = "dividends have the columns symbol, .* another version of exchina wrote it .*fetch again under a new name"
    with pytest.raises(DataError, match=cure):
        load(other, "mine")


def test_a_calendar_that_withdraws_a_session_is_followed(tmp_path: Path) -> None:
    old = sessions("XNYS", [day(number) for number in (2, 3, 6, 9, 10)])
    other = sessions("XTKS", [day(9)])
    deliver(tmp_path, prices=prices([1.0]), sessions=pl.concat([old, other]))
    new = sessions("XNYS", [day(number) for number in (3, 6, 10, 13)])
    saved = deliver(tmp_path, TUESDAY, sessions=new)
    assert saved.added == {"sessions": 1}
    assert saved.notices == ("The calendar has withdrawn sessions: XNYS 2025-01-09.",)
    expected = sessions("XNYS", [day(number) for number in (2, 3, 6, 10, 13)])
    assert load(tmp_path, "mine")[0].sessions.equals(pl.concat([expected, other]))
    assert load(tmp_path, "mine", manifest=1)[0].sessions.equals(pl.concat([old, other]))
    assert deliver(tmp_path, TUESDAY, sessions=new).manifest == 2
    assert deliver(tmp_path, TUESDAY, sessions=old).revised == {}
    assert load(tmp_path, "mine")[0].sessions["session"].to_list() == [*old["session"], day(13), day(9)]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="cannot be written"):
        save(tmp_path / "store", "mine", given(1.0), recorded_at=MONDAY)


@pytest.mark.parametrize("steps", range(1, 3))
def test_a_crash_leaves_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    save(tmp_path, "mine", given(1.0), recorded_at=MONDAY)
    write, written = atomic.write_through, []

    def crash(path: Path, content: bytes) -> None:
        written.append(path)
        if len(written) == steps:
            path.write_bytes(content[: len(content) // 2])
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(atomic, "write_through", crash)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path, "mine", given(1.0, 2.0), recorded_at=TUESDAY)
    monkeypatch.undo()
    assert load(tmp_path, "mine")[0].prices.height == 1
    assert save(tmp_path, "mine", given(1.0, 2.0), recorded_at=TUESDAY).added == {"prices": 1}


def test_two_writers_cannot_take_the_same_number(tmp_path: Path) -> None:
    save(tmp_path, "mine", given(1.0), recorded_at=MONDAY)
    first = manifest.read_manifest(tmp_path, "mine")
    with pytest.raises(DataError, match="another process saved to this market"):
        manifest.write_manifest(tmp_path, first)


def test_manifests_are_chained_and_name_the_days_of_their_parts(tmp_path: Path) -> None:
    save(tmp_path, "mine", given(1.0), recorded_at=MONDAY)
    save(tmp_path, "mine", given(1.0, 2.0), recorded_at=TUESDAY)
    first, second = (manifest.read_manifest(tmp_path, "mine", number) for number in (1, 2))
    assert second.parent == first.sha256
    assert second.parts[0] == first.parts[0]
    assert (second.parts[1].rows, second.parts[1].first) == (1, date(2025, 1, 7))


def test_assumptions_stay_with_the_market(tmp_path: Path) -> None:
    table = {"prices": prices([1.0])}
    save(tmp_path, "mine", Delivery("file", "x", table, ("All float.",)), recorded_at=MONDAY)
    save(tmp_path, "mine", given(1.0, 2.0), recorded_at=TUESDAY)
    assert load(tmp_path, "mine")[1].assumptions == ("All float.",)


def test_the_sample_market_passes_the_door(tmp_path: Path, simulated: Delivery) -> None:
    saved = save(tmp_path, "sample", simulated, recorded_at=MONDAY)
    data, _ = load(tmp_path, "sample")
    assert saved.added["prices"] == data.prices.height
    assert data.prices.equals(simulated.tables["prices"])
    assert data.sessions.equals(simulated.tables["sessions"].sort("calendar", "session"))
    assert data.shares.select(pl.col("shares").min()).item() > 0
