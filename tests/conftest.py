"""What every test may ask for."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from exchina import cli, workflow
from exchina.market.view import MarketView
from exchina.model import IndexSeries, Rulebook
from exchina.workspace import Workspace, init, open_workspace
from tests.postgres import ledger_url, postgres

__all__ = ["ledger_url", "postgres"]

ROOT = Path(__file__).resolve().parents[1]
settings.register_profile("exchina", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)  # new examples at every run: make search
settings.load_profile("exchina")
FETCHED = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository, itself a working workspace."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of outside data beside the checkout; a test that needs it skips where it is missing."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"needs the outside data in {folder.name}/ beside the checkout")
    return folder


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of its own with the sample market in its store; tests read it and write elsewhere."""
    folder = tmp_path_factory.mktemp("desk")
    init(folder)
    place = open_workspace(folder)
    workflow.fetch(place, "sample", market="sample", recorded_at=FETCHED)
    return place


@pytest.fixture(scope="session")
def sample(desk: Workspace) -> MarketView:
    """The sample market, uncut."""
    return workflow.open_market("sample", workspace=desk.root)


@pytest.fixture(scope="session")
def core(desk: Workspace) -> Rulebook:
    """The rulebook of ex-china-core."""
    return workflow.read_rulebook(desk.rulebook("ex-china-core"))


@pytest.fixture(scope="session")
def chain() -> Rulebook:
    """A rulebook of the magnet chain that tests may turn and twist; it stays when the published one changes."""
    return workflow.read_rulebook(Path(__file__).with_name("chain.toml"))


@pytest.fixture(scope="session")
def chain_series(chain: Rulebook, sample: MarketView) -> IndexSeries:
    """The backtest of magnet-chain on the sample market."""
    return workflow.backtest(chain, sample)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """The command line: exit code, standard output and standard error of some tokens."""

    def call(*tokens: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main([str(token) for token in tokens])
        done = capsys.readouterr()
        return int(left.value.code or 0), done.out, done.err

    return call
