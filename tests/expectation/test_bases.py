"""Minimum bases: comparisons of attributes and forms withhold cells below 30 answers and mark those below 100."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.behaviour.loyalty_curve import loyalty_curve
from csi.behaviour.loyalty_types import loyalty_types
from csi.claims.asymmetries import asymmetries, asymmetry_sentences
from csi.claims.blocks import blocks_of
from csi.errors import Problems, Text
from csi.models.cards import read_card
from csi.models.model import Model
from csi.survey.bases import Bases
from csi.survey.codebook import Codebook, Item, Scale

_spec = importlib.util.spec_from_file_location("forming", Path(__file__).parent / "forming.py")
forming = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(forming)

SIZES = {"A": 150, "B": 60, "C": 20}
FORMS = ("P", "Ew", "Es", "Ea", "Ed", "Kf", "Kd")
FAST = {"replicates": 100}


def answers(sizes=SIZES):
    """Brands of three sizes: two dimensions of two attributes in every form, satisfaction, loyalty, a 0-10 item."""
    draw, n = np.random.default_rng(4), sum(sizes.values())
    five, ten = Scale("five", 1, 5), Scale("ten", 0, 10)
    items, columns = [], {"brand": [b for b, m in sizes.items() for _ in range(m)]}
    columns["segment"] = ["all"] * n
    level = draw.normal(size=n)
    for j, (name, of) in enumerate((("a1", "care"), ("a2", "care"), ("b1", "speed"), ("b2", "speed"))):
        for form in FORMS:
            items.append(Item(f"{form}{name}", of, five, Text(name, name), name, form, facet="service"))
            shift = {"P": 0, "Ea": -1.5, "Ed": 1.0}.get(form, 0.4 + 0.1 * j)
            columns[f"{form}{name}"] = np.clip(np.round(3 + shift + level + draw.normal(size=n)), 1, 5)
        columns[f"Ed{name}"] = np.maximum(columns[f"Ed{name}"], columns[f"Ea{name}"])
    for name in ("satisfaction", "loyalty", "repurchase"):
        items.append(Item(name[:3], name, ten, Text(name, name)))
        columns[name[:3]] = np.clip(np.round(6 + 2 * level + draw.normal(size=n)), 0, 10)
    for name in ("chose", "rebought"):
        items.append(Item(name, name, Scale("flag", 0, 1), Text(name, name)))
        columns[name] = (draw.normal(size=n) + 0.4 * level > 0).astype(float)
    frame = pl.DataFrame(columns)
    return csi.Panel(frame, Codebook(tuple(items), {}, {}), frame.select(i.name for i in items).cast(pl.String))


BENCH = pl.DataFrame({"attribute": ["a1", "a2", "b1", "b2"], "mean": [3.0] * 4, "sd": [0.8] * 4, "n": [90] * 4})
METHODS = {
    "gap": (csi.gap, "table", "gap"),
    "promise": (csi.promise, "table", "net"),
    "promise slopes": (csi.promise, "slopes", "r2"),
    "tolerance": (lambda p, **k: csi.tolerance(p, on_inconsistent="drop", **k), "table", "msa"),
    "kano": (lambda p, **k: csi.kano(p, **FAST, **k), "table", "category"),
    "nps": (lambda p, **k: csi.nps(p, "loy", **k), "table", "nps"),
    "servqual": (lambda p, **k: csi.servqual(p, dimensions=["care", "speed"], structure=False, **k), "table", "score"),
    "servqual r2": (
        lambda p, **k: csi.servqual(p, dimensions=["care", "speed"], structure=False, **k), "predictive", "r2"
    ),
    "surface": (lambda p, **k: csi.surface(p, **FAST, **k), "claims", "r2"),
    "reasonable": (lambda p, **k: csi.reasonable(p, BENCH, **k), "table", "unreasonable"),
    "loyalty_types": (loyalty_types, "table", "share"),
    "loyalty_curve": (loyalty_curve, "table", "slope"),
}  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_cells_are_withheld_below_30_and_marked_below_100(name):
    call, frame, value = METHODS[name]
    result = call(answers(), by=["brand"])
    table = getattr(result, frame)
    flags = {b: set(table.filter(brand=b)["flag"]) for b in SIZES}
    assert flags == {"A": {None}, "B": {"small"}, "C": {"suppressed"}}
    for brand in "AB":
        assert table.filter(brand=brand)[value].null_count() < table.filter(brand=brand).height
    gone = table.filter(brand="C")
    assert gone[value].null_count() == gone.height
    if "n" in gone.columns:
        assert set(gone["n"]) <= set(range(1, 21))
    assert set(gone["reason"]) == {"fewer than 30 answers; suppressed."}
    assert set(gone["reason_zh"]) == {"样本量不足 30，不予发布。"}
    notes = {n.code: n.text for n in result.notes}
    assert notes["E-BASE"] == Text(
        "fewer than 30 answers, withheld: C (n = 20).", "样本量不足 30，不予发布：C（n = 20）。"
    )
    assert notes["W-BASE"].en == "fewer than 100 answers, to be read with care: B (n = 60)."
    assert notes["W-BASE"].zh == "样本量不足 100，请谨慎解读：B（n = 60）。"
    assert not any(s.en.startswith("C") for s in result.sentences)
    for lang, word in (("en", "too few answers"), ("zh", "样本过少，不公布")):
        assert word in csi.display.text(result, lang)


@pytest.mark.parametrize("name", METHODS)
def test_what_is_told_is_the_same_as_without_limits(name):
    call, frame, value = METHODS[name]
    limited, whole = (getattr(call(answers(), by=["brand"], **k), frame) for k in ({}, {"small": 0, "flagged": 0}))
    assert whole["flag"].null_count() == whole.height
    keep = whole.filter(pl.col("brand") != "C")
    assert limited.filter(pl.col("brand") != "C")[value].to_list() == keep[value].to_list()


@pytest.mark.parametrize("name", METHODS)
def test_a_whole_panel_of_60_is_told_and_marked_and_one_of_20_is_not(name):
    call, frame, value = METHODS[name]
    marked = getattr(call(answers({"B": 60})), frame)
    assert set(marked["flag"]) == {"small"}
    assert marked[value].null_count() < marked.height
    result = call(answers({"C": 20}))
    assert set(getattr(result, frame)["flag"]) == {"suppressed"}
    assert result.sentences[0] == Text(
        "Too few answers to be told (n = 20; at least 30 are needed).", "样本量过少（n = 20，至少需要 30），不予发布。"
    )
    assert len(result.sentences) == 1


def test_an_attribute_that_few_answered_is_withheld_in_a_cell_of_many():
    panel = answers({"A": 150})
    few = panel.frame.with_columns(pl.when(pl.int_range(pl.len()) < 12).then(pl.col("Pa1")).alias("Pa1"))
    found = csi.gap(csi.Panel(few, panel.codebook, panel.reasons))
    assert found.table.filter(name="a1").select("n", "gap", "flag").row(0) == (12, None, "suppressed")
    assert found.table.filter(name="a2")["flag"].item() is None
    assert next(n for n in found.notes if n.code == "E-BASE").text.en == "fewer than 30 answers, withheld: a1 (n = 12)."
    assert len(found.sentences) == 1


def test_distributions_and_sensitivities_of_withheld_cells_are_not_there():
    panel = answers()
    assert set(csi.nps(panel, "loy", by=["brand"]).distribution["brand"]) == {"A", "B"}
    reasonable = csi.reasonable(panel, BENCH, by=["brand"])
    assert set(reasonable.sensitivity["brand"]) == {"A", "B"}
    assert reasonable.actions.filter(brand="C")["share"].null_count() == 8
    assert reasonable.table.filter(brand="C")["limit"].null_count() == 0
    surface = csi.surface(panel, by=["brand"], **FAST)
    assert set(surface.cloud["brand"]) == {"A", "B"}
    assert set(surface.table.filter(brand="C")["reason"]) == {"R-BASE"}
    assert "R-BASE" in surface.reasons
    assert surface.coefficients.filter(brand="C")["estimate"].null_count() == 6
    curve = loyalty_curve(panel, by=["brand"])
    assert set(curve.curve["brand"]) == {"A", "B"}
    assert curve.fits.filter(brand="C").select("n", "r2").row(0) == (20, None)


def test_kinds_withhold_and_mark():
    marked, gone = (csi.kinds(answers(size), **FAST) for size in ({"B": 60}, {"C": 20}))
    for name, value in (("facets", "gap"), ("levels", "gap"), ("surprise", "kind")):
        assert set(getattr(marked, name)["flag"]) == {"small"}
        assert getattr(marked, name)[value].null_count() == 0
        assert set(getattr(gone, name)["flag"]) == {"suppressed"}
        assert getattr(gone, name)[value].null_count() == getattr(gone, name).height
    assert [n.code for n in marked.notes].count("W-BASE") == 1
    assert "E-BASE" in {n.code for n in gone.notes}


def formed(sizes):
    """Cells of these sizes."""
    keys = {"brand": [b for b, n in sizes.items() for _ in range(n)]}
    return forming.formed(sum(sizes.values()), keys=keys)


def test_formation_withholds_and_marks_cells():
    found = csi.formation(formed(SIZES), hypotheses="wom > price", by=["brand"], **FAST)
    assert found.fit.select("brand", "n", "flag").rows() == [
        ("A", 150, None), ("B", 60, "small"), ("C", 20, "suppressed"),
    ]  # fmt: skip
    assert found.fit["r2"].null_count() == 1
    assert found.table.filter(brand="C")["share"].null_count() == 3
    assert list(found.tests) == ["A", "B"]
    assert {"E-BASE", "W-BASE"} <= {n.code for n in found.notes}


def test_a_cell_of_formation_that_cannot_be_told_keeps_the_others():
    panel = formed({"A": 150, "B": 60})
    alike = pl.when(pl.col("brand") == "B").then(4.0)
    frame = panel.frame.with_columns(*(alike.otherwise(pl.col(c)).alias(c) for c in ("wom1", "wom2")))
    found = csi.formation(csi.Panel(frame, panel.codebook, panel.reasons), by=["brand"], **FAST)
    alone = csi.formation(panel, by=["brand"], where={"brand": "A"}, **FAST)
    assert found.table.filter(brand="A")["slope"].to_list() == alone.table["slope"].to_list()
    row = found.fit.filter(brand="B").row(0, named=True)
    assert (row["n"], row["r2"], row["reason"]) == (60, None, "no variation in wom.")
    assert row["reason_zh"] == "wom 没有变异。"
    told = next(n for n in found.notes if n.code == "W-CELLS")
    assert told.text == Text("B: no variation in wom.", "B：wom 没有变异。")
    assert not any(s.en.startswith("B") for s in found.sentences)
    assert "no variation" in csi.display.text(found)
    few = csi.formation(formed({"A": 150, "B": 8}), by=["brand"], small=0, **FAST)
    assert "8 respondents answered expectation" in few.fit.filter(brand="B")["reason"].item()


def test_formation_refuses_where_no_cell_can_be_told_all_at_once():
    panel = formed({"A": 60, "B": 60})
    frame = panel.frame.with_columns(pl.lit(4.0).alias("wom1"), pl.lit(4.0).alias("wom2"))
    with pytest.raises(Problems) as raised:
        csi.formation(csi.Panel(frame, panel.codebook, panel.reasons), by=["brand"], **FAST)
    assert [p.where for p in raised.value.problems] == ["A", "B"]


def test_a_stage_below_the_base_is_withheld_or_marked_where_it_is_allowed():
    panel = forming.staged(120)
    cut = pl.col("stage").cum_count().over("stage")
    frame = panel.frame.filter(pl.when(pl.col("stage") == "never").then(cut <= 20).otherwise(cut <= 120))
    fewer = csi.Panel(frame, panel.codebook, panel.reasons.head(frame.height))
    found = csi.formation_by_stage(fewer, least=0, **FAST)
    assert found.fit.select("stage", "flag").rows() == [("never", "suppressed"), ("first", None), ("long", None)]
    assert found.table.filter(stage="never")["share"].null_count() == 3
    assert set(found.across["first"]) == {"first"}
    assert set(found.tests) == {"first", "long"}
    note = next(n for n in found.notes if n.code == "E-BASE")
    assert note.text.en == "fewer than 30 answers, withheld: never used (n = 20)."
    marked = csi.formation_by_stage(forming.staged(80), least=50, **FAST)
    assert set(marked.fit["flag"]) == {"small"}
    assert "W-BASE" in {n.code for n in marked.notes}


def test_unknown_stages_and_small_ones_are_told_together():
    with pytest.raises(Problems) as raised:
        csi.formation_by_stage(forming.staged(60, names={"never": "new"}), **FAST)
    said = str(raised.value)
    assert "new cannot be placed" in said
    assert "of stage “first-time users”, 60 respondents" in said
    assert "of stage “long-term users”, 60 respondents" in said
    with pytest.raises(Problems) as raised:
        csi.formation_by_stage(forming.staged(60, names={"never": "new"}), causes=["wom"], **FAST)
    assert [p.code for p in raised.value.problems] == ["E-STAGE", "E-ROLE"]


def test_a_cell_of_balance_that_cannot_be_told_keeps_the_others():
    panel = answers({"A": 300, "B": 80, "C": 20, "D": 150})
    alike = pl.when(pl.col("brand") == "D").then(1.0).otherwise(pl.col("rebought"))
    panel = csi.Panel(panel.frame.with_columns(rebought=alike), panel.codebook, panel.reasons)
    found = csi.balance(panel, by=["brand"], **FAST)
    assert found.table.select("brand", "n", "flag").rows() == [
        ("A", 300, None), ("B", 80, "small"), ("C", 20, "suppressed"), ("D", 150, None),
    ]  # fmt: skip
    assert found.table["perceived"].null_count() == 2
    assert "150 buyers with every answer" in found.table.filter(brand="D")["reason"].item()
    assert "购买者" in found.table.filter(brand="D")["reason_zh"].item()
    assert set(found.slopes["brand"]) == set(found.curves["brand"]) == {"A", "B"}
    assert {"E-BASE", "W-BASE", "W-CELLS"} <= {n.code for n in found.notes}
    alone = csi.balance(panel, by=["brand"], where={"brand": "B"}, **FAST)
    assert found.slopes.filter(brand="B")["estimate"].to_list() == alone.slopes["estimate"].to_list()
    with pytest.raises(Problems) as raised:
        csi.balance(panel, by=["brand"], where={"brand": "D"}, **FAST)
    assert [p.code for p in raised.value.problems] == ["E-ROWS"]


def test_asymmetries_of_cards_withhold_and_mark():
    draw = np.random.default_rng(6)
    n = sum(SIZES.values())
    score = {c: draw.normal(size=n) for c in ("reliable", "transparency")}
    score |= {"trust": score["reliable"] + draw.normal(size=n)}
    score |= {c: score["trust"] + draw.normal(size=n) for c in ("satisfaction", "loyalty")}
    frame = {f"{c}{j}": x + 0.1 * draw.normal(size=n) for c, x in score.items() for j in (1, 2, 3)}
    items = tuple(Item(c, c[:-1], Scale("wide", -10, 10), Text(c, c)) for c in frame)
    whole = pl.DataFrame({"brand": [b for b, m in SIZES.items() for _ in range(m)], **frame})
    panel = csi.Panel(whole, Codebook(items, {}, {}), whole.select(list(frame)).cast(pl.String))
    card = read_card("trust_consumer")
    blocks = blocks_of(card, panel.codebook)
    table = asymmetries(card, blocks, panel, by=("brand",))
    flags = {b: set(table.filter(brand=b)["flag"]) for b in SIZES}
    assert flags == {"A": {None}, "B": {"small"}, "C": {"suppressed"}}
    assert table.filter(brand="C")["b_below"].null_count() == table.filter(brand="C").height
    assert table.filter(brand="B")["b_below"].null_count() == 0
    assert not any(s.en.startswith("C") for s in asymmetry_sentences(table, Model.card.of(card, blocks)))


def test_limits_must_be_whole_numbers_from_0():
    with pytest.raises(Problems) as raised:
        Bases(small=-1, flagged=2.5)
    assert [p.where for p in raised.value.problems] == ["small", "flagged"]
    assert "为负" in raised.value.problems[0].say("zh")
    with pytest.raises(Problems):
        csi.gap(answers({"A": 40}), small=-5)
