"""The charts of an event study: small multiples of paths, a forest of events, a heat map of stages.

Rows come in ready to be drawn, in per cent; a value that is not there is None and gets no mark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from exchina.reporting.palette import COLOUR
from exchina.reporting.study_frame import WIDTH

if TYPE_CHECKING:
    import altair

Rows: TypeAlias = Sequence[dict[str, Any]]
COLUMNS = 4
PANEL = (110.0, 74.0)
ROW = 13.0
TITLE_AT, TITLE_WIDTH, TITLE_LETTERS = 50.0, 168.0, 46
PLOT = (294.0, 490.0)
CELLS = (226.0, WIDTH)
NARROW, NARROWEST = 52.0, 24.0
WHOLE, BROKEN = "datum.label", "split(datum.label, ' ')"
SIGNED = "datum.value == 0 ? '0' : format(datum.value, '+.3~r')"
FALL, NOTHING, RISE = COLOUR["event"], "#ececea", "#1b5a94"


@dataclass(frozen=True)
class Panel:
    """The mean path of one kind of event: ``rows`` of day, caar, low and high (per cent; None for no band)."""

    title: str
    dates: str
    rows: Rows


def path_chart(panels: Sequence[Panel]) -> "altair.ConcatChart | altair.Chart":
    """Small multiples on one scale: the mean path as a line, the band of no reaction around zero as a ground."""
    import altair as alt

    if not panels:
        return alt.Chart(alt.Data(values=[{}])).mark_text(text="No path", color=COLOUR["quiet"]).properties(width=WIDTH)
    values = [abs(row[name]) for panel in panels for row in panel.rows for name in ("caar", "high") if row[name]]
    limit = 1.14 * max(values, default=1.0)
    return alt.concat(
        *(_panel(panel, limit, first=at % COLUMNS == 0) for at, panel in enumerate(panels)),
        columns=COLUMNS,
        spacing=10,
    ).properties(padding=1)


def forest_chart(rows: Rows, limit: float) -> "altair.LayerChart | altair.FacetChart":
    """One row an event: date, title, window and names; the move with its interval; the adjusted p.

    Args:
        rows: id, date, title, window, names, p (text), caar, low, high (None for no interval), mde, colour, compound.
        limit: end of the axis on both sides, in per cent; an interval that goes on ends in an arrow.
    """
    import altair as alt

    shown = [_clipped(row, limit) for row in rows]
    base = alt.Chart(alt.Data(values=shown)).encode(y=_lines(rows))
    scale = alt.Scale(domain=[-limit, limit], range=list(PLOT), nice=False)
    axis = alt.Axis(orient="top", labelExpr=SIGNED, tickCount=7, grid=True, gridColor=COLOUR["rule"], gridWidth=0.4)

    def x(name: str) -> "altair.X":
        return alt.X(f"{name}:Q", scale=scale, axis=axis, title="Average abnormal return over the window, %")

    ink = alt.Color("colour:N", scale=None)
    hollow = alt.Fill("fill:N", scale=None)
    powerless = base.transform_filter("datum.mde != null").mark_bar(height=ROW - 4, color=COLOUR["rule"], opacity=0.75)
    spans = base.transform_filter("datum.low != null")
    marks = base.transform_filter("datum.caar != null").mark_point(filled=False, size=26, strokeWidth=1.1, opacity=1)
    shape = alt.Shape("shape:N", scale=None)
    zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color=COLOUR["quiet"], strokeWidth=0.7)
    return alt.layer(
        powerless.encode(x=x("below"), x2="mde:Q"),
        zero.encode(x=x("zero")),
        spans.mark_rule(strokeWidth=1.1).encode(x=x("low"), x2="high:Q", color=ink),
        *(
            base.transform_filter(f"datum.{side}").mark_point(shape=arrow, filled=True, size=20, opacity=1)
            .encode(x=x(end), color=ink)
            for side, end, arrow in (("more_left", "low", "triangle-left"), ("more_right", "high", "triangle-right"))
        ),
        marks.encode(x=x("caar"), color=ink, fill=hollow, shape=shape),
        *_words(base, date=0.0, title=TITLE_AT, window=TITLE_AT + TITLE_WIDTH + 6),
        base.mark_text(align="right", color=COLOUR["quiet"]).encode(x=alt.value(PLOT[0] - 12), text="names:N"),
        base.mark_text(align="right").encode(x=alt.value(WIDTH - 2), text="p:N", color=ink),
        *_headings(date=(0, "left"), event=(TITLE_AT, "left"), window=(TITLE_AT + TITLE_WIDTH + 6, "left"),
                   names=(PLOT[0] - 12, "right"), **{"Holm p": (WIDTH - 2, "right")}),
    ).properties(width=WIDTH - 2, height=alt.Step(ROW), padding=1)  # fmt: skip


def stage_chart(
    rows: Rows, cells: Rows, stages: Sequence[str], limit: float
) -> "altair.LayerChart | altair.FacetChart":
    """Stage by event: the colour of a cell is its move, white on both sides of nothing; what is not there is framed.

    Args:
        rows: of the events: id, date, title.
        cells: id, stage, car (per cent or None), text, weight (of the type, 400 or 600).
        stages: columns in order.
        limit: where the colours end on both sides, in per cent.
    """
    import altair as alt

    room = (CELLS[1] - CELLS[0]) / len(stages)
    wide = room >= NARROW
    labels: dict[str, Any] = {"labelExpr": WHOLE if wide else BROKEN, "labelPadding": 4 if wide else 24}
    base = alt.Chart(alt.Data(values=list(cells))).encode(
        y=_lines(rows),
        x=alt.X(
            "stage:N",
            sort=list(stages),
            scale=alt.Scale(domain=list(stages), range=list(CELLS), paddingInner=0.03),
            axis=alt.Axis(orient="top", title=None, labelAngle=0, **labels),
        ),
    )
    scale = alt.Scale(domain=[-limit, 0, limit], range=[FALL, NOTHING, RISE], interpolate="lab", clamp=True)
    legend = alt.Legend(
        title="Abnormal return over the window, %", orient="none", direction="horizontal",
        legendX=CELLS[0], legendY=ROW * len(rows) + 6, gradientLength=CELLS[1] - CELLS[0],
        gradientThickness=6, values=[-limit, -limit / 2, 0, limit / 2, limit], labelExpr=SIGNED,
        titleFontWeight="normal", labelFontSize=7, titleFontSize=7.5, titleLimit=300, titleColor=COLOUR["quiet"],
        labelColor=COLOUR["quiet"],
    )  # fmt: skip
    there = base.transform_filter("datum.car != null")
    missing = base.transform_filter("datum.car == null")
    pale = alt.condition(f"abs(datum.car) > {0.7 * limit!r}", alt.value(COLOUR["paper"]), alt.value(COLOUR["ink"]))
    names = alt.Chart(alt.Data(values=list(rows))).encode(y=_lines(rows))
    numbers = [
        there.transform_filter(f"datum.weight == {weight}").mark_text(fontSize=7, fontWeight=weight)
        .encode(text="text:N", color=pale)
        for weight in (400, 600)
    ]  # fmt: skip
    return alt.layer(
        there.mark_rect().encode(color=alt.Color("car:Q", scale=scale, legend=legend)),
        missing.mark_rect(fill=COLOUR["paper"], stroke=COLOUR["rule"], strokeWidth=0.6, strokeDash=[2, 2]),
        missing.mark_text(fontSize=7, color=COLOUR["quiet"]).encode(text="text:N"),
        *(numbers if room >= NARROWEST else []),
        *_words(names, date=0.0, title=TITLE_AT),
        *_headings(date=(0, "left"), event=(TITLE_AT, "left")),
    ).properties(width=WIDTH - 2, height=alt.Step(ROW), padding=1)


def cut(words: str) -> str:
    """A title as long as its column; one that is longer ends in an ellipsis."""
    if len(words) <= TITLE_LETTERS:
        return words
    return words[: TITLE_LETTERS - 1].rstrip(" ,;:") + "\N{HORIZONTAL ELLIPSIS}"


def _panel(panel: Panel, limit: float, *, first: bool) -> "altair.LayerChart | altair.FacetChart":
    import altair as alt

    rows = alt.Data(values=list(panel.rows))
    days = [row["day"] for row in panel.rows]
    across = alt.X(
        "day:Q",
        title=None,
        scale=alt.Scale(domain=[min(days), max(days)], nice=False),
        axis=alt.Axis(values=[-10, -5, 0, 5, 10], labelExpr=SIGNED, grid=False),
    )
    scale = alt.Scale(domain=[-limit, limit], nice=False)
    axis = alt.Axis(
        labelExpr=f"({SIGNED}) + '%'", tickCount=5, title=None, labels=first, gridColor=COLOUR["rule"],
        gridWidth=0.4,
    )  # fmt: skip

    def up(name: str) -> "altair.Y":
        return alt.Y(f"{name}:Q", scale=scale, axis=axis)

    base = alt.Chart(rows).encode(x=across)
    band = base.transform_filter("datum.low != null").mark_area(color=COLOUR["rule"], opacity=0.75)
    here = alt.Chart(alt.Data(values=[{"day": 0, "zero": 0}]))
    return alt.layer(
        band.encode(y=up("low"), y2="high:Q"),
        here.mark_rule(color=COLOUR["quiet"], strokeWidth=0.5).encode(y=up("zero")),
        here.mark_rule(color=COLOUR["event"], strokeWidth=0.8, strokeDash=[2, 2]).encode(x=across),
        base.mark_line(color=COLOUR["navy"], strokeWidth=1.3, strokeJoin="round").encode(y=up("caar")),
    ).properties(
        width=PANEL[0],
        height=PANEL[1],
        title=alt.TitleParams(
            panel.title, subtitle=panel.dates, anchor="start", frame="group", fontSize=7.5, fontWeight=600, offset=4,
            color=COLOUR["ink"], subtitleFontSize=7, subtitleColor=COLOUR["quiet"], limit=PANEL[0] + 6,
        ),
    )  # fmt: skip


def _clipped(row: dict[str, Any], limit: float) -> dict[str, Any]:
    """A row with its marks cut to the axis, and whether its interval goes on."""
    low, high, mde = row["low"], row["high"], row["mde"]
    ends = {"low": None, "high": None} if low is None else {"low": max(low, -limit), "high": min(high, limit)}
    reach = None if mde is None else min(mde, limit)
    return row | ends | {
        "more_left": low is not None and low < -limit,
        "more_right": high is not None and high > limit,
        "mde": reach,
        "below": None if reach is None else -reach,
        "fill": COLOUR["paper"] if low is None else row["colour"],
        "shape": "diamond" if row["compound"] else "circle",
    }  # fmt: skip


def _lines(rows: Rows) -> "altair.Y":
    """One line an event, in the order given."""
    import altair as alt

    order = [row["id"] for row in rows]
    return alt.Y("id:N", sort=order, axis=None, scale=alt.Scale(domain=order, paddingInner=0.08, paddingOuter=0.1))


def _words(base: "altair.Chart", **places: float) -> list["altair.Chart"]:
    """Columns of text from the left."""
    import altair as alt

    return [
        base.mark_text(align="left", color=COLOUR["ink" if name == "title" else "quiet"])
        .encode(x=alt.value(at), text=f"{name}:N")
        for name, at in places.items()
    ]  # fmt: skip


def _headings(**places: tuple[float, str]) -> list["altair.Chart"]:
    """The names of the columns of text, above the first line."""
    import altair as alt

    one = alt.Chart(alt.Data(values=[{}]))
    return [
        one.mark_text(align=align, baseline="bottom", color=COLOUR["quiet"], text=name.capitalize())  # pyright: ignore[reportArgumentType]
        .encode(x=alt.value(at), y=alt.value(-4))
        for name, (at, align) in places.items()
    ]  # fmt: skip
