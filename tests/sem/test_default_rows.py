"""What a model leaves out, filled up as lavaan does: free, fixed and sampled rows of small odd models.

Saved are the rows of R's lavaanify, lavaan 0.6-14 (the call is in the file), with given and with estimated observed
predictors, with and without means: "F" free, "x" given by the sample, a number where it is fixed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from csi.models.model import Model
from csi.sem.prepare import claim_of
from csi.sem.table import Rules, table_of

SAVED = json.loads((Path(__file__).parents[1] / "reference" / "defaults" / "lavaanify.json").read_text("utf-8"))


def rows_of(model: str, *, fixed_x: bool, means: bool) -> list[str]:
    """The rows as they are saved."""
    claim = claim_of(Model.parse(model))
    table = table_of(claim, Rules(fixed_x=fixed_x, means=means or bool(claim.intercepts)))
    found = []
    for row in table.rows:
        names = sorted((row.lhs, row.rhs)) if row.op == "~~" else (row.lhs, row.rhs)
        state = "x" if row.sampled else "F" if row.free else f"{row.fixed:g}"
        found.append(f"{names[0]} {row.op} {names[1]}".strip() + f" {state}")
    return sorted(found)


@pytest.mark.parametrize("case", SAVED["cases"], ids=lambda case: case["model"])
def test_defaults_are_those_of_lavaan(case):
    for name, expected in case["rows"].items():
        given, means = name.split(", ")
        ours = rows_of(case["model"], fixed_x=given == "fixed.x", means=means == "meanstructure")
        assert ours == expected, name
