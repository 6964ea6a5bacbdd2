"""What the service knows of itself, for the health page and the metrics; it forgets it when it stops."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from exchina.errors import Problem
from exchina.schedule import Due
from exchina.service.passes import Outcome

FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(minutes=30)
OVERDUE_PASSES = 5
Key = tuple[str, str, str]


@dataclass
class Status:
    """Counts since the start, the last pass, and what is to come.

    Attributes:
        started: when the service started.
        every: how often a pass is due.
        last_pass: when the last pass ended; None before the first.
        pass_seconds: how long it took.
        published: rows made since the start, by kind.
        failures: attempts that failed since the start.
        problems: of the last pass.
        late: longest wait of what is due and not done.
        next_due: what comes next.
        attempts: how often each due item has failed, when it is tried again, and why it failed.
        lock: held while several of these change together.
    """

    started: datetime
    every: timedelta
    last_pass: datetime | None = None
    pass_seconds: float = 0.0
    published: dict[str, int] = field(default_factory=dict)
    failures: int = 0
    problems: tuple[Problem, ...] = ()
    late: timedelta = timedelta(0)
    next_due: Due | None = None
    attempts: dict[Key, tuple[int, datetime, tuple[Problem, ...]]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def ready(self, item: Due, now: datetime) -> bool:
        """Whether something is to be tried now: after a failure it waits a minute, then twice as long each time."""
        failed = self.attempts.get(_key(item))
        return failed is None or now >= failed[1]

    def note(self, outcome: Outcome, now: datetime) -> None:
        """Count an outcome."""
        with self.lock:
            if outcome.published is not None and outcome.published.new:
                what = outcome.published.entry.what
                self.published[what] = self.published.get(what, 0) + 1
            if outcome.problems:
                self.failures += 1
                times = self.attempts[_key(outcome.due)][0] if _key(outcome.due) in self.attempts else 0
                wait = min(FIRST_RETRY * 2 ** min(times, 10), LONGEST_RETRY)
                self.attempts[_key(outcome.due)] = (times + 1, now + wait, outcome.problems)
            else:
                self.attempts.pop(_key(outcome.due), None)

    def standing(self, open_items: Sequence[Due]) -> list[Problem]:
        """Why what is open has failed, also while it waits to be tried again; what is open no more is forgotten."""
        keys = {_key(item) for item in open_items}
        with self.lock:
            self.attempts = {key: failed for key, failed in self.attempts.items() if key in keys}
            return list(dict.fromkeys(problem for _, _, why in self.attempts.values() for problem in why))

    def faults(self, now: datetime) -> list[str]:
        """Why the service is not well; nothing where it is."""
        with self.lock:
            faults = [str(problem) for problem in self.problems]
            since = now - (self.last_pass or self.started)
            if since > self.every * OVERDUE_PASSES:
                faults.append(f"no pass has ended for {int(since.total_seconds())} s")
            return faults

    def as_dict(self, now: datetime) -> dict[str, Any]:
        """The health page."""
        faults = self.faults(now)
        with self.lock:
            coming = self.next_due
            return {
                "status": "failing" if faults else "ok",
                "faults": faults,
                "started": self.started.isoformat(timespec="seconds"),
                "last_pass": self.last_pass and self.last_pass.isoformat(timespec="seconds"),
                "pass_seconds": round(self.pass_seconds, 3),
                "next_due": coming
                and {"what": coming.what, "index": coming.index, "for_day": str(coming.for_day), "at": str(coming.at)},
                "late_seconds": int(self.late.total_seconds()),
                "published": dict(self.published),
                "failures": self.failures,
            }


def _key(item: Due) -> Key:
    return item.index, item.what, str(item.for_day)
