"""Figures of a study: bytes repeat, what must be said is said, what cannot be computed is not drawn as a number."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from exchina import workflow
from exchina.analytics.constituent_moves import StudySettings
from exchina.analytics.event_study import EventStudy
from exchina.errors import PublicationError
from exchina.market.view import MarketView
from exchina.model import IndexSeries, Provenance
from exchina.reporting.document import SIMULATED
from exchina.reporting.palette import COLOUR
from exchina.reporting.study_figures import figures, half_width

NAMES = {"caar", "events", "stages"}
ALWAYS = (
    "Past reactions do not predict future ones.",
    "0123456789ab",
    "family of 7 tests",
    "[0,+1]",
    "the home market of each name",
    "Made-up prices.",
    "Test Index",
)
PRICES = Provenance("m", "simulated", "Made-up prices.", "2026-11-23T08:00:00Z", "0" * 64, date(2026, 11, 20))
EVENTS: list[tuple[str, int, str, str]] = [
    ("A", 5, "Quota & licence <ends>", "china_easing"),
    ("B+C", 12, "First of two announcements that overlap; second of two announcements", "compound"),
    ("D", 20, "Tariff", "us_tariff"),
    ("F", 27, "Ports close", "us_tariff"),
]
CARS = {"A": [0.03, 0.05, 0.01, 0.02], "B+C": [0.1, -0.3, 0.6], "D": [-0.04], "F": [-0.05, -0.055, -0.045]}
TESTS: dict[str, tuple[Any, ...]] = {  # t, df, p, p_holm, rbar, mde
    "A": (1.9, 3, 0.15, 0.45, 0.2, 0.06),
    "B+C": (0.3, 2, 0.79, 1.0, 0.1, 0.09),
    "D": (None, None, None, None, None, 0.12),
    "F": (-14.0, 2, 0.005, 0.035, 0.1, 0.05),
}


def study(**changes: Any) -> EventStudy:
    """Four events: one ordinary, one compound, one whose test is not computable, one that stands out."""
    parts: dict[str, Any] = {field.name: pl.DataFrame() for field in fields(EventStudy)} | {
        "events": _events(),
        "table": _table(),
        "paths": _paths(),
        "securities": _securities(),
        "family_size": 7,
        "ledger_hash": "0123456789ab" + "f" * 52,
        "settings": StudySettings(),
        "provenance": PRICES,
    }
    return EventStudy(**{**parts, **changes})


def _events() -> pl.DataFrame:
    rows = [
        (one, date(2025, 6, day), title, kind, name) for name, day, title, kind in EVENTS for one in name.split("+")
    ]
    late = ("Z", date(2025, 7, 1), "Later", "us_tariff", None)
    schema = ["event_id", "event_date", "title", "kind", "compound_id"]
    found = pl.DataFrame([*rows, late], schema=schema, orient="row")
    return found.with_columns(note=pl.when(pl.col("event_id") == "Z").then(pl.lit("outcome is scheduled")))


def _table() -> pl.DataFrame:
    stages = {"A": {"producer": 0.04, "processor": 0.0}, "B+C": {"producer": None}, "D": {"producer": -0.04}, "F": {}}
    columns = ["t", "df", "p", "p_holm", "rbar", "mde"]
    rows: list[dict[str, Any]] = []
    for name, day, title, kind in EVENTS:
        facts = {"event_id": name, "event_date": date(2025, 6, day), "title": title, "kind": kind}
        window = "[0,+2]" if "+" in name else "[0,+1]"
        mean = float(np.mean(CARS[name]))
        counts = {"names": len(CARS[name]), "left_out": 1, "window": window}
        rows.append(facts | counts | {"group": "index", "car": mean, "caar": mean}
                    | dict(zip(columns, TESTS[name], strict=True)))  # fmt: skip
        nothing = dict.fromkeys(columns)
        rows += [facts | counts | {"group": stage, "car": car, "caar": car} | nothing
                 for stage, car in stages[name].items()]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(measure=pl.lit("[0,+1]"))


def _paths() -> pl.DataFrame:
    days = range(-10, 11)
    rows = [
        (name, day, 0.0, height * (day + 11) / 21, 0.02 * (day + 11) ** 0.5)
        for name, height in {"A": 0.02, "B+C": 0.5, "D": 0.30, "F": 0.10}.items()
        for day in days
    ]
    return pl.DataFrame(rows, schema=["event_id", "day", "aar", "caar", "band"], orient="row")


def _securities() -> pl.DataFrame:
    rows = [
        (name, f"S{n}", "[0,+2]" if "+" in name else "[0,+1]", car)
        for name, cars in CARS.items()
        for n, car in enumerate([*cars, None])
    ]
    found = pl.DataFrame(rows, schema=["event_id", "symbol", "window", "car"], orient="row")
    return found.with_columns(measure=pl.lit("[0,+1]"))


@pytest.fixture(scope="module")
def fonts(root: Path) -> Path:
    return root / "reports/templates/fonts"


@pytest.fixture(scope="module")
def made(fonts: Path) -> dict[str, bytes]:
    return figures(study(), title="Test Index", fonts=fonts)


@pytest.fixture
def draw(fonts: Path) -> Callable[..., dict[str, str]]:
    """The SVG texts of a changed study."""

    def drawn(**changes: Any) -> dict[str, str]:
        found = figures(study(**changes), title="Test Index", fonts=fonts)
        return {name: words(found[f"{name}.svg"]) for name in NAMES}

    return drawn


def words(svg: bytes) -> str:
    """The text of an SVG, its lines joined."""
    return " ".join(re.findall(r">([^<>]+)</text>", svg.decode()))


def test_each_figure_is_a_vector_and_a_picture_of_twice_its_size(made: dict[str, bytes]) -> None:
    assert set(made) == {f"{name}.{kind}" for name in NAMES for kind in ("svg", "png")}
    for name in NAMES:
        svg, png = made[f"{name}.svg"].decode(), made[f"{name}.png"]
        assert svg.startswith("<svg ")
        assert png.startswith(b"\x89PNG")
        assert "<image" not in svg
        size = re.match(r'<svg [^>]*width="([\d.]+)" height="([\d.]+)"', svg)
        assert size is not None
        pixels = [int.from_bytes(png[at : at + 4], "big") for at in (16, 20)]
        assert pixels == [pytest.approx(2 * float(length), abs=1.5) for length in size.groups()]


def test_same_study_same_bytes_in_any_time_zone(
    made: dict[str, bytes], fonts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "TZ", "Pacific/Auckland")
    time.tzset()
    shuffled = study(paths=_paths().reverse(), securities=_securities().reverse())
    assert figures(shuffled, title="Test Index", fonts=fonts) == made


def test_type_is_drawn_in_the_picture(made: dict[str, bytes], fonts: Path) -> None:
    """A family whose name ends in a number must be quoted, or the engine draws no letter at all."""
    import vl_convert as vlc

    svg = made["events.svg"].decode()
    assert set(re.findall(r'font-family="([^"]+)"', svg)) == {"'Source Sans 3', sans-serif"}
    bare = vlc.svg_to_png(re.sub(r"<text.*?</text>", "", svg), scale=2)
    assert len(made["events.png"]) > 1.5 * len(bare)


def test_every_figure_says_what_it_rests_on(made: dict[str, bytes]) -> None:
    for name in NAMES:
        said = words(made[f"{name}.svg"])
        assert [phrase for phrase in (*ALWAYS, SIMULATED) if phrase not in said] == []
        assert not re.search(r"caus(e|ing)|benefit|no effect|led to|impact", said, re.IGNORECASE)


def test_real_prices_carry_no_simulated_label(draw: Callable[..., dict[str, str]]) -> None:
    real = draw(provenance=replace(PRICES, kind="vendor"), settings=StudySettings(benchmark="^W"))
    assert [name for name, said in real.items() if SIMULATED in said] == []
    assert all("benchmark: ^W;" in said for said in real.values())


def test_paths_are_averaged_by_kind_and_compound_events_are_not(made: dict[str, bytes]) -> None:
    """US tariff ends at 20 %, band 0.02 sqrt(21 / 2) = 6.5 %: outside; China easing at 2 %, band 9.2 %: inside."""
    said = words(made["caar.svg"])
    assert "The mean path ends outside its band in 1 of 2 kinds of event; chance alone would give about 0.1" in said
    assert "US tariff 2 dates" in said
    assert "China easing 1 date " in said
    assert "Not averaged: 1 compound event of several kinds" in said
    assert "+20%" in said
    assert "+40%" not in said, "the compound event, at 50 %, is not drawn"


def test_a_kind_without_a_band_is_not_judged(draw: Callable[..., dict[str, str]]) -> None:
    """Of two dates one has no band: their mean has none."""
    bare = _paths().with_columns(band=pl.when(pl.col("event_id") != "F").then("band"))
    assert "outside its band in 0 of 1 kind of event" in draw(paths=bare)["caar"]


def test_no_path_is_said_and_not_drawn(draw: Callable[..., dict[str, str]]) -> None:
    said = draw(paths=_paths().clear())["caar"]
    assert "No kind of event has a path" in said
    assert "3 events whose record does not reach" in said


def marks(svg: bytes) -> list[tuple[str, str]]:
    """Fill and outline of the points of the forest, from the top."""
    groups = re.findall(r'<g class="mark-symbol role-mark[^>]*>(.*?)</g>', svg.decode())
    points = max((re.findall(r"<path[^>]*/>", group) for group in groups), key=len)
    return [(re.findall(r' fill="([^"]+)"', point)[0], re.findall(r' stroke="([^"]+)"', point)[0]) for point in points]


def test_the_forest_shows_what_stands_out_and_what_is_not_computable(made: dict[str, bytes]) -> None:
    said = words(made["events.svg"])
    assert "1 of 3 tested events stands out after adjustment for 7 tests" in said
    assert "No reaction detected is not no reaction." in said
    assert "2 events: First of two announcements that ov" in said
    assert "\N{HORIZONTAL ELLIPSIS}" in said
    assert "[0,+2]" in said
    assert {"0.45", "1.00", "n/a", "0.035"} <= set(said.split())
    assert {"4/5", "3/4", "1/2"} <= set(said.split())
    quiet, accent, paper = COLOUR["quiet"], COLOUR["event"], COLOUR["paper"]
    assert marks(made["events.svg"]) == [(quiet, quiet), (quiet, quiet), (paper, quiet), (accent, accent)]


def test_nothing_that_stands_out_is_said_without_claiming_nothing_happened(draw: Callable[..., dict[str, str]]) -> None:
    said = draw(table=_table().with_columns(p_holm=pl.col("p_holm") * 0 + 1))["events"]
    assert "None of 3 tested events stands out after adjustment for 7 tests No reaction detected is not" in said


def test_empty_cells_are_not_zero(made: dict[str, bytes]) -> None:
    said = words(made["stages.svg"])
    assert "No stage move could be tested" in said
    assert said.split().count("n/a") == 1, "the stage whose names were left out"
    assert said.split().count("\N{EN DASH}") == 4, "stages that a basket did not hold"
    assert {"+4.0", "0.0", "\N{MINUS SIGN}4.0"} <= set(said.split())
    assert "Colours end at 4% on both sides" in said


def test_the_main_window_is_drawn_and_not_a_further_one(made: dict[str, bytes], fonts: Path) -> None:
    """A further window stands after the main one, under the same id, or under that of another compound."""
    also = _table().with_columns(
        window=pl.lit("[-5,-1]"), measure=pl.lit("[-5,-1]"), car=pl.lit(0.77), caar=pl.lit(0.77)
    )
    other = also.with_columns(event_id=pl.lit("D+F"))
    assert figures(study(table=pl.concat([_table(), also, other])), title="Test Index", fonts=fonts) == made


def test_a_real_study_is_drawn_with_all_its_events(chain_series: IndexSeries, sample: MarketView, fonts: Path) -> None:
    found = workflow.study(chain_series, sample, kinds=["western_price_floor", "us_tariff"])
    drawn = figures(found, title="Magnet chain", fonts=fonts)
    index = found.table.filter(group="index")
    for name in ("events", "stages"):
        said = words(drawn[f"{name}.svg"])
        assert [day for day in index["event_date"].cast(pl.String) if day not in said] == []
        assert f"event ledger {found.ledger_hash[:12]}" in said
    measured = found.securities.drop_nulls("car").group_by("event_id").agg(pl.col("car").mean())
    means = dict(measured.iter_rows())
    assert index["caar"].to_list() == [pytest.approx(means[event]) for event in index["event_id"]]


def test_a_study_of_nothing_is_refused(fonts: Path) -> None:
    gone = _events().with_columns(compound_id=pl.lit(None, pl.String))
    with pytest.raises(PublicationError, match="no event was measured.*outcome is scheduled"):
        figures(study(events=gone, table=_table().clear()), title="Test Index", fonts=fonts)
    with pytest.raises(PublicationError, match="its ledger has no event"):
        figures(study(events=gone.clear(), table=_table().clear()), title="Test Index", fonts=fonts)


def test_a_title_that_claims_a_cause_is_refused(fonts: Path) -> None:
    claim = _table().with_columns(title=pl.lit("Miner benefits from the floor"))
    with pytest.raises(PublicationError) as caught:
        figures(study(table=claim), title="What the floor caused, causing a rise", fonts=fonts)
    assert [problem.where for problem in caught.value.problems] == ["the title", "A", "B+C", "D", "F"]


def test_the_interval_is_that_of_a_mean_if_names_move_apart() -> None:
    cars = [0.03, 0.05, 0.01, 0.02]
    low, high = stats.t.interval(0.95, 3, loc=np.mean(cars), scale=stats.sem(cars))
    assert half_width(pl.Series(cars), 0.0, 3) == pytest.approx((high - low) / 2, rel=1e-12)


def test_the_interval_holds_its_size_if_names_move_together() -> None:
    """rho 0.3, N 12, 4,000 null samples: the share of intervals without zero is 5 % +- 4 standard errors."""
    random, count, rho = np.random.default_rng(7), 12, 0.3
    common, own = random.normal(size=(4000, 1)), random.normal(size=(4000, count))
    draws = np.sqrt(rho) * common + np.sqrt(1 - rho) * own
    half = np.array([half_width(pl.Series(row), rho, count - 1) for row in draws])
    assert (np.abs(draws.mean(axis=1)) > half).mean() == pytest.approx(0.05, abs=0.014)


@pytest.mark.parametrize(
    ("cars", "rbar", "df"),
    [([0.1], 0.1, 0), ([0.1, 0.2], None, 1), ([0.1, 0.2], 0.1, None), ([0.1, 0.2, 0.3], -0.5, 2), ([0.1, 0.2], 1.0, 1)],
    ids=["one name", "no correlation", "no test", "no such correlation", "names move as one"],
)
def test_no_interval_where_it_is_not_computable(cars: list[float], rbar: float | None, df: int | None) -> None:
    assert half_width(pl.Series(cars), rbar, df) is None


def test_the_chart_engine_is_loaded_only_to_draw() -> None:
    code = "import sys, exchina.reporting.study_figures; print('altair' in sys.modules or 'vl_convert' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout == "False\n"
