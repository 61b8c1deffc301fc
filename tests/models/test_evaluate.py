"""Values of expressions: against R, on complex arrays against finite differences, and their linear forms exactly."""

import math
from fractions import Fraction

import numpy as np
import pytest

from csi.errors import Problems
from csi.models.model import Defined, Model
from csi.models.syntax.evaluate import compile_expression, evaluate_definitions, is_linear, linear_form
from csi.models.syntax.expression import expression_of
from csi.models.syntax.linear import exact_definitions, exact_form

VALUES = {"a": -0.7, "b": 1.3, "c": 2.5, "d e": 0.25}

# eval(parse(text = x)) of R 4.2.2 with the values above
BY_R = [
    ("a*b + c", 1.5900000000000001),
    ("-a^2", -0.48999999999999994),
    ("2^-1", 0.5),
    ("-2^2*3", -12),
    ("a - b - c", -4.5),
    ("c/b/2", 0.96153846153846145),
    ("2^3^2", 512),
    ("-a*-b", -0.90999999999999992),
    ("(a + b)^2/(c - 1)", 0.24000000000000007),
    ("abs(a) + sqrt(c)*exp(-b)", 1.1309106003985452),
    ("log(c)^2 - 1e-3*a", 0.84028870531847488),
    ("a^3 - (-a)^3", -0.68599999999999983),
    ("--a", -0.69999999999999996),
    ("a/b*c", -1.346153846153846),
    ("b^a", 0.83222288357271368),
    ('1 - "d e"*b', 0.67500000000000004),
    ("abs(-c^2)", 6.25),
    ("a^2^b", math.nan),
]


@pytest.mark.parametrize(("text", "value"), BY_R)
def test_values_are_those_of_r(text, value):
    found = compile_expression(text).evaluate({n: np.array([v, v]) for n, v in VALUES.items()})
    np.testing.assert_allclose(found, [value, value], rtol=1e-15)


@pytest.mark.parametrize("text", [t for t, value in BY_R if not math.isnan(value)] + ["a^150", "a^3*abs(a)", "c^b^2"])
def test_the_complex_step_gives_the_slope(text):
    formula = compile_expression(text)
    for label, slope in formula.slopes(VALUES).items():
        h = 1e-6
        ahead, back = (formula.evaluate(VALUES | {label: VALUES[label] + s * h}) for s in (1, -1))
        np.testing.assert_allclose(slope, (ahead - back) / (2 * h), rtol=1e-6, atol=1e-9)


def test_slopes_of_known_functions():
    slopes = compile_expression("abs(a)*b^2/c").slopes({"a": [-2.0], "b": [3.0], "c": [4.0]})
    assert {n: v.item() for n, v in slopes.items()} == pytest.approx({"a": -9 / 4, "b": 3.0, "c": -18 / 16}, rel=1e-14)


@pytest.mark.parametrize("text", ["1/x", "log(x)", "x^-1", "0/x", "log(-1 - x)", "sqrt(x - 1)", "(x - 1)^0.5"])
def test_what_has_no_value_is_nan_and_nothing_is_raised(text):
    assert np.isnan(compile_expression(text).evaluate({"x": np.zeros(2)})).all()
    assert np.isnan(compile_expression(text).evaluate({"x": np.zeros(2, dtype=complex)})).all()


def test_shapes_follow_the_values():
    assert compile_expression("2").evaluate({"a": np.zeros(3)}).tolist() == [2.0, 2.0, 2.0]
    assert compile_expression("2").evaluate({}).shape == ()
    assert compile_expression("a + b").evaluate({"a": np.zeros((4, 1)), "b": np.zeros(3)}).shape == (4, 3)
    values = {"a": np.zeros(2)}
    compile_expression("a").evaluate(values)[0] = 1.0
    assert values["a"].tolist() == [0.0, 0.0]


def test_a_label_without_a_value():
    with pytest.raises(KeyError, match="b"):
        compile_expression("a*b").evaluate({"a": 1.0})


def test_a_text_that_is_no_expression():
    with pytest.raises(Problems, match='expression "a \\+"'):
        compile_expression("a +")


def test_definitions_use_one_another_in_any_order():
    model = Model.parse("m ~ a*x; y ~ b*m + c*x\nshare := ind/total; total := ind + c; ind := a*b")
    values = evaluate_definitions(model.defined, {"a": [0.5, 1.0], "b": [0.4, 2.0], "c": [0.3, -2.0]})
    assert list(values) == ["share", "total", "ind"]
    np.testing.assert_allclose(values["share"], [0.4, math.nan])


def test_ten_thousand_terms_need_no_recursion():
    text = " + ".join(["a"] * 10_000)
    assert compile_expression(text).evaluate({"a": [1.0]}) == [10_000]
    assert linear_form(text) == ({"a": 10_000.0}, 0.0)
    assert expression_of("-" * 5001 + "a").steps[-1] == ("do", "negative")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("a", ({"a": 1}, 0)),
        ("2*a - 3*(b + 1)/6 + a", ({"a": 3, "b": -0.5}, -0.5)),
        ("0.1*a + 0.2*a", ({"a": 0.3}, 0)),
        ("a - a + 0*b", ({}, 0)),
        ("-(-a)^1", ({"a": 1}, 0)),
        ("a*2^-2*sqrt(16)*abs(-3)", ({"a": 3}, 0)),
        ("log(exp(2))*a", ({"a": 2}, 0)),
        ("2.*a + .5 + 1e-3", ({"a": 2}, 0.501)),
    ],
)
def test_linear_forms(text, form):
    assert linear_form(text) == form
    assert is_linear(text)


@pytest.mark.parametrize(
    "text",
    ["a*b", "a/b", "2^a", "a^2", "exp(a)", "a/0", "a*sqrt(-1)", "1e999*a", "2^1e9*a", "a*log(0)", "a +", "9^9^9^9*a"],
)
def test_what_is_not_linear_has_no_form(text):
    assert linear_form(text) is None


def test_linear_forms_are_exact_and_agree_with_the_values():
    assert exact_form("0.1*a + 0.2*a").slopes == {"a": Fraction(3, 10)}
    for text, value in BY_R:
        form = linear_form(text)
        if form is not None:
            slopes, constant = form
            assert sum(s * VALUES[n] for n, s in slopes.items()) + constant == pytest.approx(value, rel=1e-14)


def test_definitions_are_written_out():
    defined = (Defined("d", "a - e"), Defined("e", "2*b"), Defined("q", "a*b"), Defined("r", "r + a"))
    assert linear_form("d", defined) == ({"a": 1.0, "b": -2.0}, 0.0)
    assert linear_form("q + a", defined) is None
    assert exact_definitions(defined)["r"] is None


def test_definitions_that_double_each_time_are_followed_once():
    defined = tuple(Defined(f"d{i + 1}", f"d{i} + d{i}") for i in range(200))
    assert linear_form("d200", defined) == ({"d0": 2.0**200}, 0.0)
