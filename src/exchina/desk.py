"""The index desk's day: compute the next session from the last one's state, check it, and make its files.

The files of a day are closing, opening, levels, divisor, corporate_actions and proforma .csv, and state.json, from
which the next day starts. The proforma is there from the session after the announcement of a review.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from exchina import history
from exchina.calculation import state_file
from exchina.calculation.restatement import restatement
from exchina.calculation.state import Reset, State, Target
from exchina.calculation.state_file import Closed
from exchina.desk_tables import day_tables, proforma_table
from exchina.errors import DataError, Problem
from exchina.inputs import Inputs, index_sessions, inputs_for
from exchina.levels import (
    PRICE,
    Calculation,
    calculated,
    continued,
    inputs_after,
    opening,
    reset_at,
    series_of,
    target_of,
)
from exchina.market.view import MarketView, with_hindsight
from exchina.model import Rulebook

STATE = "state.json"
SAME = 1e-12
AHEAD = timedelta(days=60)
PAST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the desk: its session, level by return variant, files by name, and what a person must look at."""

    session: date
    levels: Mapping[str, float]
    files: Mapping[str, bytes]
    notices: tuple[str, ...]

    def state(self) -> Closed:
        """What the next day starts from."""
        return state_file.from_text(self.files[STATE].decode(), f"{STATE} of {self.session}")


def days(book: Rulebook, view: MarketView, closed: Closed | None, *, late: str | None = None) -> Iterator[Day]:
    """Every session after the last one closed, up to the view's last, each from what was known on its own day.

    Args:
        book: the rules.
        view: the market.
        closed: the state of the last session closed; None computes the index from its base date to the view's last
            session, and that is the only day.
        late: why a session may be closed although its opening file was another; kept among the notices.

    Raises:
        DataError: data is missing, the state is of other rules, or an opening file was not what the session held.
    """
    if closed is None:
        yield _first(book, view)
        return
    if closed.rulebook != book.content_hash:
        what = f"the state of {closed.session} was computed with other rules than those of version {book.index.version}"
        raise DataError(Problem(book.index.id, what, "give the rulebook that was changed a version of its own"))
    sessions = [day for day in index_sessions(book, view) if day <= view.provenance.through]
    for session in [day for day in sessions if day > closed.session]:
        day, closed = _next(book, view, closed, session, late)
        yield day


def restate(book: Rulebook, view: MarketView, known_by: date, sent: pl.DataFrame) -> pl.DataFrame:
    """What the levels up to a day would be today, beside what the desk published, or what was known then.

    Args:
        book: the rules.
        view: everything known today.
        known_by: the day of the old series.
        sent: session, variant, sent: the unrounded levels that were published; they count where there are any.

    Returns:
        `exchina.calculation.restatement.restatement`.

    Raises:
        DataError: the day lies after the last price, or as for `calculate`.
    """
    if known_by > view.provenance.through:
        what = f"prices end on {view.provenance.through}"
        raise DataError(Problem(f"--was {known_by}", what, "name a day by which there were prices"))
    old = view.as_of(known_by)
    reviews = history.reviews_until(book, view, view.provenance.through)
    then, now = history.composed(book, view, reviews), history.composed(book, with_hindsight(view), reviews)
    changed = any(set(a.members["company_id"]) != set(b.members["company_id"]) for a, b in zip(then, now, strict=True))
    computed, today = (series_of(book, at, made).levels for at, made in ((old, then), (view, now)))
    key = ["session", "variant"]
    old_levels = today.select(key).join(computed, on=key, how="left", maintain_order="left")
    old_levels = old_levels.join(sent, on=key, how="left", maintain_order="left")
    old_levels = old_levels.with_columns(level=pl.coalesce("sent", "level")).drop_nulls("level")
    return restatement(old_levels, today, book.calculation, members_changed=changed)


def afresh(book: Rulebook, view: MarketView, session: date) -> Day:
    """A session as everything known today says it was: the state from which a restated index goes on.

    Args:
        book: the rules.
        view: what is known today.
        session: the session; later prices do not count.

    Raises:
        DataError: as for `days`.
    """
    until = replace(view.market, prices=view.market.prices.filter(pl.col("session") <= session))
    cut = replace(view, market=until, provenance=replace(view.provenance, through=session))
    seen = with_hindsight(cut)
    baskets = history.composed(book, seen, history.reviews_until(book, seen, session))
    made = calculated(book, cut, baskets)
    return _day(cut, made, made.inputs, _announced(book, cut, session), ())[0]


def _first(book: Rulebook, view: MarketView) -> Day:
    baskets = history.composed(book, view, history.reviews_until(book, view, view.provenance.through))
    if not baskets or baskets[0].review.effective > view.provenance.through:
        what = f"{book.index.base_date} is after the last price, {view.provenance.through}"
        raise DataError(Problem("index.base_date", what, "fetch later prices or set an earlier base_date"))
    made = calculated(book, view, baskets)
    return _day(view, made, made.inputs, _announced(book, view, made.states[PRICE].session), ())[0]


def _next(book: Rulebook, view: MarketView, closed: Closed, session: date, late: str | None) -> tuple[Day, Closed]:
    """Close one more session from what was known on its day."""
    cut = view.as_of(session)
    if cut.provenance.through < session and view.provenance.through <= session:
        what = f"prices end on {cut.provenance.through}"
        raise DataError(Problem(f"{book.index.id} {session}", what, "fetch the session's closes first"))
    resets = _resets(book, cut, closed.target, closed.session)
    target = closed.target if closed.target and closed.target.effective > closed.session else None
    if target is not None and target.effective < session:
        what = f"the review that takes effect after {target.effective} was announced, and that is no session any more"
        cure = "make it one in the calendar, or restate the announcement for another day"
        raise DataError(Problem(f"{book.index.id} {session}", what, cure))
    target = target or _announced(book, cut, session)
    known = inputs_after(book, cut, closed.states, {**resets, **_resets(book, cut, target, session)}, session)
    inputs, faults = _caught_up(known, closed, session)
    made = continued(inputs, cut, closed.states, resets)
    faults += _not_as_opened(closed, made.states[PRICE])
    if faults and late is None:
        raise DataError(*faults)
    return _day(cut, made, known, target, (f"late: {late}", *map(str, faults)) if faults else ())


def _caught_up(inputs: Inputs, closed: Closed, session: date) -> tuple[Inputs, list[Problem]]:
    """The inputs with every event that was learnt after its ex-date moved to this session, and a problem for each.

    An event that was withdrawn or whose terms have changed cannot be taken back by a later session: its problem says
    to restate.
    """
    held = closed.states[PRICE].shares
    now = _past_events(inputs, held, closed.session)
    learnt = now.keys() - closed.events.keys()
    undone = [name for name, said in sorted(closed.events.items()) if now.get(name) != said]
    if undone:
        cure = "exchina restate shows what changes, and with --approved-by publishes it"
        what = "was applied and has been withdrawn or changed since"
        raise DataError(*(Problem(f"event {name}", what, cure) for name in undone))
    cure = "--late REASON applies it today; exchina restate shows the days before"
    late = [event for event in inputs.events if event.id in learnt]
    moved = [replace(event, applied=session) if event.id in learnt else event for event in inputs.events]
    faults = [event.problem("became known after its ex-date", cure) for event in late]
    return replace(inputs, events=tuple(moved)), faults


def _past_events(inputs: Inputs, held: Mapping[str, float], session: date) -> dict[str, str]:
    """Id and terms of every event of the lines held with an ex-date up to a session, a year back."""
    since = session - PAST
    return {
        event.id: repr(replace(event, tax=0.0, source=""))
        for event in inputs.events
        if event.symbol in held and since < event.ex_date <= session
    }


def _not_as_opened(closed: Closed, state: State) -> list[Problem]:
    """Each line, or the divisor, that the session did not hold as its opening file said."""
    shares, divisor = closed.opens
    cure = "an event became known after the opening file: see exchina restate; --late REASON closes the day"
    names = sorted({*shares, *state.shares})
    wrong = [name for name in names if not _same(shares.get(name, 0.0), state.shares.get(name, 0.0))]
    faults = [
        Problem(
            f"{state.session} {name}",
            f"opened with {shares.get(name, 0.0)!r} index shares, held {state.shares.get(name, 0.0)!r}",
            cure,
        )
        for name in wrong
    ]
    if not _same(divisor, state.divisor):
        faults.append(
            Problem(f"{state.session} divisor", f"opened with {divisor!r}, closed with {state.divisor!r}", cure)
        )
    return faults


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= SAME * max(abs(one), abs(other))


def _day(
    view: MarketView, made: Calculation, known: Inputs, target: Target | None, notices: tuple[str, ...]
) -> tuple[Day, Closed]:
    book, state = made.inputs.book, made.states[PRICE]
    opens = opening(made, _resets(book, view, target, state.session))[PRICE]
    held = {name: line.shares for name, line in opens.after.items()}
    past = _past_events(known, state.shares, state.session)
    opened = (held, opens.divisor_after)
    closed = Closed(book.index.id, book.content_hash, state.session, made.states, target, opened, past)
    tables = day_tables(view, made, opens)
    if target is not None and target.effective > state.session:
        tables["proforma"] = proforma_table(view, target, _of(book, view, target, state.session), made)
    files = {f"{name}.csv": _stamped(table, closed, view) for name, table in tables.items()}
    files |= {"notices.txt": ("\n".join(notices) + "\n").encode()} if notices else {}
    levels = {variant: float(rows[-1]) for variant, rows in made.levels.items()}
    return Day(state.session, levels, {**files, STATE: state_file.to_text(closed).encode()}, notices), closed


def _resets(book: Rulebook, view: MarketView, target: Target | None, session: date) -> dict[date, Reset]:
    """What takes effect after the close of a session."""
    if target is None or target.effective != session:
        return {}
    return {session: reset_at(target, _of(book, view, target, session), session)}


def _of(book: Rulebook, view: MarketView, target: Target, session: date) -> Inputs:
    """What can have happened to a target's lines between its cut-off and a session."""
    return inputs_for(book, view, {*target.reset.weights, *target.reset.shares}, target.cutoff, session)


def _announced(book: Rulebook, view: MarketView, session: date) -> Target | None:
    """The review that was announced before ``session``, or takes effect with it; one that holds the basket is none.

    One that is announced on the evening of a session is in the files of the next: nobody learns it from the close.
    """
    reviews = history.reviews_until(book, view, session + AHEAD)
    coming = [
        at
        for at, review in enumerate(reviews)
        if review.announced < session <= review.effective or session == review.effective
    ]
    if not coming or reviews[coming[-1]].effective == book.index.base_date:
        return None
    basket = history.composed(book, view, reviews[: coming[-1] + 1])[-1]
    return None if basket.held else target_of(basket)


def _stamped(table: pl.DataFrame, closed: Closed, view: MarketView) -> bytes:
    """CSV with the index and the session in front and ``simulated`` at the end."""
    session = [] if "session" in table.columns else [pl.lit(closed.session).alias("session")]
    stamped = table.select(
        pl.lit(closed.index_id).alias("index_id"), *session, pl.all(), simulated=pl.lit(view.provenance.simulated)
    )
    return stamped.write_csv().encode()
