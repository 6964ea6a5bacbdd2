"""The factsheet of a month's or quarter's end."""

from exchina.analytics.constituent_moves import StudySettings
from exchina.errors import DataError, Problem
from exchina.workflow.composing import pages, report
from exchina.workflow.indices import backtest
from exchina.workflow.publications import Brief, Made, publication
from exchina.workflow.studies import study


@publication("factsheet", "documents")
def factsheet(brief: Brief) -> Made:
    """The factsheet as of a session, from what was known at its end.

    Raises:
        DataError: prices end before that session.
    """
    view, session = brief.view, brief.occasion.for_day
    if view.provenance.through < session:
        what = f"prices end on {view.provenance.through}"
        raise DataError(Problem(f"{brief.book.index.id} {session}", what, "fetch the session's closes first"))
    series = backtest(brief.book, view)
    events = study(series, view, StudySettings(benchmark=brief.wishes.benchmark))
    document = report(brief.workspace, "factsheet", series=series, study=events, audience=brief.wishes.audience)
    return Made({f"factsheet{suffix}": page for suffix, page in pages(document, brief.workspace).items()}, {})
