"""Every public function given something else says in one message what it expects; none fails inside."""

from __future__ import annotations

import inspect

import polars as pl
import pytest

import csi

FUNCTIONS = [name for name in csi.__all__ if not inspect.isclass(getattr(csi, name))]
OTHER = {"text": "a", "nothing": None, "a number": 3, "a list": [1], "a frame": pl.DataFrame({"x": [1.0, 2.0]})}
TAKES = {
    ("adjust", "nothing"), ("adjust", "a list"), ("impute", "a frame"), ("make_replicates", "a frame"),
    ("missingness", "a frame"),
}  # fmt: skip
"""What is no mistake: absent p-values, a p-value, a frame without absent answers, a frame without a design."""


def required(function) -> dict[str, object]:
    """Something for the further arguments that must be given."""
    further = list(inspect.signature(function).parameters.values())[1:]
    named = [p.name for p in further if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    return {name: "jk1" if name == "kind" else "a" for name in named}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("what", OTHER)
def test_something_else_is_told_in_one_message(name: str, what: str) -> None:
    function = getattr(csi, name)
    if (name, what) in TAKES:
        function(OTHER[what], **required(function))
        return
    with pytest.raises(csi.Problems) as found:
        function(OTHER[what], **required(function))
    assert found.value.problems
    assert all(p.what.en and p.what.zh for p in found.value.problems)


@pytest.mark.parametrize("name", ["drivers", "predict", "verify", "mga", "exact_fit", "lrt", "compare", "selection"])
def test_what_is_expected_is_named(name: str) -> None:
    function = getattr(csi, name)
    with pytest.raises(csi.Problems, match=r"estimate.* expected, not str"):
        function("a", **required(function))
