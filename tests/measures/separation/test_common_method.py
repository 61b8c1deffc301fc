"""Models of method variance against lavaan; method variance that was planted; markers that cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.measures.separation.common_checks import partialled
from csi.measures.separation.common_method import CommonMethod, common_method

REFERENCE = Path(__file__).parents[2] / "reference"
PRINTED = json.loads((REFERENCE / "method.json").read_text(encoding="utf-8"))["models"]
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
TEXT = "a =~ a1 + a2 + a3 + a4; b =~ b1 + b2 + b3 + b4; c =~ c1 + c2 + c3 + c4"


@pytest.fixture(scope="module")
def holzinger() -> pl.DataFrame:
    m = json.loads((REFERENCE / "holzinger" / "moments.json").read_text(encoding="utf-8"))
    given = csi.Moments.of(m["names"], m["cov"], m["n"])
    plain, marked = common_method(THREE, given).models, common_method(THREE, given, marker="speed").models
    return pl.concat([plain, marked.filter(pl.col("model").str.starts_with("marker"))])


@pytest.mark.parametrize("name", [n for n in PRINTED if n != "marker_restricted"])
def test_models_agree_with_lavaan(name: str, holzinger: pl.DataFrame) -> None:
    ours = holzinger.filter(model=name).row(0, named=True)
    assert ours["chi2"] == pytest.approx(PRINTED[name]["chi2"], abs=1e-4)
    assert ours["df"] == PRINTED[name]["df"]
    assert ours["cfi"] == pytest.approx(PRINTED[name]["cfi"], abs=1e-5)


def test_partial_correlations_by_hand() -> None:
    """(.30 - .10) / .90 = .2222, t(97) = .2222 sqrt(97 / (1 - .0494)) = 2.2446."""
    adjusted, before, after = partialled(np.array([0.30]), 0.10, 100)
    assert adjusted[0] == pytest.approx(0.222222, abs=1e-6)
    assert before[0] == pytest.approx(0.0024257, abs=1e-6)
    assert after[0] == pytest.approx(0.027055, abs=1e-5)


def answers(method: float, near: float = 0.0, n: int = 600) -> pl.DataFrame:
    """Three unrelated constructs whose items share `method` of their way of asking; a marker that shares it as well."""
    rng = np.random.default_rng(7)
    way = rng.normal(size=n)
    f = {c: rng.normal(size=n) for c in "abc"}
    made = {
        f"{c}{i}": own * f[c] + method * way + 0.6 * rng.normal(size=n)
        for c in "abc"
        for i, own in ((1, 0.4), (2, 0.8), (3, 1.2), (4, 1.6))
    }
    mark = rng.normal(size=n) + near * f["a"]
    made |= {f"m{i}": mark + method * way + 0.6 * rng.normal(size=n) for i in (1, 2, 3)}
    return pl.DataFrame(made)


@pytest.fixture(scope="module")
def planted() -> CommonMethod:
    return common_method(TEXT, answers(0.9), marker=["m1", "m2", "m3"])


def test_planted_method_variance_is_found(planted: CommonMethod) -> None:
    verdict = dict(planted.table.select("check", "verdict").rows())
    assert verdict["method_equal"] == "raised"
    share = planted.table.filter(check="method_equal")["value"].item()
    assert share == pytest.approx(np.mean([0.81 / (own**2 + 1.17) for own in (0.4, 0.8, 1.2, 1.6)]), abs=0.06)
    assert verdict["marker_partial"] == "raised"
    assert verdict["marker_equal"] in ("raised", "doubtful")
    assert planted.correlations["adjusted"].abs().max() < planted.correlations["correlation"].abs().min()
    assert "有迹象" in csi.display.text(planted, "zh")


def test_loadings_shrink_under_a_method_factor(planted: CommonMethod) -> None:
    table = planted.loadings
    assert table.columns[:3] == ["item", "construct", "loading"]
    assert (table["loading_method_equal"] < table["loading"]).all()


def test_without_method_variance_nothing_is_raised() -> None:
    found = common_method(TEXT, answers(0.0))
    assert "raised" not in set(found.table["verdict"].drop_nulls())
    assert set(found.table.filter(pl.col("check").str.starts_with("marker"))["reason"]) == {"R-NO-MARKER"}
    assert found.table.filter(check="harman")["verdict"].item() == "not raised"
    assert "N-HARMAN" in {n.code for n in found.notes}
    assert (found.collinearity["vif"] < 1.2).all()


def test_a_marker_that_is_not_unrelated_is_told() -> None:
    found = common_method(TEXT, answers(0.0, near=0.8), marker=["m1", "m2", "m3"])
    said = next(n for n in found.notes if n.code == "W-MARKER")
    assert "a 0." in said.text.en
    assert "并非无关" in said.text.zh


def test_a_marker_of_one_item_has_partial_correlations_alone() -> None:
    table = common_method(TEXT, answers(0.5), marker="m1").table
    assert table.filter(check="marker_partial")["verdict"].item() is not None
    assert table.filter(check="marker_equal")["reason"].item() == "R-MARKER-ITEMS"


def test_estimates_and_constructs_of_one_item() -> None:
    frame = answers(0.5)
    sem = common_method(csi.fit(TEXT, frame, csi.SEM()))
    plain = common_method(TEXT, frame)
    assert sem.models["chi2"].to_list() == pytest.approx(plain.models["chi2"].to_list(), rel=1e-6)
    pls = common_method(csi.fit(TEXT + "; b ~ a; c ~ a + b", frame, csi.PLS()))
    assert pls.collinearity["vif"].to_list() == pytest.approx(plain.collinearity["vif"].to_list(), abs=0.05)
    few = common_method("a =~ a1; b =~ b1; c =~ c1 + c2", frame)
    assert few.models.height == 0
    assert set(few.table.filter(check="method_equal")["reason"]) == {"R-ONE-FACTOR"}


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda f: common_method(TEXT, f, marker=["a1", "m1"]), "a1 belongs to a construct"),
        (lambda f: common_method(TEXT, f, marker=3), "items or the name"),
        (lambda f: common_method(TEXT, f, marker=["m9"]), "m9"),
        (lambda f: common_method(csi.fit(TEXT, f, csi.SEM()), marker=["m1"]), "no answers to items"),
        (
            lambda f: common_method(csi.fit(TEXT, f.with_columns(g=pl.Series(["x", "y"] * 300)), csi.SEM(), by=["g"])),
            "one cell",
        ),
        (lambda f: common_method("a =~ a1 + a2 + a3", f), "two constructs"),
        (lambda f: common_method(TEXT), "needs answers"),
        (lambda f: common_method(TEXT, f.with_columns(a1=pl.lit(2.0))), "a1"),
    ],
)
def test_what_cannot_be_checked_is_told(ask, said: str) -> None:
    with pytest.raises(csi.Problems, match=said):
        ask(answers(0.5))
