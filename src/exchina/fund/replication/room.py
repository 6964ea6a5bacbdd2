"""How much of a fund its bounds let it hold, exactly: a mixed-integer programme, solved by HiGHS.

    maximise sum w <= 1   s.t.  l z_i <= w_i <= u_i z_i,  sum z <= count,  W_g <= t + (c - t) h_g,
                                y_g >= W_g - c (1 - h_g),  y >= 0,  sum y <= Z,  z and h of 0 or 1

W_g is the weight of issuer g, c the most that one may weigh, h_g whether it may be large, t and Z the rule on large
issuers. Lines that share an issuer use up the count apart, so that no order of the issuers alone is surely best.
"""

from typing import Any

import numpy as np

from exchina.fund.replication.least_error import Choice, Programme


def fullest(programme: Programme) -> tuple[float, Choice] | None:
    """The most that any choice can weigh together, at most 1, and that choice; None where the solver finds none."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    lines, issuers = len(programme.upper), int(programme.issuers.max()) + 1
    above, together = programme.large or (1.0, 1.0)
    cap = programme.issuer_at_most
    small = min(above, cap)
    names, groups, none = np.eye(lines), np.eye(issuers), np.zeros((lines, issuers))
    of = (programme.issuers == np.arange(issuers)[:, None]).astype(float)
    empty = np.zeros((issuers, lines))
    rows = np.vstack(
        [  # over w, z, h, y
            np.hstack([names, -np.diag(programme.upper), none, none]),
            np.hstack([-names, programme.least * names, none, none]),
            np.hstack([of, empty, -(cap - small) * groups, 0 * groups]),
            np.hstack([of, empty, cap * groups, -groups]),
            np.repeat([1.0, 0.0, 0.0, 0.0], [lines, lines, issuers, issuers])[None],
            np.repeat([0.0, 1.0, 0.0, 0.0], [lines, lines, issuers, issuers])[None],
            np.repeat([0.0, 0.0, 0.0, 1.0], [lines, lines, issuers, issuers])[None],
        ]
    )
    most = np.repeat([0.0, 0.0, small, cap], [lines, lines, issuers, issuers])
    right = np.concatenate([most, [1.0, programme.count, together]])
    limits: Any = LinearConstraint(rows, -np.inf, right)  # pyright: ignore[reportArgumentType] - scipy takes arrays
    found = milp(
        -np.repeat([1.0, 0.0], [lines, lines + 2 * issuers]),
        constraints=limits,
        integrality=np.repeat([0, 1, 1, 0], [lines, lines, issuers, issuers]),
        bounds=Bounds(0.0, 1.0),
    )
    if found.x is None:
        return None
    held = (found.x[lines : 2 * lines] > 0.5) & (programme.upper > 0)
    large = found.x[2 * lines : 2 * lines + issuers] > 0.5
    return float(found.x[:lines].sum()), Choice(held, large & (programme.large is not None), programme.least > 0)
