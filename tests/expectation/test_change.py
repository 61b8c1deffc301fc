"""Change within people: parity with lavaan, ladder of invariance, planted change, refusals."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from scipy.special import stdtr, stdtrit

import csi
from csi.errors import Problems
from tests.expectation.changing import REFERENCE, committed, long_panel, panel_of, rows_of

LAVAAN = json.loads((REFERENCE / "change" / "lavaan.json").read_text(encoding="utf-8"))["records"]
ML = csi.SEM(missing="fiml")

PRINTED = {
    # methods as printed by lavaan 0.6.14: chi2, df and some estimates, three decimals
    "growth": (8.069, 5, {"mean_initial": 0.615, "mean_slope": 1.006, "variance_initial": 1.932,
                          "variance_slope": 0.587, "covariance": 0.618}),
    "dual": (8.938, 7, {"mean_initial": 0.603, "mean_constant": 1.050}),
    "dual_missing": (33.159, 13, {}),
    "coupled": (281.806, 45, {"coupling": 0.107, "proportional": -0.085}),
    "lagged": (180.101, 20, {"keeps": 1.151, "from_other": 0.057, "to_other": 0.226, "other_keeps": 0.607}),
}  # fmt: skip


def growth_panel():
    names, rows = committed("growth")
    return long_panel({"t": rows[:, [names.index(f"t{t}") for t in range(1, 5)]]}, {"expectation": ["t"]})


def lcsm_panel(waves):
    frame = rows_of("bi_lcsm/bi_lcsm.csv")
    columns = {v: frame.select(f"{v}{t}" for t in range(1, waves + 1)).to_numpy() for v in "xy"}
    return long_panel(columns, {"expectation": ["x"], "performance": ["y"]})


def three_items(waves):
    names, rows = committed("longitudinal")
    columns = {f"y{k}": rows[:, [names.index(f"y{k}t{t}") for t in range(1, waves + 1)]] for k in (1, 2, 3)}
    return long_panel(columns, {"expectation": list(columns)})


def run(record):
    """The same model by csi.change."""
    robust = csi.SEM(missing="fiml", estimator=record["estimator"])
    if record["model"] == "growth":
        return csi.change(growth_panel(), "t", "growth", estimator=robust)
    if record["model"] == "dual":
        return csi.change(growth_panel(), "expectation", "dual", estimator=robust)
    if record["model"] == "dual_missing":
        return csi.change(lcsm_panel(5), "x", "dual", estimator=robust)
    if record["model"] == "coupled":
        return csi.change(lcsm_panel(5), "expectation", "coupled", beside="performance", estimator=robust)
    if record["model"] in ("lagged", "within"):
        return csi.change(lcsm_panel(4), "expectation", "lagged", beside="performance", estimator=robust)
    waves = 2 if record["model"] == "difference" else 3
    if record["estimator"] == "MLR":
        frame = rows_of("semtools/exLong.csv")
        columns = {f"y{k}": frame.select(f"y{k}t{t}" for t in range(1, waves + 1)).to_numpy() for k in (1, 2, 3)}
        panel = long_panel(columns, {"expectation": list(columns)})
    else:
        panel = three_items(waves)
    # nothing is set free, whatever the ladder says: the models are lavaan's
    return csi.change(panel, "expectation", estimator=robust, partial=False, alpha=1e-12)


@pytest.mark.parametrize("record", LAVAAN, ids=lambda r: f"{r['model']}-{r['estimator']}")
def test_estimates_errors_and_fit_are_lavaans(record):
    found = run(record)
    model = {"dual_missing": "dual", "growth_of_factors": "growth"}.get(record["model"], record["model"])
    fit = found.fits.row(by_predicate=pl.col("model") == model, named=True)
    for name, value in record["fit"].items():
        assert fit[name] == pytest.approx(value, rel=1e-6, abs=1e-4), name
    if model == "within":  # a negative variance of people's own means: withheld, see below
        assert fit["reason"] == "R-NPD"
        return
    for name, (estimate, error) in record["values"].items():
        row = found.table.row(by_predicate=(pl.col("model") == model) & (pl.col("quantity") == name), named=True)
        assert row["estimate"] == pytest.approx(estimate, abs=max(1e-5 * abs(estimate), 1e-4 * error)), name
        assert row["std_error"] == pytest.approx(error, rel=1e-4), name


@pytest.mark.parametrize("name", PRINTED)
def test_what_lavaan_prints_to_half_the_last_digit(name):
    record = next(r for r in LAVAAN if r["model"] == name)
    chi2, df, values = PRINTED[name]
    found = run(record)
    model = {"dual_missing": "dual"}.get(name, name)
    fit = found.fits.row(by_predicate=pl.col("model") == model, named=True)
    assert (fit["chi2"], fit["df"]) == (pytest.approx(chi2, abs=5e-4), df)
    for key, value in values.items():
        row = found.table.row(by_predicate=(pl.col("model") == model) & (pl.col("quantity") == key), named=True)
        assert row["estimate"] == pytest.approx(value, abs=5e-4), key


def test_random_intercepts_with_a_negative_variance_are_withheld_and_said_so():
    found = csi.change(lcsm_panel(4), "x", "within", beside="y", estimator=ML)
    assert found.table.filter(model="within")["estimate"].null_count() == 7
    assert found.reasons["R-NPD"].text.en.startswith("the variances of people's own means")
    assert found.table.filter(model="lagged")["estimate"].null_count() == 0
    assert any(n.code == "N-CHANGE-LAGS" for n in found.notes)


def test_the_ladder_is_lavaans():
    """Configural and scalar chi-squares of exLong: tests/reference/longitudinal/lavaan."""
    found = csi.change(three_items(3), "expectation", estimator=ML, alpha=1e-12)
    folder = REFERENCE / "longitudinal" / "lavaan"
    for step, file in (("configural", "long_configural"), ("scalar", "long_scalar")):
        record = json.loads((folder / f"{file}.json").read_text(encoding="utf-8"))
        own = found.ladder.row(by_predicate=pl.col("step") == step, named=True)
        fit = record["fit"]
        assert (own["chi2"], own["df"]) == (pytest.approx(fit["chisq"], rel=1e-5), fit["df"])


def population(n, waves, seed, *, drift=-0.5, spread=0.5, shift=0.0, loading=0.0, flag=0.0):
    """Three items of a level that moves by `drift` (sd `spread`) a wave; item c shifts or loads otherwise later."""
    rng = np.random.default_rng(seed)
    start, slope = rng.normal(size=n), drift + spread * rng.normal(size=n)
    z = (np.arange(n) < n / 2).astype(float)
    levels = start[:, None] + np.arange(waves) * (slope + flag * z)[:, None]
    later = np.arange(waves) > 0
    columns = {}
    for k, weight in (("a", 1.0), ("b", 0.9), ("c", 1.1)):
        moved = shift * later if k == "c" else 0.0
        own = weight + (loading * later if k == "c" else 0.0)
        columns[k] = 5 + own * levels + moved + 0.5 * rng.normal(size=(n, waves)) + 0.3 * rng.normal(size=(n, 1))
    if flag:
        columns["z"] = np.repeat(z[:, None], waves, axis=1)
    return columns


def followed(n=300, waves=2, seed=1, **more):
    columns = population(n, waves, seed, **more)
    constructs = {"expectation": ["a", "b", "c"], "training": ["z"] if "z" in columns else []}
    return long_panel(columns, {c: names for c, names in constructs.items() if names})


def row(found, quantity, model=None):
    which = pl.col("quantity") == quantity
    return found.table.row(by_predicate=which if model is None else which & (pl.col("model") == model), named=True)


@pytest.mark.slow
def test_planted_change_is_recovered_on_average():
    """200 panels of 120 people, two waves: mean -0.5, variance 0.25, covariance 0; flags differ by 0.4."""
    found = []
    for seed in range(200):
        told = csi.change(followed(120, seed=seed, flag=0.4), "expectation", flag="z", partial=False, alpha=1e-12)
        names = ("mean_change", "variance_change", "covariance", "flag_change")
        found.append([row(told, name)["estimate"] for name in names])
    values = np.array(found)
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    assert (np.abs(values.mean(axis=0) - [-0.5, 0.25, 0.0, 0.4]) < 4 * error + 0.01).all()


@pytest.mark.slow
def test_growth_and_within_person_lags_are_recovered_on_average():
    """200 panels of 150 people: slope 0.3 (variance 0.09); within people lags of 0.4, 0.2 across and none back."""
    slopes, lags = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        slope = 0.3 + 0.3 * rng.normal(size=150)
        y = 5 + rng.normal(size=(150, 1)) + np.arange(4) * slope[:, None] + 0.4 * rng.normal(size=(150, 4))
        told = csi.change(long_panel({"e": y}, {"expectation": ["e"]}), "e", "growth", estimator=ML)
        slopes.append([row(told, "mean_slope")["estimate"], row(told, "variance_slope")["estimate"]])
        a, b = lagged_people(rng, 150, 5)
        panel = long_panel({"e": a, "p": b}, {"expectation": ["e"], "performance": ["p"]})
        told = csi.change(panel, "e", "within", beside="p", estimator=ML)
        lags.append([row(told, q, "within")["estimate"] for q in ("keeps", "from_other", "to_other")])
    error = np.std(slopes, axis=0, ddof=1) / np.sqrt(200)
    assert (np.abs(np.mean(slopes, axis=0) - [0.3, 0.09]) < 4 * error + 0.005).all()
    kept = np.array([x for x in lags if x[0] is not None], dtype=float)
    assert len(kept) > 190
    # least-squares slopes of short series are biased by about 1 / n; medians leave out the few that run off
    error = 1.25 * kept.std(axis=0, ddof=1) / np.sqrt(len(kept))
    assert (np.abs(np.median(kept, axis=0) - [0.4, 0.2, 0.0]) < 4 * error + 0.01).all()


def lagged_people(rng, n, waves):
    """Own means (correlated) and departures from them: A on A 0.4, A on B 0.2, B on B 0.3, B on A 0."""
    own = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=n)
    a, b = rng.normal(size=(2, n))
    out = []
    for _ in range(waves + 10):  # a burn-in to where departures are stationary
        a, b = 0.4 * a + 0.2 * b + 0.8 * rng.normal(size=n), 0.3 * b + 0.8 * rng.normal(size=n)
        out.append((a, b))
    one, two = (np.column_stack([x[k] for x in out[-waves:]]) + own[:, [k]] for k in (0, 1))
    return 5 + one, 5 + two


def test_an_item_that_shifts_is_set_free_and_named():
    found = csi.change(followed(600, shift=0.8), "expectation")
    assert found.ladder["verdict"].to_list() == ["baseline", "not rejected", "rejected", "partial"]
    assert found.ladder["released"][-1] == "c (intercept)"
    assert row(found, "mean_change")["estimate"] == pytest.approx(-0.5, abs=0.15)
    assert "but those of c" in found.sentences[-1].en
    assert "除 c 外" in found.sentences[-1].zh


def test_without_partial_invariance_change_is_withheld_and_what_fails_is_said():
    found = csi.change(followed(600, shift=0.8), "expectation", partial=False)
    assert found.table["estimate"].null_count() == found.table.height
    assert set(found.table["reason"]) == {"R-NOT-INVARIANT"}
    assert "intercepts differ between waves" in found.sentences[-1].en
    assert "均值不可比较" in found.sentences[-1].zh
    loaded = csi.change(followed(600, loading=-0.6), "expectation", partial=False)
    assert loaded.ladder["step"].to_list() == ["configural", "metric"]
    assert "loadings differ between waves" in loaded.sentences[-1].en


@pytest.mark.slow
def test_equal_measurement_is_rejected_about_as_often_as_alpha_says():
    """100 panels, two tests at 5 % each: about 10 % are rejected somewhere."""
    rejected = [
        "rejected" in csi.change(followed(150, seed=s), "expectation", estimator=ML, partial=False).ladder["verdict"]
        for s in range(100)
    ]
    assert 0.02 <= np.mean(rejected) <= 0.20


def test_people_who_left_are_kept_and_counted():
    columns = population(400, 2, 3)
    gone = columns["a"][:, 0] < 5  # who expected little does not come back: missing at random
    for values in columns.values():
        values[gone, 1] = np.nan
    found = csi.change(long_panel(columns, {"expectation": ["a", "b", "c"]}), "expectation")
    assert found.people == 400
    assert found.returning == pytest.approx((~gone).mean())
    assert row(found, "mean_change")["estimate"] == pytest.approx(-0.5, abs=0.12)
    assert any(n.code == "N-RETURNING" for n in found.notes)


def test_intervals_of_few_clusters_are_by_t():
    data = {"e": 5 + np.random.default_rng(3).normal(size=(96, 2))}
    place = np.array([f"c{i // 8:02d}" for i in range(96)])
    row = csi.change(long_panel(data, {"expectation": ["e"]}, cluster=place), "e").table.row(1, named=True)
    reach = stdtrit(11, 0.975) * row["std_error"]
    assert row["conf_high"] - row["estimate"] == pytest.approx(reach)
    assert row["p_value"] == pytest.approx(2 * stdtr(11, -abs(row["estimate"] / row["std_error"])))
    alone = csi.change(long_panel(data, {"expectation": ["e"]}), "e").table.row(1, named=True)
    assert alone["conf_high"] - alone["estimate"] == pytest.approx(1.959963985 * alone["std_error"])


def test_weights_and_clusters_enter():
    columns = population(300, 2, 4)
    weight = np.where(columns["a"][:, 0] > 5, 3.0, 1.0)
    constructs = {"expectation": ["a", "b", "c"]}
    plain = csi.change(long_panel(columns, constructs), "a")
    weighted = csi.change(long_panel(columns, constructs, weight=weight), "a")
    d = columns["a"][:, 1] - columns["a"][:, 0]
    assert row(plain, "mean_change")["estimate"] == pytest.approx(d.mean(), rel=1e-6)
    assert row(weighted, "mean_change")["estimate"] == pytest.approx(np.average(d, weights=weight), rel=1e-5)
    place = np.array([f"c{i // 10}" for i in range(300)])
    moved = {
        k: v + np.repeat(np.random.default_rng(1).normal(size=30), 10)[:, None] * [0, 1] for k, v in columns.items()
    }
    errors = [
        row(csi.change(long_panel(moved, constructs, **keys), "a"), "mean_change")["std_error"]
        for keys in ({}, {"cluster": place})
    ]
    assert errors[1] > 1.5 * errors[0]


def test_ids_that_are_row_numbers_are_doubted():
    rng = np.random.default_rng(5)
    found = csi.change(long_panel({"e": 5 + rng.normal(size=(200, 2))}, {"expectation": ["e"]}), "e")
    assert any(n.code == "W-IDS" for n in found.notes)
    assert not any(n.code == "W-IDS" for n in csi.change(followed(), "a").notes)


def refused(code, *words, **call):
    """What a refusal says in English and in Chinese."""
    panel = call.pop("panel", None) or followed(100)
    with pytest.raises(Problems) as error:
        csi.change(panel, call.pop("of", "expectation"), call.pop("model", None), **call)
    found = next(p for p in error.value.problems if p.code == code)
    for lang, word in zip(("en", "zh"), words, strict=True):
        assert word in found.say(lang)


def test_repeated_cross_sections_are_refused_in_the_words_of_the_manual():
    rng = np.random.default_rng(1)
    ids = [f"p{i}" for i in range(100)] + [f"p{i}" for i in range(88, 188)] + [f"p{i}" for i in range(176, 276)]
    frame = pl.DataFrame(
        {"respondent": ids, "wave": ["1"] * 100 + ["2"] * 100 + ["3"] * 100, "e": rng.normal(size=300)}
    )
    panel = panel_of(frame, {"expectation": ["e"]}, ("1", "2", "3"))
    refused(
        "E-WAVE", "change: 3 waves but only 9% of ids occur twice: a repeated cross-section.", "重复横截面", panel=panel
    )


def test_refusals():
    refused("E-WAVE", "needs at least 3", "至少需要 3 期", model="growth")
    refused("E-WAVE", 'no wave "w9"', "没有“w9”", waves=("w1", "w9"))
    refused("E-ROLE", '"exp" is no construct', "不是构念", of="exp")
    refused("E-ROLE", "beside each other", "两个构念", model="lagged")
    refused("E-ROLE", "in common", "共同题项", beside="a")
    refused("E-ROLE", "no item of its own", "不是单独的题项", flag="zz")
    refused("E-SETTING", "not a value of this setting", "不是该设置的取值", model="spiral")
    refused("E-SETTING", "must rise", "依次递增", times=(1, 0))
    refused("E-SETTING", "not between 0 and 1", "不在 0 与 1 之间", level=95)
    refused("E-WHERE", "no row has", "没有", where={"wave": "w7"})
    refused("E-BASE", "fewer than 200 people", "不足 200 人", small=200)
    refused("E-SCALE", "other than 0 and 1", "0、1 以外", flag="b", of="a")
    rare = population(100, 2, 1, flag=0.4)
    rare["z"][10:] = 0  # the difference by the flag would tell of ten people
    refused(
        "E-BASE",
        "people with the flag, or without it, answered in w1 (10), w2 (10)",
        "有标记者或无标记者不足 30 人",
        panel=long_panel(rare, {"expectation": ["a", "b", "c"], "training": ["z"]}),
        flag="z",
    )
    bare = followed(100)
    keyless = panel_of(bare.frame.drop("respondent"), {"expectation": ["a", "b", "c"]}, ("w1", "w2"))
    refused("E-WAVE", "no column of respondents", "没有受访者编号列", panel=keyless)
    twice = panel_of(pl.concat([bare.frame, bare.frame[:5]]), {"expectation": ["a", "b", "c"]}, ("w1", "w2"))
    refused("E-DUPLICATE", "5 respondents occur more than once", "5 名受访者", panel=twice)


def test_it_reads_in_both_languages():
    found = csi.change(followed(seed=2), "expectation")
    en, zh = csi.display.text(found), csi.display.text(found, "zh")
    assert "Expectation fell by" in en
    assert "mean change" in en
    assert "下降" in zh
    assert "平均变化" in zh
    assert "configural" not in zh
