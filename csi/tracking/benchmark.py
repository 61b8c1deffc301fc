"""Every brand against a benchmark of its wave: the mean of the brands, or one of them.

Letters: `k` brands of a wave.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from csi.errors import Problem, did_you_mean, problem
from csi.moments.stack import Array, Ints
from csi.tracking.contrasts import design_df, joint_covariance
from csi.tracking.gate_applied import evidence_of, least_favourable
from csi.tracking.gate_shown import NOT_RUN, Comparable, Evidence
from csi.tracking.index import Index
from csi.tracking.league import tested, with_evidence
from csi.tracking.places import brand_of, ranked

MEAN: Final = "mean"
"""The benchmark that is the mean of the wave's brands, each with the same weight."""

WITHHELD: Final = {
    "reason": "not comparable: not all brands of the mean measure the same.",
    "reason_zh": "不可比：均值所含品牌之间的测量并不全部等同。",
}
"""Why a difference from the mean is not given."""

FEWEST: Final = 2
"""Brands that a comparison asks for."""


def benchmarked(
    index: Index,
    construct: int,
    benchmark: str = MEAN,
    small: int = 0,
    gate: Comparable | None = None,
    *,
    anyway: bool = False,
) -> pl.DataFrame:
    """Each brand's index less the benchmark of its wave, `I_b - 1/k sum_j I_j` or `I_b - I_r`, Holm within the wave.

    The mean contains the brand; standard errors are of the contrast, so that shared weights and respondents enter.

    Parameters:
        construct: its column. benchmark: "mean" or a brand. small: brands with fewer rows stay out.
        gate: as in `csi.pairwise`; a difference from a brand that is not comparable, or from a mean that contains one,
            is withheld, unless `anyway`.

    Returns:
        One row per cell of a wave with two brands: keys, benchmark (its index), then the columns of `League.pairs`
        behind its labels.
    """
    keys = [k for k in index.cells.columns if k != "n"]
    waves: Sequence[str | None] = (
        index.cells["wave"].unique(maintain_order=True).to_list() if "wave" in keys else [None]
    )
    parts = []
    for wave in waves:
        cells = np.sort(ranked(index, construct, wave, small))
        labels = [brand_of(index, int(c)) for c in cells]
        if cells.size < FEWEST or (benchmark != MEAN and benchmark not in labels):
            continue
        at = None if benchmark == MEAN else labels.index(benchmark)
        mine = np.arange(cells.size) if at is None else np.delete(np.arange(cells.size), at)
        parts.append(_wave(index, construct, cells, mine, at, gate, anyway=anyway))
    return pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(keys, pl.String))


def benchmark_problems(index: Index, benchmark: str) -> list[Problem]:
    """A benchmark that is no brand of the index."""
    brands = (
        [str(b) for b in index.cells["brand"].unique(maintain_order=True)] if "brand" in index.cells.columns else []
    )
    if benchmark == MEAN or benchmark in brands:
        return []
    hint = did_you_mean(benchmark, [MEAN, *brands])
    en, zh = f'the benchmark "{benchmark}" is not a brand.', f"基准“{benchmark}”不是品牌。"
    return [problem("E-BRAND", "benchmark", en, zh, hint.en, hint.zh)]


def _wave(
    index: Index, construct: int, cells: Ints, mine: Ints, at: int | None, gate: Comparable | None, *, anyway: bool
) -> pl.DataFrame:
    """One wave: `mine` are the brands compared, `at` the one that is the benchmark."""
    k = cells.size
    off: Array = np.full(k, 1.0 / k) if at is None else np.eye(k)[at]
    L = np.eye(k)[mine] - off
    values, covariance = index.values[cells, construct], joint_covariance(index, construct, cells)
    std_error = np.sqrt(np.maximum(((L @ covariance) * L).sum(axis=1), 0.0))
    name = index.constructs[construct]
    if at is None:
        df = np.full(k, design_df(index, construct, cells))
        known = _among(gate, index, name, cells)
    else:
        df = np.array([design_df(index, construct, cells[[i, at]]) for i in mine])
        known = [evidence_of(gate, index, name, int(cells[i]), int(cells[at])) for i in mine]
    tests = with_evidence(tested(L @ values, std_error, df, index.level, (len(df),)), known, index.level, anyway=anyway)
    if at is None:
        tests = tests.with_columns(
            pl.when(pl.col(c).is_not_null()).then(pl.lit(said)).alias(c) for c, said in WITHHELD.items()
        )
    keys = [c for c in index.cells.columns if c != "n"]
    head: pl.DataFrame = index.cells.select(keys)[cells[mine].tolist()]
    found: pl.DataFrame = pl.concat([head.with_columns(benchmark=pl.lit(float(off @ values))), tests], how="horizontal")
    return found


def _among(gate: Comparable | None, index: Index, construct: str, cells: Ints) -> list[Evidence]:
    """Of every cell against the mean the least favourable evidence among the cells; its effect is the mean of those of
    the cell's own differences.
    """
    if gate is None:
        return [NOT_RUN] * cells.size
    own = [[evidence_of(gate, index, construct, int(i), int(j)) for j in cells if j != i] for i in cells]
    verdict = least_favourable([e for every in own for e in every])
    if verdict != "after freeing":
        return [Evidence(verdict)] * cells.size
    found = [[e for e in every if e.verdict == "after freeing"] for every in own]
    items = tuple(dict.fromkeys(item for every in found for e in every for item in e.items))
    return [Evidence(verdict, items, sum(e.bias for e in every) / cells.size) for every in found]
