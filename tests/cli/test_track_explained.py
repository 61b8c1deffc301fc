"""`csi track --explain`: the parts of the change, by class, by item, through the model."""

import json

import polars as pl
import pytest

from csi.cli import main

pytestmark = pytest.mark.usefixtures("gate_once")


@pytest.fixture
def asked(capsys):
    def ask(*arguments):
        code = main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return ask


@pytest.fixture(scope="module")
def study_by_segment(study):
    text = study.read_text("utf-8").replace("duration: seconds}", "duration: seconds, segment: segment, stage: stage}")
    path = study.parent / "segments.yaml"
    path.write_text(text.replace("base: 2025Q3}\nbootstrap", "base: 2025Q3, classes: segment}\nbootstrap"), "utf-8")
    return path


def test_parts_add_up_in_the_numbers(asked, study_by_segment):
    code, out, _ = asked("track", study_by_segment, "--wave", "2026Q3", "--explain", "--json")
    found = json.loads(out)
    rows = found["decomposition"]
    assert code == 0
    assert {(r["brand"], r["part"]) for r in rows} == {
        (b, p) for b in ("ZX", "YA") for p in ("total", "means", "weights", "composition")
    }
    for brand in ("ZX", "YA"):
        parts = {r["part"]: r["change"] for r in rows if r["brand"] == brand}
        assert parts["means"] + parts["weights"] + parts["composition"] == pytest.approx(parts["total"], abs=1e-10)
    assert {r["class"] for r in found["decomposition_classes"]} == {"contract", "prepaid", "family"}


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            (
                "Why the index changed (points, F1)",
                "By class (F1)",
                "By item (F1)",
                "Through the structural model",
                "remainder",
                "Prepaid",
            ),
        ),
        ("zh", ("指数变化的分解", "按类别", "按题项", "经由结构模型", "余项")),
    ],
)
def test_what_is_printed(asked, study_by_segment, lang, words):
    code, out, _ = asked(
        "track", study_by_segment, "--brand", "ZX", "--wave", "2026Q3", "--explain", "--drivers", "--lang", lang
    )
    assert code == 0
    for word in words:
        assert word.lower() in out.lower()
    parts = out.split(words[0])[1].split(words[1])[0]  # weights of a base wave: zero by construction, a note says so
    assert {"en": "outer weights", "zh": "外部权重"}[lang] not in parts


def test_another_column(asked, study_by_segment):
    code, out, _ = asked("track", study_by_segment, "--wave", "2026Q3", "--by", "stage", "--json")
    assert code == 0
    assert {r["class"] for r in json.loads(out)["decomposition_classes"]} == {"first", "regular", "long"}


@pytest.mark.parametrize(("lang", "words"), [("en", 'no column "region"'), ("zh", "没有可用于分类的列“region”")])
def test_an_unknown_column(asked, study_by_segment, lang, words):
    code, _, err = asked("track", study_by_segment, "--wave", "2026Q3", "--by", "region", "--lang", lang)
    assert code == 1
    assert words in err


def with_break(study, said, name):
    path = study.parent / f"{name}.yaml"
    path.write_text(study.read_text("utf-8").replace("per_year: 4}", f"per_year: 4, breaks: [{said}]}}"), "utf-8")
    return path


def test_a_break_of_the_study_stops_the_change(asked, study):
    path = with_break(study, "{wave: 2026Q3, what: scale, zh: 五点改十点, en: five to ten points}", "broken")
    code, out, _ = asked("track", path, "--wave", "2026Q3", "--json")
    rows = [r for r in json.loads(out)["changes"] if r["construct"] == "satisfaction"]
    assert code == 0
    assert {r["reason_zh"] for r in rows} == {"2026Q3 期答题量表改变（五点改十点），且未给出衔接。"}


def test_a_linked_break_gives_a_change_with_a_larger_error(asked, study):
    lines = ["old,new", *(f"{50 + i % 40},{52 + (i * 7) % 40}" for i in range(60))]
    (study.parent / "both.csv").write_text("\n".join(lines), "utf-8")
    linked = with_break(study, "{wave: 2026Q3, link: {method: mean, file: both.csv}}", "linked")
    split = json.loads(asked("track", linked, "--wave", "2026Q3", "--explain", "--json")[1])
    (total,) = [r for r in split["decomposition"] if r["brand"] == "ZX"]
    (moved,) = [r for r in split["changes"] if r["brand"] == "ZX" and r["against"] == "previous"]
    assert total["change"] == pytest.approx(moved["change"], abs=1e-9)
    assert total["std_error"] == pytest.approx(moved["std_error"], abs=1e-9)
    errors = []
    for path in (study, linked):
        _, out, _ = asked("track", path, "--wave", "2026Q3", "--json")
        rows = [r for r in json.loads(out)["changes"] if r["brand"] == "ZX" and r["against"] == "previous"]
        errors.append(rows[0]["std_error"])
    assert errors[1] > errors[0] + 1.0


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ("{wave: 2031Q1}", "E-WAVE", "2031Q1"),
        ("{wave: 2026Q3, link: {method: mean, file: none.csv}}", "E-FILE", "none.csv"),
        ("{wave: 2026Q3, link: {method: mean, file: both.csv, old: olds}}", "E-COLUMN", "olds"),
        ("{wave: 2026Q3, link: {method: mean}}", "E-LINK", "both forms"),
        ("{wave: 2025Q3}", "E-BREAK", "first wave"),
    ],
)
def test_breaks_that_cannot_be(asked, study, said, code, words):
    (study.parent / "both.csv").write_text("old,new\n1,2\n", "utf-8")
    ended, out, err = asked("track", with_break(study, said, "wrong"), "--json", "--lang", "en", "--bootstrap", "0")
    assert ended == 1
    assert code in out + err
    assert words in out + err


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("rolling", "4 期滚动均值（F1）"),
        ("ewma", "指数加权均值（最新一期权重 0.3，F1）"),
        ("control", "控制图（3 倍标准差，F1）"),
        ("control-ewma", "控制图"),
    ],
)
def test_views_of_the_series(asked, study, view, words):
    code, out, _ = asked("track", study, "--brand", "ZX", "--view", view, "--bootstrap", "0")
    assert code == 0
    assert words in out
    code, out, _ = asked("track", study, "--brand", "ZX", "--view", view, "--bootstrap", "0", "--json")
    assert len(json.loads(out)["view"]) == 5


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ("{wave: 2026Q3, link: {method: items}}", "E-LINK", "either the common or the changed items"),
        ("{wave: 2026Q3, link: {method: items, anchors: [sat1]}}", "E-LINK", "1 common item (sat1)"),
        ("{wave: 2026Q3, link: {method: items, anchors: [sat1, sat9]}}", "E-LINK", "sat9"),
        ("{wave: 2026Q3, link: {method: linear}}", "E-LINK", "needs the file of an overlap sample"),
        ("{wave: 2026Q3, link: {construct: joy, method: stated}}", "E-CONSTRUCT", "no construct"),
        ("{wave: 2026Q3}, {wave: 2026Q3, what: mode}", "E-BREAK", "two breaks at 2026Q3"),
    ],
)
def test_links_that_a_study_cannot_ask_for(asked, study, said, code, words):
    ended, out, err = asked("check", with_break(study, said, "asks"), "--json", "--lang", "en")
    assert ended == 1
    assert code in out + err
    assert words in out + err


def changed_panel(study, name, **moved):
    """The study with items of 2026Q3 moved, on a panel of its own."""
    frame = pl.read_csv(study.parent / "panel.csv")
    for item, by in moved.items():
        here = (pl.col("quarter") == "2026Q3") & pl.col(item).is_between(1, 10)
        frame = frame.with_columns(
            pl.when(here).then((pl.col(item) + by).clip(1, 10)).otherwise(pl.col(item)).alias(item)
        )
    frame.write_csv(study.parent / f"{name}.csv")
    path = study.parent / f"{name}_rows.yaml"
    path.write_text(study.read_text("utf-8").replace("panel.csv", f"{name}.csv"), "utf-8")
    return path


ITEMS = "{wave: 2026Q3, en: sat2 reworded, zh: 第二题改写, link: {method: items, anchors: [sat1, sat3]}}"


def told(asked, path, *more):
    code, out, _ = asked("track", path, "--wave", "2026Q3", "--bootstrap", "0", "--json", *more)
    assert code == 0
    found = json.loads(out)
    rows = {r["brand"]: r for r in found["changes"] if r["against"] == "previous"}
    return rows, found


def test_common_items_give_back_the_change_that_a_new_wording_hides(asked, study):
    plain, _ = told(asked, study)
    reworded = changed_panel(study, "reworded", sat2=-2)
    hidden, _ = told(asked, reworded, "--no-gate")
    linked, found = told(asked, with_break(reworded, ITEMS, "reworded_linked"))
    for brand, row in plain.items():
        assert hidden[brand]["change"] < row["change"] - 3
        assert linked[brand]["change"] == pytest.approx(row["change"], abs=1.5)
        assert linked[brand]["link"] == "items"
    assert "sat1" in json.dumps(found["notes"])


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", ("linked", "the link is made of", "common items sat1, sat3")), ("zh", ("已衔接", "按共同题项 sat1、sat3"))],
)
def test_a_linked_change_is_told_in_both_languages(asked, study, lang, words):
    path = with_break(changed_panel(study, "told", sat2=-2), ITEMS, "told_linked")
    code, out, _ = asked("track", path, "--wave", "2026Q3", "--bootstrap", "0", "--lang", lang)
    assert code == 0
    for word in words:
        assert word.lower() in out.lower()


def test_common_items_that_moved_leave_the_break_unlinked_and_say_which(asked, study):
    path = with_break(changed_panel(study, "moved", sat2=-2, sat3=-1), ITEMS, "moved_linked")
    rows, found = told(asked, path)
    assert {r["change"] for r in rows.values()} == {None}
    assert "the link is refused: equal intercepts of the common items sat1, sat3 are rejected" in rows["ZX"]["reason"]
    assert "衔接被拒绝" in rows["ZX"]["reason_zh"]
    assert "W-LINK-REFUSED" in json.dumps(found["notes"])


def test_respondents_of_an_overlap_file_count_where_the_study_names_them(asked, study):
    frame = pl.read_csv(study.parent / "panel.csv").filter(pl.col("quarter") == "2026Q3", operator="ZX").head(200)
    both = frame.select("id", new=pl.mean_horizontal("sat1", "sat2", "sat3").clip(1, 10)).with_columns(
        old=(pl.col("new") * 0.5 + 3).clip(1, 10)
    )
    both.drop_nulls().write_csv(study.parent / "shared.csv")
    link = "{wave: 2026Q3, link: {method: mean, file: shared.csv, scales: [[1, 10], [1, 10]]RESPONDENT}}"
    errors, codes = [], []
    for name, said in (("apart", ""), ("shared", ", respondent: id")):
        rows, found = told(asked, with_break(study, link.replace("RESPONDENT", said), name))
        errors.append(rows["ZX"]["std_error"])
        codes.append([n["code"] for n in found["notes"]])
    assert errors[1] != pytest.approx(errors[0], rel=0.01)
    assert "N-LINK-APART" in codes[0]
    assert "N-LINK-SHARED" in codes[1]


def test_the_parts_of_a_change_that_is_not_comparable_are_withheld(asked, study):
    path = changed_panel(study, "barred", sat2=-2)
    rows, found = told(asked, path, "--explain")
    assert rows["ZX"]["evidence"] == "not comparable"
    (total,) = [r for r in found["decomposition"] if r["brand"] == "ZX"]
    assert total["change"] is total["std_error"] is total["conf_low"] is None
    assert total["reason"].startswith("not comparable: ")
    assert not [r for r in found["decomposition_items"] if r["brand"] == "ZX"]
    _, open_ = told(asked, path, "--explain", "--anyway")
    assert [r["change"] for r in open_["decomposition"] if (r["brand"], r["part"]) == ("ZX", "total")] != [None]
