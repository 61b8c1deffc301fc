import pytest

from csi.errors import Problems
from csi.models.model import Constraint, Construct, Defined, Intercept, Model, Modifier, Path, Scaling, Term, Threshold


def test_the_four_relations():
    model = Model.parse("sat =~ s1 + s2\nuse <~ u1 + u2\nsat ~ use\ns1 ~~ s2")
    assert model.constructs[0] == Construct("sat", "=~", (Term("s1"), Term("s2")), "A")
    assert model.constructs[1] == Construct("use", "<~", (Term("u1"), Term("u2")), "B")
    assert model.paths == (Path("sat", Term("use")),)
    assert (model.covariances[0].lhs, model.covariances[0].rhs) == ("s1", Term("s2"))


@pytest.mark.parametrize(
    ("text", "modifiers"),
    [
        ("f =~ x", ()),
        ("f =~ 1*x", (Modifier(fixed=1.0),)),
        ("f =~ 0*x", (Modifier(fixed=0.0),)),
        ("f =~ -0.5*x", (Modifier(fixed=-0.5),)),
        ("f =~ a*x", (Modifier(label="a"),)),
        ("f =~ NA*x", (Modifier(free=True),)),
        ("f =~ start(0.5)*x", (Modifier(start=0.5),)),
        ("f =~ c(a1, a2)*x", (Modifier(label="a1"), Modifier(label="a2"))),
        ("f =~ c(1, NA)*x", (Modifier(fixed=1.0), Modifier(free=True))),
        ("f =~ c(NA,NA)*x + c(l, l)*x", (Modifier(label="l", free=True),) * 2),
        ("f =~ NA*x + l*x", (Modifier(label="l", free=True),)),
        ("f =~ 0.3?x", (Modifier(start=0.3),)),
        ("f =~ -0.3?a*x", (Modifier(label="a", start=-0.3),)),
        ("f =~ lower(0)*x", (Modifier(lower=0.0),)),
        ("f =~ lower(-1)*upper(1.5)*a*x", (Modifier(label="a", lower=-1.0, upper=1.5),)),
        ("f =~ upper(c(NA, 2))*x", (Modifier(), Modifier(upper=2.0))),
        ("f =~ 'a b'*x", (Modifier(label="a b"),)),
        ("f =~ start(0.3)*a*x", (Modifier(label="a", start=0.3),)),
        ("f =~ c(1, 1)*x + a*x", (Modifier(fixed=1.0, label="a"),) * 2),
        ('f =~ c("", a)*x', (Modifier(), Modifier(label="a"))),
        ('f =~ label("a b")*x', (Modifier(label="a b"),)),
    ],
)
def test_modifiers(text, modifiers):
    assert Model.parse(text).constructs[0].indicators == (Term("x", modifiers),)


def test_intercepts():
    model = Model.parse("x ~ 1; y ~ 0*1; z ~ n1*1; w ~ c(0, NA)*1 + v; u ~ 0")
    assert model.intercepts == (
        Intercept("x"),
        Intercept("y", (Modifier(fixed=0.0),)),
        Intercept("z", (Modifier(label="n1"),)),
        Intercept("w", (Modifier(fixed=0.0), Modifier(free=True))),
        Intercept("u", (Modifier(fixed=0.0),)),
    )
    assert model.paths == (Path("w", Term("v")),)


def test_definitions_and_constraints():
    model = Model.parse("y ~ a*x + b*m\nind := a * b\ntotal:=ind+(a-1)^2/exp(b)\na==b\na > 0\na + b < 1")
    assert model.defined == (Defined("ind", "a*b"), Defined("total", "ind + (a - 1)^2/exp(b)"))
    assert model.constraints == (Constraint("a", "==", "b"), Constraint("a", ">", "0"), Constraint("a + b", "<", "1"))


def test_constraints_with_equality_are_the_same_as_without():
    model = Model.parse("y ~ a*x; a <= 1; a >= 0")
    assert model.constraints == (Constraint("a", "<", "1"), Constraint("a", ">", "0"))


def test_thresholds_and_scaling_factors():
    model = Model.parse("f =~ u1 + u2; u1 + u2 | 0*t1 + t2; u1 ~*~ 1*u1\nu2 |\n c(a, b)*t3")
    assert model.thresholds == (
        Threshold("u1", "t1", (Modifier(fixed=0.0),)),
        Threshold("u1", "t2"),
        Threshold("u2", "t1", (Modifier(fixed=0.0),)),
        Threshold("u2", "t2"),
        Threshold("u2", "t3", (Modifier(label="a"), Modifier(label="b"))),
    )
    assert model.scalings == (Scaling("u1", (Modifier(fixed=1.0),)),)


def labels(model):
    return [[m.label for m in t.modifiers] for c in model.constructs for t in c.indicators]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("f =~ x1 + x2 + equal('f=~x2')*x3", [[], ["f=~x2"], ["f=~x2"]]),
        ("f =~ x1 + equal('f =~ x3')*x2 + x3", [[], ["f=~x3"], ["f=~x3"]]),
        ("f =~ x1 + a*x2 + equal('f=~x2')*x3 + equal('f=~x3')*x4", [[], ["a"], ["a"], ["a"]]),
        ("f =~ x1 + equal('f=~x3')*x2 + equal('f=~x4')*x3 + b*x4", [[], ["b"], ["b"], ["b"]]),
        ("f =~ x1 + equal('f=~x3')*x2 + equal('f=~x2')*x3", [[], ["f=~x3"], ["f=~x3"]]),
        ("f =~ x1 + c(a, b)*x2 + equal(c('f=~x2', 'f=~x2'))*x3", [[], ["a", "b"], ["a", "b"]]),
        ("f =~ x1 + a*x2 + equal('')*x3", [[], ["a"], []]),
        ("f =~ x1 + a*x2 + equal('a')*x3", [[], ["a"], ["a"]]),
        ('f =~ x1 + "brand image" + equal("f =~ \'brand image\'")*x3', [[], ["f=~brand image"], ["f=~brand image"]]),
    ],
)
def test_equal_gives_two_parameters_one_label(text, found):
    assert labels(Model.parse(text)) == found


def test_equal_names_covariances_either_way_round_and_intercepts():
    model = Model.parse("y ~~ x; z ~~ equal('x ~~ y')*w; y ~ 1; x ~ equal('y ~ 1')*1")
    assert [c.rhs.modifiers[0].label for c in model.covariances] == ["y~~x", "y~~x"]
    assert [i.modifiers[0].label for i in model.intercepts] == ["y~1", "y~1"]


def test_equal_to_a_parameter_with_one_label_per_group():
    for text in ("equal('f=~x2')*c(NA, NA)*x3", "equal('f=~x2')*x3", "equal('f=~x4')*x3 + equal('f=~x2')*x4"):
        model = Model.parse(f"f =~ x1 + c(a, b)*x2 + {text}")
        assert labels(model)[2:] == [["a", "b"]] * (len(model.items) - 2)


def test_a_phantom_construct_has_no_items():
    model = Model.parse("f =~ 0; y =~ y1; y ~ f; f ~ x")
    assert model["f"] == Construct("f", "=~", ())
    assert model.observed == ("y1", "x")


def test_lines_carry_on_and_statements_share_a_line():
    text = "f =~ x1 +\n  x2\n  + x3   # the last one\n\n  + x4; g =~\n y1 ; g ~ c(a,\n b)*f"
    model = Model.parse(text)
    assert [c.items for c in model.constructs] == [("x1", "x2", "x3", "x4"), ("y1",)]
    assert model.paths[0].predictor.modifiers == (Modifier(label="a"), Modifier(label="b"))


def test_several_left_hand_sides():
    model = Model.parse("y1 + y2 ~ x + z")
    assert [(p.outcome, p.predictor.name) for p in model.paths] == [("y1", "x"), ("y1", "z"), ("y2", "x"), ("y2", "z")]


def test_names_in_chinese_and_names_with_blanks():
    model = Model.parse('满意度 =~ 总体 + "与 期望 相比"\n忠诚 =~ 推荐\n忠诚 ~ 满意度')
    assert model.names == ("满意度", "忠诚")
    assert model.items == ("总体", "与 期望 相比", "推荐")


def test_an_interaction_is_a_construct():
    model = Model.parse("a =~ a1; b =~ b1; y =~ y1; y ~ a + b + a:b")
    product = model["a:b"]
    assert (product.product_of, product.indicators) == (("a", "b"), ())
    assert model.predictors("y") == ("a", "b", "a:b")
    assert model.items == ("a1", "b1", "y1")


def test_higher_order_constructs_have_constructs_as_indicators():
    model = Model.parse("g =~ a + b; a =~ a1 + a2; b =~ b1; y =~ y1; y ~ g")
    assert model["g"].items == ("a", "b")
    assert model.items == ("a1", "a2", "b1", "y1")


def test_a_second_line_adds_to_a_construct():
    model = Model.parse("f =~ c(NA, NA)*u1 + c(l1, l1)*u1\nf =~ u2")
    assert model["f"].indicators == (Term("u1", (Modifier(label="l1", free=True),) * 2), Term("u2"))


def test_cross_loadings_are_kept():
    model = Model.parse("f =~ x1 + x2; g =~ x2 + x3")
    assert [c.items for c in model.constructs] == [("x1", "x2"), ("x2", "x3")]


def test_observed_variables_may_stand_on_paths():
    assert Model.parse("pmi ~ a*cond\nreaction ~ b*pmi + cp*cond").constructs == ()


def test_the_name_of_the_text_leads_the_message():
    with pytest.raises(Problems, match=r"model\.txt, line 1, column 7"):
        Model.parse("y ~ a b", name="model.txt")


def test_arithmetic_in_brackets_is_a_number():
    claim = Model.parse("f =~ (1/2)*x1 + (2 - 3)*x2 + c((1/4), 0.5)*x3 + start((1/5))*x4")
    one, two, three, four = (t.modifiers for t in claim.constructs[0].indicators)
    assert (one[0].fixed, two[0].fixed) == (0.5, -1.0)
    assert [m.fixed for m in three] == [0.25, 0.5]
    assert four[0].start == 0.2


@pytest.mark.parametrize(
    ("text", "en", "zh"),
    [
        ("f =~ (a/2)*x1", '"a" is a label', "“a”是标签"),
        ("f =~ (1/0)*x1", "is no finite number", "不是有限的数值"),
        ('efa("a")*f =~ x1 + x2', "exploratory blocks (efa) are not estimated.", "不估计探索性因子块（efa）。"),
        ("start(1)*f =~ x1 + x2", '"start(...)" stands left of the operator.', "“start(...)”写在运算符左边。"),
    ],
)
def test_modifiers_that_cannot_be_are_refused_by_name(text, en, zh):
    with pytest.raises(Problems) as raised:
        Model.parse(text)
    (one,) = raised.value.problems
    assert one.code == "E-MODIFIER"
    assert en in one.say("en")
    assert zh in one.say("zh")


def test_blocks_of_groups_are_refused_without_more():
    with pytest.raises(Problems) as raised:
        Model.parse("group: 1\nf =~ x1 + x2 + x3\ngroup: 2\nf =~ x1 + x2 + x3")
    assert ["blocks are not read" in p.say("en") for p in raised.value.problems] == [True, True]
