"""Complaints, recovery and programmes as sections of a study: reached, told in both languages, drawn, refused."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import csi
from csi.cli import main
from csi.errors import Problems
from csi.reporting.methods.library import allowed, run_method, told_in

STUDY = """csi: 1
study: events
language: en
data: [{file: answers.csv}]
codebook: codebook.yaml
keys: {respondent: id}
model: {text: "satisfaction =~ s1; loyalty =~ l1; loyalty ~ satisfaction"}
index: {target: loyalty}
bootstrap: {n: 0}
tables: {complaints: complaints.csv, members: members.csv, purchases: purchases.csv}
models:
  recovery: {prior: prior}
"""
BOOK = """scales: {hundred: {min: 0, max: 100, missing: {}}}
constructs:
  satisfaction: {zh: 满意度, en: Satisfaction}
  loyalty: {zh: 忠诚度, en: Loyalty}
  prior: {zh: 此前满意度, en: Satisfaction before}
items:
  - {name: s1, construct: satisfaction, scale: hundred, zh: 满意, en: Satisfied}
  - {name: l1, construct: loyalty, scale: hundred, zh: 忠诚, en: Loyal}
  - {name: p1, construct: prior, scale: hundred, zh: 此前, en: Before}
"""
NAMES = ("complaints", "recovery", "programme")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study of 400 customers with their complaints, purchases and memberships."""
    folder, rng, n = tmp_path_factory.mktemp("events"), np.random.default_rng(4), 400
    prior = np.clip(np.round(60 + 12 * rng.normal(size=n)), 0, 100)
    fail = rng.random(n) < 0.5
    full = fail & (rng.random(n) < 0.5)
    s = np.clip(np.round(prior + np.where(full, 6, np.where(fail, -15, 0)) + 8 * rng.normal(size=n)), 0, 100)
    loyal = np.clip(np.round(s + 10 * rng.normal(size=n)), 0, 100)
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    (folder / "codebook.yaml").write_text(BOOK, encoding="utf-8")
    pl.DataFrame({"id": np.arange(n), "s1": s, "l1": loyal, "p1": prior}).write_csv(folder / "answers.csv")
    asked = np.where(fail, np.round(5 + 2 * rng.normal(size=n)), np.nan)
    told = pl.DataFrame({"id": np.arange(n), "complained": fail.astype(int), "handled_score": asked,
                         "failure": fail.astype(int), "recovery": np.where(full, "full", "part")})  # fmt: skip
    told = told.with_columns(pl.col("handled_score").fill_nan(None),
                             pl.when(pl.col("failure") == 1).then(pl.col("recovery")).alias("recovery"))  # fmt: skip
    told.write_csv(folder / "complaints.csv")
    member = np.arange(n) < 150
    rows = [(i, f"2025-{m + 1:02d}-{d:02d}", max(1.0, 20 + 5 * rng.normal() + 4 * (member[i] and m > 4)))
            for i in range(n) for m in range(9) for d in (1, 30 if m != 1 else 28)]  # fmt: skip
    pl.DataFrame(rows, schema=["id", "date", "amount"], orient="row").write_csv(folder / "purchases.csv")
    pl.DataFrame({"id": np.arange(150), "joined": ["2025-05-10"] * 150}).write_csv(folder / "members.csv")
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_study_with_the_tables_tells_them_in_both_languages(folder, name):
    study = csi.Study.read(folder / "study.yaml")
    assert name in told_in(study)
    section = run_method(study, study.panel(), name)
    assert section.tables
    for said in (section.title, *section.paragraphs, section.subtitle, *(n.text for n in section.notes)):
        assert said.en
        assert any("一" <= c <= "鿿" for c in said.zh), said
    for drawn in section.figures:
        assert drawn.draw("zh").startswith("<svg")
        assert drawn.narrow("en").startswith("<svg")
    assert len(section.figures) == (name != "complaints")


@pytest.mark.parametrize("name", NAMES)
def test_the_command_prints_them(folder, name, capsys):
    assert main(["expectation", str(folder / "study.yaml"), "--model", name]) == 0
    said = capsys.readouterr().out
    assert {"complaints": "complained", "recovery": "recovery paradox", "programme": "Naive difference"}[name] in said
    assert main(["expectation", str(folder / "study.yaml"), "--model", name, "--json"]) == 0
    json.loads(capsys.readouterr().out)


def test_what_is_planted_is_told(folder):
    study = csi.Study.read(folder / "study.yaml")
    section = run_method(study, study.panel(), "programme")
    weighted = section.data["programme"].filter(way="cohorts").row(0, named=True)
    assert weighted["conf_low"] < 8 < weighted["conf_high"]
    assert "effect of joining" in section.title.en
    section = run_method(study, study.panel(), "recovery")
    assert section.title.en.endswith("a recovery paradox.")


def test_a_study_without_the_tables_lacks_them(folder, tmp_path):
    for name in ("codebook.yaml", "answers.csv"):
        (tmp_path / name).write_text((folder / name).read_text(encoding="utf-8"), encoding="utf-8")
    plain = "\n".join(line for line in STUDY.splitlines() if not line.startswith("tables"))
    (tmp_path / "study.yaml").write_text(plain, encoding="utf-8")
    study = csi.Study.read(tmp_path / "study.yaml")
    lacking = {m.name: needs for m, needs in allowed(study)}
    for name in NAMES:
        assert lacking[name]
        with pytest.raises(Problems, match="needs a table"):
            run_method(study, study.panel(), name)
