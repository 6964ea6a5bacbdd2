"""Two markets side by side: arithmetic of the ranking, and the commands that show it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from exchina import workflow
from exchina.errors import DataError
from exchina.market import Delivery, provider
from exchina.market.compare import EQUAL, differences
from exchina.market.store import load, save
from exchina.model import MarketData, Reference
from exchina.workspace import Workspace, init, open_workspace
from tests.market.gates.test_gates import DAYS, on, times, walk
from tests.market.gates.vendor import delivery
from tests.markets import market

RECORDED = datetime(2026, 11, 23, 12, tzinfo=UTC)
Run = Callable[..., tuple[int, str, str]]


def pair() -> tuple[MarketData, MarketData]:
    """MP differs by 1 % on one day, UUUU by 3 % on another; UUUU lacks a day in the second."""
    one = pl.concat([walk("MP"), walk("UUUU", seed=2)])
    other = times(one, 1 / 1.01, on(10) & (pl.col("symbol") == "MP"))
    other = times(other, 1 / 1.03, on(60) & (pl.col("symbol") == "UUUU"))
    other = other.filter(~(on(70) & (pl.col("symbol") == "UUUU")))
    return market(prices=delivery(one).tables["prices"]), market(prices=delivery(other).tables["prices"])


WEIGHTS = pl.DataFrame(
    [("a", DAYS[0], "MP", 0.9), ("a", DAYS[0], "UUUU", 0.1), ("a", DAYS[50], "MP", 1.0), ("b", DAYS[0], "UUUU", 0.2)],
    {"index": pl.String, "session": pl.Date, "symbol": pl.String, "weight": pl.Float64},
    orient="row",
)


def test_effect_is_the_relative_difference_times_the_weight_of_that_day() -> None:
    found = differences(*pair(), WEIGHTS)
    shown = found.select("symbol", "day", "index", "weight").rows()
    assert shown == [("MP", DAYS[10], "a", 0.9), ("UUUU", DAYS[60], "b", 0.2), ("UUUU", DAYS[70], "b", 0.2)]
    assert found["effect_bp"].to_list()[:2] == pytest.approx([90.0, 60.0])
    assert found["effect_bp"][2] is None
    assert found["other"][2] is None


def test_without_an_index_every_line_weighs_the_same() -> None:
    found = differences(*pair(), WEIGHTS.clear())
    assert found["index"].unique().to_list() == [EQUAL]
    assert found["symbol"][0] == "UUUU"
    assert found["effect_bp"][0] == pytest.approx(1e4 * 0.03 * 0.5)


def test_a_market_differs_from_itself_in_nothing() -> None:
    one, other = pair()
    assert differences(one, one, WEIGHTS).is_empty()
    back = differences(other, one, WEIGHTS).filter(pl.col("day") == DAYS[10])
    assert back["relative"].item() == pytest.approx(1 / 1.01 - 1)


def test_dividends_splits_and_counts() -> None:
    rows = walk()
    paid = pl.DataFrame({"symbol": ["MP"], "ex_date": [DAYS[20]], "amount": [0.30]})
    split = pl.DataFrame({"symbol": ["MP"], "ex_date": [DAYS[40]], "ratio": [2.0]})
    whole = delivery(rows, paid, split).tables
    counts = pl.DataFrame({"symbol": "MP", "effective_date": [DAYS[0], DAYS[50]], "shares": [100.0, 110.0]})
    one = market(prices=whole["prices"], dividends=whole["dividends"], splits=whole["splits"], shares=counts)
    other = replace(one, dividends=one.dividends.clear(), splits=one.splits.clear(), shares=one.shares.head(1))
    found = {row["table"]: row for row in differences(one, other, WEIGHTS).to_dicts()}
    assert found["splits"]["relative"] == pytest.approx(1.0)
    assert found["dividends"]["effect_bp"] == pytest.approx(1e4 * 0.9 * 0.30 / rows["close"][19])
    assert found["shares"]["relative"] == pytest.approx(0.1)
    assert found["shares"]["weight"] == 1.0


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    init(tmp_path / "desk")
    return open_workspace(tmp_path / "desk")


def entered(place: Workspace, name: str, rows: pl.DataFrame) -> None:
    door = workflow.gated(place, name, RECORDED)
    given: Delivery = delivery(rows)
    save(place.store, name, door(given, None), recorded_at=RECORDED)


def test_check_market_lists_what_is_held(place: Workspace, run: Run) -> None:
    entered(place, "firm", times(walk(), 100, on(50)))
    code, out, _ = run("check", "market", "firm", "-w", place.root)
    assert code == 1
    for said in ("wrong_unit", str(DAYS[50]), "market_overrides.csv"):
        assert said in " ".join(out.split())
    code, out, _ = run("check", "market", "firm", "-w", place.root, "--json")
    entry = json.loads(out)["quarantine"][0]
    assert (code, entry["gate"], entry["status"]) == (1, "wrong_unit", "held")
    assert "100.0 times too" in entry["found"]
    assert json.loads(entry["record"])["session"] == str(DAYS[50])


def test_a_released_row_is_shown_with_its_reason_and_author(place: Workspace, run: Run) -> None:
    entered(place, "firm", times(walk(), 100, on(50)))
    decided = place.reference / "market_overrides.csv"
    with decided.open("a") as file:
        file.write(f"firm,prices,MP,{DAYS[50]},wrong_unit,release,the exchange printed it,A. Desk,2026-11-23\n")
    assert run("check", "-w", place.root)[0] == 0
    later = datetime(2026, 11, 24, 12, tzinfo=UTC)
    stored = load(place.store, "firm")[0]
    again = workflow.gated(place, "firm", later)(delivery(walk(size=121).tail(1)), stored)
    save(place.store, "firm", again, recorded_at=later)
    assert DAYS[50] in load(place.store, "firm")[0].prices["session"]
    code, out, _ = run("check", "market", "firm", "-w", place.root)
    assert (code, "none" in out, "1 released" in out) == (0, True, True)
    _, out, _ = run("check", "market", "firm", "--everything", "-w", place.root, "--json")
    entry = json.loads(out)["quarantine"][0]
    assert (entry["status"], entry["reason"], entry["author"]) == ("released", "the exchange printed it", "A. Desk")


def test_check_names_the_faults_of_the_override_file(place: Workspace, run: Run) -> None:
    (place.reference / "market_overrides.csv").write_text("market,table\nfirm,prices\n")
    code, _, err = run("check", "-w", place.root)
    assert code == 1
    assert "market_overrides.csv" in err


def test_a_new_market_of_which_nothing_passes_is_refused(place: Workspace) -> None:
    door = workflow.gated(place, "firm", datetime(2019, 1, 1, tzinfo=UTC))
    with pytest.raises(DataError, match="the gates hold every one"):
        door(delivery(walk()), None)


def test_check_market_against_another(place: Workspace, run: Run) -> None:
    entered(place, "firm", walk())
    entered(place, "other", times(walk(), 1 / 1.01, on(10)))
    code, out, _ = run("check", "market", "firm", "--against", "other", "-w", place.root)
    assert code == 0
    assert "every line of a day weighs the same" in out
    assert "100.00" in out
    code, out, _ = run("check", "market", "firm", "--against", "other", "-w", place.root, "--json")
    told = json.loads(out)
    assert [row["day"] for row in told["differences"]] == [str(DAYS[10])]
    assert len(told["remarks"]) > 1


def test_weights_are_those_of_the_workspace_indices(desk: Workspace) -> None:
    found, said = workflow.compared(desk, "sample", "sample")
    assert found.is_empty()
    assert said == ()


def test_an_unknown_market_comes_with_the_names_there(place: Workspace, run: Run) -> None:
    entered(place, "firm", walk())
    code, _, err = run("check", "market", "frim", "-w", place.root)
    assert code == 1
    assert "markets in the store: firm" in err
    assert run("check", "market", "-w", place.root)[0] == 2
    assert date(2024, 1, 2) == DAYS[0]


def test_a_difference_weighs_as_the_index_held_the_line_on_that_day(place: Workspace, reference: Reference) -> None:
    """The sample market beside itself with one close of MP 1 % higher: the effect is that of the index."""
    for folder in place.indices.iterdir():
        if folder.name not in {"magnet-chain", "reference"}:
            shutil.rmtree(folder)
    day, given = date(2025, 9, 5), provider["sample"](reference)
    higher = pl.when(pl.col("symbol") == "MP", pl.col("session") == day).then(pl.col("close") * 1.01)
    other = given.tables["prices"].with_columns(close=higher.otherwise("close"))
    save(place.store, "one", given, recorded_at=RECORDED)
    save(place.store, "other", replace(given, tables={**given.tables, "prices": other}), recorded_at=RECORDED)
    found, said = workflow.compared(place, "one", "other")
    row = found.row(0, named=True)
    series = workflow.backtest(
        workflow.index_rulebook(place, "magnet-chain"), workflow.open_market("one", workspace=place.root)
    )
    held = series.shares.filter(pl.col("symbol") == "MP", pl.col("session") <= day).sort("session")["weight"][-1]
    assert (said, found.height, row["index"], row["day"], row["symbol"]) == ((), 1, "magnet-chain", day, "MP")
    assert row["weight"] == held > 0.02
    assert row["effect_bp"] == pytest.approx(1e4 * (1 - 1 / 1.01) * held)
