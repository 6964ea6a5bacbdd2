"""Charts: bytes repeat in any time zone, ticks are round, numbers do not overlap."""

import os
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from exchina.reporting.document import SIMULATED, Bar, BarChart, LevelChart
from exchina.reporting.figures import draw, log_ticks, staggered
from exchina.reporting.palette import COLOUR, colour
from exchina.reporting.wording import STAGE

DAYS = tuple(date(2024, 1, 1) + timedelta(days=n) for n in range(900))
LEVELS = tuple(1000.0 + n for n in range(900))


def chart(live: date | None = None) -> LevelChart:
    return LevelChart(DAYS, LEVELS, ((1, date(2025, 1, 1)), (2, date(2025, 1, 3))), live, "Index points")


def svg(picture: LevelChart | BarChart, root: Path, label: str = "") -> str:
    return draw(picture, width=340, height=150, label=label, fonts=root / "reports/templates/fonts")


def test_same_bytes_in_any_time_zone(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = svg(chart(), root)
    monkeypatch.setitem(os.environ, "TZ", "Pacific/Auckland")
    time.tzset()
    assert svg(chart(), root) == first


def test_hypothetical_ground_ends_at_the_live_date(root: Path) -> None:
    assert "Hypothetical, back-tested" in svg(chart(), root)
    half_live = svg(chart(live=DAYS[450]), root)
    assert COLOUR["teal"] in half_live
    assert "Hypothetical, back-tested" in half_live
    assert "Hypothetical" not in svg(chart(live=DAYS[0]), root)


def test_label_is_drawn_inside(root: Path) -> None:
    bars = BarChart((Bar("Producer", 0.6, "producer"), Bar("Magnets & more", 0.4, "magnet_maker")), "%")
    assert f">{SIMULATED}</text></svg>" in svg(bars, root, SIMULATED)
    assert SIMULATED not in svg(bars, root)
    assert "Magnets &amp; more" in svg(bars, root)
    assert colour("magnet_maker") in svg(bars, root)


def test_every_stage_has_its_own_colour() -> None:
    assert len({COLOUR[stage] for stage in STAGE}) == len(STAGE)


@pytest.mark.parametrize(("low", "high"), [(900, 3200), (980, 1020), (1, 1e5), (500, 501)])
def test_log_ticks_lie_on_the_axis(low: float, high: float) -> None:
    ticks = log_ticks(low, high)
    assert ticks == sorted(ticks)
    assert all(low * 0.98 <= tick <= high * 1.02 for tick in ticks)
    assert ticks


def test_close_days_get_lines_of_their_own() -> None:
    days = [date(2025, 1, 1), date(2025, 1, 5), date(2025, 1, 8), date(2025, 3, 1)]
    assert staggered(days, apart=timedelta(days=30)) == [0, 1, 2, 0]
