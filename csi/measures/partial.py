"""Partial invariance: which equality to release next, by score tests of the step that failed.

X2 = the expected fall of chi-square when one parameter may differ over groups; EPC = its expected change
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import chdtrc

from csi.estimate.estimate import Estimate
from csi.measures.ladder import Key, Step
from csi.measures.modification import modification_indices
from csi.measures.score_tests import single_tests
from csi.measures.tidy import number_column
from csi.models.nouns import Claim

KEPT = 2
"""Items per construct that stay invariant: the fewest that can hold its scale and origin (Byrne et al. 1989)."""

OF: dict[Step, str] = {"thresholds": "|", "metric": "=~", "scalar": "~1", "strict": "~~"}
"""The operator of what a step holds equal."""


@dataclass(frozen=True, slots=True)
class Release:
    """A parameter set free over groups.

    Attributes:
        step: the step it was released in. key: lhs, op, rhs. group: where the test was largest. x2, p_value: its score
            test (1 df). epc: expected change of the parameter in that group, constructs having variance 1 in the first.
    """

    step: Step
    key: Key
    group: str
    x2: float
    p_value: float
    epc: float


def next_release(
    est: Estimate, step: Step, model: Claim, ordinal: Iterable[str], free: frozenset[Key]
) -> Release | None:
    """The equality of a step whose release promises most; None where none may be released.

    Parameters:
        est: the step, fitted with latents of variance 1 in the first group. ordinal: names of ordinal items.
        free: what may differ already.

    Source:
        Byrne, Shavelson & Muthén (1989), Psychological Bulletin 105(3); Yoon & Millsap (2007), Structural Equation
        Modeling 14(3) (one release at a time).
    """
    found = suspects(est, step, model, ordinal, free)
    return next((x for x in found if enough(model, free | {x.key})), None)


def suspects(
    est: Estimate, step: Step, model: Claim, ordinal: Iterable[str], free: frozenset[Key]
) -> tuple[Release, ...]:
    """Every equality that a step holds, the one whose release promises most first; parameters as in `next_release`."""
    if step not in OF:
        return ()
    found = equality_tests(est, step, set(ordinal)).filter(pl.col("op") == OF[step]).drop_nulls("x2")
    items, out = set(model.items), []
    for row in found.sort("x2", descending=True).iter_rows(named=True):
        key = (row["lhs"], row["op"], row["rhs"])
        item = key[2] if key[1] == "=~" else key[0]
        own = item in items and (key[1] != "~~" or key[0] == key[2])
        if own and key not in free:
            out.append(Release(step, key, row["group"], row["x2"], row["p_value"], row["epc"]))
    return tuple(out)


def equality_tests(est: Estimate, step: Step, ordinal: set[str]) -> pl.DataFrame:
    """Score tests of equal labels; for what an ordinal step holds equal at fixed values, modification indices.

    Returns:
        lhs, op, rhs, group, x2, p_value, epc and epc_first (of the parameter it is held equal to; 0 if that is fixed).
    """
    columns = ["lhs", "op", "rhs", "group", "x2", "epc", "epc_first"]
    tests = single_tests(est).filter(pl.col("lhs").is_not_null()).select(columns)
    if ordinal and step in {"scalar", "strict"}:
        first = est.moments.groups[0]
        fixed = modification_indices(est).filter(pl.col("lhs").is_in(ordinal), pl.col("group") != first)
        tests = pl.concat([tests, fixed.rename({"mi": "x2"}).with_columns(epc_first=0.0).select(columns)])
    x2 = tests["x2"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return tests.with_columns(p_value=number_column(chdtrc(1.0, x2)))


def enough(model: Claim, free: frozenset[Key]) -> bool:
    """Whether every construct keeps `KEPT` items with equal loadings, thresholds and intercepts."""
    differing = {k[2] if k[1] == "=~" else k[0] for k in free if k[1] != "~~"}
    constructs = [c for c in model.constructs if not set(c.items) & set(model.names)]
    touched = [c for c in constructs if differing & set(c.items)]
    return all(len(set(c.items) - differing) >= KEPT for c in touched)
