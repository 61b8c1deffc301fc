"""The index on fitted stacks: weight rules, anchoring, joint replicates, what cannot be computed."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.inference.jackknife import jackknife
from csi.inference.means import bootstrap_means
from csi.inference.uncertainty import uncertainty
from csi.models.model import Construct, Model, Path, Term
from csi.pls.estimator import PLS
from csi.tracking.index import index
from csi.tracking.index_table import _rule_words

SCALE = (1, 10)
CELLS = ["brand", "wave"]


@pytest.fixture(scope="module")
def frame(survey):
    return survey()


@pytest.fixture(scope="module")
def est(model, frame):
    return fit(model, frame, PLS(), by=CELLS, scale=SCALE, weight="weight", unit="id")


@pytest.fixture(scope="module")
def boot(est):
    return bootstrap(est, n=200, seed=3)


def weights_of(model, frame):
    """Relative weights of one cell, from its own fit."""
    one = fit(model, frame, PLS(), scale=SCALE, weight="weight")
    raw = one.solution.weights[0] / one.moments.sd[0]
    return np.concatenate([part / part.sum() for part in (raw[:3], raw[3:])])


def by_hand(frame, a):
    """(Use, Joy) from weighted means and relative weights."""
    w = frame["weight"].to_numpy()
    x = frame.select("use1", "use2", "use3", "joy1", "joy2").to_numpy()
    y = (100 * ((w @ x) / w.sum() - 1) / 9) * a
    return [y[:3].sum(), y[3:].sum()]


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ("own", (pl.col("brand") == "B") & (pl.col("wave") == "w2")),
        ("entity", pl.col("brand") == "B"),
        ("wave", pl.col("wave") == "w2"),
        ("base", pl.col("wave") == "w1"),
        ("pooled", pl.lit(value=True)),
    ],
)
def test_rule_names_the_rows_that_estimate_the_weights(model, frame, est, rule, part):
    made = index(est, weights=rule)
    cell = frame.filter((pl.col("brand") == "B") & (pl.col("wave") == "w2"))
    np.testing.assert_allclose(made.values[4], by_hand(cell, weights_of(model, frame.filter(part))), rtol=1e-5)


def test_default_is_the_first_wave_and_says_so(est):
    made = index(est)
    assert (made.rule, made.base) == ("base", "w1")
    assert made.weights["wave"].unique().to_list() == ["w1"]
    assert "wave w1" in made.notes[0].say("en")
    assert "w1" in made.notes[0].say("zh")


def test_anchoring_freezes_the_unstandardised_weights(model, frame, est):
    # a tenth of the spread in wave 2 makes its own w = w~ / s ten times larger; anchored weights stay as they were
    later = pl.col("wave") == "w2"
    squeezed = frame.with_columns(pl.when(later).then(pl.col("joy2") * 0.1 + 5).otherwise("joy2").alias("joy2"))
    again = fit(model, squeezed, PLS(), by=CELLS, scale=SCALE, weight="weight", unit="id")
    anchored, moved = index(est, weights="base"), index(again, weights="base")
    np.testing.assert_allclose(moved.weights["weight"], anchored.weights["weight"], rtol=1e-12)
    own = index(again, weights="own").weights.filter((pl.col("wave") == "w2") & (pl.col("item") == "joy2"))
    before = index(est, weights="own").weights.filter((pl.col("wave") == "w2") & (pl.col("item") == "joy2"))
    odds, odds_before = (a / (1 - a) for a in (own["weight"].to_numpy(), before["weight"].to_numpy()))
    np.testing.assert_allclose(odds, 10 * odds_before, rtol=1e-6)


def test_base_wave_can_be_chosen(est):
    made = index(est, base="w3")
    assert (made.rule, made.base) == ("base", "w3")
    assert index(est, base="w1").values[0, 1] != made.values[0, 1]


def test_weights_sum_to_one(est):
    total = index(est, weights="own").weights.group_by([*CELLS, "construct"]).agg(pl.col("weight").sum())
    np.testing.assert_allclose(total["weight"], 1.0, rtol=1e-12)


def test_given_weights_are_scaled_and_have_no_error(boot):
    made = index(boot, given={"Joy": {"joy1": 3, "joy2": 1}})
    x = 100 * (boot.moments.mean[:, 3:] - 1) / 9
    np.testing.assert_allclose(made.values[:, 1], x @ [0.75, 0.25], rtol=1e-12)
    assert made.rule == "given"
    assert made.table.filter(pl.col("construct") == "Use")["reason"].str.contains("no weights").all()
    joy = made.table.filter(pl.col("construct") == "Joy")
    ratio = (joy["std_error"] / joy["std_error_fixed"]).to_numpy()
    assert np.all((ratio > 0.8) & (ratio < 1.2))


def test_coarser_cells_pool_the_rows(model, frame, boot):
    made = index(boot, by=["wave"], weights="own")
    assert made.cells.columns == ["wave", "n"]
    part = frame.filter(pl.col("wave") == "w3")
    np.testing.assert_allclose(made.values[2], by_hand(part, weights_of(model, part)), rtol=1e-5)
    assert made.replicates.shape == (200, 3, 2)


def test_one_resampling_plan_for_cells_and_groups(model, frame):
    # with one brand, the group of a wave is the cell itself: every replicate must agree to the bit
    one = fit(model, frame.filter(pl.col("brand") == "A"), PLS(), by=["brand", "wave"], scale=SCALE, unit="id")
    boot = bootstrap(one, n=200, seed=5)
    own, wave = index(boot, weights="own"), index(boot, weights="wave")
    np.testing.assert_allclose(own.replicates, wave.replicates, rtol=1e-9)


def test_base_cell_varies_with_its_own_weights(boot):
    # the base wave of brand A helps to estimate the weights: its replicate correlates with them
    made = index(boot)
    a = made.replicates[:, 0, 1]
    assert made.replicates.shape == (200, 6, 2)
    assert np.isfinite(a).all()
    assert made.table["std_error"].null_count() == 0


def test_intervals_cover_the_value_and_use_the_level(boot):
    wide, narrow = index(boot, level=0.99).table, index(boot, level=0.90).table
    assert (wide["conf_low"] < narrow["conf_low"]).all()
    assert (narrow["conf_low"] < narrow["index"]).all()
    assert (narrow["index"] < narrow["conf_high"]).all()
    percent = index(boot, level=0.90, interval="percentile")
    expected = np.quantile(percent.replicates[:, 0, 0], 0.05)
    assert percent.table["conf_low"][0] == pytest.approx(expected)


def test_without_replicates_the_fixed_error_stands_in(est):
    made = index(est, std_error="fixed")
    assert made.table["std_error"].null_count() == made.table.height
    assert made.table["conf_low"].null_count() == 0
    assert "N-FIXED-WEIGHTS" in [n.code for n in made.notes]


def test_negative_weight_names_the_item_and_gives_no_index(model, frame):
    turned = frame.with_columns(
        pl.when(pl.col("wave") == "w2").then(11 - pl.col("use3")).otherwise("use3").alias("use3")
    )
    boot = bootstrap(fit(model, turned, PLS(), by=CELLS, scale=SCALE), n=100, seed=1)
    table = index(boot, weights="own").table
    broken = table.filter((pl.col("wave") == "w2") & (pl.col("construct") == "Use"))
    assert broken["index"].null_count() == broken["std_error"].null_count() == broken["conf_low"].null_count() == 2
    assert broken["std_error_fixed"].null_count() == 2
    assert all("use3" in r for r in broken["reason"])
    assert all("use3" in r for r in broken["reason_zh"])
    rest = table.filter((pl.col("wave") != "w2") | (pl.col("construct") != "Use"))
    assert rest["index"].null_count() == rest["reason"].count() == 0


def test_negative_replicates_are_kept_and_counted(survey):
    weak = survey(n=25, waves=("w1",), brands=("A",), seed=2)
    rng = np.random.default_rng(1)
    weak = weak.with_columns(pl.Series("use3", np.clip(np.round(0.08 * weak["use1"] + rng.normal(5, 2, 25)), 1, 10)))
    boot = bootstrap(fit(_model(), weak, PLS(), scale=SCALE), n=300, seed=1)
    made = index(boot)
    said = [n.say() for n in made.notes if n.code == "N-NEGATIVE-REPLICATES"]
    raw = boot.replicates.solution.weights[:, :3]
    count = int((raw <= 0).any(axis=1).sum())
    assert count > 0
    assert said
    assert said[0].startswith(f"Use: {count} of 300 replicates")
    assert np.isfinite(made.replicates[:, 0, 0]).all()


def _model():
    use = Construct("Use", "=~", tuple(Term(f"use{i}") for i in (1, 2, 3)))
    joy = Construct("Joy", "=~", tuple(Term(f"joy{i}") for i in (1, 2)))
    return Model((use, joy), (Path("Joy", Term("Use")),))


def codes(error):
    return [p.code for p in error.value.problems]


def test_unknown_bounds_name_the_items(model, frame):
    with pytest.raises(Problems, match="use1, use2, use3, joy1, joy2") as error:
        index(fit(model, frame, PLS()))
    assert codes(error) == ["E-SCALE"]


@pytest.mark.parametrize(
    ("settings", "code", "says"),
    [
        ({"weights": "bsae"}, "E-WEIGHTS", 'Did you mean "base"'),
        ({"base": "w9"}, "E-WAVE", "w9"),
        ({"by": ["segment"]}, "E-BY", "segment"),
        ({"by": ["brand"], "weights": "base"}, "E-WAVE", "cells by wave"),
        ({"weights": "given"}, "E-GIVEN", "given"),
        ({"given": {"Joi": {"joy1": 1}}}, "E-GIVEN", 'Did you mean "Joy"'),
        ({"given": {"Joy": {"joy1": 1}}}, "E-GIVEN", "joy1, joy2"),
        ({"given": {"Joy": {"joy1": 1, "joy2": -1}}}, "E-GIVEN", "positive"),
    ],
)
def test_bad_settings(est, settings, code, says):
    with pytest.raises(Problems, match=says) as error:
        index(est, **settings)
    assert code in codes(error)


@pytest.mark.parametrize("rule", ["own", "entity", "wave", "base", "pooled"])
def test_moments_alone_pool_to_the_same_weights(est, rule):
    alone = index(fit(est.model, est.moments, PLS()), weights=rule)
    rows = index(est, weights=rule)
    np.testing.assert_allclose(alone.values, rows.values, rtol=1e-9)
    np.testing.assert_allclose(alone.weights["weight"], rows.weights["weight"], rtol=1e-7)


def test_coarser_cells_from_moments_alone(est):
    alone, rows = (index(e, by=["brand"]) for e in (fit(est.model, est.moments, PLS()), est))
    assert alone.cells["n"].to_list() == rows.cells["n"].to_list() == [240, 240]
    np.testing.assert_allclose(alone.values, rows.values, rtol=1e-9)


def test_pooling_pairwise_moments_needs_rows(model, frame):
    holes = frame.with_columns(pl.when(pl.int_range(pl.len()) % 7 == 0).then(None).otherwise("use1").alias("use1"))
    est = fit(model, holes, PLS(missing="pairwise"), by=CELLS, scale=SCALE)
    assert index(est).table["index"].null_count() == 0
    with pytest.raises(Problems) as error:
        index(fit(model, est.moments, PLS(missing="pairwise")))
    assert codes(error) == ["E-ROWS"]


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_an_item_nobody_answered_gives_a_reason(model, frame):
    gone = (pl.col("wave") == "w2") & (pl.col("brand") == "A")
    holes = frame.with_columns(pl.when(~gone).then("use1").alias("use1"))
    table = index(fit(model, holes, PLS(missing="pairwise"), by=CELLS, scale=SCALE)).table
    assert table.filter(gone, pl.col("construct") == "Use")["index"][0] is None
    assert table.filter(gone, pl.col("construct") == "Use")["reason"][0]
    assert table.filter(gone, pl.col("construct") == "Joy")["index"][0] is not None


@pytest.mark.parametrize("interval", ["t", "percentile"])
def test_tiny_cells(model, frame, survey, interval):
    # anchored weights give even one respondent an index, but nobody can say how sure it is
    tiny = pl.concat([frame, survey(n=3, brands=("Y",), seed=5), survey(n=1, brands=("Z",), seed=6)])
    boot = bootstrap(fit(model, tiny, PLS(), by=CELLS, scale=SCALE, unit="id"), n=100, seed=1)
    table = index(boot, interval=interval).table
    assert table["index"].null_count() == 0
    unsure = table.filter(pl.col("std_error").is_null())
    assert unsure["brand"].unique().to_list() == ["Z"]
    assert unsure.height == unsure["conf_low"].null_count() == unsure["std_error_fixed"].null_count() == 6
    assert (table.drop_nulls("conf_low")["conf_low"] >= 0).all()
    assert (table.drop_nulls("conf_high")["conf_high"] <= 100).all()


def test_shows_its_table_and_notes(est):
    shown = repr(index(est))
    assert "construct" in shown
    assert "wave w1" in shown


def test_the_note_on_weights_names_the_cells_own_keys():
    assert _rule_words("wave", None, ["gender"])[0] == "one set, over all groups of gender"
    assert _rule_words("base", "2010", ["wave"]) == ("wave 2010 (frozen)", "基期 2010（固定）")
    assert _rule_words("wave", None, ["brand"]) == ("one set, over all brands", "合并全部品牌")
    assert _rule_words("entity", None, ["brand"]) == ("each brand's own", "各品牌自身")
    assert _rule_words("wave", None, ["wave", "gender"])[0] == "each wave's, over its groups of gender"
    assert _rule_words("base", "1", ["gender", "wave"])[1] == "基期 1 合并 gender 各组（固定）"
    assert _rule_words("wave", None, ["brand", "wave"]) == ("each wave's, over its brands", "各期合并全部品牌")


@pytest.fixture(scope="module")
def alone(model, frame):
    cell = frame.filter(pl.col("brand") == "A", pl.col("wave") == frame["wave"].min())
    return bootstrap(fit(model, cell, PLS(), scale=SCALE), n=200, seed=3)


@pytest.mark.parametrize("interval", ["bca", "studentised", "double"])
def test_intervals_beyond_the_draws_are_those_of_any_measure(alone, interval):
    """With a single cell an index is a measure like another: the same limits as by `csi.inference.uncertainty`."""

    def quantity(moments, solution):
        block, q = solution.block, len(solution.constructs)
        places = [moments.names.index(i) for i in solution.items]
        raw = solution.weights / moments.sd[:, places]
        member = np.eye(q)[block]
        return (raw * 100 * (moments.mean[:, places] - 1) / 9) @ member / (raw @ member)

    found = index(alone, interval=interval, level=0.9).table
    kinds = replace(alone, interval=interval, level=0.9)
    expected = uncertainty(kinds, quantity)
    np.testing.assert_allclose(found["index"], expected.value[0], rtol=1e-10)
    np.testing.assert_allclose(found["conf_low"], expected.conf_low[0], rtol=1e-9)
    np.testing.assert_allclose(found["conf_high"], expected.conf_high[0], rtol=1e-9)


@pytest.mark.parametrize("interval", ["bca", "studentised", "double"])
def test_anchored_indices_have_every_kind(boot, est, interval):
    """Weights of other cells are left out and drawn again with them; replicates of means alone give the same."""
    plain = index(boot, interval="t", level=0.9).table
    found = index(boot, interval=interval, level=0.9).table
    assert found["conf_low"].null_count() == 0
    assert (found["conf_low"] < found["index"]).all()
    assert ((found["conf_low"] - plain["conf_low"]).abs() < 1.5 * found["std_error"]).all()
    means = index(bootstrap_means(est, n=200, seed=3), interval=interval, level=0.9).table
    np.testing.assert_allclose(means["conf_low"], found["conf_low"], rtol=1e-9)


@pytest.mark.parametrize("interval", ["percentile", "basic", "normal", "bc", "bca", "studentised", "double"])
def test_intervals_of_draws_need_a_bootstrap(est, interval):
    with pytest.raises(Problems, match=f'"{interval}" needs bootstrap draws. Call csi.bootstrap first'):
        index(est, interval=interval)


def test_means_of_moments_beyond_the_scale_have_no_index():
    cov = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    for mean, fine in (([5, 6, 7, 8], True), ([5, 6, 14, 8], False)):
        moments = csi.Moments.of("abcd", cov, n=200, mean=mean, scale=(1, 10))
        fit = csi.fit("x =~ a + b\ny =~ c + d\ny ~ x", moments, csi.PLS())
        if fine:
            assert index(fit).values.shape == (1, 2)
        else:
            with pytest.raises(Problems, match="item c: 1 of 1 means lie outside its scale 1-10: 14"):
                index(fit)


def test_kinds_that_cannot_be(est, boot):
    with pytest.raises(Problems, match="t intervals"):
        index(jackknife(est), interval="double")
    with pytest.raises(Problems, match="studentised"):
        index(boot, interval="studentized")


def test_a_product_has_no_row_where_the_index_is_read():
    rng = np.random.default_rng(6)
    x, z = rng.normal(size=(2, 120))
    y = 0.5 * x + 0.3 * z + 0.2 * x * z + 0.5 * rng.normal(size=120)
    rows = np.repeat([x, z, y], 2, axis=0).T + 0.5 * rng.normal(size=(120, 6))
    frame = pl.DataFrame(np.clip(np.round(5.5 + 1.5 * rows), 1, 10), schema=["x1", "x2", "z1", "z2", "y1", "y2"])
    text = "x =~ x1 + x2; z =~ z1 + z2; y =~ y1 + y2; y ~ x + z + x:z"
    found = csi.index(csi.fit(text, frame, csi.PLS(), scale=(1, 10)))
    assert found.measured["construct"].to_list() == ["x", "z", "y"]
    assert found.table["construct"].to_list() == ["x", "z", "y", "x:z"]
    assert "x:z" not in str(found)
