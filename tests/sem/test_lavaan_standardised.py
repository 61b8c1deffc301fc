"""Standard errors of standardised parameters against lavaan 0.6-14: 1e-4 of the standard error."""

from __future__ import annotations

import numpy as np
import pytest

from csi.measures.standardised import standardised
from tests.sem.lavaan_cases import CASES, fitted, key_of, keys_of, numbers, params, saved_of

WITH = [c for c in CASES if not c.ridge and "std_all_se" in saved_of(c.folder, c.record)["parameters"]]


@pytest.mark.parametrize("case", params(WITH))
@pytest.mark.parametrize("kind", ["std_lv", "std_all"])
def test_standard_errors_of_standardised_parameters(case, kind):
    saved = saved_of(case.folder, case.record)
    if f"{kind}_se" not in saved["parameters"]:
        assert case.record.startswith(("more_", "given_"))
        return
    ours = {
        key_of(f"{r['lhs']} {r['op']} {r['rhs']}", "" if r["op"] == ":=" else r["group"] or ""): r
        for r in standardised(fitted(case), kind).iter_rows(named=True)
    }
    names = keys_of(saved)
    found = np.array([[ours[n]["estimate"], ours[n]["std_error"]] for n in names], dtype=float)
    value, error = numbers(saved["parameters"][kind]), numbers(saved["parameters"][f"{kind}_se"])
    # lavaan stopped before the optimum where a record is not polished
    rest = 1e-8 if saved["polished"] else 1e-5
    told = np.array([n[1] != "~*~" for n in names])
    np.testing.assert_allclose(found[told, 1], error[told], rtol=1e-4, atol=rest)
    near = np.abs(found[:, 0] - value) <= np.maximum(1e-5 * np.abs(value), 1e-4 * error) + rest
    assert near[told].all()
