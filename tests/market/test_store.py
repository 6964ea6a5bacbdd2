import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from exchina.errors import DataError
from exchina.market import Delivery, manifest
from exchina.market.store import load, markets, save
from exchina.market.view import whole_view
from exchina.model import Reference
from tests.market.conftest import prices

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
    with pytest.raises(DataError, match=r"no market called 'ours' .*: mine; .*exchina fetch ours"):
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


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="cannot be written"):
        save(tmp_path / "store", "mine", given(1.0), recorded_at=MONDAY)


@pytest.mark.parametrize("steps", range(1, 3))
def test_a_crash_leaves_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    save(tmp_path, "mine", given(1.0), recorded_at=MONDAY)
    write, written = manifest._write_through, []

    def crash(path: Path, content: bytes) -> None:
        written.append(path)
        if len(written) == steps:
            path.write_bytes(content[: len(content) // 2])
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(manifest, "_write_through", crash)
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
