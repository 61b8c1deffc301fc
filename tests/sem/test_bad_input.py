"""Bad input to a covariance model: every problem at once, by name, in both languages, no traceback and no warning."""

import json
import warnings

import numpy as np
import polars as pl
import pytest

import csi
from csi.cli import main

MODEL = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\ng ~ f"
ITEMS = [f"x{j}" for j in range(1, 7)]
N = 200


@pytest.fixture(autouse=True)
def no_warnings():
    """A warning of numpy is a test that fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    """200 answers to six items from 1 to 5, and a column of groups."""
    draw = np.random.default_rng(1)
    f = draw.normal(size=N)
    g = 0.5 * f + draw.normal(size=N)
    own = [f, f, f, g, g, g]
    items = {
        name: np.clip(np.round(3 + 0.9 * x + draw.normal(size=N)), 1, 5) for name, x in zip(ITEMS, own, strict=True)
    }
    return pl.DataFrame({**items, "school": ["a", "b"] * (N // 2)})


def problems(model, data, estimator=None, **more):
    """What `csi.fit` raises: (code, where, what, remedy) in English; both languages are there."""
    with pytest.raises(csi.Problems) as raised:
        csi.fit(csi.Model.parse(model), data, estimator or csi.SEM(), **more)
    found = raised.value.problems
    for p in found:
        assert p.what.zh
        assert p.what.zh != p.what.en
        assert p.remedy.en
        assert p.remedy.zh
    return [(p.code, p.where, p.what.en, p.remedy.en) for p in found]


def typed(tmp_path, capsys, model, data, *options):
    """What the command line answers with `--json`: its exit code and its object."""
    path = tmp_path / "data.csv"
    data.write_csv(path)
    (tmp_path / "model.lav").write_text(model, encoding="utf-8")
    code = main(["fit", str(tmp_path / "model.lav"), str(path), *options, "--json"])
    seen = capsys.readouterr()
    assert "Traceback" not in seen.out + seen.err
    return code, json.loads(seen.out)


def notes(est):
    return [n.code for n in est.notes]


def swap(frame, **columns):
    """The frame with some columns replaced."""
    return frame.with_columns(**columns)


def test_an_unidentified_model_is_told_by_its_parameters(frame, tmp_path, capsys):
    found = csi.verify(csi.fit(csi.Model.parse("f =~ NA*x1 + x2 + x3"), frame, csi.SEM()))
    assert not found.usable
    told = next(f for f in found.errors if f.code == "E-IDENT")
    assert "f ~~ f" in told.parameters
    code, answer = typed(tmp_path, capsys, "f =~ NA*x1 + x2 + x3", frame)
    assert code == 3
    assert "E-IDENT" in [f["code"] for f in answer["findings"]]


def test_negative_degrees_of_freedom_are_told(frame, tmp_path, capsys):
    est = csi.fit(csi.Model.parse("f =~ x1 + x2"), frame, csi.SEM())
    told = next(f for f in csi.verify(est).errors if f.code == "E-IDENT")
    assert "df = -1" in told.say("en")
    assert typed(tmp_path, capsys, "f =~ x1 + x2", frame)[0] == 3


@pytest.mark.parametrize("n", [1, 2, 5, 6])
def test_fewer_rows_than_a_definite_covariance_needs(frame, n, tmp_path, capsys):
    few = next(p for p in problems(MODEL, frame.head(n)) if p[0] == "E-FEW")
    assert f"n = {n}" in few[2]
    assert "At least 7 rows" in few[3]
    code, answer = typed(tmp_path, capsys, MODEL, frame.head(n))
    assert code == 1
    assert "E-FEW" in [p["code"] for p in answer["problems"]]


def test_no_rows(frame):
    assert problems(MODEL, frame.head(0))[0][0] == "E-EMPTY"


def test_a_constant_item_and_a_repeated_one_are_told_together(frame, tmp_path, capsys):
    data = swap(frame, x2=pl.lit(3.0), x6=pl.col("x4"))
    found = problems(MODEL, data)
    assert [p[0] for p in found] == ["E-CONSTANT", "E-COLLINEAR"]
    assert "x2 are 3" in found[0][2]
    assert "x4 and x6" in found[1][2]
    code, answer = typed(tmp_path, capsys, MODEL, data)
    assert (code, [p["code"] for p in answer["problems"]]) == (1, ["E-CONSTANT", "E-COLLINEAR"])


def test_an_item_that_is_a_sum_of_others(frame):
    (found,) = problems(MODEL, swap(frame, x3=pl.col("x1") + pl.col("x2")))
    assert found[0] == "E-COLLINEAR"
    assert all(name in found[2] for name in ("x1", "x2", "x3"))


@pytest.mark.parametrize("estimator", ["ML", "MLR", "MLM", "GLS", "ULS", "DWLS", "WLS"])
def test_in_a_stack_such_a_cell_sits_out_with_its_reason(frame, estimator):
    cell = np.resize(["p", "q", "r"], N)
    data = swap(frame, cell=pl.Series(cell))
    data = swap(data, x1=pl.when(pl.col("cell") == "q").then(3.0).otherwise("x1"))
    data = swap(data, x5=pl.when(pl.col("cell") == "r").then("x4").otherwise("x5"))
    est = csi.fit(csi.Model.parse(MODEL), data, csi.SEM(estimator=estimator), ["cell"])
    assert est.convergence.converged.tolist() == [True, False, False]
    assert [est.convergence.reasons[i].code for i in (1, 2)] == ["R-CONSTANT", "R-COLLINEAR"]
    assert np.isfinite(est.values[0]).all()
    assert np.isnan(est.values[1:]).all()
    alone = csi.fit(csi.Model.parse(MODEL), data.filter(cell="p"), csi.SEM(estimator=estimator))
    np.testing.assert_allclose(est.values[0], alone.values[0], atol=1e-6)
    np.testing.assert_allclose(est.std_error[0], alone.std_error[0], rtol=1e-5)


@pytest.mark.parametrize("settings", [{}, {"missing": "fiml"}, {"ordered": ("x1",)}])
def test_hundreds_of_bad_groups_are_counted(frame, settings):
    found = problems(MODEL, frame.with_row_index("id"), csi.SEM(groups="id", **settings))
    assert len(found) == 6
    assert found[-1][1].endswith("195 more places")


def test_a_group_without_usable_rows(frame):
    data = swap(frame, x1=pl.when(pl.col("school") == "b").then(None).otherwise("x1"))
    (found,) = problems(MODEL, data, csi.SEM(groups="school"))
    assert (found[0], found[2]) == ("E-GROUP", "no usable row of b.")
    (alone,) = problems(MODEL, swap(frame, school=pl.lit("a")), csi.SEM(groups="school"))
    assert 'only "a"' in alone[2]


def test_a_constant_item_in_one_group_names_the_group(frame):
    data = swap(frame, x1=pl.when(pl.col("school") == "b").then(3.0).otherwise("x1"))
    (found,) = problems(MODEL, data, csi.SEM(groups="school"))
    assert found[:2] == ("E-CONSTANT", "group b")


def test_unknown_items_are_all_told_with_the_nearest_name(frame, tmp_path, capsys):
    model = "f =~ x1 + x2 + x33\ng =~ x4 + x5 + xx6"
    assert [p[3] for p in problems(model, frame)] == ['Did you mean "x3"?', 'Did you mean "x6"?']
    code, answer = typed(tmp_path, capsys, model, frame, "--lang", "zh")
    assert (code, [p["remedy"] for p in answer["problems"]]) == (1, ["是否应为“x3”？", "是否应为“x6”？"])


def test_errors_of_the_text_point_at_the_token(frame, tmp_path, capsys):
    code, answer = typed(tmp_path, capsys, "f =~ x1 + + x2\ng = x4", frame)
    first, second = answer["problems"]
    assert code == 1
    assert (first["where"], second["where"]) == ("model.lav, line 1, column 11", "model.lav, line 2, column 1")
    assert first["what"].splitlines()[1:3] == ["    f =~ x1 + + x2", "              ^"]


def test_constraints_that_contradict_each_other(frame):
    for text in ("a == 1\na == 2", "a > 2\na < 1", "a == b + 1\na == b"):
        ((code, _, what, _),) = problems(f"f =~ x1 + a*x2 + b*x3\n{text}", frame)
        assert code == "E-CONSTRAINT"
        assert "contradict" in what


def test_a_category_that_a_group_does_not_use(frame):
    ordinal = csi.SEM(groups="school", ordered=tuple(ITEMS))
    data = frame.filter(~((pl.col("school") == "b") & (pl.col("x1") == 1)))
    ((code, where, what, _),) = problems(MODEL, data, ordinal)
    assert (code, where, "category 1" in what) == ("E-ORDINAL-CATEGORY", "group b, item x1", True)


def test_resamples_and_cells_without_a_rare_category_are_counted(frame):
    rare = swap(frame, x1=pl.when(pl.int_range(pl.len()) == 0).then(6.0).otherwise("x1"))
    ordinal = csi.SEM(ordered=tuple(ITEMS))
    boot = csi.bootstrap(csi.fit(csi.Model.parse(MODEL), rare, ordinal), 100, seed=1)
    counts = dict(boot.replicates.counts.select("cause", "replicates").iter_rows())
    assert 20 < counts["empty category"] < 60
    assert int(boot.replicates.usable.sum()) == 100 - sum(counts.values())
    cells = csi.fit(csi.Model.parse(MODEL), rare, ordinal, ["school"])
    assert cells.convergence.converged.tolist() == [True, False]
    assert cells.convergence.reasons[1].text.en == "nobody answered x1 = 6, as others do."


def test_fixed_loadings_have_no_bootstrap_error(frame):
    boot = csi.bootstrap(csi.fit(csi.Model.parse(MODEL), frame, csi.SEM()), 100, seed=1)
    fixed = boot.table.filter((pl.col("op") == "=~") & pl.col("rhs").is_in(["x1", "x4"]))
    assert fixed.select("std_error", "p_value", "conf_low").null_count().row(0) == (2, 2, 2)


def test_an_ordinal_item_with_one_category(frame):
    found = problems(MODEL, swap(frame, x1=pl.lit(2.0)), csi.SEM(ordered=tuple(ITEMS)))
    assert (found[0][0], "x1" in found[0][1]) == ("E-ORDINAL-CONSTANT", True)


@pytest.mark.parametrize("missing", ["listwise", "fiml", "two-stage"])
def test_an_item_that_nobody_answered(frame, missing):
    data = swap(frame, x1=pl.lit(None, dtype=pl.Float64))
    (found,) = problems(MODEL, data, csi.SEM(missing=missing))
    assert found[0] == "E-EMPTY"
    assert "x1" in found[1] + found[2]


def test_rows_without_any_answer_are_counted(frame):
    gone = pl.int_range(pl.len()) < 10
    data = swap(frame, **{c: pl.when(~gone).then(c) for c in ITEMS})
    est = csi.fit(csi.Model.parse(MODEL), data, csi.SEM(missing="fiml"))
    assert est.moments.n.tolist() == [190]
    assert "10 of them have no answer at all" in est.notes[0].text.en


def test_items_never_answered_together(frame):
    half = pl.int_range(pl.len()) < N // 2
    data = swap(frame, x1=pl.when(half).then("x1"), x4=pl.when(~half).then("x4"))
    assert "W-COVERAGE" in notes(csi.fit(csi.Model.parse(MODEL), data, csi.SEM(missing="fiml")))
    ((code, _, what, remedy),) = problems(MODEL, data, csi.SEM(missing="pairwise"))
    assert (code, "x1 – x4" in what, "fiml" in remedy) == ("E-PAIR", True, True)


def test_too_few_rows_for_adf(frame):
    ((code, _, what, remedy),) = problems(MODEL, frame.head(20), csi.SEM(estimator="WLS"))
    assert (code, "n = 20" in what, "DWLS" in remedy) == ("E-ADF", True, True)


def test_too_few_rows_for_the_weight_matrix_of_ordinal_wls(frame, tmp_path, capsys):
    ordinal = csi.SEM(estimator="WLS", ordered=tuple(ITEMS))
    ((code, _, what, remedy),) = problems(MODEL, frame.head(39), ordinal)
    assert (code, "n = 39" in what, "39 rows" in what, "WLSMV" in remedy) == ("E-ADF", True, True, True)
    options = ("--estimator", "WLS", "--ordered", ",".join(ITEMS))
    code, answer = typed(tmp_path, capsys, MODEL, frame.head(39), *options)
    assert (code, "E-ADF" in json.dumps(answer)) == (1, True)
    assert csi.fit(csi.Model.parse(MODEL), frame, ordinal).convergence.converged.all()


def test_a_cell_too_small_for_ordinal_wls_sits_out(frame):
    cells = swap(frame, cell=pl.when(pl.int_range(pl.len()) < 30).then(pl.lit("few")).otherwise(pl.lit("many")))
    est = csi.fit(csi.Model.parse(MODEL), cells, csi.SEM(estimator="WLS", ordered=tuple(ITEMS)), by="cell")
    assert est.convergence.converged.tolist() == [False, True]
    assert est.convergence.reasons[0].code == "R-FEW"


@pytest.mark.parametrize("twin", ["x1", 6 - pl.col("x1"), pl.when(pl.col("x2") > 1).then("x1")])
def test_an_ordinal_item_given_twice(frame, twin):
    data = swap(frame, x2=twin if isinstance(twin, pl.Expr) else pl.col(twin))
    ((code, where, what, _),) = problems(MODEL, data, csi.SEM(ordered=tuple(ITEMS)))
    assert (code, where, what) == ("E-COLLINEAR", "data", "items x1 and x2 repeat each other exactly.")


def test_an_ordinal_item_given_twice_in_one_cell(frame):
    first = pl.int_range(pl.len()) < N // 2
    data = swap(frame, x2=pl.when(first).then("x1").otherwise("x2"), cell=pl.when(first).then(1).otherwise(2))
    est = csi.fit(csi.Model.parse(MODEL), data, csi.SEM(ordered=tuple(ITEMS)), by="cell")
    assert est.convergence.reasons[0].text.en == "items repeat each other (x1 = x2)."
    assert est.convergence.converged.tolist() == [False, True]


def test_ordinal_items_that_nearly_repeat_each_other_are_noted(frame):
    data = swap(frame, x2=pl.when(pl.int_range(pl.len()) == 0).then(pl.col("x3")).otherwise("x1"))
    assert (data["x2"] != data["x1"]).sum() == 1
    assert np.isfinite(csi.fit(csi.Model.parse(MODEL), data, csi.SEM(ordered=tuple(ITEMS))).values).all()


def test_an_item_with_three_categories_taken_as_continuous_is_noted(frame):
    data = swap(frame, x1=pl.col("x1").clip(2, 4))
    est = csi.fit(csi.Model.parse(MODEL), data, csi.SEM())
    said = next(n for n in est.notes if n.code == "N-CATEGORIES")
    assert "x1 (3)" in said.text.en
    assert "x2" not in said.text.en
    assert "N-CATEGORIES" not in notes(csi.fit(csi.Model.parse(MODEL), frame, csi.SEM()))
    assert "N-CATEGORIES" not in notes(csi.fit(csi.Model.parse(MODEL), data, csi.SEM(ordered=("x1",))))


def test_missing_codes_among_the_answers_are_noted(frame):
    data = swap(frame, x1=pl.when(pl.int_range(pl.len()) < 9).then(99.0).otherwise("x1"))
    said = next(n for n in csi.fit(csi.Model.parse(MODEL), data, csi.SEM()).notes if n.code == "N-CODES")
    assert "x1 holds 99" in said.text.en
    assert "N-CODES" not in notes(csi.fit(csi.Model.parse(MODEL), data, csi.SEM(), na=[99]))


def test_weights_must_be_positive_numbers(frame):
    assert problems(MODEL, swap(frame, w=pl.lit("heavy")), weight="w")[0][0] == "E-TYPE"
    assert problems(MODEL, swap(frame, w=pl.lit(-1.0)), weight="w")[0][0] == "E-WEIGHT"


def test_settings_that_do_not_exist_or_go_together(frame, tmp_path, capsys):
    with pytest.raises(csi.Problems) as raised:
        csi.SEM(estimator="MLX", missing="fim", equal=("loading",))
    assert [p.where for p in raised.value.problems] == ["estimator", "missing", "equal", "groups"]
    code, answer = typed(tmp_path, capsys, MODEL, frame, "--estimator", "MLX", "--missing", "fim")
    assert (code, [p["where"] for p in answer["problems"]]) == (2, ["--estimator", "--missing"])


@pytest.mark.parametrize("estimator", ["ML", "GLS", "ULS", "MLR"])
def test_a_model_without_free_parameters_is_tested_all_the_same(estimator):
    rng = np.random.default_rng(2)
    f = rng.standard_normal(300)
    frame = pl.DataFrame({f"x{i}": f + rng.standard_normal(300) for i in (1, 2, 3)})
    text = "f =~ 1*x1 + 1*x2 + 1*x3; f ~~ 1*f; x1 ~~ 1*x1; x2 ~~ 1*x2; x3 ~~ 1*x3"
    est = csi.fit(text, frame, csi.SEM(estimator=estimator))
    found = csi.fit_measures(est)
    assert found["df"] == 6
    assert found["npar"] == 0
    assert found["srmr"] < 0.2
    assert "identified" not in str(est)


@pytest.mark.parametrize("text", ["x1 ~ 1*x2 + x3; x2 ~ 1*x1 + x4", "x1 ~ start(1)*x2 + x3; x2 ~ start(1)*x1 + x4"])
def test_a_loop_that_amplifies_itself_without_end_has_a_reason(text):
    rng = np.random.default_rng(2)
    frame = pl.DataFrame(rng.standard_normal((200, 4)), schema=["x1", "x2", "x3", "x4"])
    est = csi.fit(text, frame, csi.SEM())
    assert not est.convergence.converged[0]
    assert est.convergence.reasons[0].code == "R-CONVERGE"


def test_what_has_no_answer_is_told_without_a_traceback(capsys, tmp_path):
    rng = np.random.default_rng(2)
    f = rng.standard_normal(300)
    frame = pl.DataFrame({f"x{i}": f + rng.standard_normal(300) for i in range(1, 5)})
    est = csi.fit("f =~ x1 + x2 + x3 + x4", frame, csi.SEM(estimator="ULS"))
    with pytest.raises(csi.Problems, match="robust form"):
        csi.residuals(est, "standardised")
    with pytest.raises(csi.Problems, match="1e400 is too large"):
        csi.Model.parse("f =~ NA*x1 + 1e400*x2 + x3")
    frame.write_csv(tmp_path / "rows.csv")
    assert main(["fit", "", str(tmp_path / "rows.csv"), "--lang", "en"]) == 2
    assert "the model text is empty" in capsys.readouterr().err
