"""Listed rivals: the facts about them, and their prices beside the funds of an index."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from shutil import copytree

import numpy as np
import polars as pl
import pytest

from exchina import workflow
from exchina.cli.rival_tables import show_rivals
from exchina.fund.terms import Cash, Fee, Fund, FundFacts
from exchina.market.view import MarketView
from exchina.model import IndexSeries
from exchina.reference import check_reference, read_reference
from exchina.workflow.rivals import Rivals, listed_rivals
from exchina.workflow.tracking import Track, Tracker
from exchina.workspace import Workspace

Run = Callable[..., tuple[int, str, str]]
OLD, YOUNG = date(2016, 1, 4), date(2021, 1, 4)


def plain(name: str, launch: date, fee: float) -> Fund:
    return Fund(FundFacts(name, name, "USD", launch, "ucits", "NTR"), Fee(fee), cash=Cash())


@pytest.fixture(scope="module")
def two(chain_series: IndexSeries, sample: MarketView) -> list[Track]:
    """A fund of 2016 and one of 2021 that costs more."""
    tracker = Tracker(chain_series, sample)
    return [tracker.track(one) for one in (plain("old", OLD, 0.0059), plain("young", YOUNG, 0.0085))]


def beside(two: list[Track], view: MarketView, levels: pl.DataFrame) -> Rivals:
    """Rivals in a market that has other benchmarks too."""
    rows = levels.select("symbol", "session", "level", known_date=pl.col("session"))
    market = replace(view.market, benchmarks=pl.concat([view.market.benchmarks, rows]))
    return listed_rivals(two, replace(view, market=market))


def own(two: list[Track]) -> pl.DataFrame:
    """Session and level of the net index since the launch of the younger fund."""
    path = two[1].accounts.path
    return pl.DataFrame({"session": path.sessions, "level": path.benchmark})


def test_a_market_without_their_prices_says_so_once(two: list[Track], sample: MarketView) -> None:
    found = listed_rivals(two, sample)
    assert found.prices.is_empty()
    assert found.notes == ()
    assert found.terms.height == sample.reference.listed_funds.height > 8


def test_a_rival_that_is_the_index_returns_the_same_and_has_no_error(two: list[Track], sample: MarketView) -> None:
    same = own(two).with_columns(symbol=pl.lit("REMX"), level=pl.col("level") * 0.07)
    rows = {row["id"]: row for row in beside(two, sample, same).prices.to_dicts()}
    assert rows["fund-remx"]["return"] == pytest.approx(rows["magnet-chain"]["return"], rel=1e-12)
    assert rows["fund-remx"]["tracking_error"] == pytest.approx(0, abs=1e-12)
    assert (rows["fund-remx"]["from"], rows["fund-remx"]["to"]) == (YOUNG, two[0].accounts.path.sessions[-1])


def test_its_error_is_that_of_the_daily_differences(two: list[Track], sample: MarketView) -> None:
    """A holiday of its own is no return of nought: the session after it counts for both days, on both sides."""
    rng, index = np.random.default_rng(7), own(two)
    levels = index.with_columns(
        symbol=pl.lit("SETM"), level=pl.col("level") * np.exp(np.cumsum(rng.normal(0, 0.01, index.height)))
    ).filter(pl.int_range(pl.len()) != 100)
    row = beside(two, sample, levels).prices.row(-1, named=True)
    level = np.delete(index["level"].to_numpy(), 100)
    apart = np.diff(levels["level"].to_numpy()) / levels["level"].to_numpy()[:-1] - np.diff(level) / level[:-1]
    assert row["id"] == "fund-setm"
    assert row["tracking_error"] == pytest.approx(apart.std(ddof=1) * 252**0.5, rel=1e-12)
    assert 0.14 < row["tracking_error"] < 0.19


def test_funds_are_shown_over_the_life_of_the_youngest(two: list[Track], sample: MarketView) -> None:
    found = beside(two, sample, own(two).with_columns(symbol=pl.lit("REMX")))
    assert found.prices["kind"].to_list() == ["index", "fund", "fund", "rival"]
    assert found.prices["from"].to_list() == [YOUNG] * 4
    for one, row in zip(two, found.prices.to_dicts()[1:3], strict=True):
        nav, at = one.accounts.nav_per_share, one.accounts.path.sessions.index(YOUNG)
        assert row["return"] == pytest.approx(nav[-1] / nav[at] - 1, rel=1e-12)
    assert "whether price or total return" in found.notes[0]
    assert "back-tested" in found.notes[1]


@pytest.mark.parametrize(
    ("kept", "note"),
    [
        (pl.col("session") < date(2021, 1, 1), "no level in this time"),
        (pl.col("session") >= date(2024, 3, 1), "levels from 2024-03-01 to 2026-11-20, on 46% of sessions"),
        (pl.col("session") < date(2026, 11, 2), "levels from 2021-01-04 to 2026-10-30, on 99% of sessions"),
        (pl.col("session").dt.weekday() != 3, "levels from 2021-01-04 to 2026-11-20, on 79% of sessions"),
    ],
)
def test_levels_of_another_time_give_no_figure(two: list[Track], sample: MarketView, kept: pl.Expr, note: str) -> None:
    path = two[0].accounts.path
    levels = pl.DataFrame({"symbol": "BATT", "session": path.sessions, "level": path.benchmark}).filter(kept)
    row = beside(two, sample, levels).prices.row(-1, named=True)
    assert (row["id"], row["return"], row["tracking_error"]) == ("fund-batt", None, None)
    assert row["note"] == note


def test_the_tables_say_what_is_known(two: list[Track], sample: MarketView, capsys: pytest.CaptureFixture[str]) -> None:
    show_rivals(listed_rivals(two, sample))
    out = capsys.readouterr().out
    assert "listed rivals, published terms" in out
    assert out.count("Of the prices of listed rivals this market has none") == 1
    show_rivals(beside(two, sample, own(two).with_columns(symbol=pl.lit("REMX"))))
    out = capsys.readouterr().out
    assert "2021-01-04 to 2026-11-20: the life of the youngest fund" in out
    assert "has none" not in out
    assert "Prices of rivals are taken as delivered" in out


def test_the_verb_tells_and_writes_them(run: Run, desk: Workspace, tmp_path: Path) -> None:
    asked = ("--fund", "ucits-acc", "--rivals", "--json", "--out", tmp_path, "--workspace", desk.root)
    code, out, err = run("track", "magnet-chain", *asked)
    assert code == 0, err
    assert "fund-remx" in (tmp_path / "rivals.csv").read_text(encoding="utf-8")
    rivals = json.loads(out)["rivals"]
    remx = next(row for row in rivals["terms"] if row["id"] == "fund-remx")
    assert (remx["fee"], remx["fee_as_of"], remx["china"], remx["holdings"]) == (0.0053, "2023", "in", 25)
    assert rivals["prices"] == []


def test_they_are_no_part_of_variants(run: Run, desk: Workspace) -> None:
    varied = ("--fund", "ucits-acc", "--vary", "vehicle.fee.per_year=0.004,0.006", "--rivals")
    code, _, err = run("track", "magnet-chain", *varied, "--workspace", desk.root)
    assert code == 1
    assert "--rivals is not shown of variants" in err


def test_terms_are_facts_with_a_source_or_marked_weak(root: Path) -> None:
    funds = read_reference(root / "indices" / "reference").listed_funds
    unsourced = funds.filter(pl.col("source_url").is_null())
    assert set(unsourced["confidence"]) <= {"low", "memory"}
    assert funds.filter(pl.col("fee").is_null() & (pl.col("fee_as_of").is_not_null())).is_empty()
    assert funds.filter(china="out")["id"].to_list() == ["fund-rexc-us", "fund-rexc"]


FAULTS = [
    (",0.0053,", ",53,", "row 2, column fee: found 53.0 (must lie between 0 and 0.05)"),
    (",0.0053,2023,", ",,2023,", "row 2, column fee_as_of: a fee as of 2023, and no fee"),
    (",2010-10-28,", ",28.10.2010,", "column since: found '28.10.2010' (as much of the day as the source gives"),
    (",US,us_1940_act,", ",IE,us_1940_act,", "row 2, column law: a fund of IE under us_1940_act"),
    (",3;6;9;12,in,", ",3;6;9;13,in,", "row 2, column review_months: found '3;6;9;13' (months joined by ;"),
    ("METL,,", "METL,REMX,", "row 10, column yahoo_symbol: 'REMX' is the symbol of row 2 too"),
    ("METL,,", "METL,MP,", "row 10, column yahoo_symbol: 'MP' is a line of mp-materials"),
    ("REXC,REXC.L,", "REXC,REXC.DE,", "yahoo_symbol: 'REXC.DE', but 'REXC.L' in related_entities.csv"),
    ("ETF,Sprott,,US,us_1940_act,2025-09", "ETF,Sprott,Some Index,US,us_1940_act,2025-09", "that follows Some Index"),
    (",in,Half of revenue or assets", ",yes,Half of revenue or assets", "column china: found 'yes' (allowed: in, out"),
]


@pytest.mark.parametrize(("old", "new", "told"), FAULTS)
def test_each_fault_is_told(root: Path, tmp_path: Path, old: str, new: str, told: str) -> None:
    folder = copytree(root / "indices" / "reference", tmp_path / "reference")
    path = folder / "listed_funds.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text, f"listed_funds.csv no longer holds {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = [str(problem) for problem in check_reference(folder)]
    assert len(found) == 1, found
    assert told in found[0]


def test_the_verb_is_there_for_programs() -> None:
    assert workflow.listed_rivals is listed_rivals
