"""Modification indices against lavaan 0.6-14: absolute 1e-4, large ones 1e-5 of themselves; EPC likewise."""

from __future__ import annotations

import numpy as np
import pytest

from csi.measures.modification import modification_indices
from tests.sem.lavaan_cases import CASES, fitted, key_of, keys_of, numbers, params, saved_of

WITH = [c for c in CASES if "modification_indices" in saved_of(c.folder, c.record)]


def test_there_are_cases():
    assert len(WITH) > 10


@pytest.mark.parametrize("case", params(WITH))
def test_modification_indices(case):
    saved = saved_of(case.folder, case.record)
    table = saved["modification_indices"]
    theirs = np.stack([numbers(table[k]) for k in ("mi", "epc", "sepc_all")], axis=1)
    ours = {
        key_of(f"{r['lhs']} {r['op']} {r['rhs']}", r["group"] or ""): (r["mi"], r["epc"], r["sepc_all"])
        for r in modification_indices(fitted(case)).iter_rows(named=True)
    }
    names = keys_of(saved, "modification_indices")
    absent = [n for n in names if n not in ours]
    assert not absent
    found = np.array([ours[n] for n in names], dtype=float)
    close = np.isclose(found, theirs, rtol=1e-5, atol=1e-4, equal_nan=True)
    bad = [(names[i], found[i].tolist(), theirs[i].tolist()) for i in np.flatnonzero(~close.all(axis=1))]
    assert not bad, f"{len(bad)} of {len(names)}: {bad[:5]}"
