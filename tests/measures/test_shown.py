"""How effects, reliability and validity read at the prompt."""

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
