"""Cox's model, its errors by the design and its check: R survival's numbers, statsmodels', and finite differences."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from csi.inference.partial_likelihood import Observed, cox, proportional, score_rows
from csi.inference.survival_curves import design_error, design_test

HERE = runpy.run_path(str(Path(__file__).parents[1] / "behaviour" / "made_spells.py"))
EXPECTED, ROWS = HERE["EXPECTED"]["made"], HERE["made"]()
N = ROWS.height
X = ROWS.select("x", "z").to_numpy()
CLOSE = {"rel": 1e-7, "abs": 1e-9}


def seen(*, late: bool, weighted: bool) -> Observed:
    entry = ROWS["entry"].to_numpy() if late else np.zeros(N)
    weight = ROWS["weight"].to_numpy() if weighted else np.ones(N)
    return Observed(entry, ROWS["time"].to_numpy(), ROWS["event"].to_numpy(), weight)


@pytest.mark.parametrize(("case", "late"), [("plain", False), ("late", True)])
def test_slopes_errors_and_check_are_those_of_r(case: str, late: bool) -> None:
    fit, known = cox(X, seen(late=late, weighted=False)), EXPECTED[case]
    assert fit is not None
    assert fit.slopes == pytest.approx(known["slopes"], **CLOSE)
    assert fit.of_model().std_error == pytest.approx(known["model_error"], **CLOSE)
    assert [fit.null, fit.loglik] == pytest.approx(known["loglik"], **CLOSE)
    assert proportional(fit).statistic == pytest.approx(known["chisq"], rel=1e-6)


@pytest.mark.parametrize("case", ["weighted", "clustered"])
def test_errors_by_the_design_are_those_of_r_but_for_the_count_of_units(case: str) -> None:
    """R adds squared residuals of units; the design's variance is u / (u - 1) of it (Binder)."""
    fit, known = cox(X, seen(late=True, weighted=True)), EXPECTED[case]
    assert fit is not None
    unit = np.arange(N) if case == "weighted" else ROWS["id"].to_numpy()
    units = len(np.unique(unit))
    found = fit.of_design(unit, np.zeros(units, dtype=np.int64))
    assert fit.slopes == pytest.approx(known["slopes"], **CLOSE)
    assert found.std_error * np.sqrt((units - 1) / units) == pytest.approx(known["robust_error"], **CLOSE)
    assert found.df.tolist() == [units - 1] * 2
    assert fit.of_model().std_error == pytest.approx(known["model_error"], **CLOSE)


def test_statsmodels_agrees_where_it_counts_entries_as_others_do() -> None:
    """PHReg has rows at risk at their entry itself: moved by half a unit it says the same as R and as this."""
    from statsmodels.duration.hazard_regression import PHReg  # noqa: PLC0415 - slow to load

    o = seen(late=True, weighted=False)
    entry = np.where(o.entry > 0, o.entry + 0.5, 0.0)
    other = PHReg(o.time, X, status=o.event.astype(int), entry=entry, ties="efron").fit()
    fit = cox(X, o)
    assert fit is not None
    assert fit.slopes == pytest.approx(other.params, rel=1e-5, abs=1e-6)
    assert fit.of_model().std_error == pytest.approx(other.bse, rel=1e-5)


def test_scores_add_up_to_the_slope_of_the_likelihood() -> None:
    o, at = seen(late=True, weighted=True), np.array([0.3, -0.2])
    fit = cox(X, o)
    assert fit is not None
    assert fit.scores().sum(axis=0) == pytest.approx([0, 0], abs=1e-9)

    def value(b: np.ndarray) -> float:
        from csi.inference.partial_likelihood import _at  # noqa: PLC0415 - what is differentiated

        return _at(X, b, o)[0]

    step = 1e-6 * np.eye(2)
    near = [(value(at + s) - value(at - s)) / 2e-6 for s in step]
    assert score_rows(X, at, o).sum(axis=0) == pytest.approx(near, rel=1e-6)


def test_shift_scale_and_order_of_rows_do_not_matter() -> None:
    o = seen(late=True, weighted=True)
    one = cox(X, o)
    order = np.random.default_rng(1).permutation(N)
    mixed = Observed(*(v[order] for v in (o.entry, o.time, o.event, o.weight)))
    two = cox(1e4 + 1e-3 * X[order], mixed)
    assert one is not None
    assert two is not None
    assert two.slopes == pytest.approx(1e3 * one.slopes, rel=1e-6)


@pytest.mark.parametrize("bad", ["same", "twice", "apart"])
def test_no_finite_slopes_are_no_fit(bad: str) -> None:
    o = seen(late=False, weighted=False)
    columns = {
        "same": np.ones((N, 1)), "twice": np.column_stack([X[:, 0], 2 * X[:, 0]]),
        "apart": o.event[:, None].astype(float),
    }  # fmt: skip
    assert cox(columns[bad], o) is None


def test_curve_and_test_by_the_design_are_those_of_r() -> None:
    known, o = EXPECTED["km_weighted"], seen(late=True, weighted=True)
    unit = ROWS["id"].to_numpy()
    units = len(np.unique(unit))
    error, _ = design_error(o, unit, np.zeros(units, dtype=np.int64))
    at = np.searchsorted(o.times, known["time"], side="right") - 1
    assert o.survival()[at] == pytest.approx(known["survival"], **CLOSE)
    assert error[at] * np.sqrt((units - 1) / units) == pytest.approx(known["std_error"], rel=1e-7)
    chi2, df, _ = design_test(ROWS["group"].to_numpy(), seen(late=False, weighted=False), unit,
                              np.zeros(units, dtype=np.int64))  # fmt: skip
    assert df == 2
    centred = chi2 * units / (units - 1)  # R does not take the mean of units off: q = c / (1 + c / u)
    assert centred / (1 + centred / units) == pytest.approx(EXPECTED["robust_score"], rel=1e-6)
