"""The desk's day on the sample market: exact from day to day, checked against the opening file, nothing half done."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from exchina import desk, workflow
from exchina.calculation import state_file
from exchina.errors import DataError, PublicationError
from exchina.market.view import MarketView
from exchina.model import Rulebook
from exchina.rulebook import parse_rulebook
from exchina.workspace import Workspace
from tests.markets import market

NOW = datetime(2026, 9, 30, tzinfo=UTC)
EVE, ANNOUNCED, TOLD, EFFECTIVE, AFTER = (date(2026, 9, day) for day in (10, 11, 14, 18, 22))
Place = Callable[[str], Workspace]


@pytest.fixture
def place(tmp_path: Path, root: Path) -> Place:
    """A workspace of its own to write to."""

    def made(name: str) -> Workspace:
        (tmp_path / name / "indices").mkdir(parents=True)
        (tmp_path / name / "indices" / "reference").symlink_to(root / "indices" / "reference")
        return Workspace(tmp_path / name)

    return made


def calculate(place: Workspace, book: Rulebook, view: MarketView, late: str | None = None) -> list[workflow.Closing]:
    return workflow.calculate(place, book, view, now=NOW, wishes=workflow.Wishes(late=late))


def closed(place: Workspace, book: Rulebook, view: MarketView, *days: date) -> Path:
    for day in days:
        calculate(place, book, view.as_of(day))
    return place.reports / book.index.id / "close"


def levels(folder: Path) -> dict[tuple[str, str], float]:
    rows = pl.concat(pl.read_csv(path) for path in sorted(folder.glob("*/levels.csv")))
    return {
        (session, variant): level for session, variant, level in rows["session", "variant", "unrounded_level"].rows()
    }


def test_day_by_day_is_the_whole_history_bit_for_bit(place, chain, sample) -> None:
    """Through announcement, effective day and the days after: what the desk wrote is what a backtest computes."""
    folder = closed(place("a"), chain, sample, EVE, ANNOUNCED, EFFECTIVE, AFTER)
    found = levels(folder)
    series = workflow.backtest(chain, sample.as_of(AFTER)).levels.filter(pl.col("session") >= EVE)
    expected = {(str(session), variant): level for session, variant, level, _ in series.rows()}
    assert found == expected
    assert len(found) == 9 * 3


def test_a_review_that_brings_new_lines_opens_with_them(place, sample, desk) -> None:
    """Three companies enter magnet-chain in June 2026; the desk comes to the effective close from a written state."""
    book = workflow.index_rulebook(desk, "magnet-chain")
    eve, effective, after = (date(2026, 6, day) for day in (17, 18, 22))
    folder = closed(place("a"), book, sample, eve, effective, after)
    opening = pl.read_csv(folder / str(effective) / "opening.csv")["symbol"]
    assert {"127120.KQ", "ALOY", "EMAT"} <= set(opening) - set(pl.read_csv(folder / str(eve) / "closing.csv")["symbol"])
    series = workflow.backtest(book, sample.as_of(after)).levels.filter(pl.col("session") >= eve)
    assert levels(folder) == {(str(session), variant): level for session, variant, level, _ in series.rows()}


def test_each_opening_file_is_what_the_next_session_held(place, chain, sample) -> None:
    folder = closed(place("a"), chain, sample, EVE, AFTER)
    days = sorted(path.name for path in folder.iterdir())
    assert len(days) == 9
    for day, after in pairwise(days):
        opening, closing = (
            pl.read_csv(folder / name / f"{file}.csv") for name, file in ((day, "opening"), (after, "closing"))
        )
        held = [dict(table.select("symbol", "index_shares").iter_rows()) for table in (opening, closing)]
        assert held[0] == held[1]
        assert opening["session"].unique().to_list() == [after]
        assert closing["contribution"].sum() == pytest.approx(
            pl.read_csv(folder / after / "levels.csv").filter(pl.col("variant") == "PR")["return"][0], abs=1e-12
        )


def test_the_same_days_twice_are_the_same_bytes(place, chain, sample) -> None:
    """In one go or in three: every file of every day."""
    one, three = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (
            closed(place("one"), chain, sample, EVE, AFTER),
            closed(place("three"), chain, sample, EVE, ANNOUNCED, EFFECTIVE, AFTER),
        )
    )
    assert one == three
    assert len(one) > 50


def test_the_pro_forma_reads_like_the_closing_file(place, chain, sample) -> None:
    folder = closed(place("a"), chain, sample, ANNOUNCED, TOLD)
    closing, proforma = (pl.read_csv(folder / str(TOLD) / f"{name}.csv") for name in ("closing", "proforma"))
    shared = [name for name in closing.columns if name not in ("price_return", "contribution")]
    assert [name for name in proforma.columns if name in shared] == shared
    assert proforma["weight"].sum() == pytest.approx(1, abs=1e-12)
    assert set(proforma["action"]) <= {"add", "delete", "up", "down", "keep"}
    assert proforma["effective_date"].unique().to_list() == [str(EFFECTIVE)]
    assert closing["simulated"].all()
    assert not (folder / str(ANNOUNCED) / "proforma.csv").exists()  # nobody learns it from the close of that day
    basket = workflow.propose(chain, sample.as_of(TOLD))
    weights = dict(basket.members.select("symbol", "weight").iter_rows())
    found = dict(proforma.filter(pl.col("weight") > 0).select("symbol", "weight").iter_rows())
    assert found == pytest.approx(weights, abs=1e-12)


def with_actions(view: MarketView, *rows: dict[str, object]) -> MarketView:
    table = market(actions=pl.DataFrame(list(rows), infer_schema_length=None)).actions
    return replace(view, market=replace(view.market, actions=pl.concat([view.market.actions, table])))


def action(
    identity: str, kind: str, ex_date: date, known: date, status: str = "confirmed", **terms: object
) -> dict[str, object]:
    return {
        "id": identity,
        "symbol": "MP",
        "type": kind,
        "ex_date": ex_date,
        "known_date": known,
        "status": status,
        **terms,
    }


def test_an_event_known_too_late_stops_the_day_until_somebody_says_why(place, chain, sample) -> None:
    """A bonus issue of 22 September that becomes known on that day: the opening file was another."""
    late = with_actions(sample, action("LATE", "stock_dividend", AFTER, AFTER, new=1.0, old=4.0))
    desk_place = place("a")
    closed(desk_place, chain, late, AFTER - timedelta(days=1))
    with pytest.raises(DataError, match="2026-09-22 MP: opened with .*an event became known"):
        calculate(desk_place, chain, late.as_of(AFTER))
    assert not (desk_place.reports / "magnet-chain" / "close" / str(AFTER)).exists()
    (day,) = calculate(desk_place, chain, late.as_of(AFTER), late="told by the exchange at noon")
    assert "told by the exchange at noon" in day.notices[0]
    written = desk_place.reports / "magnet-chain" / "close" / str(AFTER) / "notices.txt"
    assert "told by the exchange at noon" in written.read_text()


def test_the_preview_shows_what_will_be_applied_and_what_not(place, chain, sample) -> None:
    known = EVE - timedelta(days=3)
    view = with_actions(
        sample,
        action("SURE", "stock_dividend", ANNOUNCED, known, new=1.0, old=4.0),
        action("MAYBE", "takeover", EFFECTIVE, known, status="announced", price=50.0),
        action("FAR", "stock_dividend", EVE + timedelta(days=60), known, new=1.0, old=1.0),
    )
    folder = closed(place("a"), chain, view, EVE, ANNOUNCED)
    shown = pl.read_csv(folder / str(EVE) / "corporate_actions.csv")
    rows = {row["event_id"]: row for row in shown.to_dicts()}
    assert rows["SURE"]["treatment"] == "apply"
    assert rows["SURE"]["price_factor"] == pytest.approx(0.8)
    assert rows["SURE"]["divisor_factor"] == pytest.approx(1)
    assert rows["SURE"]["terms"] == "1 new for 4 old"
    assert rows["MAYBE"]["treatment"] == "not confirmed"
    assert "FAR" not in rows
    opening = pl.read_csv(folder / str(EVE) / "opening.csv").filter(pl.col("symbol") == "MP")
    closing = pl.read_csv(folder / str(EVE) / "closing.csv").filter(pl.col("symbol") == "MP")
    assert opening["index_shares"][0] == pytest.approx(closing["index_shares"][0] * 1.25)
    assert opening["close"][0] == pytest.approx(closing["close"][0] * 0.8)
    log = pl.read_csv(folder / str(ANNOUNCED) / "divisor.csv")
    assert log["cause"].to_list() == ["SURE"]
    assert log["divisor_before"][0] == log["divisor_after"][0]


def test_a_state_of_other_rules_is_refused(place, chain, sample) -> None:
    desk_place = place("a")
    closed(desk_place, chain, sample, EVE)
    other = parse_rulebook(chain.text.replace("at_most = 0.15", "at_most = 0.16"))
    with pytest.raises(DataError, match="was published by other rules of the same version 1.0.0"):
        calculate(desk_place, other, sample.as_of(ANNOUNCED))


def test_a_damaged_state_is_named(place, chain, sample) -> None:
    desk_place = place("a")
    folder = closed(desk_place, chain, sample, EVE)
    path = folder / str(EVE) / desk.STATE
    path.write_text(path.read_text().replace('"divisor"', '"diviser"'))
    with pytest.raises(PublicationError, match=r"state.json: was changed after it was published in row 1"):
        calculate(desk_place, chain, sample.as_of(ANNOUNCED))


def test_a_state_reads_back_bit_for_bit(place, chain, sample) -> None:
    folder = closed(place("a"), chain, sample, TOLD)
    text = (folder / str(TOLD) / desk.STATE).read_text()
    assert state_file.to_text(state_file.from_text(text, "x")) == text
    assert state_file.from_text(text, "x").target is not None


def test_a_dry_run_writes_nothing_and_a_folder_in_the_way_is_named(place, chain, sample) -> None:
    desk_place = place("a")
    view = sample.as_of(EVE)
    assert workflow.calculate(desk_place, chain, view, now=NOW, wishes=workflow.Wishes(), dry_run=True)
    assert not desk_place.reports.exists()
    desk_place.reports.write_text("in the way")
    with pytest.raises(PublicationError, match="File exists"):
        calculate(desk_place, chain, sample.as_of(EVE))


def test_a_corrected_close_is_restated_by_the_policy(place, chain, sample) -> None:
    """MP's close of 2 September was 10 % too high and is corrected on the 4th: the levels of the 2nd on differ."""
    wrong, told = date(2026, 9, 2), date(2026, 9, 4)
    right = sample.market.prices
    row = (pl.col("symbol") == "MP") & (pl.col("session") == wrong)
    first = right.with_columns(pl.when(row).then(pl.col("close") * 1.1).otherwise("close").alias("close"))
    again = right.filter(row).with_columns(known_date=pl.lit(told))
    history = replace(sample.market, prices=pl.concat([first, again]).sort("symbol", "session", "known_date"))
    view = replace(sample, history=history)
    found = workflow.differences(place("a"), chain, view, date(2026, 9, 3)).filter(pl.col("variant") == "PR")
    assert found["session"].to_list() == [wrong]
    assert found["decision"].to_list() == ["restated"]
    assert found.select("old_status", "new_status").rows() == [("superseded", "corrected")]
    assert found["difference_bp"][0] == pytest.approx((found["new_level"][0] / found["old_level"][0] - 1) * 1e4)
    assert found["difference_bp"][0] < -5
    assert workflow.differences(place("b"), chain, sample, date(2026, 9, 3)).is_empty()


@pytest.mark.parametrize("was", [EVE, TOLD, EFFECTIVE, AFTER])
def test_where_nothing_was_wrong_nothing_differs(place, chain, sample, was) -> None:
    """Also for the sessions after the day that is asked for, beyond the review that takes effect on the 18th."""
    desk_place = place("a")
    closed(desk_place, chain, sample, EVE, AFTER)
    assert workflow.differences(desk_place, chain, sample.as_of(AFTER), was).is_empty()


def test_a_correction_that_changes_the_members_is_restated(place, chain, sample) -> None:
    """MP's closes around the June cut-off were a ten-thousandth of the truth: it was out, and would not have been."""
    wrong = (pl.col("symbol") == "MP") & pl.col("session").is_between(date(2026, 5, 15), date(2026, 6, 5))
    right = sample.market.prices
    first = right.with_columns(pl.when(wrong).then(pl.col("close") / 1e4).otherwise("close").alias("close"))
    again = right.filter(wrong).with_columns(known_date=pl.lit(date(2026, 6, 30)))
    history = replace(sample.market, prices=pl.concat([first, again]).sort("symbol", "session", "known_date"))
    found = workflow.differences(place("a"), chain, replace(sample, history=history), date(2026, 6, 25))
    assert found.height > 0
    assert set(found["decision"]) == {"restated"}


def test_an_event_learnt_late_is_applied_today_and_the_days_before_are_restated(place, chain, sample) -> None:
    """A 4:1 split of MP of 11 September that becomes known on the 14th; prices have fallen since the 11th."""
    cut = (pl.col("symbol") == "MP") & (pl.col("session") >= ANNOUNCED)
    fallen = sample.market.prices.with_columns(pl.when(cut).then(pl.col("close") / 4).otherwise("close").alias("close"))
    told = date(2026, 9, 14)
    row = pl.DataFrame([("MP", ANNOUNCED, 4.0, told)], sample.market.splits.schema, orient="row")
    splits = pl.concat([sample.market.splits, row])
    view = replace(sample, market=replace(sample.market, prices=fallen, splits=splits))
    desk_place = place("a")
    folder = closed(desk_place, chain, view, EVE, ANNOUNCED)
    with pytest.raises(DataError, match=r"event split:MP:2026-09-11 .*became known after its ex-date"):
        calculate(desk_place, chain, view.as_of(told))
    calculate(desk_place, chain, view.as_of(told), late="the vendor was late")
    right = {(str(s), v): level for s, v, level, _ in workflow.backtest(chain, view.as_of(told)).levels.rows()}
    sent = levels(folder)
    assert sent[str(told), "PR"] == pytest.approx(right[str(told), "PR"], rel=1e-12)
    assert sent[str(ANNOUNCED), "PR"] < right[str(ANNOUNCED), "PR"] * 0.99
    found = workflow.differences(desk_place, chain, view.as_of(told), told).filter(pl.col("variant") == "PR")
    assert found["session"].to_list() == [ANNOUNCED]
    assert found["old_level"].to_list() == [sent[str(ANNOUNCED), "PR"]]
    assert found["decision"].to_list() == ["restated"]
    calculate(desk_place, chain, view.as_of(date(2026, 9, 15)))
    assert levels(folder)["2026-09-15", "PR"] == pytest.approx(
        workflow.backtest(chain, view.as_of(date(2026, 9, 15))).levels.filter(pl.col("variant") == "PR")["level"][-1],
        rel=1e-12,
    )


def test_a_special_dividend_known_ahead_is_one_event_all_the_way(place, chain, sample) -> None:
    """In dollars and in Australian dollars, on an American line, from before its ex-date to days after it."""
    for currency in ("USD", "AUD"):
        row = ("MP", ANNOUNCED, 2.0, currency, "special", 0.0, "confirmed", date(2026, 9, 1))
        special = pl.DataFrame([row], sample.market.dividends.schema, orient="row")
        dividends = pl.concat([sample.market.dividends, special])
        view = replace(sample, market=replace(sample.market, dividends=dividends))
        folder = closed(place(currency), chain, view, EVE, EFFECTIVE)
        right = {(str(s), v): x for s, v, x, _ in workflow.backtest(chain, view.as_of(EFFECTIVE)).levels.rows()}
        found = levels(folder)
        assert found == {key: right[key] for key in found}


def test_an_event_that_is_withdrawn_after_it_was_applied_stops_the_desk(place, chain, sample) -> None:
    sure = action("SURE", "stock_dividend", ANNOUNCED, EVE, new=1.0, old=4.0)
    desk_place = place("a")
    closed(desk_place, chain, with_actions(sample, sure), EVE, ANNOUNCED)
    with pytest.raises(DataError, match="event SURE: was applied and has been withdrawn or changed since"):
        calculate(desk_place, chain, sample.as_of(date(2026, 9, 14)), late="no")


def test_a_session_on_which_half_the_markets_have_no_close_is_held_back(place, chain, sample) -> None:
    listings = sample.reference.listings
    tokyo = listings.filter(pl.col("mic") == "XTKS")["yahoo_symbol"].to_list()
    open_there = (pl.col("session") < ANNOUNCED) | pl.col("symbol").is_in(tokyo)
    half = replace(sample, market=replace(sample.market, prices=sample.market.prices.filter(open_there)))
    desk_place = place("a")
    folder = closed(desk_place, chain, half, EVE)
    with pytest.raises(DataError, match="too much of the index has no close of this session"):
        calculate(desk_place, chain, half.as_of(ANNOUNCED))
    calculate(desk_place, chain, half.as_of(ANNOUNCED), late="the vendor is down, the committee decided")
    assert pl.read_csv(folder / str(ANNOUNCED) / "levels.csv")["status"].unique().to_list() == ["delayed"]
    assert pl.read_csv(folder / str(EVE) / "levels.csv")["status"].unique().to_list() == ["published"]
    closing = pl.read_csv(folder / str(ANNOUNCED) / "closing.csv")
    assert set(closing["status"]) == {"official", "stale"}
