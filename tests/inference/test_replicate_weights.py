"""Replicate weights: the formula on fits with each weight alone, and designs whose variance is known."""

import numpy as np
import polars as pl
import pytest
from scipy import stats
from scipy.linalg import hadamard

import csi
from csi.errors import Problems, Text
from csi.inference.bootstrap import uncertainty
from csi.survey.codebook import Item, Scale

MODEL = csi.Model.parse("x =~ x1 + x2\ny =~ y1 + y2\ny ~ x")
STRATA = 15


def paired(seed=1):
    """15 strata of 2 clusters of 4 rows, with weights that differ between strata, in no order."""
    rng = np.random.default_rng(seed)
    h = np.repeat(np.arange(STRATA), 8)
    c = np.tile(np.repeat([0, 1], 4), STRATA)
    x = rng.normal(size=120) + 0.3 * h / STRATA + 0.5 * rng.normal(size=30)[2 * h + c]
    X = np.column_stack([x, x, 0.6 * x, 0.6 * x]) * 2 + rng.normal(size=(120, 4)) + 5
    frame = pl.DataFrame(np.clip(np.round(X), 1, 10), schema=["x1", "x2", "y1", "y2"])
    frame = frame.with_columns(pl.Series("h", h), pl.Series("c", c), pl.Series("w", 1.0 + h % 3))
    return frame.sample(fraction=1.0, shuffle=True, seed=seed)


def halves(frame, rho=0.0, combined=True):
    """16 columns of balanced half-samples after Fay: rho in one half, 2 - rho in the other."""
    signs = hadamard(16)[:, 1 : STRATA + 1][:, frame["h"].to_numpy()] * np.where(frame["c"].to_numpy() == 0, 1, -1)
    weights = np.where(signs > 0, 2 - rho, rho) * (frame["w"].to_numpy() if combined else 1.0)
    return frame.with_columns(pl.Series(f"rw{r + 1}", weights[r]) for r in range(16))


def mean(moments, solution):
    return moments.mean[:, :1]


def linearised(frame):
    """Standard error of the weighted mean of x1: sqrt(sum_h (z_h1 - z_h2)^2), z_hi = sum w (x - mean) / sum w."""
    x, w = frame["x1"].to_numpy(), frame["w"].to_numpy()
    z = pl.DataFrame({"h": frame["h"], "c": frame["c"], "z": w * (x - np.average(x, weights=w)) / w.sum()})
    pairs = z.group_by("h", "c").agg(pl.col("z").sum()).sort("h", "c")["z"].to_numpy().reshape(-1, 2)
    return np.sqrt(((pairs[:, 0] - pairs[:, 1]) ** 2).sum())


@pytest.mark.parametrize(("kind", "rho"), [("brr", None), ("fay", 0.3), ("fay", 0.5)])
@pytest.mark.parametrize("combined", [True, False])
def test_balanced_halves_of_a_mean_have_the_linearised_variance(kind, rho, combined):
    """Exactly so for full orthogonal balance and sums of weights that the halves keep (Wolter 2007, 3.2)."""
    frame = halves(paired(), rho or 0.0, combined)
    est = csi.fit(MODEL, frame, csi.PLS(), weight="w")
    boot = csi.replicate_weights(est, frame, "rw*", kind=kind, rho=rho, combined=combined)
    assert uncertainty(boot, mean).std_error[0, 0] == pytest.approx(linearised(frame), rel=1e-6)
    assert boot.replicates.factors.df == 15


@pytest.mark.parametrize("mse", [True, False])
@pytest.mark.parametrize("kind", ["brr", "bootstrap", "jk1", "sdr", "jk2"])
def test_paths_follow_the_formula_on_separate_fits(kind, mse):
    frame = halves(paired(3), 0.2)
    est = csi.fit(MODEL, frame, csi.PLS(), weight="w")
    boot = csi.replicate_weights(est, frame, "rw*", kind=kind, mse=mse, df=12)
    each = np.array([csi.fit(MODEL, frame, csi.PLS(), weight=f"rw{r + 1}").values[0] for r in range(16)])
    scale = {"brr": 1 / 16, "bootstrap": 1 / 15, "jk1": 15 / 16, "sdr": 4 / 16, "jk2": 1.0}[kind]
    centre = est.values[0] if mse else each.mean(axis=0)
    expected = np.sqrt(scale * ((each - centre) ** 2).sum(axis=0))
    np.testing.assert_allclose(boot.std_error[0], expected, rtol=1e-4)  # 1e-7 of the fixed point, 2^-20 of the weights
    margin = stats.t.ppf(0.975, 12) * expected
    np.testing.assert_allclose(boot.conf_low[0], est.values[0] - margin, rtol=1e-4)


def test_scale_and_rscales_are_taken_as_given():
    frame = halves(paired(3), 0.2)
    est = csi.fit(MODEL, frame, csi.PLS(), weight="w")
    rscales = np.linspace(0.5, 1.5, 16)
    boot = csi.replicate_weights(est, frame, "rw*", kind="other", scale=0.1, rscales=rscales)
    away = boot.replicates.values[:, 0] - est.values[0]
    np.testing.assert_allclose(boot.std_error[0], np.sqrt(0.1 * (rscales[:, None] * away**2).sum(axis=0)), rtol=1e-12)


def test_leave_outs_given_as_columns_are_the_jackknife():
    """JKn with rscales (n_h - 1) / n_h on the weights that `csi.jackknife` uses."""
    frame = paired(5).with_columns(u=pl.col("h") // 5 * 10 + pl.col("c") * 5 + pl.col("h") % 5, s=pl.col("h") // 5)
    est = csi.fit(MODEL, frame, csi.PLS(), unit="u", stratum="s")
    own = csi.jackknife(est)
    u, s = frame["u"].to_numpy(), frame["s"].to_numpy()
    weights = np.array([np.where(u == k, 0.0, np.where(s == k // 10, 10 / 9, 1.0)) for k in range(30)])
    boot = csi.replicate_weights(est, weights.T, kind="jkn", rscales=np.full(30, 0.9), mse=False, df=27)
    assert boot.std_error[0, -1] == pytest.approx(own.std_error[0, -1], rel=0.02)  # centred on all, not on each stratum
    np.testing.assert_allclose(
        np.sort(boot.replicates.values[:, 0, -1]), np.sort(own.replicates.values[:, 0, -1]), atol=1e-6
    )


def test_measures_and_the_index_take_their_errors_from_the_same_replicates():
    frame = halves(paired(3), 0.2)
    est = csi.fit(MODEL, frame, csi.PLS(), weight="w", scale=(1, 10))
    boot = csi.replicate_weights(est, frame, "rw*", kind="fay", rho=0.2)
    each = [csi.fit(MODEL, frame, csi.PLS(), weight=f"rw{r + 1}", scale=(1, 10)) for r in range(16)]
    point, own = csi.index(est), csi.index(boot)
    values = np.array([csi.index(one).values[0] for one in each])
    expected = np.sqrt(((values - point.values[0]) ** 2).sum(axis=0) / (16 * 0.8**2))
    np.testing.assert_allclose(own.table["std_error"], expected, rtol=1e-4)
    margin = stats.t.ppf(0.975, 15) * expected
    np.testing.assert_allclose(own.table["conf_high"], point.values[0] + margin, rtol=1e-5)
    total = csi.effects(boot).table.filter(effect="total")["std_error"][0]
    assert total == pytest.approx(boot.std_error[0, -1], rel=1e-9)
    htmt = np.array([csi.validity(one).table["htmt"][0] for one in each])
    away = htmt - csi.validity(est).table["htmt"][0]
    half = stats.t.ppf(0.975, 15) * np.sqrt((away**2).sum() / (16 * 0.8**2))
    found = csi.validity(boot).table
    assert found["conf_high"][0] - found["htmt"][0] == pytest.approx(half, rel=1e-4)


def test_differences_between_cells_share_the_replicates():
    frame = halves(paired(7), 0.2)
    frame = frame.with_columns(wave=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("1")).otherwise(pl.lit("2")))

    def index(weight):
        fit = csi.fit(MODEL, frame, csi.PLS(), by=["wave"], weight=weight, scale=(1, 10))
        return fit, csi.index(fit, weights="pooled")

    est, point = index("w")
    boot = csi.replicate_weights(est, frame.select(pl.col("^rw.*$")), kind="fay", rho=0.2)
    change = csi.changes(csi.index(boot, weights="pooled"), "x", waves=["1", "2"]).table.filter(against="previous")
    place = point.constructs.index("x")
    each = np.array([np.diff(index(f"rw{r + 1}")[1].values[:, place])[0] for r in range(16)])
    expected = np.sqrt(((each - np.diff(point.values[:, place])[0]) ** 2).sum() / (16 * 0.8**2))
    row = change.drop_nulls("std_error").row(0, named=True)
    assert row["std_error"] == pytest.approx(expected, rel=1e-4)
    assert row["df"] == 15
    with pytest.raises(Problems, match="t intervals"):
        csi.index(boot, interval="bc")


def test_a_panel_brings_its_rows():
    frame = halves(paired(3), 0.2)
    items = tuple(Item(i, i[0], Scale("ten", 1, 10), Text(i, i)) for i in ("x1", "x2", "y1", "y2"))
    panel = csi.read_panel(frame.select("x1", "x2", "y1", "y2").cast(pl.Int64), csi.Codebook(items, {}, {}))
    est = csi.fit(MODEL, panel, csi.PLS())
    bare = csi.fit(MODEL, frame, csi.PLS())
    one = csi.replicate_weights(est, frame.select(pl.col("^rw.*$")), kind="brr", combined=False)
    two = csi.replicate_weights(bare, frame, "rw*", kind="brr", combined=False)
    np.testing.assert_allclose(one.std_error, two.std_error, rtol=1e-12)


def test_what_cannot_be_is_said_with_its_place():
    frame = halves(paired())
    est = csi.fit(MODEL, frame, csi.PLS(), weight="w")
    bad = {
        "no such column": {"columns": ["rv1"]},
        "like rw1|rw1": {"columns": ["rw1x"]},
        "rho": {"columns": "rw*", "kind": "fay"},
        'belongs to kind="fay"': {"columns": "rw*", "rho": 0.3},
        "jkn": {"columns": "rw*", "kind": "jkn"},
        "16 numbers": {"columns": "rw*", "rscales": [1.0, 2.0]},
        "scale must be positive": {"columns": "rw*", "scale": -1.0},
        "gives no variance": {"columns": "rw1"},
        "kind": {"columns": "rw*", "kind": "bbr"},
    }
    for said, asked in bad.items():
        with pytest.raises(Problems, match=said):
            csi.replicate_weights(est, frame, **{"kind": "brr"} | asked)
    with pytest.raises(Problems, match="119 rows"):
        csi.replicate_weights(est, frame.head(119), "rw*", kind="brr")
    with pytest.raises(Problems, match="not those of the estimate"):
        csi.replicate_weights(est, frame.reverse(), "rw*", kind="brr")
    with pytest.raises(Problems, match="negative or absent"):
        csi.replicate_weights(est, frame.with_columns(rw3=-pl.col("rw3")), "rw*", kind="brr")
    with pytest.raises(Problems, match="every weight is zero"):
        csi.replicate_weights(est, frame.with_columns(rw3=0.0), "rw*", kind="brr")


def test_weights_about_another_full_weight_are_noted():
    frame = halves(paired())
    boot = csi.replicate_weights(csi.fit(MODEL, frame, csi.PLS()), frame, "rw*", kind="brr")
    assert "W-REPWEIGHTS" in [n.code for n in boot.notes]
    fine = csi.replicate_weights(csi.fit(MODEL, frame, csi.PLS(), weight="w"), frame, "rw*", kind="brr")
    assert [n.code for n in fine.notes if "REPWEIGHTS" in n.code] == ["N-REPWEIGHTS"]
    assert "16 replicate weights (brr)" in repr(fine)
