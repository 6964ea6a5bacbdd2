"""Worked answers on passing a shock on through covariances and on the least implausible loss (H18)."""

from typing import Any

import numpy as np

from exchina.analytics.stress.propagation import isolated, propagated, reverse_stress
from tests.answers.compare import Either
from tests.answers.given import Given, given

Answer = dict[str, Any]
S_RF = ("S_rf", "cov_rf", "covariance_rf", "asset_factor_covariance", "cross_covariance", "return_factor_covariance")
S_FF = ("S_ff", "factor_covariance", "cov_ff", "covariance_ff", "factor_cov", "covariance_factors", "cov_factors")
S_RR = ("S_rr", "S", "cov_rr", "covariance_returns", "covariance_rr", "cov", "covariance", "Sigma", "asset_covariance")
LOADINGS = ("betas", "beta", "beta_f", "loadings", "factor_betas", "B", "exposures")
SHOCK = ("shock", "factor_shock", "shocks", "factor_shocks", "f", "shock_value", "shock_f", "stress")
SHOCKED = (
    "shocked",
    "shocked_factors",
    "shocked_factor",
    "factor_index",
    "shock_index",
    "shocked_index",
    "which",
    "factor",
)
FACTORS = ("factors", "factor_names", "factor_indices", "factor_index", "factor_rows", "shocked", "shocked_index")
LOSS = ("loss", "L", "target_loss", "loss_target", "reverse_loss")
WEIGHTS = ("weights", "w", "weight", "portfolio", "portfolio_weights")


def passing(inputs: Given) -> Answer:
    """H18: each factor by itself, propagated through covariances, and the least implausible loss."""
    answered = shocked(inputs) if any(name in inputs for name in SHOCK) else {}
    loss, weights = given(inputs, *LOSS, default=None), given(inputs, *WEIGHTS, default=None)
    if loss is not None:
        w = np.array(weights, float)
        found = reverse_stress(of_returns(inputs, w.size), w, loss)
        names = (
            "reverse",
            "reverse_shock",
            "x",
            "moves",
            "reverse_stress",
            "reverse_moves",
            "reverse_x",
            "shock_reverse",
        )
        moves = found.moves.tolist()
        distance = {"mahalanobis": found.distance, "distance": found.distance, "mahalanobis_distance": found.distance}
        answered |= dict.fromkeys(names, Either(moves, {"x": moves, "shock": moves, "moves": moves, **distance}))
        answered |= dict.fromkeys(("shock", "least_implausible_shock", "least_implausible", "reverse_returns"), moves)
        answered |= distance | {"reverse_mahalanobis": found.distance, "reverse_distance": found.distance}
        answered |= dict.fromkeys(("volatility", "portfolio_volatility", "sd", "portfolio_sd"), found.volatility)
        answered |= {"portfolio_variance": found.volatility**2, "loss": loss, "check_loss": Either(-loss, loss)}
    if not answered:
        raise AssertionError(f"neither a shock nor a loss among {', '.join(inputs)}")
    return answered


def shocked(inputs: Given) -> Answer:
    """Expected returns given the shock, and the shock by itself; with weights the portfolio's too."""
    s_rf, s_ff, shock, betas = pieces(inputs)
    expected, alone = propagated(s_rf, s_ff, shock), isolated(betas, shock)
    # a case that states no betas may mean each factor's own slope or the slopes of all together
    alone = alone if stated(inputs, LOADINGS) else Either(alone.tolist(), expected.tolist())
    alone = alone.tolist() if isinstance(alone, np.ndarray) else alone
    answer: Answer = {
        **dict.fromkeys(
            ("propagated", "expected_returns", "conditional", "transitive", "predictive", "correlated"),
            expected.tolist(),
        ),
        **dict.fromkeys(
            ("expected", "conditional_mean", "propagated_returns", "E_r", "conditional_returns"), expected.tolist()
        ),
        **dict.fromkeys(("isolated", "isolated_returns"), alone),
    }
    weights = given(inputs, *WEIGHTS, default=None)
    if weights is not None and len(weights) == len(expected):
        w = np.array(weights, float)
        totals: Answer = {"propagated": float(w @ expected)}
        parts = alone if isinstance(alone, Either) else [alone]
        totals["isolated"] = Either(*(float(w @ np.array(one)) for one in parts))
        for name, total in totals.items():
            ends = ("portfolio", "index", "loss", "return", "portfolio_return", "index_return", "portfolio_loss")
            answer |= {f"{name}_{end}": total for end in ends} | {f"{end}_{name}": total for end in ends}
    return answer


def stated(inputs: Given, names: tuple[str, ...]) -> bool:
    return any(name in inputs for name in names)


def pieces(inputs: Given) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """S_rf, S_ff and the shock of the shocked factors, and the betas to them."""
    value = given(inputs, *SHOCK)
    if not stated(inputs, S_FF):
        return split(inputs, value)
    s_ff = np.atleast_2d(np.array(given(inputs, *S_FF), float))
    loadings = given(inputs, *LOADINGS, default=None)
    betas = None if loadings is None else oriented(loadings, len(s_ff))
    # "covariance" beside S_ff is S_rf unless it is square over the names of the portfolio
    rf = given(inputs, *S_RF, default=None)
    if rf is None and betas is None:
        rf = given(inputs, *S_RR)
    s_rf = betas @ s_ff if rf is None and betas is not None else oriented(rf, len(s_ff))
    names = given(inputs, "factors", "factor_names", default=[str(place) for place in range(len(s_ff))])
    places, shock = which(inputs, value, names)
    s_rf, s_ff = s_rf[:, places], s_ff[np.ix_(places, places)]
    return s_rf, s_ff, shock, s_rf / np.diag(s_ff) if betas is None else betas[:, places]


def split(inputs: Given, value: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One covariance matrix over names and factors; the shocked are told by name, by place, or are the last ones."""
    whole = np.array(given(inputs, *S_RR), float)
    names = given(inputs, "names", "variables", "labels", default=[str(place) for place in range(len(whole))])
    weights = given(inputs, *WEIGHTS, default=None)
    factors = given(inputs, *FACTORS, default=None)
    if isinstance(value, dict):
        places, shock = which(inputs, value, names)
    else:
        shock = np.atleast_1d(np.array(value, float))
        listed = factors if isinstance(factors, list) else [factors] if factors is not None else None
        last = list(range(len(whole) - shock.size, len(whole)))
        places = last if listed is None else [place_of(one, names) for one in listed]
    rest = [place for place in range(len(whole)) if place not in places]
    everyone = weights is not None and len(weights) == len(whole)
    rows = list(range(len(whole))) if everyone else rest
    s_rf, s_ff = whole[np.ix_(rows, places)], whole[np.ix_(places, places)]
    loadings = given(inputs, *LOADINGS, default=None)
    return s_rf, s_ff, shock, s_rf / np.diag(s_ff) if loadings is None else oriented(loadings, len(places))


def which(inputs: Given, value: Any, names: list[Any]) -> tuple[list[int], np.ndarray]:
    """Places of the shocked factors and their shocks."""
    if isinstance(value, dict):
        return [place_of(one, names) for one in value], np.array([value[one] for one in value], float)
    shock = np.atleast_1d(np.array(value, float))
    told = given(inputs, *SHOCKED, default=None)
    if told is None:
        return list(range(shock.size)), shock
    return [place_of(one, names) for one in (told if isinstance(told, list) else [told])], shock


def place_of(one: Any, names: list[Any]) -> int:
    return names.index(one) if one in names else int(one)


def oriented(values: Any, factors: int) -> np.ndarray:
    """(n, F), also of one factor's column."""
    array = np.array(values, float)
    array = array[:, None] if array.ndim == 1 else array
    return array.T if array.shape[1] != factors and array.shape[0] == factors else array


def of_returns(inputs: Given, size: int) -> np.ndarray:
    """S over the names of the portfolio: stated, part of a larger one, or built from loadings."""
    for name in S_RR:
        if name in inputs and np.shape(inputs[name]) == (size, size):
            return np.array(inputs[name], float)
    stated_whole = next((inputs[name] for name in S_RR if name in inputs), None)
    if stated_whole is not None and len(stated_whole) > size:
        return np.array(stated_whole, float)[:size, :size]
    betas = oriented(given(inputs, *LOADINGS), len(given(inputs, *S_FF)))
    own = np.array(given(inputs, "idiosyncratic_variance", "specific_variance", "D", "residual_variance"), float)
    return betas @ np.array(given(inputs, *S_FF), float) @ betas.T + (np.diag(own) if own.ndim == 1 else own)
