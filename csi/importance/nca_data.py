"""What a necessary condition analysis looks at: columns of answers, or construct scores of an estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csi.errors import Note, Problems, did_you_mean, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.unrolled import unrolled
from csi.importance.robust import scores
from csi.measures.effects import chains
from csi.measures.score_rows import item_weights, rows_of, scored
from csi.moments.sample import sample_of
from csi.moments.stack import Array


@dataclass(frozen=True, slots=True)
class Answers:
    """Columns (n,) by name, NaN where there is no answer; conditions, outcome; units of scores; notes; weight (n,)."""

    columns: Mapping[str, Array]
    conditions: tuple[str, ...]
    outcome: str
    units: str = ""
    notes: tuple[Note, ...] = ()
    weight: Array | None = None

    def pair(self, condition: str) -> tuple[Array, Array]:
        """Condition and outcome of the rows that have both."""
        x, y = self.columns[condition], self.columns[self.outcome]
        both = np.isfinite(x) & np.isfinite(y)
        return x[both], y[both]

    def weights(self, condition: str) -> Array | None:
        """Weights of the rows of `pair`; None without any."""
        if self.weight is None:
            return None
        return self.weight[np.isfinite(self.columns[condition]) & np.isfinite(self.columns[self.outcome])]


def answers_of(data: object, x: Sequence[str] | None, y: str | None, na: Sequence[float] = ()) -> Answers:
    """The columns asked for.

    Raises:
        Problems: no outcome, no condition, an unknown name, the outcome among its conditions.
    """
    if y is not None and x is not None and y in x:
        en, zh = f'the outcome "{y}" is among its own conditions.', f"结果“{y}”也列为自身的条件。"
        raise Problems([problem("E-TARGET", "nca", en, zh, "Name other conditions.", "请改写其他条件。")])
    if y is None or (x is not None and not x) or (x is None and not isinstance(data, Estimate)):
        en, zh = "an outcome y and one or more other columns x are needed.", "需要一个结果 y 和一个或多个不同的条件 x。"
        do, do_zh = 'Write csi.nca(frame, x=["trust"], y="loyalty").', '请写 csi.nca(frame, x=["trust"], y="loyalty")。'
        raise Problems([problem("E-TARGET", "nca", en, zh, do, do_zh)])
    if isinstance(data, Estimate):
        return _scores(data, x, y)
    names = tuple(dict.fromkeys([*(x or ()), y]))
    sample = sample_of(data, names, missing="pairwise", na=na)
    told = tuple(n for n in sample.notes if not n.code.startswith("N-MISSING"))
    return Answers({name: sample.rows[:, k] for k, name in enumerate(names)}, names[:-1], y, "", told, sample.weight)


def _scores(est: Estimate, x: Sequence[str] | None, y: str) -> Answers:
    """Construct scores of the rows of an estimate with one cell."""
    sample = rows_of(est, "nca")
    names = est.solution.constructs
    found = [
        problem(
            "E-TARGET",
            "nca",
            f'the model has no construct "{c}".',
            f"模型中没有构念“{c}”。",
            did_you_mean(c, names).en,
            did_you_mean(c, names).zh,
        )
        for c in dict.fromkeys([y, *(x or ())])
        if c not in names
    ]
    products = {c.name for c in est.model.constructs if c.product_of}
    causes = {c[0] for c in chains(est.model) if c[-1] == y} - products
    conditions = tuple(dict.fromkeys(x)) if x is not None else tuple(c for c in names if c in causes)
    if not found and not conditions:
        en, zh = f'nothing leads to "{y}", so it has no conditions.', f"没有任何路径指向“{y}”，因此没有条件。"
        found = [problem("E-TARGET", "nca", en, zh, "Name them with x.", "请用 x 指明。")]
    if found:
        raise Problems(found)
    points, units, notes = scores(est), "0-100", tuple[Note, ...]()
    used = [names.index(c) for c in (*conditions, y)]
    below = unrolled(est.solution)
    negative = below.weights is not None and bool((below.weights[0][np.isin(below.block, used)] < 0).any())
    if negative or not np.isfinite(points[:, used]).any(axis=0).all():
        at = [est.moments.names.index(i) for i in est.solution.items]
        mean, sd = est.moments.mean[0, at], est.moments.sd[0, at]
        points, units = scored(sample, est, mean, sd, item_weights(est.solution)[0]), "standardised"
        en = "scores are standardised: the items' bounds are not known, or an outer weight is negative."
        notes = (note("N-NCA-STANDARD", en, "得分为标准化得分：题项上下限未知，或存在负的外部权重。"),)
    return Answers({c: points[:, names.index(c)] for c in (*conditions, y)}, conditions, y, units, notes, sample.weight)
