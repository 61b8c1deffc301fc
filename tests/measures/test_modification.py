"""Modification indices and score tests: hand-checked formulas, refits, and numbers printed by lavaan 0.6-14.

The numbers of lavaan stand with their call; data: datCat (semTools) and HolzingerSwineford1939.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.measures.modification import modification, modification_indices
from csi.measures.score_tests import score_tests
from csi.models.syntax.build import parse_claim
from csi.sem.lagrange import widened
from csi.sem.table import Parameter, Rules, table_of

FOUR = np.array([[1.0, 0.5, 0.5, 0.3], [0.5, 1.0, 0.4, 0.3], [0.5, 0.4, 1.0, 0.5], [0.3, 0.3, 0.5, 1.0]])
REFERENCE = Path(__file__).parents[1] / "reference"
HOLZINGER = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"


def four(model, **settings):
    return csi.fit(csi.Model.parse(model), csi.Moments.of("abcd", FOUR, n=300), csi.SEM(**settings))


def rows(name):
    place = os.environ.get("CSI_REFERENCE_DIR")
    if not place:
        pytest.skip("CSI_REFERENCE_DIR is not set: this needs the rows")
    return pl.read_csv(Path(place) / "data" / name, infer_schema_length=None)


def test_score_squared_over_its_conditional_information():
    U, info = np.array([[0.0, 2.0, 1.0]]), np.array([[[4.0, 2.0, 0.0], [2.0, 3.0, 0.0], [0.0, 0.0, 5.0]]])
    mi, epc = modification(U, info, np.eye(3)[:, :1], np.array([1, 2]))
    # conditional information 3 - 2 * 2 / 4 = 2, and 5
    assert mi.tolist() == [[2.0, 0.2]]
    assert epc.tolist() == [[1.0, 0.2]]


def test_what_is_not_identified_has_no_index():
    info = np.array([[[4.0, 2.0], [2.0, 1.0]]])
    mi, epc = modification(np.array([[0.0, 1.0]]), info, np.eye(2)[:, :1], np.array([1]))
    assert np.isnan(mi).all()
    assert np.isnan(epc).all()


def test_an_index_announces_the_drop_of_chi2_and_the_change_of_the_parameter():
    est = four("f =~ a + b + c + d")
    # a small misfit, so that the quadratic approximation is good: the second largest residual covariance
    index = modification_indices(est).filter(lhs="a", rhs="c").row(0, named=True)
    freed = four("f =~ a + b + c + d\na ~~ c")
    drop = float(est.extra["sem"].test.statistic[0] - freed.extra["sem"].test.statistic[0])
    assert index["mi"] == pytest.approx(drop, rel=0.1)
    change = freed.table.filter(lhs="a", op="~~", rhs="c")["estimate"][0]
    assert np.sign(index["epc"]) == np.sign(change)


def test_marker_and_free_parameters_are_not_listed():
    table = modification_indices(four("f =~ a + b + c + d"))
    assert set(table["op"]) == {"~~"}
    assert table.height == 6


def test_std_all_scales_by_residual_standard_deviations():
    est = four("f =~ a + b + c + d")
    row = modification_indices(est).filter(lhs="a", rhs="b").row(0, named=True)
    own = dict(est.table.filter(pl.col("lhs") == pl.col("rhs")).select("lhs", "estimate").iter_rows())
    assert row["sepc_all"] == pytest.approx(row["epc"] / np.sqrt(own["a"] * own["b"]), rel=1e-12)
    assert row["sepc_lv"] == row["epc"]


def test_regressions_of_the_structural_part_are_listed():
    # of modindices(sem(the same text, HolzingerSwineford1939)), lavaan 0.6-14, without its rows of fixed moments
    model = csi.Model.parse("f =~ x1+x2+x3\ng =~ x4+x5+x6\ng ~ f + x7\nx8 ~ g + x9")
    table = modification_indices(csi.fit(model, rows("holzinger_swineford/holzinger_swineford.csv"), csi.SEM())).filter(
        op="~"
    )
    named = [f"{a}~{b}" for a, b in table.select("lhs", "rhs").rows()]
    assert {"g~x8", "g~x9", "x8~f", "x8~x7"} <= set(named)
    found = dict(zip(named, table["mi"].to_list(), strict=True))
    expected = {"g~x8": 2.173, "x8~x7": 47.505, "f~x9": 56.024, "x9~f": 57.786}
    assert {k: round(found[k], 3) for k in expected} == expected


@pytest.mark.parametrize("parameterization", ["delta", "theta"])
def test_ordinal_groups_with_equal_thresholds(parameterization):
    # cfa(..., ordered, group = "g", group.equal = c("loadings", "thresholds")): f1 =~ u1, u1 ~1, u2 ~1 of group 1
    expected = {("f1", "=~", "u1"): 0.405678, ("u1", "~1", ""): 2.163400, ("u2", "~1", ""): 0.825438}
    items = tuple(f"u{i}" for i in range(1, 9))
    settings = csi.SEM(
        estimator="WLSMV",
        ordered=items,
        groups="g",
        equal=("loadings", "thresholds"),
        parameterization=parameterization,
    )
    model = csi.Model.parse("f1 =~ u1+u2+u3+u4\nf2 =~ u5+u6+u7+u8")
    table = modification_indices(csi.fit(model, rows("semtools/datCat.csv"), settings))
    assert table.height == 92
    first = table["group"][0]
    for (lhs, op, rhs), mi in expected.items():
        found = table.filter(lhs=lhs, op=op, rhs=rhs, group=first)["mi"][0]
        assert found == pytest.approx(mi, abs=5e-5)


@pytest.mark.parametrize(
    ("settings", "single", "both"),
    [
        # modindices of the one-group model, first row; lavTestScore with group.equal = "loadings", first row and total
        ({"likelihood": "wishart"}, 1.211436, (0.667819, 7.255859)),
        ({"estimator": "GLS"}, 3.508169, (0.507774, 5.014485)),
        ({"estimator": "ULS"}, 0.562516, (1.476512, 8.192669)),
        ({"estimator": "WLS"}, 2.596298, (0.197089, 5.867820)),
        ({"estimator": "DWLS"}, 0.122731, (0.696558, 3.500774)),
    ],
)
def test_every_discrepancy(settings, single, both):
    frame = rows("holzinger_swineford/holzinger_swineford.csv")
    model = csi.Model.parse(HOLZINGER)
    one = modification_indices(csi.fit(model, frame, csi.SEM(**settings))).filter(lhs="visual", op="=~", rhs="x4")
    assert one["mi"][0] == pytest.approx(single, abs=1e-4)
    tests = score_tests(csi.fit(model, frame, csi.SEM(**settings, groups="school", equal=("loadings",))))
    assert tests.table["x2"][0] == pytest.approx(both[0], abs=1e-4)
    assert tests.total["x2"][0] == pytest.approx(both[1], abs=1e-3)
    assert tests.total["df"][0] == 6


def test_nonlinear_constraints_are_released_along_their_tangent():
    # lavTestScore(cfa(m, HolzingerSwineford1939)): uni 32.29370, 7.15883; total 37.85812; epc of a: -1.59283
    model = csi.Model.parse("f =~ x1+a*x2+b*x3\ng =~ x4+c*x5+x6\na == 2*b\nc == a*b")
    found = score_tests(csi.fit(model, rows("holzinger_swineford/holzinger_swineford.csv"), csi.SEM()))
    assert found.table["constraint"].to_list() == ["a == 2*b", "c == a*b"]
    np.testing.assert_allclose(found.table["x2"].to_numpy(), [32.29370, 7.15883], atol=1e-3)
    assert found.total["x2"][0] == pytest.approx(37.85812, abs=1e-3)
    assert found.changes["epc"][0] == pytest.approx(-1.59283, abs=1e-4)


def test_what_only_identifies_the_model_does_not_count_as_a_degree_of_freedom():
    # lavTestScore of the scalar model: X2 46.956 on 15 constraints, three of which no data can test
    frame = rows("holzinger_swineford/holzinger_swineford.csv")
    settings = csi.SEM(groups="school", equal=("loadings", "intercepts"))
    found = score_tests(csi.fit(csi.Model.parse(HOLZINGER), frame, settings))
    assert found.table.height == 15
    assert found.total["x2"][0] == pytest.approx(46.956, abs=1e-3)
    assert found.total["df"][0] == 12
    loose = found.changes.filter(pl.col("epc").is_null())
    assert set(loose["op"]) == {"~1"}


def test_no_constraint_no_score_test():
    with pytest.raises(Problems, match="no equality constraint"):
        score_tests(four("f =~ a + b + c + d"))


def test_an_estimate_by_another_engine_is_refused():
    answers = pl.DataFrame({"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]})
    est = csi.fit(csi.Model.parse("a =~ a1 + a2\nb =~ b1 + b2\nb ~ a"), answers, csi.PLS(), scale=(1, 10))
    with pytest.raises(Problems, match=r"csi\.SEM"):
        modification_indices(est)


def index_of(table, lhs, op, rhs):
    return table.filter(lhs=lhs, op=op, rhs=rhs)["mi"].item()


MOMENTS = {name: json.loads((REFERENCE / name / "moments.json").read_text("utf-8")) for name in ("holzinger", "growth")}


def fitted(folder, model, **settings):
    m = MOMENTS[folder]
    data = csi.Moments.of(m["names"], m["cov"], m["n"], m["mean"])
    return csi.fit(csi.Model.parse(model), data, csi.SEM(**settings))


def test_an_item_that_something_else_explains_keeps_its_loading():
    # modindices(sem("visual =~ x1+x2+x3; visual ~ x4; x2 ~ x4", HolzingerSwineford1939)), lavaan 0.6-14
    table = modification_indices(fitted("holzinger", "visual =~ x1+x2+x3\nvisual ~ x4\nx2 ~ x4"))
    assert not table.filter(lhs="x2", op="~", rhs="visual").height
    assert index_of(table, "x1", "~~", "x2") == pytest.approx(11.141, abs=1e-3)
    assert index_of(table, "x2", "~~", "x3") == pytest.approx(11.141, abs=1e-3)


def test_an_explained_item_among_nine():
    # of lavaan's modindices(sem(hs.model + "visual ~ ageyr + sex; textual ~ sex; speed ~ visual + ageyr; x4 ~ ageyr"))
    text = f"{HOLZINGER}\nvisual ~ ageyr + sex\ntextual ~ sex\nspeed ~ visual + ageyr\nx4 ~ ageyr"
    frame = rows("holzinger_swineford/holzinger_swineford.csv")
    table = modification_indices(csi.fit(csi.Model.parse(text), frame, csi.SEM()))
    assert index_of(table, "visual", "=~", "x6") == pytest.approx(10.281495, abs=1e-4)
    assert index_of(table, "x1", "~~", "x4") == pytest.approx(7.019526, abs=1e-4)
    # likewise of modindices(sem("visual =~ x1+x2+x3; visual ~ ageyr; x2 ~ ageyr", HolzingerSwineford1939))
    small = csi.fit(csi.Model.parse("visual =~ x1+x2+x3\nvisual ~ ageyr\nx2 ~ ageyr"), frame, csi.SEM())
    assert index_of(modification_indices(small), "x1", "~~", "x2") == pytest.approx(2.591, abs=1e-3)


def test_a_cross_loading_of_an_explained_item_is_listed_once():
    # of lavaan's modindices(sem(the same text)): x5 ~~ x6 1.393, an equivalent model
    table = modification_indices(fitted("holzinger", "visual =~ x1+x2+x3\ntextual =~ x4+x5+x6\nx4 ~ x9"))
    assert index_of(table, "visual", "=~", "x4") == pytest.approx(1.393, abs=1e-3)
    assert index_of(table, "visual", "=~", "x4") == pytest.approx(index_of(table, "x5", "~~", "x6"), rel=1e-6)
    assert not table.filter(lhs="x4", op="~", rhs="visual").height


def test_growth_with_covariates_of_occasions():
    # modindices(growth(the same text, sample.cov, sample.mean, sample.nobs)) of the committed moments, 0.6-14
    curve = "i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4\ns =~ 0*t1 + 1*t2 + 2*t3 + 3*t4"
    table = modification_indices(fitted("growth", f"{curve}\ni ~ x1\nt1 ~ c1", growth=True))
    assert table.row(0)[:3] == ("i", "~~", "s")
    expected = [("i", "~~", "s", 27.856), ("i", "=~", "t1", 21.447), ("t1", "~", "x1", 13.383), ("i", "~", "t1", 7.028)]
    for lhs, op, rhs, mi in expected:
        assert index_of(table, lhs, op, rhs) == pytest.approx(mi, abs=1e-3)
    every = "\n".join(f"t{i} ~ c{i}" for i in range(1, 5))
    assert modification_indices(fitted("growth", f"{curve}\n{every}", growth=True))["mi"][0] > 0


def test_rows_of_one_cell_are_refused():
    table = table_of(parse_claim("f =~ y1 + y2 + y3; y3 ~ y1"), Rules())
    with pytest.raises(ValueError, match="f =~ y1 and y1 ~ f fill one cell"):
        widened(table, added=[Parameter("y1", "~", "f")])


@pytest.mark.parametrize("twin", ["y2 ~ f", "y1 ~~ y2\ny2 ~~ y1"])
def test_one_arrow_written_twice_is_refused(twin):
    with pytest.raises(Problems) as told:
        csi.Model.parse(f"f =~ y1 + y2 + y3\n{twin}")
    assert {p.code for p in told.value.problems} == {"E-DUPLICATE"}


def test_an_unidentified_model_has_no_indices_but_a_reason():
    est = four("f =~ NA*a + b + c + d")
    table = modification_indices(est)
    assert table.height
    assert table["mi"].null_count() == table.height
    assert set(table["reason"]) == {"R-IDENT"}


def test_an_unidentified_model_has_no_score_tests_but_a_reason():
    found = score_tests(four("f =~ NA*a + x*b + x*c + d"))
    assert found.table.select("x2", "reason").row(0) == (None, "R-IDENT")
    assert found.total.select("x2", "reason").row(0) == (None, "R-IDENT")
    assert found.changes["epc"].null_count() == found.changes.height


def test_the_largest_index_is_first_in_every_cell():
    other = FOUR.copy()
    other[0, 3] = other[3, 0] = 0.6
    one = csi.Moments.of("abcd", FOUR, n=300)
    doubled = {name: np.repeat(getattr(one, name), 2, axis=0) for name in ("n", "sum_w", "sum_w2", "mean")}
    cells = pl.DataFrame({"brand": ["A", "B"], "n": [300, 300]})
    data = replace(one, **doubled, cov=np.stack([FOUR, other]), cells=cells)
    table = modification_indices(csi.fit(csi.Model.parse("f =~ a + b + c + d"), data, csi.SEM()))
    assert table["brand"].to_list() == ["A"] * 6 + ["B"] * 6
    for brand in "AB":
        mi = table.filter(brand=brand)["mi"].to_list()
        assert mi == sorted(mi, reverse=True)


def test_two_stage_indices_announce_the_drop_of_the_unscaled_chi2():
    # lavaan 0.6-14, cfa(..., missing = "two.stage"): drop of chisq 42.132; its own index, 71.212, is far from it
    frame = rows("holzinger_swineford/holzinger_swineford_missing.csv")
    frame = frame.with_columns(pl.col(f"x{i}").cast(pl.Float64, strict=False) for i in range(1, 10))
    est = csi.fit(csi.Model.parse(HOLZINGER), frame, csi.SEM(missing="two-stage"))
    table = modification_indices(est)
    found = index_of(table, "visual", "=~", "x9")
    assert found == pytest.approx(45.798, abs=1e-2)
    assert found == pytest.approx(42.132, rel=0.1)


def test_score_tests_read_in_both_languages():
    found = score_tests(four("f =~ a + x*b + x*c + d"))
    assert repr(found).startswith("Score tests of equality constraints\n")
    assert "All released together" in repr(found)
    assert text(found, "zh").startswith("等值约束的得分检验\n")


def row_of(table, lhs, op, rhs):
    return table.filter(lhs=lhs, op=op, rhs=rhs).row(0, named=True)


def test_standardised_changes_beside_a_stated_equality():
    # R: f <- sem(model, HolzingerSwineford1939); modindices(f); lavTestScore(f, epc = TRUE)$epc
    model = "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; x1 ~~ a*x1; x2 ~~ b*x2; a == 2*b"
    est = fitted("holzinger", model)
    found = csi.modification_indices(est)
    saved = {
        ("x1", "~~", "x2"): (32.925, -0.748, -0.748, -0.905),
        ("textual", "=~", "x1"): (20.841, 0.372, 0.367, 0.297),
        ("x4", "~~", "x6"): (5.077, -0.298, -0.298, -0.810),
    }
    for key, numbers in saved.items():
        row = row_of(found, *key)
        assert [row[c] for c in ("mi", "epc", "sepc_lv", "sepc_all")] == pytest.approx(numbers, abs=5e-4)
    changes = csi.score_tests(est).changes
    row = row_of(changes, "visual", "=~", "x2")
    assert [row[c] for c in ("epc", "sepc_lv", "sepc_all")] == pytest.approx([-1.037, -0.624, -0.548], abs=5e-4)
    # of variances lavaan has the standardised variance with the sign of the change (.664, -.764; 1, 1): here the change
    implied = csi.implied(est)
    for item in ("x1", "x2"):
        row = row_of(changes, item, "~~", item)
        assert row["sepc_lv"] == pytest.approx(row["epc"])
        at = implied.items.index(item)
        assert row["sepc_all"] == pytest.approx(row["epc"] / implied.cov[0, 0, at, at])
    row, table = row_of(changes, "visual", "~~", "visual"), est.table
    own = table.filter(pl.col("lhs") == "visual", pl.col("rhs") == "visual")["estimate"][0]
    assert row["sepc_all"] == pytest.approx(row["epc"] / own)


def test_no_standardised_change_beside_a_negative_variance():
    model = "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; visual ~~ a*visual; textual ~~ b*textual; a == 2*b"
    found = csi.modification_indices(fitted("holzinger", model))
    row = row_of(found, "x1", "~~", "x2")
    assert row["mi"] == pytest.approx(23.677, abs=5e-4)
    assert row["sepc_all"] is None
    assert row["reason"] == "R-NEGATIVE-VARIANCE"


# of modindices(sem(model, HolzingerSwineford1939, fixed.x = FALSE)), lavaan 0.6-14
EXPLAINED = [
    ("f =~ x1 + x2 + x3\nx7 ~ f + x9", {"x9~f": 52.4360, "x9~x7": 52.4360}),
    ("f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\nf ~ x9 + x8\ng ~ f", {"x9~g": 0.013276, "x8~g": 0.067399}),
    ("x7 ~ x9 + x8\nx4 ~ x7", {"x9~x4": 7.613118, "x8~x4": 0.892830}),
    (
        "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\ng ~ f\nf ~ sex + ageyr\nx9 ~ g + sex",
        {"sex~g": 4.93598, "sex~x9": 12.40606, "ageyr~g": 10.57526, "ageyr~x9": 4.60970},
    ),
]


@pytest.mark.parametrize("meanstructure", [None, True])
@pytest.mark.parametrize(("model", "expected"), EXPLAINED)
def test_a_regression_that_explains_a_given_variable_moves_its_moments_too(model, expected, meanstructure):
    data = rows("holzinger_swineford/holzinger_swineford.csv")
    for fixed_x in (True, False):
        est = csi.fit(csi.Model.parse(model), data, csi.SEM(meanstructure=meanstructure, fixed_x=fixed_x))
        table = modification_indices(est).filter(op="~")
        found = {f"{r['lhs']}~{r['rhs']}": r["mi"] for r in table.iter_rows(named=True)}
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, rel=2e-4), name


def test_the_index_of_a_given_variable_announces_the_drop_of_chi2():
    rng = np.random.default_rng(2)
    n = 4000
    x = rng.standard_normal((n, 3)) @ np.array([[1.0, 0.6, 0.5], [0.0, 0.8, 0.3], [0.0, 0.0, 0.8]])
    f = x @ [0.4, 0.3, 0.2] + rng.standard_normal(n)
    y = f[:, None] + rng.standard_normal((n, 3))
    z = 0.5 * f + 0.4 * x[:, 0] + rng.standard_normal(n)
    x = x + 0.03 * z[:, None] * [0, 1, 0]
    frame = pl.DataFrame(np.column_stack([y, z, x]), schema=["a", "b", "c", "z", "u", "v", "w"])
    model = "f =~ a + b + c; f ~ u + v + w; z ~ f + u"
    table = modification_indices(csi.fit(csi.Model.parse(model), frame, csi.SEM()))
    (index,) = table.filter(lhs="v", op="~", rhs="z")["mi"].to_list()
    free = csi.SEM(fixed_x=False)
    drop = [
        csi.fit(csi.Model.parse(text), frame, free).extra["sem"].test.statistic[0]
        for text in (model, f"{model}; v ~ z; v ~~ u + w; u ~~ w")
    ]
    assert index > 3
    assert index == pytest.approx(drop[0] - drop[1], rel=0.03)


def test_an_improper_solution_has_the_indices_of_finite_differences():
    data = rows("holzinger_swineford/holzinger_swineford.csv")
    est = csi.fit(csi.Model.parse("f =~ x3 + x2 + x5\ng =~ x6 + x8 + x4\nf ~ sex\ng ~ sex"), data, csi.SEM())
    assert any(found.any() for found in est.convergence.improper.values())
    value = {(r["lhs"], r["op"], r["rhs"]): r["estimate"] for r in est.table.iter_rows(named=True)}
    items = ["x3", "x2", "x5", "x6", "x8", "x4"]
    free = [("f", "=~", "x2"), ("f", "=~", "x5"), ("g", "=~", "x8"), ("g", "=~", "x4"), ("f", "~", "sex")]
    free += [("g", "~", "sex"), *((i, "~~", i) for i in items), ("f", "~~", "f"), ("g", "~~", "g"), ("f", "~~", "g")]
    theta = np.array([*(value[key] for key in free), 0.0])
    S = np.cov(data.select([*items, "sex"]).to_numpy().T, bias=True)

    def sigma(t):
        load = np.zeros((7, 3))
        load[[0, 1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1, 2]] = [1, t[0], t[1], 1, t[2], t[3], 1]
        way = np.eye(3)
        way[:2, 2] = t[4:6]
        psi = np.array([[t[12], t[14], 0], [t[14], t[13], 0], [0, 0, S[6, 6]]])
        out = load @ way @ psi @ way.T @ load.T
        out[range(6), range(6)] += t[6:12]
        out[0, 1], out[1, 0] = out[0, 1] + t[15], out[1, 0] + t[15]
        return out

    step = 1e-6 * np.eye(16)
    J = [(sigma(theta + h) - sigma(theta - h)) / 2e-6 for h in step]
    W = np.linalg.inv(sigma(theta))
    U = np.array([301 / 2 * np.trace(W @ (S - sigma(theta)) @ W @ j) for j in J])
    info = np.array([[301 / 2 * np.trace(W @ a @ W @ b) for b in J] for a in J])
    V = info[15, 15] - info[15, :15] @ np.linalg.solve(info[:15, :15], info[:15, 15])
    (row,) = modification_indices(est).filter(lhs="x3", op="~~", rhs="x2").iter_rows(named=True)
    assert row["mi"] == pytest.approx(U[15] ** 2 / V, rel=1e-6)
    assert row["epc"] == pytest.approx(U[15] / V, rel=1e-6)
