"""What a publication was made from, kept beside it under the name of its content, so that it can be made again."""

import zipfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from exchina.errors import DataError, Problem, PublicationError
from exchina.ledger.chain import RESTORE
from exchina.model import Publication, Reference, Rulebook
from exchina.reference import read_reference
from exchina.workspace import Workspace

Stamped: TypeAlias = tuple[tuple[Path, int, int], ...]
FROZEN = "frozen"
EARLIEST = (1980, 1, 1, 0, 0, 0)
TABLES = ("*.csv",)
DOCUMENTS = ("layouts/*", "templates/*.*", "templates/fonts/*")


def frozen(
    workspace: Workspace, book: Rulebook, reference: Reference, *, documents: bool
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Files that hold rules, reference data and, for documents, layouts and templates; and which of them is what.

    Args:
        workspace: whose reference data, layouts and templates they are.
        book: the rules.
        reference: as it was read.
        documents: whether layouts and templates are needed.

    Returns:
        Content by path below the reports; and path by what it holds: rules, reference, documents.

    Raises:
        DataError: the files are no longer what was read.
    """
    if _hash_of(workspace.reference, _stamped(workspace.reference, TABLES)) != reference.content_hash:
        what = "was changed while something was being published from it"
        raise DataError(Problem(str(workspace.reference), what, "publish again"))
    held = {"rules": ("toml", book.text.encode()), "reference": ("zip", _zipped(workspace.reference, TABLES))}
    if documents:
        held["documents"] = ("zip", _zipped(workspace.reports, DOCUMENTS))
    paths = {f"frozen_{name}": f"{FROZEN}/{sha256(content).hexdigest()}.{end}" for name, (end, content) in held.items()}
    return {paths[f"frozen_{name}"]: content for name, (_, content) in held.items()}, paths


@contextmanager
def thawed(workspace: Workspace, row: Publication) -> Generator[Workspace]:
    """A workspace for a while that holds what a row was made from, with the store and the files of the real one.

    Raises:
        PublicationError: the row was not frozen, or what it was made from is missing or was changed.
    """
    with TemporaryDirectory() as folder:
        place = Workspace(Path(folder))
        place.indices.joinpath(row.index_id).mkdir(parents=True)
        _content(workspace, row, "rules", place.indices / row.index_id / "rulebook.toml")
        _content(workspace, row, "reference", place.reference)
        if "frozen_documents" in row.inputs:
            _content(workspace, row, "documents", place.reports)
        place.reports.mkdir(exist_ok=True)
        place.store.symlink_to(workspace.store.resolve(), target_is_directory=True)
        (place.reports / row.index_id).symlink_to(
            (workspace.reports / row.index_id).resolve(), target_is_directory=True
        )
        yield place


def _content(workspace: Workspace, row: Publication, name: str, target: Path) -> None:
    path = row.inputs.get(f"frozen_{name}")
    where = f"ledger row {row.sequence}"
    if path is None:
        raise PublicationError(Problem(where, f"its {name} were not frozen", "it was published by an older version"))
    try:
        content = (workspace.reports / path).read_bytes()
    except OSError as fault:
        raise PublicationError(Problem(str(workspace.reports / path), f"{fault.strerror}", RESTORE)) from fault
    if sha256(content).hexdigest() != Path(path).stem:
        raise PublicationError(Problem(str(workspace.reports / path), "is not what was frozen", RESTORE))
    if path.endswith(".zip"):
        with zipfile.ZipFile(BytesIO(content)) as archive:
            archive.extractall(target)
    else:
        target.write_bytes(content)


def _zipped(root: Path, patterns: Sequence[str]) -> bytes:
    found = _stamped(root, patterns)
    if not found:
        raise DataError(Problem(str(root), "nothing to publish from is here", "exchina init lays a workspace"))
    return _archive(root, found)


def _stamped(root: Path, patterns: Sequence[str]) -> Stamped:
    """Files, with what changes when one is written: its time and its size."""
    found = sorted({path for pattern in patterns for path in root.glob(pattern) if path.is_file()})
    return tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in found)


@lru_cache(maxsize=4)
def _hash_of(folder: Path, _found: Stamped) -> str:
    return read_reference(folder).content_hash


@lru_cache(maxsize=4)
def _archive(root: Path, found: Stamped) -> bytes:
    """A ZIP archive whose bytes depend on names and contents alone; made once for files that stay as they are."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, _, _ in found:
            archive.writestr(zipfile.ZipInfo(path.relative_to(root).as_posix(), EARLIEST), path.read_bytes())
    return buffer.getvalue()
