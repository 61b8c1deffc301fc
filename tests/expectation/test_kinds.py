"""Kinds of expectation: facets, said and unsaid, levels, basic to exceeding; what lacks is named."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

import csi
from csi.errors import Problems, Text
from csi.expectation.kinds import kind_of
from csi.survey.codebook import Item, Scale

_spec = importlib.util.spec_from_file_location("forming", Path(__file__).parent / "forming.py")
forming = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(forming)
FACET = {"speed": "functional", "policy": "functional", "kind": "service", "calm": "emotional"}
FAST = {"replicates": 100}


def asked(n=400, seed=1, kano=True, levels=True, sat=True):
    """Four attributes of three facets; satisfaction follows the gap of `calm` most; kind is must-be, calm unsaid."""
    rng = np.random.default_rng(seed)
    columns, items = {}, []
    for name, facet in FACET.items():
        for form, mean in (("Ew", 5.5), ("P", 4.5), *((("Ea", 4.0), ("Ei", 6.5)) if levels else ())):
            columns[f"{form}_{name}"] = np.clip(np.round(mean + rng.normal(size=n)), 1, 7)
            items.append(
                Item(f"{form}_{name}", "service", forming.SEVEN, Text(name.title(), name), name, form, facet=facet)
            )
    if sat:
        weight = {"speed": 0.2, "policy": 0.1, "kind": 0.1, "calm": 0.9}
        total = sum(w * (columns[f"P_{a}"] - columns[f"Ew_{a}"]) for a, w in weight.items())
        columns["sat"] = np.clip(np.round(4.5 + total + 0.5 * rng.normal(size=n)), 1, 7)
        items.append(Item("sat", "satisfaction", forming.SEVEN, Text("Satisfaction", "满意")))
    if kano:
        five = Scale("five", 1, 5)
        answers = {"speed": (1, 5), "policy": (3, 3), "kind": (3, 5), "calm": (1, 3)}
        for name, (f, d) in answers.items():
            columns |= {f"Kf_{name}": np.full(n, float(f)), f"Kd_{name}": np.full(n, float(d))}
            items += [Item(f"{k}_{name}", "features", five, Text(name, name), name, k) for k in ("Kf", "Kd")]
    return forming.panel_of(columns, items)


MENTIONED = pl.DataFrame(
    {
        "id": [str(i) for i in range(60)] * 2,
        "attribute": ["speed"] * 60 + ["calm"] * 60,
        "aided": ["0"] * 60 + ["1"] * 60,
    }
)


def test_facets_are_paired_gaps_and_the_one_that_matters_is_found():
    panel = asked()
    found = csi.kinds(panel, **FAST)
    row = found.facets.row(by_predicate=pl.col("facet") == "functional", named=True)
    P, E = (panel.frame.select(pl.mean_horizontal(f"{f}_speed", f"{f}_policy")).to_series() for f in ("P", "Ew"))
    low, high = stats.ttest_rel(P, E).confidence_interval(0.95)
    assert row["gap"] == pytest.approx((P - E).mean())
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((low, high), abs=1e-9)
    assert row["attributes"] == 2
    assert found.facets.sort("share")["facet"][-1] == "emotional"
    assert found.facets["share"].sum() == pytest.approx(1.0)
    assert (found.facets["share_low"] < found.facets["share"]).all()
    assert "most goes with emotional" in found.sentences[0].en


def test_levels_stand_between_baseline_and_ideal():
    panel = asked()
    found = csi.kinds(panel, **FAST).levels
    assert found["level"].unique(maintain_order=True).to_list() == ["Ea", "Ei"]
    row = found.row(by_predicate=(pl.col("attribute") == "kind") & (pl.col("level") == "Ei"), named=True)
    f = panel.frame
    assert row["gap"] == pytest.approx((f["P_kind"] - f["Ei_kind"]).mean())
    assert row["short"] == pytest.approx((f["P_kind"] < f["Ei_kind"]).mean())


def test_kano_mentions_and_importance_make_the_kinds_of_seed_and_paper():
    found = csi.kinds(asked(), MENTIONED, **FAST)
    kinds = dict(found.surprise.select("attribute", "kind").rows())
    assert kinds == {"speed": "basic", "policy": "none", "kind": "basic", "calm": "latent"}
    assert dict(found.said.select("attribute", "kind").rows()) == {"speed": "explicit", "calm": "implicit"}
    assert "Latent: Calm" in " ".join(s.en for s in found.sentences) or "latent: Calm" in found.sentences[-1].en
    assert "潜在期望：calm" in found.sentences[-1].zh


def test_attractive_is_exceeding_where_it_is_said_or_unknown():
    found = csi.kinds(asked(), **FAST)
    assert dict(found.surprise.select("attribute", "kind").rows())["calm"] == "exceeding"
    assert any(n.code == "W-KINDS" for n in found.notes)
    assert kind_of("A", 0.1, 0.1, 0.3) == "exceeding"
    assert kind_of("A", 0.1, 0.5, 0.3) == "latent"
    assert kind_of("I", 0.5, 0.5, 0.3) == "none"
    assert kind_of(None, 0.1, 0.5, 0.3) == "none"


def test_what_lacks_is_named():
    found = csi.kinds(asked(kano=False, levels=False), **FAST)
    told = next(n for n in found.notes if n.code == "N-KINDS")
    assert "coded mentions; forms Ea, Ed or Ei beside P; pairs of Kano" in told.text.en
    assert "Kano 配对题" in told.text.zh
    assert not found.levels.height


@pytest.mark.parametrize(("lang", "word"), [("en", "Basic, latent, exceeding"), ("zh", "基本、潜在与超值")])
def test_it_shows_itself(lang, word):
    assert word in csi.display.text(csi.kinds(asked(), MENTIONED, **FAST), lang)


def bare():
    """Perceptions alone."""
    panel = asked(kano=False, levels=False)
    book = csi.Codebook(tuple(i for i in panel.codebook.items if i.form == "P"), {}, {})
    return csi.Panel(panel.frame, book, panel.reasons)


@pytest.mark.parametrize(
    ("panel", "arguments", "code", "words", "zh"),
    [
        (bare, {}, "E-ROLE", "no kind of expectation can be told", "无法区分任何期望类型"),
        (asked, {"outcome": "joy"}, "E-ROLE", '"joy" is no construct or item', "不是构念或题项"),
        (asked, {"mentioned": pl.DataFrame({"id": ["1"]})}, "E-MENTIONS", "no column attribute", "缺少列 attribute"),
        (asked, {"replicates": 1}, "E-BOOT", "too few", "不足以"),
    ],
)
def test_refusals_in_both_languages(panel, arguments, code, words, zh):
    with pytest.raises(Problems) as raised:
        csi.kinds(panel(), **(FAST | arguments))
    assert raised.value.problems[0].code == code
    assert words in str(raised.value)
    assert zh in raised.value.problems[0].say("zh")


def test_attributes_without_importance_say_why():
    study = csi.Study.read(Path(__file__).parents[2] / "data/insurance/study.yaml")
    found = csi.kinds(study.panel(), replicates=100)
    (note,) = [n for n in found.notes if "not asked as perceived" in n.text.en]
    assert note.text.en.endswith(": no importance: not asked as perceived (form P).")
    assert note.text.zh.endswith("：未以感知（P）提问，无法计算重要性。")
    told = {r["attribute"]: r for r in found.surprise.iter_rows(named=True)}
    assert told["chatbot"]["importance"] is None
    assert told["chatbot"]["reason"] == "no importance: not asked as perceived (form P)."
    assert told["chatbot"]["reason_zh"] == "未以感知（P）提问，无法计算重要性。"
    assert told["speed"]["reason"] is None
