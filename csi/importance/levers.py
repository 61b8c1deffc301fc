"""Levers that are asked for: which there are, what is between them and the target, and why they cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real

import numpy as np

from csi.errors import Problem, Problems, Reason, Text, did_you_mean, problem, reason
from csi.estimate.estimate import Estimate
from csi.importance.points import obstacle
from csi.importance.separable import unreadable
from csi.inference.pooled import copies_of
from csi.measures.effects import chains
from csi.measures.tidy import unsolved
from csi.models.model import Model
from csi.sem.fitted import Fitted

MOST = 100.0


def causes_of(model: Model, target: str) -> list[str]:
    """Constructs with a chain of arrows to the target, products of constructs left out, in the model's order."""
    products = {c.name for c in model.constructs if c.product_of}
    known = {c[0] for c in chains(model) if c[-1] == target} - products
    return [c for c in model.names if c in known]


def check_levers(est: Estimate, levers: object, target: str) -> list[Problem]:
    """What is wrong with levers and their points, all at once."""
    if not isinstance(levers, Mapping) or not levers:
        en, zh = "no levers were given.", "没有给出杠杆构念。"
        do, do_zh = 'Give points by construct, such as {"quality": 5}.', "请按构念给出分数，例如 {“quality”: 5}。"
        return [problem("E-SETTING", "levers", en, zh, do, do_zh)]
    known, out = causes_of(est.model, target), []
    for name, points in levers.items():
        if name not in known:
            hint = did_you_mean(str(name), known)
            en = f'"{name}" does not lead to {target}, so it is no lever.'
            out.append(problem("E-SETTING", "levers", en, f"“{name}”不指向 {target}，不能作为杠杆。", hint.en, hint.zh))
        elif not isinstance(points, Real) or isinstance(points, bool) or not 0 < abs(float(points)) <= MOST:
            en, zh = f"{name}: {points} is no number of points.", f"{name}：{points} 不是有效的分数。"
            do, do_zh = "Give points other than 0, at most 100 up or down.", "请给出不为 0、绝对值不超过 100 的分数。"
            out.append(problem("E-SETTING", "levers", en, zh, do, do_zh))
    return out


def check_money(cost: object, worth: object) -> list[Problem]:
    """What is wrong with a cost and what a point is worth."""
    out, amount, each = [], _number(cost), _number(worth)
    if cost is not None and (amount is None or amount < 0):
        en, zh = f"a cost is a number of at least 0, not {cost}.", f"成本应为不小于 0 的数，而不是 {cost}。"
        out.append(problem("E-SETTING", "cost", en, zh, "Give cost=1000, say.", "例如 cost=1000。"))
    if worth is not None and (each is None or each <= 0):
        en, zh = f"what a point is worth is a number above 0, not {worth}.", f"每分价值应为正数，而不是 {worth}。"
        out.append(problem("E-SETTING", "worth", en, zh, "Give worth=300, say.", "例如 worth=300。"))
    elif worth is not None and cost is None:
        en, zh = "what a point is worth needs a cost to set it against.", "给出每分价值时还需给出成本。"
        out.append(problem("E-SETTING", "worth", en, zh, "Give cost= too.", "请同时给出 cost=。"))
    return out


def _number(value: object) -> float | None:
    """A finite number; None of anything else."""
    if not isinstance(value, Real) or isinstance(value, bool) or not np.isfinite(float(value)):
        return None
    return float(value)


def between(model: Model, levers: Sequence[str], target: str) -> list[str]:
    """Constructs on the way from levers to the target, the target last; levers left out.

    Example:
        >>> model = Model.parse("a =~ x; b =~ y; c =~ z; b ~ a; c ~ a + b")
        >>> between(model, ["a"], "c"), between(model, ["a", "b"], "c")
        (['b', 'c'], ['c'])
    """
    ways = [c for c in chains(model) if c[0] in levers and c[-1] == target]
    on = {name for way in ways for name in way}
    return [c for c in model.names if c in on and c not in levers and c != target] + [target]


def obstacles(est: Estimate, told: Sequence[str]) -> list[Reason | None]:
    """Per cell: why nothing is told of levers there; None where all is well.

    Raises:
        Problems: E-WHATIF where that holds for every cell.
    """
    first = _no_fit(est)
    why: list[Reason | None] = []
    for cell, lost in enumerate(unsolved(est) if first else unreadable(est, told)):
        here = first or lost
        why.append(here or next((w for name in told if (w := obstacle(est, cell, name)) is not None), None))
    if all(w is not None for w in why):
        said = next(w for w in why if w is not None)
        en, zh = f"nothing is told of levers: {said.text.en}", f"不给出杠杆分析：{said.text.zh}"
        do = "Look at csi.verify(est), mend the model or its data, and fit again."
        raise Problems(
            [problem("E-WHATIF", "estimate", en, zh, do, "请查看 csi.verify(est)，修正模型或数据后重新拟合。")]
        )
    return why


def _no_fit(est: Estimate) -> Reason | None:
    """Why an engine's solution has no index points at all."""
    for one in copies_of(est) or (est,):
        fit = one.extra.get("sem")
        if isinstance(fit, Fitted) and len(fit.groups) > 1:
            text = Text("the fit has several groups; fit each by itself.", "该拟合包含多个组，请逐组拟合。")
            return reason("several_groups", text.en, text.zh)
        if isinstance(fit, Fitted) and (
            fit.layout.table.rules.composites or any(r.op == "|" for r in fit.layout.table.rows)
        ):
            en = "items are ordinal or composites in a covariance fit: points of the scale are not those of the model."
            return reason("no_points", en, "协方差拟合中的题项为有序变量或合成变量，模型的单位不是量表分数。")
    return None
