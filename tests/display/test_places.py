"""Where a problem stands, in Chinese."""

import pytest

from csi.errors import capped, place_in, problem


@pytest.mark.parametrize(
    ("place", "zh"),
    [
        ("model", "模型"),
        ("model, line 1, column 12", "模型，第 1 行，第 12 列"),
        ("a.lav, line 3, column 1", "a.lav，第 3 行，第 1 列"),
        ("study.yaml:18 (model, line 3, column 11)", "study.yaml:18（模型，第 3 行，第 11 列）"),
        ("data", "数据"),
        ("where", "筛选条件 where"),
        ('column "x99"', "列“x99”"),
        ("a.csv, column q3", "a.csv，列 q3"),
        ("group b, item x1", "组 b，题项 x1"),
        ('construct "f"', "构念“f”"),
        ("items u1, u2", "题项 u1、u2"),
        ("study.yaml:9", "study.yaml:9"),
        ("odd, name (1).csv", "odd, name (1).csv"),
        ("a (b)", "a (b)"),
        ("--estimator", "--estimator"),
        ("equal", "equal"),
        ("", ""),
    ],
)
def test_words_are_chinese_and_names_stay(place, zh):
    assert place_in(place, "zh") == zh
    assert place_in(place) == place


def test_the_colon_is_full_width_except_behind_file_and_line():
    said = [problem("E-X", place, "odd.", "有误。").say("zh") for place in ("data", "a.yaml:9", "")]
    assert said == ["数据：有误。", "a.yaml:9: 有误。", "有误。"]
    assert problem("E-X", "data", "odd.", "有误。").say() == "data: odd."


def test_many_places_of_one_kind_are_counted():
    few = [problem("E-FEW", f"group {i}", "too few.", "过少。", "Merge.", "请合并。") for i in range(301)]
    other = [problem("E-CONSTANT", "data", f"x{j} is constant.", f"x{j} 无变异。") for j in range(8)]
    found = capped([*few, *other])
    assert [p.code for p in found] == ["E-FEW"] * 5 + ["E-CONSTANT"] * 8 + ["E-FEW"]
    assert found[-1].say() == ("296 more places: the same of group 5; group 6; group 7; group 8; group 9; ... Merge.")
    assert found[-1].say("zh") == "另有 296 处：组 5；组 6；组 7；组 8；组 9等同样如此。请合并。"
    assert capped(few[:5]) == few[:5]
