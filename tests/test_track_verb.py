"""`exchina track` as a fund designer meets it: funds of an index, flags, files, and what may not be asked."""

import json
import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from exchina import terminal, workflow
from exchina.fund.attribution import PARTS
from exchina.ledger.trials import Trial
from exchina.market.view import MarketView
from exchina.model import IndexSeries, Rulebook
from exchina.workflow.tracking import Tracker
from exchina.workspace import Workspace

Run = Callable[..., tuple[int, str, str]]
EVERYTHING = ("--limits", "--basket", "--capacity", "--premium")
MADE: dict[tuple[str, date], IndexSeries] = {}
TRACKERS: dict[int, Tracker] = {}
LIMITS = r"(?s)ucits_53 = .*"
NO_LIMITS = (LIMITS, 'own_cash = { at_most = 0.05, why = "Tried." }\n')


@pytest.fixture(autouse=True)
def backtested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each index, and what its funds share, is computed once for all tests; the real ones are tested below."""

    def once(_: Workspace, book: Rulebook, view: MarketView, **__: Any) -> tuple[IndexSeries, Trial | None, bool]:
        key = (book.index.id, view.provenance.through)
        if key not in MADE:
            MADE[key] = workflow.backtest(book, view)
        return MADE[key], None, False

    def shared(series: IndexSeries, view: MarketView) -> Tracker:
        return TRACKERS.setdefault(id(series), Tracker(series, view))

    monkeypatch.setattr(workflow, "recorded_backtest", once)
    monkeypatch.setattr(workflow, "Tracker", shared)


@pytest.fixture
def track(run: Run, desk: Workspace) -> Run:
    """`exchina track` in the workspace of the tests."""
    return lambda *tokens: run("track", *tokens, "--workspace", desk.root)


@pytest.fixture
def written(desk: Workspace, tmp_path: Path) -> Callable[..., Path]:
    """A fund file of its own: the accumulating one, with some of its text replaced."""
    text = desk.fund("magnet-chain", "ucits-acc").read_text(encoding="utf-8")

    def write(name: str, *changes: tuple[str, str]) -> Path:
        made = text
        for old, new in ((r'id = "ucits-acc"', f'id = "{name}"'), *changes):
            assert re.search(old, made), old
            made = re.sub(old, new.replace("\\", r"\\"), made, count=1)
        path = tmp_path / f"{name}.toml"
        path.write_text(made, encoding="utf-8")
        return path

    return write


def plain(out: str) -> Any:
    """JSON that is no more than JSON: no NaN, no Infinity."""

    def refused(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(out, parse_constant=refused)


def test_the_funds_of_an_index_are_listed(track: Run) -> None:
    code, out, _ = track("magnet-chain", "--list")
    assert code == 0
    assert all(word in out for word in ("ucits-eur-hedged", "UCITS ETF", "0.64 %", "2018-01-05", "accumulating"))
    found = plain(track("magnet-chain", "--list", "--json")[1])
    assert [one["fund"] for one in found["funds"]] == [
        "ucits-acc",
        "ucits-dist-gbp",
        "ucits-eur-hedged",
        "ucits-sampled",
    ]
    assert found["funds"][0] | {"fee": 0.0059, "law": "ucits", "replication": "full"} == found["funds"][0]


def test_an_index_without_funds_says_so_and_how_to_make_one(track: Run) -> None:
    assert track("upstream", "--list") == (0, "funds of upstream: none\n", "")
    code, out, err = track("upstream")
    assert (code, out) == (1, "")
    assert "funds of upstream: there is none in indices/upstream/funds" in err
    assert "copy of indices/magnet-chain/funds/ucits-acc.toml" in err
    assert "--fund PATH.toml" in err


def test_one_fund_and_everything_about_it(track: Run) -> None:
    code, out, err = track("magnet-chain", "--fund", "ucits-acc", *EVERYTHING)
    assert (code, err) == (0, "")
    for said in (
        "ExChina Magnet Chain UCITS ETF (Acc) (ucits-acc) on ExChina Magnet Chain Index",
        "launched 2018-01-05 with 10,000,000; fee 0.59 % a year; full replication",
        "the parts sum to the difference",
        "a fee comes to more than its rate",
        "average year",
        "a fund_usd that bounds what it holds, change nothing here",
        "Ex-ante tracking error: of that choice 0.00 % a year, of all that it holds now",
        "Assumed: securities lending: 5% of the holdings on loan",
        "at least 80.00",
        "one unit is 50,000 shares",
        "All of it is cash: the fund deals in cash.",
        "Iluka Resources Ltd",
        "size from which the fund breaks",
        "share of a company",
        "the markets that close first (UTC)",
        "06:00",
        "out of sample",
        "HYPOTHETICAL: no fund has earned this",
        "SIMULATED PRICES",
    ):
        assert said in out, said
    assert "iluka-resources" not in out
    assert "-0.0 " not in out
    assert "nan" not in out.lower().split()


def test_every_figure_is_printed_whole_at_any_width(track: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures of the tables are those of the JSON, to their last digit."""
    tokens = ("magnet-chain", "--fund", "ucits-dist-gbp")
    (fund,) = plain(track(*tokens, "--json")[1])["funds"]
    for width in (100, 140, 200):
        monkeypatch.setattr(terminal.OUT, "width", width)
        is_whole(fund, track(*tokens)[1])


def is_whole(fund: Any, out: str) -> None:
    figures = fund["figures"]
    for figure in (
        f"{figures['fund'] * 100:+.2f}",
        f"{figures['tracking_difference'] * 1e4:,.1f}",
        f"{figures['nav_per_share']:,.4f}",
        f"{figures['distributed']:,.4f}",
        f"{figures['net_assets'] / 1e6:,.2f}",
    ):
        assert re.search(rf"(?m)(?<![\d.]){re.escape(figure)}\s*$", out), figure
    years = {row["period"]: row for row in fund["periods"]}
    (line,) = [line.split() for line in out.splitlines() if line.startswith("  2021 ")]
    told = [part for part in PARTS if any(abs(row[part]) >= 5e-6 for row in fund["periods"])]
    assert line[1:4] == [
        f"{years['2021']['fund'] * 100:+.2f}",
        f"{years['2021']['benchmark'] * 100:+.2f}",
        f"{years['2021']['difference'] * 1e4:,.1f}",
    ]
    assert line[4:] == [f"{years['2021'][part] * 1e4:,.1f}" for part in told]


def test_the_json_is_complete_and_its_parts_sum(track: Run) -> None:
    code, out, _ = track("magnet-chain", "--fund", "ucits-acc", *EVERYTHING, "--json")
    found = plain(out)
    assert code == 0
    assert (found["index"], found["hypothetical"], found["provenance"]["simulated"]) == ("magnet-chain", True, True)
    (fund,) = found["funds"]
    assert len(fund["content_hash"]) == 64
    for rows in (fund["parts"], fund["periods"]):
        for row in rows:
            assert abs(row["difference"] - sum(row[part] for part in PARTS)) < 1e-12
            assert abs(row["fund"] - row["benchmark"] - row["difference"]) < 1e-12
    basket, facts = fund["basket"], fund["basket_facts"]
    worth = sum(row["value"] for row in basket) + facts["cash_component"]
    assert worth == pytest.approx(facts["nav"], abs=0.005)
    assert fund["basket_cost_facts"]["cost_bp"] > 0
    assert {row["measure"] for row in fund["capacity_limits"]} == {"tracking", "impact", "ownership", "days"}
    assert (fund["capacity_terms"]["own_at_most"], fund["capacity_notes"]) == (0.1, [])
    assert (fund["cures"], fund["index_breaches"], fund["limit_unknowns"]) == ({}, [], [])
    assert fund["premium"][0]["market"] == "fund"
    assert 0 < fund["tracking_error_ahead"] < 0.01
    assert sum(row["weight"] for row in fund["holdings"]) == pytest.approx(1, abs=0.01)


def test_files_hold_what_was_asked(track: Run, written: Callable[..., Path], tmp_path: Path) -> None:
    path = written(
        "tight", (r"full = \{", "stratified = { count = 6,"), (r"ucits_53 = \{", "own_issuer = { at_most = 0.1,")
    )
    code, out, err = track("magnet-chain", "--fund", path, *EVERYTHING[:3], "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    folder = tmp_path / "out" / "tight"
    assert {one.stem for one in folder.iterdir()} == {
        *("days", "parts", "periods", "holdings", "replication", "limits", "limit_spells", "limit_unknowns"),
        *("basket", "basket_cost", "capacity", "capacity_limits", "capacity_by_review", "capacity_by_name"),
    }
    assert out.count("wrote ") == 14
    days = pl.read_csv(folder / "days.csv")
    balance = pl.sum_horizontal("equity", "cash", "receivable", "claims", "forwards")
    owed = pl.col("fee_owed") + pl.col("distribution_owed")
    assert days.select((balance - owed - pl.col("nav")).abs().max()).item() < 1e-5
    spells = pl.read_csv(folder / "limit_spells.csv")
    assert spells.filter(pl.col("rule") == "own_issuer").height > 0
    assert spells["issuers"].str.contains("Lynas Rare Earths Ltd").any()
    assert "own_issuer" in out
    assert "Limits that the index itself breaks" in out
    assert "at most 10.00" in out
    cures = [line for line in out.splitlines() if line.startswith("own_issuer:")]
    assert any("the smallest trade that cures it" in line or "no trade cures it" in line for line in cures)


def test_funds_stand_side_by_side_each_in_its_column(track: Run) -> None:
    code, out, err = track("magnet-chain", "--fund", "ucits-acc", "ucits-eur-hedged")
    assert (code, err) == (0, "")
    assert "benchmark NTR in EUR, hedged as the fund is" in out
    table = out[out.index("what they delivered") :].splitlines()
    (heading,) = [line for line in table if "since launch" in line and "ucits-acc" in line]
    assert heading.split()[-2:] == ["ucits-acc", "ucits-eur-hedged"]
    (hedge,) = [line.split() for line in table if line.split()[:1] == ["hedge"]]
    assert hedge[1] == "0.0"
    assert abs(float(hedge[2].replace(",", ""))) < 50, "of the benchmark's own hedge only what the fund does otherwise"
    whole = {
        line.split()[0]: line.split()[1]
        for line in table
        if line.split()[:1] and line.split()[0] in (*PARTS, "difference")
    }
    parts = sum(float(value.replace(",", "")) for name, value in whole.items() if name != "difference")
    assert parts == pytest.approx(float(whole["difference"].replace(",", "")), abs=0.6)


def test_a_fund_that_cannot_be_run_takes_nothing_from_the_others(
    track: Run, written: Callable[..., Path], tmp_path: Path
) -> None:
    nok = written("nok", (r'currency = "USD"', 'currency = "NOK"'))
    tokens = ("magnet-chain", "--fund", "ucits-acc", nok, "--out", tmp_path / "out")
    code, out, err = track(*tokens)
    assert code == 1
    assert "ExChina Magnet Chain UCITS ETF (Acc)" in out
    assert err.startswith("fund nok: fund.currency: no rate of NOK is known on 2018-01-05")
    assert "one of AUD, CAD, EUR" in err
    assert (tmp_path / "out" / "ucits-acc" / "days.csv").is_file()
    found = plain(track(*tokens, "--json")[1])
    assert [one["fund"]["id"] for one in found["funds"]] == ["ucits-acc"]
    assert [one["where"] for one in found["problems"]] == ["fund nok: fund.currency"]


def test_what_cannot_be_told_of_a_fund_takes_nothing_from_the_rest(track: Run, written: Callable[..., Path]) -> None:
    young = written("young", (r"launch = \S+", "launch = 2026-11-02"))
    code, out, err = track("magnet-chain", "--fund", young, "--premium", "--capacity", "--basket")
    assert code == 1
    assert "basket of 2026-11-23" in out
    assert "fund young: capacity: no review since the launch on 2026-11-02" in err
    assert "fund young: fair value, sessions: found 15 (311 needed" in err
    assert "difference, bp a year" not in out, "a year has not passed"


def test_variants_of_a_fund(track: Run, tmp_path: Path) -> None:
    asked = ("--vary", "vehicle.fee.per_year=0.006,0.004", "--vary", "holdings.cash.target=0,0.01")
    tokens = ("magnet-chain", "--fund", "ucits-acc", *asked)
    code, out, err = track(*tokens, "--out", tmp_path)
    assert (code, err) == (0, "")
    assert "4 variants in the order of the grid" in out
    rows = [line.split() for line in out.splitlines() if re.match(r"\s+[1-4]\s+0\.00", line)]
    assert [row[:3] for row in rows[:4]] == [
        ["1", "0.006", "0"],
        ["2", "0.006", "0.01"],
        ["3", "0.004", "0"],
        ["4", "0.004", "0.01"],
    ]
    found = plain(track(*tokens, "--json")[1])["variants"]
    assert [row[4] for row in rows[:4]] == [f"{row['tracking_difference'] * 1e4:,.1f}" for row in found]
    assert pl.read_csv(tmp_path / "ucits-acc" / "variants.csv").height == 4
    for row in found:
        assert sum(row[part] for part in PARTS) == pytest.approx(row["tracking_difference"], abs=1e-12)


def test_a_variant_that_cannot_be_run_says_why_in_its_place(track: Run) -> None:
    tokens = ("magnet-chain", "--fund", "ucits-acc", "--vary")
    code, out, _ = track(*tokens, "fund.currency=USD,NOK")
    assert code == 0
    assert 'variant 2 (fund.currency "NOK") could not be run: fund ucits-acc: fund.currency: no rate of NOK' in out
    assert track(*tokens, "fund.currency=NOK,SEK")[0] == 1


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (("magnet-chian",), "no index called 'magnet-chian' (did you mean 'magnet-chain'?)"),
        (("magnet-chain", "--fund", "ucits-ac"), "no fund called 'ucits-ac' (did you mean 'ucits-acc'?)"),
        (("magnet-chain", "--fund", "none.toml"), "none.toml: cannot be read: "),
        (("magnet-chain", "--fund", "ucits-acc", "ucits-acc"), "fund ucits-acc: two files have this id"),
        (("magnet-chain", "--vary", "vehicle.fee.per_year=0"), "4 funds, and vehicle.fee.per_year=0 is varied of one"),
        (
            ("magnet-chain", "--fund", "ucits-acc", "--vary", "vehicle.fee.per_year=0", "--limits", "--basket"),
            "--limits --basket is not shown of variants",
        ),
        (("magnet-chain", "--fund", "ucits-acc", "--vary", "vehicle.fee.per_yer=0"), "did you mean 'per_year'?"),
        (("magnet-chain", "--fund", "ucits-acc", "--vary", "vehicle.fee.per_year=40"), "40 is 4,000% of net assets"),
        (
            ("magnet-chain", "--fund", "ucits-acc", "--vary", "vehicle.fee.per_year"),
            "is not a place with values (write a place and its values, such as vehicle.fee.per_year=0.004,0.006)",
        ),
        (("magnet-chain", "--fund", "ucits-acc", "--vary", "vehikle.fee.per_year=0"), "the fund file has no 'vehikle'"),
        (
            ("magnet-chain", "--fund", "ucits-acc", "--as-of", "2017-01-01"),
            "2018-01-05: the index runs from 2014-12-19 to 2016-12-30",
        ),
        (("magnet-chain", "--fund", "ucits-acc", "--out", __file__), "is a file"),
    ],
)
def test_wrong_wishes_are_named_with_a_cure(track: Run, tokens: tuple[str, ...], said: str) -> None:
    code, out, err = track(*tokens)
    assert (code, out) == (1, "")
    assert said in " ".join(err.split())


def test_wrong_usage(track: Run, run: Run) -> None:
    assert track("magnet-chain", "--bogus")[0] == 2
    assert run("track")[0] == 2


WRONG: dict[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "broken": (((r"\[fund\]", "[fund"),), "not valid TOML: Expected ']'"),
    "fee": (((r"per_year = 0\.0059", "per_year = 40"),), "vehicle.fee.per_year: 40 is 4,000% of net assets a year"),
    "lot": (((r"shares = 1,", "shares = -1,"),), "holdings.lots.shares: Input should be greater than or equal to 0"),
    "lots": (
        ((r"shares = 1, venues = \{ XTKS = 100 \}", "shares = 1000000"), (r"seed = 10e6", "seed = 600e3")),
        "holdings.lots on 2018-01-05: not one share can be held: 1,000,000 of",
    ),
    "currency": (((r'currency = "USD"', 'currency = "UDS"'),), "no rate of UDS is known on 2018-01-05"),
    "early": (((r"launch = \S+", "launch = 2014-12-18"),), "2014-12-18: the index runs from 2014-12-19 to 2026-11-20"),
    "late": (((r"launch = \S+", "launch = 2026-11-20"),), "launch the fund on a session of the index, before its last"),
    "later": (((r"launch = \S+", "launch = 2027-01-04"),), "2027-01-04: the index runs from 2014-12-19 to 2026-11-20"),
    "flow": (
        ((r'model = "steady", per_year = 0\.20', 'model = "given", orders = [{ on = 2020-03-31, amount = 5e9 }]'),),
        "dealing.flows on 2020-03-31: 4,999",
    ),
    "ruin": (((r"per_year = 0\.20,", "per_year = 9.0,"),), "more such flows, the last on"),
    "redeem": (
        ((r'model = "steady", per_year = 0\.20', 'model = "given", orders = [{ on = 2020-03-31, amount = -5e9 }]'),),
        "fund redeem: dealing.flows on 2020-03-31: 6",
    ),
    "order": (
        ((r'model = "steady", per_year = 0\.20', 'model = "given", orders = [{ on = 2017-03-31, amount = 1e6 }]'),),
        "fund order: dealing.flows.orders, 2017-03-31: 1,000,000 outside the life of the fund",
    ),
    "ric": (
        ((r"ucits_53 = ", "ric = "),),
        "limits.ric: the index itself breaks it: cash and issuers not above 5 % or 10 % of votes together 0.00% on "
        "2018-01-05, at least 50.00% is allowed (",
    ),
    "bounds": (
        (
            (
                r"full = \{",
                "optimised = { count = 8, fund_usd = 1e6, participation = 0.2, sessions = 20, issuer_at_most = 0.05,",
            ),
        ),
        "replication.optimised: 7 of 7 lines can carry 35.00% of the fund",
    ),
    "count": (
        ((r"full = \{", "optimised = { count = 0, fund_usd = 1e6, participation = 0.2, sessions = 20,"),),
        "replication.optimised.count: Input should be greater than or equal to 2, found 0",
    ),
    "hedge": (
        ((r"distribution = ", 'hedge = { ratio = 1.0, currencies = ["NOK"], why = "No." }\ndistribution = '),),
        "vehicle.hedge.currencies: no line is quoted in NOK (one of AUD, CAD, EUR, GBP, JPY, KRW)",
    ),
    "before": (
        ((r"first = 0, last = 2", "first = -20, last = -10"),),
        "the review of 2015-03-20 would be traded from 2015-02-20, and is announced on 2015-03-13",
    ),
    "backward": (((r"first = 0, last = 2", "first = 3, last = 2"),), "ends 2 sessions from the effective close"),
    "limit": (((r"ucits_53 = ", "ucits_54 = "),), "no line 'ucits_54' (did you mean 'ucits_53'?)"),
    "venue": (((r'listed_on = "XLON"', 'listed_on = "XLOM"'),), "no venue 'XLOM'"),
    "unit": (((r"unit_shares = 50000", "unit_shares = 5000000"),), "seed at least one unit"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_fund_that_cannot_be_is_named_with_place_day_and_figures(
    track: Run, written: Callable[..., Path], name: str
) -> None:
    changes, said = WRONG[name]
    code, out, err = track("magnet-chain", "--fund", written(name, *changes))
    assert (code, out) == (1, "")
    assert said in err
    assert "Traceback" not in err


def test_a_country_without_a_treaty_rate_is_named(
    run: Run, desk: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "Tracker", Tracker)
    own = tmp_path / "desk"
    shutil.copytree(desk.root, own)
    rates = own / "indices" / "reference" / "withholding.csv"
    lines = rates.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("JP,treaty_ucits_ie,")]
    assert len(kept) < len(lines)
    rates.write_text("".join(kept), encoding="utf-8")
    code, _, err = run("track", "magnet-chain", "--fund", "ucits-acc", "--workspace", own)
    assert code == 1
    assert "fund ucits-acc: " in err
    assert "withholding.csv has no rate of JP for treaty_ucits_ie (give JP one rate valid on that day)" in err


def test_a_fund_on_an_index_of_few_members_and_its_trial(
    run: Run, desk: Workspace, written: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real ledger: the index whose returns are shown is recorded."""
    from exchina.workflow.trials import recorded_backtest

    monkeypatch.setattr(workflow, "recorded_backtest", recorded_backtest)
    monkeypatch.setattr(workflow, "Tracker", Tracker)
    own = tmp_path / "desk"
    shutil.copytree(desk.root, own, ignore=shutil.ignore_patterns("trials"))
    few = written("few", (r"launch = \S+", "launch = 2026-01-05"), NO_LIMITS)
    code, out, err = run("track", "policy-floor", "--fund", few, "--author", "me", *EVERYTHING[:3], "--workspace", own)
    assert (code, err) == (0, "")
    assert "100.00 % of the index" in out
    (trial,) = workflow.trial_ledger(Workspace(own)).entries()
    assert (trial.index_id, trial.author) == ("policy-floor", "me")
    uncapped = written("uncapped", (r"launch = \S+", "launch = 2026-01-05"))
    code, _, err = run("track", "policy-floor", "--fund", uncapped, "--workspace", own)
    assert code == 1
    assert "limits.ucits_53: the index itself breaks it: second largest issuer" in err
    assert "Lynas Rare Earths Ltd" in err


def test_a_sample_may_carry_a_limit_that_its_index_breaks_and_says_so(track: Run, written: Callable[..., Path]) -> None:
    sample = written("american", (r"full = \{", "stratified = { count = 6,"), (r"ucits_53 = ", "ric = "))
    code, out, err = track("magnet-chain", "--fund", sample, "--limits")
    assert (code, err) == (0, "")
    assert "stratified replication" in out
    assert "limits.ric: the index itself breaks it: cash and issuers not above 5 %" in out
    assert "spells outside a limit that count" in out
