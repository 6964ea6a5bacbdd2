"""The real yfinance against a server on loopback: from an empty store to a factsheet, faults, and a changed past."""

from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from exchina import workflow
from exchina.errors import ProviderError
from exchina.market.live.plan import Ask
from exchina.market.live.report import Fetched
from exchina.market.live.source import Absent, Broken, Source, Throttled
from exchina.market.providers.yahoo import yahoo
from exchina.market.store import load, markets
from exchina.workspace import Workspace, init, open_workspace
from tests.shell.yahoo_stub import BUSY, CUT, EMPTY, ERROR, PAGE, Fault, Stub, market, serving

MONDAY = datetime(2025, 11, 24, 8, tzinfo=UTC)
LINES = ("4063.T", "ARU.AX", "ILU.AX", "LYC.AX", "MP", "NEO.TO", "RBW.L", "SOLB.BR", "UUUU")
START = date(2023, 10, 2)
FEW = Ask(start=date(2025, 6, 2), only=("MP", "RBW.L"), control="")


@pytest.fixture
def stub() -> Generator[Stub]:
    with serving(market()) as running:
        yield running


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    init(tmp_path / "desk")
    return open_workspace(tmp_path / "desk")


def settings(stub: Stub, **more: Any) -> dict[str, Any]:
    return {"pause_seconds": 0, "first_wait_seconds": 0.01, "patience_seconds": 5, "endpoint": stub.url, **more}


def fetch(place: Workspace, stub: Stub, ask: Ask = FEW, now: datetime = MONDAY, **more: Any) -> Fetched:
    found = workflow.fetch(place, "yahoo", market="live", recorded_at=now, settings=settings(stub, **more), ask=ask)
    assert isinstance(found, Fetched)
    return found


def vendor(stub: Stub) -> Source:
    return yahoo(**settings(stub))


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (BUSY, Throttled, "None"),
        (Fault(429, "x", (("Retry-After", "70"),)), Throttled, "70.0"),
        (ERROR, Broken, "status 500"),
        (PAGE, Broken, "DOWN"),
        (CUT, Broken, "JSONDecodeError"),
        (EMPTY, Absent, "no price data"),
        (Fault(seconds=1.5), Broken, "Timeout"),
    ],
)
def test_each_fault_has_its_name_costs_one_request_and_is_not_remembered(
    stub: Stub, fault: Fault, kind: type[Exception], said: str
) -> None:
    source = yahoo(**settings(stub, timeout_seconds=0.7))
    source.history("MP", START, date(2025, 11, 21))
    stub.asked.clear()
    stub.faults["MP"].append(fault)
    with pytest.raises(kind, match=said):
        source.history("MP", START, date(2025, 11, 21))
    assert len(stub.charts()) == 1
    assert source.history("MP", START, date(2025, 11, 21)).bars.height == 539


def test_a_symbol_that_yahoo_does_not_have(stub: Stub) -> None:
    with pytest.raises(Absent, match="may be delisted"):
        vendor(stub).history("XYZ", START, date(2025, 11, 21))
    assert len(stub.asked) <= 6


def test_an_ex_date_without_a_bar_stays_where_it_is(stub: Stub) -> None:
    day = date(2024, 9, 16)
    at = stub.lines["MP"].days.index(day)
    del stub.lines["MP"].days[at], stub.lines["MP"].closes[at]
    found = vendor(stub).history("MP", START, date(2025, 11, 21))
    assert found.dividends["ex_date"].to_list() == [day]


def test_what_was_traded_is_what_is_stored(stub: Stub, place: Workspace) -> None:
    """Closes to the last digit: splits undone, pence as pounds, the unfinished session not there."""
    found = fetch(place, stub)
    data, provenance = load(place.store, "live")
    for symbol, pence in (("MP", 1), ("RBW.L", 100)):
        line = stub.lines[symbol]
        traded = {
            day: close / pence
            for day, close in zip(line.days, line.closes, strict=True)
            if close and FEW.start <= day < MONDAY.date()
        }
        assert dict(data.prices.filter(symbol=symbol).select("session", "close").iter_rows()) == traded
    assert data.splits.select("symbol", "ex_date", "ratio").rows() == [("MP", date(2025, 6, 16), 2.0)]
    assert data.fx["currency"].unique().to_list() == ["GBP"]
    assert set(data.benchmarks["symbol"]) == {"^GSPC", "^FTSE"}
    assert provenance.kind == "vendor"
    assert found.missing.is_empty()
    assert not (place.store / "live" / "incoming").exists()


def test_the_next_day_adds_a_day_and_a_third_fetch_asks_nothing(stub: Stub, place: Workspace) -> None:
    fetch(place, stub)
    tuesday = fetch(place, stub, now=MONDAY + timedelta(days=1))
    assert tuesday.added == {"prices": 2, "fx": 1, "benchmarks": 2}
    assert not tuesday.revised
    stub.asked.clear()
    again = fetch(place, stub, now=MONDAY + timedelta(days=1))
    assert (stub.asked, again.added, again.manifest) == ([], {}, tuesday.manifest)


def test_a_decision_counts_although_there_is_nothing_to_ask(stub: Stub, place: Workspace) -> None:
    at = stub.lines["MP"].days.index(date(2025, 11, 18))
    stub.lines["MP"].closes[at] *= 100
    fetch(place, stub)
    assert date(2025, 11, 18) not in load(place.store, "live")[0].prices.filter(symbol="MP")["session"]
    said = [
        f"live,prices,MP,2025-11-18,{gate},release,read twice,A. Desk,2025-11-24\n"
        for gate in workflow.quarantine(place, "live").filter(symbol="MP")["gate"].unique()
    ]
    with (place.reference / "market_overrides.csv").open("a") as file:
        file.writelines(said)
    stub.asked.clear()
    again = fetch(place, stub)
    assert (stub.asked, again.added["prices"]) == ([], 1)
    assert date(2025, 11, 18) in load(place.store, "live")[0].prices.filter(symbol="MP")["session"]


def test_a_count_of_today_never_stands_on_the_prices_of_yesterday(stub: Stub, place: Workspace) -> None:
    stub.lines["MP"].counts.clear()
    found = fetch(place, stub)
    assert any("Only today's share count is known" in said for said in found.notices)
    data, provenance = load(place.store, "live")
    assert data.shares.filter(symbol="MP")["known_date"].to_list() == [MONDAY.date()]
    assert "share count of MP is known from 2025-11-24 on only" in " ".join(provenance.assumptions)


def test_without_a_connection_the_fetch_says_so_at_once(stub: Stub, place: Workspace) -> None:
    with pytest.raises(ProviderError, match="cannot be reached.*check the connection"):
        fetch(place, stub, endpoint="http://127.0.0.1:9", first_wait_seconds=600)


def test_what_is_missing_is_reported_and_comes_later(stub: Stub, place: Workspace) -> None:
    lines = dict(stub.lines)
    del stub.lines["MP"]
    found = fetch(place, stub)
    row = found.missing.row(0, named=True)
    assert (row["name"], row["since"], row["why"]) == ("MP", FEW.start, "No data found, symbol may be delisted")
    assert set(load(place.store, "live")[0].prices["symbol"]) == {"RBW.L"}
    stub.lines.update(lines)
    stub.asked.clear()
    assert fetch(place, stub).missing.is_empty()
    assert stub.charts() == ["MP"]


def test_a_currency_without_its_rate_has_no_prices(stub: Stub, place: Workspace) -> None:
    del stub.lines["GBPUSD=X"]
    found = fetch(place, stub)
    assert set(found.missing["name"]) == {"GBP", "RBW.L"}
    assert set(load(place.store, "live")[0].prices["symbol"]) == {"MP"}


@pytest.mark.parametrize(
    ("facts", "said"),
    [({"currency": "GBP"}, "quoted in GBP"), ({"zone": "America/New_York"}, "by the clock of America/New_York")],
)
def test_a_line_that_contradicts_its_venue_is_refused(
    stub: Stub, place: Workspace, facts: dict[str, str], said: str
) -> None:
    stub.lines["RBW.L"] = replace(stub.lines["RBW.L"], **facts)
    assert said in fetch(place, stub).missing.filter(name="RBW.L")["why"].item()


def test_an_ended_line_whose_symbol_is_still_traded_is_another_company(stub: Stub, place: Workspace) -> None:
    stub.lines["MCP"] = stub.lines["UUUU"]
    days = [day.replace(year=day.year - 9) for day in stub.lines["MCP"].days if (day.month, day.day) != (2, 29)]
    stub.lines["MCP"] = replace(stub.lines["MCP"], days=days, closes=[1.0] * len(days))
    found = fetch(place, stub, Ask(start=date(2014, 1, 2), only=("MCP", "MP"), control=""))
    assert "another company's by now" in found.missing.filter(name="MCP")["why"].item()


def test_a_stopped_fetch_leaves_the_store_and_goes_on(stub: Stub, place: Workspace) -> None:
    stub.faults["RBW.L"].append(Fault(429, "x", (("Retry-After", "9999"),)))
    with pytest.raises(ProviderError, match="goes on where it stopped"):
        fetch(place, stub)
    assert markets(place.store) == []
    stub.asked.clear()
    fetch(place, stub)
    assert stub.charts() == ["RBW.L", "GBPUSD=X", "^FTSE", "^GSPC"]


def test_a_changed_past_is_kept_twice_and_measured(stub: Stub, place: Workspace) -> None:
    fetch(place, stub)
    at = stub.lines["MP"].days.index(date(2025, 11, 18))
    before = stub.lines["MP"].closes[at]
    assert before is not None
    stub.lines["MP"].closes[at] = round(before * 1.01, 2)
    found = fetch(place, stub, now=MONDAY + timedelta(days=1))
    changed = found.changed.row(0, named=True)
    assert (changed["name"], changed["rows"], changed["first"]) == ("MP", 1, date(2025, 11, 18))
    assert changed["largest"] == pytest.approx(0.01, abs=1e-3)
    rows = load(place.store, "live")[0].prices.filter(symbol="MP", session=date(2025, 11, 18))
    assert rows["known_date"].to_list() == [date(2025, 11, 18), date(2025, 11, 25)]


def rulebook(place: Workspace) -> str:
    """The core index from the end of 2024 on, of as few companies as there are here."""
    text = (place.indices / "ex-china-core" / "rulebook.toml").read_text()
    for old, new in (
        ('id = "ex-china-core"', 'id = "live-core"'),
        ("base_date = 2014-12-19", "base_date = 2024-12-20"),
        ("at_least = 6,", "at_least = 3,"),
    ):
        assert old in text
        text = text.replace(old, new)
    (place.indices / "live-core").mkdir()
    (place.indices / "live-core" / "rulebook.toml").write_text(text)
    return "live-core"


def test_from_an_empty_store_to_a_published_factsheet(stub: Stub, place: Workspace) -> None:
    found = fetch(place, stub, Ask(start=START, only=LINES))
    assert found.missing.is_empty(), found.missing
    book = workflow.index_rulebook(place, rulebook(place))
    view = workflow.open_market("live", workspace=place.root)
    occasion = workflow.last_occasion("announcement", book, view)
    assert workflow.publish(place, book, view, occasion, clock=workflow.Clock(MONDAY)).new
    (page,) = place.reports.glob("live-core/announcement/*/factsheet.html")
    text = page.read_text()
    assert "Yahoo Finance" in text
    assert "SIMULATED" not in text
    assert workflow.verify(place) == []
    assert set(view.market.benchmarks["symbol"]) >= {"PICK", "^AXJO", "^GSPC"}
    assert isinstance(view.market.prices, pl.DataFrame)
    _the_past_changes(stub, place)


def _the_past_changes(stub: Stub, place: Workspace) -> None:
    """A close of a member that Yahoo corrects later moves the index, and the fetch says by how much."""
    line = stub.lines["LYC.AX"]
    at = line.days.index(date(2025, 11, 19))
    line.closes[at] = round((line.closes[at] or 0) * 1.05, 2)
    found = fetch(place, stub, Ask(start=START, only=LINES, effect=True), now=MONDAY + timedelta(days=1))
    moved = found.effect.filter(pl.col("index_id") == "live-core").sort("variant")
    assert moved["variant"].to_list() == ["GTR", "NTR", "PR"]
    assert moved["first"].unique().to_list() == [date(2025, 11, 19)]
    assert 1 < moved["largest_bp"].min() < 500  # type: ignore[operator]
