"""The levels of the index with the policy events that fell into them, and what the constituents did on those days."""

from datetime import date

import polars as pl

from exchina.analytics.event_study import EventStudy
from exchina.errors import Problem, PublicationError, did_you_mean
from exchina.model import IndexFacts
from exchina.reporting import section
from exchina.reporting.document import Block, Column, Figure, Heading, LevelChart, Table, Text
from exchina.reporting.parts import Parts
from exchina.reporting.wording import counted, day, listed, number, percent
from exchina.tables.reference_words import SHOCK_KINDS

UNIT = "Index points, log scale"
ROW_HEIGHT = 19.0
NO_EVENTS = {
    "number": pl.UInt32,
    "event_date": pl.Date,
    "title": pl.String,
    "names": pl.Int64,
    "car": pl.Float64,
}
NOT_A_CLAIM = (
    "Descriptive only: no significance is claimed, other news moved these prices too, and nothing is claimed about "
    "cause or about later events."
)


@section("level_chart")
def level_chart(parts: Parts, *, events: int = 6, kinds: tuple[str, ...] = (), height: float = 150) -> list[Block]:
    """Levels on a log scale, the latest policy events numbered on it and listed under it.

    Args:
        parts: reads the levels and the event study.
        events: how many events to number: the latest that were measured, whatever followed them.
        kinds: kinds of event to choose from; empty for all.
        height: of the chart in points; without events it takes the room of their table as well.
    """
    levels = parts.levels("level_chart")
    if levels is None:
        return []
    index, sessions = parts.book.index, levels["session"].to_list()
    numbered = recent_events(parts.study, (sessions[0], sessions[-1]), kinds, events)
    marks = tuple(numbered.select("number", "event_date").rows())
    chart = LevelChart(tuple(sessions), tuple(levels["level"].to_list()), marks, index.live_date, UNIT)
    source = f"{index.name}, rulebook version {index.version}; {parts.provenance.source}"
    room = 0.0 if marks else ROW_HEIGHT * events
    blocks: list[Block] = [
        Heading("Index level", note=_note(index)),
        Figure(chart, _alt(chart, index), source, height + room),
    ]
    return blocks if parts.study is None else [*blocks, *_listed(parts.study, numbered, kinds)]


def recent_events(
    study: EventStudy | None, between: tuple[date, date], kinds: tuple[str, ...], count: int
) -> pl.DataFrame:
    """The latest events that were measured, oldest first: number, event_date, title, names, car.

    Args:
        study: its events, and compound ids, and its table's rows of group ``index``; None has no events.
        between: first and last day.
        kinds: kinds to choose from; empty for all.
        count: how many at most.

    Raises:
        PublicationError: there is no such kind.
    """
    if study is None:
        return pl.DataFrame(schema=NO_EVENTS)
    if unknown := [kind for kind in kinds if kind not in SHOCK_KINDS]:
        place = "section level_chart.kinds"
        raise PublicationError(
            *(Problem(place, f"no event is of kind {kind!r}", did_you_mean(kind, SHOCK_KINDS)) for kind in unknown)
        )
    asked = study.events.filter(pl.col("kind").is_in(kinds or SHOCK_KINDS), status="studied")["compound_id"]
    chosen = study.table.filter(
        pl.col("event_date").is_between(*between), pl.col("event_id").is_in(asked.implode()), group="index"
    )
    parts = (
        study.events.sort("event_date", "event_id")
        .drop_nulls("compound_id")
        .group_by("compound_id")
        .agg(first=pl.col("title").first(), more=pl.len() - 1)
    )
    more = pl.format("{} (with {} more)", "first", "more")
    named = chosen.join(parts, left_on="event_id", right_on="compound_id", how="left").with_columns(
        title=pl.when(pl.col("more") > 0).then(more).otherwise("title")
    )
    latest = named.sort("event_date", "event_id").tail(count).with_row_index("number", offset=1)
    return latest.select(list(NO_EVENTS))


def _listed(study: EventStudy, events: pl.DataFrame, kinds: tuple[str, ...]) -> list[Block]:
    if events.is_empty():
        return [Text("No event that was measured falls into this period.", quiet=True)]
    columns = (
        Column("No.", keys=("event",) * events.height),
        Column("Date"),
        Column("Policy event", wide=True),
        Column("Names", align="right"),
        Column("Move", align="right"),
    )
    rows = tuple(
        (str(number), day(when), title, str(names), percent(move, signed=True))
        for number, when, title, names, move in events.iter_rows()
    )
    return [
        Table(columns, rows, "Recent policy events and how the constituents moved"),
        Text(_method(study, events, kinds), quiet=True),
    ]


def _method(study: EventStudy, events: pl.DataFrame, kinds: tuple[str, ...]) -> str:
    measured = study.events.filter(status="studied").height
    of_kind = (
        f" of kind {listed([kind.replace('_', ' ').replace('china', 'China') for kind in kinds])}" if kinds else ""
    )
    return (
        f"Shown: the {counted(events.height, 'latest event')}{of_kind}, whatever followed; the calendar has "
        f"{study.events.height} events, {measured} measured. Move: weighted abnormal return of the constituents of "
        f"that day over sessions {study.settings.window_name}, longer where events overlap, each against "
        f"{study.settings.benchmark or 'its home market'}; Names: how many were measured. Event ledger "
        f"{study.ledger_hash[:12]}. {NOT_A_CLAIM}"
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
