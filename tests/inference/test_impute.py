"""Completed copies, and Rubin's rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.inference.rubin import rubin

MODEL = csi.Model.parse("x =~ x1 + x2 + x3\ny =~ y1 + y2 + y3\ny ~ x")


def drawn(n=400, seed=5):
    """Two constructs; y3 is absent where x1 is high (at random given x1)."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    y = 0.6 * x + 0.8 * rng.standard_normal(n)
    columns = {f"x{i}": 5 + 0.8 * x + 0.6 * rng.standard_normal(n) for i in (1, 2, 3)}
    columns |= {f"y{i}": 5 + 0.8 * y + 0.6 * rng.standard_normal(n) for i in (1, 2, 3)}
    return pl.DataFrame(columns)


@pytest.fixture
def holes():
    return drawn().with_columns(y3=pl.when(pl.col("x1") > 5.3).then(None).otherwise("y3"))


def test_copies_keep_what_is_answered_and_differ_in_what_is_not(holes):
    one, two = csi.impute(holes, m=2, seed=4)
    answered = holes["y3"].is_not_null()
    assert one.drop("y3").equals(holes.drop("y3"))
    assert (one["y3"].filter(answered) == holes["y3"].filter(answered)).all()
    assert one["y3"].null_count() == 0
    assert (one["y3"].filter(~answered) != two["y3"].filter(~answered)).all()


def test_copies_undo_the_bias_of_the_answers_there_are(holes):
    full = drawn()["y3"].mean()
    copies = csi.impute(holes, m=20, seed=4)
    pooled = np.mean([c["y3"].mean() for c in copies])
    left = abs(holes["y3"].mean() - full)
    assert left > 0.1
    assert abs(pooled - full) < 0.4 * left


def test_the_order_of_rows_does_not_matter(holes):
    mixed = holes.with_row_index().sample(fraction=1, shuffle=True, seed=9)
    one = csi.impute(holes, m=2, seed=4)[1]
    again = csi.impute(mixed.drop("index"), m=2, seed=4)[1].with_columns(mixed["index"]).sort("index").drop("index")
    assert again.equals(one)


def test_cells_are_imputed_from_their_own_rows():
    rng = np.random.default_rng(2)
    low, high = rng.normal(2, 1, (60, 2)), rng.normal(8, 1, (60, 2))
    low[:20, 1] = high[:20, 1] = np.nan
    frame = pl.DataFrame(np.concatenate([low, high]), schema=["a", "b"]).fill_nan(None)
    frame = frame.with_columns(brand=pl.Series(["L"] * 60 + ["H"] * 60))
    (copy, _) = csi.impute(frame, m=2, seed=1, by=["brand"], items=["a", "b"])
    assert copy["b"][:20].mean() < 4
    assert copy["b"][60:80].mean() > 6


def test_a_structural_skip_stays_absent_and_is_counted_apart():
    study = csi.Study.read("data/telecom/study.yaml")
    panel = study.panel()
    item = next(i for i in study.model.items if panel.frame[i].null_count())
    absent = panel.frame[item].is_null().arg_true()
    half = [i in set(absent[: len(absent) // 2].to_list()) for i in range(panel.frame.height)]
    why = pl.when(pl.Series(half)).then(pl.lit("not_asked")).otherwise(pl.col(item)).alias(item)
    skipped = replace(panel, reasons=panel.reasons.with_columns(why))
    copy = csi.impute(skipped, m=2, seed=1, items=[item, *[i for i in study.model.items if i != item][:5]])[0]
    assert copy.frame[item].null_count() == len(absent) // 2
    assert copy.reasons[item].drop_nulls().unique().to_list() == ["not_asked"]
    est = csi.fit(study.model, skipped, csi.PLS())
    assert any(n.code == "N-NOT-ASKED" and f"{item} ({len(absent) // 2} of" in n.text.en for n in est.notes)


def test_rubins_rules_by_hand():
    # Rubin (1987): W = 4, B = 1, m = 5: T = 4 + 1.2; lambda = 1.2 / 5.2
    values = 10 + np.array([-1.0, -1, 0, 1, 1]) * np.sqrt(1.0)
    found = rubin(values, np.full(5, 2.0), complete=99)
    assert found.between == pytest.approx(1.0)
    assert found.std_error == pytest.approx(np.sqrt(5.2))
    share = 1.2 / 5.2
    old, seen = 4 / share**2, 100 / 102 * 99 * (1 - share)
    assert found.df == pytest.approx(1 / (1 / old + 1 / seen))
    r = 1.2 / 4
    assert found.missing == pytest.approx((r + 2 / (found.df + 3)) / (r + 1))


def test_pooled_estimates_hold_both_variances(holes):
    copies = csi.impute(holes, m=5, seed=2)
    each = [csi.fit(MODEL, c, csi.SEM()) for c in copies]
    both = csi.pool(each)
    at = next(i for i, r in enumerate(both.rows) if (r.lhs, r.op, r.rhs) == ("y", "=~", "y3"))
    own = np.array([e.values[0, at] for e in each])
    error = np.array([e.std_error[0, at] for e in each])
    assert both.values[0, at] == pytest.approx(own.mean())
    assert both.std_error[0, at] == pytest.approx(np.sqrt((error**2).mean() + 1.2 * own.var(ddof=1)))
    assert both.conf_low[0, at] < own.mean() < both.conf_high[0, at]
    assert "Pooled over 5 imputations" in str(both)
    assert any(n.code == "N-POOLED" for n in both.notes)


def test_pooled_indices(holes):
    copies = csi.impute(holes, m=3, seed=2)
    fits = [csi.bootstrap(csi.fit(MODEL, c, csi.PLS(), scale=(0, 10)), n=100, seed=1) for c in copies]
    each = [csi.index(f) for f in fits]
    both = csi.pool(each)
    assert both.values == pytest.approx(np.mean([i.values for i in each], axis=0))
    assert (both.table["std_error"] >= min(i.table["std_error"].min() for i in each)).all()
    assert both.table["conf_low"].null_count() == 0


def test_what_cannot_be_pooled_or_imputed_is_told():
    est = csi.fit(MODEL, drawn(), csi.PLS())
    with pytest.raises(Problems, match="no standard errors"):
        csi.pool([est, est])
    with pytest.raises(Problems, match="cannot be pooled"):
        csi.pool([est])
    other = csi.fit(csi.Model.parse("x =~ x1 + x2\ny =~ y1 + y2\ny ~ x"), drawn(), csi.SEM())
    with pytest.raises(Problems, match="not of one model"):
        csi.pool([csi.fit(MODEL, drawn(), csi.SEM()), other])
    with pytest.raises(Problems, match="says nothing"):
        csi.impute(drawn(), m=1)
    apart = pl.DataFrame({"a": [1.0, 2, None, None], "b": [None, None, 1.0, 2]})
    with pytest.raises(Problems, match="cannot be estimated"):
        csi.impute(apart, m=2)


def test_one_sided_fits_are_pooled_one_sided(holes):
    copies = csi.impute(holes, m=3, seed=2)
    two, up, down = (
        csi.pool([csi.jackknife(csi.fit(MODEL, c, csi.PLS()), alternative=side) for c in copies])
        for side in ("two-sided", "greater", "less")
    )
    assert up.p_value[0, -1] == pytest.approx(two.p_value[0, -1] / 2)
    assert down.p_value[0, -1] == pytest.approx(1 - up.p_value[0, -1])
    assert up.table["conf_high"][-1] is None
    assert up.conf_low[0, -1] > two.conf_low[0, -1]


def test_estimators_are_not_mixed(holes):
    one, two = csi.impute(holes, m=2, seed=2)
    fits = [csi.bootstrap(csi.fit(MODEL, c, s), 100) for c, s in ((one, csi.PLS()), (two, csi.SumScores()))]
    with pytest.raises(Problems, match="one estimator"):
        csi.pool(fits)


def test_a_few_rows_are_told(holes):
    with pytest.raises(Problems, match="cannot be estimated"):
        csi.impute(holes.head(4).with_columns(x2=pl.Series([None, 1.0, 2.0, 3.0])), m=2)


def said(refused, lang):
    return " ".join(p.say(lang) for p in refused.value.problems)


def one_item_absent():
    rng = np.random.default_rng(6)
    trait = rng.normal(size=200)
    frame = pl.DataFrame({name: trait + 0.5 * rng.normal(size=200) for name in ("a", "b", "c")})
    return frame, frame.with_columns(c=pl.when(pl.int_range(200) < 30).then(None).otherwise("c"))


def test_the_other_items_predict_what_rows_without_an_answer_to_the_named_ones_lack() -> None:
    whole, holes = one_item_absent()
    copies = csi.impute(holes, m=10, seed=1, items=["c"])
    assert all(copy["c"].null_count() == 0 for copy in copies)
    assert all(copy.drop("c").equals(holes.drop("c")) for copy in copies)
    drawn = np.mean([copy["c"][:30].to_numpy() for copy in copies], axis=0)
    assert np.corrcoef(drawn, whole["c"][:30].to_numpy())[0, 1] > 0.7


def test_absences_that_nothing_predicts_are_refused() -> None:
    alone = one_item_absent()[1].select("c")
    with pytest.raises(Problems) as refused:
        csi.impute(alone, m=2, seed=1)
    assert "the 30 rows with absences answer no other item" in said(refused, "en")
    assert "30 行" in said(refused, "zh")


def test_an_item_that_nobody_answered_is_named_in_every_cell() -> None:
    _, holes = one_item_absent()
    silent = holes.with_columns(a=pl.lit(None, pl.Float64))
    with pytest.raises(Problems) as refused:
        csi.impute(silent, m=2, seed=1)
    assert "nobody answered a (n = 200)" in said(refused, "en")
    east = pl.int_range(200) < 100
    grouped = holes.with_columns(g=pl.when(east).then(pl.lit("east")).otherwise(pl.lit("west")))
    grouped = grouped.with_columns(a=pl.when(east).then(None).otherwise("a"))
    with pytest.raises(Problems) as refused:
        csi.impute(grouped, m=2, seed=1, by="g")
    assert "east" in said(refused, "zh")
    assert "a 无人作答（n = 100）" in said(refused, "zh")
    assert "west" not in said(refused, "en")
