"""I/O. A workspace: the folder that holds indices, schedule, published reports and the market store."""

import shutil
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from exchina.errors import DataError, Problem, did_you_mean

FOLDERS = ("indices", "scheduler", "reports/layouts", "reports/templates")


@dataclass(frozen=True, slots=True)
class Workspace:
    """The places of a workspace below its root.

    Attributes:
        root: its folder.
        ledger: URL of the database of its publications, such as ``postgresql://...``; empty for SQLite in ``reports``.
        signing_key: file of the private key that signs each new row of the ledger; None for rows without signature.
    """

    root: Path
    ledger: str = field(default="", repr=False)
    signing_key: Path | None = None

    @property
    def indices(self) -> Path:
        """One folder an index, and ``reference`` with the facts."""
        return self.root / "indices"

    @property
    def reference(self) -> Path:
        """The CSV files of researched facts."""
        return self.indices / "reference"

    @property
    def scenarios(self) -> Path:
        """The stress scenarios, one TOML file each, and below them what is assumed of firms."""
        return self.indices / "scenarios"

    @property
    def reports(self) -> Path:
        """Layouts, templates, what was published, and the ledger."""
        return self.root / "reports"

    @property
    def store(self) -> Path:
        """The market store."""
        return self.root / "store"

    @property
    def public(self) -> Path:
        """What subscribers may see, for any web server to serve."""
        return self.root / "public"

    @property
    def subscribers(self) -> Path:
        """Who is told of publications, and how."""
        return self.root / "scheduler" / "subscribers.toml"

    @property
    def schedule(self) -> Path:
        """What is published when."""
        return self.root / "scheduler" / "schedule.toml"

    def index_ids(self) -> list[str]:
        """The indices that have a rulebook, in alphabetical order."""
        return sorted(path.parent.name for path in self.indices.glob("*/rulebook.toml"))

    def rulebook(self, index_id: str) -> Path:
        """The rulebook of an index; `DataError` with a spelling hint if there is none."""
        if index_id not in self.index_ids():
            hint = did_you_mean(index_id, self.index_ids())
            raise DataError(Problem(f"{self.indices}", f"no index called {index_id!r}", hint))
        return self.indices / index_id / "rulebook.toml"

    def fund_ids(self, index_id: str) -> list[str]:
        """The funds of an index, in alphabetical order; `DataError` if there is no such index."""
        return sorted(path.stem for path in (self.rulebook(index_id).parent / "funds").glob("*.toml"))

    def fund(self, index_id: str, name: str) -> Path:
        """The file of a fund of an index; `DataError` with a spelling hint if there is none."""
        names = self.fund_ids(index_id)
        if name not in names:
            raise DataError(Problem(f"funds of {index_id}", f"no fund called {name!r}", did_you_mean(name, names)))
        return self.rulebook(index_id).parent / "funds" / f"{name}.toml"


def open_workspace(root: Path) -> Workspace:
    """The workspace at ``root``; `DataError` saying how to make one if there is none."""
    if not (root / "indices" / "reference").is_dir():
        hint = "go to one, name one with --workspace, or make one: exchina init FOLDER"
        raise DataError(Problem(str(root), "this folder is no workspace: it has no indices/reference", hint))
    return Workspace(root)


def init(root: Path) -> list[Path]:
    """Copy the package's own workspace to ``root``; a file that is already there is left as it is.

    Returns:
        The files written.

    Raises:
        DataError: the folder cannot be written.
    """
    try:
        return [path for folder in FOLDERS for path in _laid(_seed() / folder, root / folder)]
    except OSError as fault:
        raise DataError(Problem(str(root), f"cannot write here: {fault.strerror}", "choose another folder")) from fault


def _laid(source: Path, target: Path) -> list[Path]:
    wanted = [path.relative_to(source) for path in sorted(source.rglob("*")) if path.is_file()]
    missing = [path for path in wanted if not (target / path).exists()]
    for path in missing:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, target / path)
    return [target / path for path in missing]


def _seed() -> Path:
    """The workspace in the installed package, or the repository when exchina runs from its sources."""
    packaged = Path(str(files("exchina"))) / "workspace"
    return packaged if packaged.is_dir() else Path(__file__).parents[2]
