"""One exception tree; every error carries the problems that caused it.

    ExchinaError
    |-- RulebookError      a rulebook, schedule or layout says something the toolkit cannot do
    |-- DataError          reference or market data is wrong, missing or contradictory
    |-- InfeasibleError    bounds that no basket can meet together
    |-- PublicationError   a file or the ledger cannot be written, or no longer says what was published
    `-- ProviderError      a data source did not deliver

Bad input is collected, not thrown one fault at a time: a reader should be able to mend everything in one pass.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: the place (``where``), what was found there (``what``) and the cure (``hint``)."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" ({self.hint})" if self.hint else "")

    def as_dict(self) -> dict[str, str]:
        """The problem as plain data, for ``--json``."""
        return asdict(self)


class ExchinaError(Exception):
    """Base of every error that exchina raises on purpose; ``problems`` lists what is wrong."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems: tuple[Problem, ...] = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class RulebookError(ExchinaError):
    """A rulebook, schedule or layout says something the toolkit cannot do."""


class DataError(ExchinaError):
    """Reference or market data is wrong, missing or contradictory."""


class InfeasibleError(ExchinaError):
    """Bounds that no basket can meet together."""


class PublicationError(ExchinaError):
    """A file or the ledger cannot be written, or no longer says what was published."""


class ProviderError(ExchinaError):
    """A data source did not deliver."""


MOST_NAMED, FEW = 40, 5


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A spelling hint: the nearest known word, or else all of them, of many a few that begin alike."""
    names = sorted(known)
    near = get_close_matches(word, names, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    if len(names) > MOST_NAMED:
        alike = [name for name in names if name.startswith(word)] or [name for name in names if name[:1] == word[:1]]
        return f"there are {len(names)}" + (f", such as {', '.join(alike[:FEW])}" if alike else "")
    return "known: " + ", ".join(names) if names else "none is known"
