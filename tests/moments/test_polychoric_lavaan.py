"""Ordinal and mixed moments against R lavaan and psych (numbers only)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from csi.moments.ordinal import OrdinalMoments, ordinal_moments

NUMBERS = json.loads((Path(__file__).parents[1] / "reference/ordinal/moments.json").read_text(encoding="utf-8"))
SHARED = os.environ.get("CSI_REFERENCE_DIR")
needs_rows = pytest.mark.skipif(SHARED is None, reason="row-level data: set CSI_REFERENCE_DIR")
FOUR = ["A1", "A2", "C1", "C2"]


def made() -> tuple[np.ndarray, np.ndarray]:
    """The 120 rows of moments.R, and the same with holes."""
    i = np.arange(120)
    a = (i * 37) % 120
    b = (a * 2 + (i * 53) % 120) // 3
    c = (240 - a + (i * 71) % 120 + b) // 4
    x = np.searchsorted([20, 55, 90], a, side="right")
    y = np.searchsorted([50, 75], b, side="right")
    rows = np.stack([x, y, np.sqrt(c), (a + 2 * b) % 67 / 10], axis=1).astype(float)
    holes = rows.copy()
    for column, (period, rest) in enumerate([(11, 3), (13, 5), (7, 2), (17, 4)]):
        holes[i % period == rest, column] = np.nan
    return rows, holes


def reference(file: str) -> dict:
    return json.loads((Path(SHARED or "") / "reference" / file).read_text(encoding="utf-8"))


def bfi(names: list[str]) -> np.ndarray:
    frame = pl.read_csv(Path(SHARED or "") / "data/bfi/bfi.csv", null_values=["NA", ""])
    return frame.select(names).to_numpy().astype(float)


def assert_agrees(moments: OrdinalMoments, case: str, vector: float = 1e-6, gamma: float = 1e-5) -> None:
    """The vector in absolute terms; gamma in units of the standard deviations of its two moments."""
    expected = NUMBERS[case]
    assert moments.n == expected["n"]
    assert list(moments.vector_names) == expected["names"]
    np.testing.assert_allclose(moments.vector, expected["vector"], atol=vector)
    size = len(expected["names"])
    i, j = np.triu_indices(size)  # R stacks the lower triangle by column: the upper one by row
    theirs = np.array(expected["gamma_vech"])
    sd = np.sqrt(theirs[i == j])
    np.testing.assert_allclose(moments.gamma[i, j] / (sd[i] * sd[j]), theirs / (sd[i] * sd[j]), atol=gamma)


def test_made_mixed_items_have_lavaans_moments_and_gamma():
    rows, _ = made()
    assert_agrees(ordinal_moments(rows, np.ones(120), list("xyuv"), [True, True, False, False]), "made")


def test_made_pairwise():
    _, holes = made()
    moments = ordinal_moments(holes, np.ones(120), list("xyuv"), [True, True, False, False], "pairwise")
    assert_agrees(moments, "made_pairwise")
    assert moments.pair_n[0, 1] == 100


def test_made_weighted_on_any_scale():
    rows, _ = made()
    weights = 7 * (np.arange(120) % 4 + 1.0)
    assert_agrees(ordinal_moments(rows, weights, list("xyuv"), [True, True, False, False]), "made_weighted")


def test_an_empty_cell_of_a_two_by_two_table_gets_half_with_margins_kept_and_is_noted():
    x, y = np.repeat([0, 1, 1], [10, 5, 10]), np.repeat([0, 0, 1], [10, 5, 10])
    rows = np.stack([x, y, np.resize([0, 1], 25)], axis=1).astype(float)
    moments = ordinal_moments(rows, np.ones(25), list("xyz"), [True] * 3)
    assert_agrees(moments, "made_two_by_two_with_an_empty_cell")
    assert [n.code for n in moments.notes] == ["N-ORDINAL-EMPTY", "N-ORDINAL-FILLED"]
    assert "x-y" in moments.notes[1].say("en")


@needs_rows
@pytest.mark.parametrize(
    ("case", "ordered", "missing"),
    [
        ("bfi_ordinal", [True] * 4, "listwise"),
        ("bfi_ordinal_pairwise", [True] * 4, "pairwise"),
        ("bfi_mixed", [False, True, False, True], "listwise"),
        ("bfi_mixed_pairwise", [False, True, False, True], "pairwise"),
    ],
)
def test_four_items_of_bfi(case, ordered, missing):
    rows = bfi(FOUR)
    assert_agrees(ordinal_moments(rows, np.ones(len(rows)), FOUR, ordered, missing), case)


@needs_rows
def test_weighted_items_of_bfi():
    rows = bfi(FOUR)
    weights = ((np.arange(1, len(rows) + 1) * 7) % 5 + 1) / 2
    assert_agrees(ordinal_moments(rows, weights, FOUR, [True] * 4), "bfi_ordinal_weighted", gamma=1e-9)


@needs_rows
def test_all_of_bfi_listwise():
    record = reference("ordinal_bfi.json")
    names = list(record["polychoric"]["rows"])
    rows = bfi(names)
    moments = ordinal_moments(rows, np.ones(len(rows)), names, [True] * 25)
    assert moments.n == record["n_listwise"]
    np.testing.assert_allclose(moments.cov, record["polychoric"]["values"], atol=1e-6)
    np.testing.assert_allclose(moments.cov, record["WLSMV"]["sampstat"]["cov"]["values"], atol=1e-6)
    np.testing.assert_allclose(moments.thresholds, list(record["thresholds"].values()), atol=1e-12)
    assert list(moments.vector_names[:125]) == list(record["thresholds"])
    expected = NUMBERS["bfi_25"]
    assert list(moments.vector_names) == expected["names"]
    np.testing.assert_allclose(np.diag(moments.gamma), expected["gamma_diagonal"], rtol=1e-6)


@needs_rows
def test_all_of_bfi_pairwise():
    sample = reference("ordinal_bfi.json")["pairwise_WLSMV"]["sampstat"]
    names = list(sample["cov"]["rows"])
    rows = bfi(names)
    moments = ordinal_moments(rows, np.ones(len(rows)), names, [True] * 25, "pairwise", gamma=False)
    assert moments.gamma is None
    np.testing.assert_allclose(moments.cov, sample["cov"]["values"], atol=1e-6)
    np.testing.assert_allclose(moments.thresholds, list(sample["th"].values()), atol=1e-12)


@needs_rows
def test_polychoric_matrices_of_other_programs():
    record = reference("polychoric_bfi.json")
    names = list(record["lavaan_two_step_complete"]["rho"]["rows"])
    rows = bfi(names)
    complete = ordinal_moments(rows, np.ones(len(rows)), names, [True] * 25, gamma=False)
    np.testing.assert_allclose(complete.cov, record["lavaan_two_step_complete"]["rho"]["values"], atol=1e-6)
    # psych maximises by golden section to about 1e-4
    np.testing.assert_allclose(complete.cov, record["psych_complete_correct0"]["rho"]["values"], atol=2e-4)
    pairwise = ordinal_moments(rows, np.ones(len(rows)), names, [True] * 25, "pairwise", gamma=False)
    np.testing.assert_allclose(
        pairwise.thresholds.reshape(25, 5), record["psych_pairwise_correct05"]["tau"]["values"], atol=1e-10
    )


@needs_rows
def test_datcat_as_one_group_and_by_group():
    record = reference("ordinal_datcat.json")
    frame = pl.read_csv(Path(SHARED or "") / "data/semtools/datCat.csv")
    items = [f"u{number}" for number in range(1, 9)]
    groups = record["configural"]["sampstat"]
    for label, sample in [(None, record["one_group"]["sampstat"]), *groups.items()]:
        part = frame if label is None else frame.filter(pl.col("g").cast(pl.String) == label)
        names = list(sample["cov"]["rows"])
        assert names == items[: len(names)]
        moments = ordinal_moments(part.select(names).to_numpy().astype(float), np.ones(part.height), names, [True] * 8)
        np.testing.assert_allclose(moments.cov, sample["cov"]["values"], atol=2e-6)
        np.testing.assert_allclose(moments.thresholds, list(sample["th"].values()), atol=1e-12)
