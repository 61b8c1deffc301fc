"""An item that nobody answered, in a cell or at all, is said to have no answers, not to have the same answers."""

from __future__ import annotations

import polars as pl
import pytest

import csi
from csi.errors import Problems
from tests.pls.test_scores import TEXT, answers

ABSENT_IN_A = pl.when(pl.col("g") == "b").then("x1")
ESTIMATORS = (csi.PLS, csi.GSCA, csi.SumScores)
COMPOSED = {
    "higher order": "x =~ x1 + x2 + x3\nm =~ m1 + m2\nw =~ x + m\ny =~ y1 + y2\ny ~ w",
    "product": "x =~ x1 + x2 + x3\nm =~ m1 + m2\ny =~ y1 + y2\ny ~ x + m + x:m",
}


def grouped() -> pl.DataFrame:
    return answers().with_columns(g=pl.when(pl.int_range(pl.len()) < 60).then(pl.lit("a")).otherwise(pl.lit("b")))


def said(est: csi.Estimate) -> tuple[str, str, str]:
    (why,) = est.convergence.reasons.values()
    return why.code, why.text.en, why.text.zh


@pytest.mark.parametrize("missing", ["em", "pairwise", "mean"])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.__name__)
def test_nobody_answered_in_a_cell(estimator: type[csi.PLS], missing: str) -> None:
    est = csi.fit(TEXT, grouped().with_columns(x1=ABSENT_IN_A), estimator(missing=missing), by="g")
    assert est.convergence.converged.tolist() == [False, True]
    assert said(est) == ("R-NO-ANSWERS", "nobody answered x1 (n = 60).", "x1 无人作答（n = 60）。")


@pytest.mark.parametrize("missing", ["em", "pairwise", "mean"])
def test_nobody_answered_at_all(missing: str) -> None:
    frame = answers().with_columns(x1=pl.lit(None, pl.Float64))
    with pytest.raises(Problems, match=r"nobody answered x1 \(n = 150\)") as caught:
        csi.fit(TEXT, frame, csi.PLS(missing=missing))
    assert [p.code for p in caught.value.problems] == ["E-NO-ANSWERS"]


@pytest.mark.parametrize("way", ["two-stage", "embedded", "repeated"])
@pytest.mark.parametrize("model", COMPOSED)
def test_composed_models_name_the_item_and_nothing_made_of_it(model: str, way: str) -> None:
    settings = csi.PLS(missing="mean", higher_order=way)
    silent = csi.fit(COMPOSED[model], grouped().with_columns(x1=ABSENT_IN_A), settings, by="g")
    assert said(silent)[1] == "nobody answered x1 (n = 60)."
    same = grouped().with_columns(x1=pl.when(pl.col("g") == "a").then(5.0).otherwise("x1"))
    assert said(csi.fit(COMPOSED[model], same, settings, by="g"))[1] == "all answers to x1 are the same (n = 60)."
