"""Two processes publish the same: one row each, whoever comes first. EXCHINA_RACES=1000 races longer."""

import multiprocessing
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from exchina.ledger import open_ledger
from tests.ledgers import DAY, publish

RACES = int(os.environ.get("EXCHINA_RACES", "50"))


def race(folder: Path, url: str, start: Any, won: Any) -> None:
    """Run in a process of its own: each day is published as soon as the other is at it too."""
    for days in range(RACES):
        start.wait(60)
        won.put((days, publish(open_ledger(folder, url), DAY + timedelta(days))[1]))


def test_two_processes_publish_each_day_once(tmp_path: Path, ledger_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    start, won = context.Barrier(2), context.Queue()
    racers = [context.Process(target=race, args=(tmp_path, ledger_url, start, won)) for _ in range(2)]
    for racer in racers:
        racer.start()
    results = [won.get(timeout=60) for _ in range(2 * RACES)]
    for racer in racers:
        racer.join()
    assert sorted(day for day, new in results if new) == list(range(RACES))
    ledger = open_ledger(tmp_path, ledger_url)
    assert [entry.sequence for entry in ledger.entries()] == list(range(1, RACES + 1))
    assert ledger.verify() == []
