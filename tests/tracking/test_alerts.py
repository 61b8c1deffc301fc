"""Alerts over a tracking table, by hand and in a study."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.cli.shell import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tracked():
    study = csi.Study.read(ROOT / "data/telecom/study.yaml")
    panel = study.panel()
    est = csi.fit(study.model, panel, csi.PLS(), ["brand", "wave"])
    return csi.track(csi.index(est, weights="base", base="2023Q4"), waves=study.waves)


def with_row(tracked, **values):
    """The table with one row, of brand ZX in 2026Q3, its values set."""
    row = tracked.table.filter(pl.col("brand") == "ZX", pl.col("wave") == "2026Q3")
    row = row.with_columns(**{k: pl.lit(v, dtype=row.schema[k]) for k, v in values.items()})
    return replace(tracked, table=row)


def test_significant_changes_down_and_up(tracked):
    fell = with_row(tracked, change_previous=-2.04, significant_previous=True)
    found = csi.alerts(fell, [csi.Alert("fell"), csi.Alert("rose")])
    assert found.table.select("when", "against", "value").rows() == [("fell", "previous", -2.04)]
    assert [(t.en, t.zh) for t in found.sentences] == [
        ("ZX 2026Q3: the index fell by 2.0 points against the previous wave.", "ZX 2026Q3：指数较上期下降 2.0 分。")
    ]
    assert [n.code for n in found.notes] == ["N-ALERT"]
    chance = with_row(tracked, change_previous=-2.04, significant_previous=False)
    assert csi.alerts(chance, [csi.Alert("fell")]).table.is_empty()
    rose = with_row(tracked, change_year=3.1, significant_year=True)
    assert (
        csi.alerts(rose, [csi.Alert("rose", "year")]).sentences[0].en.endswith("rose by 3.1 points against a year ago.")
    )


@pytest.mark.parametrize(("high", "sure"), [(74.0, True), (76.0, False)])
def test_below_a_target(tracked, high, sure):
    row = with_row(tracked, index=72.0, conf_low=70.0, conf_high=high)
    found = csi.alerts(row, [csi.Alert("below", target=75), csi.Alert("below", target=72)])
    assert found.table.select("value", "limit", "sure").rows() == [(72.0, 75.0, sure)]
    assert ("not beyond" in found.sentences[0].en) is not sure


@pytest.mark.parametrize(("n", "limit"), [(29, 30.0), (30, 100.0), (99, 100.0), (100, None)])
def test_small_bases(tracked, n, limit):
    found = csi.alerts(with_row(tracked, n=n), [csi.Alert("small")])
    assert found.table["limit"].to_list() == ([] if limit is None else [limit])


def test_what_is_not_comparable_names_its_items(tracked):
    row = with_row(tracked, evidence_previous="not comparable", items_previous="sat2", bias_previous=1.2)
    found = csi.alerts(row, [csi.Alert("not comparable"), csi.Alert("not comparable", "year")])
    assert found.table.select("against", "value").rows() == [("previous", 1.2)]
    assert "sat2" in found.sentences[0].zh


def test_a_suppressed_cell_tells_nothing_but_that(tracked):
    row = with_row(tracked, n=20, flag="suppressed", index=50.0)
    found = csi.alerts(row, [csi.Alert("below", target=90), csi.Alert("small")])
    assert found.table["when"].to_list() == ["small"]


def test_one_brand_and_one_wave(tracked):
    found = csi.alerts(tracked, [csi.Alert("below", target=100, brand="YA")], {"wave": "2026Q3"})
    assert found.table.select("brand", "wave").rows() == [("YA", "2026Q3")]


def test_bad_alerts(tracked):
    for words in ({"when": "fell", "target": 70}, {"when": "fel"}, {"when": "fell", "against": "x"}):
        with pytest.raises(csi.Problems) as caught:
            csi.Alert(**words)
        assert all(p.what.en and p.what.zh for p in caught.value.problems)
    with pytest.raises(csi.Problems, match='no brand "QQ"'):
        csi.alerts(tracked, [csi.Alert("fell", brand="QQ")])
    for when in ("below", "missed", "reached", "undecided"):
        with pytest.raises(csi.Problems, match="needs a target"):
            csi.alerts(tracked, [csi.Alert(when)])


@pytest.mark.parametrize(
    ("low", "high", "when"),
    [(75.0, 79.0, "reached"), (74.9, 79.0, "undecided"), (70.0, 75.0, "undecided"), (70.0, 74.9, "missed")],
)
def test_targets_by_the_interval(tracked, low, high, when):
    row = with_row(tracked, index=(low + high) / 2, conf_low=low, conf_high=high)
    found = csi.alerts(row, [csi.Alert(w, target=75) for w in ("reached", "undecided", "missed")])
    assert found.table.select("when", "limit", "sure", "formula").rows() == [(when, 75.0, when != "undecided", "F1")]
    assert {"reached": "已达到", "undecided": "无法判断", "missed": "未达到"}[when] in found.sentences[0].zh
    assert [n.code for n in found.notes] == ["N-TARGETS"]


def test_the_cells_own_target_and_labels(tracked):
    row = with_row(tracked, index=72.0, conf_low=70.0, conf_high=74.0)
    row = replace(row, table=row.table.with_columns(target=pl.lit(75.0)))
    found = csi.alerts(
        row, [csi.Alert("below"), csi.Alert("missed")], labels={"ZX": csi.errors.Text("Zhongxun", "中讯")}
    )
    assert found.table["limit"].to_list() == [75.0, 75.0]
    assert found.sentences[1].en == "Zhongxun 2026Q3: the target 75 is missed: 72.0 (70.0–74.0)."
    assert found.sentences[1].zh.startswith("中讯 2026Q3：")


def study_with(tmp_path, alerts):
    for name in ("codebook.yaml", "panel.csv"):
        (tmp_path / name).symlink_to(ROOT / "data/telecom" / name)
    text = (ROOT / "data/telecom/study.yaml").read_text(encoding="utf-8")
    (tmp_path / "study.yaml").write_text(text + f"\nalerts: {alerts}\n", encoding="utf-8")
    return str(tmp_path / "study.yaml")


def test_a_study_with_alerts(tmp_path, capsys):
    path = study_with(tmp_path, "[{when: below, target: 70}, {when: small}, {when: rose, against: year, brand: ZX}]")
    words = ["track", path, "--errors", "linearised", "--no-gate"]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {r["brand"]: r for r in found["tracking"]}
    told = [(a["when"], a["brand"]) for a in found["alerts"]]
    assert [b for w, b in told if w == "below"] == [b for b, r in rows.items() if r["index"] < 70]
    assert (("rose", "ZX") in told) is (rows["ZX"]["change_year"] > 0 and rows["ZX"]["significant_year"])
    assert told
    assert main([*words, "--lang", "zh"]) == 0
    assert "预警：" in capsys.readouterr().out


def test_alerts_that_make_no_sense_are_named_at_their_line(tmp_path):
    path = study_with(tmp_path, "[{when: below}, {when: fell, target: 70}, {when: small, brand: QQ}]")
    with pytest.raises(csi.Problems) as caught:
        csi.Study.read(path)
    assert [p.code for p in caught.value.problems] == ["E-ALERT"] * 3
    assert all("study.yaml:" in p.where and p.remedy.zh for p in caught.value.problems)
