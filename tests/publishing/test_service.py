"""The service without its scheduler, pass by pass, and what it tells of itself; and once as a real process."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exchina import workflow
from exchina.ledger.lease import hold
from exchina.market.view import MarketView
from exchina.schedule import lateness
from exchina.service import serving
from exchina.service.health import metrics, served
from exchina.service.serving import LEASE, Service
from exchina.service.status import Status
from exchina.workflow.scheduled import jobs_of
from exchina.workspace import Workspace
from tests.publishing.rehearsed import FIRST, copied, deliver, done, keep_jobs, restock, row_of, rows_between
from tests.shell.rehearsal import INDEX

DUE = datetime(2024, 9, 3, 21, 30, tzinfo=UTC)
SECOND = date(2024, 9, 4)


class Clock(datetime):
    """A clock that a test sets."""

    at = DUE

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return cls.at.astimezone(tz)


def wait(**time: float) -> datetime:
    Clock.at += timedelta(**time)
    return Clock.at


@pytest.fixture
def place(seed: Workspace, tmp_path: Path) -> Workspace:
    """A desk that closes sessions and nothing else."""
    place = copied(seed, tmp_path / "desk")
    keep_jobs(place, "close")
    return place


@pytest.fixture
def service(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> Generator[Service]:
    monkeypatch.setattr(Clock, "at", DUE + timedelta(minutes=5))
    monkeypatch.setattr(serving, "datetime", Clock)
    yield Service(place, Status(Clock.at, timedelta(minutes=1)))
    assert workflow.verify(place) == []


def figures(service: Service) -> dict[str, float]:
    """What a Prometheus server would read."""
    families = text_string_to_metric_families(metrics(service.status, Clock.at).decode())
    return {
        "/".join([sample.name, *sample.labels.values()]): sample.value for one in families for sample in one.samples
    }


def test_a_pass_does_what_is_due_and_says_so(service: Service) -> None:
    service.tick()
    assert done(service.workspace) == [("close", FIRST)]
    assert "clock" not in workflow.publications(service.workspace)[0].inputs
    assert service.status.as_dict(Clock.at) == {
        "status": "ok",
        "faults": [],
        "started": "2024-09-03T21:35:00+00:00",
        "last_pass": "2024-09-03T21:35:00+00:00",
        "pass_seconds": service.status.as_dict(Clock.at)["pass_seconds"],
        "next_due": {"what": "close", "index": INDEX, "for_day": "2024-09-04", "at": "2024-09-04 21:30:00+00:00"},
        "late_seconds": 0,
        "published": {"close": 1},
        "failures": 0,
    }
    found = figures(service)
    assert found["exchina_publications_total/close"] == 1
    assert found["exchina_up"] == 1
    assert found["exchina_failures_total"] == found["exchina_late_seconds"] == 0
    assert found["exchina_next_due_timestamp_seconds"] == (DUE + timedelta(days=1)).timestamp()
    assert found["exchina_last_pass_timestamp_seconds"] == Clock.at.timestamp()
    assert 0 < found["exchina_pass_seconds"] < 60
    assert (service.workspace.public / "index.html").is_file()
    service.tick()
    assert done(service.workspace) == [("close", FIRST)]


def test_what_another_process_holds_is_left_to_it(service: Service) -> None:
    ledger = workflow.ledger_of(service.workspace)
    other = hold(ledger, LEASE, "elsewhere:1:1", Clock.at, 600)
    service.tick()
    assert done(service.workspace) == []
    (said,) = service.status.as_dict(Clock.at)["faults"]
    assert said.startswith("lease: elsewhere:1:1 keeps the schedule of this workspace until 2024-09-03 21:45:00 UTC")
    assert figures(service)["exchina_up"] == 0
    service.release()
    assert hold(ledger, LEASE, service.owner, Clock.at, 600).owner == other.owner
    wait(minutes=10, seconds=1)
    service.tick()
    assert done(service.workspace) == [("close", FIRST)]
    assert service.status.as_dict(Clock.at)["status"] == "ok"
    service.release()
    assert hold(ledger, LEASE, "elsewhere:1:1", Clock.at, 600).owner == "elsewhere:1:1"


def test_what_fails_is_tried_again_ever_later_and_is_told_all_the_while(service: Service, sample: MarketView) -> None:
    place = service.workspace
    restock(place, through=FIRST)
    service.tick()
    wait(days=1)
    failures = {0: 1, 30: 1, 61: 2, 120: 2, 182: 3, 300: 3, 423: 4}
    begun = Clock.at
    for seconds, failed in failures.items():
        Clock.at = begun + timedelta(seconds=seconds)
        service.tick()
        said = service.status.as_dict(Clock.at)
        assert (said["failures"], said["status"]) == (failed, "failing"), seconds
        assert "prices end on 2024-09-03" in said["faults"][0]
        assert said["late_seconds"] == 300 + seconds
        assert figures(service)["exchina_late_seconds"] == 300 + seconds
    assert done(place) == [("close", FIRST)]
    deliver(place, Clock.at, **rows_between(sample, FIRST, SECOND))
    service.tick()
    assert service.status.as_dict(Clock.at)["status"] == "failing"
    wait(minutes=8)
    service.tick()
    assert service.status.as_dict(Clock.at)["status"] == "ok"
    assert figures(service)["exchina_publications_total/close"] == 2
    assert figures(service)["exchina_late_seconds"] == 0
    assert done(place) == [("close", FIRST), ("close", SECOND)]
    assert not lateness(row_of(place, "close", SECOND), jobs_of(place))


def test_what_somebody_does_by_hand_is_no_fault_any_more(service: Service, sample: MarketView) -> None:
    place = service.workspace
    restock(place, through=FIRST)
    service.tick()
    wait(days=1)
    service.tick()
    assert service.status.as_dict(Clock.at)["status"] == "failing"
    deliver(place, Clock.at, **rows_between(sample, FIRST, SECOND))
    book, view = workflow.index_rulebook(place, INDEX), workflow.open_market("small", workspace=place.root)
    workflow.calculate(place, book, view, now=Clock.at, wishes=workflow.Wishes())
    wait(seconds=10)
    service.tick()
    assert service.status.as_dict(Clock.at)["status"] == "ok"


def test_a_fault_of_ours_does_not_end_it(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as broken, caplog.at_level(logging.INFO, "exchina"):
        broken.setattr(serving, "run_pass", None)
        service.tick()
    (said,) = service.status.as_dict(Clock.at)["faults"]
    assert said == "service: TypeError: 'NoneType' object is not callable (the log has the traceback)"
    assert caplog.records[0].exc_info is not None
    service.tick()
    assert service.status.as_dict(Clock.at)["status"] == "ok"
    assert done(service.workspace) == [("close", FIRST)]


def test_an_interrupt_that_polars_caught_is_a_request_to_stop(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its handler of SIGINT raises in the thread that computes, which is not the one that waits."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(serving, "run_pass", interrupted)
    service.tick()
    assert service.stopping
    assert service.status.as_dict(Clock.at)["faults"] == []


def test_a_ledger_that_is_not_whole_stops_everything(service: Service) -> None:
    place = service.workspace
    service.tick()
    path = next((place.reports / INDEX).rglob("levels.csv"))
    whole = path.read_bytes()
    path.write_bytes(b"")
    wait(days=1, minutes=1)
    service.tick()
    assert "levels.csv" in service.status.as_dict(Clock.at)["faults"][0]
    assert done(place) == [("close", FIRST)]
    path.write_bytes(whole)
    service.tick()
    assert done(place) == [("close", FIRST), ("close", SECOND)]


def test_a_schedule_with_a_fault_is_told_and_nothing_is_done(service: Service) -> None:
    path = service.workspace.schedule
    sound = path.read_text()
    path.write_text(sound.replace("every_session", "every_sesion"))
    service.tick()
    assert "every_sesion" in service.status.as_dict(Clock.at)["faults"][0]
    assert done(service.workspace) == []
    path.write_text(sound)
    service.tick()
    assert service.status.as_dict(Clock.at)["status"] == "ok"


def test_once_it_is_asked_to_stop_it_begins_nothing(service: Service) -> None:
    service.stopping = True
    service.tick()
    assert done(service.workspace) == []
    assert service.status.as_dict(Clock.at)["failures"] == 0


def test_a_pass_that_does_not_end_is_a_fault(service: Service) -> None:
    service.tick()
    assert service.status.faults(wait(minutes=5)) == []
    assert service.status.faults(wait(seconds=1)) == ["no pass has ended for 301 s"]


def test_the_health_page_answers(service: Service) -> None:
    service.tick()
    with served(service.status, "127.0.0.1", 0) as url:
        service.status.last_pass = datetime.now(UTC)
        with urlopen(f"{url}/health") as page:
            assert (page.status, page.headers["Content-Type"]) == (200, "application/json")
            assert json.load(page)["published"] == {"close": 1}
        with urlopen(f"{url}/metrics") as page:
            assert page.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert b"exchina_up 1.0" in page.read()
        service.status.last_pass = Clock.at
        for path, code in (("health", 503), ("", 404)):
            with pytest.raises(HTTPError) as answered:
                urlopen(f"{url}/{path}")
            assert answered.value.code == code
            answered.value.close()


def test_a_port_that_is_taken_is_named(place: Workspace, run: Callable[..., tuple[int, str, str]]) -> None:
    with served(Status(DUE, timedelta(minutes=1)), "127.0.0.1", 0) as url:
        port = url.rpartition(":")[2]
        code, _, err = run("serve", "--port", port, "-w", place.root)
    assert code == 1
    assert f"127.0.0.1:{port}: cannot listen here: Address already in use" in err
    assert "--port 0 for a free one" in err


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM")
def test_sigterm_finishes_what_is_being_published(place: Workspace) -> None:
    """A real process with two years to catch up on, asked twice to stop in the middle of it."""
    command = [sys.executable, "-m", "exchina.cli", "serve", "--port", "0", "--every", "60", "-w", str(place.root)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        with urlopen(url) as page:
            assert json.load(page)["status"] == "ok"
        limit = time.monotonic() + 60
        while len(done(place)) < 3 and time.monotonic() < limit:
            time.sleep(0.02)
        for number in (signal.SIGTERM, signal.SIGINT):
            child.send_signal(number)
        _, said = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    rows = workflow.publications(place)
    assert child.returncode == 0
    assert 3 <= len(rows) < 100
    assert workflow.verify(place) == []
    lines = [json.loads(line) for line in said.splitlines()]
    assert [lines[0]["event"], lines[-1]["event"]] == ["started", "stopped"]
    published = [line for line in lines if line["event"] == "published"]
    assert [(line["row"], line["for_day"]) for line in published] == [(row.sequence, str(row.for_day)) for row in rows]
    assert {line["level"] for line in lines} == {"info"}
    ledger = workflow.ledger_of(place)
    assert hold(ledger, LEASE, "elsewhere:1:1", datetime.now(UTC), 1).owner == "elsewhere:1:1"
