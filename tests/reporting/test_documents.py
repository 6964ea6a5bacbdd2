"""Both documents, for every audience and kind of price, read back from PDF and HTML."""

import re
from dataclasses import replace
from datetime import date
from html import unescape
from io import BytesIO
from itertools import product
from pathlib import Path

import polars as pl
import pytest
from pypdf import PdfReader

from exchina.analytics.performance import risk, trailing_returns
from exchina.errors import PublicationError
from exchina.model import Kind
from exchina.reporting.document import SIMULATED, Audience, Document, Figure
from exchina.reporting.layout import compose
from exchina.reporting.parts import Parts
from exchina.reporting.render import to_html, to_pdf
from exchina.reporting.sections.level_chart import recent_events
from exchina.reporting.view import page_view
from exchina.reporting.wording import number, percent

from . import documents

AUDIENCES: tuple[Audience, ...] = ("retail", "institutional", "internal")
KINDS: tuple[Kind, ...] = ("simulated", "vendor")


@pytest.fixture(scope="module")
def templates(root: Path) -> Path:
    return root / "reports" / "templates"


def composed(root: Path, layout: str, parts: Parts) -> Document:
    path = root / "reports" / "layouts" / f"{layout}.toml"
    return compose(path.read_text("utf-8"), path.name, parts)


def factsheet(root: Path, audience: Audience = "institutional", kind: Kind = "simulated") -> Document:
    return composed(root, "factsheet", Parts(None, documents.series(kind=kind), documents.study(kind), audience))


def announcement(root: Path, audience: Audience = "institutional", count: int = 20) -> Document:
    return composed(root, "announcement", Parts(documents.basket(count), None, None, audience))


def plain(text: str) -> str:
    return re.sub(r"\s+", "", text)


def pdf_text(pdf: bytes) -> str:
    pages = PdfReader(BytesIO(pdf)).pages
    assert len(pages) == 1
    return plain(pages[0].extract_text())


def html_text(html: str) -> str:
    return plain(unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)))


def both(document: Document, templates: Path) -> tuple[str, str]:
    return pdf_text(to_pdf(document, templates)), html_text(to_html(document, templates))


def test_factsheet_prints_the_values_of_the_series_and_the_basket(root: Path, templates: Path) -> None:
    levels = documents.levels()
    basket = documents.basket()
    measured = risk(levels)
    trailing = dict(trailing_returns(levels).select("period", "return").iter_rows())
    wanted = [
        number(levels["level"][-1]),
        percent(trailing["YTD"], signed=True),
        percent(trailing["3 years p.a."], signed=True),
        percent(measured["volatility_1y"]),
        percent(measured["max_drawdown"]),
        percent(basket.turnover),
        "15 Sep 2026",
        "magnet-chain",
        documents.LONG_NAME,
        "Not yet live",
        "Hypothetical, back-tested",
        "3 weak facts about 2 companies",
        "no significance is claimed",
        "+6.4%",
    ]
    wanted += [percent(weight) for weight in basket.members["weight"].head(10)]
    for text in both(factsheet(root), templates):
        assert [words for words in wanted if plain(words) not in text] == []


def test_weights_by_stage_and_backing_are_sums_over_members(root: Path, templates: Path) -> None:
    members = documents.basket().members
    by_stage = members.group_by("stage").agg(pl.col("weight").sum())["weight"].to_list()
    floors = members.filter(pl.col("floor_part") > 0)["weight"].sum()
    texts = both(factsheet(root), templates)
    for share in [*by_stage, floors]:
        assert all(f"{100 * share:.1f}" in text for text in texts)


@pytest.mark.parametrize("audience", ["institutional", "internal"])
def test_events_are_the_latest_ones_and_numbered_in_order(root: Path, audience: Audience) -> None:
    chart = next(
        block.chart
        for block in factsheet(root, audience).blocks
        if isinstance(block, Figure) and not hasattr(block.chart, "bars")
    )
    controls = [event[1] for event in documents.EVENTS if event[3] == "china_export_control"]
    assert list(chart.events) == list(enumerate(controls, start=1))


def test_retail_sees_no_performance(root: Path, templates: Path) -> None:
    levels = documents.levels()
    document = factsheet(root, "retail")
    forbidden = [
        number(levels["level"][-1]),
        percent(risk(levels)["max_drawdown"]),
        "Volatility",
        "back-tested",
        "Year to date",
    ]
    forbidden += [event[2] for event in documents.EVENTS]
    for text in both(document, templates):
        assert [words for words in forbidden if plain(words) in text] == []
    assert all(hasattr(block.chart, "bars") for block in document.blocks if isinstance(block, Figure))


def test_retail_factsheet_does_not_need_a_series(root: Path, templates: Path) -> None:
    document = composed(root, "factsheet", Parts(documents.basket(), None, None, "retail"))
    assert document.as_of == documents.CUTOFF
    assert "Gone Metals" not in to_html(document, templates)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_no_sharpe_ratio_anywhere(root: Path, templates: Path, audience: Audience) -> None:
    assert "sharpe" not in to_html(factsheet(root, audience), templates).lower()


@pytest.mark.parametrize(("audience", "kind"), list(product(AUDIENCES, KINDS)))
def test_label_stands_on_every_page_and_figure_exactly_when_simulated(
    root: Path, templates: Path, audience: Audience, kind: Kind
) -> None:
    document = factsheet(root, audience, kind)
    figures = [
        block for band in page_view(document, templates)["bands"] for blocks in band.values() for block in blocks
    ]
    svgs = [block["svg"] for block in figures if block["kind"] == "figure"]
    assert svgs
    assert all((SIMULATED in svg) == (kind == "simulated") for svg in svgs)
    pdf, html = both(document, templates)
    if kind == "simulated":
        assert pdf.count(plain(SIMULATED)) >= 1 + len(svgs)
        assert html.count(plain(SIMULATED)) >= 1 + len(svgs)
    else:
        assert plain(SIMULATED) not in pdf + html


@pytest.mark.parametrize("render", [to_pdf, to_html])
def test_label_cannot_be_switched_off(root: Path, templates: Path, render: object) -> None:
    assert callable(render)
    with pytest.raises(PublicationError, match="cannot be switched off"):
        render(replace(factsheet(root), label=""), templates)


def test_vendor_prices_cannot_be_called_simulated(root: Path, templates: Path) -> None:
    with pytest.raises(PublicationError, match="label"):
        to_html(replace(factsheet(root, kind="vendor"), label=SIMULATED), templates)


@pytest.mark.parametrize("suffix", ["typ", "html"])
def test_template_that_drops_the_label_is_refused(root: Path, templates: Path, tmp_path: Path, suffix: str) -> None:
    for path in templates.iterdir():
        (tmp_path / path.name).symlink_to(path)
    broken = tmp_path / f"sheet.{suffix}"
    text = broken.read_text("utf-8")
    broken.unlink()
    dropped = {
        "typ": ("doc.label) <simulated>", '"") <simulated>'),
        "html": ('role="note">{{ label }}', ">"),
    }[suffix]
    assert dropped[0] in text
    broken.write_text(text.replace(*dropped).replace("{{ label }}", ""), "utf-8")
    with pytest.raises(PublicationError, match="drops"):
        (to_pdf if suffix == "typ" else to_html)(announcement(root) if suffix == "typ" else factsheet(root), tmp_path)


def test_unknown_font_is_an_error(root: Path, templates: Path, tmp_path: Path) -> None:
    for path in templates.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "sheet.typ").unlink()
    text = (templates / "sheet.typ").read_text("utf-8")
    (tmp_path / "sheet.typ").write_text(text.replace("font: doc.font", 'font: ("Helvetia Nova", doc.font)'), "utf-8")
    with pytest.raises(PublicationError, match="unknown font family"):
        to_pdf(announcement(root), tmp_path)


def test_bytes_repeat(root: Path, templates: Path) -> None:
    assert to_pdf(factsheet(root), templates) == to_pdf(factsheet(root), templates)
    assert to_html(factsheet(root), templates) == to_html(factsheet(root), templates)


def test_pdf_is_tagged_and_dated(root: Path, templates: Path) -> None:
    reader = PdfReader(BytesIO(to_pdf(factsheet(root), templates)))
    assert reader.metadata is not None
    assert reader.metadata.title == "ExChina Policy-Backed Magnet Chain Index: Index factsheet"
    assert reader.metadata.creation_date is not None
    assert reader.metadata.creation_date.date().isoformat() == "2026-09-15"
    assert b"pdfuaid:part" in reader.root_object["/Metadata"].get_object().get_data()
    assert {font.split("+")[-1].split("-")[0] for font in fonts_of(reader)} == {"SourceSans3"}


def fonts_of(reader: PdfReader) -> set[str]:
    fonts = reader.pages[0]["/Resources"]["/Font"]
    return {str(font.get_object()["/BaseFont"]).lstrip("/") for font in fonts.values()}


def test_html_asks_nothing_of_the_network_and_escapes(root: Path, templates: Path) -> None:
    html = to_html(announcement(root), templates)
    assert re.findall(r'(?:src|href)="|@import|url\((?!data:|#)', html) == []
    assert "Lost Magnets &amp; Sons &lt;Pty&gt;" in html
    page = to_html(factsheet(root), templates)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert page.count("<figure") == page.count("<figcaption>") == 4


def test_announcement_says_what_changes_and_why(root: Path, templates: Path) -> None:
    wanted = [
        "18 Sep 2026",
        "11 Sep 2026",
        "3 Sep 2026",
        "12.3%",
        "Free-float market value: found USD 31.2m; needed at least USD 35.0m",
        "No live listing at the data cut-off",
        "The weights hold at the effective close",
        "Stage buckets were widened by 2 points",
        "issuer (at most 12%)",
        "1 in, 2 out",
    ]
    member = documents.members().row(1, named=True)
    wanted += [
        percent(member["previous_weight"], 2),
        percent(member["weight"], 2),
        number(100 * (member["weight"] - member["previous_weight"]), signed=True),
    ]
    for text in both(announcement(root), templates):
        assert [words for words in wanted if plain(words) not in text] == []


def test_long_announcement_fits_one_page_and_counts_what_it_leaves_out(root: Path, templates: Path) -> None:
    rest = percent(documents.members(45)["weight"].slice(40).sum())
    for text in both(announcement(root, count=45), templates):
        assert plain(f"The 40 largest of 45; 5 more, {rest} of the weight, are in the CSV file.") in text


def test_first_composition_has_no_turnover(root: Path, templates: Path) -> None:
    first = replace(documents.basket(), turnover=None, leavers=documents.basket().leavers.clear())
    html = to_html(composed(root, "announcement", Parts(first, None, None, "internal")), templates)
    assert "First composition: every constituent is new." in html
    assert "replaces that of the previous review" not in html


@pytest.mark.parametrize("count", [3, 20])
@pytest.mark.parametrize(
    "table", [documents.levels(2), documents.levels(40), documents.falling()], ids=["two", "short", "falling"]
)
def test_odd_histories_render(root: Path, templates: Path, count: int, table: pl.DataFrame) -> None:
    parts = Parts(documents.basket(count), documents.series(table), None, "internal")
    pdf, html = both(composed(root, "factsheet", parts), templates)
    assert number(table["level"][-1]) in pdf
    assert number(table["level"][-1]) in html
    assert ("n/a" in pdf) == (table.height < 300 or "5yearsp.a." in pdf)


def test_document_that_cannot_fit_is_refused(root: Path, templates: Path) -> None:
    document = announcement(root)
    with pytest.raises(PublicationError, match="one A4 page"):
        to_pdf(replace(document, blocks=document.blocks * 3), templates)


def test_missing_series_is_named_for_every_section_that_needs_it(root: Path) -> None:
    with pytest.raises(PublicationError) as caught:
        composed(root, "factsheet", Parts(documents.basket(), None, None, "institutional"))
    assert [problem.where for problem in caught.value.problems] == [
        "section key_figures",
        "section level_chart",
        "section returns",
    ]


def test_latest_measured_events_of_the_asked_kinds() -> None:
    between = (date(2024, 1, 1), date(2026, 9, 15))
    latest = recent_events(documents.study(), between, (), 3)
    assert latest["title"].to_list() == [event[2] for event in documents.EVENTS[-3:]]
    assert latest["number"].to_list() == [1, 2, 3]
    assert latest["car"].to_list() == [0.082, -0.037, -0.0004]
    assert recent_events(documents.study(), between, ("western_price_floor",), 3)["names"].to_list() == [15]
    assert recent_events(None, between, (), 3).is_empty()


def test_unknown_kind_of_event_is_named() -> None:
    with pytest.raises(PublicationError, match="did you mean 'us_tariff'"):
        recent_events(documents.study(), (date(2024, 1, 1), date(2026, 9, 15)), ("us_tarif", "alliance"), 3)
