"""`csi expectation STUDY --model text`: zh and en, a table of terms, an analyser, what is refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import yaml

from csi.cli import main

NAMES = (("sat", "满意度", "Satisfaction"), ("loy", "忠诚", "Loyalty"))


@pytest.fixture
def study(tmp_path):
    rng = np.random.default_rng(1)
    n = 160
    factor = rng.normal(size=n)
    items = {f"s{k}": np.clip(np.round(6 + 2 * factor + rng.normal(size=n)), 1, 10).astype(int) for k in (1, 2, 3)}
    pl.DataFrame({"id": range(n), **items}).write_csv(tmp_path / "answers.csv")
    texts = ["理赔很快，很满意" if f > 0 else "价格太贵，没有达到预期" for f in factor[:120]]
    pl.DataFrame({"id": range(120), "text": texts}).write_csv(tmp_path / "texts.csv")
    pl.DataFrame({"attribute": ["claims", "cost"], "term": ["理赔", "价格"], "zh": ["理赔", "价格"]}).write_csv(
        tmp_path / "terms.csv"
    )
    book = {
        "scales": {"ten": {"min": 1, "max": 10}}, "constructs": {c: {"zh": z, "en": e} for c, z, e in NAMES},
        "items": [{"name": i, "construct": "loy" if i == "s3" else "sat", "scale": "ten", "zh": i, "en": i}
                  for i in items],
    }  # fmt: skip
    (tmp_path / "codebook.yaml").write_text(yaml.safe_dump(book, allow_unicode=True), encoding="utf-8")
    said = {
        "csi": 1, "study": "said", "language": "en", "data": [{"file": "answers.csv"}], "codebook": "codebook.yaml",
        "keys": {"respondent": "id"}, "model": {"text": "sat =~ s1 + s2; loy =~ s3; loy ~ sat"},
        "index": {"target": "sat"},
        "tables": {"texts": "texts.csv"}, "models": {"text": {"lexicon": "terms.csv"}}, "bootstrap": {"n": 0},
    }  # fmt: skip
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    return str(tmp_path / "study.yaml")


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("120 comments of 120 people", "share of voice", "Those who write")),
        ("zh", ("120 条评论", "声量占比", "满意度")),
    ],
)
def test_it_is_told(study, capsys, lang, words):
    assert main(["expectation", study, "--model", "text", "--lang", lang]) == 0
    out = capsys.readouterr().out
    assert all(w in out for w in words)


def test_scores_that_are_not_there_are_refused(study, capsys):
    assert main(["expectation", study, "--model", "text", "--analyser", "score", "--lang", "zh"]) == 1
    seen = capsys.readouterr()
    assert "没有 score 列" in seen.out + seen.err
