"""The feed as RFC 4287 asks for it, and the page as a reader and a screen reader need it."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from exchina.schedule import parse_schedule
from exchina.site.feed import feed_xml
from exchina.site.words import day_text, instant_text, successors, title
from tests.site.conftest import NAMES, REVIEW, Desk, Place

ATOM = "{http://www.w3.org/2005/Atom}"
VOID = {"meta", "link", "br"}


def feed(desk: Desk) -> Element:
    return ElementTree.fromstring(desk.on_disk()["feed.xml"])


def words(element: Element, name: str) -> list[str]:
    return [found.text or "" for found in element.findall(f"{ATOM}{name}")]


def test_the_feed_has_what_the_standard_requires(filled: Desk) -> None:
    """RFC 4287, 4.1.1 and 4.1.2: one id, title, updated each; an author; an alternate where there is no content."""
    root = feed(filled)
    entries = root.findall(f"{ATOM}entry")
    assert len(entries) == 11
    for one in (root, *entries):
        for name in ("id", "title", "updated"):
            (text,) = words(one, name)
            assert text.strip()
        assert datetime.fromisoformat(words(one, "updated")[0]).tzinfo is not None
    (author,) = root.findall(f"{ATOM}author")
    assert (words(author, "name"), words(author, "email")) == ([Place.title], [Place.contact])
    assert [(link.get("rel"), link.get("href")) for link in root.findall(f"{ATOM}link")] == [
        ("self", "https://indices.example/rare/feed.xml"),
        ("related", "https://indices.example/rare/ledger.jsonl"),
    ]
    for entry in entries:
        assert [link.get("rel") for link in entry.findall(f"{ATOM}link")].count("alternate") == 1
    ids = [words(entry, "id")[0] for entry in entries]
    assert len({*ids, *words(root, "id")}) == 12
    assert words(root, "updated")[0] == max(words(entry, "updated")[0] for entry in entries)


def test_each_entry_is_a_row(filled: Desk) -> None:
    rows = {f"urn:exchina:{row.hash}": row for row in filled.ledger.entries()}
    entries = feed(filled).findall(f"{ATOM}entry")
    found = [rows[words(entry, "id")[0]] for entry in entries]
    assert [row.sequence for row in found] == [14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4]
    for entry, row in zip(entries, found, strict=True):
        assert words(entry, "updated") == [row.published_at]
    said = {row.sequence: entry for row, entry in zip(found, entries, strict=True)}
    assert words(said[5], "title") == ["ExChina Magnet Chain Index: announcement for 18 September 2026 (late)"]
    assert words(said[6], "title") == ["ExChina Magnet Chain Index: announcement for 18 September 2026 (revision 1)"]
    assert words(said[4], "title") == ["ExChina Magnet Chain Index: announcement for 18 September 2026 (delayed)"]
    assert "Published in the end in row 5" in words(said[4], "summary")[0]
    assert "Superseded by revision 1 in row 6" in words(said[5], "summary")[0]
    assert words(said[6], "summary") == ["SIMULATED PRICES. Reason: A <wrong> name."]
    assert "Superseded by the restatement in row 11" in words(said[9], "summary")[0]
    assert words(said[10], "summary") == []
    links = {link.get("href"): (link.get("rel"), link.get("type")) for link in said[5].findall(f"{ATOM}link")}
    folder = "https://indices.example/rare/a/announcement/2026-09-18"
    assert links == {
        f"{folder}/announcement.html": ("alternate", "text/html"),
        f"{folder}/announcement.pdf": ("enclosure", "application/pdf"),
        f"{folder}/proforma.csv": ("enclosure", "text/csv"),
    }


def test_the_feed_has_the_last_hundred_and_stays_the_same_elsewhere(empty: Desk) -> None:
    empty.publish("notice", REVIEW, "notice.csv")
    (row,) = empty.ledger.entries()
    days = [REVIEW + timedelta(number) for number in range(102)]
    rows = [replace(row, sequence=at, for_day=day, hash=f"{at:064}") for at, day in enumerate(days, 1)]
    elsewhere = Place(url="", contact="https://indices.example/people")
    here, there = (
        ElementTree.fromstring(feed_xml(rows, site=site, names=NAMES, jobs=())) for site in (Place(), elsewhere)
    )
    ids = [[words(entry, "id") for entry in root.findall(f"{ATOM}entry")] for root in (here, there)]
    assert ids[0] == ids[1] == [[f"urn:exchina:{row.hash}"] for row in rows[:1:-1]]
    assert words(there.findall(f"{ATOM}entry")[0], "title") == [
        f"ExChina Magnet Chain Index: notice for {day_text(days[-1])}"
    ]
    (author,) = there.findall(f"{ATOM}author")
    assert words(author, "uri") == ["https://indices.example/people"]
    assert there.findall(f"{ATOM}link")[1].get("href") == "ledger.jsonl"


@pytest.mark.parametrize(("minutes", "late"), [(15, False), (16, True)])
def test_how_late_is_late_the_schedule_says(empty: Desk, minutes: int, late: bool) -> None:
    schedule = """
    [[job]]
    do = "publish"
    what = "announcement"
    index = "a"
    market = "sample"
    on = "announcement_day"
    at = "18:00"
    zone = "America/New_York"
    grace_minutes = 15
    since = 2026-01-01
    """
    empty.publish("announcement", REVIEW, "announcement.html", late=timedelta(minutes=minutes))
    jobs, (row,) = parse_schedule(schedule, ["a"]), empty.ledger.entries()
    assert title(row, NAMES, jobs).endswith("(late)") == late
    assert title(row, NAMES, ()).endswith("2026")
    empty.refresh(jobs=jobs)
    assert (b'"late": true' in empty.on_disk()["latest.json"]) == late


def test_a_delay_does_not_take_the_place_of_what_was_published(empty: Desk) -> None:
    empty.publish("close", REVIEW, "closing.csv")
    empty.publish("close_delayed", REVIEW, "delayed.json")
    assert successors(empty.ledger.entries()) == {}


class Outline(HTMLParser):
    """What is open, what is linked, and whether every tag was closed in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def outline(desk: Desk) -> Outline:
    seen = Outline()
    seen.feed(desk.on_disk()["index.html"].decode())
    assert seen.open == []
    return seen


def test_the_page_is_plain_and_says_what_must_be_said(filled: Desk) -> None:
    seen = outline(filled)
    text = " ".join("".join(seen.text).split())
    assert "script" not in seen.tags
    assert "img" not in seen.tags
    assert len(seen.ids) == len(set(seen.ids))
    assert seen.tags.count("h1") == seen.tags.count("main") == 1
    assert 'Index <b>B</b> & "others"' in text
    assert "A <wrong> name" in text
    assert "Levels at the close of 18 September 2026, SIMULATED PRICES" in text
    levels = filled.on_disk()["a/restatement/2026-09-18/levels.csv"].decode().splitlines()[1].split(",")[3]
    assert f"PR{float(levels):,.2f}USDpublished" in text
    assert filled.ledger.entries()[-1].hash in text
    assert "Superseded by the restatement in row 11" in text
    assert "Published in the end in row 5" in text
    assert "restatement for 18 September 2026SIMULATED PRICES" in text


def test_real_prices_are_not_called_simulated(empty: Desk) -> None:
    empty.publish("close", REVIEW, "levels.csv", market_kind="vendor")
    empty.refresh()
    assert "SIMULATED" not in "".join(outline(empty).text)
    assert b"SIMULATED" not in empty.on_disk()["feed.xml"]


def test_a_rehearsal_says_so(empty: Desk) -> None:
    empty.publish("close", REVIEW, "levels.csv", clock="set by hand")
    empty.refresh()
    assert b"A rehearsal: the clock was set by hand." in empty.on_disk()["index.html"]


def test_a_contact_that_is_no_address_is_no_link(empty: Desk) -> None:
    empty.refresh(site=Place(contact="javascript:alert(1)"))
    assert b'href="javascript' not in empty.on_disk()["index.html"]
    assert b"alert" not in empty.on_disk()["feed.xml"]


def test_midnight_in_utc() -> None:
    at = datetime.combine(REVIEW, time(22), UTC) - timedelta(hours=22)
    assert instant_text(at.isoformat()) == "18 September 2026, 00:00 UTC"
    assert instant_text("2026-09-18T01:30:00+02:00") == "17 September 2026, 23:30 UTC"
