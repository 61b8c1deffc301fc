"""Settings that name what is not there, or in lavaan's spelling; models and settings that count other groups."""

import numpy as np
import polars as pl
import pytest

import csi

MODEL = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\ng ~ f"
GROUPED = {"groups": "school", "equal": ("loadings", "intercepts")}


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    """120 rows by a formula: two correlated latents, six items, three schools."""
    i = np.arange(1, 121)
    f, g = np.sin(i), 0.5 * np.sin(i) + np.cos(2.3 * i)
    items = {f"x{j + 1}": (f if j < 3 else g) + 0.8 * np.sin((3 + j) * 1.7 * i + j) for j in range(6)}
    return pl.DataFrame({**items, "school": np.resize(["a", "b", "b"], 120), "town": np.resize(["p", "q", "r"], 120)})


def refused(model, frame, **settings):
    """(code, where, what, remedy) of every problem of a fit."""
    with pytest.raises(csi.Problems) as raised:
        csi.fit(csi.Model.parse(model), frame, csi.SEM(**settings))
    return [(p.code, p.where, p.what.en, p.remedy.en) for p in raised.value.problems]


def test_free_names_parameters_of_the_model(frame):
    found = refused(MODEL, frame, **GROUPED, free=("f =~ x99", "vis", "x2 ~ 1"))
    assert [p[:2] for p in found] == [("E-FREE", "free")] * 2
    assert found[0][2:] == ('"f =~ x99" is no parameter of the model.', 'Did you mean "f=~x3"?')
    assert "Known names" in found[1][3]


def test_a_covariance_is_free_either_way_round(frame):
    model = csi.Model.parse(MODEL + "\nx1 ~~ x4")
    settings = {"groups": "school", "equal": ("residual_covariances",)}
    df = [
        csi.fit(model, frame, csi.SEM(**settings, free=free)).extra["sem"].df
        for free in ((), ("x1 ~~ x4",), ("x4~~x1",))
    ]
    assert df == [15, 14, 14]


def test_the_ladder_refuses_free_names_too(frame):
    with pytest.raises(csi.Problems) as raised:
        csi.invariance(csi.Model.parse(MODEL), frame, "school", csi.SEM(free=("f =~ x9",), groups="school"))
    assert [p.code for p in raised.value.problems] == ["E-FREE"]


def test_modifiers_count_the_groups(frame):
    model = MODEL.replace("x2", "c(a, b)*x2").replace("~ f", "~ c(d, e)*f")
    found = refused(model, frame)
    assert [p[:2] for p in found] == [("E-MODIFIER", "f =~ x2"), ("E-MODIFIER", "g ~ f")]
    assert "the fit has one group" in found[0][2]
    found = refused(model, frame, groups="town")
    assert found[0][2] == "c(...) holds 2 entries, and the groups are 3 (p, q, r)."
    assert csi.fit(csi.Model.parse(model), frame, csi.SEM(groups="school")).convergence.converged.all()


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ({"estimator": "mlr"}, {"estimator": "MLR"}),
        ({"estimator": "wlsmv", "ordered": "x1"}, {"estimator": "WLSMV", "ordered": "x1"}),
        ({"missing": "ml"}, {"missing": "fiml"}),
        ({"missing": "direct"}, {"missing": "fiml"}),
        ({"missing": "FIML"}, {"missing": "fiml"}),
        ({"missing": "two.stage"}, {"missing": "two-stage"}),
        ({"se": "robust-huber-white"}, {"se": "robust.huber.white"}),
        ({"test": "satorra-bentler"}, {"test": "satorra.bentler"}),
        ({"test": "Yuan-Bentler-Mplus"}, {"test": "yuan.bentler.mplus"}),
        ({"information": "first-order"}, {"information": "first.order"}),
        ({"bounds": "pos_var"}, {"bounds": "pos.var"}),
        (
            {"groups": "school", "equal": ("lv.variances", "residual.covariances", "lv.covariances")},
            {"groups": "school", "equal": ("lv_variances", "residual_covariances", "lv_covariances")},
        ),
    ],
)
def test_lavaans_spelling_means_the_same(typed, means):
    assert csi.SEM(**typed) == csi.SEM(**means)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"estimator": "MLRR"}, 'estimator: "MLRR" is not a value of this setting. Did you mean "MLR"?'),
        ({"missing": "two-stages"}, 'missing: "two-stages" is not a value of this setting. Did you mean "two-stage"?'),
        ({"missing": ["fiml"]}, "missing: \"['fiml']\" is not a value of this setting. Did you mean \"fiml\"?"),
        ({"std_lv": "yes"}, 'std_lv: "yes" is neither True nor False. Write std_lv=True or std_lv=False.'),
        ({"growth": 1}, 'growth: "1" is neither True nor False. Write growth=True or growth=False.'),
        ({"fixed_x": "no"}, 'fixed_x: "no" is neither True nor False. Write fixed_x=True or fixed_x=False.'),
        ({"growth": "no"}, 'growth: "no" is neither True nor False. Write growth=True or growth=False.'),
        ({"ordered": True}, 'ordered: True holds no names. Write ordered=("u1", "u2").'),
        ({"groups": ["a"]}, "groups: ['a'] is not the name of one column. Write groups=\"school\"."),
    ],
)  # fmt: skip
def test_settings_of_the_wrong_kind_are_refused(settings, said):
    with pytest.raises(csi.Problems) as raised:
        csi.SEM(**settings)
    assert str(raised.value) == said
    assert [p.code for p in raised.value.problems] == ["E-SETTING"]


def test_flags_are_told_all_at_once():
    with pytest.raises(csi.Problems) as raised:
        csi.SEM(std_lv="yes", growth="no", meanstructure="yes", fixed_x=0)
    assert [p.where for p in raised.value.problems] == ["std_lv", "growth", "fixed_x", "meanstructure"]
