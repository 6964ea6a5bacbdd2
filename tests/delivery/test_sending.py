"""Deliveries from a ledger: in order, at least once, past a crash, and nothing that may not leave the house."""

import multiprocessing
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from exchina.delivery import Subscribers, attempts, deliver, parse_subscribers, sending, undelivered
from exchina.delivery.due import MOST_ATTEMPTS
from exchina.errors import PublicationError
from exchina.ledger import Ledger, open_ledger
from exchina.ledger.database import connected
from tests.delivery.desk import AT, ID, PASSWORD, SIGNING, SITE, hook, known, publish, sent, states
from tests.delivery.servers import Hooks, receiving


def test_rows_come_in_the_order_of_the_ledger_and_only_those_asked_for(ledger: Ledger, hooks: Hooks) -> None:
    kinds = ["snapshot", "draft", "announcement", "close", "close_delayed", "snapshot_delayed", "fetch", "restatement"]
    rows = {kind: publish(ledger, kind, after) for after, kind in enumerate(kinds)}
    again = publish(ledger, "announcement", 2, revision=1, at=AT + timedelta(9))
    made, problems = sent(ledger, known(hook(hooks.url)))
    public = ["announcement", "close", "close_delayed", "restatement"]
    assert (states(made), problems) == (["ok"] * 5, [])
    assert hooks.ids() == [*(rows[kind].hash for kind in public), again.hash]
    bodies = b"".join(body for _, body in hooks.seen)
    for secret in (b"state.json", b"frozen/", b"licensed.csv"):
        assert secret not in bodies
    hooks.seen.clear()
    sent(ledger, known(hook(hooks.url, "two", what=["close"], licensed=True)))
    assert hooks.ids() == [rows["close"].hash, rows["close_delayed"].hash]
    assert b"licensed.csv" in hooks.seen[0][1]


def test_one_who_comes_later_gets_nothing_from_before(ledger: Ledger, hooks: Hooks) -> None:
    first, second, third = (publish(ledger, after=after) for after in range(3))
    sent(ledger, known(hook(hooks.url)))
    hooks.seen.clear()
    sent(ledger, known(hook(hooks.url), hook(hooks.url, "late", since="2026-09-19")))
    assert hooks.ids() == [second.hash, third.hash]
    assert first.hash not in hooks.ids()


def test_one_who_fails_holds_up_nobody_else_and_keeps_the_order(ledger: Ledger, hooks: Hooks) -> None:
    rows = [publish(ledger, after=after) for after in range(3)]
    with receiving() as ill:
        ill.answers = [500, 204, 500]
        people = known(hook(ill.url, "ill"), hook(hooks.url, "well"))
        made, problems = sent(ledger, people)
        assert [(one.subscriber, one.outcome) for one in made] == [("ill", "failed"), *[("well", "ok")] * 3]
        assert problems == []
        sent(ledger, people, AT + timedelta(hours=1))
        sent(ledger, people, AT + timedelta(hours=2))
        assert ill.ids() == [rows[number].hash for number in (0, 0, 1, 1, 2)]
    assert len(hooks.seen) == 3


def test_what_is_given_up_is_told_until_something_arrives(ledger: Ledger, hooks: Hooks) -> None:
    publish(ledger)
    people, now = known(hook(hooks.url)), AT
    hooks.answers = [503] * MOST_ATTEMPTS
    for _ in range(MOST_ATTEMPTS):
        made, problems = sent(ledger, people, now)
        now += timedelta(hours=6)
    assert states(made) == ["given_up"]
    assert "row 1 was given up on 2026-09-23 after 21 attempts: HTTP 503 Service Unavailable" in str(problems[0])
    assert sent(ledger, people, now) == ([], problems)
    publish(ledger, after=1)
    made, problems = sent(ledger, people, now)
    assert (states(made), problems) == (["ok"], [])


def test_a_clock_moved_back_delays_nothing(ledger: Ledger, hooks: Hooks) -> None:
    publish(ledger)
    hooks.answers = [500, 500]
    people = known(hook(hooks.url))
    sent(ledger, people, AT + timedelta(days=400))
    assert states(sent(ledger, people, AT)[0]) == ["failed"]
    assert sent(ledger, people, AT + timedelta(minutes=1)) == ([], [])
    assert states(sent(ledger, people, AT + timedelta(minutes=2))[0]) == ["ok"]


def test_what_stood_still_for_long_is_not_given_up_for_it(ledger: Ledger, hooks: Hooks) -> None:
    publish(ledger)
    hooks.answers = [500, 500]
    people = known(hook(hooks.url))
    sent(ledger, people, AT)
    assert states(sent(ledger, people, AT + timedelta(days=30))[0]) == ["failed"]
    assert states(sent(ledger, people, AT + timedelta(days=60))[0]) == ["ok"]


def killed(folder: Path, url: str, text: str) -> None:
    """Run in a process of its own, killed after the row was sent and before that was logged."""
    sending.record = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
    deliver(open_ledger(folder, url), parse_subscribers(text, [ID]), AT)


def test_what_a_crash_kept_from_the_log_is_sent_again_with_the_same_key(
    tmp_path: Path, ledger_url: str, hooks: Hooks
) -> None:
    ledger = open_ledger(tmp_path, ledger_url)
    row, text = publish(ledger), SITE + hook(hooks.url)
    process = multiprocessing.get_context("spawn").Process(target=killed, args=(ledger.folder, ledger_url, text))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert (hooks.ids(), attempts(ledger)) == ([row.hash], [])
    made, problems = sent(ledger, parse_subscribers(text, [ID]))
    assert (states(made), problems) == (["ok"], [])
    assert hooks.ids() == [row.hash, row.hash]
    assert ledger.verify() == []


def test_the_database_refuses_to_change_the_log(tmp_path: Path, ledger_url: str, hooks: Hooks) -> None:
    ledger = open_ledger(tmp_path, ledger_url)
    publish(ledger)
    sent(ledger, known(hook(hooks.url)))
    for statement in ("UPDATE deliveries SET outcome = 'failed'", "DELETE FROM deliveries"):
        with connected(ledger.place, write=True) as connection, pytest.raises(sa.exc.SQLAlchemyError, match="append"):
            connection.exec_driver_sql(statement)
    assert states(attempts(ledger)) == ["ok"]


def test_a_log_that_cannot_be_written_is_told(ledger: Ledger, hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(ledger)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("exchina.delivery.log.guard", full)
        made, (problem,) = sent(ledger, known(hook(hooks.url)))
    assert made == []
    assert "row 1 was sent to one, but not logged: it will be sent again: No space left" in problem.what
    assert states(sent(ledger, known(hook(hooks.url)))[0]) == ["ok"]
    assert len(set(hooks.ids())) == 1


def test_a_variable_that_is_not_set_uses_up_no_attempt(
    ledger: Ledger, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(ledger)
    people = known(hook(hooks.url))
    with monkeypatch.context() as patch:
        patch.delenv("SIGNING")
        made, (problem,) = sent(ledger, people)
        assert made == []
        assert str(problem).startswith("subscriber one: environment variable SIGNING: is not set")
    assert states(sent(ledger, people)[0]) == ["ok"]


def test_a_file_that_was_changed_is_not_sent(ledger: Ledger, tmp_path: Path) -> None:
    row = publish(ledger)
    file = ledger.folder / f"{ID}/close/2026-09-18/levels.csv"
    file.write_bytes(b"variant,level\nPR,9\n")
    text = f"[[subscriber]]\nid = 'v'\nkind = 'upload'\nsince = 2026-09-01\nurl = 'file://{tmp_path}/v'\n"
    made, (problem,) = sent(ledger, known(text))
    assert made == []
    assert problem.where == f"subscriber v: {file}"
    assert f"was changed after it was published in row {row.sequence}" in problem.what
    assert not (tmp_path / "v").exists()


def test_a_pass_ends_in_time_and_the_next_goes_on(ledger: Ledger, hooks: Hooks) -> None:
    for after in range(3):
        publish(ledger, after=after)
    people = known(hook(hooks.url))
    assert sent(ledger, people, seconds=-1) == ([], [])
    assert len(undelivered(ledger.entries(), people.subscribers, attempts(ledger), AT)) == 3
    assert len(sent(ledger, people)[0]) == 3


def test_nothing_is_made_where_nobody_is_told(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "reports")
    assert deliver(ledger, Subscribers(), AT) == ([], [])
    assert not ledger.folder.exists()


def test_a_ledger_that_cannot_be_read_is_an_error(ledger: Ledger) -> None:
    ledger.folder.mkdir()
    (ledger.folder / "ledger.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(PublicationError):
        deliver(ledger, known(), AT)


def test_secrets_are_seen_nowhere(ledger: Ledger, hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a library says in its errors, neither log nor problem nor database repeats a secret."""
    publish(ledger)

    def blurt(*_: object, **__: object) -> None:
        raise RuntimeError(f"could not log in with {os.environ['SIGNING']} and {os.environ['SIGNING']!r}")

    monkeypatch.setattr("exchina.delivery.channels.webhook._posted", blurt)
    made, problems = sent(ledger, known(hook(hooks.url)))
    assert made[0].detail == "RuntimeError: could not log in with *** and '***'"
    stored = b"".join(path.read_bytes() for path in ledger.folder.iterdir() if path.is_file())
    for secret in (SIGNING, PASSWORD):
        assert secret.encode() not in stored
        assert secret not in f"{made}{problems}{known(hook(hooks.url))}"
