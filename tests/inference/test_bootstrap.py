from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from csi.errors import Problems
from csi.estimate.fit import fit, fit_sample
from csi.inference import resample
from csi.inference.bootstrap import bootstrap, uncertainty
from csi.inference.intervals import acceleration, bca, p_value, percentile
from csi.inference.resample import plan_of
from csi.models.model import Construct, Model, Term
from csi.models.model import Path as Arrow
from csi.moments.sample import regroup, sample_of
from csi.pls.estimator import PLS


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


def test_p_value_agrees_with_the_interval() -> None:
    rng = np.random.default_rng(5)
    points = rng.normal(0, 1.2, size=400)
    draws = points + rng.normal(size=(1999, 400))
    for level in (0.9, 0.95):
        low, high = percentile(draws, level)
        p = p_value(points, draws)
        clear = np.abs(p - (1 - level)) > 0.004
        assert np.array_equal(((low > 0) | (high < 0))[clear], (p < 1 - level)[clear])
        a = np.full(400, 0.05)
        low, high = bca(points, draws, level, a)
        p = p_value(points, draws, a)
        clear = np.abs(p - (1 - level)) > 0.004
        assert np.array_equal(((low > 0) | (high < 0))[clear], (p < 1 - level)[clear])


def test_null_paths_are_not_folded() -> None:
    """Draws around a path near zero straddle it; a folded distribution would not."""
    boot = bootstrap(fit(model(), answers(slope=0.0, seed=8), PLS()), n=500, seed=1)
    path = boot.replicates.values[:, 0, -1]
    assert 0.02 < (path < 0).mean() < 0.98


def test_bayesian_weights_and_rao_wu() -> None:
    data = answers().with_columns(s=pl.int_range(120) // 30)
    sample = sample_of(data, ["x1", "x2", "y1", "y2"], unit="id", stratum="s")
    plan = plan_of(sample, 500, 1)
    assert plan.rao_wu
    drawn = np.concatenate([m for _, m in plan.blocks()])
    assert drawn.sum(axis=1) == pytest.approx(np.full(500, 120.0), abs=1e-3)
    per_stratum = np.var(drawn[:, sample.stratum == 0], axis=0).mean()
    assert per_stratum == pytest.approx(1.0, rel=0.05)  # n_h - 1 draws rescaled: variance exactly n_h / n_h
    bayes = np.concatenate([m for _, m in plan_of(sample, 500, 1, "bayesian").blocks()])
    assert (bayes > 0).all()
    assert bayes.mean() == pytest.approx(1.0, abs=1e-6)


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
