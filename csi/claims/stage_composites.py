"""Slopes by stage of composites, where MICOM's first two steps stand; trends by exchanging respondents.

    slope_s of each stage's own fit;  trend = sum_s c_s slope_s,  p by permutation of respondents over all stages

Source:
    Henseler, Ringle & Sarstedt (2016), International Marketing Review 33(3), 405-431; Chin & Dibbern (2010).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from csi.claims.stage_asked import Staged
from csi.claims.stage_frames import GATE, Numbers, Route, contrast
from csi.errors import Note, Text, note
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.estimate.protocol import Estimator
from csi.inference.bootstrap import bootstrap
from csi.inference.draws import percentiles, standard_error
from csi.inference.permutation import Statistic, permutation
from csi.measures.compared import compared
from csi.measures.group_differences import mga
from csi.measures.group_parameters import Parameter, draws_of, parameters, values_of
from csi.measures.groups_shown import Differences
from csi.measures.micom import weights_of
from csi.measures.micom_shown import Micom
from csi.moments.stack import Array


def of_composites(
    rows: Staged, settings: Estimator, level: float, *, permutations: int | None, replicates: int, seed: int
) -> Route:
    """MICOM in three steps, then slopes, pairs and trends of what may be compared."""
    est = fit(rows.model, rows.panel, settings, ["stage"])
    boot = bootstrap(est, replicates, seed, level=level)
    pairs = mga(boot, permutations, seed, alpha=1 - level)
    gate, frame = pairs.micom, pl.DataFrame(_steps(pairs.micom, pairs), schema=GATE, orient="row")
    notes = (_told(), *gate.notes, *est.notes)
    unlike = [c for c in gate.configural if not c.holds]
    if unlike:
        en, zh = "; ".join(c.what.en for c in unlike), "；".join(c.what.zh for c in unlike)
        said = Text(f"MICOM step 1 fails ({en})", f"MICOM 步骤 1 不成立（{zh}）")
        return Route(None, frame, (said,), notes, gate.least)
    chosen = [p for p in parameters(boot) if p.kind == "path"]
    why = _withheld(rows, boot, gate, chosen)
    numbers = _numbers(rows.stages, boot, chosen, gate.permutations, seed, level, why)
    return Route(numbers, frame, tuple(dict.fromkeys(why.values())), notes, gate.least)


def _steps(gate: Micom, pairs: Differences) -> list[tuple[object, ...]]:
    """Step 2 and 3 of every construct and pair of stages, then the paths of these pairs."""
    out: list[tuple[object, ...]] = []
    steps = (
        ("composition", "c", "c"),
        ("mean", "mean_difference", "mean"),
        ("variance", "log_variance_ratio", "variance"),
    )
    for row in gate.table.iter_rows(named=True):
        about = row["construct"], row["group_1"], row["group_2"]
        for step, value, p in steps:
            verdict = row["invariance"] if step == "composition" else ""
            out.append((step, *about, row[value], None, row[f"p_{p}_holm"], verdict, row[f"p_{p}"]))
    paths = pairs.table.filter(kind="path")
    for y, x, first, second, gap, p, plain in paths.select(
        "lhs", "rhs", "group_1", "group_2", "difference", "p_holm", "p_permutation"
    ).iter_rows():
        out.append(("path", f"{x} → {y}", first, second, gap, None, p, "", plain))
    return out


def _withheld(rows: Staged, est: Estimate, gate: Micom, chosen: Sequence[Parameter]) -> dict[tuple[str, str], Text]:
    """Paths that rest on constructs whose composition differs, with the item that differs most."""
    failing, untested = gate.failing(), frozenset(gate.omnibus.filter(invariance="untested")["construct"])
    out = {}
    for p in chosen:
        bad = sorted(p.needs & failing) or sorted(p.needs & untested)
        if bad:
            out[p.lhs, p.rhs] = _why(rows, est, bad, tested=bool(p.needs & failing))
    return out


def _why(rows: Staged, est: Estimate, constructs: Sequence[str], *, tested: bool) -> Text:
    """That constructs are composed otherwise, and by which item."""
    names = [rows.labels.get(c, Text(c, c)) for c in constructs]
    listed, listed_zh = ", ".join(n.en for n in names), "、".join(n.zh for n in names)
    if not tested:
        en = f"whether {listed} is composed alike at all stages could not be tested: too few permutations"
        return Text(en, f"置换次数过少，无法检验{listed_zh}在各阶段的构成是否相同")
    items = [_item(est, c) for c in constructs]
    book = rows.panel.codebook
    en = f"{listed} is not composed alike at all stages (MICOM step 2); weights differ most for "
    en += ", ".join(book.label(i, "en") for i in items)
    zh = f"{listed_zh}在各阶段的构成不同（MICOM 步骤 2）；权重差异最大的题项："
    return Text(en, zh + "、".join(book.label(i, "zh") for i in items))


def _item(est: Estimate, construct: str) -> str:
    """The item of a construct whose weight differs most between stages."""
    s = est.solution
    spread = np.ptp(weights_of(s)[:, :, s.constructs.index(construct)], axis=0)
    return s.items[int(spread.argmax())]


def _numbers(
    stages: Sequence[str],
    boot: Estimate,
    chosen: Sequence[Parameter],
    permutations: int,
    seed: int,
    level: float,
    why: Mapping[tuple[str, str], Text],
) -> Numbers:
    """Slopes and trends, all of them; `why` says which are not told."""
    groups = compared(boot)
    order = [groups.names.index(s) for s in stages]
    values = values_of(chosen, groups.est.values, groups.est.solution)[order]
    drawn = np.full((1, len(order), len(chosen)), np.nan)
    if boot.replicates is not None:
        drawn = draws_of(chosen, boot.replicates)[:, order]
    flat = drawn.reshape(len(drawn), -1)
    low, high = percentiles(flat, level)
    c = contrast(len(stages))
    trend, along = c @ values, np.einsum("s,bsk->bk", c, drawn)
    ends = percentiles(along, level)
    run = permutation(groups.est, lambda pooled: _statistic(pooled, chosen), permutations, seed)
    placed = np.zeros(len(order))
    placed[order] = c
    p = run.p_value("values", lambda x: np.abs(np.einsum("s,...sk->...k", placed, x)))
    shape = values.shape
    return Numbers(
        tuple((q.lhs, q.rhs) for q in chosen), values, standard_error(flat).reshape(shape), low.reshape(shape),
        high.reshape(shape), trend, standard_error(along), ends[0], ends[1], np.asarray(p), why,
    )  # fmt: skip


def _statistic(pooled: Estimate, chosen: Sequence[Parameter]) -> Statistic:
    """The paths of every group of a stack."""
    del pooled

    def measure(est: Estimate, c: int) -> Mapping[str, Array]:
        return {"values": values_of(chosen, est.values, est.solution).reshape(-1, c, len(chosen))}

    return measure


def _told() -> Note:
    """What paths of composites are."""
    en = "paths are those of composites, standardised within each stage, behind MICOM steps 1 and 2; trends by "
    en += "exchanging respondents over all stages, pairs of stages by exchanging those of two; not rejected is not "
    en += "proven."
    zh = "路径为合成变量在各阶段内标准化的系数，以 MICOM 步骤 1、2 为前提；趋势由在全部阶段间置换受访者检验，"
    return note("N-STAGE-GATE", en, f"{zh}成对比较由两阶段间置换检验。未拒绝不等于成立。")
