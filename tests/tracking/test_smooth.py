"""Rolling and exponentially weighted views, and control limits, against the NIST handbook and by hand."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from csi.display import text
from csi.errors import Problems
from csi.estimate.fit import fit
from csi.models.model import Model
from csi.pls.estimator import PLS
from csi.tracking.breaks import Break
from csi.tracking.contrasts import joint_covariance
from csi.tracking.index import index
from csi.tracking.link import link
from csi.tracking.smooth import control, moving_range, smooth, weighted_mean
from csi.tracking.unlimited import Series, unlimited

CELLS = ["brand", "wave"]
WAVES = tuple(f"w{i}" for i in range(1, 9))

NIST_EWMA = (
    [52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5, 49.6, 47.6],
    [50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33, 50.11, 49.36],
)
"""NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.4: values, and their EWMA from 50 with weight .3."""


@pytest.fixture(scope="module")
def made(model, survey):
    return index(fit(model, survey(waves=WAVES), PLS(), by=CELLS, scale=(1, 10), unit="id"), weights="pooled")


def test_the_moving_range_of_the_handbook():
    # NIST/SEMATECH e-Handbook 6.3.2.2: mean 50.81, mean moving range 1.8778, limits 55.8041 and 45.8159
    x = np.array([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1])
    limits = x.mean() + np.array([3, -3]) * moving_range(x)
    np.testing.assert_allclose(limits, [55.8041, 45.8159], atol=2e-3)  # the handbook divides by 1.128


def test_the_exponentially_weighted_mean_of_the_handbook():
    got = weighted_mean(np.array(NIST_EWMA[0]), 50.0, 0.3)
    np.testing.assert_allclose(got, NIST_EWMA[1], atol=0.006)


def test_a_rolling_mean_by_hand(made):
    found = smooth(made, "Use", window=3).table.filter(brand="A")
    values = made.values[:8, 0]
    expected = [values[max(t - 2, 0) : t + 1].mean() for t in range(8)]
    np.testing.assert_allclose(found["smoothed"], expected, atol=1e-12)
    V = joint_covariance(made, 0, np.array([5, 6, 7]))
    assert found["std_error"][7] == pytest.approx(np.sqrt(V.sum()) / 3, rel=1e-9)
    assert (found["std_error"][2:] < 0.75 * made.table.filter(construct="Use", brand="A")["std_error"][2:]).all()


def test_an_exponentially_weighted_mean_by_hand(made):
    found = smooth(made, "Use", "ewma", weight=0.3).table.filter(brand="A")
    values = made.values[:8, 0]
    expected = np.concatenate([[values[0]], weighted_mean(values[1:], values[0], 0.3)])
    np.testing.assert_allclose(found["smoothed"], expected, atol=1e-12)
    np.testing.assert_allclose(smooth(made, "Use", "ewma", weight=1.0).table["smoothed"], made.values[:, 0], atol=1e-12)


def test_limits_by_hand(made):
    found = control(made, "Use").table.filter(brand="B")
    values, V = made.values[8:, 0], joint_covariance(made, 0, np.arange(8, 16))
    d = np.diff(values)
    own = np.array([V[t, t] + V[t - 1, t - 1] - 2 * V[t, t - 1] for t in range(1, 8)])
    tau2 = max(0.0, (np.pi / 2 * np.abs(d).mean() ** 2 - own.mean()) / 2)
    np.testing.assert_allclose(found["high"], values.mean() + 3 * np.sqrt(tau2 + np.diag(V)), atol=1e-9)
    np.testing.assert_allclose(found["low"] + found["high"], 2 * values.mean(), atol=1e-9)
    assert found["between"][0] == pytest.approx(np.sqrt(tau2), abs=1e-9)


def test_a_jump_is_beyond_the_limits(model, survey):
    rows = survey(waves=WAVES, trend=0.0, n=200)
    items = [c for c in rows.columns if c.startswith(("use", "joy"))]
    jump = pl.when((pl.col("wave") == "w8") & (pl.col("brand") == "A")).then(2.0).otherwise(0.0)
    moved = rows.with_columns([(pl.col(c) + jump).clip(1, 10).alias(c) for c in items])
    made = index(fit(model, moved, PLS(), by=CELLS, scale=(1, 10), unit="id"), weights="pooled")
    for chart in ("individuals", "ewma"):
        table = control(made, "Use", chart, baseline=WAVES[:7]).table.filter(pl.col("beyond"))
        assert ("A", "w8") in table.select(CELLS).rows()
        assert "B" not in table["brand"].to_list()


def test_false_alarms_of_steady_series():
    # 100 steady series of 12 waves, sampling error alone: at three standard deviations few waves lie beyond
    rng = np.random.default_rng(3)
    rows = [
        (f"b{b:03d}", f"w{w:02d}", *rng.integers(1, 11, 2).tolist())
        for b in range(100)
        for w in range(12)
        for _ in range(30)
    ]
    frame = pl.DataFrame(rows, schema=["brand", "wave", "use1", "joy1"], orient="row")
    est = fit(Model.parse("Use =~ use1\nJoy =~ joy1\nJoy ~ Use"), frame, PLS(), by=CELLS, scale=(1, 10))
    table = control(index(est, weights="own"), "Joy").table
    assert table["beyond"].mean() < 0.01
    assert table["between"].median() < table["sampling"].median()


def test_a_break_begins_the_series_anew_and_a_link_joins_it(made):
    walled = smooth(made, "Use", window=3, breaks=[Break("w5")]).table.filter(brand="A")
    assert walled["waves"].to_list() == [1, 2, 3, 3, 1, 2, 3, 3]
    joined = smooth(made, "Use", window=3, breaks=[Break("w5", link=link(method="stated"))]).table.filter(brand="A")
    np.testing.assert_allclose(joined["smoothed"], smooth(made, "Use", window=3).table.filter(brand="A")["smoothed"])
    parts = control(made, "Use", breaks=[Break("w5")]).table.filter(brand="A")
    assert parts["centre"].n_unique() == 2


def test_short_series_have_no_limits(model, survey):
    short = index(fit(model, survey(), PLS(), by=CELLS, scale=(1, 10), unit="id"))
    assert control(short, "Use").table["high"].null_count() == 6
    beyond = control(short, "Use").table["beyond"]
    assert beyond.dtype == pl.Boolean
    assert beyond.null_count() == 6  # nothing is known to lie within limits that there are not


@pytest.mark.parametrize(
    ("call", "arguments", "en", "zh"),
    [
        (smooth, {"view": "median"}, "median", "median"),
        (smooth, {"window": 0}, "window of 0", "窗口为 0"),
        (smooth, {"weight": 1.5}, "not between", "不在"),
        (control, {"chart": "cusum"}, "cusum", "cusum"),
        (control, {"limit": 0.0}, "positive", "正数"),
    ],
)
def test_bad_settings(made, call, arguments, en, zh):
    with pytest.raises(Problems) as said:
        call(made, "Use", **arguments)
    assert said.value.problems[0].code == "E-SETTING"
    assert en in said.value.problems[0].say("en")
    assert zh in said.value.problems[0].say("zh")


def test_an_index_without_waves(model, survey):
    made = index(fit(model, survey(), PLS(), by=["brand"], scale=(1, 10)))
    with pytest.raises(Problems, match="no cells by wave"):
        smooth(made, "Use")


def test_they_print_in_both_languages(made):
    assert "平滑序列" in text(smooth(made, "Use"), "zh")
    assert "Control chart" in text(control(made, "Use"), "en")


def thinned(made, gone):
    """Brand A has 20 answers in the waves `gone`."""
    few = (pl.col("brand") == "A") & pl.col("wave").is_in(gone)
    return replace(made, cells=made.cells.with_columns(n=pl.when(few).then(20).otherwise("n")), answers=None)


def of_a(chart):
    """Why brand A has no limits, in both languages."""
    return chart.table.filter(brand="A").select("reason", "reason_zh").unique(maintain_order=True).rows()


def test_a_series_without_limits_says_why(made):
    assert of_a(control(made, "Use")) == [(None, None)]
    base = control(thinned(made, WAVES[:6]), "Use", small=30)
    (said,) = of_a(base)
    assert said[0] == "6 of 8 waves have fewer than 30 answers; fewer than 4 are left."
    assert said[1] == "8 期中有 6 期样本量不足 30，余下不足 4 期。"
    assert "waves with enough answers: A / w1-w8." in {n.code: n for n in base.notes}["N-CONTROL-FEW"].text.en
    (said,) = of_a(control(made, "Use", baseline=WAVES[:3]))
    assert said[0] == "fewer than 4 waves of the baseline."
    broken = control(made, "Use", breaks=[Break("w6")]).table.filter(brand="A")
    assert broken["reason"].to_list() == [None] * 5 + ["fewer than 4 waves on this side of a break."] * 3
    lost = made.values.copy()
    lost[:5, 0] = np.nan
    (said,) = of_a(control(replace(made, values=lost), "Use"))
    assert said[0] == "5 of 8 waves have no index; fewer than 4 are left."
    short = made.cells["wave"].is_in(["w1", "w2", "w3"]).to_numpy()
    young = replace(made, cells=made.cells.filter(pl.Series(short)), values=made.values[short], answers=None)
    assert list(_first_waves(young)) == ["fewer than 4 waves so far."]


def _first_waves(young):
    """The reason of a series of three waves."""
    series = Series(young, 0, ("w1", "w2", "w3"), (), 0)
    return dict.fromkeys(r.text.en for r in unlimited(series, None)[0].values())


@pytest.mark.parametrize("view", [smooth, control])
def test_a_view_says_which_waves_it_passes_over(made, view):
    told = {n.code: n.text for n in view(thinned(made, ["w3", "w4"]), "Use", small=30).notes}
    assert told["N-VIEW-GAP"].en.startswith("Passed over for want of a value: A / w3, w4;")
    assert "跳过：A / w3, w4" in told["N-VIEW-GAP"].zh
    assert "N-VIEW-GAP" not in {n.code for n in view(made, "Use").notes}
