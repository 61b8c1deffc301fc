"""The best plan under a budget: which level of each lever, so that the gain or its net is largest.

    max sum_lv gain_lv z_lv   with   sum_lv cost_lv z_lv <= budget,  sum_v z_lv <= 1,  z_lv in {0, 1}

gain_lv is the target's total response to lever l times what is left of the level's points at the end of the scale;
where a point of the target has a worth, worth gain_lv - cost_lv stands for gain_lv.

Letters: `L` levers, `v` levels of a lever, `x` levels of all levers, `B` draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.estimate.unrolled import on_items
from csi.importance.drivers import check_target
from csi.importance.lever_effects import draws_of, response_of
from csi.importance.lever_shifts import shifted
from csi.importance.levers import asked_of, check_levers, check_money, construct_of, obstacles, twice_moved
from csi.importance.plan_words import lines_of, sentences_of
from csi.importance.points import Asked
from csi.importance.programme import Programme, best, every_plan
from csi.importance.what_if import WhatIf, whatif
from csi.importance.what_if_words import quoted
from csi.moments.stack import Array

Levels = Mapping[str, Mapping[float, float]]
"""Lever -> points -> what they cost."""

SHOWN: Final = 5
"""Plans that are named."""


@dataclass(frozen=True, slots=True, repr=False)
class Plan(Shown):
    """The plan with the largest gain (with a worth: net) that a budget allows, and how sure that is.

    Attributes:
        chosen: lever -> points; empty where nothing may be bought, gains, or nets above 0. cost: of it. gain: points
            of the target by the model. best_share: how often it is best in the draws (None without draws, or where the
            budget buys no level).
        levels: one row per lever and level: lever, points, reached (mean points left at the end of the scale), cost,
            gain, conf_low, conf_high, per_point (cost of a point of the target: the worth from which the level pays),
            net (worth x gain - cost; null without a worth), chosen, share (of the draws whose best plan has it).
        plans: the plans that are best most often: plan (by names), cost, gain, net, share; none where the budget buys
            no level. ranked: of each of them lever -> points.
        result: the `WhatIf` of the chosen levers, the end of the target's scale and what a point costs included; None
            where none is chosen.
        target, budget, worth, level, labels, sentences, notes.
    """

    chosen: Mapping[str, float]
    cost: float
    gain: float
    best_share: float | None
    levels: pl.DataFrame
    plans: pl.DataFrame
    ranked: tuple[Mapping[str, float], ...]
    result: WhatIf | None
    target: str
    budget: float
    worth: float | None
    level: float
    labels: Mapping[str, Text]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Plan, lang: str = "en") -> str:
    """Sentences, levels, the plans that are best most often, notes."""
    return lines_of(value, lang)


def plan(
    est: Estimate,
    levers: Levels,
    budget: float,
    target: str = "satisfaction",
    *,
    worth: float | None = None,
    seed: int = 1,
) -> Plan:
    """The best plan under a budget, by integer programming, and how often it is best in the replicates.

    Every lever has levels, points with what they cost; at most one of each is bought. Gains of levers add up (what one
    brings another included); points stop at the end of the scale respondent by respondent before they count. The gain
    is maximised; where a point has a worth, worth x gain - cost, so that a level which does not pay is not bought and
    nothing is chosen where nothing pays. The draws' best plans follow the same objective.

    Parameters:
        est: a fitted model of one cell; draws come from its replicates, else (covariance models) from the normal
            distribution of its parameters. levers: construct or item -> {points: cost}. budget: what may be spent, in
            the unit of the costs. target: an endogenous construct. worth: of one point of the target, in that unit.
            seed: of draws without replicates.

    Returns:
        A `Plan`.

    Raises:
        Problems: as `whatif`; E-SETTING for levels without a cost, a cost below 0, a budget not above 0, more than one
            cell.

    Source:
        Multiple-choice knapsack: Kellerer, Pferschy & Pisinger (2004), Knapsack Problems, ch. 11; solved by HiGHS
        (scipy.optimize.milp).

    Example:
        >>> import csi
        >>> answers = {"a1": [1, 4, 7, 9, 5], "b1": [2, 5, 4, 9, 8], "c1": [1, 5, 6, 9, 5]}
        >>> model = csi.Model.parse("a =~ a1; b =~ b1; c =~ c1; c ~ a + b")
        >>> est = csi.fit(model, pl.DataFrame(answers), csi.PLS(), scale=(1, 10))
        >>> found = plan(est, {"a": {5: 20, 10: 60}, "b": {5: 10}}, budget=30, target="c")
        >>> found.chosen, found.cost
        ({'a': 5.0, 'b': 5.0}, 30.0)
    """
    check_estimate(est)
    check_target(est, target)
    if problems := [*check_levels(est, levers, target), *check_budget(est, budget), *check_money(0.0, worth)]:
        raise Problems(problems)
    est, names = on_items(est), list(levers)
    obstacles(est, [*dict.fromkeys(construct_of(est, c) for c in names), target])
    found = replace(programme_of(est, levers, target), worth=worth)
    drawn, more = draws_of(est, _asked(est, names, target), seed=seed)
    chosen = best(found, budget)
    gains = drawn @ found.spread(names)
    shares = Shares.of(found, gains, chosen, budget)
    picked = found.picked(chosen)
    cost, gain = float(found.cost[list(chosen)].sum()), float(found.gain[list(chosen)].sum())
    result = whatif(est, picked, target, cost=cost, worth=worth) if picked else None
    labels = {c: Text(est.model.label(c), est.model.label(c, "zh")) for c in (*names, target)}
    levels = _levels(found, chosen, gains, shares, est.level)
    ranked = tuple(found.picked(p) for p, _ in shares.plans[:SHOWN])
    own = () if result is None else result.notes
    whole = Plan(
        picked, cost, gain, shares.best, levels, _plans(found, shares), ranked, result, target, float(budget), worth,
        est.level, labels, (), (*own, *more, *_notes(shares)),
    )  # fmt: skip
    return replace(whole, sentences=sentences_of(whole, quoted(labels, est.model)))


@dataclass(frozen=True, slots=True)
class Shares:
    """Of draws: how often the chosen plan is best, each level is in the best one, and each plan is best."""

    best: float | None
    levels: Array
    plans: tuple[tuple[tuple[int, ...], float], ...]
    exact: bool

    @classmethod
    def of(cls, found: Programme, gains: Array, chosen: tuple[int, ...], budget: float) -> Shares:
        """Best plans of every draw of the gains (B, x); none where the budget buys no level."""
        if not found.buys(budget):
            return cls(None, np.full(len(found.cost), np.nan), (), exact=True)
        if not len(gains):
            return cls(None, np.full(len(found.cost), np.nan), ((chosen, np.nan),), exact=True)
        known = every_plan(found, budget)
        counted: dict[tuple[int, ...], int] = {}
        for one in (
            known.best_of(found.value(gains)) if known is not None else (best(found, budget, g) for g in gains[:FEW])
        ):
            counted[one] = counted.get(one, 0) + 1
        total = sum(counted.values())
        levels = np.zeros(len(found.cost))
        for one, n in counted.items():
            levels[list(one)] += n / total
        ranked = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
        return cls(counted.get(chosen, 0) / total, levels, tuple((p, n / total) for p, n in ranked), known is not None)


FEW: Final = 200
"""Draws that are solved one by one where plans are too many to be listed."""


def programme_of(est: Estimate, levers: Levels, target: str) -> Programme:
    """Costs and gains of every level."""
    lever = [c for c, levels in levers.items() for _ in levels]
    points = np.array([float(p) for levels in levers.values() for p in levels])
    cost = np.array([float(v) for levels in levers.values() for v in levels.values()])
    asked = _asked(est, list(levers), target)
    response = response_of(est, asked)[:, :-1]
    reached = np.empty(len(points))
    for x, name in enumerate(lever):
        place = list(levers).index(name)
        reached[x] = shifted(est, [asked.levers[place]], points[[x]], asked.items[place : place + 1]).rise[0, 0]
    total = response[0, -1][[list(levers).index(c) for c in lever]]
    return Programme(tuple(lever), points, reached, cost, total * reached)


def _asked(est: Estimate, names: list[str], target: str) -> Asked:
    """Of the levers and the target alone."""
    asked = asked_of(est, names, target)[1]
    return replace(asked, told=(*asked.levers, asked.target))


def check_levels(est: Estimate, levers: object, target: str) -> list[Problem]:
    """What is wrong with levels and their costs, all at once."""
    do = Text(
        'Give every level a cost of at least 0 (--lever quality=5:20,10:60, levers={"quality": {5: 20, 10: 60}}).',
        "请为每个水平给出不小于 0 的成本（--lever quality=5:20,10:60，levers={“quality”: {5: 20, 10: 60}}）。",
    )
    if not isinstance(levers, Mapping) or not levers:
        return check_levers(est, levers, target)
    out = []
    for name, levels in levers.items():
        if not isinstance(levels, Mapping) or not levels:
            en, zh = f"{name}: levels with their costs were expected.", f"{name}：应给出各水平及其成本。"
            out.append(problem("E-SETTING", "levers", en, zh, do.en, do.zh))
            continue
        for points, cost in levels.items():
            out += check_levers(est, {name: points}, target)
            if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost < np.inf:
                en, zh = (
                    f"{name}: {cost} is no cost of {points} points.",
                    f"{name}：{cost} 不是 {points} 分的有效成本。",
                )
                out.append(problem("E-SETTING", "levers", en, zh, do.en, do.zh))
    return list(dict.fromkeys(out)) or twice_moved(est, [str(name) for name in levers], target)


def check_budget(est: Estimate, budget: object) -> list[Problem]:
    """What is wrong with the budget, or with an estimate of many cells."""
    out = []
    if isinstance(budget, bool) or not isinstance(budget, int | float) or not 0 < budget < np.inf:
        en, zh = f"a budget is a number above 0, not {budget}.", f"预算应为正数，而不是 {budget}。"
        out.append(
            problem(
                "E-SETTING",
                "budget",
                en,
                zh,
                "Give a budget (--budget 100, budget=100).",
                "请给出预算（--budget 100，budget=100）。",
            )
        )
    if (cells := len(est.moments.n)) != 1:
        en, zh = f"a plan is of one cell; the estimate has {cells}.", f"方案只针对一个单元；该估计有 {cells} 个。"
        out.append(problem("E-SETTING", "estimate", en, zh, "Fit the cell by itself.", "请单独拟合该单元。"))
    return out


def _levels(found: Programme, chosen: tuple[int, ...], gains: Array, shares: Shares, level: float) -> pl.DataFrame:
    """One row per lever and level."""
    x = len(found.cost)
    low, high = np.full((2, x), np.nan)
    if len(gains):
        low, high = np.nanquantile(gains, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(found.gain > 0, found.cost / found.gain, np.nan)
    frame = pl.DataFrame(
        {
            "lever": list(found.lever), "points": found.points, "reached": found.reached, "cost": found.cost,
            "gain": found.gain, "conf_low": low, "conf_high": high, "per_point": each, "net": _net(found),
            "chosen": [k in chosen for k in range(x)], "share": shares.levels,
        }
    )  # fmt: skip
    return frame.with_columns(pl.col("conf_low", "conf_high", "per_point", "net", "share").fill_nan(None))


def _net(found: Programme) -> Array:
    """(x,) worth x gain - cost; NaN without a worth."""
    return np.full(len(found.cost), np.nan) if found.worth is None else found.value(found.gain)


def _plans(found: Programme, shares: Shares) -> pl.DataFrame:
    """The plans that are best most often."""
    each = (found.cost, found.gain, _net(found))
    rows = [(found.named(p), *(float(v[list(p)].sum()) for v in each), share) for p, share in shares.plans[:SHOWN]]
    schema = {"plan": pl.String, **dict.fromkeys(("cost", "gain", "net", "share"), pl.Float64)}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("share").fill_nan(None))
    return frame if found.worth is not None else frame.with_columns(net=pl.lit(None, pl.Float64))


def _notes(shares: Shares) -> tuple[Note, ...]:
    """How plans were found and counted."""
    en, zh = (
        "gains of levers add up; at most one level of each is bought.",
        "各杠杆的增益相加，每个杠杆至多选一个水平。",
    )
    out = [note("N-PLAN", en, zh)]
    if not shares.exact:
        en = f"plans are too many to be listed: shares are of {FEW} draws, each solved by itself."
        out.append(note("N-PLAN-DRAWS", en, f"方案过多，无法逐一列出：占比来自 {FEW} 次抽样，逐次求解。"))
    return tuple(out)
