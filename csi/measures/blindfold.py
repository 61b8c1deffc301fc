"""Stone-Geisser's Q2 by blindfolding, and effect sizes q2: `blindfolding(est)`.

Letters: `b` cells, `q` constructs, `D` omission distance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, note, one_of, problem, reason
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.inference.replicates import Flags
from csi.inference.resample import rows_behind
from csi.measures.blindfold_rounds import Rounds, ground_of, sums_of
from csi.measures.linear_prediction import Technique, endogenous
from csi.measures.shown import part, told
from csi.measures.tidy import NO_SOLUTION, cells_of, said_once, tidy
from csi.moments.stack import Array, Sample

INSTEAD = note(
    "N-BLINDFOLD",
    "blindfolding is neither an in-sample nor an out-of-sample measure; csi.predict is preferred.",
    "Blindfolding 既非样本内也非样本外指标，建议改看 csi.predict。",
)
FEW = reason("few_for_distance", "the cell has fewer rows than the omission distance.", "该单元的行数少于省略距离。")


@dataclass(frozen=True, slots=True, repr=False)
class Blindfolding(Shown):
    """What `blindfolding` found.

    Attributes:
        table: key columns, construct, q2, sse, sso (sums of squared errors and of squared deviations of standardised
            items), reason. effects: key columns, outcome, predictor, q2_without, q2_effect, reason.
        distance. notes, reasons.
    """

    table: pl.DataFrame
    effects: pl.DataFrame
    distance: int
    notes: tuple[Note, ...]
    reasons: Mapping[str, Reason]


@text.register
def _(value: Blindfolding, lang: str = "en") -> str:
    """Q2 of the constructs, effect sizes of their predictors, notes."""
    title = Text(
        f"Q2 by blindfolding (omission distance {value.distance})", f"Blindfolding 的 Q²（省略距离 {value.distance}）"
    )
    lines = part(title, value.table.drop("sse", "sso"), lang, ".table")
    effects = part(Text("Effect sizes q2", "效应量 q²"), value.effects, lang, ".effects")
    return "\n".join([*lines, *(["", *effects] if effects else []), *told(value.reasons.values(), value.notes, lang)])


def blindfolding(
    est: Estimate, distance: int = 7, *, technique: Technique = "da", as_read: bool = False
) -> Blindfolding:
    """Cross-validated redundancy: how well omitted answers of a construct are rebuilt from its antecedents.

    Cells of a block are counted down the first item, then down the next; every D-th is omitted in a round and takes the
    mean of the answers left (under missing="em" or "pairwise" it is absent). The model is estimated anew in every
    round; omitted cells are predicted by mean_i + s_i lambda_i sum_k b_jk y_k of the round:

        Q2 = 1 - SSE / SSO,   q2 of a predictor = (Q2 - Q2 without its arrow) / (1 - Q2)

    Answers are standardised once, by all rows. Of a higher-order construct the scores of its components are omitted,
    which stand as the fit made them; answers that were absent count in neither sum.

    Parameters:
        est: a fit of composites from rows. distance: D, rounds and share 1/D omitted in each; not a divisor of the
            rows, or whole rows are omitted (noted). technique: "da" predicts from direct antecedents, "ea" from
            exogenous constructs. as_read: take the rows in the data's order, as other programs do; by default in the
            sample's own, so that the order of the data does not matter.

    Returns:
        A `Blindfolding`.

    Raises:
        Problems: no rows, products in the model, a distance below 2 or above the rows of every cell.

    Source:
        Wold (1982); Stone (1974); Geisser (1974); Chin (1998), in Modern Methods for Business Research; Tenenhaus,
        Esposito Vinzi, Chatelin & Lauro (2005), Computational Statistics & Data Analysis 48(1), 4.2.
        Agrees with semPLS 1.0.10 on mobi within 1e-6 (cells omitted, mean replacement, `as_read=True`).

    Example:
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> a = rng.standard_normal(200)
        >>> rows = np.column_stack([a, a, a]) + 0.5 * rng.standard_normal((200, 3))
        >>> frame = pl.DataFrame(rows, schema=["a1", "b1", "b2"])
        >>> est = csi.fit("A =~ a1; B =~ b1 + b2; B ~ A", frame, csi.PLS())
        >>> 0.5 < blindfolding(est).table["q2"].item() < 0.8
        True
    """
    check_estimate(est)
    found = _problems(est, distance, technique)
    if found:
        raise Problems(found)
    told, how = (*est.notes, INSTEAD), Rounds(distance, technique, as_read)
    est, sample = ground_of(est, rows_behind(est))
    names = est.solution.constructs
    sums = sums_of(est, sample, est.model, how)
    inner = [names[j] for j in endogenous(est.solution)]
    q2 = {y: _q2(sums[:, names.index(y)]) for y in inner}
    pairs = [(y, x) for y in inner for x in est.model.predictors(y) if x in names]
    without = [_without(est, sample, y, x, how) for y, x in pairs]
    at = [names.index(y) for y in inner]
    numbers = {
        "q2": np.stack([q2[y] for y in inner], axis=1),
        "sse": np.stack([sums[:, j, 0] for j in at], axis=1),
        "sso": np.stack([sums[:, j, 1] for j in at], axis=1),
    }
    less = np.stack(without, axis=1) if pairs else np.empty((len(sums), 0))
    full = np.stack([q2[y] for y, _ in pairs], axis=1) if pairs else less
    less = np.where(np.isfinite(full), less, np.nan)
    effects = {"q2_without": less, "q2_effect": (full - less) / (1 - full)}
    few = sample.cells["n"].to_numpy() < distance
    frames = [
        tidy(cells_of(est), labels, values, {"reason": [None if r is None else r.code for r in _why(values[key], few)]})
        for labels, values, key in (
            (pl.DataFrame({"construct": inner}), numbers, "q2"),
            (
                pl.DataFrame(pairs, schema={"outcome": pl.String, "predictor": pl.String}, orient="row"),
                effects,
                "q2_effect",
            ),
        )
    ]
    return Blindfolding(
        frames[0], frames[1], distance, (*told, *_divisor(sample, distance)), said_once(_why(numbers["q2"], few))
    )


def _divisor(sample: Sample, distance: int) -> tuple[Note, ...]:
    """A note where the distance divides the rows."""
    rows = [int(n) for n in sample.cells["n"] if n % distance == 0]
    if not rows:
        return ()
    en = f"{rows[0]} rows are a multiple of the omission distance {distance}: every round omits whole rows of a block,"
    en += " not single answers; another distance is customary."
    zh = f"{rows[0]} 行是省略距离 {distance} 的整数倍：每轮省略的是整行的题组，通常应换一个距离。"
    return (note("N-BLINDFOLD-ROWS", en, zh),)


def _why(values: Array, few: Flags) -> list[Reason | None]:
    """Why each of the values (b, m) is absent, cell by cell; few: (b,) cells with fewer rows than the distance."""
    whys = np.where(few, 1, 2)[:, None] * ~np.isfinite(values)
    return [(None, FEW, NO_SOLUTION)[k] for k in whys.reshape(-1)]


def _q2(sums: Array) -> Array:
    """(b,) 1 - SSE / SSO."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - sums[:, 0] / sums[:, 1], dtype=np.float64)


def _without(est: Estimate, sample: Sample, outcome: str, predictor: str, how: Rounds) -> Array:
    """(b,) Q2 of an outcome in the model without one arrow; 0 where it was the only one."""
    kept = tuple(p for p in est.model.paths if (p.outcome, p.predictor.name) != (outcome, predictor))
    if not any(p.outcome == outcome for p in kept):
        return np.zeros(sample.cells.height)
    touched = {n for p in kept for n in (p.outcome, p.predictor.name)}
    if predictor not in touched:
        kept_constructs = tuple(c for c in est.model.constructs if c.name in touched)
        model = replace(est.model, constructs=kept_constructs, paths=kept)
    else:
        model = replace(est.model, paths=kept)
    j = [c.name for c in model.constructs].index(outcome)
    return _q2(sums_of(est, sample, model, how, only=j)[:, j])


def cannot_be_omitted(est: Estimate) -> bool:
    """Whether the model has products, or higher-order constructs whose scores PLSc corrects."""
    return est.solution.spread is not None or bool(est.solution.higher and est.solution.rho is not None)


def _problems(est: Estimate, distance: int, technique: str) -> list[Problem]:
    """What keeps answers from being omitted."""
    found = one_of("technique", technique, get_args(Technique))
    if est.solution.weights is None or "sem" in est.extra:
        en, zh = "blindfolding is for composite models.", "Blindfolding 只适用于合成模型。"
        found.append(problem("E-PREDICT", "estimate", en, zh, "Fit with csi.PLS().", "请用 csi.PLS() 拟合。"))
    if cannot_be_omitted(est):
        en = "a round cannot be estimated on its own with products, or with corrected scores of components."
        zh = "模型含乘积项，或其组成构念的得分经过校正时，各轮无法单独估计。"
        found.append(problem("E-PREDICT", "model", en, zh, "Use csi.predict.", "请改用 csi.predict。"))
    sample = rows_behind(est)
    most = int(sample.cells["n"].to_numpy().max())
    if not 2 <= distance <= most:
        en = f"the omission distance lies between 2 and {most} (rows of the largest cell), not at {distance}."
        zh = f"省略距离应在 2 与 {most}（最大单元的行数）之间，而不是 {distance}。"
        use = min(7, most)
        found.append(problem("E-SETTING", "distance", en, zh, f"Use distance={use}, say.", f"例如 distance={use}。"))
    return found
