"""SERVQUAL, zone of tolerance, surfaces and promises as sections and pictures, on the insurance study."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from csi.cli import main
from csi.errors import Problems, Text
from csi.reporting.figures import Seen, answers, contour, parts
from csi.reporting.figures.contour import value_at
from csi.reporting.methods import METHODS, methods_of, own_methods, run_method
from csi.reporting.methods.edt_inferred import products
from csi.reporting.methods.library import told_in
from csi.study import Study
from csi.study.options import Options

STUDY = Path(__file__).parents[2] / "data/insurance/study.yaml"
NAMES = ("servqual", "tolerance", "surface", "promise", "edt_inferred")
BEYOND = {m.name for m in own_methods() if m.panel or any("under tables:" in n.add.en for n in m.needs)}
"""Models of people followed over waves or of tables of events, which this study has not: each has tests of its own."""
HAN = re.compile(r"[\u4e00-\u9fff]")


@cache
def study():
    return Study.read(STUDY)


@cache
def panel():
    return study().panel()


@cache
def told(name):
    return run_method(study(), panel(), name)


@pytest.mark.parametrize("name", NAMES)
def test_every_model_has_a_finding_tables_and_data_in_both_languages(name):
    section = told(name)
    for text in (section.title, section.subtitle, *section.paragraphs):
        assert text.en
        assert HAN.search(text.zh)
    assert section.tables
    assert section.data[name if name != "edt_inferred" else "paths"].height
    for table in section.tables:
        for column in table.columns:
            assert column.name in table.frame.columns
            assert column.heading.zh


@pytest.mark.parametrize("name", [name for name in METHODS if name not in {*NAMES, *BEYOND}])
def test_every_other_model_with_code_of_its_own_has_a_page_in_both_languages(name):
    section = told(name)
    assert section.key == name
    for text in (section.title, section.subtitle, *section.paragraphs):
        assert text.en
        assert HAN.search(text.zh)
    assert section.tables
    assert all(table.frame.height for table in section.tables)


def test_the_report_of_the_insurance_study_has_a_page_for_every_model_of_one_wave():
    """Cards are told in test_card_findings; what follows the same people needs a second wave."""
    assert (
        set(told_in(study()))
        == {m.name for m in methods_of() if not m.panel} - {"cjd", "justice", "lifecycle_loyalty"} - BEYOND
    )


@pytest.mark.parametrize(
    "name", ["servqual", "tolerance", "surface", "promise", "nps", "loyalty_types", "loyalty_curve"]
)
def test_its_picture_is_drawn_wide_and_narrow_in_both_languages(name):
    (figure,) = told(name).figures
    for lang in ("en", "zh"):
        for draw in (figure.draw, figure.narrow):
            root = ET.fromstring(draw(lang))  # noqa: S314 - our own drawing
            assert float(root.get("width")) in (1040, 508, 360)
            assert root.get("aria-label") == figure.finding.say(lang)


def test_what_was_planted_in_the_insurance_study_is_said():
    assert "Exclusions made clear" in told("tolerance").paragraphs[0].en  # set below the adequate level
    assert "weakest is Responsiveness" in told("servqual").title.en
    assert "Performance dominates" in " ".join(p.en for p in told("surface").paragraphs)
    assert "through performance" in told("edt_inferred").title.en


def test_data_hold_no_answers_of_single_respondents():
    assert "cloud" not in told("surface").data


def test_kano_tells_strength_means_and_the_legacy_rule():
    strength = told("kano").tables[1]
    assert [c.heading.en for c in strength.columns] == [
        "attribute", "n", "total strength", "class strength", "functional", "dysfunctional", "Fong (legacy)",
    ]  # fmt: skip
    rows = {r["attribute"]: r for r in strength.frame.iter_rows(named=True)}
    assert rows["terms"]["legacy"] == "apart"
    assert rows["adviser"]["legacy"] == "not apart"  # attractive or indifferent, too close to tell
    assert strength.texts["apart"].zh == "有别"
    assert rows["plain"]["functional"] > 3 > rows["birthday"]["functional"]


def test_roles_and_requirements_read_in_both_languages():
    who, what = told("stakeholders"), told("requirements")
    assert [t.name for t in who.tables] == ["stakeholders", "roles", "expectations"]
    assert "Expected overall, by role: Customer" in " ".join(p.en for p in who.paragraphs)
    assert "各角色的总体期望：客户" in " ".join(p.zh for p in who.paragraphs)
    assert [t.name for t in what.tables] == ["requirements", "technical", "status"]
    assert what.tables[1].texts["straight_through"].zh == "自动核赔系统"
    assert what.tables[2].texts["done"].en == "Done"
    assert what.tables[2].title.en == "Status and gap"  # one wave: nothing before
    assert "change" not in [c.name for c in what.tables[2].columns]


def test_cells_have_no_picture_and_rows_of_their_own():
    section = run_method(study(), panel(), "promise", Options(by=("brand",), given=("by",)))
    assert section.figures == ()
    assert set(section.data["promise"]["brand"]) == {"AH", "RL", "HH"}


def test_a_dimension_can_be_asked_for():
    section = run_method(study(), panel(), "surface", Options(of="empathy", given=("of",)))
    assert section.data["claims"]["r2"][0] != told("surface").data["claims"]["r2"][0]
    with pytest.raises(Problems, match="empaty"):
        run_method(study(), panel(), "surface", Options(of="empaty", given=("of",)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tolerance", "--inconsistent", "swap", "--lang", "en"], "within the zone of tolerance"),
        (
            [
                "servqual",
                "--points",
                "tangibles=10,reliability=30,responsiveness=20,assurance=20,empathy=40",
                "--lang",
                "en",
            ],
            "sum to 120, not 100",
        ),
        (["promise", "--lang", "zh", "--outcome", "satisfaction"], "低于承诺"),
    ],
)
def test_the_verb_tells_them(capsys, arguments, words):
    assert main(["expectation", str(STUDY), "--model", *arguments]) == 0
    assert words in capsys.readouterr().out


def test_the_verb_refuses_points_that_are_no_numbers(capsys):
    assert main(["expectation", str(STUDY), "--model", "servqual", "--points", "empathy=much", "--lang", "en"]) != 0
    assert "tangibles=11,reliability=32" in capsys.readouterr().err


def test_the_verb_refuses_another_action(capsys):
    assert main(["expectation", str(STUDY), "--model", "tolerance", "--inconsistent", "keep", "--lang", "en"]) != 0
    assert "drop, swap or error" in capsys.readouterr().err


def square(slopes, point=None):
    corners = np.array([[2.0, 2], [6, 2], [6, 6], [2, 6]])
    names = Text("Expected", "期望"), Text("Perceived", "感知"), Text("Satisfaction", "满意")
    return Seen(np.array(slopes), 4.0, corners, point, 1, 7, *names)


def test_a_contour_shows_the_point_only_where_it_is_told():
    dome = [6, 0.0, 0.0, -0.3, 0.1, -0.3]
    with_point, without = (contour(square(dome, p), lang="en") for p in ((4.0, 4.0), None))
    assert "stationary point" in with_point
    assert "stationary point" not in without
    assert "as expected (P = E)" in without
    assert "符合期望" in contour(square(dome), lang="zh", width=360)


def test_a_contour_of_a_plane_has_straight_lines_at_its_levels():
    seen = square([5, -0.5, 0.5, 0, 0, 0])
    drawn = contour(seen, lang="en")
    lines = [
        np.array([[float(v) for v in p.split(",")] for p in m.split()]) for m in re.findall(r'points="([^"]+)"', drawn)
    ]
    short = [p for p in lines if len(p) == 2]
    assert len(short) > 100
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in short if abs(b[0] - a[0]) > 0.5]
    assert slopes == pytest.approx([-1.0] * len(slopes), abs=0.05)  # y runs down the page
    assert value_at(seen, np.array([4.0]), np.array([4.0]))[0] == 5


def test_parts_of_a_row_fill_its_bar():
    frame = pl.DataFrame({"heading": ["h"], "row": ["r"], "low": [0.5], "middle": [0.3], "high": [0.2]})
    words = [Text("less", "低"), Text("as", "等"), Text("more", "高")]
    drawn = parts(frame, lang="en", labels={}, words=words, width=508)
    widths = [float(w) for w in re.findall(r'<rect[^>]* width="([\d.]+)"[^>]*><title>', drawn)]
    assert sum(widths) == pytest.approx(max(widths) / 0.5, rel=1e-2)
    absent = frame.with_columns(low=pl.lit(None, dtype=pl.Float64))
    assert "–" in parts(absent, lang="zh", labels={}, words=words, width=360)


def test_answers_group_themselves():
    frame = pl.DataFrame({"answer": range(11), "share": [0.02] * 7 + [0.1, 0.2, 0.26, 0.3]})
    drawn = answers(frame, lang="en")
    assert drawn.count("<rect") == 11
    for said in ("detractors 14%", "passives", "promoters"):
        assert said in drawn
    assert "推荐者" in answers(frame, lang="zh", width=360)


def test_the_inferred_polynomial_says_that_it_is_manifest_and_how_reliable_its_products_are():
    found = told("edt_inferred")
    (note,) = [n for n in found.notes if n.code == "N-MANIFEST"]
    assert "E:E + E:P + P:P" in note.text.en
    assert "潜变量形式" in note.text.zh
    # Busemeyer & Jones (1983): uncorrelated scores with reliability .7 have a product with .49
    assert products(0.7, 0.7, 0.0) == pytest.approx((0.49, 0.49, 0.49))
    assert products(1.0, 1.0, 0.4) == pytest.approx((1.0, 1.0, 1.0))
