"""The levels of the index with the policy events that fell into them, and what the constituents did on those days."""

from datetime import date

import polars as pl

from exchina.analytics.event_study import EventStudy
from exchina.model import IndexFacts
from exchina.reporting import section
from exchina.reporting.document import Block, Column, Figure, Heading, LevelChart, Table, Text
from exchina.reporting.parts import Parts
from exchina.reporting.wording import MISSING, counted, day, number, percent

UNIT = "Index points, log scale"
ROW_HEIGHT = 19.0
NOT_A_CLAIM = (
    "Descriptive only: no significance test is made, other news moved these prices too, and nothing is claimed about "
    "cause or about later events."
)


@section("level_chart")
def level_chart(parts: Parts, *, events: int = 6, height: float = 170) -> list[Block]:
    """Levels on a log scale, the latest policy events numbered on it and listed under it.

    Args:
        parts: reads the levels and the event study.
        events: how many events to number: the most recent ones of the study, whatever followed them.
        height: of the chart in points; without events it takes the room of their table as well.
    """
    levels = parts.levels("level_chart")
    if levels is None:
        return []
    index, sessions = parts.book.index, levels["session"].to_list()
    numbered = None if parts.study is None else recent_events(parts.study, sessions[0], sessions[-1], events)
    marks = () if numbered is None else tuple(numbered.select("number", "event_date").rows())
    chart = LevelChart(tuple(sessions), tuple(levels["level"].to_list()), marks, index.live_date, UNIT)
    source = f"{parts.book.index.name}, rulebook version {index.version}; {parts.provenance.source}"
    room = 0.0 if marks else ROW_HEIGHT * events
    blocks: list[Block] = [
        Heading("Index level", note=_note(index)),
        Figure(chart, _alt(chart, index), source, height + room),
    ]
    return blocks if numbered is None or parts.study is None else [*blocks, *_listed(parts.study, numbered)]


def recent_events(study: EventStudy, first: date, last: date, count: int) -> pl.DataFrame:
    """The latest ``count`` events between two days, oldest first, with a number each and the move of the index.

    Args:
        study: its events, and its table's rows of group ``index``.
        first: first day.
        last: last day.
        count: how many at most.
    """
    moves = study.table.filter(pl.col("group") == "index").select("event_id", "names", "car", "window")
    return (
        study.events.filter(pl.col("event_date").is_between(first, last))
        .sort("event_date", "event_id")
        .tail(count)
        .join(moves, on="event_id", how="left", maintain_order="left")
        .with_row_index("number", offset=1)
    )


def _listed(study: EventStudy, events: pl.DataFrame) -> list[Block]:
    if events.is_empty():
        return [Text("No policy event of the study falls into this period.", quiet=True)]
    columns = (
        Column("No.", keys=("event",) * events.height),
        Column("Date"),
        Column("Policy event", wide=True),
        Column("Names", align="right"),
        Column("Move", align="right"),
    )
    rows = tuple(
        (str(number), day(when), title, MISSING if names is None else str(names), percent(move, signed=True))
        for number, when, title, names, move in events.select(
            "number", "event_date", "title", "names", "car"
        ).iter_rows()
    )
    return [
        Table(columns, rows, "Recent policy events and how the constituents moved"),
        Text(_method(study, events), quiet=True),
    ]


def _method(study: EventStudy, events: pl.DataFrame) -> str:
    window = next(iter(events["window"].drop_nulls()), MISSING)
    studied = study.events.filter(pl.col("status") == "studied").height
    left_out = study.events.height - studied
    return (
        f"The {counted(events.height, 'latest event')} of {study.events.height} in the calendar ({studied} measured, "
        f"{left_out} left out), whatever followed. Move: weighted abnormal return of the constituents of that day over "
        f"sessions {window}, each against its home market; Names: how many could be measured; n/a: none. {NOT_A_CLAIM}"
    )


def _note(index: IndexFacts) -> str:
    base = f"{index.returns[0]} in {index.currency}, {day(index.base_date)} = {number(index.base_value, 0)}"
    live = "hypothetical, back-tested" if index.live_date is None else f"hypothetical before {day(index.live_date)}"
    return f"{base}; {live}"


def _alt(chart: LevelChart, index: IndexFacts) -> str:
    return (
        f"Line chart on a log scale of the {index.name} from {day(chart.sessions[0])} ({number(chart.levels[0])}) to "
        f"{day(chart.sessions[-1])} ({number(chart.levels[-1])}), lowest {number(min(chart.levels))}, highest "
        f"{number(max(chart.levels))}, {_note(index)}, with {counted(len(chart.events), 'numbered policy event')}."
    )
