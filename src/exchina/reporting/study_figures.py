"""The figures of an event study, as SVG and PNG: the same study gives the same bytes.

They describe. None says why prices moved; each prints what it rests on (window, benchmark, family of tests, ledger) and
what could not have been seen, and on simulated prices each says so.
"""

from collections.abc import Iterator
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import polars as pl
from scipy.special import stdtrit

from exchina.analytics.claims import CAUSAL, CAVEAT, LEVEL
from exchina.analytics.event_study import EventStudy
from exchina.analytics.study_events import COMPOUND
from exchina.analytics.study_tests import INDEX
from exchina.errors import Problem, PublicationError
from exchina.reporting import study_charts
from exchina.reporting.document import SIMULATED
from exchina.reporting.palette import COLOUR
from exchina.reporting.study_frame import PIXELS_PER_POINT, drawn, framed
from exchina.reporting.wording import STAGE, capitalised, counted, number, stage

ROOM = 1.08
MODEL = {"market": "market model", "mean": "mean-adjusted returns", "adjusted": "market-adjusted returns"}
NO_STAGE, NOT_MEASURED = "\N{EN DASH}", "n/a"
NOT_NOTHING = "No reaction detected is not no reaction."


def figures(study: EventStudy, *, title: str, fonts: Path) -> dict[str, bytes]:
    """Draw a study: mean paths by kind of event, every event with what could have been seen, and every stage.

    Args:
        study: result of `exchina.analytics.event_study.study`; its main window is drawn, paths over days -10 to +10.
        title: the small line on top of each figure, such as the name of the index.
        fonts: folder with the house fonts (TTF).

    Returns:
        File name to bytes: ``caar``, ``events`` and ``stages``, each as ``.svg`` (points) and as ``.png`` (2x).

    Raises:
        PublicationError: no event was measured, or the title or that of an event claims a cause.
    """
    from exchina.reporting.figures import to_png

    table = _main(study)
    events = table.filter(group=INDEX).sort("event_date", "event_id")
    _require(study, events, title)
    made: dict[str, bytes] = {}
    for name, (chart, heading, key) in {
        "caar": _paths(study, events),
        "events": _forest(study, events),
        "stages": _stages(study, events, table.filter(pl.col("group") != INDEX)),
    }.items():
        label = SIMULATED if study.provenance.simulated else ""
        svg = framed(drawn(chart, fonts), title=title, heading=heading, key=key, foot=_foot(study), label=label)
        made |= {f"{name}.svg": svg.encode(), f"{name}.png": to_png(svg, PIXELS_PER_POINT)}
    return made


def half_width(cars: pl.Series, rbar: float | None, df: int | None) -> float | None:
    """Half the 95 % interval of an equal-weighted mean CAR, adjusted for the names' common movement; None without it.

    q_{0.975}(df) sd(CAR) / sqrt(N) sqrt((1 + (N-1) rbar) / (1 - rbar)): the cross-section standard error with the
    correction of Kolari and Pynnonen (2010). Not |CAAR / t| of the headline test: that t is of standardised moves, and
    where both are near zero their quotient is anything.

    Args:
        cars: cumulative abnormal returns of the N names, fractions of 1.
        rbar: mean correlation of their estimation residuals.
        df: degrees of freedom of the headline test; None where it was not computable.
    """
    count = len(cars)
    if rbar is None or df is None or df < 1 or count < 2 or 1 + (count - 1) * rbar <= 0 or rbar >= 1:
        return None
    spread = float(cars.to_numpy().std(ddof=1))
    return float(stdtrit(df, 0.975)) * spread * sqrt((1 + (count - 1) * rbar) / ((1 - rbar) * count))


def _main(study: EventStudy) -> pl.DataFrame:
    """The rows of the main window."""
    return study.table.filter(measure=study.settings.window_name)


def _require(study: EventStudy, events: pl.DataFrame, title: str) -> None:
    if events.is_empty():
        why = study.events["note"].drop_nulls().unique().sort().to_list()
        hint = f"the study says why events were left out: {'; '.join(why)}" if why else "its ledger has no event"
        raise PublicationError(
            Problem(f"figures of {title!r}", "no event was measured, there is nothing to draw", hint)
        )
    said = [("the title", title), *events.select("event_id", "title").iter_rows()]
    if faults := [(where, words) for where, words in said if CAUSAL.search(words)]:
        hint = "say what was announced or shown, not what it did"
        raise PublicationError(*(Problem(where, f"{words!r} claims a cause", hint) for where, words in faults))


def _paths(study: EventStudy, events: pl.DataFrame) -> tuple[Any, str, list[str]]:
    single = events.filter(pl.col("kind") != COMPOUND).select("event_id", "kind")
    means = (
        study.paths.join(single, on="event_id")
        .sort("kind", "day", "event_id")
        .group_by("kind", "day", maintain_order=True)
        .agg(
            pl.len().alias("dates"),
            pl.col("caar").mean(),
            band=pl.when(pl.col("band").is_null().any()).then(None).otherwise(pl.col("band").pow(2).mean().sqrt())
            / pl.len().sqrt(),
        )
    )
    panels, outside, banded = [], 0, 0
    for path in sorted(
        means.partition_by("kind", maintain_order=True), key=lambda one: (-one["dates"][0], one["kind"][0])
    ):
        rows = [
            {"day": day, "caar": 100 * caar, "low": band and -100 * band, "high": band and 100 * band}
            for day, caar, band in path.select("day", "caar", "band").iter_rows()
        ]
        last = rows[-1]
        banded += last["high"] is not None
        outside += last["high"] is not None and abs(last["caar"]) > last["high"]
        panels.append(study_charts.Panel(_kind(path["kind"][0]), counted(path["dates"][0], "date"), rows))
    heading = (
        f"The mean path ends outside its band in {outside} of {counted(banded, 'kind')} of event; chance alone would "
        f"give about {number(0.05 * banded, 2)}"
    )
    mixed = events.filter(kind=COMPOUND).height
    short = single.height - study.paths.join(single, on="event_id")["event_id"].n_unique()
    key = [
        "Line: cumulative average abnormal return from day \N{MINUS SIGN}10, the equal-weighted mean of the names and "
        "then of the dates, as it was, not signed by expectation. Shaded: 95% band of no reaction, day by day, if "
        "dates are independent; it is not adjusted for the number of kinds or days. Dashed: day 0, the first session "
        "able to react in each market.",
        f"Not averaged: {counted(mixed, 'compound event')} of several kinds, {counted(short, 'event')} whose record "
        "does not reach from day \N{MINUS SIGN}10 to day +10.",
    ]
    if not panels:
        heading = "No kind of event has a path that could be averaged"
    return study_charts.path_chart(panels), heading, key


def _forest(study: EventStudy, events: pl.DataFrame) -> tuple[Any, str, list[str]]:
    rows = list(_event_rows(study, events))
    reach = [abs(row[name]) for row in rows for name in ("caar", "mde") if row[name] is not None]
    key = [
        f"{NOT_NOTHING} Mark: equal-weighted mean move of the names, with its 95% interval, adjusted for common "
        "movement and not for the number of tests; an arrow: it goes on. Hollow: no interval can be computed. Diamond: "
        "compound event, its windows overlap and the effects cannot be told apart. Light bar: up to the minimum "
        f"detectable effect; smaller moves are found with less than 80% power. Red: Holm p at most {LEVEL:g}, over the "
        "whole family, of the Kolari-Pynnonen adjusted BMP test; it standardises each name's move first, so that it "
        "and the interval can differ. Names: measured of those in the index.",
    ]
    heading = _heading(events["p_holm"], "event", study)
    return study_charts.forest_chart(rows, ROOM * max(reach, default=1.0)), heading, key


def _event_rows(study: EventStudy, events: pl.DataFrame) -> Iterator[dict[str, Any]]:
    measured = study.securities.filter(measure=study.settings.window_name).drop_nulls("car")
    cars = measured.sort("symbol").partition_by("event_id", as_dict=True)
    for event, row in zip(events.iter_rows(named=True), _named(study, events), strict=True):
        caar, p = event["caar"], event["p_holm"]
        low, high = _interval(event, cars.get((event["event_id"],)))
        yield row | {
            "window": event["window"],
            "names": f"{event['names']}/{event['names'] + event['left_out']}",
            "caar": None if caar is None else 100 * caar,
            "low": low,
            "high": high,
            "mde": None if event["mde"] is None else 100 * event["mde"],
            "p": NOT_MEASURED if p is None else "<0.001" if p < 0.001 else number(p, 3 if p < 0.1 else 2),
            "colour": COLOUR["event" if p is not None and p <= LEVEL else "quiet"],
        }


def _interval(event: dict[str, Any], names: pl.DataFrame | None) -> tuple[float | None, float | None]:
    """The ends of the interval in per cent; None where the headline test or the spread is not computable."""
    if names is None or event["t"] is None or event["caar"] is None:
        return None, None
    half = half_width(names["car"], event["rbar"], event["df"])
    return (None, None) if half is None else (100 * (event["caar"] - half), 100 * (event["caar"] + half))


def _stages(study: EventStudy, events: pl.DataFrame, table: pl.DataFrame) -> tuple[Any, str, list[str]]:
    seen = table["group"].unique().to_list()
    order = [name for name in STAGE if name in seen] + sorted(set(seen) - set(STAGE))
    found = {(row["event_id"], row["group"]): row for row in table.iter_rows(named=True)}
    cells = [_cell(event, name, found.get((event, name))) for event in events["event_id"] for name in order]
    sizes = sorted(abs(cell["car"]) for cell in cells if cell["car"] is not None)
    limit = max(1, ceil(sizes[ceil(0.95 * len(sizes)) - 1])) if sizes else 1
    key = [
        f"{NOT_NOTHING} Number: equal-weighted mean move of the stage's names, in %; bold: Holm p at most {LEVEL:g}. "
        f"Colours end at {limit}% on both sides; up to one cell in twenty lies beyond. Framed: {NOT_MEASURED}, the "
        f"stage's names were left out of the measurement; {NO_STAGE}, the basket of that date held no such name. "
        "Compound events, marked by their number of events, have longer windows and effects that cannot be told apart.",
    ]
    heading = _heading(table["p_holm"], "stage move", study)
    return study_charts.stage_chart(_named(study, events), cells, [stage(name) for name in order], limit), heading, key


def _cell(event: str, group: str, row: dict[str, Any] | None) -> dict[str, Any]:
    car = None if row is None or row["car"] is None else 100 * row["car"]
    missing = NO_STAGE if row is None else NOT_MEASURED
    bold = row is not None and row["p_holm"] is not None and row["p_holm"] <= LEVEL
    text = missing if car is None else number(car, 1, signed=True)
    return {"id": event, "stage": stage(group), "car": car, "text": text, "weight": 600 if bold else 400}


def _named(study: EventStudy, events: pl.DataFrame) -> list[dict[str, Any]]:
    """Id, date and title of each event; a compound event says how many it is."""
    counts = dict(study.events.drop_nulls("compound_id")["compound_id"].value_counts().iter_rows())
    return [
        {
            "id": event,
            "date": when.isoformat(),
            "title": study_charts.cut(f"{counts[event]} events: {title}" if counts[event] > 1 else title),
            "compound": counts[event] > 1,
        }
        for event, when, title in events.select("event_id", "event_date", "title").iter_rows()
    ]


def _heading(adjusted: pl.Series, noun: str, study: EventStudy) -> str:
    found, tested = int((adjusted <= LEVEL).sum()), adjusted.len() - adjusted.null_count()
    family = f"after adjustment for {counted(study.family_size, 'test')}"
    if not tested:
        return f"No {noun} could be tested"
    if not found:
        return f"None of {tested} tested {noun}s stands out {family}"
    return f"{found} of {tested} tested {noun}s {'stands' if found == 1 else 'stand'} out {family}"


def _foot(study: EventStudy) -> list[str]:
    settings = study.settings
    factors = f" with {', '.join(settings.factors)}" if settings.factors else ""
    return [
        f"Source: exchina. {study.provenance.source} Retrieved {study.provenance.retrieved_at[:10]}, prices through "
        f"{study.provenance.through.isoformat()}.",
        f"Window {settings.window_name} in sessions from day 0, longer where events overlap; benchmark: "
        f"{settings.benchmark or 'the home market of each name'}; {MODEL[settings.model]}{factors}, "
        f"{settings.estimation_sessions} estimation sessions; membership as of each date; family of "
        f"{counted(study.family_size, 'test')}; event ledger {study.ledger_hash[:12]}. {CAVEAT}",
    ]


def _kind(name: str) -> str:
    """A kind of event as written: ``us_tariff`` is US tariff."""
    words = ["US" if word == "us" else word.capitalize() if word == "china" else word for word in name.split("_")]
    return capitalised(" ".join(words))
