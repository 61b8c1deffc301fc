"""Two runs side by side, by hand."""

import json

import polars as pl
import pytest

import csi
from csi.display import text


def record(index=(71.5, 68.0), n=(90, 80), **other):
    """A small record of two brands."""
    rows = [
        {"brand": b, "wave": "2025", "construct": "joy", "formula": "F1", "index": i, "std_error": 1.0, "n": k}
        for b, i, k in zip("AB", index, n, strict=True)
    ]
    body = {
        "study": {"name": "s", "sha256": "aa"},
        "hashes": {"data": "01", "codebook": "02", "files": {"a.csv": "03"}},
        "rows": 170,
        "settings": {"weighting": "path", "small": 30},
        "versions": {"csi": "1"},
        "index": rows,
        "weights": [{"construct": "joy", "item": "j1", "weight": 0.4}],
    }
    return {**body, **other}


def test_the_same_run_changed_nothing():
    found = csi.diff(record(), record())
    assert found.same
    assert [(t.en, t.zh) for t in found.sentences] == [("Nothing changed.", "没有任何变化。")]
    assert set(found.table["status"]) == {"same"}


def test_points_are_told_beyond_rounding_and_counted_below():
    found = csi.diff(record(), record(index=(72.0, 68.02)))
    index = found.table.filter(pl.col("quantity") == "index")
    assert index["status"].to_list() == ["changed", "rounding"]
    assert index["difference"].to_list() == pytest.approx([0.5, 0.02])
    assert [t.en for t in found.sentences] == [
        "index: A 2025 joy 71.5 -> 72.0 (+0.5).",
        "index: 1 value differs by less than is printed (at most 0.02).",
    ]
    assert found.sentences[0].zh == "指数：A 2025 joy 71.5 → 72.0（+0.5）。"
    assert not found.same


def test_exactly_half_a_digit_is_a_change():
    found = csi.diff(record(index=(71.0, 68.0)), record(index=(71.05, 68.0)))
    assert found.changed["brand"].to_list() == ["A"]


def test_data_settings_versions_and_cells():
    later = record(
        n=(96, 80),
        study={"name": "s", "sha256": "bb"},
        hashes={"data": "11", "codebook": "02", "files": {"a.csv": "03", "b.csv": "04"}},
        rows=176,
        settings={"weighting": "centroid", "small": 30},
        versions={"csi": "2"},
    )
    found = csi.diff(record(), later)
    assert found.cells.rows() == [("A", "2025", 90, 96, "rows")]
    assert found.settings.rows() == [("weighting", "path", "centroid")]
    assert found.versions.rows() == [("csi", "1", "2")]
    assert dict(found.data.select("part", "after").rows()) == {
        "data": "11", "files.b.csv": "04", "rows": "176", "study": "bb",
    }  # fmt: skip
    assert [t.en for t in found.sentences] == [
        "The data are other data; rows read 170 -> 176; the study file differs; file b.csv is new.",
        "1 cell has another number of answers (90 -> 96).",
        "Settings: weighting path -> centroid.",
        "Versions: csi 1 -> 2.",
        "All 5 numbers are the same.",
    ]
    assert "centroid" in text(found, "zh")


def test_a_study_file_that_changed_in_no_setting_says_so():
    found = csi.diff(record(), record(study={"name": "s", "sha256": "bb"}))
    assert found.sentences[0] == csi.errors.Text(
        "The study file differs (in no setting).", "研究文件不同（设置未变）。"
    )


def test_a_cell_that_came_and_a_weight_that_moved():
    later = record(weights=[{"construct": "joy", "item": "j1", "weight": 0.41}])
    later["index"] = later["index"][:1]
    found = csi.diff(record(), later)
    assert dict(found.changed.select("quantity", "status").rows()) == {
        "index": "gone", "std_error": "gone", "weight": "changed",
    }  # fmt: skip
    assert any(t.en == "weight: joy j1 0.400 -> 0.410 (+0.010)." for t in found.sentences)


def test_the_formula_is_a_setting():
    later = record()
    for row in later["index"]:
        row["formula"] = "F5"
    assert csi.diff(record(), later).settings.rows() == [("formula.joy", "F1", "F5")]


def test_changes_of_a_tracking_table_and_of_a_table_of_changes_are_the_same_numbers():
    change = {"brand": "A", "wave": "2025", "construct": "joy"}
    a = record(tracking=[{**change, "change_previous": 1.0, "rank": 1}])
    b = record(changes=[{**change, "against": "previous", "reference": "2024", "change": 1.2}])
    found = csi.diff(a, b)
    assert found.changed.select("quantity", "against", "before", "after").rows() == [("change", "previous", 1.0, 1.2)]
    assert [n.code for n in found.notes] == ["N-DIFF-ALONE", "N-EVIDENCE"]
    assert found.notes[1].text.en == "Comparability (both): not tested; ask with csi comparable STUDY."


def test_an_index_in_memory():
    frame = pl.DataFrame({"a": [1, 4, 7, 10], "b": [2, 4, 8, 9], "c": [1, 5, 5, 9], "d": [2, 3, 8, 8]})
    model = csi.Model.parse("use =~ a + b\njoy =~ c + d\njoy ~ use")
    made = csi.index(csi.fit(model, frame, csi.PLS(), scale=(1, 10)))
    assert csi.diff(made, made).same
    even = csi.index(csi.fit(model, frame, csi.PLS(), scale=(1, 10)), formula="F5")
    found = csi.diff(made, even)
    values = dict(even.table.select("construct", "index").rows())
    joy = found.table.filter(pl.col("quantity") == "index", pl.col("construct") == "joy")
    assert joy["after"].item() == values["joy"]
    assert "N-DIFF-DATA" in {n.code for n in found.notes}


def test_bad_files_are_told_together(tmp_path):
    (tmp_path / "a.json").write_text("no json")
    with pytest.raises(csi.Problems) as caught:
        csi.diff(tmp_path / "a.json", tmp_path / "none.json")
    assert [(p.code, bool(p.remedy.en), bool(p.remedy.zh)) for p in caught.value.problems] == [
        ("E-RECORD", True, True),
        ("E-FILE", True, True),
    ]


@pytest.mark.parametrize("bad", ["[]", "{}", '{"verb": "models"}', '{"index": 3}', "3"])
def test_json_that_is_no_record(tmp_path, bad):
    (tmp_path / "a.json").write_text(bad)
    with pytest.raises(csi.Problems) as caught:
        csi.diff(tmp_path / "a.json", record())
    assert [p.code for p in caught.value.problems] == ["E-RECORD"]


def test_nothing_that_is_no_run():
    with pytest.raises(csi.Problems, match="no record"):
        csi.diff(3, json.loads("{}"))  # type: ignore[arg-type]


def cells(*rows):
    """What a record says of the answers of cells."""
    return [
        {"brand": b, "wave": "2025", "rows": 9, "answers": answers, "weighted": weighted}
        for b, answers, weighted in rows
    ]


def test_why_an_index_changed():
    before = record(cells=cells(("A", "1", "1"), ("B", "2", "2")))
    for marks, weight, words in (
        (cells(("A", "5", "5"), ("B", "2", "2")), 0.4, {"A": "answers", "B": "unknown"}),
        (cells(("A", "1", "7"), ("B", "2", "2")), 0.4, {"A": "design weights", "B": "unknown"}),
        (cells(("A", "5", "5"), ("B", "2", "2")), 0.5, {"A": "answers+outer weights", "B": "outer weights"}),
    ):
        weights = [{"construct": "joy", "item": "j1", "weight": weight}]
        found = csi.diff(before, record(index=(72.5, 69.0), cells=marks, weights=weights))
        moved = found.table.filter(pl.col("quantity") == "index")
        assert dict(moved.select("brand", "cause").rows()) == words
    said = found.sentences[-1]
    assert said.en == "Values of the index changed because of: answers and outer weights 1; outer weights 1."
    assert said.zh == "指数值改变的原因：答卷、外部权重 1 个；外部权重 1 个。"
    other = csi.diff(before, record(index=(72.5, 68.0), cells=before["cells"], versions={"csi": "2"}))
    assert other.changed["cause"].to_list() == ["versions"]


def test_a_renamed_brand_is_the_same_brand():
    before = record(cells=cells(("A", "1", "1"), ("B", "2", "2")))
    later = json.loads(json.dumps(before).replace('"B"', '"C"'))
    found = csi.diff(before, later)
    assert found.names == (("B", "C"),)
    assert not found.same
    assert [t.en for t in found.sentences] == ["Brand B is called C now; its answers are the same."]
    assert set(found.table["status"]) == {"same"}
    swapped = csi.diff(before, record(cells=cells(("A", "1", "1"), ("B", "3", "3"))))
    assert swapped.names == ()
    assert swapped.cells.select("brand", "what").rows() == [("B", "answers")]


def of_tree(nation=70.0, folder="/srv/one"):
    """A small record of a tree: two nodes of one wave."""
    rows = [
        {"node": n, "wave": "2025", "construct": "joy", "index": i, "std_error": 1.0, "n": k}
        for n, i, k in (("nation", nation, 170), ("cars", 71.5, 90))
    ]
    kept = record()
    del kept["index"], kept["weights"]
    return {**kept, "verb": "tree", "tree": rows, "settings": {"small": 30, "tree": {"weights": f"{folder}/w.csv"}}}


def test_trees_are_compared_node_by_node_wherever_their_folder_is():
    found = csi.diff(of_tree(), of_tree(70.6, "/srv/two"))
    assert found.settings.is_empty()
    assert found.cells.is_empty()
    assert found.changed.select("node", "before", "after").rows() == [("nation", 70.0, 70.6)]


def test_a_cell_under_a_tree_is_counted_once_and_its_parents_have_its_cause():
    def tracked(index, n, answers):
        head = {"wave": "2025", "construct": "joy", "std_error": 1.0}
        rows = [
            {**head, "node": "all", "parent": None, "index": 70.0 + n / 100, "n": 90 + n},
            {**head, "node": "A", "parent": "all", "index": 71.5, "n": 90},
            {**head, "node": "B", "parent": "all", "index": index, "n": n},
        ]
        own = [{**row, "brand": row["node"]} for row in rows[1:]]
        marks = [{**c, "wave": "2025"} for c in cells(("A", "1", "1"), ("B", answers, answers))]
        own = [{k: v for k, v in row.items() if k not in {"node", "parent"}} for row in own]
        return {**record(cells=marks), "index": own, "verb": "track", "tree": rows}

    found = csi.diff(tracked(68.0, 80, "2"), tracked(69.0, 95, "3"))
    assert found.cells.select("brand", "before", "after").rows() == [("B", 80, 95)]
    moved = found.changed.filter(pl.col("quantity") == "index")
    assert set(moved.select("brand", "node", "cause").rows()) == {("B", "", "answers"), ("", "all", "answers")}


def test_records_of_an_index_and_a_tree_are_said_to_be_of_different_verbs():
    found = csi.diff({**record(), "verb": "index"}, of_tree())
    assert found.sentences[0].en.startswith("The records are of different verbs (csi index, csi tree)")
    assert found.sentences[0].zh.startswith("两份记录出自不同的命令（csi index、csi tree）")
    assert not found.same
    assert found.table.is_empty()
    assert found.cells.is_empty()


def of_report():
    """A report on brand A in 2025, with its numbers, as it stands beside `record` of the same answers."""

    def frame(**columns):
        rows = [list(row) for row in zip(*columns.values(), strict=True)]
        return {"columns": list(columns), "rows": rows}

    trend = frame(brand=["A", "B"], wave=["2025", "2025"], construct=["joy"] * 2, index=[71.5, 68.0], n=[90, 80])
    sets = frame(
        between=["brand"], wave=["2025"], construct=["joy"], verdict=["after freeing"], items=["j1"], bias=[-2.0]
    )
    sections = {
        "trend": {"data": {"index": trend}},
        "league": {"data": {"ranks": frame(brand=["A", "B"], n=[90, 80], index=[71.5, 68.0], rank=[1, 2])}},
        "chain": {"data": {"chain": frame(construct=["use", "joy"], n=[90, 90], index=[60.0, 71.5])}},
        "comparability": {"data": {"comparability": sets}},
    }
    settings = {"weighting": "path", "formula": None, "tolerance": 1e-7, "views": {"show": []}, "target": "joy"}
    said = {"study": "s", "wave": "2025", "focal": "A", "hashes": record()["hashes"], "settings": settings}
    return {
        **said,
        "cells": cells(("A", "aa", "bb")),
        "versions": {"csi": "1", "python": "3"},
        "sections": sections,
    }


def test_a_report_and_a_batch_of_the_same_answers_differ_in_nothing():
    """What one verb does not tell has not come or gone, and settings are the same however they were written."""
    settings = {"weighting": "path", "formula": "null", "tolerance": "1e-07", "views": '{"show": []}'}
    other = record(settings=settings, cells=cells(("A", "aa", "bb")))
    found = csi.diff(of_report(), other)
    assert [t.en for t in found.sentences] == ["Nothing changed."]
    assert found.same
    assert "1 number of cells that both have in one of the records alone (use)" in found.notes[1].text.en


def test_evidence_of_comparability_stands_beside_what_changed():
    found = csi.diff(of_report(), record(index=(72.5, 68.0)))
    said = next(n for n in found.notes if n.code == "N-EVIDENCE")
    before = "brands (2025): comparable after freeing j1 (−2.0)"
    assert said.text.en == f"Comparability, before: {before}. After: not tested; ask with csi comparable STUDY."
    assert said.text.zh.startswith("可比性，之前：品牌（2025）：放开 j1 后可比（−2.0）。")
