"""Constraints that contradict each other are found without data, and sound ones are let alone."""

import pytest

from csi.errors import Problems
from csi.models.check import check_model
from csi.models.constraints import constraint_problems
from csi.models.model import Constraint, Construct, Defined, Model, Modifier, Path, Term

PATHS = "y ~ a*x + b*m + c*z\n"


def refused(text):
    with pytest.raises(Problems) as caught:
        Model.parse(text)
    assert {p.code for p in caught.value.problems} == {"E-CONSTRAINT"}
    return caught.value.problems


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ("a == 1; a == 2", "a == 1; a == 2"),
        ("a == b; b == c; a == c + 1", "a == b; b == c; a == c + 1"),
        ("a + b == 1; 2*a == 3 - 2*b", "a + b == 1; 2*a == 3 - 2*b"),
        ("a > 2; a < 1", "a > 2; a < 1"),
        ("a == 1; a > b; b >= 1.5", "a == 1; a > b; b > 1.5"),
        ("a - b > 1; b - a > -0.5", "a - b > 1; b - a > -0.5"),
        ("d := a - b; d == 1; a == b", "d == 1; a == b"),
        ("d := a*b; a == 1; a == 2; d > 1", "a == 1; a == 2"),
    ],
)
def test_contradictions_name_their_lines(lines, named):
    (found,) = refused(PATHS + lines)
    assert found.what.en.splitlines()[0] == f"these constraints contradict each other: {named}."
    assert found.where.startswith("model, line 2")


@pytest.mark.parametrize("line", ["1 == 2", "a == a + 1", "a - a > 1", "2 < 1"])
def test_a_line_that_can_never_hold(line):
    (found,) = refused(PATHS + line)
    assert found.what.en.startswith("this constraint can never hold")
    assert "此约束不可能成立" in found.what.zh


def test_fixed_values_of_labels_count():
    (found,) = refused("f =~ x1 + 1*x2 + a*x2 + x3; a == 2")
    assert "a == 1 (f =~ x2); a == 2" in found.what.en
    (found,) = refused("f =~ x1 + c(1, 1)*x2 + c(a, b)*x2; a == b + 1")
    assert "a == b + 1" in found.what.en
    (found,) = refused("f =~ x1 + 1*x2 + a*x2 + 2*x3 + a*x3")
    assert "a == 1 (f =~ x2); a == 2 (f =~ x3)" in found.what.en


def test_bounds_count():
    (found,) = refused("f =~ x1 + lower(2)*upper(1)*x2")
    assert "f =~ x2 > 2; f =~ x2 < 1" in found.what.en
    (found,) = refused("f =~ x1 + lower(0)*x2 + a*x2; a < -1")
    assert "a > 0 (f =~ x2); a < -1" in found.what.en
    assert Model.parse("f =~ x1 + lower(c(0, 2))*x2 + upper(c(1, 3))*x2").constructs


@pytest.mark.parametrize(
    "lines",
    [
        "a == 1; b == a; c == 1",
        "a == 0.1 + 0.2; a == 0.3",
        "a > 1; a < 1",
        "a >= 0; a <= 0; a == 0",
        "a == b^2; a == -1",
        "a == 1; a == 1",
        "a > b; b > a",
        "3*a == 1; a == 1/3",
        "1 == 1",
    ],
)
def test_what_can_hold_is_let_alone(lines):
    assert Model.parse(PATHS + lines)


def test_each_contradiction_is_told():
    assert len(refused(PATHS + "a == 1; a == 2; b > 1; b < 0")) == 2


def test_models_not_made_from_text():
    both = (Constraint("a", "==", "1"), Constraint("a", "==", "2"))
    model = Model((), (Path("y", Term("x", (Modifier(label="a"),))),), constraints=both)
    assert [p.code for p in check_model(model)] == ["E-CONSTRAINT"]
    assert [p.where for p in constraint_problems(model)] == ["model"]
    infinite = Modifier(lower=float("-inf"), upper=float("inf"))
    assert constraint_problems(Model((Construct("f", "=~", (Term("x", (infinite,)),)),))) == []


def test_an_expression_that_cannot_be_read_is_a_problem():
    path = Path("y", Term("x", (Modifier(label="a"),)))
    (found,) = check_model(Model((), (path,), defined=(Defined("d", "a*("),)))
    assert (found.code, found.where) == ("E-SYNTAX", 'model, "a*("')
