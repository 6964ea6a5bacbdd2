"""The announcement of a review: pro forma, announcement and factsheet."""

from exchina import history, levels
from exchina.analytics.constituent_moves import StudySettings
from exchina.analytics.event_study import ledger_rows
from exchina.errors import DataError, Problem
from exchina.model import Basket, IndexSeries, Review
from exchina.reporting.proforma import proforma_csv
from exchina.workflow.composing import pages, report
from exchina.workflow.publications import Brief, Made, publication
from exchina.workflow.publications.snapshot import universe_seen
from exchina.workflow.published import content_of
from exchina.workflow.studies import study

EVENTS = "event_ledger.csv"


@publication("announcement", "of_review", "documents", "in_order")
def announcement(brief: Brief) -> Made:
    """What a review decided, from what was known on its announcement day; before the base date without a factsheet.

    Raises:
        DataError: data is missing, or what is known of the cut-off is no longer what was frozen.
    """
    basket, series = decided(brief)
    _refuse_other_data(brief, basket.review)
    events = study(series, brief.view, StudySettings(benchmark=brief.wishes.benchmark)) if series else None
    files = basket_files(basket)
    if events is not None:
        files[EVENTS] = ledger_rows(brief.view.reference.policy_shocks).write_csv().encode()
    for layout in ("announcement", "factsheet") if series else ("announcement",):
        document = report(
            brief.workspace, layout, basket=basket, series=series, study=events, audience=brief.wishes.audience
        )
        files |= {f"{layout}{suffix}": page for suffix, page in pages(document, brief.workspace).items()}
    return Made(files, {})


def decided(brief: Brief) -> tuple[Basket, IndexSeries | None]:
    """The basket of the review of a brief, and the levels up to its day; None before the base date."""
    review, view, book = brief.review, brief.view, brief.book
    baskets = history.composed(book, view, history.reviews_until(book, view, review.effective))
    if baskets[-1].review != review:
        what = f"the review of {review.effective} is no longer in the calendar, as known on {brief.occasion.day}"
        raise DataError(Problem(book.index.id, what, "exchina propose shows the next one"))
    begun = baskets[0].review.effective <= view.provenance.through
    return baskets[-1], levels.series_of(book, view, baskets) if begun else None


def basket_files(basket: Basket) -> dict[str, bytes]:
    """A composition for machines, and the weak evidence that it rests on."""
    return {
        "proforma.csv": proforma_csv(basket).encode(),
        "weak_facts.csv": basket.weak_facts.write_csv().encode(),
    }


def _refuse_other_data(brief: Brief, review: Review) -> None:
    """`DataError` where what is known of the cut-off now is not what was frozen then."""
    row = brief.earlier("snapshot", review.effective)
    if row is None:
        return
    then, now = content_of(brief.workspace, row, "universe.ndjson"), universe_seen(brief)
    if then != now:
        what = f"the data known of {review.cutoff} differ from the snapshot in row {row.sequence}"
        cure = "exchina publish ... --what snapshot --because REASON freezes them anew"
        raise DataError(Problem(f"{brief.book.index.id} review {review.effective}", what, cure))
