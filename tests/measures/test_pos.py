"""Prediction-oriented segmentation: what it climbs, by brute force; known segments; refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import text
from csi.errors import Problems
from csi.measures.hill import Slope, climb, distances, evaluated

MODEL = "A =~ a0 + a1\nB =~ b0 + b1\nY =~ y0 + y1\nY ~ A + B"


def two_groups(n=200, seed=5):
    rng = np.random.default_rng(seed)
    first = np.arange(n) < 0.6 * n
    a, b = rng.normal(size=(2, n))
    y = np.where(first, 0.9 * a, 0.9 * b - 0.5 * a) + 0.25 * rng.normal(size=n)
    parts = {"a": a, "b": b, "y": y}
    return pl.DataFrame({f"{k}{i}": v + 0.1 * rng.normal(size=n) for k, v in parts.items() for i in range(2)}), first


@pytest.fixture(scope="module")
def est():
    return csi.fit(MODEL, two_groups()[0], csi.PLS())


@pytest.fixture(scope="module")
def found(est):
    return csi.pos(est, 2, starts=4)


def test_the_objective_is_the_weighted_r2_of_separate_fits(found):
    frame = two_groups()[0].with_columns(segment=found.members()["segment"].cast(pl.String))
    apart = csi.fit(MODEL, frame, csi.PLS(), by=["segment"])
    share = apart.moments.cells["n"].to_numpy() / frame.height
    y = apart.solution.constructs.index("Y")
    assert found.objective == pytest.approx(share @ apart.solution.r2[:, y], abs=1e-6)
    for g, cell in enumerate(apart.moments.cells["segment"]):
        own = found.table[f"segment_{cell}"].to_list()
        assert own == pytest.approx(apart.solution.paths[g, y, [0, 1]].tolist(), abs=1e-5)


def test_no_single_move_towards_a_nearer_segment_raises_it(est, found):
    slope = Slope(est, est.sample, found.least, (2,))
    value, models = evaluated(slope, (found.labels - 1)[None], 2)
    D = distances(slope, models)
    now, best = found.labels - 1, -np.inf
    for i in np.flatnonzero(D.argmin(axis=1) != now):
        moved = now.copy()
        moved[i] = 1 - moved[i]
        best = max(best, evaluated(slope, moved[None], 2)[0][0])
    assert best <= value[0] + 1e-9


def test_distances_are_residuals_of_the_segments_own_models(est):
    slope = Slope(est, est.sample, 20, (2,))
    labels = np.arange(200) % 2
    _, models = evaluated(slope, labels[None], 2)
    rows = est.sample.rows[labels == 1]
    z = (est.sample.rows - rows.mean(axis=0)) / (rows.std(axis=0) * np.sqrt(200 / 199))  # divisor of a weighting: n - 1
    scores = z @ models.weights[1]
    e = scores[:, 2] - scores[:, :2] @ models.paths[1, 2, :2]
    assert (e[labels == 1] ** 2).mean() * 200 / 199 == pytest.approx(1 - models.r2[1, 2])
    assert distances(slope, models)[:, 1] == pytest.approx(np.abs(e) / np.sqrt(1 - models.r2[1, 2]))


def test_known_segments_are_recovered(found):
    first = two_groups()[1]
    hits = ((found.members()["segment"] == 1).to_numpy() == first).mean()
    assert hits > 0.85
    assert found.objective > 0.85 > found.one
    by = dict(found.table.select("predictor", "segment_2").rows())
    assert by["B"] > 0.6
    assert by["A"] < -0.2


def test_segments_keep_the_least_rows(est):
    made = csi.pos(est, 3, starts=2, least=45)
    assert made.sizes["n"].min() >= 45
    assert made.sizes["n"].sum() == 200
    assert made.sizes["n"].is_sorted(descending=True)


def test_the_same_seed_gives_the_same_partition(est, found):
    again = csi.pos(est, 2, starts=4)
    assert again.labels.tolist() == found.labels.tolist()


def test_targets_choose_what_is_explained():
    frame = two_groups()[0].with_columns(z0=pl.col("y0") * 0.5 + pl.col("b1"))
    est = csi.fit(MODEL + "\nZ =~ z0\nZ ~ Y", frame, csi.PLS())
    made = csi.pos(est, 2, starts=2, targets=["Z"])
    assert made.r2["outcome"].to_list() == ["Z"]
    assert made.objective == pytest.approx(made.r2["weighted"].sum())


def test_what_it_prints_in_both_languages(found):
    assert "Mean R2 of the outcomes rises" in text(found)
    assert "平均 R²" in text(found, "zh")


def codes_of(call):
    with pytest.raises(Problems) as caught:
        call()
    return [p.code for p in caught.value.problems]


def test_what_the_rows_do_not_allow_is_refused(est):
    assert codes_of(lambda: csi.pos(est, 11)) == ["E-SEGMENTS"]
    assert codes_of(lambda: csi.pos(est, 1, starts=0)) == ["E-SEGMENTS", "E-SETTING"]
    assert codes_of(lambda: csi.pos(est, 2, targets=["A"])) == ["E-SETTING"]


def test_a_beginning_whose_segment_empties_is_given_up(est):
    slope = Slope(est, est.sample, 20, (2,))
    assert climb(slope, np.zeros(200, dtype=np.int64), 2, 10) is None
