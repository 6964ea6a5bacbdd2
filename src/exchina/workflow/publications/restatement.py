"""A correction of published levels: old and new, the decision by policy, and the session the index goes on from."""

from datetime import date

import polars as pl

from exchina import desk
from exchina.errors import DataError, Problem
from exchina.workflow.publications import Brief, Made, Wishes, publication
from exchina.workflow.published import last_close, sent_levels

CORRECTED = ("restated", "corrected")


def approved(wishes: Wishes, where: str) -> date:
    """The day of the old levels; `DataError` where reason, approval or day are not given."""
    if not wishes.approved_by or not wishes.because or wishes.was is None:
        cure = "--because REASON --approved-by NAME --was DAY"
        raise DataError(Problem(where, "a correction needs a reason and who approved it", cure))
    return wishes.was


@publication("restatement", "in_order")
def restatement(brief: Brief) -> Made:
    """Every level that what is known now would change, and the files of the last closed session computed afresh.

    Where the level of that session stands by policy, it is not among the files.

    Raises:
        DataError: nobody approved it, no session is closed, nothing differs, or policy leaves the past as it is.
    """
    book, wishes = brief.book, brief.wishes
    where = f"{book.index.id} restatement {brief.occasion.for_day}"
    last = last_close(brief.rows, book.index.id)
    was = approved(wishes, where)
    if last is None or last.for_day != brief.occasion.for_day:
        raise DataError(Problem(where, "only the last closed session can be computed afresh", "exchina log shows it"))
    found = desk.restate(book, brief.view, was, sent_levels(brief.workspace, brief.rows, book.index.id))
    if not set(found["decision"]) & set(CORRECTED):
        what = "no level differs" if found.is_empty() else "by policy what differs is corrected for the future only"
        raise DataError(Problem(where, what, "there is nothing to restate"))
    files = dict(desk.afresh(book, brief.view, last.for_day).files)
    if found.filter((pl.col("session") == last.for_day) & (pl.col("decision") == "restated")).is_empty():
        del files["levels.csv"]
    return Made({**files, "differences.csv": found.write_csv().encode()}, {"follows": last.hash})
