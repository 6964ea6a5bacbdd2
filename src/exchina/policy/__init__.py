"""PURE. Policy backing as data: the registry as of a day, what stands, who stands behind it, and the score.

`registry` reads the registry as known, and as recorded, by a day; `strength` says how firm a commitment is;
`commitments` lists and counts what stands; `holdings` says which of
a company's commitments count for a rule; `packages` keeps money from being added twice; `burden` says who pays a
price floor; `pillars` cuts measures and shocks by pillar and country; `score` weighs it all.
"""

from exchina.policy.burden import floor_burden
from exchina.policy.commitments import COMMITMENT, commitments, counted
from exchina.policy.holdings import holdings
from exchina.policy.packages import once
from exchina.policy.pillars import by_pillar, shock_countries, shocks_of
from exchina.policy.registry import as_known, in_force
from exchina.policy.score import (
    SCORE_COLUMNS,
    SCORE_VERSION,
    SCORE_VERSIONS,
    SCORE_WEIGHTS,
    ScoreVersion,
    backing,
    score_of,
)
from exchina.policy.strength import BIND, CREDIT

__all__ = [
    "BIND",
    "COMMITMENT",
    "CREDIT",
    "SCORE_COLUMNS",
    "SCORE_VERSION",
    "SCORE_VERSIONS",
    "SCORE_WEIGHTS",
    "ScoreVersion",
    "as_known",
    "backing",
    "by_pillar",
    "commitments",
    "counted",
    "floor_burden",
    "holdings",
    "in_force",
    "once",
    "score_of",
    "shock_countries",
    "shocks_of",
]
