import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from exchina.analytics.multiplicity import LEVELS, Method, adjust
from exchina.errors import DataError

FAMILIES = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=30)


def adjusted(values: list[float], method: Method) -> list[float]:
    family = adjust({str(place): p for place, p in enumerate(values)}, method)
    return [p for p in family.adjusted.values() if p is not None]


@given(FAMILIES)
def test_false_discovery_rates_are_those_of_scipy(values: list[float]) -> None:
    for method, theirs in (("benjamini_hochberg", "bh"), ("benjamini_yekutieli", "by")):
        np.testing.assert_allclose(adjusted(values, method), false_discovery_control(values, method=theirs), rtol=1e-13)


@given(FAMILIES)
def test_holm_is_the_step_down_of_its_definition(values: list[float]) -> None:
    """Test by test from the smallest p: reject while p <= level / (tests left), stop at the first that is not."""
    for level in (0.01, 0.05, 0.2):
        rejected: set[int] = set()
        for step, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
            if values[place] * (len(values) - step) > level:
                break
            rejected.add(place)
        family = adjust({str(place): p for place, p in enumerate(values)}, "holm", level=level)
        assert {int(name) for name, yes in family.rejected.items() if yes} == rejected


@given(FAMILIES)
def test_an_adjusted_p_is_never_smaller_and_keeps_the_order(values: list[float]) -> None:
    found = {method: adjusted(values, method) for method in LEVELS}
    for results in found.values():
        assert all(p <= result <= 1 for p, result in zip(values, results, strict=True))
        ordered = [result for _, result in sorted(zip(values, results, strict=True))]
        assert ordered == sorted(ordered)
    assert all(h <= b for h, b in zip(found["holm"], found["bonferroni"], strict=True))
    assert all(f <= b + 1e-15 for f, b in zip(found["benjamini_hochberg"], found["bonferroni"], strict=True))


@pytest.mark.parametrize("method", list(LEVELS))
def test_a_test_without_p_stays_out_of_the_family_but_is_named(method: Method) -> None:
    whole = adjust({"a": 0.01, "b": None, "c": 0.02, "d": None}, method)
    alone = adjust({"a": 0.01, "c": 0.02}, method)
    assert (whole.size, whole.not_computable) == (2, ("b", "d"))
    assert [*whole.adjusted] == ["a", "b", "c", "d"], "in the order given"
    assert (whole.adjusted["a"], whole.adjusted["c"]) == (alone.adjusted["a"], alone.adjusted["c"])
    assert whole.rejected == {"a": True, "b": None, "c": True, "d": None}


def test_a_family_of_nothing_computable_rejects_nothing() -> None:
    family = adjust({"a": None})
    assert (family.size, family.adjusted, family.rejected) == (0, {"a": None}, {"a": None})


def test_every_impossible_p_is_named_with_the_level() -> None:
    with pytest.raises(DataError) as caught:
        adjust({"a": float("nan"), "b": 0.5, "c": -0.1, "d": 1.1}, level=1.0)
    assert [problem.where for problem in caught.value.problems] == ["test 'a'", "test 'c'", "test 'd'", "level"]


def test_no_such_method_is_refused_with_those_there_are() -> None:
    with pytest.raises(DataError, match="no adjustment called 'bh'.*benjamini_hochberg"):
        adjust({"a": 0.01}, "bh")  # type: ignore[arg-type]
