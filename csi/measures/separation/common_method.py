"""Could answers hang together because they were asked the same way? Checks of common method variance.

Letters: `p` items, `q` constructs, `n` rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.estimate.given import model_of
from csi.measures.blocks import correlations, item_cov
from csi.measures.separation.common_checks import (
    SCHEMA,
    checks,
    collinearity_of,
    first_share,
    loading_frame,
    model_frame,
    models_of,
    partials,
)
from csi.measures.separation.common_words import lines_of, sentences_of
from csi.measures.separation.factors import chained, factors_of, refitted
from csi.models.model import Model
from csi.models.nouns import Construct, Term
from csi.moments.stack import MOMENTS_ALONE, Array
from csi.pls.sum_scores import SumScores
from csi.sem.estimator import SEM

NEAR: Final = 0.3
"""A marker that correlates more than this with a construct is not unrelated to it."""


@dataclass(frozen=True, slots=True, repr=False)
class CommonMethod(Shown):
    """What the checks found.

    Attributes:
        table: check, value, limit, p_value, verdict ("raised", "doubtful", "not raised"; null with a reason), reason.
        collinearity: construct, vif (of the scores of every construct on those of all others), verdict.
        models: model, against, chi2, df, cfi, rmsea, chi2_diff, df_diff, p_value, method_share, reason.
        loadings: item, construct, loading (without a method), then with an equal and a free method factor: loading and
            method loading of each, all standardised.
        correlations: construct, other, correlation of scores, adjusted for the marker, p_value and p_adjusted; without
            rows where no marker was given.
        reasons, sentences, notes.
    """

    table: pl.DataFrame
    collinearity: pl.DataFrame
    models: pl.DataFrame
    loadings: pl.DataFrame
    correlations: pl.DataFrame
    reasons: Mapping[str, Reason]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: CommonMethod, lang: str = "en") -> str:
    """Checks, models, sentences, reasons, notes; the other frames are named."""
    return "\n".join(lines_of(value.table, value.models, value.sentences, value.reasons.values(), value.notes, lang))


def common_method(
    model: Estimate | Model | str,
    data: object = None,
    *,
    marker: str | Sequence[str] | None = None,
    estimator: SEM | None = None,
    where: Mapping[str, str] | None = None,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
) -> CommonMethod:
    """Full collinearity, a method factor, a marker, and Harman's first factor with its warning.

    None of these proves that answers are free of method variance; a check that is not raised is no evidence of absence.
    The method factor takes up whatever all items share, substance included: its share is an upper bound.

    Parameters:
        model: an estimate of one cell, or a model (or its text) to fit to `data`.
        data: a Panel or frame; None with an estimate.
        marker: items of a scale in `data` that should have nothing to do with the constructs, or the name of one of the
            model's constructs. estimator: `csi.SEM` settings of the factor models.
        where, weight, unit, stratum, na, scale: as in `csi.fit`.

    Returns:
        A `CommonMethod`.

    Raises:
        Problems: several cells, a marker that is not in the data or is an item of a construct, constant items.

    Source:
        Podsakoff, MacKenzie, Lee & Podsakoff (2003), J. of Applied Psychology 88(5); Kock (2015), Int. J. of
        e-Collaboration 11(4); Lindell & Whitney (2001), J. of Applied Psychology 86(1); Williams, Hartman & Cavazotte
        (2010), Organizational Research Methods 13(3); Harman (1976). Models agree with lavaan 0.6-14.

    Example:
        >>> import csi
        >>> import numpy as np
        >>> R = np.full((6, 6), 0.3) + np.kron(np.eye(2), np.full((3, 3), 0.3)) + np.eye(6) * 0.4
        >>> names = ["a1", "a2", "a3", "b1", "b2", "b3"]
        >>> found = common_method("a =~ a1 + a2 + a3; b =~ b1 + b2 + b3", csi.Moments.of(names, R, 200))
        >>> found.collinearity["vif"].round(3).to_list()
        [1.201, 1.201]
    """
    asked = _marker(model, marker)
    design = {"where": where, "weight": weight, "unit": unit, "stratum": stratum, "na": na, "scale": scale}
    whole, scored, est = _fitted(model, data, asked, estimator, design)
    name = None if asked is None else asked.name
    constructs = {c: whole[c].items for c in scored.solution.constructs}
    substantive = {c: items for c, items in constructs.items() if c != name}
    scores, names = scored.solution.score_cor[0], list(scored.solution.constructs)
    collinear = collinearity_of(scores, names, name)
    factors = factors_of(whole)
    fits = [] if est is None else models_of(est, factors, name)
    partial = partials(scores, names, name, float(scored.moments.n[0]))
    items = tuple(dict.fromkeys(i for of in substantive.values() for i in of))
    harman = first_share(correlations(item_cov(scored.moments, items))[0])
    rows, reasons = checks(collinear, fits, partial, harman, name)
    table = pl.DataFrame(rows, schema=SCHEMA)
    said = scored.notes if est is None else est.notes
    notes = (*said, *factors.notes, *_notes(scores, names, name))
    frames = model_frame(fits), loading_frame(fits, substantive)
    return CommonMethod(table, collinear, *frames, partial, reasons, sentences_of(table, partial), notes)


def _marker(model: object, marker: str | Sequence[str] | None) -> Construct | None:
    """The marker as a construct; None where none was given.

    Raises:
        Problems: E-MARKER.
    """
    if marker is None:
        return None
    claim = model.model if isinstance(model, Estimate) else model_of(model) if isinstance(model, Model | str) else None
    names = () if claim is None else claim.names
    if isinstance(marker, str) and claim is not None and marker in names:
        return claim[marker]
    items = (marker,) if isinstance(marker, str) else tuple(marker) if isinstance(marker, list | tuple) else ()
    if not items or not all(isinstance(i, str) for i in items):
        en, zh = (
            f"items or the name of a construct are expected, not {marker!r}.",
            f"应为题项或构念名称，而不是 {marker!r}。",
        )
        raise Problems(
            [problem("E-MARKER", "marker", en, zh, 'Write marker=["m1", "m2"].', '请写 marker=["m1", "m2"]。')]
        )
    taken = [i for i in items if claim is not None and i in claim.items]
    if taken:
        en = f"{', '.join(taken)} belongs to a construct of the model; a marker has nothing to do with them."
        zh = f"{'、'.join(taken)} 属于模型中的构念；标记变量应与它们无关。"
        do, do_zh = "Name other items, or the whole construct.", "请给出其他题项，或整个构念的名称。"
        raise Problems([problem("E-MARKER", "marker", en, zh, do, do_zh)])
    return Construct("marker" if "marker" not in names else "marker_", "=~", tuple(Term(i) for i in items))


def _fitted(
    model: Estimate | Model | str,
    data: object,
    marker: Construct | None,
    estimator: SEM | None,
    design: Mapping[str, Any],
) -> tuple[Model, Estimate, Estimate | None]:
    """The model with its marker, scores of its constructs, and the fit of its factors (None with fewer than two)."""
    if isinstance(model, Estimate):
        whole = model.model
        known = marker is None or marker.name in whole.names
        found = [*_one_cell(model), *([] if known else [_no_rows()]), *_two(whole)]
        if found:
            raise Problems(found)
        scored = model if model.solution.weights is not None else SumScores().solve(chained(whole), model.moments)
        factors = factors_of(whole)
        fits = len(factors.names) > 1
        return whole, scored, refitted(model, factors.model, estimator) if fits else None
    whole = model_of(model)
    if marker is not None and marker.name not in whole.names:
        whole = replace(whole, constructs=(*whole.constructs, marker))
    found = _two(whole)
    if data is None:
        en, zh = "a model needs answers to be fitted to.", "给出模型时还需给出回答数据。"
        do = "Write csi.common_method(model, data), or give an estimate."
        found.append(problem("E-SETTING", "data", en, zh, do, "请写 csi.common_method(model, data)，或给出估计结果。"))
    if found:
        raise Problems(found)
    settings = replace(estimator or SEM(), std_lv=True)
    factors = factors_of(whole)
    kept = settings.missing if settings.missing in MOMENTS_ALONE else "listwise"
    scored = fit(chained(whole), data, SumScores(missing=kept), **design)
    est = fit(factors.model, data, settings, **design) if len(factors.names) > 1 else None
    return whole, scored, est


def _two(model: Model) -> list[Problem]:
    """A problem where there are no two constructs to compare."""
    if len(chained(model).constructs) > 1:
        return []
    en, zh = "answers to two constructs or more are compared.", "需要至少两个构念的回答进行比较。"
    do, do_zh = "Name the items of another construct, or of a marker.", "请补充另一个构念或标记变量的题项。"
    return [problem("E-CONSTRUCT", "model", en, zh, do, do_zh)]


def _one_cell(est: Estimate) -> list[Problem]:
    if len(est.moments.n) == 1:
        return []
    en, zh = "these checks are of one cell.", "这些检查针对单个单元。"
    do, do_zh = "Fit one cell, with where={...}.", "请用 where={...} 拟合单个单元。"
    return [problem("E-CELLS", "estimate", en, zh, do, do_zh)]


def _no_rows() -> Problem:
    en, zh = "an estimate has no answers to items that are not in its model.", "估计结果不含模型之外题项的回答。"
    do, do_zh = "Give the model and the data in place of the estimate.", "请以模型和数据代替估计结果。"
    return problem("E-MARKER", "marker", en, zh, do, do_zh)


def _notes(scores: Array, names: list[str], marker: str | None) -> tuple[Note, ...]:
    """Harman's warning, and constructs a marker is not unrelated to."""
    en = "Harman's single factor has little power: below 50 % it does not say that there is no method variance."
    found = [note("N-HARMAN", en, "Harman 单因子检验功效很低：首个因子不足 50% 并不说明没有共同方法变异。")]
    if marker is not None and marker in names:
        own = names.index(marker)
        near = [
            (names[k], float(scores[own, k])) for k in range(len(names)) if k != own and abs(scores[own, k]) >= NEAR
        ]
        if near:
            listed = ", ".join(f"{n} {r:.2f}" for n, r in near)
            listed_zh = "、".join(f"{n} {r:.2f}" for n, r in near)
            en = f"the marker correlates with {listed}: if it is not unrelated to it, what it takes out is substance."
            zh = f"标记变量与 {listed_zh} 相关：若二者并非无关，被剔除的就是真实成分。"
            found.append(note("W-MARKER", en, zh))
    return tuple(found)
