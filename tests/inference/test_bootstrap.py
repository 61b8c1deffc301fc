from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from csi.errors import Problems
from csi.estimate.fit import fit, fit_sample
from csi.inference import resample
from csi.inference.bootstrap import bootstrap, uncertainty
from csi.inference.draws import acceleration
from csi.inference.intervals import bca, p_value, percentile
from csi.inference.resample import plan_of
from csi.models.model import Construct, Model, Term
from csi.models.model import Path as Arrow
from csi.moments.pearson import moments_under
from csi.moments.sample import regroup, sample_of
from csi.pls.estimator import PLS
from csi.tracking.index_influence import by_unit, own_influence
from csi.tracking.index_variance import design_covariance


def model() -> Model:
    blocks = {"x": ("x1", "x2"), "y": ("y1", "y2")}
    constructs = tuple(Construct(n, "=~", tuple(Term(i) for i in items)) for n, items in blocks.items())
    return Model(constructs, (Arrow("y", Term("x")),))


def answers(n: int = 120, slope: float = 0.5, seed: int = 1) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = slope * x + rng.normal(size=n)
    X = np.round(np.column_stack([x, x, y, y]) * 2 + 0.8 * rng.normal(size=(n, 4)) + 5)
    return pl.DataFrame(X, schema=["x1", "x2", "y1", "y2"]).with_columns(id=pl.int_range(n))


def test_standard_error_of_a_mean_and_a_correlation() -> None:
    data = answers(400)
    boot = bootstrap(fit(model(), data, PLS()), n=2000, seed=3)
    mean = uncertainty(boot, lambda moments, _: moments.mean[:, :1])
    expected = data["x1"].std() / np.sqrt(400)
    assert mean.std_error[0, 0] == pytest.approx(expected, rel=0.05)
    r = boot.solution.construct_cor[0, 0, 1]
    path = boot.table.filter(pl.col("op") == "~")
    assert path["std_error"][0] == pytest.approx((1 - r**2) / np.sqrt(400), rel=0.12)


def test_same_seed_same_bits_other_seed_others() -> None:
    estimate = fit(model(), answers(), PLS())
    one, two, three = (bootstrap(estimate, n=300, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one.conf_low, two.conf_low, equal_nan=True)
    assert not np.array_equal(one.conf_low, three.conf_low, equal_nan=True)


def test_replaying_from_the_seed_equals_keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    estimate = fit(model(), answers(), PLS())
    kept = uncertainty(bootstrap(estimate, n=600, seed=1), lambda m, _: m.cov)
    monkeypatch.setattr("csi.inference.replicates.KEEP_BYTES", 0)
    replayed = uncertainty(bootstrap(estimate, n=600, seed=1), lambda m, _: m.cov)
    assert np.array_equal(kept.draws, replayed.draws)


def test_kept_replicates_hold_on_to_no_rows() -> None:
    boot = bootstrap(fit(model(), answers(), PLS()), n=100, seed=1)
    held = []
    boot.replicates.over(lambda moments, solution: held.append(moments.rows) or solution.r2)
    assert held == [None]
    assert boot.moments.rows is not None


def test_cells_and_pools_move_together() -> None:
    data = answers().with_columns(brand=pl.when(pl.int_range(120) < 50).then(pl.lit("a")).otherwise(pl.lit("b")))
    sample = sample_of(data, ["x1", "x2", "y1", "y2"], by=["brand"], unit="id")
    cells = bootstrap(fit_sample(model(), sample, PLS()), n=200, seed=9).replicates
    pool = bootstrap(fit_sample(model(), regroup(sample, []), PLS()), n=200, seed=9).replicates
    shares = np.array([50, 70]) / 120
    np.testing.assert_allclose(np.einsum("bcp,c->bp", cells.mean, shares), pool.mean[:, 0], atol=1e-12)


def test_bca_acceleration_of_a_mean_is_its_skewness() -> None:
    rng = np.random.default_rng(0)
    x = rng.exponential(size=200)
    left = (x.sum() - x) / 199
    assert acceleration(left[:, None])[0] == pytest.approx(stats.skew(x) / (6 * np.sqrt(200)), rel=1e-9)


def test_bca_agrees_with_scipy() -> None:
    """scipy.stats.bootstrap (BSD-3), method BCa, on the same draws."""
    rng = np.random.default_rng(0)
    x = rng.exponential(size=60)
    draws = np.array([x[rng.integers(0, 60, 60)].mean() for _ in range(4000)])
    theirs = stats.bootstrap((x,), np.mean, n_resamples=0, method="BCa", bootstrap_result=_Draws(draws))
    left = ((x.sum() - x) / 59)[:, None]
    low, high = bca(np.array([x.mean()]), draws[:, None], 0.95, acceleration(left))
    assert low[0] == pytest.approx(theirs.confidence_interval.low, abs=1e-6)
    assert high[0] == pytest.approx(theirs.confidence_interval.high, abs=1e-6)


class _Draws:
    def __init__(self, draws: np.ndarray) -> None:
        self.bootstrap_distribution = draws


@pytest.mark.parametrize("replicates", [200, 1000, pytest.param(1999, marks=pytest.mark.slow)])
def test_p_value_and_interval_are_one_statement(replicates: int) -> None:
    rng = np.random.default_rng(5)
    points = rng.normal(0, 1.7, size=4000)
    draws = points + rng.normal(size=(replicates, 4000))
    for level in (0.9, 0.95):
        low, high = percentile(draws, level)
        assert np.array_equal((low > 0) | (high < 0), p_value(points, draws) < 1 - level)
        a = np.full(4000, 0.05)
        low, high = bca(points, draws, level, a)
        agree = ((low > 0) | (high < 0)) == (p_value(points, draws, a) < 1 - level)
        assert agree.all()


def test_null_paths_are_not_folded() -> None:
    """Draws around a path near zero straddle it; a folded distribution would not."""
    boot = bootstrap(fit(model(), answers(slope=0.0, seed=8), PLS()), n=500, seed=1)
    path = boot.replicates.values[:, 0, -1]
    assert 0.02 < (path < 0).mean() < 0.98


@pytest.mark.parametrize("kind", ["multinomial", "bayesian"])
@pytest.mark.parametrize("per_stratum", [2, 3, 30])
def test_weights_have_mean_one_and_variance_one(kind: str, per_stratum: int) -> None:
    """The variance of a weighted mean is then s^2 / n_h for any number of units: Rao and Wu (1988)."""
    data = answers().with_columns(s=pl.int_range(120) // per_stratum)
    sample = sample_of(data, ["x1", "x2", "y1", "y2"], unit="id", stratum="s")
    drawn = np.concatenate([m for _, m in plan_of(sample, 2000, 1, kind).blocks()])
    sums = np.array([drawn[:, sample.stratum == h].sum(axis=1) for h in range(sample.stratum.max() + 1)])
    np.testing.assert_allclose(sums, per_stratum, atol=1e-3)
    assert drawn.mean() == pytest.approx(1.0, abs=1e-6)
    assert drawn.var(axis=0).mean() == pytest.approx(1.0, rel=0.03)
    assert (drawn >= 0).all()


def test_one_unit_has_no_variance_and_three_are_counted() -> None:
    data = pl.concat([answers().with_columns(brand=pl.lit("a")), answers(4, seed=3).with_columns(brand=pl.lit("b"))])
    boot = bootstrap(fit(model(), data, PLS(), by=["brand"]), n=200, seed=1)
    small = boot.table.filter((pl.col("brand") == "b") & (pl.col("op") == "~"))
    assert small.height == 1
    assert boot.replicates.usable[:, 0].all()
    assert any(n.code in {"N-REPLICATES", "W-BASE"} for n in boot.notes)


def test_what_cannot_be_resampled_is_said() -> None:
    estimate = fit(model(), answers(), PLS())
    with pytest.raises(Problems, match="rows"):
        bootstrap(fit(model(), estimate.moments, PLS()), n=200)
    with pytest.raises(Problems, match="too few"):
        bootstrap(estimate, n=20)
    with pytest.raises(Problems, match="no replicates"):
        uncertainty(estimate, lambda m, _: m.mean)


def test_block_is_part_of_the_seed() -> None:
    assert resample.BLOCK == 250


def mean_error(data: pl.DataFrame, resampling: str = "multinomial", **design: str) -> tuple[float, float]:
    """Bootstrap and linearised standard error of the mean of one item in the first cell."""
    sample = sample_of(data, ["x1"], [k for k in ("wave",) if k in data.columns], **design)
    plan = plan_of(sample, 3000, 4, resampling)
    means = np.concatenate([moments_under(sample, m).mean.reshape(m.shape[0], -1) for _, m in plan.blocks()])
    z = by_unit(sample, own_influence(sample, np.array([0]), np.ones((sample.cells.height, 1))))
    return means[:, 0].std(ddof=1), float(np.sqrt(design_covariance(z, sample.stratum)[0, 0]))


def clustered(seed: int, strata: int, per_stratum: int, size: int = 5) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        {"s": f"s{h:02d}", "c": f"c{k}", "u": f"s{h}c{k}", "x1": h % 5 + v + e}
        for h in range(strata)
        for k in range(per_stratum)
        for v, es in [(rng.normal(), rng.normal(size=size))]
        for e in es
    ]
    return pl.DataFrame(rows)


@pytest.mark.parametrize("resampling", ["multinomial", "bayesian"])
def test_two_clusters_per_stratum(resampling: str) -> None:
    boot, linear = mean_error(clustered(1, 30, 2), resampling, unit="u", stratum="s")
    assert boot == pytest.approx(linear, rel=0.05)


def test_few_clusters_without_strata() -> None:
    boot, linear = mean_error(clustered(2, 1, 5), unit="u")
    data = clustered(2, 1, 5).group_by("u").agg(pl.col("x1").mean())["x1"]
    assert linear == pytest.approx(data.std() / np.sqrt(5), rel=1e-9)
    assert boot == pytest.approx(linear, rel=0.05)


def test_strata_are_crossed_with_waves_that_are_drawn_anew() -> None:
    """A stratum's share in a wave is fixed by design, so it adds no variance although both waves share its name."""
    data = pl.concat([clustered(s, 2, 60, 1).with_columns(wave=pl.lit(str(s)), u=pl.col("u") + str(s)) for s in (1, 2)])
    data = data.with_columns(x1=pl.col("x1") * 0.5 + pl.when(pl.col("s") == "s01").then(8.0).otherwise(0.0))
    boot, linear = mean_error(data, unit="u", stratum="s")
    within = np.sqrt(
        sum(data.filter((pl.col("wave") == "1") & (pl.col("s") == s))["x1"].var() / 60 * 0.25 for s in ("s00", "s01"))
    )
    assert linear == pytest.approx(within, rel=1e-9)
    assert boot == pytest.approx(within, rel=0.05)


def test_a_stratum_with_one_cluster_is_merged_and_counted() -> None:
    data = pl.concat([clustered(3, 10, 2), clustered(4, 1, 1).with_columns(s=pl.lit("s99"), u=pl.lit("alone"))])
    sample = sample_of(data, ["x1"], unit="u", stratum="s")
    assert [n.code for n in sample.notes] == ["N-STRATUM-ALONE"]
    assert np.bincount(sample.stratum).min() == 2
    boot, linear = mean_error(data, unit="u", stratum="s")
    assert boot == pytest.approx(linear, rel=0.05)


def test_cells_with_different_weak_items_keep_their_own_orientation() -> None:
    """Each cell's replicates point where that cell's estimate points, whatever the first cell looks like."""
    rng = np.random.default_rng(7)
    z = rng.normal(size=300)
    good, bad = ([z + 0.6 * rng.normal(size=300) for _ in "ab"], [-2 * z + 0.5 * rng.normal(size=300) for _ in "ab"])
    y = [0.6 * z + 0.8 * rng.normal(size=300) for _ in "ab"]
    weak = 0.05 * z + rng.normal(size=300)
    one = pl.DataFrame({"x1": good[0], "x2": weak, "y1": y[0], "y2": y[1]}).with_columns(brand=pl.lit("a"))
    two = pl.DataFrame({"x1": weak, "x2": bad[0], "y1": y[0], "y2": y[1]}).with_columns(brand=pl.lit("b"))
    both = bootstrap(fit(model(), pl.concat([one, two]), PLS(), by=["brand"]), n=300, seed=1)
    alone = bootstrap(fit(model(), two, PLS()), n=300, seed=1)
    paths = both.table.filter((pl.col("op") == "~") & (pl.col("brand") == "b"))
    assert paths["conf_low"][0] < paths["estimate"][0] < paths["conf_high"][0]
    expected = alone.table.filter(pl.col("op") == "~")["std_error"][0]
    assert paths["std_error"][0] == pytest.approx(expected, rel=0.25)


def test_a_p_value_claims_no_more_than_its_draws() -> None:
    draws = np.abs(np.random.default_rng(0).normal(5, 1, size=(999, 1)))
    assert p_value(np.array([5.0]), draws, np.array([0.1]))[0] >= 2 / 1000


def test_order_of_rows_without_ids_changes_no_bit() -> None:
    data = answers().drop("id")
    one = bootstrap(fit(model(), data, PLS()), n=200, seed=1)
    two = bootstrap(fit(model(), data.sample(fraction=1.0, shuffle=True, seed=3), PLS()), n=200, seed=1)
    assert np.array_equal(one.std_error, two.std_error, equal_nan=True)


def test_t_intervals_take_the_degrees_of_freedom_of_the_design() -> None:
    """Twelve clusters in two strata: 10 degrees of freedom, where the normal interval has none."""
    data = answers(120).with_columns(c=pl.col("id") // 10, s=pl.col("id") // 60)
    sample = sample_of(data, ["x1", "x2", "y1", "y2"], unit="c", stratum="s")
    est = fit_sample(model(), sample, PLS())
    normal, t = (bootstrap(est, n=200, seed=1, interval=kind).table.filter(op="~") for kind in ("normal", "t"))
    value, error = t["estimate"][0], t["std_error"][0]
    assert error == normal["std_error"][0]
    assert (t["conf_low"][0], t["conf_high"][0]) == pytest.approx(stats.t.interval(0.95, 10, value, error), abs=1e-12)
    assert t["p_value"][0] == pytest.approx(2 * stats.t.sf(abs(value / error), 10), rel=1e-9)
