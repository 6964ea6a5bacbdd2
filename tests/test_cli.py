"""The command line as a person meets it: exit codes, messages, and what is left behind."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from exchina import workflow
from exchina.workspace import Workspace, open_workspace

Run = Callable[..., tuple[int, str, str]]


SCHEDULE = """[[job]]
do = "publish"
what = "announcement"
index = ["ex-china-core", "magnet-chain"]
market = "sample"
on = "announcement_day"
at = "18:00"
zone = "America/New_York"
since = 2026-09-01
"""


@pytest.fixture
def own_desk(desk: Workspace, tmp_path: Path) -> Path:
    """A desk that a test may write to, which announces reviews."""
    shutil.copytree(desk.root, tmp_path / "desk")
    (tmp_path / "desk" / "scheduler" / "schedule.toml").write_text(SCHEDULE)
    return tmp_path / "desk"


def test_help_starts_without_the_data_stack() -> None:
    code = (
        "import sys; from exchina import cli\ntry: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('polars', 'pandera', 'numpy', 'pydantic', 'sqlalchemy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_import_of_the_package_is_light() -> None:
    code = "import sys, exchina; print('polars' in sys.modules, 'backtest' in dir(exchina))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_every_public_name_resolves() -> None:
    import exchina

    for name in exchina.__all__:
        assert getattr(exchina, name).__name__ == name


@pytest.mark.parametrize(
    "tokens",
    [["nonsense"], ["propose"], ["propose", "magnet-chain", "--as-of", "tomorrow"], ["backtest", "x", "--bogus"]],
)
def test_wrong_usage_is_exit_2(run: Run, tokens: list[str]) -> None:
    code, _, err = run(*tokens)
    assert code == 2
    assert err or _


def test_outside_a_workspace_the_message_says_how_to_make_one(run: Run, tmp_path: Path) -> None:
    code, _, err = run("check", "--workspace", tmp_path)
    assert code == 1
    assert "this folder is no workspace" in err
    assert "exchina init" in err


def test_init_leaves_what_is_there(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / "w" / "scheduler" / "schedule.toml"
    mine.parent.mkdir(parents=True)
    mine.write_text("# mine\n")
    code, out, _ = run("init", tmp_path / "w")
    assert code == 0
    assert "written" in out
    assert mine.read_text() == "# mine\n"
    assert (tmp_path / "w" / "indices" / "magnet-chain" / "rulebook.toml").is_file()


def test_init_on_a_file_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "w").write_text("")
    code, _, err = run("init", tmp_path / "w")
    assert code == 1
    assert "cannot write here" in err


def test_unknown_index_and_market_come_with_a_hint(run: Run, desk: Workspace) -> None:
    code, _, err = run("explain", "magnet-chian", "-w", desk.root)
    assert code == 1
    assert "did you mean 'magnet-chain'" in err
    code, _, err = run("propose", "magnet-chain", "-m", "yahoo", "-w", desk.root)
    assert code == 1
    assert "no market called 'yahoo'" in err


def test_propose_for_people_and_for_machines(run: Run, desk: Workspace) -> None:
    code, out, _ = run("propose", "magnet-chain", "--as-of", "2026-09-10", "-w", desk.root)
    assert code == 0
    assert "effective after the close of 2026-09-18" in out
    assert "SIMULATED PRICES" in out
    code, out, _ = run("propose", "magnet-chain", "--as-of", "2026-09-10", "-w", desk.root, "--json")
    answer = json.loads(out)
    assert answer["effective"] == "2026-09-18"
    assert sum(member["weight"] for member in answer["members"]) == pytest.approx(1)


def test_study_refuses_an_unknown_kind(run: Run, desk: Workspace) -> None:
    code, _, err = run("study", "magnet-chain", "--kind", "china_export_contrl", "-w", desk.root)
    assert code == 1
    assert "china_export_control" in err


def test_scheduled_events_never_enter_a_study(run: Run, desk: Workspace) -> None:
    _, out, _ = run("study", "magnet-chain", "-w", desk.root, "--json")
    answer = json.loads(out)
    left = {event["event_id"]: event["note"] for event in answer["events"] if event["status"] != "studied"}
    assert {"S20261110-CN-SUSPENSION-END", "S20261127-CN-GAGESB-END", "S20270111-TRUCE-END"} <= set(left)
    assert not set(left) & {row["event_id"] for row in answer["table"]}
    assert answer["family_size"] >= sum(row["p"] is not None for row in answer["table"]) > 100


def test_publish_twice_and_verify(run: Run, own_desk: Path) -> None:
    first = run("publish", "ex-china-core", "--as-of", "2026-09-14", "-w", own_desk)
    assert first[0] == 0, first
    assert "published: ex-china-core, announcement for 2026-09-18, ledger row 1" in first[1]
    files = {path: path.read_bytes() for path in sorted((own_desk / "reports").rglob("announcement/2026-09-18/*"))}
    assert len(files) == 7
    again = run("publish", "ex-china-core", "--as-of", "2026-10-02", "-w", own_desk)
    assert again[0] == 0
    assert "already published" in again[1]
    assert {path: path.read_bytes() for path in files} == files
    assert "publications verified: 1" in run("verify", "-w", own_desk)[1]
    shocks = own_desk / "indices" / "reference" / "policy_shocks.csv"
    kept = [line for line in shocks.read_text().splitlines(keepends=True) if not line.startswith("S20250710-MP-DOW")]
    shocks.write_text("".join(kept))
    code, _, err = run("verify", "-w", own_desk)
    assert code == 1
    assert "event_ledger.csv: rests on S20250710-MP-DOW" in err


def test_a_tampered_file_stops_verify_and_publish(run: Run, own_desk: Path) -> None:
    run("publish", "ex-china-core", "--as-of", "2026-06-12", "-w", own_desk)
    sheet = own_desk / "reports" / "ex-china-core" / "announcement" / "2026-06-18" / "proforma.csv"
    ledger = (own_desk / "reports" / "ledger.jsonl").read_bytes()
    sheet.write_text(sheet.read_text().replace("lynas", "lynax"))
    code, _, err = run("verify", "-w", own_desk)
    assert code == 1
    assert "proforma.csv" in err
    code, _, err = run("publish", "ex-china-core", "--as-of", "2026-09-14", "-w", own_desk)
    assert code == 1
    assert "proforma.csv" in err
    assert (own_desk / "reports" / "ledger.jsonl").read_bytes() == ledger
    assert not (own_desk / "reports" / "ex-china-core" / "announcement" / "2026-09-18").exists()


def test_the_same_publication_is_the_same_bytes_whatever_the_threads(desk: Workspace, tmp_path: Path) -> None:
    import os

    found = []
    for threads in ("1", "2", "4"):
        folder = tmp_path / threads
        shutil.copytree(desk.root, folder)
        command = [
            sys.executable,
            "-m",
            "exchina.cli",
            "publish",
            "magnet-chain",
            "--as-of",
            "2026-09-11",
            "-w",
            str(folder),
        ]
        environment = {**os.environ, "POLARS_MAX_THREADS": threads, "OMP_NUM_THREADS": threads}
        subprocess.run(command, env=environment, check=True, capture_output=True)
        published = folder / "reports" / "magnet-chain" / "announcement" / "2026-09-18"
        found.append({path.name: path.read_bytes() for path in published.iterdir()})
    assert found[0] == found[1] == found[2]


def test_the_first_composition_is_announced_before_there_are_levels(run: Run, own_desk: Path) -> None:
    code, out, _ = run("publish", "magnet-chain", "--as-of", "2014-12-15", "-w", own_desk)
    assert code == 0
    assert "announcement for 2014-12-19" in out
    assert "announcement.pdf" in out
    assert "factsheet" not in out


def test_publishing_before_anything_was_announced(run: Run, own_desk: Path) -> None:
    code, _, err = run("publish", "magnet-chain", "--as-of", "2014-06-02", "-w", own_desk)
    assert code == 1
    assert "no announcement was due by 2014-06-02" in err


def test_serve_once_does_what_is_due_and_no_more(run: Run, own_desk: Path) -> None:
    moment = ("--once", "--now", "2026-09-12T00:00:00", "-w", own_desk)
    code, out, _ = run("serve", "--dry-run", *moment)
    assert code == 0
    assert out.count("announcement") == 2
    assert not (own_desk / "reports" / "ledger.sqlite").exists()
    code, out, _ = run("serve", *moment)
    assert (code, out.count("done: announcement")) == (0, 2)
    code, out, _ = run("serve", *moment)
    assert (code, out.strip()) == (0, "nothing is due")


def test_serve_reports_what_it_cannot_do(run: Run, own_desk: Path) -> None:
    code, _, err = run("serve", "--once", "--now", "2026-12-20T00:00:00", "-w", own_desk)
    assert code == 1
    assert f"prices of XTKS end on {date(2026, 11, 20)}" in err


def test_a_folder_that_cannot_be_written_leaves_the_ledger_as_it_was(run: Run, own_desk: Path) -> None:
    (own_desk / "reports" / "magnet-chain").write_text("in the way")
    code, _, err = run("publish", "magnet-chain", "--as-of", "2026-09-11", "-w", own_desk)
    assert code == 1
    assert "magnet-chain" in err
    assert "publications verified: 0" in run("verify", "-w", own_desk)[1]


def test_check_names_every_fault_of_a_workspace(run: Run, own_desk: Path) -> None:
    stages = own_desk / "indices" / "reference" / "stages.csv"
    stages.write_text(
        stages.read_text().replace("magnet_maker,primary,2010-01-01", "magnet-maker,primary,2010-13-01", 1)
    )
    book = own_desk / "indices" / "magnet-chain" / "rulebook.toml"
    book.write_text(book.read_text().replace("top =", "topp ="))
    schedule = own_desk / "scheduler" / "schedule.toml"
    schedule.write_text(schedule.read_text().replace("ex-china-core", "ex-china-cor"))
    code, out, err = run("check", "-w", own_desk)
    assert code == 1
    assert "stages.csv row" in err
    assert "magnet_maker" in err
    assert "2010-13-01" in err
    assert "no selection called 'topp'" in err
    assert "did you mean 'ex-china-core'" in err
    assert "problems:" in out
    code, out, _ = run("check", "-w", own_desk, "--json")
    assert len(json.loads(out)["problems"]) >= 4


def test_check_knows_the_calendars_and_the_companies_that_rulebooks_name(run: Run, own_desk: Path) -> None:
    book = own_desk / "indices" / "magnet-chain" / "rulebook.toml"
    group = 'group = { groups = { one = { of = ["mp-material"], at_most = 0.3 } }, why = "One." }\n'
    text = book.read_text().replace('calendar = "XNYS"', 'calendar = "XNYZ"').replace("[cap]\n", f"[cap]\n{group}", 1)
    book.write_text(text)
    _, _, err = run("check", "-w", own_desk)
    assert "review.calendar: no calendar called 'XNYZ' (did you mean 'XNYS'?)" in " ".join(err.split())
    assert "no company called 'mp-material' (did you mean 'mp-materials'?)" in " ".join(err.split())


def test_questions_that_have_no_answer_are_refused(run: Run, desk: Workspace, tmp_path: Path) -> None:
    place = ("-w", desk.root)
    late = run("explain", "magnet-chain", "mp-materials", "--since", "2027-03-01", "--as-of", "2026-10-01", *place)
    early = run("report", "factsheet", "magnet-chain", "--as-of", "2014-11-03", "--out", tmp_path, *place)
    folder = run("explain", "magnet-chain", "--out", tmp_path, *place)
    for (code, _, err), said in [
        (late, "lies after the data"),
        (early, "the index begins on"),
        (folder, "is a folder"),
    ]:
        assert code == 1
        assert said in err


def test_an_index_is_called_as_its_folder(run: Run, own_desk: Path) -> None:
    shutil.copytree(own_desk / "indices" / "magnet-chain", own_desk / "indices" / "magnet-two")
    fault = "found 'magnet-chain' in the folder 'magnet-two'"
    for verb in (["check"], ["publish", "magnet-two"], ["backtest", "magnet-two"]):
        code, _, err = run(*verb, "-w", own_desk)
        assert code == 1
        assert fault in err


def test_one_broken_rulebook_does_not_stop_the_others(run: Run, own_desk: Path) -> None:
    book = own_desk / "indices" / "ex-china-core" / "rulebook.toml"
    book.write_text(book.read_text().replace("top =", "topp ="))
    code, out, err = run("serve", "--once", "--now", "2026-09-12T00:00:00", "-w", own_desk)
    assert code == 1
    assert "done: announcement of magnet-chain" in out
    assert "no selection called 'topp'" in err


def test_reviews_are_published_in_their_order(run: Run, own_desk: Path) -> None:
    run("publish", "ex-china-core", "--as-of", "2026-09-14", "-w", own_desk)
    code, _, err = run("publish", "ex-china-core", "--as-of", "2026-08-01", "-w", own_desk)
    assert code == 1
    assert "the announcement of 2026-09-18 is published already" in err


def test_a_changed_rulebook_is_said_beside_what_was_published(run: Run, own_desk: Path) -> None:
    run("publish", "ex-china-core", "--as-of", "2026-09-14", "-w", own_desk)
    book = own_desk / "indices" / "ex-china-core" / "rulebook.toml"
    book.write_text(book.read_text() + "# another thought\n")
    code, out, _ = run("publish", "ex-china-core", "--as-of", "2026-09-14", "-w", own_desk)
    assert code == 0
    assert "the rulebook has changed since" in out


@pytest.mark.parametrize(
    "tokens", [["propose", "magnet-chain"], ["backtest", "magnet-chain"], ["study", "magnet-chain"]]
)
def test_machines_are_told_that_prices_are_simulated(run: Run, desk: Workspace, tokens: list[str]) -> None:
    _, out, _ = run(*tokens, "-w", desk.root, "--json")
    assert json.loads(out)["provenance"]["simulated"] is True


def test_tables_of_a_backtest(run: Run, desk: Workspace, tmp_path: Path) -> None:
    code, out, _ = run("backtest", "magnet-chain", "--out", tmp_path, "-w", desk.root)
    assert code == 0
    names = {path.stem for path in (tmp_path / "magnet-chain").iterdir()}
    assert names == {"baskets", "divisor", "levels", "points", "shares", "statuses", "turnover"}
    assert "Return since base" in out or "return" in out.lower()


def test_an_unknown_benchmark_is_an_error(run: Run, desk: Workspace) -> None:
    code, _, err = run("study", "magnet-chain", "--benchmark", "SPX", "-w", desk.root)
    assert code == 1
    assert "the market has none called 'SPX'" in err


def test_a_damaged_store_is_found(run: Run, own_desk: Path) -> None:
    part = max((own_desk / "store" / "sample" / "parts").iterdir(), key=lambda path: path.stat().st_size)
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    code, _, err = run("check", "-w", own_desk)
    assert code == 1
    assert part.name in err


def test_report_writes_without_publishing(run: Run, own_desk: Path, tmp_path: Path) -> None:
    before = len(workflow.trial_ledger(open_workspace(own_desk)).entries())
    code, _, _ = run(
        "report", "factsheet", "magnet-chain", "--as-of", "2026-10-01", "--out", tmp_path / "o", "-w", own_desk
    )
    assert code == 0
    assert {path.suffix for path in (tmp_path / "o").iterdir()} == {".pdf", ".html", ".csv"}
    tried = workflow.trial_ledger(open_workspace(own_desk)).entries()
    assert len(tried) == before + 1, "a factsheet shows returns: it is a trial"
    assert "publications verified: 0" in run("verify", "-w", own_desk)[1]


def test_a_dry_run_of_fetch_writes_nothing(run: Run, tmp_path: Path) -> None:
    run("init", tmp_path)
    code, out, _ = run("fetch", "sample", "--dry-run", "-w", tmp_path)
    assert code == 0
    assert "dry run, nothing written" in out
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("2025-07-10,MP,nan", "row 3"),
        ("2025-07-10,MP,", "row 3"),
        ("2025-07-10,MP,0", "row 3"),
        ("2025-07-10,MP,-4.5", "row 3"),
        ("2025-07-10,MP,45.23\n2025-07-10,MP,45.23", "row 4"),
        ("2025-07-08,MP,45.23", "row 3"),
        ("2025-07-10,MPX,45.23", "MPX"),
        ("2025-07-10,LYC.AX,9.1", "AUD"),
        ("2019-07-10,USAR,10.1", "outside_listing_window"),
    ],
)
def test_bad_prices_are_refused_and_the_store_stays(run: Run, own_desk: Path, row: str, fault: str) -> None:
    (own_desk / "p.csv").write_text(f"day,code,last\n2025-07-09,MP,30.03\n{row}\n")
    (own_desk / "p.toml").write_text(
        '[source]\ndescription = "Mine."\n[[prices]]\npath = "p.csv"\nsession = "day"\nsymbol = "code"\n'
        'close = "last"\n'
    )
    before = sorted((own_desk / "store").rglob("*"))
    code, _, err = run("fetch", "files", "--mapping", own_desk / "p.toml", "--market", "mine", "-w", own_desk)
    assert code == 1
    assert fault in err
    assert "p.csv" in err or "AUD" in err
    assert sorted((own_desk / "store").rglob("*")) == before


def test_a_study_is_cut_by_pillar_and_country(run: Run, desk: Workspace) -> None:
    cut = ("study", "magnet-chain", "--pillar", "alliance", "--country", "US", "AU", "-w", desk.root)
    whole, part = (json.loads(run(*one, "--json")[1]) for one in (("study", "magnet-chain", "-w", desk.root), cut))
    studied = {row["event_id"] for row in part["events"] if row["status"] == "studied"}
    assert {"S20251020-US-AU", "S20260205-SERRA-DFC"} <= studied
    assert not studied & {"S20250710-MP-DOW", "S20260730-JOGMEC-LOFDAL", "S20251203-RESOURCEEU"}
    family = ("p_holm", "p_bh", "p_by")
    cars, all_cars = (
        [{name: value for name, value in row.items() if name not in family} for row in answer["table"]]
        for answer in (part, whole)
    )
    assert cars
    assert all(row in all_cars for row in cars)
    assert part["family_size"] < whole["family_size"]
    assert len(part["events"]) == len(whole["events"])
    code, out, _ = run(*cut)
    assert code == 0
    assert "not asked for" not in out
    code, _, err = run("study", "magnet-chain", "--pillar", "aliance", "--country", "QQ", "-w", desk.root)
    assert code == 1
    assert "did you mean 'alliance'" in err
    assert "no event of country 'QQ'" in err


def test_the_registry_as_of_a_day(run: Run, desk: Workspace) -> None:
    held = [
        json.loads(run("policy", "mp-materials", "--as-of", f"2025-07-{day}", "--json", "-w", desk.root)[1])
        for day in ("09", "10")
    ]
    floors = [{row["id"] for row in one["floors"]} for one in held]
    assert floors == [set(), {"MP-DOW-2025-FLOOR", "MP-DOW-2025-10X-OFF"}]
    code, out, _ = run("policy", "--pillar", "alliance", "--country", "JP", "--as-of", "2026-06-30", "-w", desk.root)
    assert code == 0
    assert "LYC-JARE-2023-EQ" in out
    assert "MP-MAADEN-2025-JV" not in out
    code, out, _ = run("policy", "mp-materials", "--recorded-by", "2026-11-22", "-w", desk.root)
    assert code == 0
    assert "one by one" in out
    assert "MP-DOW" not in out
    code, _, err = run("policy", "mp-material", "--pillar", "aliance", "-w", desk.root)
    assert code == 1
    assert "did you mean 'mp-materials'" in err
    assert "did you mean 'alliance'" in err
