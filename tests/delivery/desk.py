"""What tests publish, and to whom."""

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from typing import Any

from exchina.delivery import Attempt, Subscribers, attempts, deliver, parse_subscribers
from exchina.errors import Problem
from exchina.ledger import Ledger
from exchina.model import Publication

DAY = date(2026, 9, 18)
AT = datetime(2026, 9, 18, 22, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PASSWORD = "pa55 word/of+mine"
SIGNING = "whsec_" + b64encode(bytes(range(32))).decode()
SITE = '[site]\nurl = "https://indices.example.com/"\ntitle = "Indices"\ncontact = "desk@example.com"\n'
LEVELS = b"variant,level,status,currency\nPR,1234.5,published,USD\nNTR,1300.25,published,USD\n"
NAMES = {"magnet-chain": "Magnet Chain Index"}
ID = "magnet-chain"


def publish(ledger: Ledger, what: str = "close", after: int = 0, **given: Any) -> Publication:
    """A row of the ledger, so many days after the first, with a public, an internal and a licensed file."""
    day, revision = DAY + timedelta(after), given.pop("revision", 0)
    folder = f"{ID}/{what}/{day}" + (f".r{revision}" if revision else "")
    files = given.pop("files", {"levels.csv": LEVELS, "state.json": b"{}", "closing.licensed.csv": b"isin\n"})
    named = {f"{folder}/{name}": content for name, content in files.items()}
    at = given.pop("at", AT + timedelta(after))
    entry, _ = ledger.publish(
        ID,
        what,
        day,
        {**named, "frozen/ab.toml": b"rules"},
        given.pop("inputs", {}),
        published_at=at,
        due_at=at - 90 * MINUTE,
        revision=revision,
    )
    return entry


def hook(url: str, name: str = "one", **settings: Any) -> str:
    return subscriber(name, kind="webhook", url=url, secret_env="SIGNING", **settings)


def subscriber(name: str, **settings: Any) -> str:
    """A table of the file of subscribers; texts, numbers, lists and truth values are in TOML as in JSON."""
    given = {"id": name, "since": "2026-09-01", **settings}
    return "[[subscriber]]\n" + "".join(f"{key} = {toml(key, value)}\n" for key, value in given.items())


def toml(key: str, value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {toml(name, one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml("", one) for one in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if key == "since" or not isinstance(value, str) else f"'{value}'"


def known(*tables: str) -> Subscribers:
    return parse_subscribers(SITE + "".join(tables), [ID])


def sent(ledger: Ledger, people: Subscribers, now: datetime = AT, **given: Any) -> tuple[list[Attempt], list[Problem]]:
    """Deliver; what comes back is what the log has."""
    before = attempts(ledger)
    made, problems = deliver(ledger, people, now, names=NAMES, **given)
    key = lambda one: (one.row_hash, one.subscriber, one.number)  # noqa: E731
    assert attempts(ledger) == sorted([*before, *made], key=key)
    return made, problems


def states(made: list[Attempt]) -> list[str]:
    return [one.outcome for one in made]
