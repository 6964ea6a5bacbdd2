"""PURE. The file of subscribers: who is told of what, and by which channel; a secret never stands in it."""

import tomllib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field, replace
from datetime import date
from typing import Annotated, Any, TypeAlias
from urllib.parse import quote

from pydantic import Field
from pydantic.dataclasses import dataclass as checked

from exchina.delivery.channels import channel
from exchina.delivery.network import url_fault
from exchina.errors import Problem, RulebookError, did_you_mean
from exchina.model import STRICT, Publication
from exchina.plugins import checked_as, keyword_settings
from exchina.schedule.jobs import KINDS
from exchina.site.visible import INTERNAL, public_files
from exchina.site.words import DELAYED

WHAT = tuple(kind for kind in (*KINDS, "restatement") if kind not in INTERNAL)
TABLES = ("site", "subscriber")
HINT = "it holds [site] and [[subscriber]] tables"
Names: TypeAlias = Annotated[tuple[str, ...], Field(min_length=1)]


@checked(frozen=True, config=STRICT)
class Site:
    """Who publishes, and where.

    Attributes:
        url: where the public folder is served; empty where it is not.
        title: its name.
        contact: a mail or web address.
    """

    url: str = ""
    title: str = "Index publications"
    contact: str = ""

    def link(self, path: str) -> str:
        """Where a file of the public folder is served."""
        return f"{self.url.rstrip('/')}/{quote(path)}"


@checked(frozen=True, config=STRICT, kw_only=True)
class Subscriber:
    """Somebody who is told, and of what.

    Attributes:
        id: its name in the log; another name is another subscriber.
        kind: the channel.
        index: the indices; None for all.
        what: the kinds of publication, each with the notices of its delay; None for all that are public.
        since: what was published before this day (UTC) is never sent.
        licensed: whether files with licensed identifiers are sent too.
        settings: of its channel.
    """

    id: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]*$")]
    kind: str
    index: Names | None = None
    what: Names | None = None
    since: date
    licensed: Annotated[bool, Field(strict=True)] = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    def files(self, row: Publication) -> Mapping[str, str]:
        """The SHA-256 by path of the files of a row that it gets; none of a row that it is not told of."""
        asked = self.index is None or row.index_id in self.index
        asked = asked and (self.what is None or row.what.removesuffix(DELAYED) in self.what)
        return public_files(row, self.licensed) if asked and row.published_at >= self.since.isoformat() else {}


COMMON = tuple(name for name in Subscriber.__dataclass_fields__ if name != "settings")


@checked(frozen=True, config=STRICT)
class Subscribers:
    """The site, and everybody who is told of what it publishes."""

    site: Site = field(default_factory=Site)
    subscribers: tuple[Subscriber, ...] = ()


def parse_subscribers(text: str, index_ids: Collection[str], where: str = "subscribers") -> Subscribers:
    """Read a file of subscribers: a ``[site]`` table, and a ``[[subscriber]]`` table each.

    Args:
        text: TOML.
        index_ids: the indices there are.
        where: name of the file; problems start with it.

    Raises:
        RulebookError: with every fault in the file.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise RulebookError(Problem(where, f"not valid TOML: {fault}")) from fault
    strange = [key for key in tree if key not in TABLES]
    problems = [Problem(f"{where}: {key}", f"no table called {key!r}", HINT) for key in strange]
    tables: Any = tree.get("subscriber", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise RulebookError(*problems, Problem(f"{where}: subscriber", "is no list of tables", HINT))
    given: Any = tree.get("site", {})
    site, faults = checked_as(Site, given, f"{where}: site")
    problems += faults
    made: list[Subscriber] = []
    for number, table in enumerate(tables, 1):
        one, faults = _subscriber(f"{where}: subscriber {number}", table, index_ids)
        made += [one] if one else []
        problems += faults
    names = Counter(str(table.get("id")) for table in tables if "id" in table)
    problems += [
        Problem(f"{where}: {name}", f"{count} subscribers have this id", "give each its own")
        for name, count in names.items()
        if count > 1
    ]
    if isinstance(given, dict):
        problems += _unserved(where, str(given.get("url", "")), [str(table.get("kind")) for table in tables])
    if problems or site is None:
        raise RulebookError(*problems)
    return Subscribers(site, tuple(made))


def _subscriber(
    where: str, table: Mapping[str, Any], index_ids: Collection[str]
) -> tuple[Subscriber | None, list[Problem]]:
    """One table of the file, and every fault in it."""
    common = {key: value for key, value in table.items() if key in COMMON}
    several = {key: _listed(common[key]) for key in ("index", "what") if key in common}
    one, problems = checked_as(Subscriber, {**common, **several}, where)
    problems += _unknown(f"{where}.index", several.get("index", []), "index", index_ids)
    problems += _unknown(f"{where}.what", several.get("what", []), "public kind of publication", WHAT)
    if "kind" not in table:
        return None, problems
    kind = str(table["kind"])
    if kind not in channel.all():
        return None, [*problems, *_unknown(f"{where}.kind", [kind], channel.kind, channel.all())]
    own = {key: value for key, value in table.items() if key not in COMMON}
    fitting = keyword_settings(channel[kind])
    strange = [key for key in own if key not in fitting]
    for key in strange:
        hint = did_you_mean(key, [*COMMON, *fitting])
        problems.append(Problem(f"{where}.{key}", f"a subscriber of kind {kind!r} has no setting {key!r}", hint))
    known = {key: value for key, value in own.items() if key in fitting}
    settings, faults = channel.checked_settings(where, kind, known)
    return replace(one, settings=settings) if one else None, [*problems, *faults]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _unknown(where: str, names: Collection[Any], kind: str, known: Collection[str]) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            yield Problem(where, f"no {kind} called {name!r}", did_you_mean(str(name), known))


def _unserved(where: str, url: str, kinds: Collection[str]) -> Iterator[Problem]:
    """No place, or no sound one, from which a subscriber could get the files."""
    told = sorted(set(kinds).intersection(channel.having("links")))
    fault = url_fault(url, ("https", "http")) if url else None
    if told and not url:
        fault = f"is required: {' and '.join(told)} tell where the files are served"
    if fault:
        yield Problem(f"{where}: site.url", fault, "such as https://indices.example.com")
