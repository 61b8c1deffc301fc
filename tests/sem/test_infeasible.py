"""Constraints that no parameters meet: not converged, by name; those that can be met are."""

import numpy as np
import pytest

import csi
from csi.measures.bounded import Refit, of_refit

COV = [[1.36, 0.41, 0.58], [0.41, 1.38, 0.45], [0.58, 0.45, 1.28]]
MODEL = "f =~ x1 + a*x2 + b*x3"


def fitted(constraints: str) -> csi.Estimate:
    return csi.fit(f"{MODEL}\n{constraints}", csi.Moments.of(["x1", "x2", "x3"], COV, 301), csi.SEM())


@pytest.mark.parametrize(
    ("constraints", "named"),
    [("a^2 == -1", "a^2 == -1"), ("a*b == -4\na > 0\nb > 0", "> 0"), ("exp(a) == -2\nb == 0.7", "exp(a) == -2")],
)
def test_it_is_not_converged_and_named(constraints, named) -> None:
    est = fitted(constraints)
    assert not est.convergence.converged.any()
    why = est.convergence.reasons[0]
    assert why.code == "R-CONSTRAINT"
    assert named in why.text.en
    assert named in why.text.zh
    found = csi.fit_measures(est)
    assert np.isnan(found["chi2"])
    assert found.table["reason"].unique().to_list() == ["R-CONSTRAINT"]
    told = next(f for f in csi.verify(est).findings if f.code == "E-CONVERGE")
    assert "constraint" in told.remedy.en
    assert "约束" in told.remedy.zh


@pytest.mark.parametrize(
    "constraints", ["exp(exp(9*a)) > exp(exp(a*b)) + exp(exp(4*b))\nexp(a) == -3", "exp(exp(a)) == -2"]
)
def test_a_search_that_runs_out_of_numbers_ends(constraints) -> None:
    assert fitted(constraints).convergence.reasons[0].code == "R-CONSTRAINT"


def test_it_cannot_be_compared() -> None:
    found = csi.lrt(free=fitted(""), held=fitted("a^2 == -1"))
    row = found.table.row(1, named=True)
    assert (row["chi2"], row["aic"], row["p_value"], row["reason"]) == (None, None, None, "R-CONVERGE")
    assert found.table["aic"][0] == pytest.approx(csi.fit_measures(fitted(""))["aic"])
    assert "没有解" in found.reasons["R-CONVERGE"].say("zh")


@pytest.mark.parametrize("constraints", ["a*b == 0.4", "a*b > 0.9\na > 0\nb > 0", "a^2 + b^2 < 0.5"])
def test_one_that_can_be_met_is(constraints) -> None:
    est = fitted(constraints)
    assert est.convergence.converged.all()
    a, b = (est.table.filter(rhs=item, op="=~")["estimate"][0] for item in ("x2", "x3"))
    left = {"a*b == 0.4": abs(a * b - 0.4), "a^2 + b^2 < 0.5": a**2 + b**2 - 0.5}.get(constraints, 0.9 - a * b)
    assert left == pytest.approx(0.0, abs=1e-7)


def test_a_bounded_fit_that_is_far_worse_is_not_recommended() -> None:
    est = fitted("a*b == 0.4")

    def told(before: float, after: float) -> str:
        refit = Refit(
            0, "pos.var", converged=True, chi2=(before, after), df=3, at_bound=("f ~~ f",), moved=(), estimate=est
        )
        return of_refit(refit, "", ()).say("en")

    assert "report the bounded fit" in told(50.0, 51.0)
    assert "Report both fits" in told(50.0, 55.0)
    assert "do not report" in told(50.0, 5000.0)
    assert "without bounds the search did not settle" in told(np.nan, 5000.0)
    assert "do not report" in told(np.nan, 5000.0)
