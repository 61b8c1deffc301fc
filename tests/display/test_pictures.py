"""Every result draws itself in a notebook, on a dark page too, and hands its tables on in every form."""

from __future__ import annotations

import importlib
import inspect
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import Shown
from csi.errors import Text
from csi.reporting import style
from csi.reporting.pictured_answers import pictures
from csi.survey.codebook import Codebook, Item, Scale

MODEL = "a =~ a1+a2+a3\nb =~ b1+b2+b3\nc =~ c1+c2+c3\nb ~ a\nc ~ a+b"
DATA = {"Events", "Panel", "Simulation", "Streamed", "Weighted"}
"""What holds data, not results."""
DRAWN = {
    "estimate": "paths", "cells": "paths", "model": "model", "effects": "estimates", "validity": "htmt",
    "reliability": "estimates", "drivers": "map", "key_drivers": "shares", "whatif": "changes", "cipma": "map",
    "mediation": "estimates", "residuals": "residuals", "index": "trend", "league": "league", "track": "trend",
    "control": "control", "items": "items", "efa": "loadings", "n_factors": "scree", "irt": "information",
    "ipa": "map", "gap": "gaps", "tolerance": "gaps", "surface": "surface", "kano": "kano_map",
    "loyalty_curve": "curve", "loyalty_types": "types",
}  # fmt: skip
"""The first picture of each."""


def answers(n: int) -> pl.DataFrame:
    rng = np.random.default_rng(3)
    f = rng.normal(size=n)
    g = 0.6 * f + rng.normal(size=n) * 0.8
    h = 0.5 * g + 0.3 * f + rng.normal(size=n) * 0.7
    items = {
        f"{c}{i}": np.clip(np.round(6 + 1.4 * v + rng.normal(size=n)), 1, 10)
        for c, v in (("a", f), ("b", g), ("c", h))
        for i in (1, 2, 3)
    }
    where = {"brand": np.array(["<b>A</b>", "西南地区融合通信公司"])[np.arange(n) % 2]}
    return pl.DataFrame({**items, **where, "wave": np.array(["2026Q1", "2026Q2"])[(np.arange(n) // 2) % 2]})


def asked(n: int = 90) -> csi.Panel:
    """Expectations, experience and Kano's pairs of two attributes."""
    rng = np.random.default_rng(8)
    ten, five, said = Scale("ten", 1, 10), Scale("five", 1, 5), Text("X", "X")
    items = [Item(f"{f}{a}", f"d{a}", ten, said, f"a{a}", f) for a in (1, 2) for f in ("Ew", "Ea", "Ed", "P")]
    items += [Item(f"{f}{a}", "features", five, said, f"k{a}", f) for a in (1, 2) for f in ("Kf", "Kd")]
    items += [Item(c, c, ten, said) for c in ("loyalty", "satisfaction", "repurchase")]
    given = {i.name: rng.integers(1, i.scale.maximum + 1, n).astype(float) for i in items}
    for a in (1, 2):
        given[f"Ea{a}"], given[f"Ed{a}"] = np.full(n, 4.0), np.full(n, 8.0)
    blank = pl.DataFrame({i.name: pl.Series([None] * n, dtype=pl.String) for i in items})
    return csi.Panel(pl.DataFrame(given), Codebook(tuple(items), {}, {}), blank)


@pytest.fixture(scope="module")
def results() -> dict[str, Shown]:
    frame, panel = answers(160), asked()
    est = csi.bootstrap(csi.fit(MODEL, frame, csi.PLS(), scale=(1, 10)), 100)
    cells = csi.bootstrap(csi.fit(MODEL, frame, csi.PLS(), by=["brand", "wave"], scale=(1, 10)), 100)
    sem, index = csi.fit(MODEL, frame, csi.SEM()), csi.index(cells)
    nine = frame.select(pl.exclude("brand", "wave"))
    scales = {c: [f"{c}{i}" for i in (1, 2, 3)] for c in "abc"}
    return {
        "estimate": est, "cells": cells, "model": est.model, "effects": csi.effects(est),
        "validity": csi.validity(est), "reliability": csi.reliability(est), "drivers": csi.drivers(est, "c"),
        "key_drivers": csi.key_drivers(est, "c", replicates=100), "whatif": csi.whatif(est, {"a": 5.0}, "c"),
        "cipma": csi.cipma(est, "c"), "mediation": csi.mediation(est), "residuals": csi.residuals(sem),
        "index": index, "league": csi.pairwise(index, wave="2026Q2", construct="c"), "track": csi.track(index, "c"),
        "control": csi.control(index, "c"), "items": csi.items(nine, scales), "efa": csi.efa(nine, 2, items=scales),
        "n_factors": csi.n_factors(nine, scales, resamples=100), "irt": csi.irt(nine, {"a": scales["a"]}),
        "ipa": csi.ipa(nine, ["a1", "a2", "b1"], outcome="c1", replicates=100), "gap": csi.gap(panel),
        "tolerance": csi.tolerance(panel), "surface": csi.surface(panel, of="a1", outcome="loyalty", replicates=100),
        "kano": csi.kano(panel, replicates=100), "loyalty_curve": csi.loyalty_curve(panel),
        "loyalty_types": csi.loyalty_types(panel),
    }  # fmt: skip


def test_every_result_draws_itself_alike_twice_and_on_a_dark_page(results: dict[str, Shown]) -> None:
    assert set(results) == set(DRAWN)
    assert results["estimate"]._repr_html_() == results["estimate"]._repr_html_()
    for name, found in results.items():
        shown = found._repr_html_() or ""
        assert f"background:{style.PAPER}" in shown, name
        assert "only light" in shown, name
        assert not re.search(r"<style|<script|<link| id=| class=|var\(|currentColor", shown), name
        assert "<b>A</b>" not in shown, name
        drawn = re.search(r"<svg.*?</svg>", shown, re.DOTALL)
        assert drawn is not None, name
        root = ET.fromstring(drawn[0])  # noqa: S314 - our own drawing
        assert root.attrib["aria-label"], name
        paper = root[0].attrib
        assert (paper["width"], paper["height"], paper["fill"]) == ("100%", "100%", style.PAPER), name
        inked = [n for n in root.iter() if n.tag.endswith(("text", "rect", "circle", "polygon"))]
        assert all({"fill", "fill-opacity"} & set(n.attrib) for n in inked), name
        for cell in re.findall(r"<t[dh] style=\"([^\"]*)\"", shown):
            assert f"color:{style.INK}" in cell, name


def test_every_picture_has_its_name_and_its_finding(results: dict[str, Shown]) -> None:
    for name, found in results.items():
        assert [f.name for f in pictures(found)][:1] == [DRAWN[name]], name
        assert 'lang="zh-CN"' in found.to_svg(DRAWN[name], "zh"), name
    assert "a1" in results["estimate"].to_svg("full")
    with pytest.raises(csi.Problems, match="no picture") as caught:
        results["estimate"].to_svg("pie")
    assert "full" in str(caught.value)
    with pytest.raises(csi.Problems, match="has no picture"):
        csi.power_icc(2, icc=0.8, power=0.8).to_svg()


def test_every_result_hands_on_its_tables(results: dict[str, Shown], tmp_path: Path) -> None:
    for name, found in results.items():
        frame = found.to_polars()
        assert found.to_pandas().shape == frame.shape, name
        assert re.search(r"\\begin\{(tabular|longtable)", found.to_latex()), name
    for name in ("estimate", "kano"):
        assert results[name].to_excel(tmp_path / f"{name}.xlsx").stat().st_size > 2000


def test_every_public_result_knows_how_to_show_itself() -> None:
    """What public functions return shows itself and hands on its tables, but for data and plain frames."""
    returned = {}
    for name in csi.__all__:
        one = getattr(csi, name)
        if not inspect.isclass(one) and callable(one):
            said = str(inspect.signature(one).return_annotation).split(" | ")[0]
            kind = getattr(importlib.import_module(one.__module__), said, None)
            if inspect.isclass(kind) and kind.__name__ not in DATA:
                returned[name] = kind
    assert len(returned) > 100
    assert [n for n, kind in returned.items() if not issubclass(kind, Shown)] == []
