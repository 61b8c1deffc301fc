"""Answers that differ only below the base make one release: index, changes, tree and rates to the last digit.

Item weights are equal here, so that answers below the base can reach no other number through them.
"""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.reporting.soundness import told_groups

SOURCE = Path("data/sectors")
FEW = {("BX", "2026"): 12, ("GB", "2025"): 20, ("CX", "2025"): 14}
TOGETHER = {("CX", "2026"): 14, ("DX", "2026"): 18}
ITEMS = ["qua1", "qua2", "qua3", "val1", "val2", "sat1", "sat2", "sat3", "loy1", "loy2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small nation; companies with few answers (behind `Other cars` two of them, enough together)."""
    path = tmp_path_factory.mktemp("disclosed")
    for name in ("codebook.yaml", "structure.csv", "weights.csv"):
        (path / name).write_bytes((SOURCE / name).read_bytes())
    text = (
        (SOURCE / "study.yaml").read_text("utf-8").replace("weights: base, base: 2023}", "formula: F5, errors: fixed}")
    )
    text = text.replace("bootstrap: {n: 400", "estimate: {missing: pairwise}\nbootstrap: {n: 0")
    (path / "study.yaml").write_text(text + "alerts: [{when: small}]\nviews: {show: [rolling]}\n", "utf-8")
    return path


def answers(moved=()):
    """The panel with few answers in some cells; those of the cells `moved` are at the other end of the scale."""
    rows = pl.read_csv(SOURCE / "panel.csv", infer_schema=False)
    place = pl.int_range(pl.len()).over("company", "year")
    for (brand, wave), n in (FEW | TOGETHER).items():
        rows = rows.filter(~((pl.col("company") == brand) & (pl.col("year") == wave) & (place >= n)))
    for brand, wave in moved:
        here = (pl.col("company") == brand) & (pl.col("year") == wave)
        turned = [(11 - pl.col(i).cast(pl.Int64)).cast(pl.String) for i in ITEMS]
        turned = [
            pl.when(here & pl.col(i).str.contains(r"^([1-9]|10)$")).then(new).otherwise(pl.col(i)).alias(i)
            for i, new in zip(ITEMS, turned, strict=True)
        ]
        rows = rows.with_columns(turned)
    return rows


@pytest.fixture
def released(folder, asked):
    """Every number and word that the verbs print of some answers."""

    def tell(moved=()):
        answers(moved).write_csv(folder / "panel.csv")
        out = {}
        for verb, *more in (
            ("index", "--wave", "2026"),
            ("index", "--wave", "2025"),
            ("track", "--no-gate"),
            ("tree",),
        ):
            code, said, err = asked(verb, folder / "study.yaml", *more, "--no-gate", "--json")
            assert (code, err) == (0, "")
            found = json.loads(said)
            out[" ".join((verb, *more))] = {k: v for k, v in found.items() if k not in {"meta", "hashes"}}
        return out

    return tell


def test_answers_below_the_base_move_nothing(released):
    first = released()
    assert released(FEW) == first
    pooled = released(TOGETHER)
    tree, before = (pl.DataFrame(x["tree"]["tree"]) for x in (pooled, first))
    other = pl.col("node") == "Other cars"
    now, then = (t.filter(other & (pl.col("wave") == "2026"))["index"][0] for t in (tree, before))
    assert now != then  # the two are told together, as one number
    assert pooled["index --wave 2026"] == first["index --wave 2026"]


def test_groups_below_the_base_are_not_compared(folder):
    answers().write_csv(folder / "panel.csv")
    study = csi.Study.read(folder / "study.yaml")
    panel, (few,) = told_groups(study, study.panel(), ["brand"], {"wave": "2026"})
    kept = panel.frame.filter(pl.col("wave") == "2026")["brand"].unique().sort().to_list()
    assert kept == ["AX", "EJ", "FJ", "GB", "HB", "IA", "JA"]
    assert few.say("en") == "fewer than 30 answers, withheld: BX (n = 12); CX (n = 14); DX (n = 18)."
    assert panel.reasons.height == panel.frame.height
    none = replace(study, settings=replace(study.settings, small=1000))
    with pytest.raises(csi.Problems, match="fewer than 2 groups have 1000 answers"):
        told_groups(none, none.panel(), ["brand"], {"wave": "2026"})


@pytest.mark.parametrize("verb", ["drivers", "predict", "mediation"])
def test_a_cell_below_the_base_is_not_described(folder, asked, verb):
    answers().write_csv(folder / "panel.csv")
    code, out, err = asked(verb, folder / "study.yaml", "--brand", "BX", "--wave", "2026", "--lang", "en")
    assert (code, out) == (1, "")
    assert "Beiyuan Cars · 2026: 12 answers, below the base of 30; nothing is told of it." in " ".join(err.split())
