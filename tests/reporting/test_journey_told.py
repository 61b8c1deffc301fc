"""The customer journey as a section of a study: reached by the command line, told in both languages, drawn."""

from __future__ import annotations

import importlib.util
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from csi.cli import main
from csi.errors import Problems
from csi.reporting.methods.library import allowed, run_method
from csi.study import Study
from csi.study.options import Options

_spec = importlib.util.spec_from_file_location("contacting", Path(__file__).parents[1] / "behaviour/contacting.py")
contacting = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(contacting)

HAN = re.compile(r"[\u4e00-\u9fff]")
SAID = {
    "csi": 1, "study": "walks", "language": "en", "data": [{"file": "answers.csv"}], "codebook": "codebook.yaml",
    "keys": {"respondent": "who"}, "model": {"text": "satisfaction =~ sat; other =~ also; satisfaction ~ other"},
    "index": {"target": "satisfaction"}, "bootstrap": {"n": 0}, "tables": {"contacts": "contacts.csv"},
    "models": {"journey": {"scores": [0, 100]}},
}  # fmt: skip
STAGES = {"search": "before", "shop": "buying", "app": "buying", "call": "use", "delivery": "buying", "service": "use"}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walks")
    rng, n = np.random.default_rng(4), 400
    contacts = contacting.walks(rng, n)
    y = contacting.remembered(rng, contacts, n, (5, 0.3, 0.2, 0.3)).clip(0, 100)
    contacts = contacts.with_columns(pl.col("touchpoint").replace_strict(STAGES).alias("stage"))
    contacts.write_csv(folder / "contacts.csv")
    pl.DataFrame({"who": range(n), "sat": y.round(3), "also": rng.normal(50, 9, n).round(3)}).write_csv(
        folder / "answers.csv"
    )
    book = {
        "scales": {"hundred": {"min": 0, "max": 100, "missing": {}}},
        "constructs": {
            c: {"zh": "满意" if c == "satisfaction" else "其他", "en": c} for c in ("satisfaction", "other")
        },
        "items": [
            {"name": name, "construct": c, "scale": "hundred", "zh": "题", "en": "asked"}
            for name, c in (("sat", "satisfaction"), ("also", "other"))
        ],
    }
    (folder / "codebook.yaml").write_text(yaml.safe_dump(book, allow_unicode=True), encoding="utf-8")
    (folder / "study.yaml").write_text(yaml.safe_dump(SAID, allow_unicode=True), encoding="utf-8")
    return folder / "study.yaml"


@pytest.fixture(scope="module")
def section(study):
    read = Study.read(study)
    return run_method(read, read.panel(), "journey")


def test_the_section_is_told_in_both_languages(section):
    assert section.kicker.zh == "顾客旅程"
    for said in (section.title, section.subtitle, *section.paragraphs):
        assert said.en
        assert HAN.search(said.zh)
    names = ["touchpoints", "drivers", "peak_end", "fits", "steps", "transitions", "stages"]
    assert [t.name for t in section.tables] == names
    assert set(section.data) == {"journey", "drivers", "peak_end", "fits", "steps", "transitions", "stages"}
    for table in section.tables:
        for column in table.columns:
            assert column.name in table.frame.columns
            assert column.heading.zh != column.name


def test_its_figures_are_drawn_wide_and_narrow_in_both_languages(section):
    assert [f.name for f in section.figures] == ["touchpoints", "stages"]
    for figure in section.figures:
        for lang in ("en", "zh"):
            for draw in (figure.draw, figure.narrow):
                root = ET.fromstring(draw(lang))  # noqa: S314 - our own drawing
                assert float(root.get("width")) in (1040, 508, 360)
                assert root.get("aria-label") == figure.finding.say(lang)
    across = {"en": "percent of customers", "zh": "触达率"}
    assert all(word in section.figures[0].draw(lang) for lang, word in across.items())


def test_the_command_line_takes_its_options(study, capsys):
    asked = ["expectation", str(study), "--model", "journey", "--steps", "search,shop", "--outcome", "other"]
    assert main([*asked, "--json", "--lang", "en"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert [s["step"] for s in seen["steps"]] == ["search", "shop"]
    assert {s["model"] for s in seen["peak_end"]} == {"mean", "peak_end", "full"}
    assert main([*asked[:4], "--scores", "1", "--lang", "zh"]) == 1
    assert "两个递增的数" in capsys.readouterr().err
    read = Study.read(study)
    found = run_method(read, read.panel(), "journey", Options(steps=("search", "shop"), given=("steps",)))
    assert found.data["steps"]["step"].to_list() == ["search", "shop"]


def test_without_a_table_of_contacts_it_is_not_offered_and_says_what_to_write(study):
    said = {k: v for k, v in SAID.items() if k not in ("tables", "models")}
    bare = study.parent / "bare.yaml"
    bare.write_text(yaml.safe_dump(said), encoding="utf-8")
    read = Study.read(bare)
    (lacking,) = [lacks for m, lacks in allowed(read) if m.name == "journey"]
    assert "contacts" in lacking[0].what.en
    with pytest.raises(Problems) as refused:
        run_method(read, read.panel(), "journey")
    assert refused.value.problems[0].code == "E-ROLE"
    assert "{contacts: contacts.csv}" in refused.value.problems[0].remedy.zh
