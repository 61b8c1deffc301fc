"""Slopes by stage of covariance models and composites: planted ones, the gates that withhold, claims, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.claims.stage_asked import staged
from csi.claims.stage_covariance import numbers_of
from csi.claims.stage_frames import contrast
from csi.display import text
from csi.errors import Problems, Text
from csi.survey.codebook import Codebook, Item, Scale

STAGES = ("new", "regular", "loyal")
MODEL = "val =~ v1 + v2 + v3; brand =~ b1 + b2 + b3; int =~ i1 + i2 + i3; brand ~ val; int ~ val + brand"
CLAIMS = {"int~val": "falls", "int~brand": "rises"}
TRUE = {("int", "val"): (0.6, 0.35, 0.1), ("int", "brand"): (0.1, 0.3, 0.5), ("brand", "val"): (0.5, 0.5, 0.5)}
CARD = {"v": "value", "b": "brand", "r": "relationship", "i": "intention"}


def panel_of(n, seed=1, second=(1.0, 1.0, 1.0), card=False, noise=0.5):
    """Three stages of n; `second` is what the second item of value is worth at each."""
    rng, parts = np.random.default_rng(seed), []
    for k, stage in enumerate(STAGES):
        v = rng.normal(size=n)
        b = TRUE["brand", "val"][k] * v + 0.8 * rng.normal(size=n)
        r = 0.5 * v + 0.8 * rng.normal(size=n)
        i = TRUE["int", "val"][k] * v + TRUE["int", "brand"][k] * b + 0.6 * rng.normal(size=n)
        i = i + (TRUE["int", "brand"][k] * r if card else 0)
        scores = {"v": v, "b": b, **({"r": r} if card else {}), "i": i}
        worth = {(name, j): w * (second[k] if (name, j) == ("v", 2) else 1)
                 for name in scores for j, w in ((1, 1.0), (2, 0.9), (3, 0.8))}  # fmt: skip
        made = {f"{name}{j}": w * scores[name] + noise * rng.normal(size=n) for (name, j), w in worth.items()}
        parts.append(pl.DataFrame(made).with_columns(stage=pl.lit(stage)))
    frame = pl.concat(parts).sample(fraction=1.0, shuffle=True, seed=1)
    names = [c for c in frame.columns if c != "stage"]
    items = tuple(Item(c, CARD[c[0]] if card else c, Scale("wide", -50, 50), Text(c.upper(), f"题{c}")) for c in names)
    return csi.Panel(frame, Codebook(items, {}, {}), frame.select(names).cast(pl.String))


@pytest.fixture(scope="module")
def found():
    return csi.stage_slopes(MODEL, panel_of(500), STAGES, claims=CLAIMS)


@pytest.fixture(scope="module")
def composed():
    return csi.stage_slopes(
        MODEL, panel_of(300), STAGES, claims=CLAIMS, estimator=csi.PLS(), permutations=199, replicates=100
    )


def verdicts(found):
    return dict(zip(found.trends["outcome"] + "~" + found.trends["predictor"], found.trends["found"], strict=True))


def test_planted_slopes_stand_at_their_stage_and_claims_are_judged(found):
    for row in found.table.iter_rows(named=True):
        true = TRUE[row["outcome"], row["predictor"]][STAGES.index(row["stage"])]
        assert abs(row["estimate"] - true) < 4 * row["std_error"]
        assert row["n"] == 500
    assert verdicts(found) == {"brand~val": "open", "int~val": "falls", "int~brand": "rises"}
    assert [s.en.split(" is ")[1][:5] for s in found.sentences] == ["found", "found"]
    assert "得到支持" in found.sentences[0].zh
    assert "下降" in text(found, "zh")
    assert found.gate["verdict"].to_list()[:2] == ["baseline", "not rejected"]


def test_slopes_and_errors_are_those_of_one_fit_with_equal_loadings(found):
    est = csi.fit(MODEL, panel_of(500), csi.SEM(groups="stage", equal=("loadings",), estimator="MLR"))
    own = est.table.filter(op="~", lhs="int", rhs="val")
    for stage in STAGES:
        row = found.table.row(
            by_predicate=(pl.col("stage") == stage) & (pl.col("outcome") == "int") & (pl.col("predictor") == "val"),
            named=True,
        )
        theirs = own.filter(group=stage).row(0, named=True)
        assert row["estimate"] == pytest.approx(theirs["estimate"], rel=1e-6)
        assert row["std_error"] == pytest.approx(theirs["std_error"], rel=1e-6)


def test_a_trend_is_the_least_squares_line_through_the_slopes(found, composed):
    for made in (found, composed):
        for row in made.trends.iter_rows(named=True):
            own = made.table.filter(outcome=row["outcome"], predictor=row["predictor"])["estimate"].to_numpy()
            assert row["estimate"] == pytest.approx(np.polyfit([1, 2, 3], own, 1)[0])
    assert contrast(2).tolist() == [-1.0, 1.0]


@pytest.mark.slow
def test_planted_slopes_and_trends_are_recovered_and_their_intervals_hold():
    """200 panels of 3 x 100 people: mean slopes and trends; 95 % intervals of three trends."""
    slopes, inside = [], []
    paths = [("brand", "val"), ("int", "val"), ("int", "brand")]
    for seed in range(200):
        rows = staged(MODEL, panel_of(100, seed), STAGES, None, None, 50, covariance=True)
        made = numbers_of(rows, csi.SEM(), (), 0.95)[0]
        at = [made.paths.index(p) for p in paths]
        slopes.append(np.append(made.values[:, at].ravel(), made.trend[at]))
        true = np.array([contrast(3) @ TRUE[p] for p in paths])
        inside.append((made.trend_low[at] <= true) & (true <= made.trend_high[at]))
    every = np.array(slopes)
    true = np.append(np.array([TRUE[p] for p in paths]).T.ravel(), [contrast(3) @ TRUE[p] for p in paths])
    error = every.std(axis=0, ddof=1) / np.sqrt(200)
    assert (np.abs(every.mean(axis=0) - true) < 4 * error + 0.01).all()
    assert 0.92 <= np.mean(inside) <= 0.98


def test_unequal_loadings_withhold_slopes_and_the_item_is_named():
    panel = panel_of(300, second=(1, 0.5, 0.2))
    made = csi.stage_slopes(MODEL, panel, STAGES, claims=CLAIMS)
    assert not made.table.height
    assert not made.trends.height
    assert made.sentences[0].en.startswith("Slopes of the stages are withheld: equal loadings are rejected")
    assert "V2" in made.sentences[0].en
    assert "题v2" in made.sentences[0].zh
    freed = csi.stage_slopes(MODEL, panel, STAGES, claims=CLAIMS, partial=True)
    assert freed.table.height == 9
    assert verdicts(freed)["int~val"] == "falls"


def test_composites_stand_behind_micom_and_are_tested_by_permutation(composed):
    assert verdicts(composed) == {"brand~val": "open", "int~val": "falls", "int~brand": "rises"}
    assert composed.gate["step"].unique(maintain_order=True).to_list() == ["composition", "mean", "variance", "path"]
    assert composed.gate.filter(step="composition").height == 9
    assert composed.trends["p_value"].min() == pytest.approx(1 / 200)
    assert "MICOM" in text(composed, "en")
    assert "MICOM 2：构成" in text(composed, "zh")
    est = csi.fit(MODEL, panel_of(300), csi.PLS(), ["stage"])
    own = est.table.filter(stage="new", op="~", lhs="int", rhs="val")["estimate"][0]
    row = composed.table.filter(stage="new", outcome="int", predictor="val").row(0, named=True)
    assert row["estimate"] == pytest.approx(own)


def test_a_composite_made_otherwise_withholds_its_paths_and_the_item_is_named():
    panel = panel_of(200, second=(1, 1, -0.9), noise=0.3)
    frame = panel.frame.with_columns(  # at the last stage the second item is noise alone
        v2=pl.when(pl.col("stage") == "loyal").then(pl.col("v2") * 0 + pl.col("i3").shuffle(seed=1)).otherwise("v2")
    )
    made = csi.stage_slopes(
        MODEL, replace(panel, frame=frame), STAGES, claims=CLAIMS, estimator=csi.PLS(), permutations=199, replicates=100
    )
    assert made.trends["estimate"].null_count() == 3  # all three paths rest on value
    assert "MICOM step 2" in made.sentences[0].en
    assert "V2" in made.sentences[0].en
    assert "题v2" in made.sentences[0].zh
    assert "步骤 2" in made.sentences[0].zh


def test_slopes_that_do_not_change_are_seldom_called_so():
    """40 panels with equal slopes, three paths each, Holm: some 5 % have one that rises or falls."""
    alarms = 0
    rng = np.random.default_rng(5)
    for seed in range(40):
        panel = panel_of(100, seed)
        same = panel.frame.with_columns(stage=pl.Series(rng.permutation(np.repeat(np.array(STAGES), 100))))
        rows = staged(MODEL, replace(panel, frame=same), STAGES, None, None, 50, covariance=True)
        p = numbers_of(rows, csi.SEM(), (), 0.95)[0].p
        alarms += csi.adjust(p, "holm").min() < 0.05
    assert alarms <= 7


def test_the_card_brings_its_claims():
    made = csi.stage_slopes("lifecycle_loyalty", panel_of(250, card=True), STAGES)
    said = dict(zip(made.trends["outcome"] + "~" + made.trends["predictor"], made.trends["claimed"], strict=True))
    assert said == {
        "brand~value": "", "relationship~value": "", "intention~value": "falls", "intention~brand": "rises",
        "intention~relationship": "rises",
    }  # fmt: skip
    assert "Attitude to the brand" in made.sentences[1].en


def test_refusals():
    panel = panel_of(120)

    def refused(*args, words=("", ""), model=MODEL, **more):
        with pytest.raises(Problems) as caught:
            csi.stage_slopes(model, *args, **more)
        said = caught.value.problems
        assert any(words[0] in p.say("en") and words[1] in p.say("zh") for p in said)
        return [p.code for p in said]

    bare = replace(panel, frame=panel.frame.drop("stage"))
    assert refused(bare, STAGES, words=("no column in the role stage", "没有角色为 stage 的列")) == ["E-STAGE"]
    assert refused(panel, ("new",), words=("a trend needs two or more", "至少需要两个阶段")) == ["E-STAGE"]
    assert refused(panel, (), words=("not named", "未指定")) == ["E-STAGE"]
    assert refused(panel, (*STAGES, "gone"), words=("no respondents at gone", "没有处于 gone")) == ["E-STAGE"]
    assert refused(panel, STAGES, least=200, words=("too few respondents", "样本过少")) == ["E-STAGE"]
    wrong = {"int~age": "falls"}
    assert refused(panel, STAGES, claims=wrong, words=("no path of the model", "不是模型中的路径")) == ["E-ORDER"]
    assert refused(panel, STAGES, where={"brand": "x"}, words=("no row has brand", "没有 brand")) == ["E-WHERE"]
    assert refused(panel, STAGES, level=95, words=("not between 0 and 1", "不在 0 与 1 之间")) == ["E-SETTING"]
    assert refused(panel, STAGES, model="lifecycle_loyal", words=("no card", "没有模型卡")) == ["E-METHOD"]
    two = csi.stage_slopes(MODEL, panel, STAGES[:2])
    assert any(n.code == "N-STAGE-LEFT" and "loyal" in n.text.en for n in two.notes)
