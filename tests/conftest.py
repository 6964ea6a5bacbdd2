"""What every test may ask for."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


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
