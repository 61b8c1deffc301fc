"""What a study file does not say of its answers: a renamed brand, a base wave without answers, another scale."""

import json

import polars as pl
import pytest

LINEAR = ("--errors", "linearised", "--no-gate")


@pytest.fixture
def changed(study, tmp_path):
    """The small study with other rows, and other words in its file."""

    def make(rows=lambda frame: frame, **words):
        rows(pl.read_csv(study.parent / "panel.csv", infer_schema=False)).write_csv(tmp_path / "panel.csv")
        (tmp_path / "codebook.yaml").write_bytes((study.parent / "codebook.yaml").read_bytes())
        text = study.read_text("utf-8").replace("language: zh", "language: en")
        for old, new in words.items():
            assert OLD[old] in text
            text = text.replace(OLD[old], new)
        (tmp_path / "study.yaml").write_text(text, "utf-8")
        return tmp_path / "study.yaml"

    return make


OLD = {"yunan": "name: YA,", "base": "weights: base, base: 2025Q3", "per_year": "base: 2025Q3, per_year: 4"}


def renamed(frame):
    new = pl.when(pl.col("quarter") >= "2026Q2", pl.col("operator") == "YA").then(pl.lit("YUN"))
    return frame.with_columns(operator=new.otherwise("operator"))


def test_a_renamed_brand_is_told_how_to_stay_one_series(asked, changed):
    code, _, err = asked("check", changed(renamed))
    assert code != 0
    assert "write `was: [YUN]` beside that brand" in " ".join(err.split())
    assert "请在该品牌处写 was: [YUN]" in asked("check", changed(renamed), "--lang", "zh")[2].replace("\n", "")


def test_a_renamed_brand_is_one_series(asked, changed, study):
    path = changed(renamed, yunan="name: YA, was: [YUN],")
    code, out, _ = asked("check", path)
    assert code == 0
    assert 'answers of "YUN" count as those of YA' in " ".join(out.split())
    mine = json.loads(asked("track", path, *LINEAR, "--brand", "YUN", "--json")[1])["tracking"]
    same = json.loads(asked("track", study, *LINEAR, "--brand", "YA", "--json")[1])["tracking"]
    assert [r["index"] for r in mine] == [r["index"] for r in same]
    assert [r["brand"] for r in mine] == ["YA"] * 5


def test_an_earlier_name_belongs_to_one_brand(asked, changed):
    code, _, err = asked("check", changed(yunan="name: YA, was: [ZX],"))
    assert code != 0
    assert 'study.yaml:13: "ZX" is the name of two brands' in err


@pytest.mark.parametrize("verb", ["check", "index", "track", "league"])
def test_a_base_wave_without_answers(asked, changed, verb):
    path = changed(lambda frame: frame.filter(pl.col("quarter") != "2025Q3"))
    code, _, err = asked(verb, path, *(LINEAR[:2] if verb in {"index", "league", "track"} else ()))
    said = " ".join(err.split())
    assert code != 0
    assert "study.yaml:16: the base wave 2025Q3 has no answers." in said
    assert "base: 2025Q4 (the first wave with answers)" in said


def rescaled(frame):
    items = [
        c for c in frame.columns if c[:3] in {"img", "exp", "qua", "val", "sat", "loy", "com"} and c[3:].isdecimal()
    ]
    known = {str(x): str((x + 1) // 2) for x in range(1, 11)}
    short = [pl.col(c).replace(known).alias(c) for c in items]
    late = pl.col("quarter") == "2026Q3"
    return frame.with_columns(pl.when(late).then(x).otherwise(pl.col(x.meta.output_name())) for x in short)


def test_an_undeclared_change_of_scale(asked, changed):
    code, out, err = asked("check", changed(rescaled))
    assert code == 0, err
    said = " ".join(out.split())
    assert "In 2026Q3 no answer to" in said
    assert "asked from 1 to 10 is above 5" in said
    assert "were the scale" not in said
    assert "2026Q3 期" in asked("check", changed(rescaled), "--lang", "zh")[1]
    declared = "base: 2025Q3, per_year: 4, breaks: [{wave: 2026Q3, what: scale}]"
    assert "is above 5" not in asked("check", changed(rescaled, per_year=declared))[1]
    assert "is above" not in asked("check", changed())[1]
