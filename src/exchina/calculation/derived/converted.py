"""The same index in another currency."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from exchina.calculation.derived_register import Parent, derived, in_currency


@derived("converted")
def converted(parent: Parent, *, into: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR") -> NDArray[np.float64]:
    """The identical basket with identical weights, its level in another currency.

        I_c,t = base x (I_t / I_0) x (X_0 / X_t)

    Args:
        parent: the index.
        into: c; X is index currency per one unit of it. The index currency itself gives the parent's levels.

    Raises:
        DataError: the currency is not quoted, or has no spot rate on a session.
    """
    return in_currency(parent, into).levels.copy()
