"""What a card's run says where something is missing: rivals that cannot be fitted, no direct path, lost replicates."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.claims.chains import chain_sentences
from csi.claims.signs import lost_most, unjudged
from csi.display import text
from csi.measures.admissible_composites import _equations
from csi.models.card_parts import Rival
from csi.models.cards import read_card


@pytest.fixture(scope="module")
def ect_run(panels):
    card = read_card("ecm")
    lone = Rival("直接", "direct", paths={"continuance": ("+satisfaction",)})
    return csi.run_card(replace(card, rivals={"direct": lone}), panels("ecm"), replicates=200)


def test_a_rival_that_leaves_a_construct_untouched_does_not_stop_the_card(ect_run):
    (told,) = [n for n in ect_run.notes if n.code == "N-RIVAL"]
    assert told.text.en.startswith("rival direct is compared by its fit alone")
    assert told.text.zh.startswith("竞争模型 direct 仅比较拟合")
    assert ect_run.rivals["r2"].null_count() == 2
    assert ect_run.rivals["chi2"].null_count() == 0


def test_no_kind_of_mediation_without_a_direct_path(ect_run):
    arrows = {(p.predictor.name, p.outcome) for p in ect_run.model.paths}
    without = [
        r
        for r in ect_run.hypotheses.to_dicts()
        if tuple(r["chain"].split(" -> ")[:: len(r["chain"].split(" -> ")) - 1]) not in arrows
    ]
    assert without
    assert all(r["kind"] is None for r in without)
    beside = ect_run.hypotheses.height - len(without)
    assert ect_run.hypotheses["kind"].drop_nulls().len() == beside
    said = chain_sentences(ect_run.hypotheses, ect_run.model)
    assert sum("the direct path is not in the model" in s.en for s in said) == len(without)
    assert sum("模型未设直接路径" in s.zh for s in said) == len(without)


def test_where_most_replicates_are_lost_there_is_no_verdict(ect_run):
    est = ect_run.estimate
    usable = np.array(est.replicates.usable)
    usable[: int(0.51 * len(usable)) + 1] = False
    lost = replace(est, replicates=replace(est.replicates, usable=usable))
    assert lost_most(lost) == [True]
    assert lost_most(est) == [False]
    assert unjudged(est) == ()
    (told,) = unjudged(lost)
    assert "no verdict on signs" in told.text.en
    assert "不作符号判断" in told.text.zh


def test_a_path_that_resamples_do_not_determine_is_withheld(ect_run):
    est = ect_run.estimate
    names = est.solution.constructs
    y, x = names.index("satisfaction"), names.index("usefulness")
    drawn = np.array(est.replicates.solution.paths)
    draw = np.random.default_rng(1)
    drawn[:, y, x] = draw.normal(1.43, 2.84, size=len(drawn))
    wide = replace(
        est,
        replicates=replace(est.replicates, solution=replace(est.replicates.solution, paths=drawn)),
    )
    found = csi.verify(wide)
    assert "E-COLL" in found.codes
    assert found.withheld[0].code == "E-COLL"
    (one,) = [f for f in found.findings if f.code == "E-COLL"]
    assert "(SE 2." in one.what.en
    assert "E-COLL" not in csi.verify(est).codes


def test_errors_of_the_jackknife_and_of_replicate_weights_withhold_as_those_of_a_bootstrap_do(ect_run):
    est = csi.jackknife(replace(ect_run.estimate, replicates=None))
    errors = dict(est.table.filter(op="~").select(pl.concat_str("lhs", pl.lit(" ~ "), "rhs"), "std_error").iter_rows())
    names = est.solution.constructs
    seen = {
        f"{e.outcome} ~ {x}": se for e in _equations(est, 0) for x, se in zip(e.predictors, e.std_error, strict=True)
    }
    assert seen == pytest.approx(errors, rel=1e-9)
    y, x = names.index("satisfaction"), names.index("usefulness")
    drawn = np.array(est.replicates.solution.paths)
    drawn[:, y, x] += np.random.default_rng(1).normal(0, 2.84 / np.sqrt(len(drawn)), size=len(drawn))
    wide = replace(est, replicates=replace(est.replicates, solution=replace(est.replicates.solution, paths=drawn)))
    (one,) = [f for f in csi.verify(wide).findings if f.code == "E-COLL"]
    assert "satisfaction ~ usefulness" in one.what.en
    assert "(SE 2." in one.what.en or "(SE 3." in one.what.en
    assert csi.verify(wide).withheld[0].code == "E-COLL"
    assert "E-COLL" not in csi.verify(est).codes


@pytest.mark.parametrize(("lang", "said"), [("en", "the direct path is not in the model"), ("zh", "模型未设直接路径")])
def test_it_is_printed(ect_run, lang, said):
    assert said in text(ect_run, lang)


def test_shares_of_dimensions_in_a_covariance_model_are_of_the_outcomes(panels):
    run = csi.run_card("perval", panels("perval"), estimator=csi.SEM(), rivals=False)
    shares = run.dimensions
    assert shares.height
    for _, rows in shares.group_by("outcome", "construct"):
        assert rows["share"].sum() == pytest.approx(1)
    each = [rows.sort("part")["share"].to_list() for _, rows in shares.group_by("outcome", maintain_order=True)]
    assert len(each) > 1
    assert all(np.abs(np.subtract(each[0], other)).max() > 0.001 for other in each[1:])
