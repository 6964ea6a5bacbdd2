"""A ledger with something of every kind, and the public folder of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from exchina.errors import Problem
from exchina.ledger import Ledger, open_ledger
from exchina.ledger.signing import new_key, read_key
from exchina.site.build import refresh

START = datetime(2026, 9, 11, 22, tzinfo=UTC)
REVIEW = date(2026, 9, 18)
LEVELS = b"index_id,session,variant,level,currency,status,simulated\na,%s,PR,%s,USD,published,true\n"
SIMULATED = {"market_kind": "simulated", "rulebook_version": "1.0.0"}


@dataclass(frozen=True)
class Place:
    """Who publishes."""

    url: str = "https://indices.example/rare"
    title: str = "Indices of <Example> & Sons"
    contact: str = "desk@indices.example"


NAMES = {"a": "ExChina Magnet Chain Index", "b": 'Index <b>B</b> & "others"'}


@dataclass
class Desk:
    """A ledger, its folder, and the public folder beside it."""

    ledger: Ledger
    public: Path
    now: datetime = START

    @property
    def reports(self) -> Path:
        return self.ledger.folder

    def publish(
        self,
        what: str,
        day: date = REVIEW,
        *names: str,
        index: str = "a",
        revision: int = 0,
        late: timedelta = timedelta(0),
        **inputs: str,
    ) -> None:
        self.now += timedelta(minutes=10)
        folder = f"{index}/{what}/{day}{f'.r{revision}' if revision else ''}"
        files = {f"{folder}/{name}": f"{what} {name} of {index} {day} r{revision}\n".encode() for name in names}
        if f"{folder}/levels.csv" in files:
            files[f"{folder}/levels.csv"] = LEVELS % (str(day).encode(), f"{1000 + len(files) + day.day}.456".encode())
        files |= {"frozen/00ff.toml": b"rules\n"} if what != "fetch" else {}
        self.ledger.publish(
            index,
            what,
            day,
            files,
            {**SIMULATED, **inputs},
            published_at=self.now,
            due_at=self.now - late if what != "restatement" else None,
            revision=revision,
        )

    def refresh(self, **other: object) -> list[Problem]:
        given = {"site": Place(), "names": NAMES, "calendar": b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", **other}
        return refresh(self.public, self.reports, self.ledger.entries(), **given)  # pyright: ignore[reportArgumentType]

    def on_disk(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.public).as_posix(): path.read_bytes()
            for path in self.public.rglob("*")
            if path.is_file()
        }


CLOSE = ("closing.csv", "closing.licensed.csv", "levels.csv", "opening.csv", "state.json")


def fill(desk: Desk) -> None:
    desk.publish("fetch", REVIEW, index="sample")
    desk.publish("snapshot", REVIEW, "universe.ndjson")
    desk.publish("draft", REVIEW, "draft.html")
    desk.publish("announcement_delayed", REVIEW, "delayed.json")
    desk.publish(
        "announcement", REVIEW, "announcement.html", "announcement.pdf", "proforma.csv", late=timedelta(hours=2)
    )
    desk.publish("announcement", REVIEW, "announcement.html", "proforma.csv", revision=1, because="A <wrong> name.")
    for day in (REVIEW - timedelta(1), REVIEW):
        desk.publish("close", day, *CLOSE)
        desk.publish("close", day, *CLOSE, index="b", market_kind="vendor")
    desk.publish("restatement", REVIEW, *CLOSE, "differences.csv", because="A split", approved_by="Jo")
    desk.publish("notice", REVIEW, "notice.json", "notice.csv")
    desk.publish("post_trade", REVIEW, "post_trade.csv", index="b", market_kind="vendor")
    desk.publish("factsheet_delayed", REVIEW, "delayed.json", index="b")


@pytest.fixture
def empty(tmp_path: Path) -> Desk:
    """Nothing published yet."""
    return Desk(open_ledger(tmp_path / "reports"), tmp_path / "public")


@pytest.fixture(scope="session")
def filled_once(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Something of every kind, signed, in a folder that nobody changes."""
    root = tmp_path_factory.mktemp("site")
    new_key(root / "desk.pem")
    desk = Desk(open_ledger(root / "reports", key=read_key(root / "desk.pem")), root / "public")
    fill(desk)
    assert desk.refresh() == []
    return desk


@pytest.fixture
def filled(filled_once: Desk, tmp_path: Path, copied: Callable[[Path, Path], Path]) -> Desk:
    """A copy of it for a test to change."""
    copied(filled_once.reports, tmp_path / "reports")
    copied(filled_once.public, tmp_path / "public")
    return Desk(open_ledger(tmp_path / "reports"), tmp_path / "public", filled_once.now)


@pytest.fixture(scope="session")
def copied() -> Callable[[Path, Path], Path]:
    """Copy a folder with the times of its files."""
    import shutil

    return lambda source, target: Path(shutil.copytree(source, target))
