"""A small ledger, servers on loopback, and secrets that must be seen nowhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchina.ledger import Ledger, open_ledger
from tests.delivery import servers
from tests.delivery.desk import PASSWORD, SIGNING


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty ledger."""
    return open_ledger(tmp_path / "reports")


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secrets that the subscribers of `tests.delivery.desk` name."""
    monkeypatch.setenv("SIGNING", SIGNING)
    monkeypatch.setenv("PASSWORD", PASSWORD)


@pytest.fixture
def hooks() -> Iterator[servers.Hooks]:
    """A receiver of webhooks."""
    with servers.receiving() as hooks:
        yield hooks


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> servers.Certificate:
    """A certificate of this machine."""
    return servers.certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Shell]:
    """An SFTP server; skipped where there is none."""
    with servers.sshd(tmp_path_factory.mktemp("sshd")) as shell:
        yield shell
