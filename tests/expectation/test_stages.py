"""Formation by stage: planted orders are found, structural zeros refused, stages compared by unstandardised slopes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.formula.api as smf
from scipy.stats import t as t_law

import csi
from csi.errors import Problems, Text
from csi.expectation.stages_words import across_sentences
from csi.inference.sandwich import robust_slopes

_spec = importlib.util.spec_from_file_location("forming", Path(__file__).parent / "forming.py")
forming = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(forming)
FAST = {"replicates": 200}


def test_planted_orders_are_found_at_every_stage():
    found = csi.formation_by_stage(forming.staged(1500), **FAST)
    declared = found.orders.filter("declared")
    assert declared["stage"].to_list() == ["never", "first", "long"]
    assert declared["hypothesis"].to_list() == ["wom > advert > judge", "first > wom > advert", "exper > judge > wom"]
    assert (declared["support"] > 0.95).all()
    assert (declared["weight_complement"] > 0.9).all()
    assert found.sentences[2].en.startswith(
        "Never used: The data speak for word of mouth > advertising > own judgement"
    )
    assert found.sentences[0].en.startswith("Of 3 orders that are said to hold the data speak for 3 (never used, first")
    assert found.sentences[0].zh == "所称的 3 个影响次序中，数据支持 3 个（从未使用、初次使用、长期使用）。"
    assert found.ranking.filter(stage="first").height == 24


def test_planted_reversals_are_not_hidden():
    slopes = forming.STAGE_SLOPES | {"never": {"wom": 0.1, "advert": 0.3, "judge": 0.6}}
    found = csi.formation_by_stage(forming.staged(1500, slopes=slopes), **FAST)
    row = found.orders.filter("declared", stage="never").row(0, named=True)
    assert row["preferred"] == "judge > advert > wom"
    assert "against 1 (never used)" in found.sentences[0].en
    assert row["weight_complement"] < 0.05
    assert "speak against word of mouth > advertising > own judgement" in found.sentences[2].en
    assert "Trisca" in next(n for n in found.notes if n.code == "N-ORDER").text.en


def test_a_stage_has_only_its_own_causes():
    table = csi.formation_by_stage(forming.staged(), **FAST).table
    assert table.filter(cause="first")["stage"].to_list() == ["first"]
    assert table.filter(cause="exper")["stage"].to_list() == ["long"]


def test_differences_between_stages_are_wald_tests_of_statsmodels():
    panel = forming.staged(300)
    across = csi.formation_by_stage(panel, **FAST).across
    f = panel.frame.select(
        "stage",
        *[
            pl.mean_horizontal(f"{c}1", f"{c}2").fill_null(0.0).alias(c)
            for c in ("wom", "advert", "judge", "first", "exper")
        ],
        y=pl.mean_horizontal("e1", "e2"),
    )
    f = pd.DataFrame(f.to_dict(as_series=False))
    fit = smf.ols("y ~ 0 + C(stage) + C(stage):(wom + advert + judge) + first + exper", f).fit(
        cov_type="HC2", use_t=True
    )
    test = fit.t_test("C(stage)[never]:wom - C(stage)[long]:wom = 0")
    ours = across.filter(cause="wom", first="never", second="long").row(0, named=True)
    assert ours["difference"] == pytest.approx(float(test.effect[0]), abs=1e-8)
    assert ours["std_error"] == pytest.approx(float(test.sd[0, 0]), rel=1e-6)
    names = list(fit.model.exog_names)
    apart = np.zeros((1, len(names)))
    apart[0, [names.index(f"C(stage)[{s}]:wom") for s in ("never", "long")]] = 1, -1
    df = robust_slopes(fit.model.exog, fit.model.endog, np.ones(len(f)), np.arange(len(f))).df_of(apart)[0]
    assert ours["p_value"] == pytest.approx(2 * t_law.sf(abs(test.tvalue.item()), df), rel=1e-4)
    assert across.height == 9


def test_a_difference_says_among_whom():
    row = {"cause": "wom", "first": "never", "second": "first", "difference": 0.4, "p_adjusted": 0.001}
    (said,) = across_sentences(pl.DataFrame([row]), {"wom": Text("Word of mouth", "口碑")})
    assert said.en.endswith("of expectation among those who never used it than among first-time users.")
    assert said.zh == "“口碑”每高 1 分，从未使用者的期望比初次使用者多高 0.40 分。"


def test_names_of_stages_are_mapped():
    names = {"never": "潜在", "first": "新", "long": "老"}
    mapped = csi.formation_by_stage(forming.staged(names=names), names, **FAST)
    plain = csi.formation_by_stage(forming.staged(), **FAST)
    assert mapped.table["stage"].unique(maintain_order=True).to_list() == ["never", "first", "long"]
    np.testing.assert_allclose(mapped.table["share"], plain.table["share"], atol=1e-12)


def test_a_stage_without_respondents_is_left_out_and_an_untestable_order_named():
    slopes = {k: v for k, v in forming.STAGE_SLOPES.items() if k != "first"}
    found = csi.formation_by_stage(forming.staged(slopes=slopes), causes=("wom", "judge", "exper"), **FAST)
    assert found.table["stage"].unique(maintain_order=True).to_list() == ["never", "long"]
    assert found.orders["stage"].unique().to_list() == ["long"]
    assert not any("orders that are said to hold" in t.en for t in found.sentences)
    assert "never used" in next(n for n in found.notes if n.code == "W-ORDER").text.en


def test_own_hypotheses_take_the_place_of_the_defaults():
    found = csi.formation_by_stage(forming.staged(), hypotheses={"never": ["judge > wom", "wom > judge"]}, **FAST)
    assert found.orders["hypothesis"].unique(maintain_order=True).to_list() == ["judge > wom", "wom > judge"]


@pytest.mark.parametrize(
    ("lang", "words"), [("en", ("Never used", "GORICA weight")), ("zh", ("从未使用", "GORICA 权重"))]
)
def test_it_shows_itself(lang, words):
    shown = csi.display.text(csi.formation_by_stage(forming.staged(), **FAST), lang)
    assert all(w in shown for w in words)


def leaking():
    """First impressions of people who never used."""
    panel = forming.staged()
    return csi.Panel(panel.frame.with_columns(pl.col("first1").fill_null(4.0)), panel.codebook, panel.reasons)


def stageless():
    """No column stage."""
    panel = forming.staged()
    return csi.Panel(panel.frame.drop("stage"), panel.codebook, panel.reasons)


@pytest.mark.parametrize(
    ("panel", "arguments", "code", "words", "zh"),
    [
        (stageless, {}, "E-STAGE", "no column in the role stage", "没有角色为 stage 的列"),
        (lambda: forming.staged(names={"never": "new"}), {}, "E-STAGE", "new cannot be placed", "new 无法归类"),
        (
            forming.staged,
            {"stages": {"before": "never"}},
            "E-STAGE",
            "before: stages are never, first, long",
            "阶段应为",
        ),
        (lambda: forming.staged(60), {}, "E-STAGE", "of stage “never used”, 60 respondents answered", "仅 60 人"),
        (
            leaking,
            {},
            "E-DESIGN",
            "800 respondents of stages other than “first-time users” answered first",
            "800 位不属于",
        ),
        (
            forming.staged,
            {"hypotheses": {"later": "wom > judge"}},
            "E-STAGE",
            "no respondents at later",
            "没有处于 later",
        ),
        (forming.staged, {"causes": ["wom"]}, "E-ROLE", "at least two causes", "至少需要两个成因"),
    ],
)
def test_refusals_in_both_languages(panel, arguments, code, words, zh):
    with pytest.raises(Problems) as raised:
        csi.formation_by_stage(panel(), **(FAST | arguments))
    assert raised.value.problems[0].code == code
    assert words in str(raised.value)
    assert zh in raised.value.problems[0].say("zh")
