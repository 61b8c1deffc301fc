"""Mediation: against seminr and lavaan, kinds after Zhao et al., the index of moderated mediation by hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.measures.mediation import kind_of
from tests.pls.test_parity import model_case, moments_case

SAVED = json.loads((Path(__file__).parent.parent / "reference/composed/mediation.json").read_text("utf-8"))


def test_indirect_effects_agree_with_seminr() -> None:
    """Specific and total indirect effects of Image on Loyalty (ECSI, mobile data)."""
    found = csi.mediation(csi.fit(model_case("mobi", "A"), moments_case("mobi"), csi.PLS()), "Image", "Loyalty").table
    one = found.filter(chain="Image -> Satisfaction -> Loyalty")["estimate"][0]
    assert one == pytest.approx(SAVED["seminr"]["Image -> Satisfaction -> Loyalty"], abs=1e-6)
    specific = found.filter(effect="specific")["estimate"].sum()
    assert found.filter(effect="indirect")["estimate"][0] == pytest.approx(specific, abs=1e-12)
    total = found.filter(effect="total")["estimate"][0]
    assert total == pytest.approx(found.filter(effect="direct")["estimate"][0] + specific, abs=1e-12)


def data(name: str) -> pl.DataFrame:
    place = os.environ.get("CSI_REFERENCE_DIR")
    if not place:
        pytest.skip("CSI_REFERENCE_DIR is not set: this needs the rows")
    return pl.read_csv(Path(place) / f"data/{name}/{name}.csv")


@pytest.mark.parametrize(("case", "name", "x", "y"), [
    ("latent_ML", "mobi", "Image", "Loyalty"), ("tal_or_ML", "tal_or", "cond", "reaction"),
])  # fmt: skip
def test_agrees_with_lavaan(case: str, name: str, x: str, y: str) -> None:
    """Defined effects and their delta-method errors of lavaan 0.6-14, unstandardised."""
    saved: Any = SAVED[case]
    est = csi.fit(saved["syntax"], data(name), csi.SEM())
    found = csi.mediation(est, x, y, standardised=False).table
    tolerance = 1e-6 if case == "tal_or_ML" else 1e-5
    for effect, theirs in (("indirect", "indirect"), ("total", "total"), ("direct", "cp")):
        row = found.filter(effect=effect).row(0, named=True)
        assert row["estimate"] == pytest.approx(saved[theirs]["est"], abs=tolerance)
        assert row["std_error"] == pytest.approx(saved[theirs]["se"], abs=tolerance)
    assert found["kind"].drop_nulls().to_list()


@pytest.mark.parametrize(
    ("indirect", "direct", "seen", "kind"),
    [
        (0.2, 0.3, (True, True), "complementary"),
        (0.2, -0.3, (True, True), "competitive"),
        (0.2, 0.01, (True, False), "indirect-only"),
        (0.01, 0.3, (False, True), "direct-only"),
        (0.01, 0.01, (False, False), "no-effect"),
    ],
)
def test_kinds(indirect: float, direct: float, seen: tuple[bool, bool], kind: str) -> None:
    """Zhao, Lynch & Chen (2010), figure 2."""
    assert kind_of(indirect, direct, indirect_differs=seen[0], direct_differs=seen[1]) == kind


def rows(direct: float = 0.0, moderated: float = 0.0, n: int = 400, seed: int = 3) -> pl.DataFrame:
    x, w, e, u = np.random.default_rng(seed).normal(size=(4, n))
    m = 0.5 * x + 0.2 * w + moderated * x * w + e
    return pl.DataFrame({"x1": x, "w1": w, "m1": m, "y1": 0.5 * m + direct * x + u})


TEXT = "x =~ x1; m =~ m1; y =~ y1; m ~ x; y ~ m + x"


@pytest.mark.parametrize(("direct", "kind"), [(0.5, "complementary"), (-0.6, "competitive"), (0.0, "indirect-only")])
def test_kinds_of_known_populations(direct: float, kind: str) -> None:
    boot = csi.bootstrap(csi.fit(TEXT, rows(direct), csi.PLS()), 500)
    found = csi.mediation(boot)
    assert set(found.table["kind"].drop_nulls()) == {kind}
    assert kind in str(found)
    assert len(found.sentences) == 1
    assert "中介" in found.sentences[0].zh or "间接" in found.sentences[0].zh
    vaf = found.table.filter(effect="indirect")["vaf"][0]
    assert (vaf is None) == (kind == "competitive") or kind == "indirect-only"


def test_serial_chains_are_products_of_their_paths() -> None:
    """x -> m -> w -> y beside x -> m -> y and x -> w -> y."""
    frame = rows(0.3)
    text = "x =~ x1; m =~ m1; w =~ w1; y =~ y1; m ~ x; w ~ m + x; y ~ m + w + x"
    est = csi.fit(text, frame, csi.PLS())
    paths = {(r["lhs"], r["rhs"]): r["estimate"] for r in est.table.filter(op="~").iter_rows(named=True)}
    found = csi.mediation(est, "x", "y").table
    serial = found.filter(chain="x -> m -> w -> y")["estimate"][0]
    assert serial == pytest.approx(paths["m", "x"] * paths["w", "m"] * paths["y", "w"], abs=1e-12)
    assert found.filter(effect="specific").height == 3
    assert found["kind"].null_count() == found.height
    assert any(n.code == "N-NO-REPLICATES" for n in csi.mediation(est).notes)


def test_index_of_moderated_mediation_by_hand() -> None:
    """Hayes (2015), eq. 9: a3 b for a moderated first arrow; the specific effect at w is (a1 + a3 w) b."""
    text = "x =~ x1; w =~ w1; m =~ m1; y =~ y1; m ~ x + w + x:w; y ~ m + x"
    boot = csi.bootstrap(csi.fit(text, rows(moderated=0.4), csi.PLS()), 300)
    p = {(r["lhs"], r["rhs"]): r["estimate"] for r in boot.table.filter(op="~").iter_rows(named=True)}
    found = csi.mediation(boot, "x", "y")
    index = found.moderated.row(0, named=True)
    assert index["estimate"] == pytest.approx(p["m", "x:w"] * p["y", "m"], abs=1e-12)
    assert index["conf_low"] > 0
    along = found.conditional["estimate"].to_list()
    by_hand = [(p["m", "x"] + p["m", "x:w"] * w) * p["y", "m"] for w in (-1, 0, 1)]
    assert along == pytest.approx(by_hand, abs=1e-12)
    assert any("moderated mediation" in s.en for s in found.sentences)


def test_second_arrow_moderated_and_both() -> None:
    frame = rows(moderated=0.4)
    second = "x =~ x1; w =~ w1; m =~ m1; y =~ y1; m ~ x; y ~ m + w + m:w"
    est = csi.fit(second, frame, csi.PLS())
    p = {(r["lhs"], r["rhs"]): r["estimate"] for r in est.table.filter(op="~").iter_rows(named=True)}
    index = csi.mediation(est).moderated["estimate"][0]
    assert index == pytest.approx(p["m", "x"] * p["y", "m:w"], abs=1e-12)
    both = second.replace("m ~ x;", "m ~ x + w + x:w;")
    found = csi.mediation(csi.fit(both, frame, csi.PLS()), "x", "y")
    assert found.moderated.height == 0  # a curve in w has no single slope
    assert found.conditional.height == 3


def test_cells() -> None:
    frame = pl.concat([rows(seed=s).with_columns(g=pl.lit(str(s))) for s in (1, 2)])
    boot = csi.bootstrap(csi.fit(TEXT, frame, csi.PLS(), by="g"), 200)
    found = csi.mediation(boot)
    assert found.table.columns[0] == "g"
    assert found.table["g"].to_list() == ["1"] * 4 + ["2"] * 4
    assert all(s.en.startswith(("1: ", "2: ")) for s in found.sentences)


def test_a_pair_without_a_mediator_is_told_in_one_space() -> None:
    text = "x =~ x1; m =~ m1; y =~ y1; m ~ x; y ~ m"
    frame = pl.DataFrame(np.random.default_rng(5).normal(size=(50, 3)), schema=["x1", "m1", "y1"])
    with pytest.raises(Problems) as caught:
        csi.mediation(csi.fit(text, frame, csi.PLS()), "y", "x")
    assert caught.value.problems[0].say("en") == "mediation: nothing mediates y -> x. There is: x -> y."


def test_nothing_is_mediated() -> None:
    est = csi.fit("x =~ x1; y =~ y1; y ~ x", rows(), csi.PLS())
    with pytest.raises(Problems) as caught:
        csi.mediation(est)
    assert caught.value.problems[0].code == "E-MEDIATION"
    with pytest.raises(Problems) as caught:
        csi.mediation(csi.fit(TEXT, rows(), csi.PLS()), "xx")
    assert "x -> y" in caught.value.problems[0].say("en")
    assert caught.value.problems[0].say("zh")


def test_without_a_direct_path_a_mediation_is_of_no_kind() -> None:
    boot = csi.bootstrap(csi.fit("x =~ x1; m =~ m1; y =~ y1; m ~ x; y ~ m", rows(0.5), csi.PLS()), 200)
    found = csi.mediation(boot)
    assert found.table["kind"].null_count() == found.table.height
    (said,) = found.sentences
    assert "of no kind, as the direct path is not in the model." in said.en
    assert said.zh.endswith("模型未设直接路径，不判断中介类型。")
    assert "indirect-only" not in str(found)
