"""Slopes by stage of a covariance model, where equal loadings stand.

    slope_s of one multi-group fit with equal loadings;  trend = sum_s c_s slope_s,  Wald test by the joint covariance

Source:
    Meredith (1993), Psychometrika 58, 525-543; Johnson, Herrmann & Huber (2006), Journal of Marketing 70(2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from csi.claims.stage_asked import Staged
from csi.claims.stage_frames import GATE, Numbers, Route, contrast
from csi.errors import Note, Text, note
from csi.estimate.fit import fit
from csi.measures.invariance import Invariance, invariance
from csi.sem.estimator import SEM
from csi.sem.fitted import Fitted, fitted

STANDS = ("not rejected", "equivalent", "partial")
"""Verdicts of the metric step with which slopes may be compared."""


def of_covariance(rows: Staged, settings: SEM, level: float, *, partial: bool) -> Route:
    """The ladder first, then slopes and trends."""
    gate = invariance(
        rows.model, rows.panel, "stage", settings, steps=("configural", "metric", "scalar"), partial=partial,
        alpha=1 - level,
    )  # fmt: skip
    verdict = _verdict(gate)
    steps = pl.DataFrame(_steps(gate), schema=GATE, orient="row")
    notes = (_told(gate), *gate.notes)
    if verdict not in STANDS:
        return Route(None, steps, (_named(rows, settings, level),), notes)
    freed = gate.releases.filter(step="metric")
    free = tuple(dict.fromkeys(" ".join(r) for r in freed.select("lhs", "op", "rhs").rows()))
    numbers, said = numbers_of(rows, settings, free, level)
    return Route(numbers, steps, (), (*notes, *said))


def numbers_of(rows: Staged, settings: SEM, free: Sequence[str], level: float) -> tuple[Numbers, tuple[Note, ...]]:
    """Slopes and trends of one fit with equal loadings but for those set free; its notes."""
    est = fit(rows.model, rows.panel, replace(settings, groups="stage", equal=("loadings",), free=tuple(free)))
    return _numbers(fitted(est), rows.stages, level), est.notes


def _verdict(gate: Invariance) -> str:
    """The last word on equal loadings."""
    said = gate.table.filter(step="metric")["verdict"].to_list()
    return str(said[-1]) if said else "not tested"


def _steps(gate: Invariance) -> list[tuple[object, ...]]:
    """Step by step: chi-square difference and verdict."""
    columns = ("step", "delta_chi2", "delta_df", "delta_p", "verdict")
    return [(s, "", "", "", x, d, p, v, None) for s, x, d, p, v in gate.table.select(columns).iter_rows()]


def _named(rows: Staged, settings: SEM, level: float) -> Text:
    """That equal loadings are rejected, and the items that differ."""
    again = invariance(
        rows.model, rows.panel, "stage", settings, steps=("configural", "metric"), partial=True, alpha=1 - level
    )
    items = list(dict.fromkeys(again.releases.filter(step="metric")["rhs"].to_list()))
    book = rows.panel.codebook
    en, zh = ("equal loadings are rejected", "载荷相等被拒绝")
    if items:
        en += f"; what differs most: {', '.join(book.label(i, 'en') for i in items)}"
        zh += f"；差异最大的题项：{'、'.join(book.label(i, 'zh') for i in items)}"
    return Text(en, zh)


def _told(gate: Invariance) -> Note:
    """What was compared on which ground."""
    said = dict(gate.table.select("step", "verdict").rows())
    words = {
        "baseline": Text("baseline", "基准"), "not rejected": Text("not rejected", "未拒绝"),
        "equivalent": Text("equivalent", "等效"), "partial": Text("partial", "部分成立"),
        "rejected": Text("rejected", "拒绝"),
    }  # fmt: skip
    none = Text("not tested", "未检验")
    metric, scalar = (words.get(str(said.get(s)), none) for s in ("metric", "scalar"))
    en = f"metric step: {metric.en}; scalar step: {scalar.en}. Slopes are compared on equal loadings, means of "
    en += "stages on equal intercepts alone; not rejected is not proven."
    zh = f"度量步骤：{metric.zh}；标量步骤：{scalar.zh}。斜率比较以等载荷为前提，阶段均值比较还须等截距；"
    return note("N-STAGE-GATE", en, f"{zh}未拒绝不等于成立。")


def _numbers(found: Fitted, stages: Sequence[str], level: float) -> Numbers:
    """Slopes of the first cell by stage, and their trends."""
    names = [g.name for g in found.groups]
    table = zip(found.layout.table.rows, found.layout.table.index, strict=True)
    at = {(r.lhs, r.rhs, names[int(str(r.group))]): i for r, i in table if r.op == "~" and i >= 0}
    paths = tuple(dict.fromkeys((y, x) for y, x, _ in at))
    where = np.array([[at[y, x, s] for y, x in paths] for s in stages])
    b, V = found.theta[0][where], found.vcov[0]
    errors = np.sqrt(np.diagonal(V))[where]
    reach, c = float(ndtri(0.5 + level / 2)), contrast(len(stages))
    trend = c @ b
    error = np.array([np.sqrt(c @ V[np.ix_(w, w)] @ c) for w in where.T])
    p = 2 * ndtr(-np.abs(trend / error))
    return Numbers(
        paths, b, errors, b - reach * errors, b + reach * errors, trend, error, trend - reach * error,
        trend + reach * error, np.asarray(p), {},
    )  # fmt: skip
