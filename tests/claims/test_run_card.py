"""`csi.run_card`: everything a card's run reports, against the measures it is made of and against lavaan."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.claims.contests import contests
from csi.display import text
from csi.errors import Problems, Text
from csi.importance.shares import johnson
from csi.models.card_rivals import contest, merged
from csi.models.cards import card_from, card_names, read_card
from csi.models.model import Model
from csi.simulation import recipe_of_card, simulate
from csi.survey.codebook import Codebook, Item, Scale

REFERENCE = json.loads((Path(__file__).parents[1] / "reference/servqual/servqual.json").read_text(encoding="utf-8"))


def test_a_run_is_made_of_the_measures_that_exist(panel_of, run_of):
    run = run_of("ecm")
    est = csi.bootstrap(csi.fit(run.model, panel_of("ecm"), csi.PLS()), 200, 1)
    direct = csi.effects(est).table.filter(effect="direct")
    for row in run.table.iter_rows(named=True):
        same = direct.filter(outcome=row["outcome"], predictor=row["predictor"]).row(0, named=True)
        assert [row[c] for c in ("estimate", "conf_low", "conf_high")] == [
            same[c] for c in ("estimate", "conf_low", "conf_high")
        ]
    assert run.index.table["index"].to_list() == csi.index(est).table["index"].to_list()
    assert run.impact.filter(target="satisfaction")["gain"].to_list() == csi.drivers(est).table["gain"].to_list()
    assert run.reliability["rho_a"].to_list() == csi.reliability(est).table["rho_a"].to_list()
    chain = csi.mediation(est).table.filter(chain="confirmation -> usefulness -> satisfaction")["estimate"].item()
    assert run.hypotheses.filter(hypothesis="confirmation_through_usefulness")["estimate"].item() == chain
    assert run.fit.filter(measure="srmr")["value"].item() == csi.fit_measures(est)["srmr"]


@pytest.mark.parametrize("name", card_names())
def test_every_card_runs_and_reads_in_both_languages(name, run_of):
    run = run_of(name)
    assert set(run.table.filter(pl.col("expected").is_in(["+", "-"]))["verdict"]) <= {"as expected", "open"}
    for lang in ("en", "zh"):
        said = text(run, lang)
        assert read_card(name).title.say(lang) in said
        if run.table["expected"].is_in(["+", "-"]).any():
            assert ("signed paths are as expected" if lang == "en" else "条有预期符号的路径中") in said
    assert run.index is not None
    assert set(run.index.table["construct"]) == set(run.model.names)


@pytest.mark.parametrize(
    "name", ["ecm", "ect", "edt", "perval", "loyalty", "emotion", "expectation_facets", "trust_sss"]
)
def test_cards_run_in_covariance_models(name, run_of):
    run = run_of(name, "sem", 0 if not read_card(name).contrasts else 200)
    assert run.diagnosis.errors == ()
    assert "cfi" in run.fit["measure"].to_list()
    signed = run.table.filter(pl.col("expected").is_in(["+", "-"]))
    assert (signed["verdict"] == "against").sum() == 0
    assert run.q2.height == 0


def test_planted_reversals_are_named(panel_of):
    reversed_ = (("satisfaction", (("confirmation", 0.4), ("usefulness", -0.4))),)
    run = csi.run_card("ecm", panel_of("ecm", paths=reversed_), replicates=200)
    verdicts = {(r["outcome"], r["predictor"]): r["verdict"] for r in run.table.iter_rows(named=True)}
    assert verdicts["satisfaction", "usefulness"] == "against"
    assert verdicts["satisfaction", "confirmation"] == "as expected"
    (note,) = [n for n in run.notes if n.code == "W-SIGN"]
    assert note.text.en.startswith("Perceived usefulness (performance) -> Satisfaction: the card expects +")
    assert note.text.zh.startswith("感知有用性（绩效） → 顾客满意：模型卡预期 +")
    assert "against expectation: Perceived usefulness (performance) -> Satisfaction" in run.sentences[0].en
    assert "与预期相反：感知有用性（绩效） → 顾客满意" in run.sentences[0].zh


@pytest.mark.parametrize("engine", ["pls", "sem"])
def test_a_planted_negative_path_of_a_negative_sign_is_as_expected(engine, run_of):
    run = run_of("emotion", engine)
    row = run.table.filter(outcome="negative", predictor="performance").row(0, named=True)
    assert row["estimate"] < 0
    assert row["verdict"] == "as expected"
    assert not [n for n in run.notes if n.code == "W-SIGN"]


def test_a_path_claimed_to_be_zero_is_estimated_and_judged(run_of):
    kept = run_of("ect").table.filter(expected="0").row(0, named=True)
    assert (kept["outcome"], kept["predictor"]) == ("disconfirmation_after", "expectation_before")
    assert kept["conf_low"] < 0 < kept["conf_high"]
    assert kept["p_value"] > 0.05 < kept["p_equivalence"]
    assert kept["verdict"] == "open"


def test_a_zero_path_that_is_not_zero_is_told(panel_of):
    card = read_card("ecm")
    paths = {**card.paths, "continuance": ("+satisfaction",)}
    claimed = replace(card, paths=paths, zeros={"continuance": ("usefulness",)},
                      hypotheses={})  # fmt: skip
    run = csi.run_card(claimed, panel_of("ecm"), replicates=200)
    row = run.table.filter(expected="0").row(0, named=True)
    assert row["verdict"] == "against"
    assert any(n.code == "W-SIGN" and "expects 0" in n.text.en for n in run.notes)


def test_contrasts_are_the_formula_of_the_indirect_effects(panel_of, run_of):
    run = run_of("emotion")
    chains = dict(run.hypotheses.select("hypothesis", "estimate").iter_rows())
    row = run.contrasts.row(0, named=True)
    assert row["estimate"] == pytest.approx(chains["through_positive"] - abs(chains["through_negative"]), abs=1e-12)
    assert row["conf_low"] < 0 < row["conf_high"]
    stronger = (
        ("positive", (("performance", 0.7),)),
        ("negative", (("performance", -0.2),)),
        ("satisfaction", (("performance", 0.2), ("positive", 0.5), ("negative", -0.2))),
    )
    other = csi.run_card("emotion", panel_of("emotion", paths=stronger), replicates=200, rivals=False)
    assert other.contrasts["conf_low"].item() > 0
    assert any("differs from 0" in s.en for s in other.sentences)
    assert any("与 0 有显著差异" in s.zh for s in other.sentences)


def test_a_contrast_of_a_covariance_model_agrees_with_its_replicates(run_of):
    run = run_of("emotion", "sem")
    assert run.contrasts["std_error"].item() > 0
    assert run.contrasts["conf_low"].item() < run.contrasts["estimate"].item() < run.contrasts["conf_high"].item()


def servqual():
    given = REFERENCE["moments"]
    moments = csi.Moments.of(
        given["names"], given["cov"], n=REFERENCE["provenance"]["n"], mean=given["mean"],
        scale=(given["minimum"], given["maximum"]),
    )  # fmt: skip
    card, at, items = read_card("servqual"), 1, {}
    for name, many in zip(card.constructs, (4, 5, 4, 4, 5), strict=False):
        items[name] = tuple(f"a{k:02d}" for k in range(at, at + many))
        at += many
    return card, items | {"satisfaction": ("sat",)}, moments


def test_servqual_s_five_factors_and_its_rivals_agree_with_lavaan():
    card, items, moments = servqual()

    def fit(model):
        return csi.fit(model, moments, csi.SEM())

    table = contests(card, items, (), fit, fit, covariance=True).table
    for name in card.rivals:
        own, rival = table.filter(rival=name).iter_rows(named=True)
        for row, which in ((own, "card"), (rival, name)):
            truth = REFERENCE["models"][which]["fit"]
            assert row["chi2"] == pytest.approx(truth["chisq"], abs=1e-3)
            assert row["df"] == truth["df"]
            for ours in ("cfi", "rmsea", "srmr"):
                assert row[ours] == pytest.approx(truth[ours], abs=1e-5)
        assert rival["chi2_diff"] == pytest.approx(REFERENCE["differences"][name]["chisq_diff"], abs=1e-3)
        assert rival["df_diff"] == REFERENCE["differences"][name]["df_diff"]


@pytest.mark.parametrize("name", ["one_factor", "second_order"])
def test_paths_of_servqual_s_rivals_agree_with_lavaan(name):
    card, items, moments = servqual()
    other = contest(card, name)[1]
    model = Model.card.of(other, merged(card.rivals[name], items), covariance=True)
    found = csi.effects(csi.fit(model, moments, csi.SEM())).table.filter(effect="direct", outcome="satisfaction")
    (truth,) = REFERENCE["models"][name]["paths"]
    ours = [found[c].item() for c in ("estimate", "std_error", "conf_low", "conf_high")]
    assert ours == pytest.approx([truth[c] for c in ("est.std", "se", "ci.lower", "ci.upper")], abs=1e-5)


@pytest.mark.parametrize("engine", ["pls", "sem"])
def test_rivals_are_compared_by_covariance_models_whatever_the_engine(engine, run_of):
    run = run_of("kmv", engine, 200 if engine == "pls" else 0)
    own, rival = run.rivals.iter_rows(named=True)
    assert own["df"] - rival["df"] == rival["df_diff"] == 33
    assert own["significant"] == 1.0
    assert rival["significant"] < 0.6
    assert any(
        "No mediation (every antecedent acts directly) fits no better than the card" in s.en for s in run.sentences
    )


def test_two_emotions_are_not_one(run_of):
    run = run_of("emotion")
    own, rival = run.rivals.iter_rows(named=True)
    assert rival["df"] - own["df"] == 1
    assert rival["p_value"] < 0.001
    assert own["cfi"] > 0.99 > rival["cfi"]
    assert own["r2"] is rival["r2"] is None
    assert any("单一的两极情感拟合差于模型卡" in s.zh for s in run.sentences)


def test_the_gate_withholds_paths_of_constructs_that_are_one(panel_of):
    twins = (
        ("satisfaction", (("confirmation", 0.02), ("usefulness", 0.93))),
        ("usefulness", (("confirmation", 0.97),)),
    )
    panel = panel_of("ecm", n=300, paths=twins)
    run = csi.run_card("ecm", panel, estimator=csi.SEM())
    assert run.diagnosis.withheld
    assert run.table["estimate"].null_count() == run.table.height
    assert set(run.table["withheld"]) == {run.diagnosis.withheld[0].code}
    assert run.hypotheses.height == 0
    assert run.sentences[0].en.startswith("Structural paths are withheld")
    assert run.sentences[0].zh.startswith("不展示结构路径")
    shown = csi.run_card("ecm", panel, estimator=csi.SEM(), anyway=True)
    assert shown.table["estimate"].null_count() == 0


def without(panel, *constructs):
    book = panel.codebook
    kept = tuple(i for i in book.items if i.construct not in constructs)
    return replace(panel, codebook=Codebook(kept, book.constructs, book.keys))


def test_a_card_without_an_optional_construct_says_so(panel_of):
    run = csi.run_card("trust_consumer", without(panel_of("trust_consumer"), "complaint_handling"), replicates=200)
    assert run.left_out == ("complaint_handling",)
    (note,) = [n for n in run.notes if n.code == "N-CARD-WITHOUT"]
    assert note.text.en == (
        "fitted without Complaint handling: the codebook has no items for them and card trust_consumer can do without."
    )
    assert "模型未纳入投诉处理" in note.text.zh
    assert run.model.predictors("trust") == ("reliable", "transparency")


def test_optional_arrows_and_provisional_cards_are_told(panel_of):
    run = csi.run_card("jcsi", panel_of("jcsi"), optional=["loyalty~recommendation"], replicates=200)
    codes = {n.code: n for n in run.notes}
    assert codes["N-CARD-OPTIONAL"].text.en == "optional arrows that are in: loyalty~recommendation."
    assert codes["N-CARD-OPTIONAL"].text.zh == "纳入的可选路径：loyalty~recommendation。"
    assert codes["N-CARD-PROVISIONAL"].text.zh.startswith("模型卡 jcsi 为暂定")
    assert "W-RETRO" in codes


def refused(*args, **options):
    with pytest.raises(Problems) as caught:
        csi.run_card(*args, **options)
    return caught.value.problems


def test_a_factor_with_one_item_is_refused_unless_its_reliability_is_stated(panel_of):
    panel = panel_of("ecm")
    book = panel.codebook
    one = tuple(i for i in book.items if i.construct != "continuance" or i.name == "continuance1")
    few = replace(panel, codebook=Codebook(one, book.constructs, book.keys))
    (found,) = refused("ecm", few, estimator=csi.SEM())
    assert found.code == "E-ITEMS"
    assert found.what.en.startswith("continuance has 1 item: a covariance model needs 2 or more")
    assert found.what.zh.startswith("continuance 只有 1 个题项")
    assert csi.run_card("ecm", few, replicates=200).table.height == 5
    run = csi.run_card("ecm", few, estimator=csi.SEM(), reliability={"continuance": 0.8})
    variance = float(few.frame["continuance1"].var(ddof=0))
    lines = str(
        Model.card("ecm", items={n: [i.name for i in one if i.construct == n] for n in read_card("ecm").constructs})
    )
    by_hand = csi.fit(f"{lines}\ncontinuance1 ~~ {0.2 * variance!r}*continuance1", few, csi.SEM())
    assert run.estimate.solution.paths == pytest.approx(by_hand.solution.paths, abs=1e-6)
    assert run.measurement.filter(item="continuance1")["loading"].item() ** 2 == pytest.approx(0.8, abs=1e-3)


def test_a_stated_reliability_must_be_of_one_item_and_between_0_and_1(panel_of):
    found = refused("ecm", panel_of("ecm"), estimator=csi.SEM(), reliability={"satisfaction": 0.8})
    assert [p.code for p in found] == ["E-SETTING"]


def staged(panel, values):
    return replace(panel, frame=panel.frame.with_columns(pl.Series("stage", values)))


GROUPED = """
id: grouped
title: {zh: 分组, en: Grouped}
year: 2026
cite: [me]
constructs: {use: {zh: 使用, en: Use}, joy: {zh: 愉悦, en: Joy}}
paths: {joy: [+use]}
index: {target: joy}
layout: {use: [100, 100], joy: [500, 100]}
requires: {group: stage, levels: [never, first], min_n_per_group: 50}
"""


@pytest.fixture
def grouped():
    card = card_from(GROUPED, "grouped.yaml")
    made = simulate(recipe_of_card(card, n=200))
    return card, csi.read_panel(made.frame, made.codebook)


def test_a_card_about_groups_makes_cells_of_them(grouped):
    card, panel = grouped
    run = csi.run_card(card, staged(panel, ["never", "first"] * 100), replicates=200)
    assert run.table["stage"].to_list() == ["first", "never"]
    assert len(run.estimate.values) == 2
    mapped = csi.run_card(card, staged(panel, ["new", "first"] * 100), stages={"never": "new"}, replicates=200)
    assert mapped.table["estimate"].to_list() == run.table["estimate"].to_list()


def test_groups_that_are_absent_unknown_or_small_are_refused(grouped):
    card, panel = grouped
    (absent,) = refused(card, panel)
    assert absent.code == "E-STAGE"
    assert "by=[]" in absent.remedy.en
    assert "数据中没有该列" in absent.what.zh
    (strange,) = refused(card, staged(panel, ["new", "old"] * 100))
    assert strange.code == "E-STAGE"
    assert strange.what.en == "grouped needs stage in {never, first}; found {new, old}."
    assert "需要 stage 取值为 never、first" in strange.what.zh
    (small,) = refused(card, staged(panel, ["never"] * 170 + ["first"] * 30))
    assert small.what.en == 'groups of stage are too small (fewest 50): "first" has 30.'
    assert "“first”有 30" in small.what.zh
    assert csi.run_card(card, panel, by=[], replicates=200).table.height == 1


def complaining(panel, *, wrong=0):
    rows = panel.frame.height
    flag = np.zeros(rows)
    flag[: rows // 2] = 1.0
    hidden = (flag == 0) & (np.arange(rows) >= rows // 2 + wrong)
    frame = panel.frame.with_columns(
        pl.Series("complained", flag),
        *(pl.when(pl.Series(hidden)).then(None).otherwise(pl.col(f"complaint_handling{k}")).alias(f"complaint_handling{k}")
          for k in (1, 2, 3)),
    )  # fmt: skip
    return replace(panel, frame=frame)


def test_answers_of_those_who_were_not_asked_are_refused(panel_of):
    (found,) = refused("trust_consumer", complaining(panel_of("trust_consumer"), wrong=7))
    assert found.code == "E-DESIGN"
    assert (
        found.what.en == '"Complaint handling" was answered by 7 respondents who were not to be asked (complained = 0).'
    )
    assert "“投诉处理”有 7 名不应作答的受访者" in found.what.zh
    assert "--without complaint_handling, without=['complaint_handling']" in found.remedy.en


def test_a_construct_asked_of_some_makes_the_model_theirs_and_says_so(panel_of):
    run = csi.run_card("trust_consumer", complaining(panel_of("trust_consumer")), replicates=200)
    (note,) = [n for n in run.notes if n.code == "N-CARD-ASKED"]
    assert note.text.en.startswith("the model is of the 200 of 400 respondents who were asked about Complaint handling")
    assert "仅包括被问到投诉处理的 200（共 400）名" in note.text.zh
    assert run.estimate.moments.n.tolist() == [200.0]


def test_an_engine_that_cannot_fit_a_card_is_refused(panel_of):
    card = replace(read_card("ecm"), engines=("pls",))
    (found,) = refused(card, panel_of("ecm"), estimator=csi.SEM())
    assert (found.code, found.remedy.en, found.remedy.zh) == ("E-ENGINE", "Use one of: pls.", "请使用：pls。")


def test_all_that_is_wrong_is_told_at_once(panel_of):
    panel = complaining(panel_of("trust_consumer"), wrong=3)
    found = refused("trust_consumer", panel, estimator=csi.SEM(), reliability={"trust": 1.2})
    assert [p.code for p in found] == ["E-SETTING", "E-DESIGN"]


MOBI = {
    "image": [f"IMAG{i}" for i in range(1, 6)],
    "expectation": [f"CUEX{i}" for i in range(1, 4)],
    "perceived_quality": [f"PERQ{i}" for i in range(1, 8)],
    "perceived_value": ["PERV1", "PERV2"],
    "satisfaction": [f"CUSA{i}" for i in range(1, 4)],
    "complaints": ["CUSCO"],
    "loyalty": [f"CUSL{i}" for i in range(1, 4)],
}
SMARTPLS = {
    ("expectation", "image"): 0.50491393,
    ("perceived_quality", "expectation"): 0.55674896,
    ("satisfaction", "perceived_quality"): 0.51202394,
    ("loyalty", "satisfaction"): 0.48547762,
}


def test_the_mobile_card_on_the_mobile_data_is_smartpls_s(reference_dir):
    ten = Scale("ten", 1, 10)
    items = tuple(Item(i, c, ten, Text(i, i)) for c, names in MOBI.items() for i in names)
    panel = csi.read_panel(reference_dir / "data/mobi/mobi.csv", Codebook(items, {}, {}))
    run = csi.run_card("ecsi_mobile", panel, replicates=200)
    found = {(r["outcome"], r["predictor"]): r["estimate"] for r in run.table.iter_rows(named=True)}
    for arrow, value in SMARTPLS.items():
        assert found[arrow] == pytest.approx(value, abs=1e-6)
    published = dict(run.index.table.select("construct", "index").iter_rows())
    assert published["satisfaction"] == pytest.approx(72.454, abs=5e-4)


def test_shares_of_dimensions_are_johnson_s_weights(run_of):
    run = run_of("perval")
    solution = run.estimate.solution
    at = [solution.constructs.index(n) for n in ("emotional_value", "social_value", "quality_value", "price_value")]
    y = solution.constructs.index("satisfaction")
    weights = johnson(solution.construct_cor[0][np.ix_(at, at)], solution.construct_cor[0][at, y])
    found = run.dimensions.filter(outcome="satisfaction")
    assert found["share"].to_numpy() == pytest.approx(weights / weights.sum(), abs=1e-12)
    assert found["r2"].to_numpy() == pytest.approx(weights.sum(), abs=1e-12)
    assert (found["conf_low"] < found["share"]).all()
    assert (found["share"] < found["conf_high"]).all()
    (said,) = [s for s in run.sentences if "has the largest share of Perceived value" in s.en]
    assert "but the intervals of other parts overlap" in said.en  # four parts planted alike
    assert "感知价值中" in said.zh
    assert "但与其他维度的区间重叠" in said.zh


def test_a_planted_dimension_carries_most(panel_of):
    strong = (
        ("social_value", (("value", 0.95),)),
        ("emotional_value", (("value", 0.5),)),
        ("price_value", (("value", 0.5),)),
    )
    run = csi.run_card("perval", panel_of("perval", n=800, paths=strong), replicates=200, rivals=False)
    shares = dict(run.dimensions.filter(outcome="satisfaction").select("part", "share").iter_rows())
    assert max(shares, key=shares.get) == "social_value"
    (said,) = [s.en for s in run.sentences if "has the largest share of Perceived value" in s.en]
    assert "overlap" not in said


def test_the_largest_driver_is_said_to_lead_only_where_it_does(panel_of, run_of):
    clear = (("satisfaction", (("confirmation", 0.7), ("usefulness", 0.05))),)
    run = csi.run_card("ecm", panel_of("ecm", paths=clear), replicates=200)
    assert any("more than any other driver" in s.en and "高于其他驱动因素" in s.zh for s in run.sentences)
    alike = run_of("servqual")  # five dimensions planted alike
    assert any("not clearly so" in s.en and "差别不明确" in s.zh for s in alike.sentences)


def test_constructs_that_are_not_distinct_are_named_beside_the_paths(panel_of):
    near = (("usefulness", (("confirmation", 0.96),)),)
    run = csi.run_card("ecm", panel_of("ecm", paths=near), replicates=200)
    pair = run.validity.table.filter(construct="usefulness", other="confirmation").row(0, named=True)
    assert pair["verdict"] == "fail"
    (told,) = [n for n in run.notes if n.code == "htmt_fail"]
    assert "are not distinct: HTMT" in told.text.en
    assert "区分不开" in told.text.zh


def test_what_a_card_explains_cannot_be_left_out(panel_of):
    (found,) = refused("ecm", panel_of("ecm"), without=["satisfaction"])
    assert found.code == "E-CONSTRUCT"
    assert found.what.en.startswith('card ecm explains "satisfaction" (Satisfaction)')
    assert found.what.zh.startswith("模型卡 ecm 解释“satisfaction”（顾客满意）")


def lifecycle(stages, unanswered=0):
    card = read_card("lifecycle_loyalty")
    made = simulate(recipe_of_card(card, n=len(stages)))
    panel = staged(csi.read_panel(made.frame, made.codebook), stages)
    silent = pl.Series(range(len(stages))) >= len(stages) - unanswered
    items = [i.name for i in panel.codebook.items if i.construct == "value"]
    return replace(panel, frame=panel.frame.with_columns(pl.when(~silent).then(pl.col(i)).alias(i) for i in items))


def test_small_groups_are_left_out_where_two_are_large_enough():
    run = csi.run_card("lifecycle_loyalty", lifecycle(["a"] * 120 + ["b"] * 120 + ["c"] * 40), replicates=200)
    assert set(run.table["stage"]) == {"a", "b"}
    (said,) = [n.text for n in run.notes if n.code == "N-GROUP-SMALL"]
    assert said.en == "groups with fewer than 100 answers are left out: c (40)."
    assert said.zh == "不足 100 份答卷的组未纳入：c（40）。"


def test_rows_that_were_not_asked_make_no_group_large():
    panel = lifecycle(["a"] * 120 + ["b"] * 120 + ["c"] * 120, unanswered=100)
    run = csi.run_card("lifecycle_loyalty", panel, replicates=200)
    assert set(run.table["stage"]) == {"a", "b"}
    (said,) = [n.text.en for n in run.notes if n.code == "N-GROUP-SMALL"]
    assert said.endswith("c (20).")
