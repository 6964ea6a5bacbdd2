"""What a test on one or several dates could have found: effective number of names, minimum detectable effect, power.

    var(mean of N moves over L sessions) = sigma^2 L (1 + (N - 1) rho) / N = sigma^2 L / N_eff

More names do not help beyond N_eff = 1/rho; more dates do. All is the normal approximation with sigma known: a t-based
test of few names needs more. Simulated, KP-BMP at N = 8 needs about 1.35 times the effect stated here.
"""

from math import inf, isfinite, sqrt

from scipy.special import ndtr, ndtri

from exchina.errors import DataError, Problem

KP_BMP_FACTOR_AT_8 = 1.35
FEW_NAMES = 20


def effective_names(names: float, rho: float) -> float | None:
    """The number of independent names that would tell as much: N_eff = N / (1 + (N - 1) rho).

    Args:
        names: N, at least 1; ``math.inf`` gives the limit 1/rho.
        rho: mean correlation of the names' residuals, -1 to 1.

    Returns:
        N_eff; None where 1 + (N - 1) rho is not above 0, as no such correlation exists among N names.

    Raises:
        DataError: an argument is out of its range.
    """
    _check(names=names, rho=rho)
    share = _variance_share(names, rho)
    return 1 / share if share > 0 else None


def minimum_detectable_effect(
    sigma: float,
    names: float,
    *,
    rho: float,
    sessions: int = 1,
    dates: int = 1,
    level: float = 0.05,
    power: float = 0.80,
) -> float | None:
    """The smallest mean move that a two-sided test finds with the given power.

    MDE = (z_{1 - level/2} + z_{power}) sigma sqrt(L) sqrt((1 + (N - 1) rho) / N) / sqrt(J)

    Args:
        sigma: residual standard deviation of one name per session, fraction of 1.
        names: N, at least 1; ``math.inf`` gives the floor that no number of names gets under.
        rho: mean correlation of the names' residuals, -1 to 1.
        sessions: L, length of the window.
        dates: J, independent dates over which the move is averaged.
        level: size of the test.
        power: chance of finding the effect, above ``level``.

    Returns:
        Fraction of 1; None where 1 + (N - 1) rho is not above 0.

    Raises:
        DataError: an argument is out of its range.

    Example:
        >>> round(minimum_detectable_effect(0.04, 8, rho=0.3), 3)
        0.07
    """
    _check(names=names, rho=rho, sigma=sigma, sessions=sessions, dates=dates, level=level, power=power)
    error = _error(sigma, names, rho, sessions=sessions, dates=dates)
    return float(ndtri(1 - level / 2) + ndtri(power)) * error if error else None


def power_of_effect(
    effect: float,
    sigma: float,
    names: float,
    *,
    rho: float,
    sessions: int = 1,
    dates: int = 1,
    level: float = 0.05,
) -> float | None:
    """The chance that a two-sided test finds a mean move of the given size.

    power = Phi(d - z) + Phi(-d - z), d = effect / se, se = sigma sqrt(L) sqrt((1 + (N - 1) rho) / N) / sqrt(J),
    z = z_{1 - level/2}

    Args:
        effect: mean move over the window, fraction of 1, of either sign.
        sigma: residual standard deviation of one name per session, fraction of 1.
        names: N, at least 1, or ``math.inf``.
        rho: mean correlation of the names' residuals, -1 to 1.
        sessions: L, length of the window.
        dates: J, independent dates over which the move is averaged.
        level: size of the test.

    Returns:
        0 to 1; None where 1 + (N - 1) rho is not above 0.

    Raises:
        DataError: an argument is out of its range.
    """
    _check(names=names, rho=rho, sigma=sigma, sessions=sessions, dates=dates, level=level, effect=effect)
    error = _error(sigma, names, rho, sessions=sessions, dates=dates)
    if not error:
        return None
    z = float(ndtri(1 - level / 2))
    return float(ndtr(effect / error - z) + ndtr(-effect / error - z))


def approximation_note(names: float) -> str:
    """What to print beside a minimum detectable effect about the approximation behind it."""
    if names >= FEW_NAMES:
        return "normal approximation"
    return f"normal approximation; with few names more is needed (KP-BMP at N = 8: about {KP_BMP_FACTOR_AT_8} times)"


def _variance_share(names: float, rho: float) -> float:
    """(1 + (N - 1) rho) / N; rho where N is infinite."""
    return rho if names == inf else (1 + (names - 1) * rho) / names


def _error(sigma: float, names: float, rho: float, *, sessions: int, dates: int) -> float | None:
    """Standard error of the mean move over the window and the dates."""
    share = _variance_share(names, rho)
    return sigma * sqrt(sessions * share / dates) if share > 0 else None


def _check(
    *,
    names: float,
    rho: float,
    sigma: float = 1.0,
    sessions: int = 1,
    dates: int = 1,
    level: float = 0.05,
    power: float | None = None,
    effect: float = 0.0,
) -> None:
    faults = [
        ("names", names, names >= 1, "at least 1"),
        ("rho", rho, -1 <= rho <= 1, "a correlation, -1 to 1"),
        ("sigma", sigma, isfinite(sigma) and sigma > 0, "a standard deviation per session, above 0"),
        ("sessions", sessions, sessions >= 1, "at least 1"),
        ("dates", dates, dates >= 1, "at least 1"),
        ("level", level, 0 < level < 1, "above 0 and below 1"),
        ("power", power, power is None or level < power < 1, "above the level and below 1"),
        ("effect", effect, isfinite(effect), "a finite fraction of 1"),
    ]
    problems = [Problem(name, f"{value}", hint) for name, value, fine, hint in faults if not fine]
    if problems:
        raise DataError(*problems)
