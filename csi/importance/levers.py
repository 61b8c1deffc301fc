"""Levers that are asked for: which there are, what is between them and the target, and why they cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real

import numpy as np

from csi.errors import Problem, Problems, Reason, Text, did_you_mean, problem, reason
from csi.estimate.estimate import Estimate
from csi.estimate.unrolled import on_items
from csi.importance.points import Asked, obstacle
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


def items_of(est: Estimate, target: str) -> list[str]:
    """Items that may be levers: each of one construct that leads to the target; a construct's name is no item's.

    Parameters:
        est: as given, higher-order constructs included; items of their components are none of one construct.

    Example:
        >>> import csi
        >>> m = csi.Moments.of(["x", "y"], [[1.0, 0.5], [0.5, 1.0]], n=99)
        >>> items_of(csi.fit("a =~ x; b =~ y; b ~ a", m, csi.PLS()), "b")
        ['x']
    """
    solution, known = on_items(est).solution, set(causes_of(est.model, target))
    own = zip(solution.items, solution.block.tolist(), strict=True)
    single = [i for i, j in own if solution.constructs[j] in known and solution.items.count(i) == 1]
    return [i for i in single if i not in est.model.names]


def construct_of(est: Estimate, lever: str) -> str:
    """The construct that a lever moves: itself, or the one whose item it is."""
    solution = est.solution
    return lever if lever in solution.constructs else solution.constructs[solution.block[solution.items.index(lever)]]


def twice_moved(est: Estimate, levers: Sequence[str], target: str) -> list[Problem]:
    """A construct and an item of it cannot both be levers: the item's points are part of the construct's."""
    named, items, est = set(levers), items_of(est, target), on_items(est)
    both = [(i, construct_of(est, i)) for i in levers if i in items and construct_of(est, i) in named]
    return [
        problem(
            "E-SETTING",
            "levers",
            f'"{item}" is an item of {construct}: only one of them can be a lever.',
            f"“{item}”是 {construct} 的题项，二者只能有一个作为杠杆。",
            "Raise the construct, or its items.",
            "请提高该构念，或只提高其题项。",
        )
        for item, construct in both
    ]


def check_levers(est: Estimate, levers: object, target: str) -> list[Problem]:
    """What is wrong with levers and their points, all at once."""
    if not isinstance(levers, Mapping) or not levers:
        en, zh = "no levers were given.", "没有给出杠杆构念。"
        do = 'Give points by construct or item (--raise quality=5, levers={"quality": 5}).'
        do_zh = "请按构念或题项给出分数（--raise quality=5，levers={“quality”: 5}）。"
        return [problem("E-SETTING", "levers", en, zh, do, do_zh)]
    known, out = [*causes_of(est.model, target), *items_of(est, target)], []
    for name, points in levers.items():
        if name not in known:
            out.append(_no_lever(est, name, target, known))
        elif not isinstance(points, Real) or isinstance(points, bool) or not 0 < abs(float(points)) <= MOST:
            en, zh = f"{name}: {points} is no number of points.", f"{name}：{points} 不是有效的分数。"
            do, do_zh = "Give points other than 0, at most 100 up or down.", "请给出不为 0、绝对值不超过 100 的分数。"
            out.append(problem("E-SETTING", "levers", en, zh, do, do_zh))
    return out or twice_moved(est, [str(name) for name in levers], target)


def _no_lever(est: Estimate, name: object, target: str, known: Sequence[str]) -> Problem:
    """Why a name is no lever: the target itself, not of the model, or without a way to the target."""
    solution = on_items(est).solution
    if name == target:
        en, zh = f'"{name}" is the target itself, so it is no lever.', f"“{name}”就是目标构念本身，不能作为杠杆。"
        hint = did_you_mean("", known)
    elif name not in {*est.model.names, *est.model.items, *solution.constructs, *solution.items}:
        en, zh = f'the model has no construct or item "{name}".', f"模型中没有构念或题项“{name}”。"
        hint = did_you_mean(str(name), known)
    else:
        en, zh = f'"{name}" does not lead to {target}, so it is no lever.', f"“{name}”不指向 {target}，不能作为杠杆。"
        hint = did_you_mean(str(name), known)
    return problem("E-SETTING", "levers", en, zh, hint.en, hint.zh)


def check_money(cost: object, worth: object) -> list[Problem]:
    """What is wrong with a cost and what a point is worth."""
    out, amount, each = [], _number(cost), _number(worth)
    if cost is not None and (amount is None or amount < 0):
        en, zh = f"a cost is a number of at least 0, not {cost}.", f"成本应为不小于 0 的数，而不是 {cost}。"
        out.append(
            problem(
                "E-SETTING",
                "cost",
                en,
                zh,
                "Give a cost (--cost 1000, cost=1000).",
                "请给出成本（--cost 1000，cost=1000）。",
            )
        )
    if worth is not None and (each is None or each <= 0):
        en, zh = f"what a point is worth is a number above 0, not {worth}.", f"每分价值应为正数，而不是 {worth}。"
        out.append(
            problem(
                "E-SETTING",
                "worth",
                en,
                zh,
                "Give a worth (--worth 300, worth=300).",
                "请给出每分价值（--worth 300，worth=300）。",
            )
        )
    elif worth is not None and cost is None:
        en, zh = "what a point is worth needs a cost to set it against.", "给出每分价值时还需给出成本。"
        out.append(
            problem(
                "E-SETTING", "worth", en, zh, "Give a cost too (--cost, cost=).", "请同时给出成本（--cost，cost=）。"
            )
        )
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


def asked_of(est: Estimate, levers: Sequence[str], target: str, *, held: bool = False) -> tuple[list[str], Asked]:
    """What is told of levers (themselves, what is between them and the target, the target), and whose responses.

    Parameters:
        est: on items. levers: constructs or items.
    """
    solution = est.solution
    whole = [construct_of(est, c) for c in levers]
    more = [c for c in est.model.names if c in set(whole) - set(levers)]
    way = between(est.model, whole, target)
    rest = [c for c in est.model.names if c in {*more, *way[:-1]}] + [target]
    at = [solution.constructs.index(c) for c in (*whole, *rest)]
    items = tuple(-1 if c in solution.constructs else solution.items.index(c) for c in levers)
    return [*levers, *rest], Asked(tuple(at[: len(levers)]), tuple(at), at[-1], held, items if max(items) >= 0 else ())


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
