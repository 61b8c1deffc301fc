"""`csi missing`: in both languages, as JSON and as files."""

import json


def test_a_person_reads_reasons_patterns_and_the_test(asked, study):
    code, out, err = asked("missing", study, "--lang", "en")
    assert (code, err) == (0, "")
    for said in (
        "missing: listwise.",
        "Why answers are absent",
        "What rows leave out",
        "Little's test",
        "don't know",
        "cell by cell p < .05",
    ):
        assert said in out
    code, out, _ = asked("missing", study, "--lang", "zh")
    assert code == 0
    for said in ("缺失原因", "缺失模式", "Little 检验", "各种处理下的指数"):
        assert said in out


def test_a_machine_reads_every_cell(asked, study, tmp_path):
    code, out, _ = asked("missing", study, "--json", "--to", tmp_path / "m.csv")
    body = json.loads(out)
    assert code == 0
    assert len(body["tests"]) == 11
    assert body["steps"]
    assert {line["reason"] for line in body["reasons"]} >= {"dont_know", "refused"}
    assert len(list(tmp_path.glob("m*.csv"))) == 5


def test_one_imputation_is_refused(asked, study):
    code, _, err = asked("missing", study, "--imputations", "1", "--lang", "en")
    assert code == 1
    assert "says nothing about its own uncertainty" in err


def test_a_study_without_waves_and_brands_is_one_cell(asked, tmp_path):
    rows = [
        "q1,q2,q3",
        *(f"{1 + k % 5},{'' if k % 7 == 0 else 1 + (k * k) % 5},{1 + (k + k // 5) % 5}" for k in range(60)),
    ]
    (tmp_path / "a.csv").write_text("\n".join(rows), encoding="utf-8")
    scales = "scales: {five: {min: 1, max: 5}}\nconstructs: {one: {zh: 一, en: One}, two: {zh: 二, en: Two}}\nitems:\n"
    items = "".join(
        f"  - {{name: q{i}, construct: {c}, scale: five}}\n" for i, c in ((1, "one"), (2, "one"), (3, "two"))
    )
    (tmp_path / "codebook.yaml").write_text(scales + items, encoding="utf-8")
    text = "csi: 1\nstudy: s\ndata: [{file: a.csv}]\ncodebook: codebook.yaml\nkeys: {}\n"
    text += "model:\n  text: |\n    one =~ q1 + q2\n    two =~ q3\n    two ~ one\nindex: {target: two}\n"
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    code, out, err = asked("missing", tmp_path / "study.yaml", "--lang", "en")
    assert (code, err) == (0, "")
    assert "Why answers are absent" in out
