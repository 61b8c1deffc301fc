"""PLSpredict against seminr 2.3.4 and cSEM 0.6.1, by hand, and on bad input; CVPAT by hand."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import ttest_1samp, ttest_rel

import csi
from csi.display import text
from csi.errors import Problems
from csi.estimate.later import known
from csi.measures.cvpat import OVERALL, cvpat
from csi.measures.predict import predict
from csi.measures.predictive_power import power_of
from csi.measures.validated import validated

REFERENCE = Path(__file__).parents[1] / "reference" / "mobi"
SHARED = os.environ.get("CSI_REFERENCE_DIR")
EXACT = {"tolerance": 1e-12, "max_iterations": 3000}
needs_rows = pytest.mark.skipif(SHARED is None, reason="needs the rows in CSI_REFERENCE_DIR")


@pytest.fixture(scope="module")
def saved():
    return json.loads((REFERENCE / "prediction.json").read_text("utf-8"))


def mobi(text_, **settings):
    rows = pl.read_csv(Path(SHARED) / "data" / "mobi" / "mobi.csv")
    return csi.fit(csi.Model.parse(text_), rows, csi.PLS(**EXACT, **settings))


@needs_rows
@pytest.mark.parametrize("case", ["sat3_LOOCV_DA", "sat3_10fold_DA", "ecsi_10fold_DA", "ecsi_10fold_EA"])
def test_agrees_with_seminr_on_the_same_folds(saved, case):
    model = saved["sat3"] if "sat3" in case else (REFERENCE / "model.txt").read_text("utf-8")
    expected = saved[case]
    found = predict(
        mobi(model), expected["fold_of_row"] or 250, 1, technique=case[-2:].lower(), benchmark="all"
    ).table.rows_by_key("item", named=True, unique=True)
    for k, item in enumerate(expected["items"]):
        assert found[item]["rmse"] == pytest.approx(expected["rmse"][k], abs=1e-6)
        assert found[item]["mae"] == pytest.approx(expected["mae"][k], abs=1e-6)
    for k, item in enumerate(expected["lm_items"]):
        assert found[item]["lm_rmse"] == pytest.approx(expected["lm_rmse"][k], abs=1e-6)
        assert found[item]["lm_mae"] == pytest.approx(expected["lm_mae"][k], abs=1e-6)


@needs_rows
def test_every_prediction_of_leaving_one_out(saved):
    found = predict(mobi(saved["sat3"]), 250, 1, technique="da").rows
    wide = found.pivot(on="item", index="row", values="predicted").sort("row").drop("row")
    expected = np.array(saved["sat3_LOOCV_DA"]["predictions"])
    np.testing.assert_allclose(wide.select(saved["sat3_LOOCV_DA"]["items"]).to_numpy(), expected, atol=1e-6)


@needs_rows
def test_agrees_with_csem_within_monte_carlo_error(saved):
    """cSEM's folds are its own: within four standard deviations over 30 divisions."""
    est, expected = mobi(saved["sat3"]), saved["csem_sat3_10fold"]
    several = [predict(est, 10, 1, technique="da", seed=s).table for s in range(30)]
    for ours, theirs in {"rmse": "RMSE_target", "mae": "MAE_target", "q2_predict": "Q2_predict"}.items():
        draws = np.array([t[ours].to_list() for t in several])
        assert (np.abs(draws.mean(0) - expected[theirs]) < 4 * draws.std(0)).all(), ours


def answers(n=120, seed=3, **more):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(n)
    m = 0.6 * a + 0.8 * rng.standard_normal(n)
    y = 0.3 * a + 0.5 * m + 0.7 * rng.standard_normal(n)
    rows = np.column_stack([a, a, m, m, y, y]) + 0.7 * rng.standard_normal((n, 6))
    frame = pl.DataFrame(np.clip(np.round(rows * 2 + 6), 1, None), schema=["a1", "a2", "m1", "m2", "y1", "y2"])
    return frame.with_columns(**more)


CHAIN = "A =~ a1 + a2; M =~ m1 + m2; Y =~ y1 + y2; M ~ A; Y ~ A + M"


@pytest.mark.parametrize("technique", ["ea", "da"])
def test_by_hand(technique):
    """Refit without each fold, standardise what is held out by what is kept, follow the arrows."""
    frame = answers()
    fold = [i % 4 for i in range(frame.height)]
    est = csi.fit(CHAIN, frame, csi.PLS(**EXACT))
    found = predict(est, fold, technique=technique)
    X, fold = frame.to_numpy(), np.array(fold)
    predicted, mean, lm = np.empty((120, 4)), np.empty((120, 4)), np.empty((120, 2))
    for k in range(4):
        kept, out = fold != k, fold == k
        s = csi.fit(CHAIN, frame.filter(kept), csi.PLS(**EXACT)).solution
        z = (X[out] - X[kept].mean(0)) / X[kept].std(0, ddof=1)
        score = np.column_stack([z[:, c : c + 2] @ s.weights[0, c : c + 2] for c in (0, 2, 4)])
        b = s.paths[0]
        M = b[1, 0] * score[:, 0]
        Y = b[2, 0] * score[:, 0] + b[2, 1] * (M if technique == "ea" else score[:, 1])
        inner = np.column_stack([M, M, Y, Y]) * s.loadings[0, 2:]
        predicted[out] = inner * X[kept].std(0, ddof=1)[2:] + X[kept].mean(0)[2:]
        mean[out] = X[kept].mean(0)[2:]
        sources = [0, 1] if technique == "ea" else [0, 1, 2, 3]
        design = np.column_stack([np.ones(kept.sum()), X[kept][:, sources]])
        slope = np.linalg.lstsq(design, X[kept][:, 4:], rcond=None)[0]
        lm[out] = np.column_stack([np.ones(out.sum()), X[out][:, sources]]) @ slope
    e = X[:, 2:] - predicted
    table = found.table
    np.testing.assert_allclose(table["rmse"], np.sqrt((e**2).mean(0)), atol=1e-9)
    np.testing.assert_allclose(table["mae"], np.abs(e).mean(0), atol=1e-9)
    np.testing.assert_allclose(table["mape"], np.abs(e / X[:, 2:]).mean(0), atol=1e-9)
    np.testing.assert_allclose(table["q2_predict"], 1 - (e**2).sum(0) / ((X[:, 2:] - mean) ** 2).sum(0), atol=1e-9)
    np.testing.assert_allclose(table["lm_rmse"][2:], np.sqrt(((X[:, 4:] - lm) ** 2).mean(0)), atol=1e-9)
    assert found.folds == 4
    assert found.repetitions == 1


def test_same_folds_whatever_the_order_of_rows():
    frame = answers()
    one = predict(csi.fit(CHAIN, frame, csi.PLS(**EXACT)), seed=5)
    other = predict(csi.fit(CHAIN, frame.sample(fraction=1.0, shuffle=True, seed=2), csi.PLS(**EXACT)), seed=5)
    assert one.table.equals(other.table)
    assert not one.table.equals(predict(csi.fit(CHAIN, frame, csi.PLS(**EXACT)), seed=6).table)


def test_weights_count_as_rows_and_units_stay_together():
    """A row of weight 2 is two rows of one respondent."""
    frame = answers(60).with_columns(person=pl.int_range(60), w=pl.Series([1.0, 2.0, 1.0] * 20))
    weighted = csi.fit(CHAIN, frame, csi.PLS(**EXACT), weight="w", unit="person")
    twice = csi.fit(CHAIN, pl.concat([frame, frame.filter(pl.col("w") == 2)]), csi.PLS(**EXACT), unit="person")
    for quantity in (predict, cvpat):
        one, two = (quantity(e, folds=6, repetitions=2).table.drop("construct") for e in (weighted, twice))
        columns = [c for c, kind in one.schema.items() if kind.is_float()]
        np.testing.assert_allclose(
            one.select(columns).to_numpy().astype(float), two.select(columns).to_numpy().astype(float), rtol=1e-6
        )
    [cell] = validated(twice, 6, 1, "ea", "exogenous", 1)
    predicted = dict.fromkeys(cell.unit.tolist(), None)
    for unit, row in zip(cell.unit.tolist(), cell.errors["pls"].predicted, strict=True):
        assert predicted[unit] is None or np.allclose(predicted[unit], row)  # held out of the same training set
        predicted[unit] = row


def test_cells_are_validated_apart():
    frame = answers(160).with_columns(wave=pl.Series(["a", "b"] * 80))
    both = predict(csi.fit(CHAIN, frame, csi.PLS(**EXACT), by="wave"), repetitions=2)
    assert both.table["wave"].unique().sort().to_list() == ["a", "b"]
    assert len(both.sentences) == 4
    assert both.sentences[0].en.startswith("a: M: ")
    alone = predict(csi.fit(CHAIN, frame.filter(pl.col("wave") == "a"), csi.PLS(**EXACT)), repetitions=2)
    shown = both.table.filter(wave="a")["rmse"].to_numpy()
    np.testing.assert_allclose(shown, alone.table["rmse"].to_numpy(), rtol=0.05)  # other folds of the same rows


def test_it_reads_in_both_languages():
    found = predict(csi.fit(CHAIN, answers(), csi.PLS()), repetitions=1)
    assert "predictive power for it" in text(found)
    assert "样本外预测" in text(found, "zh")
    assert "zero_answer" not in text(found)


@pytest.mark.parametrize(
    ("ours", "q2", "skewness", "power"),
    [
        ([1.0, 1.0, 1.0], [0.1, 0.1, 0.1], 0.0, "high"),
        ([1.0, 1.0, 3.0], [0.1, 0.1, 0.1], 0.0, "medium"),
        ([1.0, 3.0, 3.0], [0.1, 0.1, 0.1], 0.0, "low"),
        ([3.0, 3.0, 3.0], [0.1, 0.1, 0.1], 0.0, "none"),
        ([1.0, 1.0, 1.0], [0.1, -0.1, 0.1], 0.0, "none"),
        ([1.0, 1.0, 1.0], [0.1, 0.1, 0.1], 2.0, "none"),
    ],
)
def test_the_verdict_of_shmueli(ours, q2, skewness, power):
    measured = {"rmse": ours, "lm_rmse": [2.0] * 3, "mae": [1.0] * 3, "lm_mae": [0.9] * 3}
    measured |= {"q2_predict": q2, "skewness": [skewness, 0.0, 0.0]}
    assert power_of({k: np.array(v) for k, v in measured.items()}, np.ones(3, dtype=bool))[3] == power


def test_cvpat_is_the_paired_t_test_on_rows():
    est = csi.fit(CHAIN, answers(), csi.PLS(**EXACT))
    found = cvpat(est, repetitions=3)
    [cell] = validated(est, 10, 3, "ea", "exogenous", 1)
    losses = {k: e.squared.mean(axis=1) for k, e in cell.errors.items()}
    for against in ("ia", "lm"):
        row = found.table.row(
            by_predicate=(pl.col("construct") == OVERALL) & (pl.col("against") == against), named=True
        )
        expected = ttest_rel(losses["pls"], losses[against])
        assert row["statistic"] == pytest.approx(expected.statistic)
        assert row["p_value"] == pytest.approx(expected.pvalue)
        assert row["p_better"] == pytest.approx(ttest_rel(losses["pls"], losses[against], alternative="less").pvalue)
        interval = ttest_1samp(losses["pls"] - losses[against], 0).confidence_interval(0.95)
        assert (row["conf_low"], row["conf_high"]) == pytest.approx(tuple(interval))
    assert "better" in found.sentences[0].en
    assert "均值预测" in text(found, "zh")


def test_cvpat_of_two_models_is_antisymmetric():
    frame = answers()
    full = csi.fit(CHAIN, frame, csi.PLS(**EXACT))
    small = csi.fit(CHAIN.replace("Y ~ A + M", "Y ~ M"), frame, csi.PLS(**EXACT))
    one, two = (cvpat(x, y, repetitions=2).table.filter(against="other") for x, y in ((full, small), (small, full)))
    np.testing.assert_allclose(one["difference"], -two["difference"].to_numpy(), atol=1e-12)
    np.testing.assert_allclose(one["p_value"], two["p_value"].to_numpy(), atol=1e-9)
    same = cvpat(full, full, repetitions=1).table.filter(against="other")
    assert same["difference"].abs().max() == 0
    assert same["p_value"].null_count() == same.height


def test_bad_requests_are_told_at_once():
    est = csi.fit(CHAIN, answers(), csi.PLS())
    with pytest.raises(Problems) as told:
        predict(est, folds=121, repetitions=0, technique="xa", seed=-1)
    assert sorted(p.code for p in told.value.problems) == ["E-FOLDS", "E-FOLDS", "E-SETTING", "E-SETTING"]
    assert "120 respondents" in str(told.value)
    with pytest.raises(Problems, match="3 folds are given for 120 rows"):
        predict(est, folds=[1, 2, 3])
    with pytest.raises(Problems, match="hold nothing out"):
        predict(est, folds=1)
    with pytest.raises(Problems, match="one fold"):
        predict(est, folds=[1] * 120)
    with pytest.raises(Problems, match="composite models"):
        predict(csi.fit("A =~ a1 + a2 + m1", answers(), csi.SEM()))
    with pytest.raises(Problems, match="no construct has predictors"):
        predict(replace(est, solved=known(replace(est.solution, r2=np.full((1, 3), np.nan)))))
    with pytest.raises(Problems, match="needs the rows"):
        predict(csi.fit(CHAIN, est.moments, csi.PLS()))


def test_cvpat_needs_the_same_rows_and_items():
    frame = answers()
    est = csi.fit(CHAIN, frame, csi.PLS())
    with pytest.raises(Problems, match="different rows"):
        cvpat(est, csi.fit(CHAIN, frame.head(100), csi.PLS()))
    with pytest.raises(Problems, match="no item is predicted by both"):
        cvpat(
            csi.fit("A =~ a1 + a2; M =~ m1 + m2; M ~ A", frame, csi.PLS()),
            csi.fit("A =~ a1 + a2; Y =~ y1 + y2; Y ~ A", frame, csi.PLS()),
        )


def test_a_constant_item_in_a_training_set_is_counted():
    """All the variation of an item lies in the fold held out: the rest has a constant item."""
    frame = answers().with_columns(a2=pl.when(pl.int_range(120) < 30).then(pl.int_range(120) % 5).otherwise(4))
    found = predict(csi.fit(CHAIN, frame, csi.PLS()), [0] * 30 + [1] * 45 + [2] * 45)
    [told] = [n for n in found.notes if n.code == "N-FOLD-LOST"]
    assert "1 of 3 training sets" in told.text.en
    assert "constant item (a2): 1" in told.text.en
    assert found.rows.filter(pl.col("predicted").is_null())["row"].unique().sort().to_list() == list(range(30))
    assert found.table["rmse"].null_count() == 0


def test_plsc_with_a_negative_reliability_in_a_fold_is_counted():
    rng = np.random.default_rng(8)
    b, apart = rng.standard_normal(90), np.where(np.arange(90) < 45, 0.0, 2.0) * rng.standard_normal(90)
    noise = 0.3 * rng.standard_normal((90, 4))
    rows = np.column_stack([b * np.where(np.arange(90) < 45, 5.0, 1.0) + apart, b - apart, b, b]) + noise
    rows[:45, 1] = rows[:45, 0] + noise[:45, 1]
    frame = pl.DataFrame(rows, schema=["a1", "a2", "b1", "b2"])
    est = csi.fit("A =~ a1 + a2; B =~ b1 + b2; B ~ A", frame, csi.PLS(consistent=True))
    found = predict(est, [0] * 45 + [1] * 45)
    [told] = [n for n in found.notes if n.code == "N-FOLD-LOST"]
    assert "1 of 2 training sets" in told.text.en
    assert "rho" in told.text.en


def test_absent_answers_are_counted_and_not_predicted():
    holes = answers().with_columns(
        a1=pl.when(pl.int_range(120) < 5).then(None).otherwise("a1"),
        y1=pl.when(pl.int_range(120) > 110).then(None).otherwise("y1"),
    )
    found = predict(csi.fit(CHAIN, holes, csi.PLS(missing="mean")), repetitions=2)
    [told] = [n for n in found.notes if n.code == "N-PREDICT-ABSENT"]
    assert told.text.en.startswith("14 absent answers")
    assert found.rows.filter((pl.col("item") == "y1") & pl.col("predicted").is_null()).height == 9
    listwise = predict(csi.fit(CHAIN, holes, csi.PLS()), repetitions=2)
    assert listwise.rows["row"].n_unique() == 120 - 14


def test_too_few_rows_for_the_linear_model():
    found = predict(csi.fit(CHAIN, answers(8), csi.PLS(missing="listwise")), folds=2, repetitions=1, benchmark="all")
    assert "N-LM-FEW" in {n.code for n in found.notes}
    assert found.table["lm_rmse"].null_count() > 0
    assert "no_prediction" in found.table["reason"].to_list()


WHOLE = "A =~ a1 + a2; M =~ m1 + m2; W <~ A + M; Y =~ y1 + y2; Y ~ W"


def test_a_higher_order_construct_predicts_by_its_components():
    est = csi.fit(WHOLE, answers(), csi.PLS(**EXACT))
    found = predict(est, repetitions=2)
    assert found.table["item"].to_list() == ["y1", "y2"]
    lm = predict(csi.fit("A =~ a1 + a2; M =~ m1 + m2; Y =~ y1 + y2; Y ~ A + M", answers(), csi.PLS()), repetitions=2)
    np.testing.assert_allclose(found.table["lm_rmse"], lm.table["lm_rmse"], atol=1e-9)  # the items of the components
    inner = csi.fit(
        WHOLE.replace("Y ~ W", "Z =~ y1; Y2 =~ y2; W ~ Z; Y2 ~ W").replace("Y =~ y1 + y2; ", ""), answers(), csi.PLS()
    )
    told = predict(inner, repetitions=1)
    assert "no items of its own" in str(told)
    assert set(cvpat(inner, repetitions=1).table["construct"]) == {"Y2", OVERALL}


MODERATED = "A =~ a1 + a2; M =~ m1 + m2; Y =~ y1 + y2; M ~ A; Y ~ A + M + A:M"


def by_hand(train, test, technique):
    """Answers of Y's items foreseen from a fit to the training rows; every step in numpy."""
    est = csi.fit(MODERATED, train, csi.PLS(**EXACT))
    sol, names = est.solution, list(est.solution.items)
    mean, sd = train[names].to_numpy().mean(axis=0), train[names].to_numpy().std(axis=0, ddof=1)
    own = {k: ((f[names].to_numpy() - mean) / sd) @ sol.item_weights[0] for k, f in (("in", train), ("out", test))}
    a, m, y = (sol.constructs.index(c) for c in "AMY")
    k = sol.constructs.index("A:M")
    b = sol.paths[0]

    def factors(z):
        return z[:, a], (b[m, a] * z[:, a] if technique == "ea" else z[:, m])

    middle = np.prod(factors(own["in"]), axis=0).mean()
    first, second = factors(own["out"])
    score = b[y, a] * first + b[y, m] * second + b[y, k] * (first * second - middle)
    at = [names.index(i) for i in ("y1", "y2")]
    return score[:, None] * sol.loadings[0, at] * sd[at] + mean[at]


@pytest.mark.parametrize("technique", ["da", "ea"])
def test_products_are_predicted_from_products_of_scores(technique):
    frame = answers()
    fold = np.arange(frame.height) % 3
    est = csi.fit(MODERATED, frame, csi.PLS(**EXACT))
    found = predict(est, fold.tolist(), 1, technique=technique)
    wide = found.rows.filter(pl.col("item").str.starts_with("y")).pivot(on="item", index="row", values="predicted")
    for k in range(3):
        out = frame.with_row_index("row").filter(pl.Series(fold == k))
        wanted = by_hand(frame.filter(pl.Series(fold != k)), out, technique)
        got = wide.join(out.select(pl.col("row").cast(pl.Int64)), on="row").sort("row")[["y1", "y2"]].to_numpy()
        np.testing.assert_allclose(got, wanted, atol=1e-7)
    whole = csi.predictions(est, frame, technique)
    np.testing.assert_allclose(whole[["y1", "y2"]].to_numpy(), by_hand(frame, frame, technique), atol=1e-7)


def test_a_product_that_matters_predicts_better_than_without_it():
    rng = np.random.default_rng(12)
    a, z, e = rng.standard_normal((3, 400))
    y = 0.3 * a + 0.3 * z + 0.6 * a * z + 0.5 * e
    columns = {f"{n}{i}": f + 0.3 * rng.standard_normal(400) for n, f in (("a", a), ("z", z), ("y", y)) for i in (1, 2)}
    text_ = "A =~ a1 + a2; Z =~ z1 + z2; Y =~ y1 + y2; Y ~ A + Z"
    with_it, without = (csi.fit(t, pl.DataFrame(columns), csi.PLS()) for t in (text_ + " + A:Z", text_))
    found = predict(with_it, repetitions=1)
    assert found.constructs["q2_predict"][0] > predict(without, repetitions=1).constructs["q2_predict"][0] + 0.1
    overall = cvpat(with_it, without, repetitions=1).table.filter(construct=OVERALL, against="other")
    assert overall["p_better"][0] < 0.01
    holes = pl.DataFrame(columns).with_columns(a1=pl.when(pl.int_range(400) < 40).then(None).otherwise("a1"))
    incomplete = predict(csi.fit(text_ + " + A:Z", holes, csi.PLS(missing="em")), repetitions=1)
    assert abs(incomplete.constructs["q2_predict"][0] - found.constructs["q2_predict"][0]) < 0.1


def test_products_of_items_are_not_predicted():
    est = csi.fit(
        "A =~ a1 + a2; M =~ m1 + m2; Y =~ y1 + y2; Y ~ A + M + A:M", answers(), csi.PLS(interaction="product")
    )
    with pytest.raises(Problems, match="two-stage"):
        predict(est)
