"""`csi index`, `track`, `league` on a study with a brand of 20, one of 60, and with limits that none meets."""

import json
from pathlib import Path

import polars as pl
import pytest

from csi.cli import main

SOURCE = Path("data/telecom")
RATES = "\nrates: {top_boxes: [sat1], csat: [sat1]}\ntree: {structure: {market: {old: [ZX, YA], new: [HL, BD]}}}\n"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two waves of the telecom panel; in the later one BD has 22 rows and YA 70."""
    folder = tmp_path_factory.mktemp("small")
    rows = pl.read_csv(SOURCE / "panel.csv", infer_schema_length=0).filter(
        pl.col("quarter").is_in(["2023Q4", "2024Q1"])
    )
    place = pl.int_range(pl.len()).over("operator", "quarter")
    limit = pl.col("operator").replace_strict({"BD": 22, "YA": 70}, default=10_000)
    rows.filter((pl.col("quarter") == "2023Q4") | (place < limit)).write_csv(folder / "panel.csv")
    (folder / "codebook.yaml").write_bytes((SOURCE / "codebook.yaml").read_bytes())
    said = (
        (SOURCE / "study.yaml").read_text(encoding="utf-8").replace("events: [{wave: 2025Q1", "events: [{wave: 2024Q1")
    )
    order = "order: [2023Q4, 2024Q1]"
    start, end = said.index("order: ["), said.index("], base: 2023Q4, per")
    said = said[:start] + order[:-1] + said[end:]
    (folder / "study.yaml").write_text(said + RATES, encoding="utf-8")
    none = said.replace("small: 30, flagged: 100", "small: 1000, flagged: 2000")
    (folder / "none.yaml").write_text(none + RATES, encoding="utf-8")
    return folder


@pytest.fixture
def asked(capsys):
    def ask(*args):
        code = main([str(a) for a in args])
        out, err = capsys.readouterr()
        return code, out, err

    return ask


LINEAR = ("--errors", "linearised")
HELD = ("index", "std_error", "conf_low", "conf_high", "n_effective", "design_effect")


def test_index_and_rates_withhold_and_mark(asked, study):
    out = asked("index", study / "study.yaml", *LINEAR, "--lang", "en")[1]
    assert "few answers" in out
    assert "fewer than 30 answers; suppressed." in out
    found = json.loads(asked("index", study / "study.yaml", *LINEAR, "--json")[1])
    for name in ("index", "rates"):
        rows = [r for r in found[name] if (r["brand"], r["wave"]) == ("BD", "2024Q1")]
        assert rows
        assert all(r[k] is None for r in rows for k in HELD)
        assert {r["flag"] for r in rows} == {"suppressed"}
        assert {r["flag"] for r in found[name] if (r["brand"], r["wave"]) == ("YA", "2024Q1")} == {"small"}


def test_league_says_who_is_left_out_and_who_has_few(asked, study):
    out = " ".join(asked("league", study / "study.yaml", *LINEAR, "--lang", "en")[1].split())
    assert "fewer than 30 answers, withheld: Beidoutong (n = " in out
    assert "fewer than 100 answers, to be read with care: Yun'an" in out
    assert "few answers" in out
    assert "样本偏少" in asked("league", study / "study.yaml", *LINEAR, "--lang", "zh")[1]


def test_views_withhold(asked, study):
    said = ("track", study / "study.yaml", *LINEAR, "--no-gate")
    rows = json.loads(asked(*said, "--view", "rolling", "--brand", "BD", "--json")[1])["view"]
    assert [r["wave"] for r in rows] == ["2023Q4"]


def test_all_cells_under_the_base(asked, study):
    none = study / "none.yaml"
    code, out, _ = asked("league", none, *LINEAR, "--lang", "en")
    assert code == 0
    assert "No brand has an index from at least 1000 answers in 2024Q1, so nothing is ranked." in out
    assert "没有品牌的指数达到 1000 份样本" in asked("league", none, *LINEAR, "--lang", "zh")[1]
    index = json.loads(asked("index", none, *LINEAR, "--json")[1])["index"]
    assert all(r[k] is None for r in index for k in HELD)
    code, out, _ = asked("track", none, *LINEAR, "--no-gate", "--explain", "--view", "rolling", "--lang", "en")
    assert code == 0
    assert out.startswith("Too few answers to be told (n = ")
    assert out.count("too few answers") >= 4
    assert "at most 0" not in out
    assert "no leaf has 1000 answers here." in out
    assert "not decomposed, fewer than 1000 answers in a wave" in out
    assert "Why the index changed" not in out
    code, out, _ = asked("check", none, "--lang", "en")
    assert (code, "No problems found." in out) == (0, False)
    assert "Nothing can be published: every cell has fewer than 1000 answers (the largest has " in out
    assert "没有可发布的结果：各单元样本量均不足 1000" in asked("check", none, "--lang", "zh")[1]
    code, out, _ = asked("index", none, *LINEAR, "--shrunken", "--lang", "en")
    assert code == 0
    assert "No index is drawn toward a mean: no parent has 3 cells with enough answers (0 of 8 cells do)" in out
    assert out.startswith("Too few answers to be told (n = ")
