"""`exchina stress` as a person meets it, and what the scenario files of a workspace may not say."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from exchina import cli, workflow
from exchina.market.view import MarketView
from exchina.model import Basket, Rulebook
from exchina.workflow.stress import check_scenarios, read_scenarios, replay_events, reverse, stress
from exchina.workspace import Workspace, open_workspace

Run = Callable[..., tuple[int, str, str]]
DAY = date(2026, 9, 10)


@pytest.fixture
def run(desk: Workspace, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*tokens: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main(["stress", *tokens, "--workspace", str(desk.root)])
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return call


@pytest.fixture(scope="module")
def basket(chain: Rulebook, sample: MarketView) -> Basket:
    return workflow.propose(chain, sample.as_of(DAY))


def test_side_by_side_with_its_cautions(run: Run) -> None:
    code, out, _ = run(
        *("magnet-chain", "--details", "--as-of", "2026-09-10"), *("--scenario", "ndpr-40", "essay-2040-50")
    )
    assert code == 0
    for words in (
        "with %",
        "without %",
        "softened %",
        "these weights would have lost",
        "with the measures in force",
        "(assumed)",
        "who pays the floors",
        "No scenario carries a probability",
        "HYPOTHETICAL. SIMULATED PRICES.",
        "later than these weights",
    ):
        assert words in out, words
    assert out.count("OPINION") >= 2
    for words in ("guarantee", "protected", "probability of", "will lose", "expected to"):
        assert words not in out.lower(), words


def test_a_floor_that_the_scenario_supposes_is_told_apart(run: Run) -> None:
    code, out, _ = run("magnet-chain", "--scenario", "allied-price-floor-bloc", "--as-of", "2026-09-10")
    assert code == 0
    said = " ".join(out.split())
    for words in (
        "with its own floor %",
        "one that the scenario supposes on top of the measures in force; it is not in force",
        "Had the scenario's floor of 110 USD/kg held as well, which is not in force, they would have",
    ):
        assert words in said, words
    tables = {}
    for name in ("allied-price-floor-bloc", "ndpr-40"):
        _, out, _ = run("magnet-chain", "--scenario", name, "--json", "--as-of", "2026-09-10")
        tables[name] = json.loads(out)
    bloc, plain = (found["table"][0] for found in tables.values())
    assert [bloc[name] for name in ("with_measures", "dampener")] == [
        plain[name] for name in ("with_measures", "dampener")
    ]
    assert (bloc["with_scenario_floor"] > bloc["with_measures"], plain["with_scenario_floor"]) == (True, None)
    passed = [found["propagated"][0]["propagated_with_floor"] for found in tables.values()]
    assert [one is None for one in passed] == [False, True]


def test_json_carries_everything(run: Run) -> None:
    code, out, _ = run(
        *("magnet-chain", "--scenario", "ndpr-40", "--replay", "--kind", "china_price_dumping"),
        *("--reverse", "0.2", "--json", "--as-of", "2026-09-10"),
    )
    assert code == 0
    found = json.loads(out)
    assert found["provenance"]["simulated"] is True
    assert (found["index"], found["indicative"]) == ("magnet-chain", False)
    assert len(found["table"]) == 2 * 6
    assert [event["kind"] for event in found["replay"]["events"]] == ["china_price_dumping"]
    assert found["reverse"]["distance"] > 0
    assert {row["basis"] for row in found["inputs"]} == {"known", "assumed"}
    assert all(row["source"] for row in found["inputs"])


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ((), "no index named"),
        (("magnet-chian",), "did you mean 'magnet-chain'?"),
        (("magnet-chain", "--scenario", "ndpr40"), "did you mean 'ndpr-40'?"),
        (("magnet-chain", "--kind", "china_quota"), "add --replay"),
        (("magnet-chain", "--reverse", "-0.1"), "a loss between 0 and 1"),
        (("magnet-chain", "--reverse", "0.999"), "the largest loss that this can answer for these weights is 0."),
    ],
)
def test_wrong_wishes_are_refused_with_a_cure(run: Run, tokens: tuple[str, ...], said: str) -> None:
    code, _, err = run(*tokens)
    assert code == 1
    assert said in err


def test_the_first_line_says_whose_weights(run: Run) -> None:
    """The sample ends before the cut-off of the review of December; that of September was reached on 2026-09-10."""
    early, late = (run("magnet-chain", "--scenario", "truce", *more)[1] for more in ((), ("--as-of", "2026-09-10")))
    assert "next review, indicative: the cut-off is not reached: weights of" in early.splitlines()[0]
    assert "next review: weights of" in late.splitlines()[0]


def test_long_titles_of_past_events_are_seen_to_be_cut(run: Run) -> None:
    _, out, _ = run("magnet-chain", "--replay", "--kind", "china_quota", "--as-of", "2026-09-10")
    assert "China cuts its second-half 2010 rare earth export quota by …" in out


def test_list(run: Run) -> None:
    code, out, _ = run("--list")
    assert code == 0
    assert "ndpr-40" in out
    assert "essay-2040-30" in out


def test_faults_of_all_files_at_once(desk: Workspace, tmp_path: Path) -> None:
    shutil.copytree(desk.indices, tmp_path / "indices")
    place = open_workspace(tmp_path)
    assert check_scenarios(place) == []
    assert "scenarios" not in place.index_ids()
    folder = place.scenarios
    (folder / "other.toml").write_text((folder / "truce.toml").read_text().replace("trade_truce", "trade_truces"))
    assumed = folder / "assumptions" / "firms.toml"
    assumed.write_text(assumed.read_text().replace("[upside.MP-DOW-2025-FLOOR]", "[upside.MP-DOW-FLOOR]"))
    said = "\n".join(str(problem) for problem in check_scenarios(place))
    assert 'write id = "other"' in said
    assert "no kind of event called 'trade_truces' (did you mean 'trade_truce'?)" in said
    (folder / "other.toml").unlink()
    said = "\n".join(str(problem) for problem in check_scenarios(place))
    assert "upside.MP-DOW-FLOOR: no measure called 'MP-DOW-FLOOR'" in said
    shutil.rmtree(folder)
    assert check_scenarios(place) == []


def test_a_rulebook_or_its_basket(desk: Workspace, chain: Rulebook, sample: MarketView, basket: Basket) -> None:
    asked = read_scenarios(desk, ["ndpr-40"])
    cut = sample.as_of(DAY)
    found = stress(basket, cut, asked)
    assert stress(chain, cut, asked).table.equals(found.table)
    assert found.table["covered_weight"][0] == pytest.approx(1.0)
    assert 0 < found.table["assumed_weight"][0] < 1


def test_nothing_known_after_the_cut_off_is_read(desk: Workspace, sample: MarketView, basket: Basket) -> None:
    """A basket of an earlier day is stressed alike by an older and by a newer view."""
    asked = read_scenarios(desk)
    old, new = (stress(basket, view, asked) for view in (sample.as_of(DAY), sample))
    assert old.table.equals(new.table)
    assert old.propagated.equals(new.propagated)
    assert replay_events(basket, sample.as_of(DAY)).events.equals(replay_events(basket, sample).events)


def test_before_any_floor_the_measures_soften_nothing(desk: Workspace, chain: Rulebook, sample: MarketView) -> None:
    early = stress(workflow.propose(chain, sample.as_of(date(2025, 6, 30))), sample, read_scenarios(desk, ["ndpr-60"]))
    assert set(early.table["dampener"]) == {0.0}


def test_reverse_adds_up_to_the_loss(sample: MarketView, basket: Basket) -> None:
    found = reverse(basket, sample, 0.25)
    moves = found["moves"]
    assert float((moves["weight"] * moves["move"]).sum()) == pytest.approx(-0.25)  # type: ignore[index]
    assert basket.members.height == len(found["left_out"]) + moves.height  # type: ignore[arg-type,union-attr]
