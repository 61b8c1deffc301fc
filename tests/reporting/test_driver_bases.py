"""Drivers by brand: a brand with too few answers is withheld at the prompt, for machines and in its sentence."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from csi.cli import main

STUDY = """csi: 1
study: shops
language: en
data: [{file: answers.csv}]
codebook: codebook.yaml
keys: {respondent: id, brand: shop}
model: {text: "staff =~ s1 + s2; price =~ p1 + p2; satisfaction =~ t1 + t2; satisfaction ~ staff + price"}
index: {target: satisfaction}
bootstrap: {n: 100}
"""
ITEMS = {"s1": "staff", "s2": "staff", "p1": "price", "p2": "price", "t1": "satisfaction", "t2": "satisfaction"}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Brand AA with 120 answers, HH with 12."""
    folder, draw, n = tmp_path_factory.mktemp("shops"), np.random.default_rng(5), 132
    staff, price = draw.normal(size=(2, n))
    latent = {"staff": staff, "price": price, "satisfaction": 0.6 * staff + 0.3 * price + 0.5 * draw.normal(size=n)}
    answers = {
        i: np.clip(np.round(5 + 1.5 * latent[c] + draw.normal(size=n)), 1, 9).astype(int) for i, c in ITEMS.items()
    }
    pl.DataFrame({"id": range(n), "shop": ["AA"] * 120 + ["HH"] * 12} | answers).write_csv(folder / "answers.csv")
    lines = ["scales:", "  nine: {min: 1, max: 9}", "items:"]
    lines += [f"  - {{name: {i}, construct: {c}, scale: nine, zh: {i}, en: {i}}}" for i, c in ITEMS.items()]
    (folder / "codebook.yaml").write_text("\n".join(lines), encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    return str(folder / "study.yaml")


def test_numbers_of_a_small_brand_are_withheld(study, capsys):
    assert main(["expectation", study, "--model", "drivers", "--by", "brand", "--json", "--lang", "en"]) == 0
    rows = json.loads(capsys.readouterr().out)["drivers"]
    told = {r["brand"]: r for r in rows}
    assert (told["AA"]["n"], told["HH"]["n"]) == (120, 12)
    assert told["AA"]["share"] is not None
    values = ("share", "weight", "total_effect", "correlation", "total_effect_conf_low")
    assert [told["HH"][c] for c in values] == [None] * len(values)
    assert told["HH"]["flag"] == "suppressed"


@pytest.mark.parametrize(
    ("lang", "few"), [("en", "Fewer than 30 answers, withheld: HH"), ("zh", "样本量不足 30，不予发布：HH")]
)
def test_the_prompt_says_which(study, capsys, lang, few):
    assert main(["expectation", study, "--model", "drivers", "--by", "brand", "--lang", lang]) == 0
    seen = capsys.readouterr()
    assert few in seen.out + seen.err


@pytest.mark.parametrize(("lang", "few"), [("en", "Too few answers to be told (n = 12"), ("zh", "样本量过少（n = 12")])
def test_a_small_brand_alone_has_no_headline(study, capsys, lang, few):
    assert main(["expectation", study, "--model", "drivers", "--brand", "HH", "--lang", lang]) == 0
    seen = capsys.readouterr().out
    assert few in seen
    assert "accounts for" not in seen
