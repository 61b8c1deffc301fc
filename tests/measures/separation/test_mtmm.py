"""Campbell and Fiske's Table 1 counted by hand; models of it against lavaan; shares that were planted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.measures.separation.mtmm import Mtmm, mtmm

REFERENCE = json.loads((Path(__file__).parents[2] / "reference" / "mtmm.json").read_text(encoding="utf-8"))
UNITS = {t: {f"m{k}": f"{t}{k}" for k in (1, 2, 3)} for t in "ABC"}


@pytest.fixture(scope="module")
def printed() -> csi.Moments:
    return csi.Moments.of(REFERENCE["names"], REFERENCE["cor"], REFERENCE["n"])


@pytest.fixture(scope="module")
def found(printed: csi.Moments) -> Mtmm:
    return mtmm(printed, UNITS, model="cu")


def test_the_criteria_of_the_published_matrix(found: Mtmm) -> None:
    """By hand: all nine validities; 36 of 36; A and B exceed 2 of 4 in each pair of methods (12), C 2, 2, 0 (4)."""
    rows = {c: (met, of) for c, met, of, _ in found.table.rows()}
    assert rows == {"convergent": (9, 9), "heteromethod": (36, 36), "monomethod": (16, 36), "pattern": (1, 1)}
    mean = found.table.filter(criterion="convergent")["value"].item()
    assert mean == pytest.approx((0.57 + 0.57 + 0.46 + 0.56 + 0.58 + 0.45 + 0.67 + 0.66 + 0.58) / 9)
    assert "16" in found.sentences[0].zh


@pytest.mark.parametrize("model", ["ct-cm", "ct-c(m-1)", "cu"])
def test_models_agree_with_lavaan(model: str, found: Mtmm, printed: csi.Moments) -> None:
    theirs, ours = REFERENCE["models"][model], found.models.filter(model=model).row(0, named=True)
    assert ours["chi2"] == pytest.approx(theirs["chi2"], abs=1e-3)
    assert ours["df"] == theirs["df"]
    shares = mtmm(printed, UNITS, model=model).shares
    for unit, factor, share in zip(theirs["unit"], theirs["factor"], theirs["share"], strict=True):
        row = shares.filter(trait=unit[0], method=f"m{unit[1]}").row(0, named=True)
        assert row["trait_share" if factor.startswith("t") else "method_share"] == pytest.approx(share, abs=2e-3)


def test_an_improper_solution_is_told(found: Mtmm) -> None:
    codes = dict(found.models.select("model", "reason").rows())
    assert codes["ct-c(m-1)"] == "R-MTMM-IMPROPER"
    assert codes["cu"] is None
    assert "R-MTMM-IMPROPER" in found.reasons
    assert found.shares["method_share"].null_count() == 9


def test_the_matrix_is_printed_as_theirs(found: Mtmm) -> None:
    kinds = dict(found.matrix["kind"].value_counts().rows())
    assert kinds == {"reliability": 9, "validity": 9, "monomethod": 9, "heteromethod": 18}
    own = found.matrix.filter(trait="B", method="m2", other_trait="A", other_method="m2")
    assert own["value"].item() == pytest.approx(0.68)


def test_planted_shares_are_found_from_rows() -> None:
    """Units of two items: trait .5, method .2 of the variance beside the reference method."""
    rng, n = np.random.default_rng(2), 4000
    trait, method = rng.normal(size=(3, n)), rng.normal(size=(3, n))
    frame, units = {}, {}
    for i, t in enumerate("abc"):
        units[t] = {}
        for k in range(3):
            base = np.sqrt(0.5) * trait[i] + (np.sqrt(0.2) * method[k] if k else 0.0)
            left = 1 - 0.5 - (0.2 if k else 0.0)
            units[t][f"m{k}"] = [f"{t}{k}x", f"{t}{k}y"]
            for name in units[t][f"m{k}"]:
                frame[name] = base + np.sqrt(2 * left) * rng.normal(size=n)
    found = mtmm(pl.DataFrame(frame), units)
    mean = found.shares.filter(pl.col("method") != "m0").select("trait_share", "method_share").mean().row(0)
    assert mean == pytest.approx((0.5, 0.2), abs=0.04)
    assert found.models.filter(model="ct-c(m-1)")["reason"].item() is None
    assert found.matrix.filter(kind="reliability")["value"].null_count() == 0
    assert "方差占比" in csi.display.text(found, "zh")


@pytest.mark.parametrize(
    ("units", "said"),
    [
        (None, "trait -> method"),
        ({"a": {"m1": "A1", "m2": "A2"}}, "two traits"),
        ({"a": {"m1": "A1", "m2": "A2"}, "b": {"m1": "B1"}}, "not asked by"),
        ({"a": {"m1": "A1", "m2": "A1"}, "b": {"m1": "B1", "m2": "B2"}}, "two units"),
        ({"a": {"m1": "A1", "m2": "Z"}, "b": {"m1": "B1", "m2": "B2"}}, "have no Z"),
    ],
)
def test_what_is_no_matrix_is_told(units, said: str, printed: csi.Moments) -> None:
    with pytest.raises(csi.Problems, match=said):
        mtmm(printed, units)


def test_two_methods_are_few_and_constants_are_told(printed: csi.Moments) -> None:
    two = {t: {m: i for m, i in of.items() if m != "m3"} for t, of in UNITS.items()}
    found = mtmm(printed, two)
    assert "N-MTMM-FEW" in {n.code for n in found.notes}
    assert found.models.filter(model="ct-cm")["reason"].item() is not None
    flat = pl.DataFrame({i: np.arange(40.0) % (k + 2) for k, i in enumerate(REFERENCE["names"])}).with_columns(
        A1=pl.lit(1.0)
    )
    with pytest.raises(csi.Problems, match="A1"):
        mtmm(flat, UNITS)
    with pytest.raises(csi.Problems, match="reference"):
        mtmm(printed, UNITS, reference="m9")
