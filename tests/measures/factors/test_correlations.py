"""One matrix for all steps: kinds, their rule, psych's and lavaan's polychorics, bad input, repairs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.measures.factors.association import chosen, pairwise
from csi.measures.factors.positive import repaired

SHARED = os.environ.get("CSI_REFERENCE_DIR")
needs_rows = pytest.mark.skipif(not SHARED, reason="the answers themselves are not committed")


def ordinal(n=300, p=4, k=5, seed=1):
    """Answers of one factor in k categories."""
    rng = np.random.default_rng(seed)
    x = 0.8 * rng.normal(size=(n, 1)) + 0.6 * rng.normal(size=(n, p))
    codes = np.clip(np.round(x * 1.1 + (k + 1) / 2), 1, k)
    return pl.DataFrame(codes, schema=[f"q{i}" for i in range(1, p + 1)])


@pytest.fixture(scope="module")
def bfi(record):
    frame = pl.read_csv(Path(SHARED or "") / "data/bfi/bfi.csv", null_values=["NA", ""])
    return frame.select(record("polychoric")["names"])


@needs_rows
def test_pearson_by_pairs_is_rs(bfi, record):
    found = csi.correlations(bfi, bfi.columns, kind="pearson")
    np.testing.assert_allclose(found.matrix, record("bfi")["cor"], atol=1e-12)
    assert found.n == 2800


@needs_rows
@pytest.mark.parametrize(
    ("missing", "theirs"),
    [
        ("pairwise", ["psych_pairwise_correct0", "psych_pairwise_correct05"]),
        ("listwise", ["psych_complete_correct0", "lavaan_two_step_complete"]),
    ],
)
def test_polychorics_are_psychs_and_lavaans(bfi, record, missing, theirs):
    found = csi.correlations(bfi, bfi.columns, kind="polychoric", missing=missing)
    for name in theirs:
        np.testing.assert_allclose(found.matrix, record("polychoric")[name], atol=1e-4)


@needs_rows
def test_skewed_sixes_are_polychoric_by_the_rule(bfi):
    found = csi.correlations(bfi, bfi.columns)
    assert found.kind == "polychoric"
    assert "1.22" in found.why.en
    assert "1.22" in found.why.zh
    assert found.source.startswith("Rhemtulla")


@pytest.mark.parametrize(
    ("categories", "skew", "empty", "kind"),
    [
        ([4, 10], [0.0, 0.0], 0.1, "polychoric"),
        ([5, 7], [0.2, -1.1], 0.1, "polychoric"),
        ([5, 7], [0.2, -0.9], 0.1, "pearson"),
        ([5, 10], [0.2, -2.0], 0.1, "pearson"),
        ([3, 3], [0.2, 0.1], 0.6, "pearson"),
        ([3, 90], [0.2, 0.1], 0.1, "pearson"),
    ],
)
def test_the_rule(categories, skew, empty, kind):
    choice = chosen(np.array(categories), np.array(skew), empty)
    assert choice.kind == kind
    assert choice.why.en
    assert choice.why.zh


def test_weights_count_rows():
    rng = np.random.default_rng(2)
    rows, times = rng.normal(size=(40, 3)), rng.integers(1, 4, 40)
    rows[3, 1] = np.nan
    repeated = np.repeat(rows, times, axis=0)
    np.testing.assert_allclose(
        pairwise(rows, times.astype(float)), pairwise(repeated, np.ones(len(repeated))), atol=1e-12
    )


def test_full_information_undoes_a_cut():
    """Absences that hang on an answered item bias pairs and complete rows, and not maximum likelihood."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2000, 2)) @ np.array([[1.0, 0.7], [0.0, np.sqrt(0.51)]])
    whole = np.corrcoef(x, rowvar=False)[0, 1]
    frame = pl.DataFrame(x, schema=["a", "b"]).with_columns(b=pl.when(pl.col("a") < 0.3).then(pl.col("b")))
    fiml, cut, pairs = (csi.correlations(frame, ["a", "b"], missing=m) for m in ("fiml", "listwise", "pairwise"))
    assert fiml.kind == "pearson"
    assert abs(fiml.matrix[0, 1] - whole) < 0.03
    assert cut.matrix[0, 1] == pytest.approx(pairs.matrix[0, 1])
    assert cut.matrix[0, 1] < whole - 0.1
    assert cut.n < fiml.n


def test_bad_items_are_told_together():
    frame = ordinal().with_columns(pl.lit(3).alias("flat"), pl.lit(None, pl.Float64).alias("silent"))
    with pytest.raises(csi.Problems) as found:
        csi.correlations(frame, frame.columns)
    assert {p.code for p in found.value.problems} == {"E-CONSTANT", "E-NO-ANSWERS"}
    slider = ordinal().with_columns(q1=pl.int_range(pl.len()))
    with pytest.raises(csi.Problems, match="too many different answers for categories"):
        csi.correlations(slider, slider.columns, kind="polychoric")
    assert "300 different answers" in csi.correlations(slider, slider.columns).why.en
    with pytest.raises(csi.Problems, match="one item has no correlations"):
        csi.correlations(frame, ["q1"])
    with pytest.raises(csi.Problems) as found:
        csi.correlations(frame, ["q1", "q2"], kind="spearman", missing="mean", repair="wish")
    assert len(found.value.problems) == 3


def test_a_pair_nobody_answers():
    frame = (
        ordinal(40)
        .with_row_index()
        .with_columns(
            pl.when(pl.col("index") < 20).then(pl.col("q1")).alias("q1"),
            pl.when(pl.col("index") >= 20).then(pl.col("q2")).alias("q2"),
        )
    )
    for kind in ("pearson", "polychoric"):
        with pytest.raises(csi.Problems) as found:
            csi.correlations(frame, ["q1", "q2", "q3"], kind=kind)
        assert "q1" in str(found.value)
        assert "q2" in str(found.value)


def test_no_more_rows_than_items():
    frame = ordinal(6, 8)
    found = csi.correlations(frame, frame.columns, kind="pearson")
    assert "W-FACTOR-FEW-ROWS" in {n.code for n in found.notes}
    assert not found.definite
    assert csi.adequacy(found).reason.code == "R-SINGULAR"
    assert csi.n_factors(found, resamples=100).suggested >= 0


def test_a_category_nobody_chose_is_told():
    frame = ordinal(k=5).with_columns(pl.col("q1").replace(3, 4))
    found = csi.correlations(frame, frame.columns, scale=(1, 5), kind="polychoric")
    (said,) = (n for n in found.notes if n.code == "N-CATEGORY-UNUSED")
    assert "q1: nobody chose 3" in said.text.en
    assert len(found.thresholds["q1"]) == 3


@pytest.fixture(scope="module")
def indefinite():
    """Three items each pair of which was answered by other people, in ways that do not go together."""
    a, b = np.tile([1.0, 2.0], 30), np.tile([1.0, 2.0], 30)
    b[:6] = 3 - b[:6]
    none = np.full(60, np.nan)
    columns = [np.concatenate(c) for c in ([a, a, none], [b, none, a], [none, b, 3 - b])]
    return pl.DataFrame({f"q{i}": c for i, c in enumerate(columns, 1)}).fill_nan(None)


def test_a_matrix_that_is_not_definite_is_told_and_mended_on_request(indefinite):
    plain = csi.correlations(indefinite, ["q1", "q2", "q3"])
    assert plain.kind == "polychoric"
    assert plain.smallest < 0
    assert plain.repair is None
    assert "W-NOT-DEFINITE" in {n.code for n in plain.notes}
    for how in ("shrink", "nearest", "bend"):
        mended = csi.correlations(indefinite, ["q1", "q2", "q3"], repair=how)
        assert mended.smallest == plain.smallest
        assert mended.eigenvalues[-1] > 9e-5
        assert "N-REPAIRED" in {n.code for n in mended.notes}
        assert csi.adequacy(mended).kmo is not None


def test_nearest_is_nearest():
    R = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    away = {how: np.linalg.norm(repaired(R, how) - R) for how in ("shrink", "nearest", "bend")}
    assert away["nearest"] <= min(away.values()) + 1e-9
    same = np.eye(3)
    assert repaired(same, "bend") is same


def test_correlations_say_it_all():
    found = csi.correlations(ordinal(), ["q1", "q2"])
    with pytest.raises(csi.Problems, match="goes with data"):
        csi.adequacy(found, kind="pearson")
    assert found.table.columns == ["item", "other", "r", "n"]
    assert "相关矩阵" in text(found, "zh")
    assert "Correlations of 2 items" in text(found)
