"""Weights of lines, as prices have moved them, and what changing them trades."""

from collections.abc import Mapping

from exchina.calculation.lines import Lines, market_value


def weights_of(lines: Lines) -> dict[str, float]:
    """w_i = q_i P_i X_i / MV of every line that is worth something, in alphabetical order."""
    whole = market_value(lines)
    return {symbol: lines[symbol].value / whole for symbol in sorted(lines) if lines[symbol].value}


def one_way_turnover(new: Mapping[str, float], drifted: Mapping[str, float]) -> float:
    """0.5 sum |w_new - w_drifted| over all lines.

    Example:
        >>> one_way_turnover({"a": 0.5, "b": 0.5}, {"a": 0.7, "c": 0.3})
        0.5
    """
    names = sorted({*new, *drifted})
    return 0.5 * sum(abs(new.get(name, 0.0) - drifted.get(name, 0.0)) for name in names)


def relative_capping_factors(weights: Mapping[str, float], sizes: Mapping[str, float]) -> dict[str, float]:
    """AWF_i = (w_i / c_i) / max_j (w_j / c_j): 1 for the line that is capped least.

    Args:
        weights: w, of members.
        sizes: c, free-float market value of each.

    Example:
        >>> factors = relative_capping_factors({"a": 0.4, "b": 0.36, "c": 0.24}, {"a": 500.0, "b": 300.0, "c": 200.0})
        >>> {name: round(factor, 9) for name, factor in factors.items()}
        {'a': 0.666666667, 'b': 1.0, 'c': 1.0}
    """
    ratio = {name: weight / sizes[name] for name, weight in weights.items()}
    most = max(ratio.values())
    return {name: one / most for name, one in ratio.items()}
