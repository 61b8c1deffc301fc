"""Estimates side by side: engines that must agree, estimators that may not, composites and factors."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.tracking.compare import compare
from csi.tracking.estimands import relation
from tests.sem.lavaan_cases import HOLZINGER, frame_of, moments_of

MODEL = csi.Model.parse(
    "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; speed =~ x7 + x8 + x9; speed ~ visual + textual"
)


@pytest.fixture(scope="module")
def pupils():
    return moments_of("holzinger", "moments")


def test_two_engines_with_one_criterion_agree(pupils):
    made = compare(csi.fit(MODEL, pupils, csi.SEM()), csi.fit(MODEL, pupils, csi.Semopy()))
    assert made.relations == {"2": "same"}
    assert made.table["agree_2"].all()
    assert made.table["in_se_2"].max() < 1e-4
    assert made.table["se_ratio_2"].drop_nulls().to_list() == pytest.approx([1.0] * 21, abs=1e-4)
    assert "24 of 24 parameters agree" in made.sentences[0].en
    assert made.fit.columns == ["measure", "1"]  # semopy's own indices are not used


def test_a_difference_is_flagged_and_counted_in_standard_errors(pupils):
    a, b = csi.fit(MODEL, pupils, csi.SEM()), csi.fit(MODEL, pupils, csi.SEM(estimator="GLS"))
    made = compare(ml=a, gls=b)
    rows = made.table.filter(pl.col("op") == "~", pl.col("rhs") == "visual").row(0, named=True)
    one, other = (e.table.filter(pl.col("op") == "~", pl.col("rhs") == "visual").row(0, named=True) for e in (a, b))
    gap = other["estimate"] - one["estimate"]
    assert rows["difference_gls"] == pytest.approx(gap)
    assert rows["in_se_gls"] == pytest.approx(abs(gap) / one["std_error"])
    assert rows["agree_gls"] is False
    assert made.relations["gls"] == "method"


def test_robust_errors_leave_estimates_alone():
    frame = frame_of("holzinger", HOLZINGER)
    made = compare(*(csi.fit(MODEL, frame, csi.SEM(estimator=e)) for e in ("ML", "MLR")))
    assert made.table["difference_2"].abs().max() == 0
    ratio = made.table.filter(pl.col("lhs") == "visual", pl.col("rhs") == "x2")["se_ratio_2"].item()
    assert ratio == pytest.approx(0.13212 / 0.09967, abs=1e-3)  # printed above each other by lavaan: ML and MLR
    scaled = made.fit.filter(pl.col("measure") == "chi2_scaled").row(0, named=True)
    assert scaled["1"] is None
    assert scaled["2"] is not None
    assert any(n.code == "N-COMPARE-SE" for n in made.notes)


def test_factors_and_composites_are_other_quantities(pupils):
    made = compare(csi.fit(MODEL, pupils, csi.SEM()), csi.fit(MODEL, pupils, csi.PLS()))
    assert made.relations == {"2": "estimand"}
    assert made.basis == {"2": "std_all"}
    assert made.table["agree_2"].null_count() == made.table.height
    row = made.table.filter(pl.col("op") == "~", pl.col("rhs") == "visual").row(0, named=True)
    assert row["std_all_2"] < row["std_all_1"]  # attenuated by unreliability
    assert "different quantities" in made.sentences[0].en
    assert any(n.code == "N-COMPARE-PLS" for n in made.notes)


def test_composites_by_ml_and_pls_meet_on_a_population_where_the_model_holds():
    # y = .6 c with c = (x1 + x2 + x3) / sd: the weights are equal, every covariance of y goes through c
    inner = np.array([[1.0, 0.5, 0.3], [0.5, 1.0, 0.4], [0.3, 0.4, 1.0]])
    weights = np.ones(3) / np.sqrt(inner.sum())
    link = 0.6 * inner @ weights
    cov = np.block([[inner, np.outer(link, weights @ inner)], [np.outer(weights @ inner, link), inner]])
    model = csi.Model.parse("c <~ x1 + x2 + x3; d <~ y1 + y2 + y3; d ~ c")
    data = csi.Moments.of(["x1", "x2", "x3", "y1", "y2", "y3"], cov, n=500)
    a, b = csi.fit(model, data, csi.SEM()), csi.fit(model, data, csi.PLS())
    assert relation(a, b) == "method"
    made = compare(a, b, tolerance=1e-4)
    both = made.table.filter(pl.col("op").is_in(["<~", "=~", "~"]))
    assert both["agree_2"].all()
    assert both.height == 13


def test_a_construct_that_points_the_other_way_is_turned(pupils):
    first = csi.fit(csi.Model.parse("f =~ x1 + x2 + x3"), pupils, csi.SEM(std_lv=True))
    other = csi.fit(csi.Model.parse("f =~ -1*x1 + x2 + x3"), pupils, csi.SEM())
    made = compare(first, other)
    assert made.basis == {"2": "std_all"}
    assert made.table.filter(pl.col("op") == "=~")["difference_2"].abs().max() < 1e-6
    assert any(n.code == "N-COMPARE-SIGN" for n in made.notes)


def test_parameters_of_one_alone_are_counted(pupils):
    a = csi.fit(MODEL, pupils, csi.SEM())
    b = csi.fit(csi.Model.parse(f"{MODEL}\nx1 ~~ x2"), pupils, csi.SEM())
    assert any(n.text.en == "1 parameter is in SEM (ML) alone." for n in compare(a, b).notes)


def test_cells_are_kept_apart():
    frame = frame_of("holzinger", HOLZINGER)
    made = compare(*(csi.fit(MODEL, frame, s, by=["school"]) for s in (csi.SEM(), csi.Semopy())))
    assert made.table.columns[:2] == ["school", "lhs"]
    assert made.table.height == 48
    assert made.table["in_se_2"].max() < 1e-3
    assert set(made.fit["school"]) == {"Grant-White", "Pasteur"}


def test_groups_are_kept_apart():
    data = moments_of("holzinger", "by_school")
    model = csi.Model.parse("visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6")
    made = compare(*(csi.fit(model, data, csi.SEM(groups="school", likelihood=k)) for k in ("normal", "wishart")))
    assert made.relations == {"2": "method"}
    assert made.table["group"].n_unique() == 2
    variance = made.table.filter(pl.col("lhs") == "visual", pl.col("rhs") == "visual")
    assert (variance["estimate_2"] / variance["estimate_1"]).to_list() == pytest.approx(
        [156 / 155, 145 / 144], abs=1e-4
    )


def test_one_estimate_is_no_comparison(pupils):
    with pytest.raises(csi.Problems, match="two estimates or more"):
        compare(csi.fit(MODEL, pupils, csi.SEM()))


def test_the_text_is_in_both_languages(pupils):
    made = compare(csi.fit(MODEL, pupils, csi.SEM()), csi.fit(MODEL, pupils, csi.Semopy()))
    assert text(made).startswith("Comparison: 1 = SEM (ML); 2 = semopy (ML)")
    assert "使用同一准则" in text(made, "zh")


def test_differences_within_the_tolerance_are_printed_as_0(pupils):
    made = compare(csi.fit(MODEL, pupils, csi.SEM()), csi.fit(MODEL, pupils, csi.Semopy()))
    lines = text(made).splitlines()
    head = lines[1].split()
    path = next(line.split() for line in lines if line.startswith("speed") and " ~ " in line and "visual" in line)
    assert path[head.index("difference_2")] == "0"
    assert path[head.index("in_se_2")] == "0"
    assert made.table["difference_2"].abs().max() > 0


def test_rows_of_one_alone_and_rows_beyond_twenty_are_counted(pupils):
    a = csi.fit(MODEL, pupils, csi.SEM(meanstructure=True))
    made = compare(a, csi.fit(MODEL, pupils, csi.PLS()))
    lines = text(made).splitlines()
    assert not any(" ~1 " in line for line in lines)
    both = made.table["difference_2"].drop_nulls().len()
    assert both < 20
    assert f"... {made.table.height - both} more rows in .table" in lines
    frame = frame_of("holzinger", HOLZINGER)
    cells = compare(*(csi.fit(MODEL, frame, s, by=["school"]) for s in (csi.SEM(), csi.Semopy())))
    assert "... 28 more rows in .table" in text(cells).splitlines()
    assert "……另有 28 行，见 .table" in text(cells, "zh").splitlines()
