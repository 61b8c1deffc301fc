"""How effects, reliability and validity read at the prompt."""

from itertools import pairwise

import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Text
from csi.measures.shown import part
from tests.sem.lavaan_cases import moments_of

MODEL = "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; speed =~ x7 + x8 + x9; textual ~ visual; speed ~ textual"


@pytest.fixture(scope="module")
def est():
    return csi.fit(MODEL, moments_of("holzinger", "moments"), csi.SEM())


def test_effects_are_a_table_with_chains_and_r2(est):
    lines = repr(csi.effects(est)).splitlines()
    assert lines[0] == "Effects"
    assert lines[1].split()[:5] == ["outcome", "predictor", "effect", "estimate", "std_error"]
    assert "Specific indirect effects" in lines
    assert any(line.startswith("visual -> textual -> speed") for line in lines)
    assert "R2" in lines
    zh = text(csi.effects(est), "zh")
    assert zh.startswith("效应\n结果变量")
    assert "特定间接效应" in zh
    assert "间接" in zh


def test_a_model_without_arrows_has_no_effects():
    est = csi.fit("visual =~ x1 + x2 + x3", moments_of("holzinger", "moments"), csi.SEM())
    assert repr(csi.effects(est)) == "no effects among constructs"
    assert text(csi.effects(est), "zh") == "构念之间没有效应"


def test_reliability_and_validity_are_tables(est):
    assert repr(csi.reliability(est)).startswith("Reliability\nconstruct")
    assert text(csi.reliability(est), "zh").startswith("信度\n构念")
    assert repr(csi.validity(est)).startswith("Discriminant validity (HTMT)\nconstruct")
    assert text(csi.validity(est), "zh").startswith("区分效度（HTMT）\n构念")


def test_long_frames_are_counted():
    lines = part(Text("R2", "R²"), pl.DataFrame({"r2": [0.5] * 50}), "zh", ".r2")
    assert len(lines) == 1 + 1 + 1  # title, table, count
    assert lines[1].count("\n") == 41
    assert lines[2] == "……另有 10 行，见 .r2"


KEPT = {"lhs", "op", "rhs", "alpha", "alpha_std", "rho_c", "ave", "htmt", "ml", "gls", "R²"}
"""Headings that are symbols, or names that the caller gave."""


def headings(printed: str) -> list[str]:
    """Words of every line that stands above a rule."""
    lines = printed.splitlines()
    above = [a for a, b in pairwise(lines) if b and set(b) <= {"-", " "}]
    return [word for line in above for word in line.split()]


def results(est):
    """Every result with a table of a covariance model."""
    by_school = moments_of("holzinger", "by_school")
    equal = MODEL.replace("x2 + x3", "a*x2 + a*x3")
    narrow = csi.fit(equal, moments_of("holzinger", "moments"), csi.SEM())
    measured = MODEL.split("; textual ~", maxsplit=1)[0]
    yield csi.fit_measures(est)
    yield csi.fit_measures(csi.fit(measured, by_school, csi.SEM(groups="school")))
    yield csi.effects(est)
    yield csi.reliability(est)
    yield csi.validity(est)
    yield csi.lrt(est, narrow)
    yield csi.score_tests(narrow)
    yield csi.invariance(measured, by_school, "school", partial=True)
    yield csi.compare(ml=est, gls=csi.fit(MODEL, moments_of("holzinger", "moments"), csi.SEM(estimator="GLS")))


def test_tables_are_chinese_where_chinese_is_asked_for(est):
    for found in results(est):
        printed = text(found, "zh")
        words = headings(printed)
        assert words, type(found).__name__
        foreign = [w for w in words if w.isascii() and w not in KEPT and not w.isupper() and w != "p"]
        assert foreign == [], type(found).__name__
        assert not {"rejected", "baseline", "void", "yes", "scalar"} & set(printed.split())


def test_the_ladder_says_its_verdicts_in_both_languages():
    found = csi.invariance(MODEL.split("; textual ~", maxsplit=1)[0], moments_of("holzinger", "by_school"), "school")
    assert found.table["verdict"].to_list() == ["baseline", "not rejected", "rejected", "void", "void"]
    assert [line.split()[-1] for line in text(found, "zh").splitlines()[3:8]] == [
        "基准",
        "未拒绝",
        "拒绝",
        "无意义",
        "无意义",
    ]
    assert " rejected" in text(found, "en")
