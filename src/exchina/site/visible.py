"""PURE. What of the ledger everybody may see: the one place that says so, for the public folder and for deliveries."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from exchina.model import Publication
from exchina.site.words import DELAYED

INTERNAL = frozenset({"snapshot", "draft", "fetch"})
FROZEN, STATE, LICENSED = "frozen", "state.json", ".licensed.csv"


def public_files(row: Publication, licensed: bool = False) -> Mapping[str, str]:
    """The SHA-256 by path of the files of a row that may leave the house; none of a row that may not.

    Internal are the rows of the kinds in `INTERNAL` and the notices of their delay, and of the other rows the state
    that the next close starts from, frozen inputs, and files with licensed identifiers.

    Args:
        row: of the ledger.
        licensed: whether who asks has a licence for the identifiers.
    """
    if row.what.removesuffix(DELAYED) in INTERNAL:
        return {}
    return {path: digest for path, digest in row.files.items() if _is_public(PurePosixPath(path), licensed)}


def _is_public(path: PurePosixPath, licensed: bool) -> bool:
    if path.parts[0] == FROZEN or path.name == STATE:
        return False
    return licensed or not path.name.endswith(LICENSED)
