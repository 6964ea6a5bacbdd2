"""A notice of what happened between reviews: a takeover, a delisting, a signed floor."""

import json

from exchina import history
from exchina.errors import DataError, Problem
from exchina.workflow.news import news_of
from exchina.workflow.publications import Brief, Made, publication
from exchina.workflow.published import table_of


@publication("notice")
def notice(brief: Brief) -> Made:
    """What became known of the companies held, and which reviews it calls under the written rules.

    Raises:
        DataError: the session is not closed by the ledger, or nothing became known on it.
    """
    session, book = brief.occasion.for_day, brief.book
    where = f"{book.index.id} {session}"
    closed = brief.earlier("close", session)
    if closed is None:
        raise DataError(Problem(where, "the ledger has no close of it, so who is held is not known", "close it first"))
    held = table_of(brief.workspace, closed, "closing.csv")["symbol"].to_list()
    found = news_of(brief.view, history.index_sessions(book, brief.view), held, session)
    if found.is_empty():
        raise DataError(Problem(where, "nothing ad hoc became known of a company held", "name a day of the calendar"))
    called = [review for review in history.reviews_until(book, brief.view, session + history.AHEAD) if review.events]
    days = set(found["known_date"])
    said = {
        "index_id": book.index.id,
        "session": str(session),
        "notices": found.to_dicts(),
        "reviews_called": [
            {"announced": one.announced, "effective": one.effective, "why": [event.reason for event in one.events]}
            for one in called
            if any(event.day in days or event.day == session for event in one.events)
        ],
        "simulated": brief.view.provenance.simulated,
    }
    text = json.dumps(said, indent=1, sort_keys=True, default=str, ensure_ascii=False) + "\n"
    return Made({"notice.json": text.encode(), "notice.csv": found.write_csv().encode()}, {})
