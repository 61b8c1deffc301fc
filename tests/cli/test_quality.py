"""`csi quality`: in both languages, as JSON, as files, and for a cell by its label."""

import json

import polars as pl


def test_a_person_reads_rules_effects_and_flow(asked, study):
    code, out, err = asked("quality", study, "--lang", "en")
    assert (code, err) == (0, "")
    for said in ("Rules: rows hit, each rule alone", "speeders", "less than 60 seconds", "From read to kept", "2026Q3"):
        assert said in out
    code, out, _ = asked("quality", study, "--lang", "zh", "--brand", "中讯", "--wave", "2026Q2")
    assert code == 0
    assert "规则：各自命中的答卷" in out
    assert "由读入到保留" in out
    assert "云安" not in out


def test_a_machine_reads_all_cells_and_reasons(asked, study, tmp_path):
    code, out, _ = asked("quality", study, "--json", "--to", tmp_path / "q.csv")
    body = json.loads(out)
    assert code == 0
    assert {"rules", "effects", "flow", "items"} <= set(body)
    assert all(line["source"] for line in body["rules"])
    few = [e for e in body["effects"] if 0 < e["rows"] < 30]
    assert few
    assert all(e["effect"] is None and e["reason"] and e["reason_zh"] for e in few)
    assert len(list(tmp_path.glob("q*.csv"))) == 4
    assert pl.read_csv(next(iter(tmp_path.glob("q*.csv")))).height


def test_a_brand_that_is_not_there_is_told(asked, study):
    code, _, err = asked("quality", study, "--brand", "Zonxun", "--lang", "en")
    assert code == 1
    assert 'there is no brand "Zonxun"' in err
