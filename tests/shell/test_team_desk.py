"""A desk that keeps its ledger on PostgreSQL publishes what one on SQLite does."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from exchina import service, workflow
from exchina.market.view import MarketView
from exchina.workspace import Workspace
from tests.postgres import run
from tests.shell.rehearsal import laid, published

SINCE, UNTIL = date(2026, 6, 1), datetime(2026, 6, 23, 23, tzinfo=UTC)


def rehearsed(place: Workspace) -> dict[str, bytes]:
    found = workflow.opened(place, UNTIL.date())
    assert service.missed(service.rehearse(found, SINCE, UNTIL)) == []
    assert workflow.refresh_public(found) == []
    return published(place.root)


def test_a_review_on_either_database_is_the_same_bytes(tmp_path: Path, sample: MarketView, postgres: str) -> None:
    alone = rehearsed(laid(tmp_path / "alone", sample.market))
    run(postgres, "CREATE DATABASE team")
    url = postgres.removesuffix("postgres") + "team"
    team = replace(laid(tmp_path / "team", sample.market), ledger=url)
    assert rehearsed(team) == alone
    assert not (team.reports / "ledger.sqlite").exists()
    assert workflow.verify(team) == []
    rows = workflow.publications(team)
    assert {row.what for row in rows} >= {"snapshot", "draft", "announcement", "close", "post_trade"}
    last = [row for row in rows if row.what == "post_trade"][-1]
    assert workflow.replay(team, last, rows) == []
    assert service.rehearse(workflow.opened(team, UNTIL.date()), SINCE, UNTIL) == []
