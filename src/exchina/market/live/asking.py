"""Asking a vendor politely: one call at a time, with pauses, longer ones when it asks for patience, and a memory."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from exchina.errors import Problem, ProviderError
from exchina.market.live.inbox import Piece, keep, kept, piece_path
from exchina.market.live.plan import Wanted
from exchina.market.live.source import Absent, Answer, Broken, Facts, History, Pace, Source, Throttled, Unreachable

TRIES = 3
DOWN_AFTER = 5
COUNTS_BEFORE = timedelta(days=400)  # the count that held on the first day was reported before it

Progress = Callable[[int, int, str], None]


def _silent(_done: int, _of: int, _what: str) -> None:
    return None


@dataclass
class Manners:
    """How calls are spaced.

    Attributes:
        pace: of the vendor.
        sleep: waits for some seconds.
        chance: a number from 0 to 1, another each time.
    """

    pace: Pace
    sleep: Callable[[float], object] = time.sleep
    chance: Callable[[], float] = field(default=random.random)

    def call(self, asked: Callable[[], Piece], what: str) -> Piece:
        """Call until there is an answer.

        Raises:
            Broken: after `TRIES` calls without a usable answer. ProviderError: the vendor wants more patience than the
                pace has.
        """
        waited, broken = 0.0, 0
        for number in range(10**6):
            self.sleep(self.pace.pause_seconds)
            try:
                return asked()
            except Absent as answer:
                return answer
            except Unreachable as fault:
                hint = "check the connection to the internet and run the same command again; what was answered is kept"
                raise ProviderError(Problem(what, f"the provider cannot be reached: {fault.why}", hint)) from fault
            except Broken:
                broken += 1
                if broken == TRIES:
                    raise
                wait = self._backoff(number)
            except Throttled as plea:
                wait = self._backoff(number) if plea.retry_after is None else self._asked_for(plea.retry_after)
                if waited + wait > self.pace.patience_seconds:
                    raise _out_of_patience(what, wait) from plea
            waited += wait
            self.sleep(wait)
        raise AssertionError

    def _backoff(self, number: int) -> float:
        """w = min(longest, first x 2^number) x u, u uniform on [1/2, 1]."""
        most = min(self.pace.longest_wait_seconds, self.pace.first_wait_seconds * 2.0 ** min(number, 30))
        return most * (0.5 + self.chance() / 2)

    def _asked_for(self, seconds: float) -> float:
        """Never less than the vendor said; up to a tenth more, so that callers do not return all at once."""
        return seconds + self.chance() * min(self.pace.first_wait_seconds, seconds / 10)


def answers(
    source: Source,
    wanted: Sequence[Wanted],
    folder: Path,
    today: date,
    manners: Manners,
    *,
    progress: Progress = _silent,
) -> dict[Wanted, Answer]:
    """Everything that was wanted, from the inbox where it is there already, else from the vendor.

    Args:
        source: the vendor.
        wanted: what to ask for.
        folder: the inbox.
        today: under which share counts and facts are kept.
        manners: how calls are spaced.
        progress: told how many of how many are done, and what is next.

    Raises:
        ProviderError: the vendor is down or wants more patience than there is; what was answered stays in the inbox.
    """
    found: dict[Wanted, Answer] = {}
    down = 0
    for number, one in enumerate(wanted):
        progress(number, len(wanted), one.name)
        found[one] = _answer(source, one, folder, today, manners)
        down = down + 1 if found[one].failed and not found[one].absent else 0
        if down == DOWN_AFTER:
            what = f"gave no usable answer for {down} symbols one after the other, last {one.name}: {found[one].failed}"
            cure = "see whether it is down, and run the same command later; what was answered is kept"
            raise ProviderError(Problem(f"provider {source.name}", what, cure))
    progress(len(wanted), len(wanted), "")
    return found


def _answer(source: Source, one: Wanted, folder: Path, today: date, manners: Manners) -> Answer:
    def asked(call: str, since: date, until: date, *rest: Any) -> Piece:
        path = piece_path(folder, call, one.symbol, since, until)
        there = kept(path)
        if there is None:
            method: Callable[..., Piece] = getattr(source, call)
            there = manners.call(lambda: method(one.symbol, *rest), one.name)
            keep(path, there)
        return there

    try:
        history = asked("history", one.since, one.until, one.since, one.until)
        if isinstance(history, Absent):
            return Answer(failed=history.why, absent=True)
        assert isinstance(history, History)
        if one.role != "line":
            return Answer(history)
        early = one.since - COUNTS_BEFORE if one.first else one.since
        counts = asked("counts", early, today, early)
        facts = asked("facts", today, today) if one.ends is None else None
    except Broken as fault:
        return Answer(failed=fault.why)
    return Answer(
        history,
        None if isinstance(counts, Absent | History | Facts) else counts,
        facts if isinstance(facts, Facts) else None,
    )


def _out_of_patience(what: str, wait: float) -> ProviderError:
    said = f"the vendor asks to wait {wait / 60:,.0f} minutes more"
    cure = "run the same command later: it goes on where it stopped; what was answered is kept"
    return ProviderError(Problem(what, said, cure))
