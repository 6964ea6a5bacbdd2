"""The one sentence about an event that an investor document may print; it is refused unless it can be said in full.

It states what moved, against what, how sure one can be and what could not have been seen. It never says why: no wording
here claims a cause, a benefit or the absence of an effect, and no name or title handed in may bring one along.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from math import isfinite
from typing import TypeAlias

from exchina.analytics.multiplicity import LEVELS
from exchina.errors import DataError, Problem, did_you_mean

Instant: TypeAlias = datetime | date
ONE_DATE = {"kp_bmp": "Kolari-Pynnonen adjusted BMP test"}
SEVERAL_DATES = {"date_bmp": "BMP test over dates", "wild_cluster": "wild cluster test over dates"}
FEWEST_DATES = 6
LEVEL = LEVELS["holm"]
CAUSAL = re.compile(r"caus(?:e|ing)|benefit\w*\s+from|no\s+effect", re.IGNORECASE)
POWER = "80 % power at 5 %, normal approximation"
CAVEAT = "Past reactions do not predict future ones."
NOT_SIGNIFICANT = f"No reaction was detected at the {LEVEL:.0%} level; no reaction detected is not no reaction."
DESCRIPTION = f"This is a description: fewer than {FEWEST_DATES} dates allow no test."
TESTED = ("statistic", "adjusted_p", "family_size", "mde")
IN_WORDS = {"names": "number of names (N)", "missing": "names missing", "mde": "minimum detectable effect"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What must be known to say how names moved on one event; None is not known, and no sentence is made.

    Attributes:
        event: what was announced, in neutral words.
        instant: when: a datetime with its zone, or a date where the time is not known.
        window: first and last session, counted from day 0, the first session able to react.
        benchmark: against which the moves are abnormal.
        names: N, names measured.
        missing: names of the index not measured; empty if none.
        weighting: of the move, such as ``equal-weighted``.
        statistic: the headline test, a key of `ONE_DATE`.
        move: mean cumulative abnormal return, fraction of 1.
        adjusted_p: two-sided p after Holm's adjustment for the family, 0 to 1.
        family_size: tests in the family.
        mde: minimum detectable effect, fraction of 1.
        hypothetical: the event lies before the live date of the index.
    """

    event: str | None
    instant: Instant | None
    window: tuple[int, int] | None
    benchmark: str | None
    names: int | None
    missing: tuple[str, ...] | None
    weighting: str | None
    statistic: str | None
    move: float | None
    adjusted_p: float | None
    family_size: int | None
    mde: float | None
    hypothetical: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassClaim:
    """What must be known to say how names moved on average over all dates of one class of events.

    With fewer than 6 dates no test can be passed on, and statistic, adjusted_p, family_size and mde are neither needed
    nor printed.

    Attributes:
        event_class: the declared class, such as ``export restriction``.
        instants: of every date of the class, as in `Claim`; two at least.
        hypothetical: for each of them, whether it lies before the live date of the index.
        window: as in `Claim`.
        benchmark: as in `Claim`.
        happened: events of the class that happened, measured or not; the dates are all of them or some.
        left_out: why the others are not among the dates, in words with their number; empty if none is left out.
        names: fewest and most names measured on a date.
        missing: names of the index not measured on one date or more.
        weighting: as in `Claim`.
        statistic: the headline test, a key of `SEVERAL_DATES`.
        move: mean over dates of the cumulative abnormal return, fraction of 1.
        adjusted_p: two-sided p after Holm's adjustment, 0 to 1.
        family_size: tests in the family.
        mde: minimum detectable effect over all the dates, fraction of 1.
    """

    event_class: str | None
    instants: tuple[Instant, ...] | None
    hypothetical: tuple[bool, ...] | None
    happened: int | None
    left_out: tuple[str, ...] | None
    window: tuple[int, int] | None
    benchmark: str | None
    names: tuple[int, int] | None
    missing: tuple[str, ...] | None
    weighting: str | None
    statistic: str | None
    move: float | None
    adjusted_p: float | None
    family_size: int | None
    mde: float | None


def sentence(claim: Claim | ClassClaim) -> str:
    """What an investor document may say, on one line.

    Raises:
        DataError: something required is not known, is not possible or claims a cause; one problem for each.
    """
    problems = [*_unknown(claim), *_impossible(claim), *_causal(claim)]
    if problems:
        raise DataError(*problems)
    text = _one_date(claim) if isinstance(claim, Claim) else _several_dates(claim)
    return " ".join(text.split())


def _one_date(claim: Claim) -> str:
    assert claim.window is not None
    assert claim.instant is not None
    mark = "Hypothetical, before the live date of the index: in" if claim.hypothetical else "In"
    return (
        f"{mark} {_when(claim.window)} {claim.event} ({_at(claim.instant)}) {_what(claim)}; "
        f"{_tested(claim, ONE_DATE)} {CAVEAT}"
    )


def _several_dates(claim: ClassClaim) -> str:
    assert claim.window is not None
    assert claim.instants is not None
    assert claim.hypothetical is not None
    back = sum(claim.hypothetical)
    marked = "; ".join(
        _at(instant) + (", hypothetical" if before else "")
        for instant, before in zip(claim.instants, claim.hypothetical, strict=True)
    )
    note = f"{back} of the {len(claim.instants)} dates lie before the live date and are hypothetical." if back else ""
    result = f"; {_tested(claim, SEVERAL_DATES)}" if _testable(claim) else f". {DESCRIPTION}"
    number = len(claim.instants)
    among = f"all {number} dates" if claim.happened == number else f"{number} of the {claim.happened} dates"
    rest = f"; left out: {', '.join(claim.left_out)}" if claim.left_out else ""
    return (
        f"On average over {among} of the class {claim.event_class} ({marked}{rest}), in "
        f"{_when(claim.window)} each announcement {_what(claim)}{result} {note} {CAVEAT}"
    )


def _when(window: tuple[int, int]) -> str:
    first, last = window
    if (first, last) == (0, 0):
        return "the first reacting session after"
    return f"sessions {first:+d} to {last:+d} around day 0, the first reacting session after".replace("+0", "0")


def _at(instant: Instant) -> str:
    if isinstance(instant, datetime):
        return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"{instant}, time not known"


def _what(claim: Claim | ClassClaim) -> str:
    assert claim.move is not None
    assert claim.missing is not None
    left_out = f"{len(claim.missing)} missing: {', '.join(claim.missing)}" if claim.missing else "none missing"
    move = round(claim.move * 100, 1) + 0.0
    names = f"{claim.names} names" if isinstance(claim, Claim) else _a_date(claim.names)
    return f"the {names} ({claim.weighting}; {left_out}) moved {move:+.1f} % against {claim.benchmark}"


def _a_date(names: tuple[int, int] | None) -> str:
    assert names is not None
    fewest, most = names
    return f"{most} names" if fewest == most else f"{fewest} to {most} names a date"


def _tested(claim: Claim | ClassClaim, labels: dict[str, str]) -> str:
    assert claim.adjusted_p is not None
    assert claim.mde is not None
    assert claim.statistic is not None
    p = f"= {claim.adjusted_p:.3f}" if claim.adjusted_p >= 0.001 else "< 0.001"
    tests = "1 test" if claim.family_size == 1 else f"{claim.family_size} tests"
    outcome = "" if claim.adjusted_p <= LEVEL else f" {NOT_SIGNIFICANT}"
    return (
        f"p {p} after adjustment for common movement and for a family of {tests} "
        f"({labels[claim.statistic]}, Holm-adjusted); "
        f"effects under {claim.mde * 100:.1f} % could not have been detected even by a single test on a day of usual "
        f"spread ({POWER}).{outcome}"
    )


def _testable(claim: Claim | ClassClaim) -> bool:
    return isinstance(claim, Claim) or (claim.instants is not None and len(claim.instants) >= FEWEST_DATES)


def _unknown(claim: Claim | ClassClaim) -> list[Problem]:
    needed = [field.name for field in fields(claim) if _testable(claim) or field.name not in TESTED]
    return [
        Problem(f"claim.{name}", f"{_words(name)} is not known", "no sentence is printed without it")
        for name in needed
        if _is_unknown(getattr(claim, name))
    ]


def _words(name: str) -> str:
    return IN_WORDS.get(name, name.replace("_", " "))


def _is_unknown(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _impossible(claim: Claim | ClassClaim) -> list[Problem]:
    """Values that are known and cannot be; a figure that is not printed is not judged."""
    window, instants = claim.window, (claim.instant,) if isinstance(claim, Claim) else claim.instants or ()
    rules: list[tuple[str, bool, str]] = [
        ("window", window is None or window[0] <= window[1], "the first day comes first"),
        ("names", _enough(claim.names), "a common move needs two names, the fewest first"),
        ("missing", all(name.strip() for name in claim.missing or ()), "give the name of each"),
        ("move", claim.move is None or isfinite(claim.move), "a finite fraction of 1"),
    ]
    if isinstance(claim, ClassClaim):
        marks = claim.hypothetical
        several = claim.instants is None or len(set(instants)) == len(instants) >= 2
        rules.append(("instants", several, "two dates or more, each once; for one date make a Claim"))
        among = claim.happened is None or claim.happened >= len(instants)
        rules.append(("happened", among, f"at least the {len(instants)} dates"))
        told = None not in (claim.instants, claim.happened, claim.left_out) and several
        whole = not told or (claim.happened == len(instants)) == (not claim.left_out)
        rules.append(("left_out", whole, "say why dates that happened are not among those measured"))
        matched = marks is None or not instants or len(marks) == len(instants)
        rules.append(("hypothetical", matched, "one mark for each date"))
    zoned = not any(isinstance(at, datetime) and at.utcoffset() is None for at in instants)
    rules.append(("instant" if isinstance(claim, Claim) else "instants", zoned, "a datetime carries its time zone"))
    if _testable(claim):
        rules += _test_rules(claim)
    return [Problem(f"claim.{name}", f"{getattr(claim, name)!r}", hint) for name, fine, hint in rules if not fine]


def _enough(names: int | tuple[int, int] | None) -> bool:
    if names is None:
        return True
    fewest, most = (names, names) if isinstance(names, int) else names
    return 2 <= fewest <= most


def _test_rules(claim: Claim | ClassClaim) -> list[tuple[str, bool, str]]:
    labels = ONE_DATE if isinstance(claim, Claim) else SEVERAL_DATES
    name, p, size, mde = claim.statistic, claim.adjusted_p, claim.family_size, claim.mde
    headline = f"only a headline test is printed; {did_you_mean(name or '', labels)}"
    return [
        ("statistic", _is_unknown(name) or name in labels, headline),
        ("adjusted_p", p is None or 0 <= p <= 1, "between 0 and 1"),
        ("family_size", size is None or size >= 1, "at least 1, this test"),
        ("mde", mde is None or (isfinite(mde) and mde > 0), "a finite fraction of 1 above 0"),
    ]


def _causal(claim: Claim | ClassClaim) -> Iterable[Problem]:
    """Words handed in that claim a cause, a benefit or the absence of an effect."""
    for name in ("event", "event_class", "left_out", "benchmark", "weighting", "missing"):
        value = getattr(claim, name, None) or ""
        text = value if isinstance(value, str) else " ".join(value)
        if found := CAUSAL.search(text):
            hint = "say what was announced and who was measured, not why it moved"
            yield Problem(f"claim.{name}", f"claims more than a test can show: {found[0]!r}", hint)
