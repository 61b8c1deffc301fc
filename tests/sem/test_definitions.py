"""Defined parameters without a value."""

import numpy as np
import pytest

import csi

COV = [[2.0, 0.9, 0.8, 0.7], [0.9, 1.5, 0.6, 0.3], [0.8, 0.6, 1.2, 0.4], [0.7, 0.3, 0.4, 1.1]]


def fitted(definition, n=200):
    model = csi.Model.parse(f"f =~ w + a*x + b*y + z\n{definition}")
    return csi.fit(model, csi.Moments.of("wxyz", COV, n=n), csi.SEM())


@pytest.mark.parametrize(
    "definition", ["d := log(-a)", "d := 1/0", "d := sqrt(a - 9)", "d := (-a)^0.5", "d := a/(b - b)"]
)
def test_a_definition_without_a_value_has_no_error_and_is_noted(definition):
    est = fitted(definition)
    last = est.table.row(-1, named=True)
    assert [last[c] for c in ("estimate", "std_error", "statistic", "p_value", "conf_low")] == [None] * 5
    (said,) = [n for n in est.notes if n.code == "N-UNDEFINED"]
    assert said.text.en.startswith(f"{definition} has no finite value (division by 0")
    assert "没有有效取值" in said.text.zh


def test_one_with_a_value_has_its_delta_method_error():
    est = fitted("d := log(a)")
    a, d = est.table.row(1, named=True), est.table.row(-1, named=True)
    assert d["estimate"] == pytest.approx(np.log(a["estimate"]))
    assert d["std_error"] == pytest.approx(a["std_error"] / a["estimate"])
    assert "N-UNDEFINED" not in [n.code for n in est.notes]
