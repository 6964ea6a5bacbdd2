"""A small desk whose schedule can be rehearsed over two years in a minute, and how to start and to compare one."""

import multiprocessing
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Protocol

import polars as pl

from exchina.market import Delivery
from exchina.market.store import save
from exchina.model import MarketData
from exchina.tables.market import CONTRACTS
from exchina.workspace import Workspace, init, open_workspace

SINCE, UNTIL = date(2024, 9, 3), date(2026, 9, 3)
BEGIN, END = date(2023, 6, 1), date(2026, 9, 30)
COMPANIES = ("mp-materials", "lynas-rare-earths", "neo-performance-materials", "shin-etsu-chemical", "tdk")
INDEX = "small-chain"
DOCUMENTS = ("exchina.site.build", "exchina.reporting.render", "exchina.workflow.publications.announcement")
BOOK = """
[index]
id = "small-chain"
name = "Small Chain"
version = "1.0.0"
objective = "A few companies of the chain, to rehearse the desk."
currency = "USD"
base_date = 2024-06-21
base_value = 1000
returns = ["PR", "NTR", "GTR"]

[review]
months = [3, 6, 9, 12]
effective_after_close_of = { nth = 3, weekday = "friday" }
announced_sessions_before = 5
data_cutoff_sessions_before = 10
calendar = "XNYS"

[screen]
not_domiciled_in = { countries = ["CN", "HK", "MO"], why = "Outside China." }

[select]
top = { by = "policy_score", count = 4, at_least = 2, why = "Few companies." }

[weight]
free_float_cap = { power = 0.5, why = "Size, dampened." }

[cap]
issuer = { at_most = 0.5, why = "Not one alone." }
if_infeasible = ["hold_previous_basket"]

[calculation]
family = "fixed_weight"
delayed_if_stale_weight_over = 0.9
"""
SCHEDULE = """
[[job]]
do = "publish"
what = "{what}"
index = "small-chain"
market = "small"
on = "{on}"
sessions_after = {after}
after_close = "01:30"
since = 2024-09-03
"""
CYCLE = (
    ("snapshot", "data_cutoff", 0),
    ("draft", "data_cutoff", 1),
    ("close", "every_session", 0),
    ("announcement", "announcement_day", 0),
    ("notice", "event", 0),
    ("post_trade", "effective_day", 1),
)


def laid(folder: Path, market: MarketData) -> Workspace:
    """A workspace with one index of a few companies, a market of their prices, and the whole cycle as its schedule."""
    init(folder)
    place = open_workspace(folder)
    for path in place.indices.glob("*/rulebook.toml"):
        shutil.rmtree(path.parent)
    (place.indices / INDEX).mkdir()
    (place.indices / INDEX / "rulebook.toml").write_text(BOOK)
    jobs = (SCHEDULE.format(what=what, on=on, after=after) for what, on, after in CYCLE)
    place.schedule.write_text("\n".join(jobs))
    listings = pl.read_csv(place.reference / "listings.csv").filter(pl.col("company_id").is_in(COMPANIES))
    delivery = Delivery("simulated", "a part of the sample market", cut(market, listings["yahoo_symbol"].to_list()))
    save(place.store, "small", delivery, recorded_at=datetime(2026, 11, 23, tzinfo=UTC))
    return place


def cut(market: MarketData, symbols: list[str]) -> dict[str, pl.DataFrame]:
    """The tables of a market for some lines and three years."""
    tables: dict[str, pl.DataFrame] = {}
    for name in CONTRACTS:
        table = getattr(market, name)
        day = next((column for column in ("session", "ex_date") if column in table.columns), None)
        if "symbol" in table.columns and name != "benchmarks":
            table = table.filter(pl.col("symbol").is_in(symbols))
        if day and name != "sessions":
            table = table.filter(pl.col(day).is_between(BEGIN, END))
        elif day:
            table = table.filter(pl.col("session").is_between(BEGIN, date(2027, 12, 31)))
        if table.height:
            tables[name] = table
    return tables


class Process(Protocol):
    """A process that runs `exchina serve`."""

    @property
    def exitcode(self) -> int | None:
        """None while it runs; minus the signal where one ended it."""
        ...

    def is_alive(self) -> bool:
        """Whether it runs."""
        ...

    def kill(self) -> None:
        """SIGKILL."""
        ...

    def join(self) -> None:
        """Wait for its end."""
        ...

    def said(self) -> str:
        """What it printed."""
        ...


@dataclass
class Program:
    """A process of its own, from the operating system's start on."""

    child: "subprocess.Popen[bytes]"
    output: Path

    @property
    def exitcode(self) -> int | None:
        return self.child.poll()

    def is_alive(self) -> bool:
        return self.child.poll() is None

    def kill(self) -> None:
        self.child.kill()

    def join(self) -> None:
        self.child.wait()

    def said(self) -> str:
        return self.output.read_text()


def started(root: Path) -> Process:
    """A real process that rehearses the schedule of a workspace."""
    output = root.with_suffix(".log")
    with output.open("w") as file:
        command = [sys.executable, "-m", "exchina.cli", *tokens(root)]
        return Program(subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT), output)


def tokens(root: Path) -> list[str]:
    """The command line of a rehearsal."""
    return ["serve", "--rehearse", "--since", str(SINCE), "--until", str(UNTIL), "-w", str(root)]


class Fork(ForkServerProcess):
    """The same, begun by a server that has read the code already."""

    def __init__(self, root: Path) -> None:
        super().__init__(target=_served, args=(tokens(root), root.with_suffix(".log")))
        self.output = root.with_suffix(".log")

    def said(self) -> str:
        return self.output.read_text()


def forked(root: Path) -> Process:
    """As `started`, in a tenth of the time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["exchina.cli", "exchina.workflow", "exchina.service", *DOCUMENTS])
    child = Fork(root)
    child.start()
    return child  # pyright: ignore[reportReturnType]


def _served(tokens: list[str], output: Path) -> None:
    from exchina import cli

    with output.open("w") as file:
        sys.stdout = sys.stderr = file
        cli.main(tokens)


def published(root: Path) -> dict[str, bytes]:
    """Every file that was published, and the ledger as it is exported."""
    reports = root / "reports"
    kept = [reports / "ledger.jsonl", *(reports / INDEX).rglob("*"), *(reports / "frozen").rglob("*")]
    return {str(path.relative_to(reports)): path.read_bytes() for path in kept if path.is_file()}
