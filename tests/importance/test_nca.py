"""Necessary conditions against their definitions (base R), the numbers NCA prints, hand cases, and chance."""

from __future__ import annotations

import hashlib
import json
import os
from itertools import permutations
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.cli.nca import effect_grid
from csi.display import text
from csi.errors import Problems
from csi.importance.ceiling_draws import permuted_effects
from csi.importance.ceilings import ceiling_of, peers, permutation_p, required

REFERENCE = Path(__file__).parents[1] / "reference" / "necessary" / "ceilings.json"
DATA = os.environ.get("CSI_REFERENCE_DIR")
CONDITIONS = ["Individualism", "Risk taking"]
OUTCOME = "Innovation performance"
needs_rows = pytest.mark.skipif(not DATA, reason="row-level data: set CSI_REFERENCE_DIR")


def countries():
    path = Path(DATA) / "data" / "nca_example" / "nca_example.csv"
    assert hashlib.sha256(path.read_bytes()).hexdigest() in REFERENCE.read_text("utf-8")
    return pl.read_csv(path)


@pytest.fixture(scope="module")
def found():
    if not DATA:
        pytest.skip("row-level data: set CSI_REFERENCE_DIR")
    return csi.nca(countries(), CONDITIONS, OUTCOME, permutations=999)


def test_effect_sizes_are_those_that_nca_prints(found):
    effects = found.table.filter(ceiling="ce_fdh")["effect"].to_list()
    assert effects == pytest.approx([0.416, 0.309], abs=5e-4)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_ceilings_equal_their_definitions_computed_in_r(found, condition):
    expected = json.loads(REFERENCE.read_text("utf-8"))[condition]
    ce, cr = found.table.filter(condition=condition).iter_rows(named=True)
    close = dict(rel=1e-9, abs=1e-12)
    assert ce["n"] == expected["n"]
    assert [ce["scope"], ce["zone"], ce["effect"]] == pytest.approx(
        [expected["scope"], expected["ce_zone"], expected["ce_effect"]], **close
    )
    for name in ("zone", "effect", "accuracy", "condition_inefficiency", "outcome_inefficiency"):
        assert cr[name] == pytest.approx(expected[f"cr_{name}"], **close), name
    assert [cr["intercept"], cr["slope"]] == pytest.approx([expected["intercept"], expected["slope"]], **close)


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("kind", ["ce", "cr"])
def test_bottlenecks_equal_their_definitions_computed_in_r(found, condition, kind):
    expected = json.loads(REFERENCE.read_text("utf-8"))[condition]
    rows = found.bottleneck.filter(condition=condition, ceiling=f"{kind}_fdh")
    low = found.ceilings[condition, "ce_fdh"].scope[0]
    assert rows["outcome"].to_list() == pytest.approx(expected["levels"])
    for level, needed in zip(rows.iter_rows(named=True), expected[f"{kind}_needed"], strict=True):
        if needed <= low or level["level"] == 0:
            assert (level["status"], level["needed"], level["below"]) == ("nothing", None, 0.0)
        else:
            assert level["status"] == "needed"
            assert level["needed"] == pytest.approx(needed, rel=1e-9)
            x = countries()[condition].to_numpy()
            assert level["below"] == pytest.approx(100 * (x < needed - 1e-9).mean())


def test_a_hand_case_with_ties():
    x, y = np.array([1.0, 1, 2, 2, 4]), np.array([0.0, 1, 3, 2, 4])
    assert peers(x, y).tolist() == [[1, 1], [2, 3], [4, 4]]
    hull = ceiling_of(x, y, "ce_fdh")
    assert hull.zone == 3 * 1 + 1 * 2  # (4 - 1) over [1, 2], (4 - 3) over [2, 4]
    assert hull.effect == pytest.approx(5 / 12)
    assert (hull.condition_inefficiency, hull.outcome_inefficiency) == (0.0, 0.25)
    line = ceiling_of(x, y, "cr_fdh")
    assert (line.slope, line.intercept) == pytest.approx((13 / 14, 8 / 3 - 7 / 3 * 13 / 14))
    assert line.zone == pytest.approx(np.mean(np.clip(4 - (line.intercept + line.slope * _grid()), 0, 4)) * 3, abs=1e-6)


def _grid():
    return 1 + 3 * (np.arange(200_000) + 0.5) / 200_000


def test_a_theoretical_scope_counts_the_space_outside_the_data():
    x, y = np.array([2.0, 3, 4]), np.array([1.0, 2, 3])
    made = ceiling_of(x, y, "ce_fdh", (0.0, 4.0, 0.0, 4.0))
    assert made.zone == 2 * 4 + 1 * 3 + 1 * 2
    assert required(made, np.array([0.5, 3.0, 3.5])).tolist() == [2.0, 4.0, np.inf]


@pytest.mark.parametrize("kind", ["ce_fdh", "cr_fdh"])
def test_effects_are_drawn_as_often_as_the_orders_of_the_rows_have_them(kind):
    x, y = np.array([0.0, 1, 1, 2, 4]), np.array([0.0, 1, 3, 3, 5])
    every = [ceiling_of(x, np.array(order), kind, (0.0, 5.0, 0.0, 5.0)).effect for order in permutations(y)]
    values, counts = np.unique(np.round(every, 9), return_counts=True)
    drawn = np.round(permuted_effects(x, y, kind, 20_000, 5, (0.0, 5.0, 0.0, 5.0)), 9)
    found, times = np.unique(drawn, return_counts=True)
    assert found == pytest.approx(values, abs=1e-9)
    share = counts / counts.sum()
    assert (np.abs(times / 20_000 - share) < 4 * np.sqrt(share * (1 - share) / 20_000)).all()


def test_a_p_that_no_permutation_reached_is_a_bound_everywhere():
    rng = np.random.default_rng(2)
    x = np.repeat(np.arange(1.0, 11), 8)
    frame = pl.DataFrame({"x": x, "y": np.minimum(x + rng.integers(-8, 1, 80), x)})
    made = csi.nca(frame, "x", "y", permutations=199)
    p = made.table["p_value"][0]
    assert p == pytest.approx(1 / 200)
    assert "p ≤ 0.005" in made.sentences[0].en
    assert "≤ 0.005" in str(made).splitlines()[2]
    assert ("≤ .005" in effect_grid(made, "en").rows[0], "≤ 0.005" in effect_grid(made, "zh").rows[0]) == (True, True)


def test_the_permutation_p_nears_the_exact_one():
    x, y = np.arange(6.0), np.array([0.0, 2, 1, 3, 5, 4])
    d = ceiling_of(x, y, "ce_fdh").effect
    every = [ceiling_of(x, np.array(order), "ce_fdh").effect for order in permutations(y)]
    exact = np.mean(np.array(every) >= d - 1e-9)
    p = permutation_p(d, permuted_effects(x, y, "ce_fdh", 20_000, 1))
    assert p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))


def test_the_order_of_rows_changes_nothing():
    rng = np.random.default_rng(8)
    frame = pl.DataFrame({"x": rng.integers(1, 11, 60), "y": rng.integers(1, 11, 60)})
    first, second = (csi.nca(f, "x", "y", permutations=199) for f in (frame, frame.reverse()))
    assert first.table.equals(second.table)
    assert first.bottleneck.equals(second.bottleneck)


def test_no_p_value_without_permutations():
    frame = pl.DataFrame({"x": range(12), "y": range(12)})
    made = csi.nca(frame, "x", "y", permutations=0)
    assert made.table["p_value"].null_count() == 2
    assert "not tested" in made.sentences[0].en


def test_a_planted_condition_is_found_and_noise_is_not():
    rng = np.random.default_rng(2)
    x, noise = rng.uniform(0, 1, (2, 200))
    frame = pl.DataFrame({"x": x, "noise": noise, "y": x * rng.uniform(0, 1, 200)})
    made = csi.nca(frame, ["x", "noise"], "y", permutations=999)
    p = dict(made.table.filter(ceiling="ce_fdh").select("condition", "p_value").rows())
    assert p["x"] == 0.001
    assert p["noise"] > 0.05
    assert "consistent with a necessary condition" in made.sentences[0].en
    assert "no sign" in made.sentences[1].en


def test_what_it_prints_in_both_languages():
    frame = pl.DataFrame({"x": range(12), "y": range(12)})
    made = csi.nca(frame, "x", "y", permutations=199)
    assert "Bottleneck, ce_fdh" in text(made)
    assert "瓶颈表" in text(made, "zh")


def codes_of(call):
    with pytest.raises(Problems) as caught:
        call()
    return [p.code for p in caught.value.problems]


@pytest.mark.parametrize("name", ["x", "y"])
def test_a_constant_is_refused(name):
    frame = pl.DataFrame({"x": range(12), "y": range(12)}).with_columns(pl.lit(3.0).alias(name))
    assert codes_of(lambda: csi.nca(frame, "x", "y")) == ["E-CONSTANT"]


def test_absent_answers_leave_by_pair_and_are_counted():
    frame = pl.DataFrame({"x": [None, *range(14)], "z": range(15), "y": [*range(13), None, 99]})
    made = csi.nca(frame, ["x", "z"], "y", permutations=0, na=[99])
    assert made.table["n"].to_list() == [12, 12, 13, 13]
    left = [n.text.en for n in made.notes if n.code == "N-ROWS-LEFT"]
    assert left


def test_all_that_is_wrong_is_told_at_once():
    frame = pl.DataFrame({"x": [1.0] * 12, "few": [1.0, 2.0, *[None] * 10], "y": range(12)})
    assert codes_of(lambda: csi.nca(frame, ["x", "few"], "y")) == ["E-CONSTANT", "E-FEW"]
    assert codes_of(lambda: csi.nca(frame, "x", "y", permutations=5, seed=-1)) == ["E-SETTING", "E-SETTING"]
    assert codes_of(lambda: csi.nca(frame, "x", "x")) == ["E-TARGET"]
    with pytest.raises(csi.Problems, match='the outcome "x" is among its own conditions'):
        csi.nca(frame, ["few", "x"], "x")
    assert codes_of(lambda: csi.nca(frame, "xx", "y")) == ["E-ROLE"]
    wide = pl.DataFrame({"x": range(12), "y": range(12)})
    assert codes_of(lambda: csi.nca(wide, "x", "y", scope={"y": (0, 10)})) == ["E-SCOPE"]
