"""The ledger of trials: what was tried stays tried, under whatever name, and whatever fails."""

import multiprocessing
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa

from exchina import cli, workflow
from exchina.analytics.sweep import config_hash
from exchina.errors import ExchinaError, InfeasibleError, PublicationError
from exchina.ledger import Ledger
from exchina.ledger.database import connected, place_of
from exchina.ledger.trials import Trial, TrialLedger, open_trials
from exchina.market.view import MarketView
from exchina.model import Rulebook
from exchina.rulebook import parse_rulebook
from exchina.workflow.trials import seal_faults, trials_seal
from exchina.workspace import Workspace

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def place(desk: Workspace, tmp_path: Path) -> Workspace:
    """A workspace with nothing but its reference data: the views and rulebooks of others do."""
    shutil.copytree(desk.reference, tmp_path / "indices" / "reference")
    return Workspace(tmp_path)


@pytest.fixture
def book(chain: Rulebook) -> Rulebook:
    """A rulebook that is quickly computed."""
    return edited(chain, ("2014-12-19", "2025-06-20"))


def edited(book: Rulebook, *changes: tuple[str, str]) -> Rulebook:
    text = book.text
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_rulebook(text)


def run(
    place: Workspace, book: Rulebook, view: MarketView, at: datetime = NOW, author: str = "ann"
) -> tuple[Trial, bool]:
    _, trial, new = workflow.recorded_backtest(place, book, view, author=author, at=at)
    return trial, new


def rows(place: Workspace) -> list[Trial]:
    return workflow.trial_ledger(place).entries()


def test_a_backtest_leaves_a_row_with_its_levels(place: Workspace, book: Rulebook, sample: MarketView) -> None:
    series, trial, new = workflow.recorded_backtest(place, book, sample, author="ann", at=NOW)
    assert new
    assert rows(place) == [trial]
    assert (trial.index_id, trial.market, trial.author, trial.label) == ("magnet-chain", "sample", "ann", "")
    assert (trial.first, trial.last) == ("2025-06-20", "2026-11-20")
    assert trial.recorded_at == "2026-11-23T09:00:00+00:00"
    levels = workflow.trial_ledger(place).levels(trial)
    assert levels is not None
    assert levels.equals(series.levels.select("session", "variant", "level"))
    price = series.levels.filter(pl.col("variant") == "PR")["level"].to_numpy()
    returns = price[1:] / price[:-1] - 1
    assert trial.sessions == len(returns)
    assert trial.sharpe == pytest.approx(np.mean(returns) / np.std(returns, ddof=1), rel=1e-12)
    assert workflow.verify(place) == []


def test_the_pure_backtest_records_nothing(place: Workspace, book: Rulebook, sample: MarketView) -> None:
    workflow.backtest(book, sample)
    assert not place.reports.exists()


def test_two_runs_are_one_trial(place: Workspace, book: Rulebook, sample: MarketView) -> None:
    first, _ = run(place, book, sample)
    again, new = run(place, book, sample, at=LATER, author="bob")
    assert (again, new) == (first, False)
    assert len(rows(place)) == 1


CHINA = (
    'not_domiciled_in = { countries = ["CN", "HK", "MO"], '
    'why = "Ex-China means the issuer, its listing and its control." }'
)
SAME = {
    "name": [('name = "ExChina Magnet Chain Index"', 'name = "Alpha"'), ('id = "magnet-chain"', 'id = "alpha"')],
    "version": [('version = "1.0.0"', 'version = "2.0.0"'), ("The mine-to-magnet chain", "A chain")],
    "why": [("Large enough to trade.", "Because.")],
    "base value": [("base_value = 1000", "base_value = 100")],
    "a default left out": [('price = "official_close"\n', "")],
    "a number otherwise": [("fund_usd = 25e6", "fund_usd = 25_000_000"), ("at_most = 0.15", "at_most = 0.150")],
    "screens in another order": [(f"{CHINA}\n", ""), ("\n[select]", f"{CHINA}\n\n[select]")],
}


@pytest.mark.parametrize("changes", SAME.values(), ids=SAME)
def test_the_same_rules_are_the_same_trial(chain: Rulebook, changes: list[tuple[str, str]]) -> None:
    other = edited(chain, *changes)
    assert other.content_hash != chain.content_hash
    assert config_hash(other) == config_hash(chain)


OTHER = {
    "cap": ("at_most = 0.15", "at_most = 0.16"),
    "ladder": ('"raise_policy_sponsor_cap", "raise_issuer_cap"', '"raise_issuer_cap", "raise_policy_sponsor_cap"'),
    "month": ("months = [3, 6, 9, 12]", "months = [6, 12]"),
    "base date": ("2014-12-19", "2015-03-20"),
    "convention": ('dividends = "close_points"', 'dividends = "open_divisor"'),
    "nested": ("policy_tilt = 1.0", "policy_tilt = 1.1"),
}


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_a_changed_setting_is_another_trial(chain: Rulebook, change: tuple[str, str]) -> None:
    assert config_hash(edited(chain, change)) != config_hash(chain)


def test_another_name_hides_nothing(place: Workspace, book: Rulebook, sample: MarketView) -> None:
    first, _ = run(place, book, sample)
    same = edited(book, ('id = "magnet-chain"', 'id = "alpha"'), ("Large enough to trade.", "Because."))
    assert run(place, same, sample) == (first, False)
    other = edited(same, ("at_most = 0.15", "at_most = 0.2"))
    trial, new = run(place, other, sample)
    assert new
    found = workflow.evidence_for(place, trial, other, sample)
    assert (found.tried, found.names) == (2, (trial.name, first.name))


def test_the_columns_are_the_returns_of_each_trial(place: Workspace, book: Rulebook, sample: MarketView) -> None:
    other = edited(book, ("at_most = 0.15", "at_most = 0.3"))
    run(place, other, sample)
    series, trial, _ = workflow.recorded_backtest(place, book, sample, author="ann", at=NOW)
    found = workflow.evidence_for(place, trial, book, sample)
    both = (series, workflow.backtest(other, sample))
    price = [one.levels.filter(pl.col("variant") == "PR")["level"].to_numpy() for one in both]
    assert np.array_equal(found.returns, np.column_stack([level[1:] / level[:-1] - 1 for level in price]))
    assert found.against == "^GSPC"
    market = sample.market.benchmarks.filter(
        (pl.col("symbol") == "^GSPC") & pl.col("session").is_in(list(found.sessions))
    )
    level = market.sort("session")["level"].to_numpy()
    assert found.benchmark is not None
    assert np.array_equal(found.benchmark, level[1:] / level[:-1] - 1)
    assert len(found.sessions) == len(found.returns) + 1


def test_dividends_are_no_skill_against_a_price_index(place: Workspace, book: Rulebook, sample: MarketView) -> None:
    line = next(line for line in book.text.splitlines() if line.startswith("returns"))
    total = edited(book, (line, 'returns = ["NTR"]'))
    trial, _ = run(place, total, sample)
    found = workflow.evidence_for(place, trial, total, sample)
    assert (trial.measured, found.benchmark) == ("NTR", None)
    assert "^GSPC is a price index, and the trial was measured as NTR, with dividends after tax" in found.against
    honesty = workflow.assessed(found)
    assert honesty["p_spa_consistent"].value is None
    assert honesty["pbo"].note == "one variant tried: nothing to choose among"


def test_what_begins_later_is_counted_and_named(place: Workspace, book: Rulebook, sample: MarketView) -> None:
    late, _ = run(place, edited(book, ("2025-06-20", "2025-12-19")), sample)
    trial, _ = run(place, book, sample)
    found = workflow.evidence_for(place, trial, book, sample)
    assert (found.tried, found.names) == (2, (trial.name,))
    assert found.left_out == ((late.name, "begins on 2025-12-19, after 2025-06-20"),)
    assert workflow.assessed(found).trials == 2


def test_what_was_tried_before_the_last_prices_came_still_counts(
    place: Workspace, book: Rulebook, sample: MarketView
) -> None:
    other = edited(book, ("at_most = 0.15", "at_most = 0.3"))
    before, _ = run(place, other, sample.as_of(date(2026, 11, 13)))
    long_ago, _ = run(place, edited(book, ("at_most = 0.15", "at_most = 0.25")), sample.as_of(date(2026, 1, 16)))
    trial, _ = run(place, book, sample)
    found = workflow.evidence_for(place, trial, book, sample)
    assert (found.tried, found.names) == (3, (trial.name, before.name))
    assert found.sessions[-1] == date(2026, 11, 13)
    assert [name for name, _ in found.left_out] == [long_ago.name]
    assert "41% of the sessions, to 2026-01-16" in found.left_out[0][1]
    again, new = run(place, other, sample)
    assert new
    found = workflow.evidence_for(place, trial, book, sample)
    assert (found.tried, found.names) == (3, (trial.name, again.name))
    assert found.sessions[-1] == date(2026, 11, 20)


def test_what_fails_was_tried_too(place: Workspace, book: Rulebook, sample: MarketView) -> None:
    steps = book.text[book.text.index("if_infeasible") :].partition("\n")[0]
    tight = edited(
        book, (steps, "if_infeasible = []"), ("policy_sponsor = { at_most = 0.50", "policy_sponsor = { at_most = 0.01")
    )
    with pytest.raises(InfeasibleError):
        run(place, tight, sample)
    (row,) = rows(place)
    assert "policy_sponsor" in row.reason
    assert (row.first, row.last, row.measured, row.sessions, row.sharpe) == ("", "", "", 0, None)
    assert workflow.trial_ledger(place).levels(row) is None
    assert workflow.verify(place) == []


def test_without_a_ledger_there_is_no_backtest(place: Workspace, book: Rulebook, sample: MarketView) -> None:
    place.reports.write_text("a file where the folder should be")
    with pytest.raises(ExchinaError, match="nothing was recorded"):
        run(place, book, sample)


LEVELS = pl.DataFrame(
    {"session": [date(2026, 1, 5), date(2026, 1, 6)], "variant": ["PR", "PR"], "level": [1000.0, 1001.0]}
)


def record(ledger: TrialLedger, number: int) -> tuple[Trial, bool]:
    rules = f'{{"number":{number}}}'
    draft = Trial(
        sequence=0,
        index_id="chain",
        label="",
        config=sha256(rules.encode()).hexdigest(),
        data="d",
        market="sample",
        code="1",
        variants="PR",
        first="2026-01-05",
        last="2026-01-06",
        measured="PR",
        sessions=1,
        sharpe=0.1,
        reason="",
        author="ann",
        recorded_at="",
        files={},
        previous_hash="",
        hash="",
    )
    return ledger.record(draft, rules, LEVELS.with_columns(level=pl.col("level") + number), at=NOW)


@pytest.fixture
def ledger(place: Workspace) -> TrialLedger:
    """Three trials."""
    made = workflow.trial_ledger(place)
    for number in range(3):
        record(made, number)
    return made


def unguarded(ledger: TrialLedger, *statements: str) -> None:
    connection = sqlite3.connect(ledger.folder / "trials.sqlite")
    for table in ("trials", "trials_files"):
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER {table}_no_{verb}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


FORBIDDEN = ["UPDATE trials SET sharpe = 9", "DELETE FROM trials", "INSERT OR REPLACE INTO trials SELECT * FROM trials"]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_database_refuses_to_change_a_row(ledger: TrialLedger, statement: str) -> None:
    before = ledger.entries()
    connection = sqlite3.connect(ledger.folder / "trials.sqlite", isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()
    assert ledger.entries() == before


def series_of(ledger: TrialLedger) -> Path:
    return next(ledger.folder / path for path in ledger.entries()[1].files if path.startswith("series/"))


TAMPERED: list[tuple[Callable[[TrialLedger], Any], str]] = [
    (
        lambda one: unguarded(one, "UPDATE trials SET sharpe = 0.2 WHERE sequence = 2"),
        "row 2: was changed after it was recorded",
    ),
    (lambda one: unguarded(one, "UPDATE trials SET hash = 'x' WHERE sequence = 2"), "row 3: does not follow"),
    (lambda one: unguarded(one, "DELETE FROM trials WHERE sequence = 2"), "row 3: stands where row 2 should"),
    (lambda one: unguarded(one, "DELETE FROM trials WHERE sequence = 3"), "line 3: has no row in the database"),
    (lambda one: series_of(one).unlink(), "recorded in row 2, cannot be read"),
    (lambda one: series_of(one).write_bytes(b"better"), "was changed after it was recorded in row 2"),
    (lambda one: (one.folder / "trials.sqlite").unlink(), "line 1: has no row in the database"),
    (lambda one: one.export.unlink(), "the next trial, of whichever index, brings the export up to date"),
]


@pytest.mark.parametrize(("tamper", "expected"), TAMPERED)
def test_tampering_is_found(
    place: Workspace, ledger: TrialLedger, tamper: Callable[[TrialLedger], Any], expected: str
) -> None:
    assert workflow.verify(place) == []
    tamper(ledger)
    assert expected in "\n".join(str(problem) for problem in workflow.verify(place))


def test_a_row_cut_off_with_its_export_leaves_its_levels_behind(place: Workspace, ledger: TrialLedger) -> None:
    unguarded(ledger, "DELETE FROM trials WHERE sequence = 3", "DELETE FROM trials_files WHERE sequence = 3")
    lines = ledger.export.read_text(encoding="utf-8").splitlines(keepends=True)
    ledger.export.write_text("".join(lines[:2]), encoding="utf-8")
    found = {problem.what for problem in workflow.verify(place)}
    assert found == {"is in no row of the ledger", "its guard against changes was taken off"}


def test_a_publication_vouches_for_the_trials_before_it(place: Workspace, ledger: TrialLedger) -> None:
    entry, _ = Ledger(place.reports).publish(
        "chain", "review", date(2026, 6, 1), {}, {"trials": trials_seal(place)}, published_at=NOW
    )
    record(ledger, 9)
    assert workflow.verify(place) == []
    for path in (ledger.folder / "trials.sqlite", ledger.export, *ledger.folder.glob("*/*")):
        path.unlink()
    assert "3 trials were recorded when it was published" in workflow.verify(place)[0].what
    for number in (5, 6, 7):
        record(ledger, number)
    assert len(seal_faults(place, [entry])) == 1


def test_changed_levels_are_not_judged(ledger: TrialLedger) -> None:
    series_of(ledger).write_bytes(b"better")
    with pytest.raises(PublicationError, match="was changed after it was recorded in row 2"):
        ledger.levels(ledger.entries()[1])


def test_a_row_is_of_the_rules_that_it_names(ledger: TrialLedger) -> None:
    draft = replace(ledger.entries()[0], config="0" * 64)
    with pytest.raises(PublicationError, match="is not the SHA-256 of the rules"):
        ledger.record(draft, "{}", LEVELS, at=NOW)
    with pytest.raises(PublicationError, match="has no time zone"):
        ledger.record(draft, "{}", LEVELS, at=datetime(2026, 1, 1))


def killed(folder: Path) -> None:
    """Run in a process of its own: it is killed after the levels were placed and before the row was committed."""
    sa.Connection.commit = lambda _: os._exit(9)  # type: ignore[method-assign, assignment]
    record(open_trials(folder), 9)


def test_a_kill_between_levels_and_row_leaves_a_usable_ledger(place: Workspace, ledger: TrialLedger) -> None:
    process = multiprocessing.get_context("spawn").Process(target=killed, args=(ledger.folder,))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert len(list(ledger.folder.glob("series/*.parquet"))) == 4
    assert len(ledger.entries()) == 3
    assert record(ledger, 5)[1]
    assert any("is in no row" in problem.what for problem in workflow.verify(place))
    assert record(ledger, 9)[1]
    assert workflow.verify(place) == []


def race(folder: Path, start: Any, won: Any) -> None:
    start.wait()
    for number in range(5):
        won.put((number, record(open_trials(folder), number)[1]))


def test_two_processes_record_each_trial_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, won = context.Barrier(2), context.Queue()
    racers = [context.Process(target=race, args=(tmp_path, start, won)) for _ in range(2)]
    for racer in racers:
        racer.start()
    results = [won.get(timeout=60) for _ in range(10)]
    for racer in racers:
        racer.join()
    assert sorted(number for number, new in results if new) == [0, 1, 2, 3, 4]
    ledger = open_trials(tmp_path)
    assert [row.sequence for row in ledger.entries()] == [1, 2, 3, 4, 5]
    assert ledger.verify() == []


def test_a_new_ledger_waits_for_the_one_who_writes_first(tmp_path: Path) -> None:
    database = tmp_path / "ledger.sqlite"
    first = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    first.execute("BEGIN IMMEDIATE")
    first.execute("CREATE TABLE early (x)")
    done = Timer(0.3, lambda: first.execute("COMMIT"))
    done.start()
    with connected(place_of("", database)) as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("SELECT count(*) FROM early").scalar() == 0
    done.join()


def test_nobody_tries_unnamed(desk: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["backtest", "magnet-chain", "--author", " ", "-w", str(desk.root)])
    assert left.value.code == 1
    assert "every trial is recorded with who ran it" in capsys.readouterr().err
