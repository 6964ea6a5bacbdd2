"""The commands of the index desk, as somebody types them who has never done so."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from exchina import workflow
from exchina.workspace import Workspace
from tests.publishing.rehearsed import EFFECTIVE, FIRST, copied, done, row_of
from tests.shell.rehearsal import INDEX

Run = Callable[..., tuple[int, str, str]]
KINDS = {
    "snapshot": "2024-09-06",
    "draft": "2024-09-09",
    "announcement": "2024-09-13",
    "close": "2024-09-20",
    "post_trade": "2024-09-23",
    "factsheet": "2024-09-23",
}


@pytest.fixture(scope="module")
def empty(seed: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A desk that has published nothing; tests leave it so."""
    return copied(seed, tmp_path_factory.mktemp("empty") / "desk")


def test_each_kind_is_published_by_hand(seed: Workspace, tmp_path: Path, run: Run) -> None:
    """In the order in which they build on one another; what is there is found and not repeated."""
    place = copied(seed, tmp_path / "desk")
    for number, (what, as_of) in enumerate(KINDS.items(), 1):
        day = as_of if what == "factsheet" else EFFECTIVE
        asked = ("publish", INDEX, "--what", what, "-m", "small", "--as-of", as_of, "-w", place.root)
        code, out, err = run(*asked, "--dry-run")
        assert (code, err) == (0, "")
        assert f"state would be published, index {INDEX}, what {what}, for_day {day}" in out
        code, out, err = run(*asked)
        assert (code, err) == (0, "")
        assert f"published: {INDEX}, {what} for {day}, ledger row {number}" in out
        assert "SIMULATED PRICES" in out
        paths = [line.strip() for line in out.splitlines() if line.startswith("  ")]
        assert all(Path(path).is_file() for path in paths)
        assert len(paths) == len(workflow.publications(place)[-1].files)
    asked = ("publish", INDEX, "--what", "draft", "-m", "small", "--as-of", KINDS["draft"], "-w", place.root)
    assert f"already published: {INDEX}, draft for {EFFECTIVE}, ledger row 2" in run(*asked)[1]
    said = json.loads(run(*asked, "--json")[1])
    assert (said["new"], said["sequence"], said["due_at"]) == (False, 2, "")
    assert said["provenance"]["simulated"] is True
    assert [what for what, _ in done(place)] == list(KINDS)
    assert workflow.verify(place) == []


NO_ANNOUNCEMENT = "the ledger has no announcement of it (publish the announcement first)"
NO_MARKET = "no market called 'smal' (markets in the store: small; exchina fetch brings another in)"


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (["--what", "post_trade", "--as-of", "2024-09-23"], NO_ANNOUNCEMENT),
        (["--what", "notice", "--as-of", "2024-09-23"], "no notice was due by 2024-09-23"),
        (["--what", "announcement", "--as-of", "2023-09-23"], "the index starts on 2024-06-21"),
        (["--what", "close", "--as-of", "2024-06-20"], "2024-06-21 is after the last price, 2024-06-20"),
        (["--benchmark", "^GSPX", "--as-of", "2024-09-13"], "none called '^GSPX' (did you mean '^GSPC'?)"),
        (["--market", "smal"], NO_MARKET),
    ],
)
def test_what_cannot_be_published_says_why(empty: Workspace, run: Run, tokens: list[str], said: str) -> None:
    market = [] if "--market" in tokens else ["-m", "small"]
    code, _, err = run("publish", INDEX, *tokens, *market, "-w", empty.root)
    assert code == 1
    assert said in " ".join(err.split())
    assert done(empty) == []


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (["publish", INDEX, "--what", "restatement"], "restatement"),
        (["publish", INDEX, "--what", "closes"], "closes"),
        (["publish"], "index"),
        (["restate", INDEX], "--was"),
        (["log", "--last", "many"], "many"),
        (["verify", "--row", "first"], "first"),
    ],
)
def test_wrong_usage_is_told_from_a_problem(empty: Workspace, run: Run, tokens: list[str], said: str) -> None:
    code, out, err = run(*tokens, "-w", empty.root)
    assert code == 2
    assert said in (out + err).lower() if said == "index" else said in out + err


APPROVED = ["--was", "2024-09-20", "-m", "small", "--because", "x", "--approved-by", "y"]


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (["publish", "small-chian"], "no index called 'small-chian' (did you mean 'small-chain'?)"),
        (["restate", INDEX, *APPROVED], "no session was ever closed (exchina calculate closes one)"),
        (["verify", "--row", "1"], "is no publication that can be made again (the ledger has none yet)"),
        (["serve", "--rehearse", "--since", "2024-09-03"], "needs its first and its last day (--since DAY"),
    ],
)
def test_what_is_not_there_is_named_with_the_cure(empty: Workspace, run: Run, tokens: list[str], said: str) -> None:
    code, _, err = run(*tokens, "-w", empty.root)
    assert code == 1
    assert said in " ".join(err.split())


def test_an_empty_ledger_says_so(empty: Workspace, run: Run) -> None:
    code, out, _ = run("log", "-w", empty.root)
    assert (code, "nothing was published yet" in out) == (0, True)
    assert "publications verified: 0" in run("verify", "-w", empty.root)[1]


def test_the_log_shows_what_is_asked_for(rehearsed: Workspace, run: Run) -> None:
    place, rows = rehearsed.root, workflow.publications(rehearsed)
    code, out, _ = run("log", "--last", 0, "-w", place)
    assert code == 0
    assert f"ledger: {len(rows)} of {len(rows)} rows" in out
    assert out.count("clock set by hand") == len(rows)
    assert row_of(rehearsed, "announcement", EFFECTIVE).hash[:12] in out
    out = run("log", INDEX, "--last", 2, "-w", place)[1]
    assert f"ledger: 2 of {len(rows)} rows" in out
    assert "snapshot" not in out
    said = json.loads(run("log", INDEX, "--what", "draft", "--json", "-w", place)[1])
    assert (said["of"], [row["what"] for row in said["rows"]]) == (1, ["draft"])
    code, out, _ = run("log", "ex-china-core", "-w", place)
    assert code == 0
    assert f"no such row; there are: {INDEX} announcement, {INDEX} close" in out


def test_the_pass_of_a_cron_line(seed: Workspace, tmp_path: Path, run: Run) -> None:
    place = copied(seed, tmp_path / "desk")
    asked = ("serve", "--once", "-w", place.root, "--now")
    code, out, err = run(*asked, "2024-09-03T22:30")
    assert (code, err) == (0, "")
    assert "done: close of small-chain for 2024-09-03, ledger row 1, due 2024-09-03T21:30:00+00:00" in out
    code, out, _ = run(*asked, "2024-09-03T22:40")
    assert (code, out.strip()) == (0, "nothing is due")
    code, out, _ = run("serve", "--dry-run", "--now", "2024-09-04T23:00", "-w", place.root)
    assert code == 0
    assert "2024-09-04" in out
    assert done(place) == [("close", FIRST)]
