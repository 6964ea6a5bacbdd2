"""Results as files of a folder that a person names; each appears whole or not at all."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from exchina import atomic
from exchina.errors import Problem, PublicationError


def written(files: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write files by name; `PublicationError` where one cannot be written."""
    return [_written(folder / name, content) for name, content in files.items()]


def written_tables(tables: Mapping[str, pl.DataFrame], folder: Path) -> list[Path]:
    """Write each table as a CSV file; the files written."""
    return written({f"{name}.csv": table.write_csv().encode() for name, table in tables.items()}, folder)


def _written(path: Path, content: bytes) -> Path:
    try:
        atomic.place(path, content)
    except OSError as fault:
        raise PublicationError(
            Problem(str(path), f"cannot be written: {fault.strerror}", "choose another folder")
        ) from fault
    return path
