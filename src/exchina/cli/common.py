"""What every command shares: the app, the options, and how a rulebook and a market are found."""

import os
from dataclasses import dataclass, field, replace
from datetime import date
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

if TYPE_CHECKING:
    from exchina.market.view import MarketView
    from exchina.model import Rulebook
    from exchina.workspace import Workspace

Audience = Literal["retail", "institutional", "internal"]
Index = Annotated[str, Parameter(help="an index of the workspace.")]
Kinds = Annotated[tuple[str, ...], Parameter(consume_multiple=1, negative="")]
Flag = Annotated[bool, Parameter(negative="")]
Listing = Annotated[bool, Parameter(name="--list", negative="")]


def _version() -> str:
    from importlib.metadata import version

    return version("exchina")


app = App(
    name="exchina",
    help="Investment indices and ETFs on the rare-earth supply chain outside China.",
    version=_version,
    help_epilogue="Start here: exchina init my-desk; cd my-desk; exchina fetch sample; exchina backtest ex-china-core",
)
checks = App(name="check", help="Check everything, or what the gates of one market held back.")
app.command(checks)


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Options of every command.

    Parameters:
        workspace: folder that holds indices, scheduler and reports.
        json: print one JSON document instead of tables.
        ledger: URL of the database of the publications, postgresql://...; without it a file in reports.
        signing_key: private key (PEM) that signs each new row of the ledger.
    """

    workspace: Annotated[Path, Parameter(name=["--workspace", "-w"])] = field(default=Path())
    json: Annotated[bool, Parameter(negative="")] = False
    ledger: Annotated[str, Parameter(env_var="EXCHINA_LEDGER")] = ""
    signing_key: Annotated[Path | None, Parameter(env_var="EXCHINA_SIGNING_KEY")] = None

    def place(self) -> "Workspace":
        """The workspace at that folder."""
        from exchina.workspace import open_workspace

        return replace(open_workspace(self.workspace), ledger=self.ledger, signing_key=self.signing_key)


@Parameter(name="*")
@dataclass(frozen=True)
class Data:
    """Which market data a command reads.

    Parameters:
        market: name of a market in the store.
        as_of: use only what was known by this day; everything if not given.
    """

    market: Annotated[str, Parameter(name=["--market", "-m"])] = "sample"
    as_of: date | None = None


COMMON = Common()
DATA = Data()


def book_of(index: str, common: Common) -> "Rulebook":
    """The rulebook of an index of the workspace."""
    from exchina import workflow

    return workflow.index_rulebook(common.place(), index)


def author_of(author: str | None) -> str:
    """Who tries: as given, EXCHINA_AUTHOR, or the user of this machine; `ExchinaError` where nobody is known."""
    from exchina.errors import ExchinaError, Problem

    try:
        name = author if author is not None else os.environ.get("EXCHINA_AUTHOR") or getuser()
    except (KeyError, OSError):
        name = ""
    if not name.strip():
        hint = "write --author NAME, or set EXCHINA_AUTHOR"
        raise ExchinaError(Problem("--author", "every trial is recorded with who ran it, and nobody is named", hint))
    return name.strip()


def folder_for(out: Path | None) -> None:
    """`ExchinaError` where results cannot go, before anything is computed.

    Args:
        out: the folder asked for; None for none.
    """
    from exchina.errors import ExchinaError, Problem

    if out is None:
        return
    standing = next((place for place in [out, *out.parents] if place.exists()), None)
    if standing is not None and not standing.is_dir():
        raise ExchinaError(Problem(f"--out {out}", f"{standing} is a file", "name a folder"))
    if out == Path() and str(out) == ".":
        raise ExchinaError(Problem("--out", "no folder named", "name one, such as --out results"))


def view_of(data: Data, common: Common) -> "MarketView":
    """The market that was asked for, cut to the day that was asked for."""
    from exchina import workflow

    return workflow.open_market(data.market, known_by=data.as_of, workspace=common.workspace)
