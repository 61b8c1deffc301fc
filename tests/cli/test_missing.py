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
