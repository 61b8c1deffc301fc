"""A thirteenth model is one YAML file: every verb and call takes it, and no Python was written for it."""

import json
from dataclasses import replace

import polars as pl
import pytest

import csi
from csi.cli import main
from csi.models.cards import card_from, card_names
from csi.reporting.methods import METHODS, methods_of, run_method
from csi.simulation import recipe_of_card, simulate
from csi.study import read_study
from csi.study.options import Options

CARD = """
id: belonging
title: {zh: 社群归属模型, en: Community belonging}
year: 2026
cite: ["Nobody (2026). A model written for this test."]
constructs:
  ritual: {zh: 共同活动, en: Shared rituals, items: [3, 3], scale: seven}
  support: {zh: 互相帮助, en: Mutual support, items: [3, 3], scale: seven}
  belonging: {zh: 归属感, en: Belonging, of: [ritual, support], mode: B}
  envy: {zh: 攀比, en: Envy, items: [2, 2], scale: seven, optional: true}
  satisfaction: {zh: 顾客满意, en: Satisfaction, items: [3, 3], scale: seven}
  stay: {zh: 留存意愿, en: Intention to stay, items: [2, 2], scale: seven, alias: [staying]}
paths:
  satisfaction: [+belonging, -envy]
  stay: [+satisfaction, "+belonging?"]
index: {target: satisfaction}
hypotheses:
  through_satisfaction: belonging > satisfaction > stay
  envy_through_satisfaction: envy > satisfaction > stay
contrasts:
  belonging_against_envy: through_satisfaction - abs(envy_through_satisfaction)
rivals:
  dimensions: {zh: 两个维度各自作用, en: "Two dimensions, each by itself", apart: [belonging]}
layout:
  ritual: [100, 60]
  support: [100, 240]
  belonging: [380, 150]
  envy: [380, 360]
  satisfaction: [680, 150]
  stay: [930, 300]
"""


@pytest.fixture
def study(tmp_path):
    card = card_from(CARD, "belonging.yaml")
    made = simulate(recipe_of_card(card, n=300, seed=4))
    made.write(tmp_path)
    (tmp_path / "belonging.yaml").write_text(CARD, encoding="utf-8")
    text = (tmp_path / "study.yaml").read_text(encoding="utf-8")
    keys = next(line for line in text.splitlines() if line.startswith("keys:"))
    (tmp_path / "study.yaml").write_text(
        f"csi: 1\nstudy: club\nlanguage: en\ndata: [{{file: panel.csv}}]\ncodebook: codebook.yaml\n{keys}\n"
        "model: {card: belonging.yaml}\nindex: {target: satisfaction, weights: own}\nbootstrap: {n: 100, seed: 3}\n"
        "models: {belonging.yaml: {optional: []}}\n",
        encoding="utf-8",
    )
    return tmp_path / "study.yaml"


def test_it_is_described_drawn_and_has_a_blank_codebook(study, capsys, tmp_path):
    card = str(study.parent / "belonging.yaml")
    drawn, blank = tmp_path / "b.svg", tmp_path / "blank.yaml"
    assert main(["models", card, "--draw", str(drawn), "--blank", str(blank)]) == 0
    said = capsys.readouterr().out
    assert "belonging_against_envy := through_satisfaction - abs(envy_through_satisfaction)" in said
    assert "Shared rituals" in drawn.read_text(encoding="utf-8")
    assert "name: ritual3, construct: ritual" in blank.read_text(encoding="utf-8")


def test_a_study_fits_it(study, capsys):
    assert main(["fit", str(study), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    paths = {(r["lhs"], r["rhs"]): r["estimate"] for r in found["shown"] if r["op"] == "~"}
    assert set(paths) == {("satisfaction", "belonging"), ("satisfaction", "envy"), ("stay", "satisfaction"),
                          ("stay", "belonging")}  # fmt: skip
    assert paths["satisfaction", "envy"] < 0 < paths["satisfaction", "belonging"]


def test_run_card_takes_its_path(study):
    panel = read_study(study).panel()
    run = csi.run_card(str(study.parent / "belonging.yaml"), panel, replicates=200)
    assert run.table["verdict"].to_list() == ["as expected"] * 4
    assert run.contrasts["contrast"].to_list() == ["belonging_against_envy"]
    assert run.rivals["rival"].to_list() == ["dimensions"] * 2
    assert run.index.table.height == 6


def test_csi_expectation_takes_its_path(study, capsys, monkeypatch):
    monkeypatch.chdir(study.parent)
    assert main(["expectation", str(study), "--model", "belonging.yaml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    arrows = [(row["predictor"], row["outcome"]) for row in found["paths"]]
    assert ("belonging", "stay") not in arrows  # the study file leaves optional arrows out
    assert main(["expectation", str(study), "--model", "belonging.yaml", "--optional", "stay~belonging"]) == 0
    assert "Intention to stay" in capsys.readouterr().out


def test_check_allows_it_and_names_what_others_lack(study, capsys):
    assert main(["check", str(study), "--json"]) == 0
    models = {m["name"]: m for m in json.loads(capsys.readouterr().out)["models"]}
    assert models["belonging.yaml"]["lacks"] == []
    assert any("confirmation" in lack["en"] for lack in models["ecm"]["lacks"])
    assert any("期望确认" in lack["zh"] for lack in models["ecm"]["lacks"])


@pytest.mark.parametrize(("lang", "word"), [("en", "Community belonging"), ("zh", "社群归属模型")])
def test_a_report_on_expectation_tells_it(study, capsys, lang, word):
    out = study.parent / lang
    assert main(["report", str(study), "--kind", "expectation", "--lang", lang, "--out", str(out), "--to", "html"]) == 0
    capsys.readouterr()
    pages = "".join(p.read_text(encoding="utf-8") for p in out.rglob("*.html"))
    assert word in pages


def test_its_section_has_the_diagram_and_every_table(study):
    one = read_study(study)
    section = run_method(one, one.panel(), "belonging.yaml")
    names = [t.name for t in section.tables]
    assert names == [
        "paths", "dimensions", "chains", "contrasts", "index", "impact", "rivals", "explained", "fit", "q2",
        "reliability", "htmt", "loadings",
    ]  # fmt: skip
    (figure,) = section.figures
    for lang, label in (("en", "Belonging"), ("zh", "归属感")):
        assert label in figure.draw(lang)
        assert label in figure.narrow(lang)
    assert isinstance(section.data["paths"], pl.DataFrame)


def test_what_its_section_cannot_do_without_is_refused(study):
    one = read_study(study)
    with pytest.raises(csi.Problems) as caught:
        run_method(one, one.panel(), "ecm")
    assert {p.code for p in caught.value.problems} == {"E-ROLE"}
    assert any("or take edt_inferred" in p.remedy.en for p in caught.value.problems)
    assert any("或改用 edt_inferred" in p.remedy.zh for p in caught.value.problems)


def test_its_section_says_which_cell_is_drawn(study):
    one = read_study(study)
    panel = one.panel()
    half = pl.Series("segment", ["old", "new"] * (panel.frame.height // 2))
    section = run_method(
        one, replace(panel, frame=panel.frame.with_columns(half)), "belonging.yaml",
        Options(by=("segment",), given=("by",)),
    )  # fmt: skip
    assert section.subtitle.en.endswith("; drawn for new")
    assert section.subtitle.zh.endswith("；图为 new")
    assert section.data["paths"]["segment"].unique().sort().to_list() == ["new", "old"]


def test_cards_stand_in_the_order_of_the_twelve_models_and_give_way_to_models_with_code():
    found = methods_of()
    own = {*METHODS}
    cards = [m for m in found if m.name not in own]
    numbers = [m.number for m in cards]
    assert [n for n in numbers if n] == sorted(n for n in numbers if n)
    assert numbers[: len(numbers) - numbers.count(0)] == [n for n in numbers if n]
    assert {m.name.removesuffix("_card") for m in cards} == set(card_names())
    assert {m.name for m in cards if m.name.endswith("_card")} == {f"{n}_card" for n in set(card_names()) & own}
