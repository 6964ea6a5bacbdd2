"""The state of an index as text: numbers read back bit for bit, so that a day can start where the last one ended."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from exchina.calculation.state import State, Target
from exchina.errors import DataError, Problem

MOST = 5


@dataclass(frozen=True, slots=True)
class Closed:
    """What the next session starts from.

    Attributes:
        index_id: which index.
        rulebook: hash of its rules.
        session: the last session computed.
        states: of each composition (``PR``; into the payer also ``GTR``, ``NTR``).
        target: the review that is announced and takes effect after ``session`` or later; None where there is none.
        opens: index shares and divisor of the price index that the opening file of the next session shows.
        events: id and terms of the events of the last year on the lines held, as they were known.
        version: of this layout.
    """

    index_id: str
    rulebook: str
    session: date
    states: Mapping[str, State]
    target: Target | None
    opens: tuple[Mapping[str, float], float]
    events: Mapping[str, str]
    version: Literal[1] = 1


def to_text(closed: Closed) -> str:
    """JSON with days in ISO 8601 and every number in the shortest form that reads back the same."""
    return json.dumps(asdict(closed), default=str, indent=1, sort_keys=True, allow_nan=False) + "\n"


def from_text(text: str, where: str) -> Closed:
    """Read a state back.

    Args:
        text: of `to_text`.
        where: name of the file, for messages.

    Raises:
        DataError: the text is not such a state, or of another version.
    """
    try:
        return TypeAdapter(Closed).validate_json(text)
    except ValidationError as fault:
        cure = "restore the file; or move the folder away to start anew from the base date"
        faults = [
            Problem(f"{where}: {'.'.join(map(str, error['loc']))}", error["msg"], cure) for error in fault.errors()
        ]
        raise DataError(*faults[:MOST]) from fault
