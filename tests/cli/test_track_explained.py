"""`csi track --explain`: the parts of the change, by class, by item, through the model."""

import json

import pytest

from csi.cli import main


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
            ("Why the index changed", "By class", "By item", "Through the structural model", "remainder", "Prepaid"),
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


def test_another_column(asked, study_by_segment):
    code, out, _ = asked("track", study_by_segment, "--wave", "2026Q3", "--by", "stage", "--json")
    assert code == 0
    assert {r["class"] for r in json.loads(out)["decomposition_classes"]} == {"first", "regular", "long"}


@pytest.mark.parametrize(("lang", "words"), [("en", 'no column "region"'), ("zh", "没有可用于分类的列“region”")])
def test_an_unknown_column(asked, study_by_segment, lang, words):
    code, _, err = asked("track", study_by_segment, "--wave", "2026Q3", "--by", "region", "--lang", lang)
    assert code == 1
    assert words in err
