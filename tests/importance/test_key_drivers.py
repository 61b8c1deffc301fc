"""Metrics of importance: published values, hand cases, dominance written out, logits, ranks, cells, refusals."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.importance.key_frames import ranked
from csi.importance.lmg import explained
from csi.importance.metrics import METRICS, agreement, battery, dominance

SQ = Path(__file__).parents[1] / "reference/sq"
WEIGHTS = json.loads((SQ / "relative_weights.json").read_text(encoding="utf-8"))
LMG = json.loads((SQ / "lmg.json").read_text(encoding="utf-8"))
PUBLISHED = json.loads((SQ.parent / "importance/published.json").read_text(encoding="utf-8"))


def correlations(cov):
    sd = np.sqrt(np.diagonal(cov))
    cor = cov / np.outer(sd, sd)
    return cor[None, 1:, 1:], cor[None, 1:, 0]


def metrics(R, r):
    return dict(zip(METRICS, battery(R, r)[0], strict=True))


def drawn(n=300, seed=3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)) + rng.normal(size=(n, 1))
    y = X @ [0.6, 0.3, 0.1, -0.1] + rng.normal(size=n)
    columns = {f"x{j}": X[:, j] for j in range(4)} | {"y": y, "bought": (y > 0).astype(int)}
    return pl.DataFrame(columns | {"grade": np.digitize(y, [-1.5, 0, 1.5]), "brand": ["A", "B"] * (n // 2)})


@pytest.fixture(scope="module")
def found():
    return csi.key_drivers(drawn(), "y", ["x0", "x1", "x2", "x3"], replicates=200)


def test_sq_has_the_published_values():
    own = metrics(*correlations(np.array(WEIGHTS["cov"])))
    assert own["lmg"] == pytest.approx(LMG["lmg"], abs=1e-9)
    assert own["johnson"] == pytest.approx(WEIGHTS["relative_weights"], abs=1e-9)
    assert own["beta"] == pytest.approx(WEIGHTS["beta"], abs=1e-9)
    assert own["vif"] == pytest.approx(WEIGHTS["vif"], abs=1e-8)
    for name in ("car", "pratt", "johnson", "lmg"):
        assert own[name].sum() == pytest.approx(LMG["r2"], abs=1e-9)


@pytest.mark.parametrize(("case", "tolerance"), [("swiss", 1e-11), ("weighted", 1e-11), ("mtcars", 5e-8)])
def test_examples_of_relaimpo_and_rwa_have_their_published_values(case, tolerance):
    told = PUBLISHED[case]
    own = metrics(*correlations(np.array(told["cov"])))
    for name in ("lmg", "johnson", "beta", "first"):
        assert own[name] == pytest.approx(told.get(name, own[name]), abs=tolerance)


def test_two_predictors_by_hand():
    """R = [[1, .5], [.5, 1]], r = (.6, .3): beta (.6, 0), R2 .36; R^-1/2 has .5 (1/sqrt 1.5 +- 1/sqrt .5)."""
    own = metrics(np.array([[[1.0, 0.5], [0.5, 1.0]]]), np.array([[0.6, 0.3]]))
    plus, minus = 0.5 * (1.5**-0.5 + 0.5**-0.5), 0.5 * (1.5**-0.5 - 0.5**-0.5)
    assert own["beta"] == pytest.approx([0.6, 0.0], abs=1e-12)
    assert own["vif"] == pytest.approx([4 / 3, 4 / 3])
    assert own["first"] == pytest.approx([0.36, 0.09])
    assert own["last"] == pytest.approx([0.27, 0.0], abs=1e-12)
    assert own["pratt"] == pytest.approx([0.36, 0.0], abs=1e-12)
    assert own["car"] == pytest.approx([(0.6 * plus + 0.3 * minus) ** 2, (0.6 * minus + 0.3 * plus) ** 2])
    assert own["lmg"] == pytest.approx([0.315, 0.045])
    assert own["johnson"] == pytest.approx([0.315, 0.045])


def test_unrelated_predictors_have_their_squares_in_every_division():
    own = metrics(np.eye(3)[None], np.array([[0.5, 0.4, 0.1]]))
    for name in ("first", "last", "pratt", "car", "johnson", "lmg"):
        assert own[name] == pytest.approx([0.25, 0.16, 0.01])


def test_collinear_predictors_have_no_metrics():
    assert np.isnan(battery(np.ones((1, 2, 2)), np.array([[0.5, 0.5]]))).all()


def test_dominance_is_that_of_every_subset():
    R, r = correlations(np.cov(drawn().select("y", "x0", "x1", "x2", "x3").to_numpy().T))
    r2 = explained(R, r)[0]
    complete, conditional = dominance(R, r)
    for x, (i, j) in enumerate(combinations(range(4), 2)):
        rest = [s for s in range(16) if not s >> i & 1 and not s >> j & 1]
        assert complete[0, x] == pytest.approx(np.mean([r2[s | 1 << i] > r2[s | 1 << j] for s in rest]))
        means = []
        for size in range(4):
            of = [[s for s in range(16) if not s >> one & 1 and s.bit_count() == size] for one in (i, j)]
            gain = [np.mean([r2[s | 1 << one] - r2[s] for s in own]) for one, own in zip((i, j), of, strict=True)]
            means.append(gain[0] > gain[1])
        assert conditional[0, x] == pytest.approx(np.mean(means))


def test_the_table_keeps_signs_ranks_and_intervals(found):
    table = found.table
    assert table["share"].sum() == pytest.approx(1)
    assert table["driver"][0] == "x0"
    assert table["rank"].to_list() == [1, 2, *table["rank"].to_list()[2:]]
    assert table["sign"].to_list()[0] == "+"
    assert table["sign"].to_list()[3] == "-"
    assert ((table["conf_low"] < table["share"]) & (table["share"] < table["conf_high"])).all()
    assert ((table["rank_low"] <= table["rank"]) & (table["rank"] <= table["rank_high"])).all()
    assert table["first_share"].sum() == pytest.approx(1)
    assert set(found.metrics["metric"]) == {*METRICS, "share"}


def test_pairs_are_tested_by_the_joint_draws(found):
    shares = dict(found.table.select("driver", "share").rows())
    for row in found.pairs.iter_rows(named=True):
        assert row["difference"] == pytest.approx(shares[row["driver"]] - shares[row["other"]])
        assert (row["p_value"] < 0.05) == (row["conf_low"] > 0 or row["conf_high"] < 0)
    top = found.pairs.filter((pl.col("driver") == "x0") & (pl.col("other") == "x3")).row(0, named=True)
    assert top["dominates"] == "complete"
    assert found.pairs["p_adjusted"].to_list() == pytest.approx(csi.adjust(found.pairs["p_value"].to_numpy()).tolist())


def test_a_driver_whose_beta_and_correlation_differ_in_sign_is_named():
    rng = np.random.default_rng(3)
    a = rng.standard_normal(300)
    b = a + 0.5 * rng.standard_normal(300)
    y = 2 * a - 0.5 * b + rng.standard_normal(300)
    found = csi.key_drivers(pl.DataFrame({"a": a, "b": b, "y": y}), "y", ["a", "b"], replicates=0)
    said = [s.en for s in found.sentences if "Signs of beta and correlation differ" in s.en]
    assert len(said) == 1
    assert "b (beta \u2212" in said[0]
    assert "\u2212 " in str(found)


def test_ranks_of_draws_by_hand():
    draws = np.array([[[0.6, 0.4]], [[0.3, 0.7]], [[0.8, 0.2]], [[np.nan, np.nan]]])
    rank, low, high, first = ranked(np.array([[0.6, 0.4]]), draws, 0.95)
    assert rank.tolist() == [[1, 2]]
    assert first[0] == pytest.approx([2 / 3, 1 / 3])
    assert (low[0, 0], high[0, 0]) == (1, 2)


def test_agreement_is_spearmans():
    assert agreement(np.array([[1.0, 2, 3, 4], [1, 2, 4, 3]]))[0, 1] == pytest.approx(0.8)
    assert np.isnan(agreement(np.array([[1.0, 2], [2, 1]]))).all()


def test_an_estimate_gives_its_own_correlations():
    frame = drawn()
    model = "; ".join([*(f"c{j} =~ x{j}" for j in range(4)), "s =~ y", "s ~ c0 + c1 + c2 + c3"])
    est = csi.bootstrap(csi.fit(model, frame, csi.PLS()), 100, seed=1)
    own = csi.key_drivers(est, "s")
    assert own.drivers == ("c0", "c1", "c2", "c3")
    assert own.table["lmg"].to_list() == pytest.approx(csi.driver_shares(est, "s", "lmg").table["weight"].to_list())
    assert csi.key_drivers(est, "s", ["c0", "c1"]).table.height == 2


def test_weights_enter(found):
    frame = drawn().with_columns(w=pl.when(pl.col("x0") > 0).then(3.0).otherwise(0.5))
    own = csi.key_drivers(frame, "y", ["x0", "x1"], weight="w", replicates=0)
    X, w = frame.select("y", "x0", "x1").to_numpy(), frame["w"].to_numpy()
    assert own.table["lmg"].to_list() == pytest.approx(metrics(*correlations(np.cov(X.T, aweights=w)))["lmg"], abs=1e-9)
    assert found.table["lmg"][0] != own.table["lmg"][0]


def test_completed_copies_are_taken_together():
    frame = drawn().with_columns(x0=pl.when(pl.int_range(pl.len()) % 4 > 0).then("x0"))
    copies = csi.impute(frame.select("x0", "x1", "y"), m=3, seed=2)
    own = csi.key_drivers(copies, "y", ["x0", "x1"], replicates=100)
    each = [csi.key_drivers(copy, "y", ["x0", "x1"], replicates=0).table["lmg"].to_numpy() for copy in copies]
    assert own.table["lmg"].to_list() == pytest.approx(np.mean(each, axis=0))
    assert "N-KEY-IMPUTED" in [n.code for n in own.notes]
    alone = csi.key_drivers(copies[0], "y", ["x0", "x1"], replicates=100)
    error = [m.metrics.filter(driver="x0", metric="lmg")["std_error"][0] for m in (alone, own)]
    assert error[0] < error[1]


def test_cells_are_compared():
    frame = drawn()
    moved = frame.with_columns(y=pl.when(pl.col("brand") == "B").then(pl.col("x3") * 3 + pl.col("y")).otherwise("y"))
    own = csi.key_drivers(moved, "y", ["x0", "x1", "x3"], by=["brand"], replicates=200)
    row = own.differences.filter(driver="x3").row(0, named=True)
    assert own.notes[-1].code == "N-KEY-BETWEEN"
    assert row["difference"] < 0
    assert row["p_value"] <= row["p_adjusted"] < 0.05
    assert any("Shares differ between cells" in s.en for s in own.sentences)


def test_logits_share_mcfaddens_r2():
    statsmodels = pytest.importorskip("statsmodels.api")
    frame = drawn()
    own = csi.key_drivers(frame, "bought", ["x0", "x1"], family="logit", replicates=0).table
    y = frame["bought"].to_numpy()

    def fit(names):
        X = statsmodels.add_constant(frame.select(names).to_numpy())
        return statsmodels.Logit(y, X).fit(disp=0).prsquared

    one, two, both = fit(["x0"]), fit(["x1"]), fit(["x0", "x1"])
    assert own["lmg"].to_list() == pytest.approx([(one + both - two) / 2, (two + both - one) / 2], abs=1e-8)
    assert own["last"].to_list() == pytest.approx([both - two, both - one], abs=1e-8)
    X = frame.select("x0", "x1").to_numpy()
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    values, vectors = np.linalg.eigh(np.corrcoef(Z.T))
    root = vectors * np.sqrt(values) @ vectors.T
    apart = statsmodels.Logit(y, statsmodels.add_constant(Z @ np.linalg.inv(root))).fit(disp=0)
    weight = root**2 @ apart.params[1:] ** 2
    assert own["johnson"].to_list() == pytest.approx(weight / weight.sum() * both, abs=1e-7)
    share = csi.key_drivers(frame, "bought", ["x0", "x1"], family="logit", r2="nagelkerke", replicates=0).table
    none = statsmodels.Logit(y, np.ones(len(y))).fit(disp=0).llf
    likely = (1 - np.exp(2 * none * both / len(y))) / (1 - np.exp(2 * none / len(y)))
    assert share["lmg"].sum() == pytest.approx(likely, abs=1e-8)


def test_ordered_answers_with_draws():
    own = csi.key_drivers(drawn(100), "grade", ["x0", "x1"], family="ordered", replicates=100)
    assert own.table["share"].sum() == pytest.approx(1)
    assert (own.table["conf_low"] < own.table["conf_high"]).all()
    assert "N-KEY-LOGIT" in [n.code for n in own.notes]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"drivers": ["x0"]}, "share nothing"),
        ({"drivers": ["x0", "y"]}, "no driver"),
        ({"family": "probit"}, "probit"),
        ({"r2": "adjusted"}, "adjusted"),
        ({"family": "logit"}, "different answers"),
        ({"replicates": 7}, "replicates are"),
        ({"level": 2}, "a level is"),
        ({"drivers": ["x0", "nothing"]}, "nothing"),
    ],
)
def test_odd_input_is_told(change, said):
    with pytest.raises(Problems, match=said):
        csi.key_drivers(drawn(), **{"outcome": "y", "drivers": ["x0", "x1"], "replicates": 0, **change})


def test_suppression_is_warned_of():
    rng = np.random.default_rng(5)
    a, e = rng.normal(size=(2, 400))
    frame = pl.DataFrame({"a": a, "b": 0.9 * a + 0.3 * e, "y": a - 0.3 * e + 0.2 * rng.normal(size=400)})
    own = csi.key_drivers(frame, "y", ["a", "b"], replicates=0)
    assert "W-PRATT" in [n.code for n in own.notes]
    assert (own.table["lmg"] > 0).all()


def test_it_reads_in_both_languages(found):
    assert "accounts for" in text(found, "en")
    assert "驱动因素的重要性" in text(found, "zh")
