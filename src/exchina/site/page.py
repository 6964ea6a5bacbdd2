"""PURE. The page of the public folder, for people: plain HTML that needs no script and nothing from elsewhere."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from html import escape
from pathlib import PurePosixPath
from urllib.parse import quote

from exchina.ledger.chain import FIRST
from exchina.model import Publication
from exchina.schedule import Job
from exchina.site.feed import Site
from exchina.site.lists import CALENDAR, FEED, INVENTORY, LATEST, LEDGER, SUMS, public_rows
from exchina.site.visible import public_files
from exchina.site.words import CLOSING, day_text, instant_text, is_delay, remarks, simulated, successors, title

MOST = 50
LEVELS = "levels.csv"
LABEL = (
    '<p class="label" role="note"><strong>SIMULATED PRICES</strong>: what says so was made from prices that no market '
    "ever paid.</p>"
)
STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; color: #1a1a1a; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ccc; }
td { overflow-wrap: anywhere; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
a { color: #0b4f8a; }
code, pre { font-size: .9em; overflow-wrap: anywhere; }
.label { border: 2px solid #8a1c0b; color: #8a1c0b; padding: .3rem .8rem; }
"""
VERIFY = f"""<section aria-labelledby="verify"><h2 id="verify">How to verify what you have downloaded</h2>
<p>Each published file is named with its SHA-256 in a row of the <a href="{LEDGER}">ledger</a>, and each row holds the
hash of the row before it: the hash of the last row vouches for every row and file before it. Nothing published is ever
changed; a correction is a new revision beside the old one. In the downloaded folder,</p>
<pre><code>sha256sum --check {SUMS}</code></pre>
<p>checks every file.</p>"""

Levels = Sequence[Mapping[str, str]]


def page(
    rows: Sequence[Publication],
    levels: Mapping[str, tuple[Publication, Levels]],
    *,
    site: Site,
    names: Mapping[str, str],
    jobs: Collection[Job],
) -> bytes:
    """``index.html``: each index with its last levels and publications, corrections and delays, and how to verify.

    Args:
        rows: the ledger, oldest first.
        levels: by index, the row that closed its last session and the lines of its ``levels.csv``.
        site: who publishes, and where.
        names: of the indices, by id; an index that is no longer among them is called by its id.
        jobs: the schedule; says how late is late.
    """
    public, after = public_rows(rows), successors(rows)

    def told(row: Publication) -> str:
        return _listed(row, title(row, names, jobs), remarks(row, after.get(row.sequence)))

    body = [
        f"<header><h1>{escape(site.title)}</h1>{LABEL if any(map(simulated, public)) else ''}",
        f'<p><a href="{FEED}">Feed</a> and <a href="{CALENDAR}">calendar</a> of publications</p></header>',
        "<main>",
        *(_index(name, public, levels.get(name), names, told) for name in sorted({row.index_id for row in public})),
        *([] if public else ["<p>Nothing has been published yet.</p>"]),
        _corrections([row for row in public if _corrects(row, after)], told),
        VERIFY,
        f"<p>The ledger has {len(rows)} rows; the hash of the last is "
        f"<code>{escape(rows[-1].hash if rows else FIRST)}</code>.</p></section></main>",
        f'<footer><p>For programs: <a href="{LATEST}">current files under names that stay</a>, '
        f'<a href="{INVENTORY}">every file</a>, <a href="{SUMS}">checksums</a>.{_contact(site.contact)}</p></footer>',
    ]
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(site.title)}</title>"
        f'<link rel="alternate" type="application/atom+xml" href="{FEED}"><style>{STYLE}</style></head><body>'
    )
    return "\n".join([head, *body, "</body></html>\n"]).encode()


def _index(
    index_id: str,
    public: Sequence[Publication],
    closed: tuple[Publication, Levels] | None,
    names: Mapping[str, str],
    told: Callable[[Publication], str],
) -> str:
    """An index: its levels, the last of each daily file, and everything else that was published of it."""
    mine = [row for row in reversed(public) if row.index_id == index_id]
    others = [row for row in mine if row.what not in CLOSING]
    shown = [*([closed[0]] if closed else []), *others[:MOST]]
    more = f'<p>Older ones are in the <a href="{INVENTORY}">list of every file</a>.</p>' if len(others) > MOST else ""
    anchor = f"index-{escape(index_id)}"
    parts = [
        f'<h2 id="{anchor}">{escape(names.get(index_id, index_id))}</h2>',
        _levels(*closed) if closed else "<p>No session has been closed yet.</p>",
        _table("Publications, latest first", map(told, shown)),
        more,
    ]
    return f'<section aria-labelledby="{anchor}">{"".join(parts)}</section>'


def _levels(row: Publication, levels: Levels) -> str:
    lines = "".join(
        f'<tr><th scope="row">{escape(line["variant"])}</th><td class="number">{float(line["level"]):,.2f}</td>'
        f"<td>{escape(line['currency'])}</td><td>{escape(line['status'])}</td></tr>"
        for line in levels
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Return", "Level", "Currency", "Status"))
    caption = f"Levels at the close of {day_text(row.for_day)}{', SIMULATED PRICES' if simulated(row) else ''}"
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _corrects(row: Publication, after: Mapping[int, Publication]) -> bool:
    return row.what == "restatement" or row.revision > 0 or is_delay(row) or row.sequence in after


def _corrections(rows: Sequence[Publication], told: Callable[[Publication], str]) -> str:
    if not rows:
        return ""
    table = _table("Every one, latest first", map(told, reversed(rows)))
    heading = '<h2 id="corrections">Corrections and delays</h2>'
    return f'<section aria-labelledby="corrections">{heading}{table}</section>'


def _table(caption: str, lines: Iterable[str]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Publication", "Published", "Files"))
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _listed(row: Publication, heading: str, said: Sequence[str]) -> str:
    """A publication as a line of a table."""
    links = ", ".join(
        f'<a href="{quote(path)}">{escape(PurePosixPath(path).name)}</a>' for path in sorted(public_files(row))
    )
    remark = f"<br>{escape(' '.join(said))}" if said else ""
    published = f'<time datetime="{escape(row.published_at)}">{escape(instant_text(row.published_at))}</time>'
    return f'<tr><th scope="row">{escape(heading)}{remark}</th><td>{published}</td><td>{links}</td></tr>'


def _contact(contact: str) -> str:
    if not contact:
        return ""
    href = contact if ":" in contact else f"mailto:{contact}"
    safe = href.startswith(("mailto:", "https://", "http://"))
    return f' Contact: <a href="{escape(href)}">{escape(contact)}</a>.' if safe else f" Contact: {escape(contact)}."
