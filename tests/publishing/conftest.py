"""The small desk that the tests of this folder share."""

import pytest

from exchina.market.view import MarketView
from exchina.workspace import Workspace
from tests.publishing.rehearsed import copied, rehearse
from tests.shell.rehearsal import laid


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory, sample: MarketView) -> Workspace:
    """The small desk before its first day; tests copy it."""
    return laid(tmp_path_factory.mktemp("seed") / "seed", sample.market)


@pytest.fixture(scope="session")
def rehearsed(seed: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The small desk after the review of September 2024; tests read it, and copy it where they change it."""
    place = copied(seed, tmp_path_factory.mktemp("rehearsed") / "desk")
    rehearse(place)
    return place
