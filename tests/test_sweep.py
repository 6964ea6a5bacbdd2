"""Variants of a rulebook: the grid, what is refused, and that every one is recorded."""

import json
import re
import shutil
import tomllib
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina import cli, workflow
from exchina.analytics.sweep import config_hash, grid, in_toml, meaning
from exchina.cli.sweep_verb import _variants, after_costs_facts, costs_for, show_after_costs
from exchina.errors import ExchinaError, RulebookError
from exchina.market.view import MarketView
from exchina.model import IndexSeries, Rulebook
from exchina.rulebook import parse_rulebook
from exchina.workflow.evidence import best_evidence
from exchina.workspace import Workspace
from tests.test_trials import NOW

TOP, ISSUER = "select.top.count", "cap.issuer.at_most"


def sweep(place: Workspace, view: MarketView, *varied: str) -> list[workflow.Tried]:
    return workflow.sweep(place, "chain", view, varied, author="ann", at=NOW)


@pytest.fixture
def place(desk: Workspace, chain: Rulebook, tmp_path: Path) -> Workspace:
    """A workspace with one rulebook and no market: the views of others do."""
    shutil.copytree(desk.reference, tmp_path / "indices" / "reference")
    (tmp_path / "indices" / "chain").mkdir()
    text = chain.text.replace('id = "magnet-chain"', 'id = "chain"').replace("2014-12-19", "2025-06-20")
    (tmp_path / "indices" / "chain" / "rulebook.toml").write_text(text, encoding="utf-8")
    return Workspace(tmp_path)


def test_the_last_place_varies_fastest_and_nothing_else_changes(chain: Rulebook) -> None:
    variants, problems = grid(chain.text, [f"{TOP}=15,20", f"{ISSUER}=0.10,0.12"])
    assert problems == []
    assert [variant.label for variant in variants] == [
        f"{TOP}={count}, {ISSUER}={share}" for count in (15, 20) for share in (0.1, 0.12)
    ]
    for variant in variants:
        tree, was = tomllib.loads(variant.text), tomllib.loads(chain.text)
        assert (tree["select"]["top"].pop("count"), tree["cap"]["issuer"].pop("at_most")) == tuple(variant.at.values())
        del was["select"]["top"]["count"], was["cap"]["issuer"]["at_most"]
        assert tree == was


def test_every_published_rulebook_is_the_same_written_again(root: Path) -> None:
    for path in sorted(root.glob("indices/*/rulebook.toml")):
        book = workflow.read_rulebook(path)
        ((again,), _) = grid(book.text, [])
        assert meaning(parse_rulebook(again.text)) == meaning(book)


VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_written_as_toml_reads_the_same(value: object) -> None:
    assert tomllib.loads(f"found = {in_toml(value)}")["found"] == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15,20", [15, 20]),
        ('["a","b"],["c"]', [["a", "b"], ["c"]]),
        ("policy_score,market_cap_usd", ["policy_score", "market_cap_usd"]),
        ("2022-12-16", [date(2022, 12, 16)]),
        ("true,false", [True, False]),
    ],
)
def test_values_are_toml_or_words(chain: Rulebook, text: str, expected: list[object]) -> None:
    variants, problems = grid(chain.text, [f"select.top.by={text}"])
    assert problems == []
    assert [variant.at["select.top.by"] for variant in variants] == expected


def test_the_word_that_the_guide_names_is_one_that_the_parser_knows(chain: Rulebook) -> None:
    variants, _ = grid(chain.text, ["select.top.by=policy_score,market_cap_usd"])
    assert [parse_rulebook(variant.text).index.id for variant in variants] == ["magnet-chain"] * 2


MISTAKES = {
    "a table": ("cap.isuer.at_most=0.1", "cap.isuer.at_most: the rulebook has no 'cap.isuer' (did you mean 'issuer'?)"),
    "a kind": ("kap.issuer.at_most=0.1", "the rulebook has no 'kap' (did you mean 'cap'?)"),
    "a setting": ("select.top.cuont=9", "select.top.cuont: selection 'top' has no setting 'cuont' (did you mean"),
    "a value": ("review.months=[13]", "review.months"),
    "a line": ("select.top.count", "is not a place with values"),
    "no value": ("cap.liquidity.sessions=", "is not a place with values"),
    "twice": ("cap.policy_sponsor.at_most=0.4,0.4", "0.4 is asked for twice"),
    "a name": ("index.name=A,B", "does not change what the index holds"),
    "a reason": ("cap.liquidity.why=A,B", "does not change what the index holds"),
}


def test_every_mistake_is_named_at_once_and_nothing_is_computed(place: Workspace, sample: MarketView) -> None:
    with pytest.raises(RulebookError) as caught:
        sweep(place, sample, *(line for line, _ in MISTAKES.values()))
    said = str(caught.value)
    assert [kind for kind, (_, expected) in MISTAKES.items() if expected not in said] == []
    assert len(caught.value.problems) == len(set(caught.value.problems))
    assert not (place.reports / "trials").exists()


def test_a_place_cannot_be_varied_twice(chain: Rulebook) -> None:
    _, problems = grid(chain.text, [f"{TOP}=1", f"{TOP}=2"])
    assert "is varied twice" in str(problems[0])


def test_a_grid_has_bounds(chain: Rulebook) -> None:
    many = ",".join(str(number) for number in range(1, 102))
    variants, problems = grid(chain.text, [f"{TOP}={many}", f"select.top.keep_until_rank={many}"])
    assert (variants, problems[0].what) == ([], "10,201 variants")


def test_a_grid_of_four_is_computed_and_recorded(place: Workspace, sample: MarketView) -> None:
    told: list[tuple[int, int, str]] = []
    done = workflow.sweep(
        place,
        "chain",
        sample,
        [f"{TOP}=8,12", f"{ISSUER}=0.15,0.2"],
        author="ann",
        at=NOW,
        progress=lambda *said: told.append(said),
    )
    assert [one.new for one in done] == [True] * 4
    rows = workflow.trial_ledger(place).entries()
    assert [row.label for row in rows] == [one.variant.label for one in done]
    assert [said[:2] for said in told] == [(0, 4), (1, 4), (2, 4), (3, 4)]
    for one in done:
        alone = workflow.backtest(parse_rulebook(one.variant.text), sample)
        assert one.levels is not None
        assert one.levels.equals(alone.levels.select("session", "variant", "level"))
        whole = workflow.capacity(alone, sample, fund_usd=25e6).levels
        assert whole is not None
        assert one.after_costs is not None
        measured = whole.filter(pl.col("variant") == "PR")
        assert one.after_costs["after_costs"].to_list() == pytest.approx(measured["after_costs"].to_list(), rel=1e-12)
    again = sweep(place, sample, f"{TOP}=8,12", f"{ISSUER}=0.15,0.2")
    assert [one.new for one in again] == [False] * 4
    assert len(workflow.trial_ledger(place).entries()) == 4
    assert workflow.verify(place) == []


def test_the_best_of_a_sweep_is_judged_beside_the_others(place: Workspace, sample: MarketView) -> None:
    done = sweep(place, sample, f"{ISSUER}=0.15,0.2,0.25")
    found = best_evidence(place, done, sample)
    assert found is not None
    assert found.trial.sharpe == max(one.trial.sharpe or -9 for one in done if one.trial)
    assert (found.tried, found.returns.shape[1], found.left_out) == (3, 3, ())
    honesty = workflow.assessed(found)
    assert (honesty.trials, honesty.compared) == (3, 3)
    assert honesty["dsr"].value is not None


def test_a_larger_fund_keeps_less_and_one_that_cannot_trade_says_why(place: Workspace, sample: MarketView) -> None:
    def table(fund: float) -> dict[str, object]:
        done = workflow.sweep(place, "chain", sample, [f"{ISSUER}=0.15"], author="ann", at=NOW, fund_usd=fund)
        return workflow.sweep_table(done).row(0, named=True)

    small, large, vast = (table(fund) for fund in (1e6, 100e6, 1e15))
    assert small["return"] == large["return"] == vast["return"]
    assert small["return"] > small["after_costs"] > large["after_costs"]  # type: ignore[operator]
    assert (small["cost_note"], vast["after_costs"]) == ("", None)
    assert "ask for a smaller one" in str(vast["cost_note"])
    with pytest.raises(ExchinaError, match="a size above zero"):
        table(0.0)


def test_a_backtest_says_what_costs_leave_before_what_it_made(
    chain_series: IndexSeries, sample: MarketView, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = after_costs_facts(chain_series, sample, 25e6)
    assert [row["variant"] for row in facts["returns"]] == list(chain_series.book.index.returns)
    assert all(row["after_costs"] < row["gross"] for row in facts["returns"])
    show_after_costs(facts)
    show_after_costs(after_costs_facts(chain_series, sample, 1e15))
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("After costs: PR ")
    assert first.index("After costs") < first.index("before costs")
    assert "for a fund of USD 25m throughout" in first
    assert second.startswith("After costs, n/a: ")
    assert "ask for a smaller one" in second


def test_what_cannot_be_met_is_a_row_and_counts_as_tried(place: Workspace, sample: MarketView) -> None:
    path = place.rulebook("chain")
    path.write_text(re.sub(r"if_infeasible = .*", "if_infeasible = []", path.read_text()), encoding="utf-8")
    done = sweep(place, sample, "cap.policy_sponsor.at_most=0.01,0.5")
    assert [one.levels is None for one in done] == [True, False]
    assert "policy_sponsor" in done[0].reason
    row = workflow.trial_ledger(place).entries()[0]
    assert (row.reason, row.first, row.sessions, row.sharpe) == (done[0].reason, "", 0, None)
    found = best_evidence(place, done, sample)
    assert found is not None
    assert (found.tried, len(found.names)) == (2, 1)
    assert [reason.startswith("no levels: ") for _, reason in found.left_out] == [True]
    assert workflow.verify(place) == []


def test_values_that_contradict_each_other_are_told_and_are_no_trial(place: Workspace, sample: MarketView) -> None:
    done = sweep(place, sample, f"{TOP}=8,12", f"{ISSUER}=0.10,0.15")
    assert [bool(one.reason) for one in done] == [True, False, False, False]
    assert "no basket can meet it: 0.1 x 8" in done[0].reason
    assert done[0].trial is None
    assert len(workflow.trial_ledger(place).entries()) == 3


def test_tables_and_levels_are_written(place: Workspace, sample: MarketView, tmp_path: Path) -> None:
    done = sweep(place, sample, f"{TOP}=8,12", f"{ISSUER}=0.10,0.15")
    files = workflow.written_sweep(done, tmp_path / "out")
    assert [path.name for path in files] == ["variants.csv", "levels.parquet"]
    levels = pl.read_parquet(files[1])
    assert levels["number"].unique().sort().to_list() == [2, 3, 4]
    assert levels.filter(pl.col("number") == 2).drop("number").equals(done[1].levels)
    table = pl.read_csv(files[0])
    assert table["number"].to_list() == [1, 2, 3, 4]
    assert table[TOP].to_list() == [8, 8, 12, 12]
    assert table["turnover"].null_count() == 1


def test_the_command_prints_the_grid_and_what_can_be_claimed(
    desk: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "desk"
    shutil.copytree(desk.root, own, ignore=shutil.ignore_patterns("trials"))
    rulebook = own / "indices" / "magnet-chain" / "rulebook.toml"
    rulebook.write_text(rulebook.read_text(encoding="utf-8").replace("2014-12-19", "2025-06-20"), encoding="utf-8")
    asked = ["sweep", "magnet-chain", "--vary", f"{ISSUER}=0.20,0.15", "--author", "ann", "-w", str(own)]

    def run(*more: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main([*asked, *more])
        return int(left.value.code or 0), *capsys.readouterr()

    code, out, err = run()
    assert code == 0
    assert err.splitlines()[0] == "2 variants, each that is computed is recorded as a trial"
    assert "magnet-chain: 2 variants (hypothetical)" in out
    assert "In the order of the grid, not of the returns" in out
    assert out.index(" 0.2 ") < out.index(" 0.15 ")
    assert out.index("after costs %") < out.index("before costs %")
    said = " ".join(out.split())
    assert "volatility and drawdown (the deepest) before costs" in said
    assert "for a fund of USD 25m throughout" in said
    assert ", before costs, against ^GSPC" in said
    assert "2 sets of rules tried on market sample, 2 comparable" in out
    assert "SIMULATED PRICES" in out
    _, out, err = run("--json")
    told = json.loads(out)
    assert (told["index"], err) == ("magnet-chain", "")
    assert [row["new"] for row in told["variants"]] == [False, False]
    assert [row["after_costs"] < row["return"] for row in told["variants"]] == [True, True]
    assert (told["fund_usd"], told["best"]["before_costs"]) == (25e6, True)
    assert {"dsr", "pbo", "p_spa_upper"} <= {figure["name"] for figure in told["best"]["figures"]}
    code, _, err = run("--vary", "cap.isuer.at_most=1")
    assert code == 1
    assert "did you mean 'issuer'" in err
    code, out, err = run("--out", str(rulebook))
    assert (code, out) == (1, "")
    assert err.startswith("--out ")  # and nothing was tried: the line that counts variants is not there


def test_one_variant_is_one_and_a_small_fund_stands_in_full() -> None:
    assert [_variants(count) for count in (1, 2, 1200)] == ["1 variant", "2 variants", "1,200 variants"]
    assert "for a fund of USD 1 throughout" in costs_for(1.0)
    assert "for a fund of USD 2.5m throughout" in costs_for(2.5e6)


def test_a_hash_is_the_same_on_every_machine(chain: Rulebook) -> None:
    told = json.loads(meaning(chain))
    assert told["index"] == {"base_date": "2014-12-19", "currency": "USD"}
    assert told["rules"][0] == {
        "fails_to_leave": 1,
        "kind": "cap",
        "name": "issuer",
        "passes_to_enter": 1,
        "settings": {"at_most": 0.15},
    }
    assert '"why"' not in meaning(chain)
    assert config_hash(chain) == config_hash(parse_rulebook(chain.text))
