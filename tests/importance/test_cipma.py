"""The combined map: its parts are those of drivers and nca; the bottleneck by hand; how it shows."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import html, text
from csi.errors import Problems
from csi.importance.robust import scores

MODEL = "price =~ p0 + p1\nuse =~ u0 + u1 + u2\njoy =~ j0 + j1 + j2\njoy ~ use + price"


def frame_of(n=250):
    rng = np.random.default_rng(4)
    use, price = rng.uniform(1, 10, (2, n))
    joy = 1 + (use - 1) * rng.beta(3, 1.5, n)  # no more joy than use: use is necessary
    parts = {f"p{i}": price for i in range(2)} | {f"u{i}": use for i in range(3)} | {f"j{i}": joy for i in range(3)}
    return pl.DataFrame({k: np.clip(np.round(v + 0.3 * rng.normal(size=n)), 1, 10) for k, v in parts.items()})


@pytest.fixture(scope="module")
def est():
    return csi.fit(MODEL, frame_of(), csi.PLS(), scale=(1, 10))


@pytest.fixture(scope="module")
def found(est):
    return csi.cipma(est, "joy", 80, permutations=999)


def test_importance_and_performance_are_those_of_the_map(est, found):
    known = csi.drivers(est, "joy").table
    for name in ("construct", "importance", "performance", "quadrant"):
        assert found.table[name].to_list() == known[name].to_list()


def test_the_level_needed_is_the_least_score_of_those_who_reach_it(est, found):
    points = scores(est)
    names = list(est.solution.constructs)
    joy, use = points[:, names.index("joy")], points[:, names.index("use")]
    needed = use[joy >= 80].min()
    row = found.table.row(by_predicate=pl.col("construct") == "use", named=True)
    assert row["needed"] == pytest.approx(needed)
    assert row["below"] == pytest.approx(100 * (use < needed).mean())
    assert row["necessary"] is True
    assert f"{needed:.1f}" in found.sentences[0].en


def test_a_driver_without_a_corner_is_not_necessary(found):
    row = found.table.row(by_predicate=pl.col("construct") == "price", named=True)
    assert row["necessary"] is False
    assert all("price" not in s.en for s in found.sentences)


def test_a_level_beyond_the_data_is_out_of_reach():
    est = csi.fit(MODEL, frame_of().with_columns(pl.col("^j.$").clip(1, 7)), csi.PLS(), scale=(1, 10))
    made = csi.cipma(est, "joy", 95, permutations=99)
    assert set(made.table["status"]) == {"out of reach"}
    assert made.table["needed"].null_count() == 2


def test_it_shows_as_text_and_as_a_map(found):
    assert "优先" in text(found, "zh") or "保持" in text(found, "zh")
    page = html(found, "zh")
    dots = re.findall(r'<circle[^>]*fill="([^"]+)"[^>]*', page), re.findall(r'<circle[^>]* r="([\d.]+)"', page)
    assert [len(d) for d in dots] == [2, 2]
    assert len(set(dots[0])) == 2  # one hollow, one filled
    assert max(map(float, dots[1])) > 5


def test_scores_without_bounds_and_a_strange_level_are_refused(est):
    bare = csi.fit(MODEL, frame_of(), csi.PLS())
    with pytest.raises(Problems) as caught:
        csi.cipma(bare, "joy")
    assert caught.value.problems[0].code == "E-SCALE"
    with pytest.raises(Problems) as caught:
        csi.cipma(est, "joy", 850)
    assert caught.value.problems[0].code == "E-SETTING"


def test_an_estimate_without_bounds_gives_standardised_conditions():
    bare = csi.fit(MODEL, frame_of(), csi.PLS())
    made = csi.nca(bare, y="joy", permutations=0)
    assert made.units == "standardised"
    assert made.conditions == ("price", "use")
    assert "N-NCA-STANDARD" in [n.code for n in made.notes]


def test_several_cells_are_refused():
    two = pl.concat([frame_of().with_columns(brand=pl.lit(b)) for b in ("A", "B")])
    est = csi.fit(MODEL, two, csi.PLS(), by=["brand"], scale=(1, 10))
    with pytest.raises(Problems) as caught:
        csi.nca(est, y="joy")
    assert caught.value.problems[0].code == "E-CELLS"
