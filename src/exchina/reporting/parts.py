"""What a document is made of, and what of it an audience may see."""

import math
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from exchina.analytics.event_study import EventStudy
from exchina.errors import Problem, PublicationError
from exchina.model import Basket, IndexSeries, Provenance, Rulebook
from exchina.reporting.document import WITHHELD, Audience
from exchina.reporting.wording import capitalised, day


@dataclass(frozen=True)
class Parts:
    """The results that a document shows.

    Attributes:
        basket: the composition; left out, the last basket of the series stands for it.
        series: the levels.
        study: the event study on the series.
        audience: for whom the document is made.
        as_of: the day that the document describes; `exchina.reporting.layout.compose` sets it.
        withheld: whether levels and study exist but may not be shown to this audience.
    """

    basket: Basket | None
    series: IndexSeries | None
    study: EventStudy | None
    audience: Audience
    as_of: date | None = None
    withheld: bool = False

    @property
    def composition(self) -> Basket:
        """The basket, or the last one of the series; `PublicationError` where there is neither."""
        if self.basket is not None:
            return self.basket
        if self.series is not None and self.series.baskets:
            return self.series.baskets[-1]
        raise PublicationError(Problem("document", "it has no basket", "pass a basket or a series"))

    @property
    def book(self) -> Rulebook:
        """The rulebook of the index."""
        return self.composition.book

    @property
    def provenance(self) -> Provenance:
        """Where the prices came from; simulated if any of the parts rests on simulated prices."""
        found = [part.provenance for part in (self.series, self.composition, self.study) if part is not None]
        return next((one for one in found if one.simulated), found[0])

    @property
    def ahead(self) -> bool:
        """Whether the composition is pro forma: not yet in force on the day of the document."""
        return self.as_of is not None and self.composition.review.effective > self.as_of

    @property
    def weights_dated(self) -> str:
        """Of which day the weights of the composition are: ``set on 18 Jun 2026``, ``pro forma for``, ``held, as of``.

        Weights of a basket that goes on without a trade are those to which prices moved it at the data cut-off.
        """
        review = self.composition.review
        if self.composition.held:
            return f"held, as of {day(review.cutoff)}"
        return f"{'pro forma for' if self.ahead else 'set on'} {day(review.effective)}"

    @property
    def last_session(self) -> date | None:
        """The last session with a level; None without a series."""
        return None if self.series is None else self.series.levels.get_column("session").max()  # pyright: ignore[reportReturnType]

    def levels(self, wanted_by: str, variant: str | None = None) -> pl.DataFrame | None:
        """Levels of a return variant (the first if none is named), ascending: session, level.

        None where the audience may not see them.

        Raises:
            PublicationError: there is no series, and the audience could have seen it.
        """
        if self.withheld:
            return None
        if self.series is None:
            raise PublicationError(
                Problem(f"section {wanted_by}", "it needs an index series", "pass a series or drop it from the layout")
            )
        wanted = variant or self.book.index.returns[0]
        return self.series.levels.filter(pl.col("variant") == wanted).sort("session").select("session", "level")

    def shown(self, as_of: date) -> "Parts":
        """The parts without what this audience may not see; a section cannot leak what it is not given."""
        hidden = WITHHELD[self.audience]
        kept = replace(self, basket=self.composition, as_of=as_of, withheld="series" in hidden)
        return replace(kept, **dict.fromkeys(hidden))


def weight_of(members: pl.DataFrame) -> float:
    """The sum of the weights of some members, exactly rounded, whatever their order."""
    return math.fsum(members["weight"].to_list())


def steps_taken(basket: Basket) -> str:
    """What the review had to do to form the basket, in sentences; empty where every bound was met as written.

    The names of the steps of the infeasibility ladder are left out: the sentences say what they did.
    """
    why = "no new basket could be formed, so the previous one goes on without a trade: " if basket.held else ""
    return " ".join(capitalised(f"{why}{_step(step, basket.book.if_infeasible)}.") for step in basket.steps)


def _step(step: str, ladder: tuple[str, ...]) -> str:
    name, _, said = step.partition(": ")
    return " ".join((said if name in ladder else step).split()).rstrip(".").replace("_", " ")
