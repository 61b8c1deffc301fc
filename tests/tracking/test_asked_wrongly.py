"""Questions put wrongly in Python: each is refused in words, none with an exception of the machine."""

import numpy as np
import pytest

import csi
from csi.errors import Problems

CELLS = ["brand", "wave"]
MANY = list(np.tile([1.0, 2.0, 3.0, 4.0, 5.0], 10))


@pytest.fixture(scope="module")
def made(model, survey):
    return csi.index(csi.fit(model, survey(), csi.PLS(), by=CELLS, scale=(1, 10), unit="id"))


MARKET = {"market": ["A", "B"]}
ASKED = {
    "weights are text": (lambda i: csi.tree(i, MARKET, {"A": 1, "B": "x"}, "Use"), "the weight of B is no number"),
    "no weight": (lambda i: csi.tree(i, MARKET, {"A": None, "B": 1}, "Use"), "the weight of A is no number"),
    "no wave a year": (lambda i: csi.tree(i, MARKET, None, "Use", per_year=0), "per_year = 0 is less than 1"),
    "negative base": (lambda i: csi.tree(i, MARKET, None, "Use", small=-3), "small = -3 is less than 0"),
    "scores are text": (lambda _: csi.link(["a"] * 40, ["b"] * 40), "old scores are no numbers"),
    "infinite scores": (lambda _: csi.link([np.inf, *MANY[1:]], MANY), "1 of old scores are infinite"),
    "reversed forms": (lambda _: csi.link(MANY, MANY[::-1]), "the two forms go against each other"),
    "ends before it begins": (lambda _: csi.link(MANY, MANY, scales=((10, 1), (1, 5))), "ends before it begins"),
    "falling line": (lambda _: csi.link(method="given", slope=-1), "slope is -1, not a positive number"),
    "no shift": (lambda _: csi.link(method="given", shift=float("nan")), "shift is nan, not a finite number"),
    "negative error": (lambda _: csi.link(method="given", std_error=-1), "std_error is -1, not a number from 0"),
    "negative seed": (lambda i: csi.rank_probabilities(i, "w1", "Use", seed=-1), "a seed is a whole number"),
    "seed is text": (lambda i: csi.rank_probabilities(i, "w1", "Use", seed="x"), "a seed is a whole number"),
    "which wave": (lambda i: csi.rank_probabilities(i, None, "Use"), "which wave? There are 3."),
    "limit is text": (lambda i: csi.control(i, "Use", limit="3"), "limit must be positive"),
    "empty baseline": (lambda i: csi.control(i, "Use", baseline=[]), "the baseline has no waves"),
    "weight is text": (lambda i: csi.smooth(i, "Use", "ewma", weight="x"), "weight is x, not between 0 and 1"),
    "three waves": (lambda i: csi.decompose(i, ("w1", "w2", "w3"), construct="Use"), "not two waves"),
    "a word": (lambda i: csi.decompose(i, "nope", construct="Use"), "between is 'nope', not two waves"),
    "wave twice": (lambda i: csi.smooth(i, "Use", waves=["w1", "w1", "w2", "w3"]), '"w1" stands twice'),
}


@pytest.mark.parametrize("case", ASKED)
def test_it_is_refused_in_words(made, case):
    ask, words = ASKED[case]
    with pytest.raises(Problems) as found:
        ask(made)
    assert words in str(found.value)
    assert all(p.what.zh and p.remedy.zh for p in found.value.problems)
