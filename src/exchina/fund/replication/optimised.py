"""Optimised sampling: the least tracking error that a limited number of lines can have within stated bounds."""

from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from exchina.errors import DataError, Problem
from exchina.fund.candidates import Candidates
from exchina.fund.path import FloatArray
from exchina.fund.registers import replication
from exchina.fund.replication.least_error import Programme
from exchina.fund.replication.room import fullest
from exchina.fund.replication.search import best
from exchina.fund.risk import shrunk_covariance

Share = Annotated[float, Field(gt=0, le=1)]
RIDGE = 1e-9
EXACT = 1e-11
CARRIED = 1 - 1e-7
HINT = "a smaller fund_usd, more sessions or participation, a higher cap or count"


@with_config(ConfigDict(extra="forbid"))
class Large(TypedDict):
    """Issuers that weigh more than ``above`` weigh at most ``together`` (0.05 and 0.40 of 5/10/40)."""

    above: Share
    together: Share


def _possible(*, issuer_at_most: float | None, large: Large | None, least_position: float, **_: object) -> str | None:
    if large is not None and large["together"] < large["above"]:
        return f"large.together {large['together']:g} lies below large.above {large['above']:g}"
    if issuer_at_most is not None and least_position > issuer_at_most:
        return f"least_position {least_position:g} lies above issuer_at_most {issuer_at_most:g}"
    return None


@replication("optimised", check=_possible)
def optimised(
    candidates: Candidates,
    *,
    count: Annotated[int, Field(ge=2)],
    fund_usd: Annotated[float, Field(gt=0)],
    participation: Share,
    sessions: Annotated[int, Field(ge=1)],
    own_at_most: Share = 0.10,
    issuer_at_most: Share | None = None,
    large: Large | None = None,
    least_position: Annotated[float, Field(ge=0, lt=1)] = 0.0,
) -> FloatArray:
    """Minimise (w - b)' S (w - b) over the weights of at most ``count`` lines, S as `exchina.fund.risk` measures it.

        sum w = 1,   0 <= w_i <= min(p ADV_i D / A, own_at_most value_i / A),   sum over an issuer <= issuer_at_most
        sum of the issuers heavier than large.above <= large.together,   w_i = 0 or w_i >= least_position

    Convex but for the lines to hold and the large issuers, which `exchina.fund.replication.search` chooses: the line
    whose removal costs least goes until ``count`` are left, then single lines are exchanged, dropped and added until
    nothing helps. So no single move betters the answer; several may, most where least_position and large bind on few
    lines. Each choice is solved exactly, and whether any meets the bounds is decided by a mixed-integer programme.

    1e-9 of the mean variance is added to the diagonal of S, so that the answer is one even where lines move alike. A
    line of unknown volume, or unknown value, is not held.

    Args:
        candidates: the lines of the index; reads symbols, companies, weights, adv_usd, value_usd and returns.
        count: how many lines are held at most.
        fund_usd: A, the size of the fund, US dollars.
        participation: p, share of each session's trading that the fund may be.
        sessions: D, how many sessions the fund may take to build or leave a position.
        own_at_most: largest share of all shares of a line that the fund may own; all are taken to vote alike.
        issuer_at_most: largest weight of an issuer with all its lines; none where not given.
        large: the rule on large issuers; none where not given.
        least_position: least weight of a line that is held.

    Returns:
        (n,) w.

    Raises:
        DataError: bounds that no weights meet, with what each lets the fund hold; a line whose risk nothing tells.

    Example:
        >>> b, usd = np.array([0.4, 0.35, 0.25]), np.full(3, 1e9)
        >>> moves = np.random.default_rng(1).normal(0, 0.02, (250, 3))
        >>> lines = Candidates(
        ...     tuple("ABC"), tuple("abc"), ("producer",) * 3, ("AU",) * 3, b, usd, usd, usd,
        ...     np.ones(3), np.zeros(3, int), moves,
        ... )
        >>> optimised(lines, count=2, fund_usd=1e6, participation=0.1, sessions=3).round(1).tolist()
        [0.5, 0.5, 0.0]
    """
    upper = _upper(candidates, (participation * sessions / fund_usd, own_at_most / fund_usd))
    issuers = np.unique(candidates.companies, return_inverse=True)[1].astype(np.int64)
    covariance = shrunk_covariance(candidates.returns, candidates.symbols).matrix
    mean = float(np.diag(covariance).mean())
    programme = Programme(
        covariance / mean + RIDGE * np.eye(len(issuers)),
        candidates.weights,
        np.where(upper < least_position, 0.0, upper),
        least_position,
        min(count, int(1 / least_position + EXACT)) if least_position else count,
        issuers,
        issuer_at_most or 1.0,
        (large["above"], large["together"]) if large else None,
    )
    if _met(programme, candidates.weights):
        return candidates.weights.copy()
    found = best(programme)
    if found is None:
        bounds = {"volume": participation * sessions / fund_usd, "ownership": own_at_most / fund_usd}
        raise DataError(_clash(candidates, programme, bounds))
    weights = np.where(found.weights > EXACT, found.weights, 0.0)
    return weights / weights.sum()


def _upper(candidates: Candidates, shares: tuple[float, float]) -> FloatArray:
    """(n,) the smaller of the bounds by volume and by ownership, at most 1; 0 where one is unknown."""
    bounds = np.stack([candidates.adv_usd * shares[0], candidates.value_usd * shares[1]])
    return np.minimum(np.nan_to_num(bounds, nan=0.0).min(axis=0), 1.0)


def _met(programme: Programme, weights: FloatArray) -> bool:
    """Whether weights meet every bound as they are."""
    held, sums = weights > 0, np.bincount(programme.issuers, weights)
    sound = held.sum() <= programme.count and (weights <= programme.upper + EXACT).all()
    sound = (
        sound and (weights[held] >= programme.least - EXACT).all() and sums.max() <= programme.issuer_at_most + EXACT
    )
    if programme.large is None:
        return bool(sound)
    above, together = programme.large
    return bool(sound and sums[sums > above + EXACT].sum() <= together + EXACT)


def _clash(candidates: Candidates, programme: Programme, shares: dict[str, float]) -> Problem:
    """What the bounds let the fund hold, together and each alone."""
    amounts = {"volume": candidates.adv_usd, "ownership": candidates.value_usd}
    free = replace(programme, upper=np.ones(len(programme.upper)), least=0.0, issuer_at_most=1.0, large=None)
    every = replace(free, count=len(programme.upper))
    alone = {name: replace(every, upper=_room(amounts[name] * share)) for name, share in shares.items()}
    alone["issuer_at_most"] = replace(every, issuer_at_most=programme.issuer_at_most)
    alone["large"] = replace(every, large=programme.large)
    said = [f"{name} alone {most:.2%}" for name, one in alone.items() if (most := _most(one)) < CARRIED]
    unknown = [
        f"{int(np.isnan(one).sum())} lines of unknown {name}" for name, one in amounts.items() if np.isnan(one).any()
    ]
    lines, most = min(programme.count, len(programme.upper)), _most(programme)
    what = f"{lines} of {len(programme.upper)} lines can carry {most:.2%} of the fund under all bounds together"
    if most >= CARRIED:
        what = f"{lines} lines can carry the fund under all bounds together only to rounding"
    elif _most(replace(programme, count=len(programme.upper))) >= CARRIED:
        what += ", more lines all of it"
    return Problem("replication.optimised", "; ".join([what, *said, *unknown]), HINT)


def _room(bounds: FloatArray) -> FloatArray:
    return np.minimum(np.nan_to_num(bounds, nan=0.0), 1.0)


def _most(programme: Programme) -> float:
    """The most that the lines can carry."""
    found = fullest(programme)
    return 0.0 if found is None else found[0]
