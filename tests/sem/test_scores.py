"""Factor scores against lavaan 0.6-14 (lavPredict), and from first principles."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from csi.measures.factor_scores import factor_scores
from csi.sem.scores import Categories, posterior_modes
from tests.sem.lavaan_cases import BFI, CASES, HOLZINGER, MISSING, fitted, frame_of, numbers, saved_of

DEMOCRACY = "political_democracy/political_democracy.csv"
COMPLETE = [
    ("holzinger", "ML", HOLZINGER, {}),
    ("democracy", "ML", DEMOCRACY, {}),
    ("democracy", "ML_equal_loadings_defined", DEMOCRACY, {}),
    ("mobi", "CFA_ML", "mobi/mobi.csv", {"std_lv": True}),
    ("satisfaction", "SEM_ML", "satisfaction/satisfaction.csv", {}),
    ("growth", "growth", "demo_growth/demo_growth.csv", {"growth": True}),
    ("longitudinal", "long_scalar", "semtools/exLong.csv", {}),
    ("holzinger_missing", "FIML", MISSING, {"missing": "fiml"}),
]


@pytest.mark.parametrize("method", ["regression", "bartlett"])
@pytest.mark.parametrize(("folder", "record", "file", "settings"), COMPLETE)
def test_scores_of_the_first_rows(folder, record, file, settings, method):
    saved = saved_of(folder, record)
    est = csi.fit(csi.Model.parse(saved["syntax"]), frame_of(folder, file), csi.SEM(**settings))
    expected = saved[f"scores_{method}"]
    found = factor_scores(est, method).select(expected["names"])
    theirs = np.array([numbers(row) for row in expected["head"]])
    np.testing.assert_allclose(found.to_numpy()[: len(theirs)], theirs, rtol=0, atol=2e-6)
    np.testing.assert_allclose([found[n].std() for n in found.columns], numbers(expected["sd"]), rtol=1e-5)


def test_scores_of_groups_come_back_in_the_order_of_the_data():
    frame = frame_of("holzinger", HOLZINGER)
    model = csi.Model.parse(saved_of("holzinger", "ML_configural")["syntax"])
    settings = csi.SEM(groups="school", meanstructure=True)
    mixed = frame.sample(fraction=1.0, shuffle=True, seed=5)
    found = factor_scores(csi.fit(model, mixed, settings))
    straight = factor_scores(csi.fit(model, frame, settings))
    assert found["row"].to_list() == list(range(frame.height))
    assert found["group"].to_list() == mixed["school"].to_list()
    order = np.argsort(frame.with_row_index("at").sample(fraction=1.0, shuffle=True, seed=5)["at"].to_numpy())
    np.testing.assert_allclose(found["visual"].to_numpy()[order], straight["visual"].to_numpy(), atol=1e-6)


def test_posterior_modes_of_ordinal_items():
    place = os.environ.get("CSI_REFERENCE_DIR")
    if not place:
        pytest.skip("CSI_REFERENCE_DIR is not set: this needs the rows")
    saved = json.loads((Path(place) / "reference" / "ordinal_bfi.json").read_text("utf-8"))
    expected = saved["WLSMV_scores_EBM_first20"]
    est = fitted(next(c for c in CASES if c.id == "bfi-WLSMV"))
    found = factor_scores(est).select(expected["cols"]).to_numpy()[:20]
    # lavaan stops its search at a gradient of about 1e-5
    np.testing.assert_allclose(found, np.array(expected["values"]), atol=5e-5)
    assert len(BFI) == 25


def test_a_single_ordinal_item_by_hand():
    # a latent response of eta plus noise, both of variance 1, threshold 0: the mode is where phi / Phi equals eta
    model = Categories(
        load=np.ones((1, 1)),
        level=np.zeros(1),
        precision=np.ones((1, 1)),
        sd=np.ones(1),
        lower=np.array([[-np.inf, 0.0]]),
        upper=np.array([[0.0, np.inf]]),
        on_level=np.empty((1, 0)),
        on_items=np.empty((1, 0)),
    )
    mode = posterior_modes(model, np.array([[1], [0], [-1]]), np.empty((3, 0)))[:, 0]
    root = 0.5060545
    np.testing.assert_allclose(mode, [root, -root, 0.0], atol=1e-6)


def test_one_factor_by_hand():
    rng = np.random.default_rng(1)
    f = rng.normal(size=60)
    frame = pl.DataFrame({n: f * w + rng.normal(size=60) for n, w in zip("abc", (1.0, 0.8, 1.2), strict=True)})
    est = csi.fit(csi.Model.parse("f =~ a + b + c"), frame, csi.SEM())
    at = est.table.select(pl.concat_str("lhs", "op", "rhs"), "estimate").rows()
    v = dict(at)
    load = np.array([v["f=~a"], v["f=~b"], v["f=~c"]])
    theta = np.array([v["a~~a"], v["b~~b"], v["c~~c"]])
    z = frame.to_numpy() - frame.to_numpy().mean(axis=0)
    information = (load**2 / theta).sum()
    bartlett = z @ (load / theta) / information
    regression = z @ (load / theta) / (information + 1 / v["f~~f"])
    np.testing.assert_allclose(factor_scores(est, "bartlett")["f"].to_numpy(), bartlett, rtol=1e-8)
    np.testing.assert_allclose(factor_scores(est)["f"].to_numpy(), regression, rtol=1e-8)


def test_second_order_factors_have_scores():
    # first row of lavPredict for the model with the second-order factor g, regression scores
    text = saved_of("holzinger", "ML")["syntax"] + "\ng =~ visual + textual + speed"
    est = csi.fit(csi.Model.parse(text), frame_of("holzinger", HOLZINGER), csi.SEM())
    found = factor_scores(est).select("visual", "textual", "speed", "g").row(0)
    assert found == pytest.approx((-0.8176741, -0.1375458, 0.0615077, -0.5288499), abs=5e-6)
    assert factor_scores(est, "bartlett")["g"].is_not_null().all()


def test_moments_alone_cannot_be_scored():
    cov = np.array([[1.0, 0.5, 0.5], [0.5, 1.0, 0.4], [0.5, 0.4, 1.0]])
    est = csi.fit(csi.Model.parse("f =~ a + b + c"), csi.Moments.of("abc", cov, n=100), csi.SEM())
    with pytest.raises(Problems, match="no rows to score"):
        factor_scores(est)


def test_ordinal_items_have_no_bartlett_scores():
    est = fitted(next(c for c in CASES if c.id == "datcat-one_group"))
    with pytest.raises(Problems, match="posterior modes"):
        factor_scores(est, "bartlett")


@pytest.mark.parametrize(("theirs", "ours"), [("EBM", "regression"), ("ML", "bartlett"), ("Bartlett", "bartlett")])
def test_methods_by_lavaans_names(theirs, ours):
    answers = pl.DataFrame({"a": [1, 4, 7, 9, 5, 3], "b": [2, 4, 8, 9, 5, 5], "c": [1, 5, 6, 9, 3, 4]})
    est = csi.fit(csi.Model.parse("f =~ a + b + c"), answers, csi.SEM())
    assert factor_scores(est, theirs).equals(factor_scores(est, ours))


def test_another_method_is_named():
    answers = pl.DataFrame({"a": [1, 4, 7, 9, 5, 3], "b": [2, 4, 8, 9, 5, 5], "c": [1, 5, 6, 9, 3, 4]})
    est = csi.fit(csi.Model.parse("f =~ a + b + c"), answers, csi.SEM())
    with pytest.raises(Problems, match='Did you mean "regression"') as told:
        factor_scores(est, "regresion")
    assert told.value.problems[0].code == "E-SETTING"


# lavaan 0.6-14: f <- sem("visual =~ x1 + x2 + x3; visual ~ ageyr", HolzingerSwineford1939); lavPredict(f)[1, ] and
# lavPredict(f, method = "Bartlett")[1, ]; with "visual =~ x1 + x2 + x3; x9 ~ ageyr; visual ~ x9" and
# meanstructure = TRUE (Bartlett); with "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; x7 ~ x1" and
# meanstructure = TRUE (visual; without it lavaan's scores have mean -2.18 and the first is -3.07)
@pytest.mark.parametrize("means", [None, True])
@pytest.mark.parametrize(
    ("syntax", "method", "theirs"),
    [
        ("visual =~ x1 + x2 + x3; visual ~ ageyr", "regression", -0.7923606045),
        ("visual =~ x1 + x2 + x3; visual ~ ageyr", "bartlett", -1.159462566),
        ("visual =~ x1 + x2 + x3; x9 ~ ageyr; visual ~ x9", "bartlett", 0.6275606841),
        ("visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; x7 ~ x1", "regression", -0.8904458366),
        ("visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; x7 ~ x1", "bartlett", -1.358978372),
    ],
)
def test_observed_predictors_hand_their_means_on(syntax, method, theirs, means):
    settings = csi.SEM() if means is None else csi.SEM(meanstructure=means)
    est = csi.fit(csi.Model.parse(syntax), frame_of("holzinger", HOLZINGER), settings)
    assert factor_scores(est, method)["visual"][0] == pytest.approx(theirs, abs=1e-6)


def test_regression_scores_use_what_predicts_the_latent():
    # E(f | x9, items) = b x9 + K (items - nu - lambda b x9), K = psi lambda' (psi lambda lambda' + theta)^-1; lavaan
    # 0.6-14 has other numbers where an observed variable is explained and explains a latent (first row .952, not 1.721)
    frame = frame_of("holzinger", HOLZINGER)
    est = csi.fit(csi.Model.parse("visual =~ x1 + x2 + x3; x9 ~ ageyr; visual ~ x9"), frame, csi.SEM())
    value = {(r["lhs"], r["op"], r["rhs"]): r["estimate"] for r in est.table.iter_rows(named=True)}
    items = ("x1", "x2", "x3")
    load = np.array([value["visual", "=~", i] for i in items])
    theta = np.diag([value[i, "~~", i] for i in items])
    b, psi = value["visual", "~", "x9"], value["visual", "~~", "visual"]
    rows, x9 = frame.select(items).to_numpy(), frame["x9"].to_numpy()
    expected = b * x9
    z = rows - rows.mean(axis=0) - np.outer(expected - expected.mean(), load)
    K = np.linalg.solve(psi * np.outer(load, load) + theta, psi * load)
    np.testing.assert_allclose(factor_scores(est)["visual"].to_numpy(), expected + z @ K, atol=1e-7)
    assert factor_scores(est)["visual"][0] == pytest.approx(1.721, abs=1e-3)


def test_an_explained_predictor_speaks_of_the_latent_it_predicts():
    # R: lavPredict of the same model with x9 as the only indicator of a latent g, less the other zero of g:
    # the model is "visual =~ x1+x2+x3; g =~ x9; g ~ ageyr; visual ~ g", meanstructure = TRUE
    model = csi.Model.parse("visual =~ x1 + x2 + x3; x9 ~ ageyr; visual ~ x9")
    est = csi.fit(model, frame_of("holzinger", HOLZINGER), csi.SEM(meanstructure=True))
    found = factor_scores(est)["visual"].to_numpy()
    np.testing.assert_allclose(found[:3], [1.721224723, 2.673520763, 1.769499743], atol=1e-5)
    # E(f | y) by hand: the items' evidence and the prediction from x9, each by its precision
    value = {(r["lhs"], r["op"], r["rhs"]): r["estimate"] for r in est.table.iter_rows(named=True)}
    rows = frame_of("holzinger", HOLZINGER).to_dicts()
    items = ("x1", "x2", "x3")
    psi, slope = value["visual", "~~", "visual"], value["visual", "~", "x9"]
    ratio = {i: value["visual", "=~", i] / value[i, "~~", i] for i in items}
    precision = 1 / psi + sum(ratio[i] * value["visual", "=~", i] for i in items)
    for row, score in zip(rows, found.tolist(), strict=True):
        evidence = sum(ratio[i] * (row[i] - value[i, "~1", ""]) for i in items)
        assert score == pytest.approx((evidence + slope * row["x9"] / psi) / precision, abs=1e-9)
