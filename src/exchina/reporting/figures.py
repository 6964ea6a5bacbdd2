"""Charts as SVG in the house style, the same bytes each time.

Sizes are points at print size. Days are drawn in UTC, so that no time zone of a machine moves a mark.
"""

import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

import altair as alt
import vl_convert as vlc

from exchina.reporting.document import BarChart, LevelChart
from exchina.reporting.palette import COLOUR, FACE, FONT, colour

TICK_STEPS = ((1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9))
FEWEST_TICKS = 4
EDGE = 1.0
LABEL_HEIGHT = 11.0
Frame: TypeAlias = tuple[float, float]
Height: TypeAlias = Callable[[str], alt.Y]
UTC = alt.Scale(type="utc")
NO_AXIS = None


def draw(chart: LevelChart | BarChart, *, width: float, height: float, label: str, fonts: Path) -> str:
    """A chart as SVG text.

    Args:
        chart: what to draw.
        width: in points.
        height: in points.
        label: text that must stand in the figure, such as SIMULATED PRICES; empty for none.
        fonts: folder with the house fonts (TTF).
    """
    register_fonts(fonts)
    picture = level_chart(chart) if isinstance(chart, LevelChart) else bar_chart(chart)
    top = LABEL_HEIGHT if label else EDGE
    spec = picture.properties(
        width=width,
        height=height,
        padding={"top": top, "bottom": EDGE, "left": EDGE, "right": EDGE},
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
    ).configure(**house_style())
    svg = to_svg(spec.to_dict())
    return svg.removesuffix("</svg>") + _label(label, width) + "</svg>"


def to_svg(spec: dict[str, Any]) -> str:
    """A chart of the engine as SVG text in the house face; the fonts must have been registered."""
    return vlc.vegalite_to_svg(json.dumps(spec).replace(f'"{FONT}"', f'"{FACE}"'))


def to_png(svg: str, pixels_per_point: float) -> bytes:
    """SVG text as PNG; the fonts must have been registered."""
    return vlc.svg_to_png(svg, scale=pixels_per_point)


@cache
def register_fonts(fonts: Path) -> None:
    """Tell the chart engine, once, where the house fonts are."""
    vlc.register_font_directory(str(fonts))


def house_style() -> dict[str, Any]:
    """Faces, sizes and colours of every chart."""
    axis = {
        "domain": False,
        "ticks": False,
        "labelFont": FONT,
        "labelFontSize": 7.5,
        "labelColor": COLOUR["quiet"],
        "labelPadding": 4,
        "titleFont": FONT,
        "titleFontSize": 7.5,
        "titleFontWeight": "normal",
        "titleColor": COLOUR["quiet"],
    }
    text = {"font": FONT, "fontSize": 7.5}
    return {"background": COLOUR["paper"], "font": FONT, "view": {"stroke": None}, "axis": axis, "text": text}


def level_chart(chart: LevelChart) -> alt.LayerChart | alt.FacetChart:
    """Levels on a log scale: equal steps are equal returns. What is hypothetical stands on a shaded ground."""
    low, high = min(chart.levels), max(chart.levels)
    frame = (low / (high / low) ** 0.12 * 0.995, high * (high / low) ** 0.16 * 1.005)
    ticks = log_ticks(low, high)

    def height(field: str) -> alt.Y:
        axis = alt.Axis(values=ticks, format=",~r", title=chart.unit, grid=False)
        return alt.Y(f"{field}:Q", scale=alt.Scale(type="log", domain=frame, nice=False), axis=axis)

    x = alt.X("day:T", scale=UTC, axis=_time_axis(chart.sessions))
    grid = alt.Chart(alt.Data(values=[{"tick": tick} for tick in ticks])).mark_rule(
        color=COLOUR["rule"], strokeWidth=0.5
    )
    line = alt.Chart(_rows(chart)).mark_line(strokeWidth=1.2, strokeJoin="round")
    return alt.layer(
        *_ground(chart, frame, height),
        grid.encode(y=height("tick")),
        line.encode(x=x, y=height("level"), color=alt.Color("colour:N", scale=NO_AXIS)),
        *_markers(chart, frame, height),
    )


def bar_chart(chart: BarChart) -> alt.LayerChart | alt.FacetChart:
    """Horizontal bars in the order given, each with its value in per cent beside it."""
    rows = [
        {"label": bar.label, "value": 100 * bar.value, "text": f"{100 * bar.value:.1f}", "colour": colour(bar.key)}
        for bar in chart.bars
    ]
    longest = max((bar.value for bar in chart.bars), default=0) or 1
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("value:Q", axis=NO_AXIS, scale=alt.Scale(domain=[0, 132 * longest], nice=False)),
        y=alt.Y("label:N", sort=None, title=None, scale=alt.Scale(paddingInner=0.42, paddingOuter=0.1)),
    )
    bars = base.mark_bar().encode(color=alt.Color("colour:N", scale=NO_AXIS))
    values = base.mark_text(align="left", dx=3, color=COLOUR["ink"]).encode(text="text:N")
    return alt.layer(bars, values)


def log_ticks(low: float, high: float) -> list[float]:
    """Round values between ``low`` and ``high`` for a log axis: the coarsest steps that give at least four.

    Example:
        >>> log_ticks(900, 3200)
        [1000.0, 1500.0, 2000.0, 3000.0]
    """
    ticks: list[float] = []
    for steps in TICK_STEPS:
        decades = [10.0**power for power in range(-4, 10)]
        ticks = [step * decade for decade in decades for step in steps if low * 0.99 <= step * decade <= high * 1.01]
        if len(ticks) >= FEWEST_TICKS:
            return ticks
    return ticks or [low, high]


def staggered(days: Sequence[date], *, apart: timedelta) -> list[int]:
    """A line for each day's number, 0 at the top, so that numbers closer than ``apart`` do not overlap."""
    last_on_line: list[date] = []
    lines: list[int] = []
    for day in days:
        free = next((line for line, last in enumerate(last_on_line) if day - last >= apart), len(last_on_line))
        last_on_line[free : free + 1] = [day]
        lines.append(free)
    return lines


def _rows(chart: LevelChart) -> alt.Data:
    live = chart.live_date or date.max
    points = list(zip(chart.sessions, chart.levels, strict=True))
    before = [_point(day, level, "navy") for day, level in points if day <= live]
    after = [_point(day, level, "teal") for day, level in points if day >= live]
    return alt.Data(values=before + after)


def _point(day: date, level: float, key: str) -> dict[str, str | float]:
    return {"day": day.isoformat(), "level": level, "colour": colour(key)}


def _ground(chart: LevelChart, frame: Frame, height: Height) -> list[alt.Chart]:
    first, last = chart.sessions[0], chart.sessions[-1]
    end = min(chart.live_date or last, last)
    if end <= first:
        return []
    area = {"day": first.isoformat(), "end": end.isoformat(), "bottom": frame[0], "top": frame[1]}
    base = alt.Chart(alt.Data(values=[area])).encode(x=alt.X("day:T", scale=UTC), y=height("bottom"))
    shade = base.mark_rect(color=COLOUR["shade"]).encode(x2="end:T", y2="top:Q")
    words = base.mark_text(align="left", baseline="bottom", dx=4, dy=-3, fontStyle="italic", color=COLOUR["quiet"])
    return [shade, words.encode(text=alt.value("Hypothetical, back-tested"))]


def _markers(chart: LevelChart, frame: Frame, height: Height) -> list[alt.Chart]:
    if not chart.events:
        return []
    bottom, top = frame
    lines = staggered([day for _, day in chart.events], apart=(chart.sessions[-1] - chart.sessions[0]) / 38)
    rows = [
        {"day": day.isoformat(), "number": str(number), "bottom": bottom, "top": top * (bottom / top) ** (0.065 * line)}
        for (number, day), line in zip(chart.events, lines, strict=True)
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(x=alt.X("day:T", scale=UTC))
    rule = base.mark_rule(color=COLOUR["event"], strokeWidth=0.6, strokeDash=[2, 2])
    disc = base.mark_point(shape="circle", filled=True, size=85, opacity=1, color=COLOUR["event"])
    words = base.mark_text(color=COLOUR["paper"], fontWeight=600, fontSize=7)
    return [
        rule.encode(y=height("bottom"), y2="top:Q"),
        disc.encode(y=height("top")),
        words.encode(y=height("top"), text="number:N"),
    ]


def _time_axis(sessions: tuple[date, ...]) -> alt.Axis:
    days = (sessions[-1] - sessions[0]).days
    unit, step, shown = ("year", 1, "%Y") if days > 600 else ("month", 3 if days > 190 else 1, "%b %Y")
    count: Any = {"interval": unit, "step": step}
    return alt.Axis(title=None, grid=False, format=shown, tickCount=count, labelOverlap=True, labelFlush=False)


def _label(label: str, width: float) -> str:
    face = f'font-family="{FACE}" font-size="6.5px" font-weight="600" fill="{COLOUR["warn"]}"'
    return f'<text x="{width - EDGE:g}" y="7" text-anchor="end" {face}>{escape(label)}</text>' if label else ""
