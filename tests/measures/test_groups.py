"""Comparing groups: MICOM and MGA against cSEM and seminr, what is withheld, what is printed.

Provenance and tolerances: tests/reference/groups/provenance.json.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

import csi
from csi.display import text
from csi.inference.adjust import benjamini_hochberg, holm
from csi.inference.permutation import exchanged_moments
from csi.measures.composite_implied import d_g, d_uls
from csi.measures.group_distances import euclidean, geodesic
from csi.measures.group_tests import henseler, parametric, spread, welch
from csi.measures.micom import composition
from tests.measures.conftest import model_of, read
from tests.measures.grouped_answers import MODEL, answers, fitted

MICOM, MGA = read("groups", "micom.json"), read("groups", "mga.json")
DATA = Path(os.environ.get("CSI_REFERENCE_DIR", "/nowhere")) / "data"
needs_rows = pytest.mark.skipif(not DATA.exists(), reason="CSI_REFERENCE_DIR names no reference data")


def stacked(groups, names):
    """Groups as one stack of moments."""
    n = np.array([float(g["n"]) for g in groups.values()])
    blank = np.full(len(names), np.nan)
    return csi.Moments(
        names=tuple(names),
        n=n,
        sum_w=n,
        sum_w2=n,
        mean=np.array([g["mean"] for g in groups.values()]),
        cov=np.array([g["cov"] for g in groups.values()]),
        cells=pl.DataFrame({"group": list(groups), "n": n.astype(int)}),
        minimum=blank,
        maximum=blank,
    )


def pooled_of(groups, names):
    """All rows of the groups as one."""
    parts = {k: csi.Moments.of(names, g["cov"], g["n"], g["mean"]) for k, g in groups.items()}
    whole = csi.Moments.grouped(parts)
    return csi.Moments.of(names, whole.cov[0], whole.n[0], whole.mean[0])


def compared_by_moments(groups, names, model, items):
    est = csi.fit(model, stacked(groups, names), csi.PLS())
    pooled = csi.fit(model, pooled_of(groups, names), csi.PLS())
    return est, composition(pooled, items)(est, len(groups))


@pytest.fixture(scope="module")
def unlike():
    """Two groups whose first construct is not composed alike."""
    return fitted(answers({"east": 150, "west": 150}, weights=((1.0, 1.0, 0.1), (0.1, 1.0, 1.0))))


@pytest.fixture(scope="module")
def three():
    return csi.mga(fitted(answers({"x": 60, "y": 70, "z": 80})), permutations=199, bootstraps=200)


def test_compositions_correlate_as_in_csem() -> None:
    _, ours = compared_by_moments(MICOM["groups"], MICOM["names"], model_of("satisfaction"), "answers")
    np.testing.assert_allclose(ours["c"][0, 0], MICOM["c"], rtol=0, atol=1e-6)


def test_differences_of_means_and_variances_are_those_of_csem_on_the_rows_it_compares() -> None:
    """Its labels stand at other rows than the true ones: see provenance.json."""
    _, ours = compared_by_moments(MICOM["csem_rows"], MICOM["names"], model_of("satisfaction"), "answers")
    np.testing.assert_allclose(ours["mean"][0, 0] - ours["mean"][0, 1], MICOM["mean_difference"], rtol=0, atol=1e-6)
    ratio = ours["log_variance"][0, 0] - ours["log_variance"][0, 1]
    np.testing.assert_allclose(ratio, MICOM["log_variance_ratio"], rtol=0, atol=1e-6)


def test_estimates_of_the_groups_are_those_of_seminr() -> None:
    est = csi.fit(model_of("mobi"), stacked(MGA["groups"], MGA["names"]), csi.PLS())
    at = [
        (est.solution.constructs.index(y), est.solution.constructs.index(x))
        for x, y in zip(MGA["source"], MGA["target"], strict=True)
    ]
    ours = np.array([est.solution.paths[:, y, x] for y, x in at]).T
    np.testing.assert_allclose(ours, [MGA["group1_beta"], MGA["group2_beta"]], rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours[0] - ours[1], MGA["diff"], rtol=0, atol=1e-6)


def bank(labels=None):
    frame = pl.read_csv(DATA / "satisfaction/satisfaction.csv")
    frame = frame if labels is None else frame.with_columns(gender=pl.Series(labels))
    return csi.fit(model_of("satisfaction"), frame, csi.PLS(), by="gender")


def within_error(ours, theirs, n, m):
    """Two permutation p of n and m exchanges: |difference| below 4 standard errors, and one step of each."""
    p = (ours * n + theirs * m) / (n + m)
    bound = 4 * np.sqrt(p * (1 - p) * (1 / n + 1 / m)) + 1 / n + 1 / m
    assert (np.abs(ours - theirs) <= bound).all(), (ours, theirs)


@needs_rows
def test_p_values_of_micom_are_those_of_csem() -> None:
    found = csi.micom(bank(), permutations=2000, items="answers", anyway=True).table
    np.testing.assert_allclose(found["c"], MICOM["c"], rtol=0, atol=1e-6)
    within_error(found["p_c"].to_numpy(), np.array(MICOM["p_c"]), 2000, 499)
    labels = ["female"] * MICOM["csem_rows"]["female"]["n"] + ["male"] * MICOM["csem_rows"]["male"]["n"]
    as_csem = csi.micom(bank(labels), permutations=2000, anyway=True).table
    np.testing.assert_allclose(as_csem["mean_difference"], MICOM["mean_difference"], rtol=0, atol=1e-6)
    within_error(as_csem["p_mean"].to_numpy(), np.array(MICOM["p_mean"]), 2000, 499)
    within_error(as_csem["p_variance"].to_numpy(), np.array(MICOM["p_variance"]), 2000, 499)


@needs_rows
def test_step_3_by_hand_on_the_true_groups() -> None:
    """Scores of the pooled data, row by row."""
    frame = pl.read_csv(DATA / "satisfaction/satisfaction.csv")
    pooled = csi.fit(model_of("satisfaction"), frame, csi.PLS())
    found = csi.micom(bank(), permutations=99, anyway=True).table
    x = frame.select(pooled.solution.items).to_numpy().astype(float)
    z = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    scores = np.stack([z[:, (b := pooled.solution.block == j)] @ pooled.solution.weights[0, b] for j in range(6)])
    women = (frame["gender"] == "female").to_numpy()
    means = scores[:, women].mean(axis=1) - scores[:, ~women].mean(axis=1)
    ratio = np.log(scores[:, women].var(axis=1, ddof=1) / scores[:, ~women].var(axis=1, ddof=1))
    np.testing.assert_allclose(found["mean_difference"], means, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found["log_variance_ratio"], ratio, rtol=0, atol=1e-9)


@needs_rows
def test_henseler_p_is_that_of_seminr() -> None:
    """Monte Carlo: each p of B bootstrap pairs has a standard error of about sqrt(p (1 - p) 2 / B)."""
    frame = pl.read_csv(DATA / "mobi/mobi.csv").with_columns(
        g=pl.when(pl.col("CUEX1") < 8).then(pl.lit("1 low")).otherwise(pl.lit("2 high"))
    )
    est = csi.fit(model_of("mobi"), frame, csi.PLS(), by="g")
    found = csi.mga(est, permutations=99, bootstraps=3000, anyway=True).table.filter(kind="path")
    rows = {(r["rhs"], r["lhs"]): r for r in found.iter_rows(named=True)}
    ours = [rows[pair] for pair in zip(MGA["source"], MGA["target"], strict=True)]
    np.testing.assert_allclose([r["difference"] for r in ours], MGA["diff"], rtol=0, atol=1e-6)
    one_sided = np.array(MGA["pls_mga_p"])
    theirs = 2 * np.minimum(one_sided, 1 - one_sided)
    error = 2 * np.sqrt(one_sided * (1 - one_sided) * 2 * (1 / 3000 + 1 / 2000))
    assert (np.abs([r["p_henseler"] for r in ours] - theirs) < 4 * error).all()


def test_henseler_counts_all_pairs() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(0.3, 1, size=(50, 1)), rng.normal(size=(40, 1))
    pairs = [2 * a.mean() - x - 2 * b.mean() + y > 0 for x in a[:, 0] for y in b[:, 0]]
    assert henseler(np.zeros(1), np.zeros(1), a, b)[0] == pytest.approx(1 - np.mean(pairs))


def test_t_tests_by_scipy() -> None:
    """With errors s / sqrt(n) of means Welch's is scipy's; the pooled one is Keil's formula."""
    rng = np.random.default_rng(4)
    x, y = rng.normal(0.4, 1, 30), rng.normal(0, 2, 50)
    se = np.array([x.std(ddof=1) / np.sqrt(30)]), np.array([y.std(ddof=1) / np.sqrt(50)])
    d = np.array([x.mean() - y.mean()])
    assert welch(d, se, (30, 50))[0] == pytest.approx(stats.ttest_ind(x, y, equal_var=False).pvalue, abs=1e-12)
    pooled = np.sqrt((29**2 * se[0] ** 2 + 49**2 * se[1] ** 2) / 78) * np.sqrt(1 / 30 + 1 / 50)
    assert parametric(d, se, (30, 50))[0] == pytest.approx(2 * stats.t.sf(abs(d / pooled), 78)[0], abs=1e-12)


def test_distances_are_means_over_pairs() -> None:
    rng = np.random.default_rng(5)
    cor = np.stack([np.corrcoef(rng.normal(size=(50, 4)) + rng.normal(size=(50, 1)), rowvar=False) for _ in range(6)])
    groups = cor.reshape(2, 3, 4, 4)
    pairs = [(0, 1), (0, 2), (1, 2)]
    by_hand = np.mean([d_g(groups[:, g], groups[:, h]) for g, h in pairs], axis=0)
    np.testing.assert_allclose(geodesic(cor, 3), by_hand, rtol=1e-9)
    by_hand = np.mean([d_uls(groups[:, g], groups[:, h]) for g, h in pairs], axis=0)
    np.testing.assert_allclose(euclidean(cor, 3), by_hand, rtol=1e-9)
    singular = cor.copy()
    singular[0] = 1.0
    assert np.isnan(geodesic(singular, 3)).tolist() == [True, False]
    singular[5] = 1.0
    assert np.isnan(geodesic(singular, 3)).tolist() == [True, True]


def test_adjusted_p_by_scipy() -> None:
    p = np.array([0.01, 0.2, np.nan, 0.03, 0.04, 0.5])
    known = np.isfinite(p)
    np.testing.assert_allclose(benjamini_hochberg(p)[known], stats.false_discovery_control(p[known]), atol=1e-15)
    np.testing.assert_allclose(holm(p)[known], [0.05, 0.4, 0.12, 0.12, 0.5], atol=1e-15)
    assert np.isnan(holm(p)[2])
    assert np.isnan(benjamini_hochberg(p)[2])


def test_a_pair_is_tested_as_if_there_were_no_other_group(three) -> None:
    frame = answers({"x": 60, "y": 70, "z": 80})
    alone = csi.mga(fitted(frame.filter(pl.col("g") != "z")), permutations=199, bootstraps=0, anyway=True)
    both = three.table.filter(group_1="x", group_2="y")
    for name in ("estimate_1", "estimate_2", "p_permutation"):
        np.testing.assert_allclose(both[name], alone.table[name], rtol=0, atol=1e-12)
    pair = three.micom.table.filter(group_1="x", group_2="y")
    np.testing.assert_allclose(pair["p_c"], alone.micom.table["p_c"], rtol=0, atol=1e-12)


def one_rule(found, alpha):
    """Every pair by its Holm p, every construct by the least of its pairs, the sentence and mga by the construct."""
    order = ["none", "partial", "full"]
    kinds = {"none": "not comparable", "partial": "partial invariance", "full": "full invariance"}
    gate = found.micom
    for construct, part in gate.table.group_by("construct"):
        rows = list(part.iter_rows(named=True))
        for step in ("c", "mean", "variance"):
            np.testing.assert_allclose([r[f"p_{step}_holm"] for r in rows], holm(part[f"p_{step}"]), atol=1e-12)
        for r in rows:
            same = min(r["p_mean_holm"], r["p_variance_holm"]) >= alpha
            assert r["invariance"] == ("none" if r["p_c_holm"] < alpha else "full" if same else "partial")
        least = min((r["invariance"] for r in rows), key=order.index)
        assert gate.omnibus.filter(construct=construct[0])["invariance"].item() == least
        assert kinds[least] in gate.sentences[construct[0]].en
    known = dict(gate.omnibus.select("construct", "invariance").iter_rows())
    beside = {"b": "ab", "s": "abs"}  # a path is partial: it rests on all predictors of its outcome
    for r in found.omnibus.filter(kind="path").iter_rows(named=True):
        assert r["invariance"] == min((known[c] for c in beside[r["lhs"]]), key=order.index)
    return known


def test_verdicts_of_more_than_two_groups_rest_on_one_rule() -> None:
    frame = answers({"x": 60, "y": 70, "z": 80})
    high = frame.with_columns(
        pl.when(pl.col("g") == "z").then(pl.col(i) + 0.9).otherwise(i) for i in ("b1", "b2", "b3")
    )
    found = csi.mga(fitted(high), permutations=199, bootstraps=0, anyway=True)
    assert one_rule(found, 0.05)["b"] == "partial"
    said = found.micom.sentences["b"]
    assert "smallest p" in said.en
    assert "adjusted" in said.en
    assert "校正后" in said.zh
    assert "p mean adj." in text(found.micom)
    assert "均值校正 p" in text(found.micom, "zh")
    assert any(n.code == "N-MICOM-HOLM" for n in found.notes)


def test_a_raw_p_alone_rejects_nothing(three) -> None:
    """The composition of `b` in x and y: raw p below .05, adjusted not, so nothing is withheld anywhere."""
    row = three.micom.table.filter(construct="b", group_1="x", group_2="y").row(0, named=True)
    assert row["p_c"] < 0.05 <= row["p_c_holm"]
    known = one_rule(three, 0.05)
    assert row["invariance"] == known["b"] == "full"
    assert three.micom.failing() == frozenset()
    assert set(three.table.filter(kind="path")["invariance"]) == {"full"}


def test_over_all_groups(three) -> None:
    """Spread, range and distances from the groups' own estimates."""
    est = fitted(answers({"x": 60, "y": 70, "z": 80}))
    paths = est.table.filter(op="~")["estimate"].to_numpy().reshape(3, -1)
    over = three.omnibus.filter(kind="path")
    share = np.array([60, 70, 80]) / 210
    np.testing.assert_allclose(over["spread"], spread(paths, share), atol=1e-12)
    np.testing.assert_allclose(over["range"], paths.max(axis=0) - paths.min(axis=0), atol=1e-12)
    assert over["p_spread"].is_between(1 / 200, 1).all()
    assert three.omnibus.filter(kind="path")["p_holm"].to_list() == pytest.approx(holm(over["p_spread"]).tolist())
    assert three.distances.height == 4 * (1 + 3)
    assert set(three.table["kind"]) == {"path", "total", "r2", "loading", "weight"}


def test_two_groups_have_no_omnibus_of_their_own(unlike) -> None:
    found = csi.mga(unlike, permutations=99, bootstraps=0, anyway=True)
    assert found.omnibus.height == 0
    assert found.micom.omnibus["p_mean"].to_list() == found.micom.table["p_mean"].to_list()


def test_what_rests_on_a_construct_that_fails_step_2_is_withheld(unlike) -> None:
    found = csi.mga(unlike, permutations=199, bootstraps=200)
    assert found.micom.failing() == {"a"}
    rows = found.table.filter(invariance="none")
    assert set(rows["kind"]) == {"path", "total", "r2"}
    assert rows["reason"].to_list() == ["R-COMPOSITION"] * rows.height
    assert (
        rows.select(pl.exclude("kind", "lhs", "rhs", "group_1", "group_2", "invariance", "reason")).null_count().row(0)
        == (rows.height,) * 9
    )
    assert found.table.filter(kind="weight", lhs="a")["p_permutation"].null_count() == 0
    assert "R-COMPOSITION" in found.reasons
    step_3 = found.micom.table.filter(construct="a")
    assert step_3["mean_difference"].to_list() == [None]
    assert step_3["reason"].to_list() == ["R-COMPOSITION"]
    open_ = csi.mga(unlike, permutations=199, bootstraps=200, anyway=True)
    assert open_.table["p_permutation"].null_count() == 0
    assert dict(open_.table.filter(kind="path", rhs="a").select("lhs", "invariance").rows()) == {
        "b": "none",
        "s": "none",
    }


def test_micom_is_printed_before_any_comparison(unlike) -> None:
    found = csi.mga(unlike, permutations=199, bootstraps=0)
    for lang, first, hidden in (
        ("en", "Measurement invariance of composites (MICOM)", "a: not comparable"),
        ("zh", "合成变量的测量不变性（MICOM）", "a：不可比"),
    ):
        said = text(found, lang)
        assert said.startswith(first)
        assert said.index(hidden) < said.index("R-COMPOSITION")
    assert "Step 1, configural" in repr(found)


def test_invariance_that_was_run_before_is_used(unlike) -> None:
    lenient = csi.micom(unlike, permutations=99, alpha=0.001)
    found = csi.mga(unlike, permutations=99, bootstraps=0, micom=lenient)
    assert found.micom is lenient
    other = csi.micom(fitted(answers({"x": 60, "y": 70})), permutations=99)
    with pytest.raises(csi.Problems, match="of other groups"):
        csi.mga(unlike, permutations=99, bootstraps=0, micom=other)


@pytest.mark.parametrize("way", ["weighting", "items", "answers"])
def test_invariance_of_another_fit_is_refused(way) -> None:
    frame = answers({"x": 60, "y": 60})
    gate = csi.micom(fitted(frame), permutations=99)
    shifted = frame.with_columns(a1=pl.when(pl.col("g") == "x").then(pl.col("a1") + 1).otherwise("a1"))
    other = {
        "weighting": lambda: csi.fit(MODEL, frame, csi.PLS(weighting="factorial"), by="g"),
        "items": lambda: csi.fit(MODEL.replace("a1 + a2 + a3", "a1 + a2"), frame, csi.PLS(), by="g"),
        "answers": lambda: fitted(shifted),
    }[way]()
    with pytest.raises(csi.Problems, match="of another fit") as caught:
        csi.mga(other, permutations=99, bootstraps=0, micom=gate)
    assert [(p.code, p.where) for p in caught.value.problems] == [("E-MICOM", "micom")]
    assert "另一次拟合" in str(caught.value.problems[0].what.zh)


def test_invariance_of_the_same_scores_is_taken_whatever_is_done_with_them() -> None:
    frame = answers({"x": 60, "y": 60})
    gate = csi.micom(fitted(frame), permutations=99)
    consistent = csi.fit(MODEL, frame, csi.PLS(consistent=True), by="g")
    assert csi.mga(consistent, permutations=99, bootstraps=0, micom=gate).micom is gate


def test_a_real_difference_is_found_and_told() -> None:
    one, other = answers({"north": 200}, seed=3, path=0.8), answers({"south": 200}, seed=4, path=0.3)
    found = csi.mga(fitted(pl.concat([one, other])), permutations=199, bootstraps=200)
    row = found.table.filter(kind="path", lhs="b", rhs="a").row(0, named=True)
    for p in ("p_permutation", "p_holm", "p_henseler", "p_parametric", "p_welch"):
        assert row[p] < 0.05
    assert row["difference"] > 0.3
    assert any("a -> b" in s.en and "north less south" in s.en for s in found.sentences)


def test_units_in_several_groups_have_no_tests_of_independent_groups() -> None:
    frame = answers({"x": 80, "y": 80}).with_columns(u=pl.Series([*range(80), *range(80)]))
    found = csi.mga(fitted(frame, unit="u"), permutations=99, bootstraps=200)
    assert found.table["p_henseler"].null_count() == found.table.height
    assert found.table["p_permutation"].null_count() < found.table.height
    assert "R-DEPENDENT" in found.reasons
    assert any(n.code == "N-PERMUTED-WITHIN" for n in found.notes)


def test_weights_travel_with_their_rows() -> None:
    """Equal weights change nothing; other weights give the weighted groups' estimates."""
    frame = answers({"x": 80, "y": 90})
    plain = csi.micom(fitted(frame), permutations=99)
    same = csi.micom(fitted(frame.with_columns(w=pl.lit(2.0)), weight="w"), permutations=99)
    np.testing.assert_allclose(plain.table["p_c"], same.table["p_c"])
    rng = np.random.default_rng(6)
    est = fitted(frame.with_columns(w=pl.Series(rng.uniform(0.5, 2, 170))), weight="w")
    found = csi.mga(est, permutations=99, bootstraps=0, anyway=True).table.filter(kind="path")
    np.testing.assert_allclose(found["estimate_1"], est.table.filter(op="~", g="x")["estimate"], atol=1e-6)


def test_a_construct_of_one_item_is_composed_alike_by_definition() -> None:
    frame = answers({"x": 60, "y": 60})
    est = csi.fit("a =~ a1 + a2; s =~ s1; s ~ a", frame, csi.PLS(), by="g")
    row = csi.micom(est, permutations=99).table.filter(construct="s").row(0, named=True)
    assert row["c"] == pytest.approx(1)
    assert row["p_c"] == 1
    assert csi.mga(est, permutations=99, bootstraps=0).table.filter(kind="loading", lhs="s").height == 0


def test_consistent_pls_is_compared_by_its_own_paths() -> None:
    est = csi.fit(MODEL, answers({"x": 120, "y": 120}), csi.PLS(consistent=True), by="g")
    found = csi.mga(est, permutations=99, bootstraps=0, anyway=True).table.filter(kind="path")
    np.testing.assert_allclose(found["estimate_1"], est.table.filter(op="~", g="x")["estimate"], atol=1e-9)


def test_the_groups_as_observed_are_among_their_exchanges() -> None:
    """Data and permutations go the same way: the memberships as they are give what is reported."""
    est = fitted(answers({"x": 60, "y": 70}))
    moments = exchanged_moments(est.sample, est.sample.cell[None])
    again = est.settings.solve(est.model, moments)
    found = csi.mga(est, permutations=99, bootstraps=0, anyway=True).table.filter(kind="path")
    np.testing.assert_allclose(found["estimate_1"], again.values[0, -3:], atol=1e-9)


PRODUCT = "a =~ a1 + a2 + a3; b =~ b1 + b2 + b3; s =~ s1 + s2; s ~ a + b + a:b"


@pytest.mark.parametrize("how", ["two-stage", "product", "orthogonal"])
def test_products_are_compared_and_rest_on_their_factors(how) -> None:
    est = csi.fit(PRODUCT, answers({"x": 120, "y": 90}), csi.PLS(interaction=how), by="g")
    found = csi.mga(est, permutations=99, bootstraps=0, anyway=True)
    paths = found.table.filter(kind="path")
    np.testing.assert_allclose(paths["estimate_1"], est.table.filter(op="~", g="x")["estimate"], atol=1e-6)
    np.testing.assert_allclose(paths["estimate_2"], est.table.filter(op="~", g="y")["estimate"], atol=1e-6)
    assert set(found.micom.omnibus["construct"]) == {"a", "b", "s"}
    least = dict(found.micom.omnibus.select("construct", "invariance").iter_rows())
    order = ["none", "partial", "full"]
    product = paths.filter(rhs="a:b")["invariance"].item()
    assert order.index(product) == min(order.index(v) for v in least.values())
    assert any(n.code == "N-MICOM-PRODUCT" for n in found.notes)
    again = csi.mga(est, permutations=99, bootstraps=0, micom=found.micom, anyway=True)
    assert again.micom is found.micom


def test_higher_order_constructs_have_a_composition_of_their_own() -> None:
    text_ = "a =~ a1 + a2 + a3; b =~ b1 + b2 + b3; s =~ s1 + s2; h =~ a + b; s ~ h"
    est = csi.fit(text_, answers({"x": 120, "y": 90}), csi.PLS(), by="g")
    found = csi.mga(est, permutations=99, bootstraps=0, anyway=True)
    row = found.micom.table.filter(construct="h").row(0, named=True)
    W, pooled = est.solution.item_weights[:, :, 3], csi.fit(text_, answers({"x": 120, "y": 90}), csi.PLS())
    at = [pooled.moments.names.index(i) for i in est.solution.items]
    R = pooled.moments.cor[0][np.ix_(at, at)]
    by_hand = W[0] @ R @ W[1] / np.sqrt(W[0] @ R @ W[0] * (W[1] @ R @ W[1]))
    assert row["c"] == pytest.approx(by_hand, abs=1e-9)
    assert found.table.filter(kind="path", lhs="s", rhs="h")["p_permutation"].null_count() == 0


@pytest.mark.parametrize("missing", ["pairwise", "mean", "listwise"])
def test_absent_answers_are_treated_in_every_exchange_as_in_the_fit(missing) -> None:
    frame, rng = answers({"x": 120, "y": 90}), np.random.default_rng(3)
    holes = frame.with_columns(a1=pl.when(pl.Series(rng.random(210) > 0.1)).then("a1"))
    est = csi.fit(MODEL, holes, csi.PLS(missing=missing), by="g")
    found = csi.mga(est, permutations=99, bootstraps=0, anyway=True).table.filter(kind="path")
    np.testing.assert_allclose(found["estimate_1"], est.table.filter(op="~", g="x")["estimate"], atol=1e-6)


@pytest.mark.parametrize("estimator", [csi.SumScores(), csi.GSCA()])
def test_other_composites_are_compared_alike(estimator) -> None:
    est = csi.fit(MODEL, answers({"x": 120, "y": 90}), estimator, by="g")
    found = csi.mga(est, permutations=99, bootstraps=0, anyway=True).table.filter(kind="path")
    np.testing.assert_allclose(found["estimate_1"], est.table.filter(op="~", g="x")["estimate"], atol=1e-6)
    assert found["p_permutation"].null_count() == 0


def test_few_clusters_are_told_and_counted_by_the_t_tests() -> None:
    frame = answers({"x": 60, "y": 60}).with_columns(u=pl.Series([f"u{k // 20}" for k in range(120)]))
    found = csi.mga(fitted(frame, unit="u"), permutations=199, bootstraps=200, anyway=True)
    assert any(n.code == "W-PERMUTED-FEW" and "20 different" in n.text.en for n in found.notes)
    boot = csi.bootstrap(fitted(frame, unit="u"), n=200, seed=1)
    row = found.table.filter(kind="path").row(0, named=True)
    errors = boot.table.filter(op="~", lhs=row["lhs"], rhs=row["rhs"])["std_error"].to_numpy()
    p = welch(np.array([row["difference"]]), (errors[:1], errors[1:]), (3, 3))
    assert row["p_welch"] == pytest.approx(p[0], abs=1e-9)
