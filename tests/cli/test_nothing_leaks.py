"""A cell with too few answers is in no output of any verb: its exact numbers are looked for in all of them."""

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.cli import main
from csi.study.fitted import indexed
from csi.study.rated import rated

pytestmark = pytest.mark.usefixtures("gate_once")

SOURCE = Path("data/telecom")
WAVES = ("2023Q4", "2024Q1", "2024Q2", "2024Q3", "2024Q4")
SMALL = ("BD", "2024Q4")
LINEAR = ("--errors", "linearised")
STUDY = """csi: 1
study: leak
title: {zh: 小样本, en: A small cell}
sector: {zh: 移动通信, en: Mobile telecom}
language: en
data:
  - {file: panel.csv}
codebook: codebook.yaml
keys: {respondent: id, wave: quarter, brand: operator, weight: weight, duration: seconds, segment: segment}
waves: {order: [2023Q4, 2024Q1, 2024Q2, 2024Q3, 2024Q4], base: 2023Q4}
brands:
  - {name: ZX, zh: 中讯, en: Zhongxun, focal: yes}
  - {name: YA, zh: 云安, en: Yunan}
  - {name: HL, zh: 海联, en: Hailian}
  - {name: BD, zh: 北斗通, en: Beidoutong}
segments:
  - {name: contract, zh: 合约用户, en: Contract}
  - {name: prepaid, zh: 预付费用户, en: Prepaid}
  - {name: family, zh: 家庭套餐, en: Family plan}
model: {card: ecsi_mobile}
estimate: {weighting: path, missing: listwise, tolerance: 1e-7}
index: {target: satisfaction, weights: base, base: 2023Q4, errors: linearised, shrunken: yes, classes: segment}
bootstrap: {n: 100, seed: 7}
rates: {top_boxes: [sat1, sat2], csat: [sat1], kcsi: {elements: [qua1, qua2], overall: sat1, repurchase: loy1}}
targets: [{construct: satisfaction, value: 70}, {construct: top_box_sat1, value: 30}]
alerts: [{when: fell}, {when: below, target: 99}, {when: missed}, {when: small}]
tree: {structure: {market: {old: [ZX, YA], new: [HL, BD]}}}
views: {show: [rolling, ewma, control]}
report: {small: 30, flagged: 100, sections: {robustness: yes, prediction: yes, groups: yes}, groups: brand}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Five waves of the telecom panel, 80 rows a cell; in the last one BD has 22."""
    folder = tmp_path_factory.mktemp("leak")
    rows = pl.read_csv(SOURCE / "panel.csv", infer_schema_length=0).filter(pl.col("quarter").is_in(WAVES))
    place = pl.int_range(pl.len()).over("operator", "quarter")
    small = (pl.col("operator") == SMALL[0]) & (pl.col("quarter") == SMALL[1])
    rows.filter(place < pl.when(small).then(22).otherwise(80)).write_csv(folder / "panel.csv")
    (folder / "codebook.yaml").write_bytes((SOURCE / "codebook.yaml").read_bytes())
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    return folder / "study.yaml"


@pytest.fixture(scope="module")
def secret(study):
    """What the small cell would show: indices, rates and item means, their errors, changes and distances; by name."""
    read = csi.Study.read(study)
    panel = read.panel()
    found = {}
    for made in (indexed(read, csi.fit(read.model, panel, csi.PLS(), by=["brand", "wave"])), *rated(read, panel)):
        keys = ["brand", "wave", "construct"]
        table = made.table.select(*keys, "index", "std_error", "conf_low", "conf_high")
        mine = table.filter(brand=SMALL[0], wave=SMALL[1])
        for row in mine.iter_rows(named=True):
            name = row["construct"]
            found |= {f"{name} {k}": row[k] for k in ("index", "std_error", "conf_low", "conf_high")}
            others = table.filter(pl.col("construct") == name, pl.col("index").is_not_null())
            for brand, wave, _, index, *_rest in others.iter_rows():
                if (brand, wave) != SMALL and (brand == SMALL[0] or wave == SMALL[1]):
                    found[f"{name} {SMALL} - {(brand, wave)}"] = row["index"] - index
    rows = panel.frame.filter(pl.col("brand") == SMALL[0], pl.col("wave") == SMALL[1])
    for item in read.codebook.names:
        mean = (rows[item] * rows["weight"]).sum() / rows.filter(pl.col(item).is_not_null())["weight"].sum()
        found |= {f"{item} mean": mean, f"{item} plain mean": rows[item].mean()}
    return {k: v for k, v in found.items() if v is not None and not _plain(v)}


def _plain(value):
    """Whether a number is too plain to be known by its digits: 40, 62.5, 1/3."""
    return any(abs(value * k - round(value * k)) < 1e-6 for k in (*range(1, 61), 220))


def leaks(text, secret):
    """Names of the secret's numbers that stand in a text with seven digits or more."""
    told = {t for t in re.findall(r"\d+\.\d+", text) if len(t.replace(".", "").lstrip("0")) >= 7}
    x = np.array([float(t) for t in told])
    error = np.array([max(0.51 * 10.0 ** -len(t.split(".")[1]), 1e-9) for t in told])
    return [name for name, value in secret.items() if (np.abs(x - abs(value)) < error).any()]


def texts_in(path):
    """Every text of a file: the sheets of a workbook, else what it says."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return " ".join(book.read(n).decode("utf-8") for n in book.namelist() if n.endswith(".xml"))
    return path.read_text(encoding="utf-8", errors="ignore")


@pytest.fixture
def out_of(capsys, tmp_path):
    """Everything that a call prints and writes: name -> text."""

    def call(*args):
        main([str(a) for a in args])
        printed = capsys.readouterr().out
        files = [p for p in tmp_path.rglob("*") if p.is_file()]
        return {"printed": printed, **{str(p.relative_to(tmp_path)): texts_in(p) for p in files}}

    return call


VERBS = {
    "index": ("--brand", "BD"),
    "index whole": (),
    "index shrunken": ("--shrunken",),
    "track": ("--brand", "BD", "--explain", "--drivers", "--view", "rolling", "--view", "ewma", "--view", "control"),
    "track wave": ("--explain", "--by", "segment", "--view", "control-ewma", "--anyway"),
    "league": ("--medals", "anyway"),
    "tree": ("--audit",),
    "comparable": ("--between", "brand", "--between", "wave", "--construct", "all"),
    "quality": ("--brand", "BD"),
    "quality whole": (),
    "missing": ("--imputations", "2"),
}
WITHOUT_ERRORS = ("comparable", "quality", "missing")
"""Verbs that take no choice of standard errors."""


@pytest.mark.parametrize("form", ["--json", pytest.param("--lang", marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", VERBS)
def test_no_verb_tells_it(study, secret, out_of, tmp_path, case, form):
    verb = case.split(" ")[0]
    errors = () if verb in WITHOUT_ERRORS else LINEAR
    told = out_of(
        verb,
        study,
        *VERBS[case],
        *errors,
        *([form] if form == "--json" else [form, "en"]),
        "--record",
        tmp_path / "record.json",
    )
    assert (tmp_path / "record.json").exists()
    assert {name: leaks(text, secret) for name, text in told.items() if leaks(text, secret)} == {}


@pytest.mark.parametrize("case", ["index whole", "index shrunken", "track wave", "league", "comparable"])
def test_no_line_of_the_brand_tells_it_rounded(study, secret, out_of, case):
    verb = case.split(" ")[0]
    errors = () if verb in WITHOUT_ERRORS else LINEAR
    told = out_of(verb, study, "--wave", SMALL[1], *VERBS[case], *errors, "--lang", "en")["printed"]
    lines = [line for line in told.splitlines() if "Beidoutong" in line or "BD" in line]
    kept = {name: f"{abs(value):.1f}" for name, value in secret.items() if name.endswith(" index")}
    assert lines
    assert [name for name, value in kept.items() for line in lines if value in re.findall(r"[\d.]+", line)] == []


ENDS = {"html": ".html", "notebook": ".ipynb", "xlsx": ".xlsx"}


@pytest.mark.parametrize(
    ("kind", "focal", "to"),
    [("quarterly", "BD", "html,notebook,xlsx"), pytest.param("paper", "ZX", "html,xlsx", marks=pytest.mark.slow)],
)
def test_no_report_tells_it(study, secret, out_of, tmp_path, kind, focal, to):
    own = study.with_name(f"{focal}.yaml")
    told = STUDY.replace(", focal: yes", "").replace(f"name: {focal},", f"name: {focal}, focal: yes,")
    own.write_text(told, encoding="utf-8")
    told = out_of("report", own, "--out", tmp_path / "out", "--kind", kind, "--to", to, "--lang", "zh,en")
    works = {".bib"} if kind == "paper" else set()
    assert {Path(name).suffix for name in told} == {"", ".json", *works, *(ENDS[one] for one in to.split(","))}
    assert {name: leaks(text, secret) for name, text in told.items() if leaks(text, secret)} == {}


def test_no_batch_and_no_difference_tells_it(study, secret, out_of, tmp_path):
    batch, table = tmp_path / "batch", tmp_path / "cells.xlsx"
    told = out_of("batch", study, "--out", batch, "--to", table, *LINEAR, "--json", "--record", tmp_path / "b.json")
    assert table.exists()
    for name, wave in (("a", WAVES[3]), ("b", WAVES[4])):
        out_of("index", study, "--wave", wave, *LINEAR, "--quiet", "--record", tmp_path / f"{name}.json")
    kept = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["rates"]
    assert {r["construct"] for r in kept} >= {"kcsi", "top_box_sat1", "csat_sat1"}
    told |= out_of("diff", tmp_path / "a.json", tmp_path / "b.json", "--all", "--json", "--to", tmp_path / "d.xlsx")
    assert {name: leaks(text, secret) for name, text in told.items() if leaks(text, secret)} == {}


def test_a_difference_of_records_sees_rates(study, out_of, tmp_path):
    rows = pl.read_csv(study.with_name("panel.csv"), infer_schema_length=0)
    shifted = study.parent / "shifted"
    shifted.mkdir(exist_ok=True)
    moved = pl.when(pl.col("sat1") == "7").then(pl.lit("10")).otherwise("sat1").alias("sat1")
    rows.with_columns(moved).write_csv(shifted / "panel.csv")
    for name in ("codebook.yaml", "study.yaml"):
        (shifted / name).write_bytes(study.with_name(name).read_bytes())
    for name, path in (("a", study), ("b", shifted / "study.yaml")):
        out_of("index", path, *LINEAR, "--quiet", "--record", tmp_path / f"{name}.json")
    told = out_of("diff", tmp_path / "a.json", tmp_path / "b.json", "--all", "--json")["printed"]
    assert "top_box_sat1" in told
