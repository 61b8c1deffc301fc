"""What several estimators say about the same paths, index, drivers and ranks, and whether it depends on them."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.measures.admissible import withheld_cells
from csi.tracking.compare import compare
from csi.tracking.estimands import estimand, relation
from csi.tracking.triangulate import directions, doubtful_cells, own_item_weights, triangulate
from csi.tracking.verdict import verdict
from tests.pls.test_parity import REFERENCE

TEXT = "image =~ i1 + i2 + i3\nvalue =~ v1 + v2\nsat =~ s1 + s2 + s3\nvalue ~ image\nsat ~ image + value"
SETTINGS = (csi.PLS(), csi.PLS(consistent=True), csi.SEM(estimator="MLR"), csi.SumScores(), csi.GSCA())


@pytest.fixture(scope="module")
def answers() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    n = 600
    brand = np.repeat([0, 1, 2], n // 3)
    image = rng.normal(size=n) + 0.25 * brand
    value = 0.5 * image + 0.85 * rng.normal(size=n)
    sat = 0.5 * image + 0.3 * value + 0.7 * rng.normal(size=n)
    columns = np.column_stack([image] * 3 + [value] * 2 + [sat] * 3)
    loud = np.array([0.5, 0.8, 1.2, 0.6, 0.7, 0.5, 0.7, 1.0])
    x = np.clip(np.round(5.5 + 1.3 * (columns + loud * rng.normal(size=columns.shape))), 1, 10)
    names = ["i1", "i2", "i3", "v1", "v2", "s1", "s2", "s3"]
    return pl.DataFrame(x, schema=names).with_columns(brand=pl.Series([f"B{b}" for b in brand]))


@pytest.fixture(scope="module")
def fits(answers):
    return [csi.fit(TEXT, answers, s, scale=(1, 10)) for s in SETTINGS]


def test_values_are_those_of_the_estimates(fits) -> None:
    made = compare(*fits)
    assert made.target == "sat"
    paths = made.side_by_side.filter(part="path")
    assert paths["name"].to_list() == ["value ~ image", "sat ~ image", "sat ~ value"]
    effects = made.side_by_side.filter(part="total effect")
    for k, est in enumerate(fits, 1):
        B = est.solution.paths[0]
        np.testing.assert_allclose(paths[f"value_{k}"], [B[1, 0], B[2, 0], B[2, 1]], atol=1e-12)
        np.testing.assert_allclose(effects[f"value_{k}"], [B[2, 0] + B[2, 1] * B[1, 0], B[2, 1]], atol=1e-12)
    indices = made.side_by_side.filter(part="index")
    for k in (1, 2, 4, 5):
        np.testing.assert_allclose(indices[f"value_{k}"], csi.index(fits[k - 1]).table["index"], atol=1e-12)


def test_attenuated_paths_are_flagged_in_the_standard_errors_of_the_only_estimator_that_has_some(fits) -> None:
    made = compare(*fits)
    row = made.side_by_side.filter(part="path", name="value ~ image").row(0, named=True)
    values = [row[f"value_{k}"] for k in range(1, 6)]
    gaps = [v - values[0] for v in values]
    assert row["difference"] == max(gaps, key=abs)
    errors = csi.standardised(fits[2]).filter(pl.col("op") == "~", pl.col("lhs") == "value")["std_error"]
    assert row["std_error"] == pytest.approx(errors.item(), rel=1e-12)
    assert row["in_se"] == pytest.approx(max(map(abs, gaps)) / errors.item(), rel=1e-12)
    assert row["differs"] is (row["in_se"] > 2)
    assert made.side_by_side.filter(part="path")["differs"].any()


def test_the_largest_standard_error_is_the_yardstick_whatever_the_order(fits) -> None:
    boot = csi.bootstrap(fits[3], 100, seed=1)
    made = compare(fits[0], fits[2], boot)
    drawn = boot.table.filter(op="~")["std_error"].to_numpy()
    rows = csi.standardised(fits[2]).filter(op="~")
    normal = np.array(
        [
            rows.filter(lhs=y, rhs=x)["std_error"].item()
            for y, x in boot.table.filter(op="~").select("lhs", "rhs").rows()
        ]
    )
    paths = made.side_by_side.filter(part="path")
    np.testing.assert_allclose(paths["std_error"], np.maximum(drawn, normal), rtol=1e-9)
    other = compare(fits[0], boot, fits[2]).side_by_side.filter(part="path")
    assert other["differs"].to_list() == paths["differs"].to_list()
    said = next(n for n in made.notes if n.code == "N-COMPARE-ERROR")
    assert "largest of the standard errors" in said.say("en")
    assert "最大者" in said.say("zh")
    alone = compare(fits[0], fits[3], boot)
    assert "N-COMPARE-ERROR" not in {n.code for n in alone.notes}
    index = made.side_by_side.filter(part="index")["std_error"]
    np.testing.assert_allclose(index, csi.index(boot).table["std_error"], rtol=1e-12)


def test_the_verdict_counts_what_the_table_flags(fits) -> None:
    made = compare(*fits)
    flagged = made.side_by_side.filter(part="path")["differs"].sum()
    assert f"{flagged} of 3 paths" in made.verdict.en
    assert "depends on the estimator" in made.verdict.en
    assert "结论依赖于估计方法" in made.verdict.zh
    same = compare(fits[0], csi.fit(TEXT, fits[0].moments, csi.PLS(tolerance=1e-10)), fits[0])
    assert "does not depend on the estimator" in same.verdict.en
    assert "路径最多相差" in same.verdict.zh


def test_estimators_without_standard_errors_are_not_said_to_agree(answers) -> None:
    by = [csi.fit(TEXT, answers, s, scale=(1, 10)) for s in (csi.PLS(), csi.SumScores())]
    made = compare(*by)
    paths = made.side_by_side.filter(part="path")
    assert paths["in_se"].null_count() == paths.height
    assert paths["difference"].abs().max() > 1e-4
    if not made.side_by_side["differs"].any():
        assert "cannot be judged without standard errors" in made.verdict.en
        assert "无法判断结论是否依赖于估计方法" in made.verdict.zh
    assert "does not depend" not in made.verdict.en
    assert "csi.bootstrap" in made.verdict.en


def test_brands_are_ranked_and_changes_counted(answers) -> None:
    by = [csi.fit(TEXT, answers, s, by=["brand"], scale=(1, 10)) for s in SETTINGS]
    made = compare(*by)
    ranks = made.side_by_side.filter(part="rank", name="sat")
    for k, est in enumerate(by, 1):
        indices = made.side_by_side.filter(part="index", name="sat")[f"value_{k}"].to_numpy()
        assert ranks[f"value_{k}"].to_list() == (3 - np.argsort(np.argsort(indices))).tolist()
        assert est.solution.paths.shape[0] == 3
    assert ranks["brand"].to_list() == ["B0", "B1", "B2"]
    assert "all 3 ranks are the same" in made.verdict.en
    assert made.side_by_side.filter(part="path").height == 9


def test_a_factor_s_own_item_weights_are_loading_by_error_variance(fits) -> None:
    """Bartlett's weights of one factor: Theta^-1 lambda on raw items, times the (equal) spans."""
    sem = fits[2]
    table = {(r["lhs"], r["op"], r["rhs"]): r["estimate"] for r in sem.table.iter_rows(named=True)}
    items = ("i1", "i2", "i3")
    raw = np.array([table["image", "=~", i] / table[i, "~~", i] for i in items])
    ours = own_item_weights(sem, directions(sem, sem))["image"]
    share = np.array([ours[i] for i in items])
    np.testing.assert_allclose(share / share.sum(), raw / raw.sum(), rtol=1e-6)
    expected = raw / raw.sum() @ (sem.moments.mean[0, :3] - 1) / 9 * 100
    row = compare(*fits).side_by_side.filter(part="index", name="image").row(0, named=True)
    assert row["value_3"] == pytest.approx(expected, rel=1e-6)


def test_paths_that_must_not_be_read_are_left_out() -> None:
    """The full ECSI on mobi cannot be told apart by factors: standardised paths of 2.19 and 3.27."""
    saved = json.loads((REFERENCE / "mobi/moments.json").read_text("utf-8"))
    data = csi.Moments.of(saved["names"], saved["cov"], n=saved["n"], mean=saved["mean"])
    model = (REFERENCE / "mobi/model.txt").read_text("utf-8")
    fits = [csi.fit(model, data, s) for s in (csi.PLS(), csi.SEM(), csi.SumScores())]
    made = compare(*fits)
    paths = made.side_by_side.filter(part="path")
    assert paths["value_2"].null_count() == paths.height
    assert paths["value_1"].null_count() == 0
    assert paths["std_error"].null_count() == paths.height
    told = {n.code: n.say("en") for n in made.notes}
    assert "SEM (ML) are withheld" in told["N-COMPARE-WITHHELD"]
    assert "bounds" in told["N-COMPARE-INDEX"]
    assert "the paths of SEM (ML) cannot be read and are left out" in made.verdict.en
    assert made.side_by_side.filter(part="index").height == 0
    hidden = made.table.filter(pl.col("op") == "~")
    assert hidden["estimate_2"].null_count() == hidden["difference_2"].null_count() == hidden.height
    assert hidden["estimate_1"].null_count() == 0
    assert not any(" ~ " in s.en for s in made.sentences[:1])  # only what may be read is quoted
    alone = [n.say("en") for n in made.notes if n.code == "N-COMPARE-ALONE"]
    assert alone == [
        "24 parameters are in PLS (path) alone.",
        "31 parameters are in SEM (ML) alone.",
    ]  # weights, variances


def test_cells_that_must_not_be_read_are_found_at_a_glance() -> None:
    """Four cells, one of them mobi, where the full ECSI cannot be told apart."""
    saved = json.loads((REFERENCE / "mobi/moments.json").read_text("utf-8"))
    sick = np.array(saved["cov"])
    sd = np.sqrt(np.diag(sick))
    model = csi.Model.parse((REFERENCE / "mobi/model.txt").read_text("utf-8"))
    owner = np.array([k for k, c in enumerate(model.constructs) for _ in c.items])
    factors = np.full((7, 7), 0.5) + 0.5 * np.eye(7)
    load = np.where(owner == 5, 1.0, 0.8)
    well = np.outer(load, load) * factors[np.ix_(owner, owner)]
    np.fill_diagonal(well, 1.0)
    stack = np.stack([well * np.outer(sd, sd)] * 2 + [sick] + [well * np.outer(sd, sd)])
    one = csi.Moments.of(saved["names"], saved["cov"], n=saved["n"], mean=saved["mean"])
    size = np.full(4, 250.0)
    cells = pl.DataFrame({"brand": list("ABCD"), "n": [250] * 4})
    data = replace(one, n=size, sum_w=size, sum_w2=size, mean=np.repeat(one.mean, 4, axis=0), cov=stack, cells=cells)
    est = csi.fit(model, data, csi.SEM())
    assert doubtful_cells(est) == [2]
    assert set(withheld_cells(est)) == set(withheld_cells(est, doubtful_cells(est))) == {2}


def test_a_factor_that_points_the_other_way_is_turned(answers) -> None:
    frame = answers.with_columns(11 - pl.col("i1"))
    down = csi.fit(TEXT, frame, csi.SEM())  # the marker item is reversed
    up = csi.fit(TEXT.replace("i1 + i2 + i3", "i2 + i3 + i1"), frame, csi.SEM())
    made = triangulate({"up": up, "down": down})
    path = made.table.filter(part="path", name="value ~ image").row(0, named=True)
    assert path["value_up"] > 0
    assert path["value_down"] == pytest.approx(path["value_up"], abs=1e-5)


def test_what_estimators_estimate(fits) -> None:
    pls, plsc, sem, sums, gsca = fits
    assert [estimand(e) for e in fits] == ["weighted sums", "factors", "factors", "sums", "components"]
    assert relation(plsc, sem) == "method"
    assert relation(pls, plsc) == relation(pls, sums) == relation(sums, gsca) == relation(sem, pls) == "estimand"
    assert relation(pls, pls) == "same"
    made = compare(pls, plsc)
    assert made.basis == {"2": "estimate"}


def test_no_paths_no_verdict(answers) -> None:
    made = compare(*(csi.fit("image =~ i1 + i2 + i3", answers, s) for s in (csi.SEM(), csi.SEM(estimator="GLS"))))
    assert made.verdict is None
    assert made.side_by_side.is_empty()


def test_target_is_asked_for_and_checked(fits) -> None:
    made = compare(*fits, target="value")
    assert made.side_by_side.filter(part="driver rank")["name"].to_list() == ["image"]
    with pytest.raises(csi.Problems, match="no construct"):
        compare(*fits, target="vlaue")


def test_what_is_printed(fits) -> None:
    shown = text(compare(*fits))
    assert shown.splitlines()[0] == (
        "Comparison: 1 = PLS (path); 2 = PLSc (path); 3 = SEM (MLR); 4 = sum scores; 5 = GSCA"
    )
    assert "By 5 estimators" in shown.splitlines()[1]
    assert "驱动因素名次" in text(compare(*fits), "zh")
    assert compare(fits[0], fits[2]).verdict.en in text(compare(fits[0], fits[2]))


def test_products_and_higher_orders_stand_beside_each_other(answers) -> None:
    text_ = TEXT + " + image:value"
    made = compare(*(csi.fit(text_, answers, s, scale=(1, 10)) for s in (csi.PLS(), csi.SumScores(), csi.SEM())))
    assert "sat ~ image:value" in made.side_by_side.filter(part="path")["name"].to_list()
    index = made.side_by_side.filter(part="index", name="sat").row(0, named=True)
    assert index["value_3"] == pytest.approx(index["value_1"], abs=1.0)
    above = "image =~ i1 + i2 + i3\nvalue =~ v1 + v2\noffer =~ image + value\nsat =~ s1 + s2 + s3\nsat ~ offer"
    made = compare(*(csi.fit(above, answers, s, scale=(1, 10)) for s in (csi.PLS(), csi.SumScores())))
    assert made.side_by_side.filter(part="path")["name"].to_list() == ["sat ~ offer"]
    assert made.verdict is not None


@pytest.fixture(scope="module")
def ecsi():
    """The full ECSI on mobi by estimators: factors cannot be told apart, consistent PLS can be read."""
    saved = json.loads((REFERENCE / "mobi/moments.json").read_text("utf-8"))
    data = csi.Moments.of(saved["names"], saved["cov"], n=saved["n"], mean=saved["mean"])
    model = (REFERENCE / "mobi/model.txt").read_text("utf-8")
    settings = (csi.SEM(), csi.SEM(estimator="GLS"), csi.PLS(consistent=True), csi.PLS())
    return dict(zip(("ml", "gls", "plsc", "pls"), (csi.fit(model, data, s) for s in settings), strict=True))


@pytest.mark.parametrize("keys", [("ml", "gls"), ("ml", "plsc"), ("plsc", "ml")])
def test_fewer_than_two_readable_estimators_are_not_compared(ecsi, keys) -> None:
    made = compare(*(ecsi[k] for k in keys))
    rows = made.side_by_side
    assert rows["difference"].null_count() == rows["differs"].null_count() == rows.height
    assert "cannot be told" in made.verdict.en
    assert "the paths of SEM (ML)" in made.verdict.en
    assert "leaves no two estimators to compare" in made.verdict.en
    assert "does not depend" not in made.verdict.en
    assert "differ by up to" not in made.verdict.en
    assert "无法判断结论是否依赖于估计方法：SEM (ML)" in made.verdict.zh
    assert "N-COMPARE-WITHHELD" in {n.code for n in made.notes}
    assert made.verdict.en in text(made)


def test_an_unreadable_reference_gives_way_to_the_next_that_can_be_read(ecsi) -> None:
    made, without = compare(ecsi["ml"], ecsi["plsc"], ecsi["pls"]), compare(ecsi["plsc"], ecsi["pls"])
    ours, theirs = (c.side_by_side.filter(part="path") for c in (made, without))
    np.testing.assert_allclose(ours["difference"], theirs["difference"], rtol=1e-12)
    np.testing.assert_allclose(ours["difference"], ours["value_3"] - ours["value_2"], rtol=1e-12)
    assert "the paths of SEM (ML) cannot be read and are left out" in made.verdict.en
    assert "paths differ by up to 0 " not in made.verdict.en


def test_differences_are_counted_from_the_estimator_that_is_read_first() -> None:
    row = {"part": "path", "name": "y ~ x", "value_1": None, "value_2": 0.4, "value_3": 0.7}
    table = pl.DataFrame([row | {"difference": 0.3, "in_se": 3.0, "differs": True}])
    said = verdict(table, {"1": "SEM", "2": "PLSc", "3": "PLS"}, "y", [])
    assert "1 of 1 path differs from PLSc by more than 2 standard errors (most: y ~ x, 0.4 and 0.7)" in said.en
    assert "与 PLSc 相差超过" in said.zh


def test_estimators_that_are_readable_in_different_cells_are_not_compared() -> None:
    """One cell by the one, the other cell by the other."""
    base = {"part": "path", "name": "y ~ x", "difference": None, "in_se": None, "differs": None}
    rows = [base | {"b": "A", "value_1": 0.4, "value_2": None}, base | {"b": "B", "value_1": None, "value_2": 0.7}]
    schema = {"difference": pl.Float64, "in_se": pl.Float64, "differs": pl.Boolean}
    said = verdict(pl.DataFrame(rows, schema_overrides=schema), {"1": "SEM", "2": "PLS"}, "y", ["b"])
    assert "cannot be told: no two of them have readable paths in the same cell" in said.en
    assert "没有任何单元有两种方法的路径可解读" in said.zh


def test_models_of_other_constructs_cannot_be_compared(answers, fits) -> None:
    other = csi.fit("A =~ i1 + i2\nB =~ v1 + v2\nB ~ A", answers, csi.PLS())
    with pytest.raises(csi.Problems) as raised:
        compare(fits[0], other)
    assert [(p.code, p.where) for p in raised.value.problems] == [("E-COMPARE", 'estimate "2"')]


def test_the_target_is_a_construct_that_every_model_explains(answers, fits) -> None:
    part = csi.fit("image =~ i1 + i2 + i3\nvalue =~ v1 + v2\nvalue ~ image", answers, csi.PLS(), scale=(1, 10))
    made = compare(fits[0], part)
    assert made.target == "value"
    row = made.side_by_side.filter(part="total effect").row(0, named=True)
    assert row["value_1"] == pytest.approx(fits[0].solution.paths[0, 1, 0])
    assert row["value_2"] == pytest.approx(part.solution.paths[0, 1, 0])
    with pytest.raises(csi.Problems, match="sat"):
        compare(fits[0], part, target="sat")


def test_a_model_without_paths_stands_beside_one_with_paths(answers, fits) -> None:
    measured = csi.fit(TEXT.partition("\nvalue ~")[0], answers, csi.SEM())
    for pair in ((fits[2], measured), (measured, fits[2])):
        made = compare(*pair)
        assert made.target is None
        assert made.table.height > 8


def test_pooled_factors_have_the_errors_of_standardised_paths() -> None:
    rng = np.random.default_rng(9)
    a = rng.normal(size=(240, 1))
    b = 0.6 * a + 0.8 * rng.normal(size=(240, 1))
    rows = np.hstack([3 * (a + 0.5 * rng.normal(size=(240, 3))), b + 0.5 * rng.normal(size=(240, 3))])
    frame = pl.DataFrame(rows, schema=["a1", "a2", "a3", "b1", "b2", "b3"])
    holes = frame.with_columns(b3=pl.when(pl.col("a1") > 2).then(None).otherwise("b3"))
    model = "A =~ a1 + a2 + a3; B =~ b1 + b2 + b3; B ~ A"
    fits = [csi.fit(model, copy, csi.SEM()) for copy in csi.impute(holes, 5, 1)]
    made = csi.compare(csi.pool(fits), csi.fit(model, holes, csi.SEM(missing="fiml"))).side_by_side
    row = made.filter(part="path").row(0, named=True)
    each = [csi.standardised(est).filter(op="~").row(0, named=True) for est in fits]
    value, error = (np.array([one[c] for one in each]) for c in ("estimate", "std_error"))
    by_hand = np.sqrt((error**2).mean() + 1.2 * value.var(ddof=1))
    assert row["std_error"] == pytest.approx(by_hand, rel=1e-9)
    assert row["value_1"] == pytest.approx(value.mean(), abs=2e-3)
    assert csi.pool(fits).table.filter(op="~")["std_error"][0] < 0.6 * by_hand  # per unit of A, which is large


def test_a_product_is_neither_a_driver_nor_an_index_of_a_comparison() -> None:
    rng = np.random.default_rng(10)
    x, z = rng.normal(size=(2, 200))
    y = 0.5 * x + 0.3 * z + 0.3 * x * z + 0.5 * rng.normal(size=200)
    rows = np.repeat([x, z, y], 2, axis=0).T + 0.5 * rng.normal(size=(200, 6))
    frame = pl.DataFrame(np.clip(np.round(5.5 + 1.5 * rows), 1, 10), schema=["x1", "x2", "z1", "z2", "y1", "y2"])
    model = "x =~ x1 + x2; z =~ z1 + z2; y =~ y1 + y2; y ~ x + z + x:z"
    fits = [csi.fit(model, frame, csi.PLS(weighting=w), scale=(1, 10)) for w in ("path", "centroid")]
    made = csi.compare(*fits, target="y").side_by_side
    assert made.filter(part="path")["name"].to_list() == ["y ~ x", "y ~ z", "y ~ x:z"]
    for part, names in (("driver rank", ["x", "z"]), ("total effect", ["x", "z"]), ("index", ["x", "z", "y"])):
        assert made.filter(part=part)["name"].to_list() == names
