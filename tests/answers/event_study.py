"""Event-study cases: each is mapped, by its id or else by its inputs, to what asks the product for its answer."""

from collections.abc import Callable
from typing import Any

import numpy as np

from exchina.analytics.market_model import AbnormalReturns, abnormal_returns
from exchina.analytics.significance import Market, single_tests, skewness_adjusted
from exchina.errors import ExchinaError
from tests.answers import event_study_extras as extras
from tests.answers.compare import Either
from tests.answers.event_study_clean import window_answer
from tests.answers.event_study_samples import many_securities, refused, same, several_dates
from tests.answers.event_study_sessions import sessions
from tests.answers.event_study_windows import SECURITY, by_day, factors, markets, model
from tests.answers.event_study_windows import sessions as length
from tests.answers.given import Given, each, given, is_rows

Answer = dict[str, Any]
LABELS = ("id", "name", "what", "case", "label", "title")


def produced(case: Answer) -> Answer:
    """The product's answer to a case, by the keys of its expectation.

    Raises:
        AssertionError: neither the id nor the inputs are known.
    """
    inputs = case["inputs"] if isinstance(case["inputs"], Given) else Given(case["inputs"])
    if case["id"] in ANSWERED:
        return ANSWERED[case["id"]](inputs)
    return by_keys(inputs, case["id"])


def by_keys(inputs: Given, name: str) -> Answer:
    answer = next((answer for key, answer in BY_KEY.items() if key in inputs), None)
    if answer is None:
        raise AssertionError(f"no answer is mapped to {name} with inputs {sorted(inputs)}")
    return answer(inputs)


def fitted(inputs: Given) -> AbnormalReturns:
    (here,) = markets(inputs)
    return fit_on(inputs, here)


def fit_on(inputs: Given, here: Market) -> AbnormalReturns:
    return abnormal_returns(
        here.returns, here.factors, estimation=here.estimation, event=here.event, model=model(inputs)
    )


def clean_window(inputs: Given) -> Answer:
    """The clean estimation window; where there are returns, the fit on it too."""
    answer, kept, event = window_answer(inputs)
    if not any(name in inputs for name in SECURITY):
        return answer
    days = length(inputs)
    here = Market(np.arange(days), by_day(given(inputs, *SECURITY), days), factors(inputs), kept, np.arange(*event))
    return of_one(fit_on(inputs, here)) | answer


def one_security(inputs: Given) -> Answer:
    try:
        return of_one(fitted(inputs))
    except ExchinaError as refusal:
        return refused(str(refusal))


def of_one(fit: AbnormalReturns) -> Answer:
    tests = single_tests(fit)
    coefficients = fit.coefficients[:, 0].tolist()
    slopes = coefficients[1:]
    answer: Answer = {"alpha": coefficients[0]} if coefficients else {}
    if slopes:
        answer |= {"beta": Either(slopes[0], slopes), "betas": slopes, "b": coefficients}
        answer |= dict.fromkeys(("beta1", "beta_1", "beta_market", "beta_benchmark", "beta_first"), slopes[0])
    if slopes[1:]:
        second = ("beta2", "beta_2", "gamma", "beta_factor2", "beta_factor", "beta_second", "beta_second_factor")
        answer |= dict.fromkeys((*second, "beta_control", "beta_factor_2", "beta_benchmark2"), slopes[1])
    return answer | {
        "M": int(fit.sessions[0]),
        "K": len(fit.coefficients),
        "df": int(fit.df[0]),
        "coefficients": coefficients,
        "coef": coefficients,
        "s": float(fit.s[0]),
        "AR": listed(fit.ar),
        "se_AR": listed(fit.se_ar),
        "t_AR": listed(tests.t_ar),
        "p_AR": listed(tests.p_ar),
        "CAR_path": np.cumsum(fit.ar[:, 0]).tolist(),
        "CAR": float(fit.car[0]),
        "se_CAR": float(fit.se_car[0]),
        "t_CAR": float(tests.t_car[0]),
        "p_CAR": float(tests.p_car[0]),
        "SCAR": float(fit.car[0] / fit.se_car[0]),
        **dict.fromkeys(("BHAR_vs_model", "BHAR"), float(fit.bhar[0])),
        **dict.fromkeys(("BHAR_vs_benchmark", "BHAR_benchmark"), float(fit.bhar_benchmark[0])),
    }


def listed(panel: np.ndarray) -> Any:
    return same(panel[:, 0].tolist()) if len(panel) == 1 else panel[:, 0].tolist()


def quantiles(inputs: Given) -> Answer:
    fit = fitted(inputs)
    tests = single_tests(fit)
    return {
        "AR": float(fit.ar[0, 0]),
        "count_at_least_as_large": int(tests.sq_count[0, 0]),
        "p_two_sided": float(tests.p_sq[0, 0]),
        "t_p_for_comparison": float(tests.p_ar[0, 0]),
    }


def bhar(inputs: Given) -> Answer:
    found = skewness_adjusted(np.array(inputs["bhar"], float))
    return {
        "mean": found.mean,
        "sd": found.deviation,
        "skew": found.skewness,
        "t": found.plain.value,
        "p_t": found.plain.p,
        "johnson": found.johnson.value,
        "p_johnson": found.johnson.p,
        "hall": found.hall.value,
        "p_hall": found.hall.p,
    }


def refusals(inputs: Given) -> Answer:
    """Each sub-case by itself, under its key, in its list and under what it is called; or the one case there is."""
    answer = each(inputs, one_refusal)
    listed = [one for value in inputs.values() if is_rows(value) for one in value]
    for place, case in enumerate(listed):
        called = next((case[label] for label in LABELS if isinstance(dict.get(case, label), str)), None)
        if called is not None:
            answer[called] = answer["results"][place]
    return answer


def one_refusal(inputs: Given) -> Answer:
    try:
        answer = by_keys(inputs, "ES21")
    except ExchinaError as refusal:
        answer = refused(str(refusal))
    return {"refused": all(value is None for key, value in answer.items() if key != "refused")} | answer


BY_KEY: dict[str, Callable[[Given], Answer]] = {
    "bhar": bhar,
    "event_dates": several_dates,
    "dates": several_dates,
    "events": several_dates,
    "securities": many_securities,
    "security": one_security,
    "p": extras.multiple_testing,
    "sigma": extras.detectable_effect,
    "near": clean_window,
    "other_events": clean_window,
}
ANSWERED: dict[str, Callable[[Given], Answer]] = {
    **dict.fromkeys(("ES01", "ES02", "ES03", "ES04", "ES05"), one_security),
    **dict.fromkeys(("ES06", "ES07", "ES08", "ES09", "ES10", "ES11"), many_securities),
    "ES12": several_dates,
    "ES15": bhar,
    "ES18": quantiles,
    "ES19": sessions,
    "ES20": clean_window,
    "ES21": refusals,
    **extras.ANSWERED,
}
