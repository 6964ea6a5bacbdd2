"""The reference data and one small market."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from exchina.market import Delivery
from exchina.market.providers.sample import sample as simulate
from exchina.model import Reference
from exchina.reference import read_reference
from exchina.tables.market import SCHEMAS


@pytest.fixture(scope="session")
def reference(root: Path) -> Reference:
    return read_reference(root / "indices" / "reference")


@pytest.fixture(scope="session")
def simulated(reference: Reference) -> Delivery:
    """The sample market of every listing, to mid-2024."""
    return simulate(reference, through=date(2024, 6, 28))


def prices(closes: list[float], symbol: str = "MP", first: date = date(2025, 1, 6)) -> pl.DataFrame:
    """Closes on consecutive days, each known on its day."""
    days = [first + timedelta(days=number) for number in range(len(closes))]
    table = {"symbol": symbol, "session": days, "close": closes, "volume": 1000.0, "known_date": days}
    return pl.DataFrame(table, schema=SCHEMAS["prices"])
