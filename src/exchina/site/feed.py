"""PURE. The feed of publications: Atom (RFC 4287), for any feed reader."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from exchina.ledger.chain import FIRST
from exchina.model import Publication
from exchina.schedule import Job
from exchina.site.lists import FEED, LEDGER, public_rows
from exchina.site.visible import public_files
from exchina.site.words import remarks, successors, title

MOST = 100
NEVER = "1970-01-01T00:00:00+00:00"
TYPES: Mapping[str, str] = {
    ".html": "text/html",
    ".pdf": "application/pdf",
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".txt": "text/plain",
    ".xml": "application/atom+xml",
}


class Site(Protocol):
    """Who publishes, and where."""

    @property
    def url(self) -> str:
        """Where the public folder is served; empty for relative links."""
        ...

    @property
    def title(self) -> str:
        """The name of the site."""
        ...

    @property
    def contact(self) -> str:
        """A mail or web address; may be empty."""
        ...


def feed_xml(rows: Sequence[Publication], *, site: Site, names: Mapping[str, str], jobs: Collection[Job]) -> bytes:
    """The last 100 public rows, newest first, and a link to the ledger, which has all.

    The id of an entry is the hash of its row, so that it stays the same wherever the folder is served.

    Args:
        rows: the ledger, oldest first.
        site: who publishes, and where.
        names: of the indices, by id.
        jobs: the schedule; says how late is late.
    """
    public, after = public_rows(rows), successors(rows)
    feed = Element("feed", {"xmlns": "http://www.w3.org/2005/Atom"})
    _text(feed, "id", f"urn:exchina:{rows[0].hash if rows else FIRST}:feed")
    _text(feed, "title", site.title)
    _text(feed, "updated", max((row.published_at for row in public), default=NEVER))
    author = SubElement(feed, "author")
    _text(author, "name", site.title)
    if "@" in site.contact and ":" not in site.contact:
        _text(author, "email", site.contact)
    elif site.contact.startswith(("https://", "http://", "mailto:")):
        _text(author, "uri", site.contact)
    _link(feed, site, "self", FEED)
    _link(feed, site, "related", LEDGER)
    for row in reversed(public[-MOST:]):
        _entry(feed, row, site, heading=title(row, names, jobs), said=remarks(row, after.get(row.sequence)))
    indent(feed)
    return tostring(feed, encoding="utf-8", xml_declaration=True) + b"\n"


def _entry(feed: Element, row: Publication, site: Site, *, heading: str, said: Sequence[str]) -> None:
    """One row: the document to read is its alternate, every other file an enclosure."""
    entry = SubElement(feed, "entry")
    _text(entry, "id", f"urn:exchina:{row.hash}")
    _text(entry, "title", heading)
    _text(entry, "updated", row.published_at)
    _text(entry, "published", row.published_at)
    for term in (row.index_id, row.what):
        SubElement(entry, "category", {"term": term})
    if said:
        _text(entry, "summary", " ".join(said))
    document, *others = sorted(sorted(public_files(row)), key=_not_a_page)
    _link(entry, site, "alternate", document)
    for path in others:
        _link(entry, site, "enclosure", path)


def _not_a_page(path: str) -> bool:
    return not path.endswith(".html")


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text


def _link(parent: Element, site: Site, rel: str, path: str) -> None:
    kind = TYPES.get(PurePosixPath(path).suffix, "application/octet-stream")
    href = quote(path) if not site.url else f"{site.url.rstrip('/')}/{quote(path)}"
    SubElement(parent, "link", {"rel": rel, "type": kind, "href": href})
