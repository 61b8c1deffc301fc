"""Importance and performance of everything that leads to a target.

Letters: `p` items, `q` constructs, `b` slices of a stack, `B` replicates. Effects are [outcome, predictor].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, did_you_mean, note, problem, reason
from csi.estimate.estimate import Estimate, Solution
from csi.estimate.given import check_estimate
from csi.estimate.unrolled import on_items, unrolled
from csi.importance.drivers_words import frame_lines, sentences_of
from csi.importance.separable import unreadable
from csi.inference.bootstrap import Uncertainty
from csi.inference.intervals import p_value
from csi.measures.effects import chains, total_effects
from csi.measures.performance import hundred, performance, relative_weights, spread
from csi.measures.shown import told
from csi.measures.tidy import NO_SOLUTION, cells_of, said_once, tidy, uncertain, unsolved
from csi.moments.stack import Array, Moments

GAIN = 5.0
"""Points of performance the expected gain is stated for."""

CONSTRUCT_COLUMNS = ("importance", "importance_std", "performance")
ITEM_COLUMNS = ("importance", "weight", "performance")

Map = Callable[[Array, Array, tuple[Array, Array], Solution, str], Array]
"""A map of a stack: (means, spreads, bounds, solution, target) -> (m, 3, ...)."""

Why = list[list[Reason | None]]
"""Per cell and construct, why there is no value."""

NO_WEIGHTS = reason(
    "no_weights",
    "the engine gives no outer weights, so there is no performance and no importance in points.",
    "该估计方法没有外部权重，无法给出绩效与以分数计的重要性。",
)
NO_BOUNDS = reason(
    "no_bounds",
    "the theoretical minimum and maximum of the items are unknown; declare the scale in the codebook.",
    "题项的理论上下限未知，请在编码簿中声明量表。",
)


def importance(paths: Array, sd: Array, target: int) -> Array:
    """Unstandardised total effects on a target: T_tj sd(target) / sd(j).

    Parameters:
        paths: (..., q, q) standardised, [outcome, predictor]. sd: (..., q) of the construct scores. target: position.

    Returns:
        (..., q): change of the target, in its points, that goes with one point of each construct.

    Source:
        Ringle & Sarstedt (2016), Industrial Management & Data Systems 116(9), eq. 1-3.

    Example:
        >>> importance(np.array([[0.0, 0], [0.5, 0]]), np.array([20.0, 10.0]), 1).tolist()
        [0.25, 0.0]
    """
    total = total_effects(paths)[..., target, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(total * sd[..., target, None] / sd, dtype=np.float64)


def quadrants(importances: Array, performances: Array) -> list[list[str | None]]:
    """Where each driver stands on the map, the cross-hair at the means of the drivers (one row per cell).

    "improve": important and below average performance; "keep": important and good; "ease": unimportant and good;
    "low": unimportant and below average.

    Example:
        >>> quadrants(np.array([[0.6, 0.2]]), np.array([[60.0, 80.0]]))
        [['improve', 'ease']]
    """
    known = np.isfinite(importances) & np.isfinite(performances)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    x, y = (np.where(known, a, 0.0).sum(axis=1, keepdims=True) / count for a in (importances, performances))
    with np.errstate(invalid="ignore"):
        high, good = importances >= x, performances >= y
    names = np.where(high, np.where(good, "keep", "improve"), np.where(good, "ease", "low"))
    return [[str(n) if k else None for n, k in zip(*row, strict=True)] for row in zip(names, known, strict=True)]


@dataclass(frozen=True, slots=True, repr=False)
class Drivers(Shown):
    """The importance-performance map of a target in every cell. Each frame starts with the cell's key columns.

    Attributes:
        table: one row per driver (every construct with a chain of arrows to the target): construct, importance
            (unstandardised total effect, points of the target per point of the driver), importance_std (standardised
            total effect), performance (0-100), gain (points of the target that go with +5 points of performance),
            quadrant ("improve", "keep", "ease", "low"; cross-hair: means of the drivers), reason (code), and with
            replicates NAME_conf_low, NAME_conf_high of each number and quadrant_share (of the draws with this
            quadrant).
        items: construct, item, weight (relative, sums to 1), importance, performance, and intervals as above.
        target: the construct explained. target_performance: (b,) its 0-100 value.
        reasons: code -> Reason. level, notes.
    """

    table: pl.DataFrame
    items: pl.DataFrame
    target: str
    target_performance: Array
    reasons: Mapping[str, Reason]
    level: float
    notes: tuple[Note, ...] = ()

    @property
    def sentences(self) -> tuple[Text, ...]:
        """Per cell, the driver whose five points more go with most of the target."""
        return sentences_of(self.table, self.target)


@text.register
def _(value: Drivers, lang: str = "en") -> str:
    """Drivers by importance, a sentence per cell, items, reasons and notes."""
    title = Text(f"Associated with {value.target}", f"与 {value.target} 相关的驱动因素")
    found, items = value.table, value.items
    if value.target_performance.size == 1:
        found, items = (f.sort("importance", descending=True, nulls_last=True) for f in (found, items))
    lines = [*frame_lines(title, found, lang, ".table"), "", *(s.say(lang) for s in value.sentences)]
    lines += ["", *frame_lines(Text("Items", "题项"), items, lang, ".items")]
    return "\n".join([*lines, *told(value.reasons.values(), value.notes, lang)])


def drivers(est: Estimate, target: str = "satisfaction") -> Drivers:
    """Importance, performance and expected gain of every driver of `target`, items included.

    Performance and importance in points need composites with non-negative outer weights and items with theoretical
    bounds; where that fails the value is absent with a reason naming the items, and the standardised total effect
    remains. Points of a factor (consistent PLS) are those that its score shares with it: the score's spread times the
    root of rho_a. Of a fit that is not identified or whose constructs cannot be told apart (`csi.verify`; HTMT whose
    interval reaches 1) no importance is told.

    Parameters:
        est: a fitted model; after `bootstrap` the frames have intervals. target: an endogenous construct.

    Returns:
        A `Drivers`.

    Raises:
        Problems: the target is not a construct of the model, or nothing leads to it.

    Source:
        Ringle & Sarstedt (2016). Agrees with cSEM 0.6.1 (doIPMA) on the bank data to 1e-7.

    Example:
        >>> import csi
        >>> answers = {"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]}
        >>> model = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; b ~ a")
        >>> est = csi.fit(model, pl.DataFrame(answers), csi.PLS(), scale=(1, 10))
        >>> drivers(est, "b").table.select("construct", pl.col("importance", "performance").round(2)).row(0)
        ('a', 0.87, 48.97)
    """
    check_estimate(est)
    check_target(est, target)
    est = on_items(est)
    names = est.solution.constructs
    causes = _causes(est, target)
    at = [k for k, name in enumerate(names) if name in causes]
    why = _reasons(est, target)
    table = _table(est, target, at, why)
    return Drivers(
        table=table,
        items=_items(est, target, at, why),
        target=target,
        target_performance=_own_performance(est, target, why),
        reasons=said_once(row[k] for row in why for k in at),
        level=est.level,
        notes=_notes(est, table),
    )


def largest_gain(est: Estimate, target: str = "satisfaction") -> str | None:
    """The driver of a single cell whose expected gain exceeds zero and every other driver's; None where none does.

    Every difference `gain_first - gain_k` must exclude zero at the estimate's level in the joint replicates. No
    correction is due: all of them must (an intersection-union test).

    Parameters:
        est: a fitted model of one cell after `bootstrap`. target: as in `drivers`.

    Returns:
        A construct's name, or None; always None without replicates or with fewer than two drivers.

    Source:
        Berger (1982), Technometrics 24(4), 295-300.
    """
    est = on_items(est)
    rep, names = est.replicates, est.solution.constructs
    causes = _causes(est, target)
    why = _reasons(est, target)[0]
    at = [k for k, name in enumerate(names) if name in causes and why[k] is None]
    if rep is None or len(at) < 2:
        return None
    places = [est.moments.names.index(i) for i in est.solution.items]
    bounds = est.moments.minimum[places], est.moments.maximum[places]
    mean, sd = est.moments.mean[:, places], est.moments.sd[:, places]
    value = of_constructs(mean, sd, bounds, est.solution, target)[0, 0, at]
    drawn = of_constructs(rep.mean[:, 0, places], rep.sd[:, 0, places], bounds, rep.solution, target)[:, 0, at]
    drawn[~rep.usable[:, 0]] = np.nan
    best = int(np.argmax(value))
    ahead = np.delete(value[best] - value, best), np.delete(drawn[:, [best]] - drawn, best, axis=1)
    tests = np.append(p_value(*ahead), p_value(value[[best]], drawn[:, [best]]))
    return names[at[best]] if value[best] > 0 and bool((tests < 1 - est.level).all()) else None


def _causes(est: Estimate, target: str) -> set[str]:
    """Constructs with a chain of arrows to the target; a product is no driver of its own."""
    products = {c.name for c in est.model.constructs if c.product_of}
    return {c[0] for c in chains(est.model) if c[-1] == target} - products


def check_target(est: Estimate, target: str) -> None:
    """Raise `Problems` unless `target` is a construct that something leads to."""
    names = est.solution.constructs
    if target not in names:
        remedy = did_you_mean(target, names)
        en, zh = f'the model has no construct "{target}".', f"模型中没有构念“{target}”。"
        raise Problems([problem("E-TARGET", "drivers", en, zh, remedy.en, remedy.zh)])
    if not est.model.predictors(target):
        endogenous = [y for y in names if est.model.predictors(y)]
        found: Problem = problem(
            "E-TARGET",
            "drivers",
            f'nothing leads to "{target}", so it has no drivers.',
            f"没有任何路径指向“{target}”，因此没有驱动因素。",
            f"Choose one of: {', '.join(endogenous)}.",
            f"请选择：{'、'.join(endogenous)}。",
        )
        raise Problems([found])


def _own_performance(est: Estimate, target: str, why: Why) -> Array:
    """(b,) performance of the target itself."""
    y = est.solution.constructs.index(target)
    at = [est.moments.names.index(i) for i in est.solution.items]
    bounds = est.moments.minimum[at], est.moments.maximum[at]
    values = of_constructs(est.moments.mean[:, at], est.moments.sd[:, at], bounds, est.solution, target)
    return np.where([row[y] is not None for row in why], np.nan, values[:, 2, y])


def _of(est: Estimate, measure: Map, target: str) -> tuple[Array, Uncertainty | None]:
    """A map of the estimate (b, 3, m), and its uncertainty from what the replicates keep."""
    at = [est.moments.names.index(i) for i in est.solution.items]
    bounds = est.moments.minimum[at], est.moments.maximum[at]

    def quantity(moments: Moments, solution: Solution) -> Array:
        return measure(moments.mean[:, at], moments.sd[:, at], bounds, unrolled(solution), target)

    drawn = None
    if est.replicates is not None:
        mean, sd = (a.reshape(-1, a.shape[-1])[:, at] for a in (est.replicates.mean, est.replicates.sd))
        drawn = measure(mean, sd, bounds, est.replicates.solution, target)
    found = uncertain(est, quantity, drawn)
    return quantity(est.moments, est.solution) if found is None else found.value, found


def of_constructs(mean: Array, sd: Array, bounds: tuple[Array, Array], solution: Solution, target: str) -> Array:
    """(m, 3, q): importance, importance_std, performance of every construct, from item means and spreads (m, p)."""
    q, y = len(solution.constructs), solution.constructs.index(target)
    standard = total_effects(solution.paths)[:, y]
    if solution.weights is None:
        nothing = np.full(standard.shape, np.nan)
        return np.stack([nothing, standard, nothing], axis=1)
    span = bounds[1] - bounds[0]
    relative = relative_weights(solution.weights, sd, span, solution.block, q)
    true = 1.0 if solution.rho is None else np.sqrt(np.maximum(solution.rho, 0.0))
    points = importance(solution.paths, true * spread(solution.weights, sd, span, solution.block, q), y)
    level = performance(relative, hundred(mean, *bounds), solution.block, q)
    return np.stack([points, standard, level], axis=1)


def of_items(mean: Array, sd: Array, bounds: tuple[Array, Array], solution: Solution, target: str) -> Array:
    """(m, 3, p): importance (relative weight x importance of the construct), relative weight, performance of items."""
    q = len(solution.constructs)
    level = hundred(mean, *bounds)
    if solution.weights is None:
        nothing = np.full(level.shape, np.nan)
        return np.stack([nothing, nothing, level], axis=1)
    relative = relative_weights(solution.weights, sd, bounds[1] - bounds[0], solution.block, q)
    own = of_constructs(mean, sd, bounds, solution, target)[:, 0, solution.block]
    return np.stack([relative * own, relative, level], axis=1)


def _table(est: Estimate, target: str, at: list[int], why: Why) -> pl.DataFrame:
    """One row per driver; importance in points and performance only where nothing speaks against them."""
    names = est.solution.constructs
    values, found = _of(est, of_constructs, target)
    hidden = np.array([[row[k] is not None for k in at] for row in why], dtype=bool).reshape(len(why), len(at))
    failed = np.repeat([[r is not None] for r in _unreadable(est, target)], len(at), axis=1)
    points = np.array([[row[k] is not None for k in at] for row in _in_points(est, target)]).reshape(hidden.shape)
    hide = {"importance": hidden, "importance_std": failed, "performance": points}
    numbers = _numbers(CONSTRUCT_COLUMNS, values[:, :, at], found, at, hide)
    for name in [n for n in numbers if n.startswith("importance") and not n.startswith("importance_std")]:
        numbers[name.replace("importance", "gain")] = GAIN * numbers[name]
    code = [_code(row[k]) for row in why for k in at]
    place = [q for row in quadrants(numbers["importance"], numbers["performance"]) for q in row]
    labels = pl.DataFrame({"construct": [names[k] for k in at]}, schema={"construct": pl.String})
    frame = tidy(cells_of(est), labels, numbers, {"quadrant": place, "reason": code})
    if found is None or not len(found.draws):
        return frame
    shares = quadrant_shares(np.where(hidden, np.nan, found.draws[..., 0, at]), found.draws[..., 2, at], place)
    return frame.insert_column(frame.columns.index("reason"), pl.Series("quadrant_share", shares).fill_nan(None))


def quadrant_shares(importances: Array, performances: Array, place: Sequence[str | None]) -> Array:
    """How often each driver stands where the estimate puts it, the cross-hair at the means of every draw.

    Parameters:
        importances, performances: (B, b, m) draws, NaN where hidden. place: b m quadrants, cell by cell.

    Returns:
        (b m,) shares; NaN where there is no quadrant.

    Example:
        >>> draws = np.array([[[0.6, 0.2]], [[0.1, 0.2]]]), np.array([[[60.0, 80.0]], [[60.0, 80.0]]])
        >>> quadrant_shares(*draws, ["improve", "ease"]).tolist()
        [0.5, 0.5]
    """
    known = np.isfinite(importances) & np.isfinite(performances)
    count = np.maximum(known.sum(axis=2, keepdims=True), 1)
    x, y = (np.where(known, a, 0.0).sum(axis=2, keepdims=True) / count for a in (importances, performances))
    with np.errstate(invalid="ignore"):
        high, good = importances >= x, performances >= y
    code = np.where(high, np.where(good, 1, 0), np.where(good, 2, 3))
    own = np.array([-1 if q is None else ("improve", "keep", "ease", "low").index(q) for q in place])
    hit = (code == own.reshape(code.shape[1:])) & known
    usable = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(usable > 0, hit.sum(axis=0) / usable, np.nan)).reshape(-1)


def item_quadrant_shares(
    est: Estimate, target: str, items: Sequence[str], place: Sequence[str | None]
) -> list[float | None]:
    """How often each item stands where the estimate puts it, the cross-hair at the means of these items in every draw.

    Parameters:
        est: one cell with replicates. items: of the drivers. place: their quadrants; None where there is none.

    Returns:
        A share per item; None without a quadrant or without draws. It is of draws, not the chance that the place is
        true, but near it: of places with a share of .95 and more 96.5 % were those of the population, of .5 to .65
        54 % (600 populations, `tests/slow/quadrants_calibration.py`).
    """
    _, found = _of(est, of_items, target)
    if found is None or not len(found.draws) or not items:
        return [None] * len(items)
    draws = found.draws[..., [est.solution.items.index(i) for i in items]]
    hidden = np.array([q is None for q in place])
    shares = quadrant_shares(np.where(hidden, np.nan, draws[..., 0, :]), draws[..., 2, :], place)
    return [float(s) if np.isfinite(s) else None for s in shares]


def _items(est: Estimate, target: str, at: list[int], why: Why) -> pl.DataFrame:
    """One row per item of a driver."""
    solution = est.solution
    values, found = _of(est, of_items, target)
    of = [k for k in range(len(solution.items)) if solution.block[k] in at]
    hidden = np.array([[row[solution.block[k]] is not None for k in of] for row in why], dtype=bool)
    hidden = hidden.reshape(len(why), len(of))
    hide = {"importance": hidden, "weight": hidden}
    numbers = _numbers(ITEM_COLUMNS, values[:, :, of], found, of, hide)
    labels = pl.DataFrame(
        {
            "construct": [solution.constructs[solution.block[k]] for k in of],
            "item": [solution.items[k] for k in of],
        },
        schema={"construct": pl.String, "item": pl.String},
    )
    return tidy(cells_of(est), labels, numbers, {"reason": [_code(row[solution.block[k]]) for row in why for k in of]})


def _numbers(
    columns: tuple[str, ...],
    values: Array,
    found: Uncertainty | None,
    at: list[int],
    hide: Mapping[str, npt.NDArray[np.bool_]],
) -> dict[str, Array]:
    """Named columns (b, m), each with its interval where there are replicates, NaN where hidden."""
    numbers: dict[str, Array] = {}
    for i, name in enumerate(columns):
        parts = {name: values[:, i]}
        if found is not None:
            parts |= {f"{name}_conf_low": found.conf_low[:, i, at], f"{name}_conf_high": found.conf_high[:, i, at]}
        numbers |= {n: np.where(hide[name], np.nan, v) if name in hide else v for n, v in parts.items()}
    return numbers


def _code(why: Reason | None) -> str | None:
    return None if why is None else why.code


def _unreadable(est: Estimate, target: str) -> list[Reason | None]:
    """Per cell: why nothing is told of what goes with the target."""
    return unreadable(est, [*(c for c in est.solution.constructs if c in _causes(est, target)), target])


def _reasons(est: Estimate, target: str) -> Why:
    """Per cell and construct: why it has no importance; what makes the fit unreadable holds for all of a cell."""
    every = _unreadable(est, target)
    return [[lost or own for own in row] for lost, row in zip(every, _in_points(est, target), strict=True)]


def _in_points(est: Estimate, target: str) -> Why:
    """Per cell and construct: why it has no value in points; a bad target spoils every driver."""
    solution, moments = est.solution, est.moments
    at = [moments.names.index(i) for i in solution.items]
    known = np.isfinite(moments.minimum[at]) & np.isfinite(moments.maximum[at])
    y = solution.constructs.index(target)
    rows, cells = [], unsolved(est)
    for cell in range(len(moments.n)):
        own = [_reason(solution, cell, k, known) for k in range(len(solution.constructs))]
        failed = cells[cell]
        rows.append([failed or (r if r is not None else own[y]) for r in own])
    return rows


def _reason(solution: Solution, cell: int, k: int, known: npt.NDArray[np.bool_]) -> Reason | None:
    """Why one construct in one cell cannot be put on 0-100; None when it can."""
    mine = solution.block == k
    if solution.weights is None:
        return NO_WEIGHTS
    if not known[mine].all():
        return NO_BOUNDS
    weights = solution.weights[cell, mine]
    if not np.isfinite(weights).all():
        return NO_SOLUTION
    negative = [solution.items[i] for i, w in zip(np.flatnonzero(mine), weights, strict=True) if w < 0]
    if not negative:
        return None
    listed, name = ", ".join(negative), solution.constructs[k]
    return reason(
        "negative_weight",
        f'"{name}" has a negative outer weight ({listed}), so it has no 0-100 value.',
        f"“{name}”的外部权重为负（{listed}），无法换算为 0-100 分。",
    )


def _notes(est: Estimate, table: pl.DataFrame) -> tuple[Note, ...]:
    """Importance below zero is worth a look before anybody acts on it; a moderated one holds at the mean."""
    notes = []
    if any(c.product_of for c in est.model.constructs):
        en = "importance of a moderated driver is that at the mean of its moderator; see csi.simple_slopes."
        notes.append(
            note("moderated_importance", en, "受调节驱动因素的重要性取调节变量均值处的值，见 csi.simple_slopes。")
        )
    for name in est.solution.constructs:
        values = table.filter(pl.col("construct") == name)["importance_std"].drop_nulls()
        if (values < 0).any():
            label, zh = est.model.label(name), est.model.label(name, "zh")
            notes.append(
                note(
                    "negative_importance",
                    f'the total effect of "{label}" is negative in some cell; look at suppression and collinearity.',
                    f"“{zh}”的总效应在某些单元中为负，请检查抑制效应与共线性。",
                )
            )
    return tuple(notes)
