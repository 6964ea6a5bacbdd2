"""The kinds of publication, one file each: a brief -> the files of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from exchina.errors import DataError, Problem
from exchina.ledger.chain import latest
from exchina.market.view import MarketView
from exchina.model import Publication, Review, Rulebook
from exchina.plugins import Register
from exchina.workspace import Workspace

publication = Register("publication", "exchina.workflow.publications")


@dataclass(frozen=True)
class Occasion:
    """What is published, and when: the schedule plans these.

    Attributes:
        what: the kind of publication.
        for_day: the day that it is for: a session, or the effective day of a review.
        day: the day on which it is due; nothing that was learnt later is used.
        review: the review that it belongs to; None for what belongs to a session.
    """

    what: str
    for_day: date
    day: date
    review: Review | None = None


@dataclass(frozen=True)
class Wishes:
    """What a person decides of a publication.

    Attributes:
        audience: who will read the documents; decides what they may show.
        benchmark: one benchmark for the event study; None takes each market's own.
        identifiers: whether licensed identifiers are written, into twin files of their own.
        late: why a session may be closed although its opening file was another.
        was: of a restatement, the day whose knowledge the old levels rest on.
        because: why something is published again, or restated.
        approved_by: who approved a restatement.
    """

    audience: str = "institutional"
    benchmark: str | None = None
    identifiers: bool = False
    late: str | None = None
    was: date | None = None
    because: str = ""
    approved_by: str = ""


@dataclass(frozen=True)
class Brief:
    """All that a publication is made from; the same brief gives the same bytes.

    Attributes:
        workspace: its layouts and templates.
        book: the rules.
        view: what was known on the day of the occasion.
        occasion: what is asked for.
        rows: the publications before it, of every index.
        wishes: what a person decided.
    """

    workspace: Workspace
    book: Rulebook
    view: MarketView
    occasion: Occasion
    rows: Sequence[Publication]
    wishes: Wishes

    @property
    def review(self) -> Review:
        """The review of the occasion; `DataError` for a kind of publication that belongs to a session."""
        if self.occasion.review is None:
            hint = "name the day of a review"
            raise DataError(Problem(f"{self.book.index.id} {self.occasion.what}", "belongs to no review", hint))
        return self.occasion.review

    def earlier(self, what: str, for_day: date) -> Publication | None:
        """The latest revision of a publication of this index that was made before; None where there is none."""
        return latest(self.rows, self.book.index.id, what, for_day)


@dataclass(frozen=True)
class Made:
    """The files of a publication by name, and what of its inputs only its maker knows."""

    files: Mapping[str, bytes]
    inputs: Mapping[str, str]
