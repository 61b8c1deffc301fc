"""A construct's change through the structural model: what its drivers bring, what effects bring, what is left.

Letters: `q` constructs of the equations, `n` rows, `u` units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import sparse

from csi.errors import Problems, problem
from csi.models.model import Model
from csi.moments.stack import Array, Ints
from csi.tracking.cell_pairs import Pair
from csi.tracking.classes import rows_of
from csi.tracking.contrasts import contrast, design_df
from csi.tracking.decompose_numbers import Setting
from csi.tracking.decompose_spread import STEP
from csi.tracking.decompose_tables import Row, head, judged
from csi.tracking.index_variance import design_covariance


@dataclass(frozen=True, slots=True)
class Equations:
    """The target and what leads to it.

    Attributes:
        names: the q constructs, the target last. places: their columns in the index. arrows: (q, q) True where column
            leads to row.
    """

    names: tuple[str, ...]
    places: Ints
    arrows: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def equations_of(model: Model, setting: Setting) -> Equations:
    """The equations behind the target: all constructs with a way to it.

    Raises:
        Problems: E-CONSTRUCT, nothing leads to the target, or something that has no index does (a product).
    """
    target = setting.name
    before: dict[str, list[str]] = {}
    for path in model.paths:
        before.setdefault(path.outcome, []).append(path.predictor.name)
    found, waiting = [target], [target]
    while waiting:
        new = [n for n in before.get(waiting.pop(), []) if n not in found]
        found += new
        waiting += new
    names = (*(n for n in setting.index.constructs if n in found and n != target), target)
    lost = [n for n in found if n not in setting.index.constructs or _unmeasured(setting, n)]
    if len(names) == 1 or lost:
        en = f"nothing leads to {target}." if not lost else f"{', '.join(lost)} has no index of its own."
        zh = f"没有通向 {target} 的路径。" if not lost else f"{'、'.join(lost)} 没有自己的指数。"
        do, do_zh = "Leave drivers out, or choose another construct.", "请不用 drivers，或换一个构念。"
        raise Problems([problem("E-CONSTRUCT", "drivers", en, zh, do, do_zh)])
    arrows = np.array([[x in before.get(y, []) for x in names] for y in names])
    return Equations(names, np.array([setting.index.constructs.index(n) for n in names]), arrows)


def _unmeasured(setting: Setting, name: str) -> bool:
    return bool((setting.index.weights["construct"] == name).sum() == 0)


def structural_rows(setting: Setting, equations: Equations, pair: Pair, centre: float) -> list[Row]:
    """One change through the structural model; nothing where an index is missing.

    The published indices are regressed on each other by least squares in each wave, `I_j = b_j0 + sum_i B_ji I_i`. With
    bars for means over both waves, what construct j brings is its own change (beyond what its own drivers carry) times
    its total effect: `T_j (Delta I_j - sum_i Bbar_ji Delta I_i)`, `T = (1 - Bbar)^-1`. The target's own change is
    `sum_i Delta B_i (Ibar_i - centre)`, effects that changed, and a remainder, that no construct of the model accounts
    for. All add up to the change. Standard errors are linearised with the index's weights held fixed.
    """
    if pair.earlier is None or pair.why is not None:
        return []
    cells: Ints = np.array([pair.earlier, pair.cell])
    if not np.isfinite(setting.index.values[np.ix_(cells, equations.places)]).all():
        return []
    sides = [_side(setting, equations, int(c)) for c in cells]
    numbers = partial(brought, centre=centre)
    value = numbers(*(a for side in sides for a in side.point))
    covariance = _covariance(setting, sides, value.size, numbers)
    df, q = design_df(setting.index, setting.construct, cells), len(equations.names)
    own = _own(*(a for side in sides for a in side.point))
    start, level = head(setting, pair), setting.index.level
    rows: list[Row] = []
    for i, name in enumerate((*equations.names[:-1], "", "")):
        part = "driver" if i < q - 1 else "effects" if i == q - 1 else "remainder"
        error = float(np.sqrt(max(covariance[i, i], 0.0)))
        more: Row = {"driver": name or None}
        if i < q - 1:
            more |= {"index_change": float(own[0][i]), "own": float(own[1][i]), "total_effect": float(own[2][i])}
        rows.append({**start, "part": part, **more, **judged(float(value[i]), error, df, level)})
    total = contrast(setting.index, setting.construct, cells[::-1], np.array([1.0, -1.0]))
    return [{**start, "part": "total", **judged(total.estimate, total.std_error, df, level)}, *rows]


@dataclass(frozen=True, slots=True)
class _Side:
    """One wave: means (q,) and slopes (q, q), and every unit's influence on them (u, ...)."""

    point: tuple[Array, Array]
    units: Ints
    influence: tuple[Array, Array]


def _side(setting: Setting, equations: Equations, cell: int) -> _Side:
    """Index values of one cell and the least squares slopes among its index scores."""
    rows, sample = rows_of(setting.sample, cell), setting.sample
    scores = _scores(setting, equations, cell)
    d = sample.weight[rows]
    complete = np.isfinite(scores).all(axis=1)
    w = d * complete / (d * complete).sum()
    away = np.nan_to_num(scores - w @ np.nan_to_num(scores))
    C = away.T @ (w[:, None] * away)
    q = len(equations.names)
    slopes, of_slopes = np.zeros((q, q)), np.zeros((len(d), q, q))
    for j in range(q):
        x = np.flatnonzero(equations.arrows[j])
        if x.size:
            slopes[j, x] = np.linalg.solve(C[np.ix_(x, x)], C[x, j])
            error = away[:, j] - away[:, x] @ slopes[j, x]
            of_slopes[:, j, x] = np.linalg.solve(C[np.ix_(x, x)], away[:, x].T).T * (w * error)[:, None]
    means = setting.index.values[cell, equations.places]
    answered = np.isfinite(scores)
    share = d[:, None] * answered
    of_means = share * np.nan_to_num(scores - means) / share.sum(axis=0)
    units, place = np.unique(sample.unit[rows], return_inverse=True)
    return _Side((means, slopes), units, (_summed(of_means, place, units.size), _summed(of_slopes, place, units.size)))


def _scores(setting: Setting, equations: Equations, cell: int) -> Array:
    """(n, q) index scores of a cell's rows under the weights the cell uses; NaN where an item is absent."""
    index, sample = setting.index, setting.sample
    if index.estimated is None:
        raise ValueError("an index without weights")
    weights = index.estimated.values[setting.groups.of_index[cell]]
    table = index.weights.head(weights.size)
    columns = np.array([sample.names.index(i) for i in table["item"].to_list()])
    span = sample.maximum[columns] - sample.minimum[columns]
    points = 100.0 * (sample.rows[rows_of(sample, cell)][:, columns] - sample.minimum[columns]) / span
    of = table["construct"].to_numpy()
    return np.column_stack([points[:, of == n] @ weights[of == n] for n in equations.names])


def _summed(values: Array, place: Ints, units: int) -> Array:
    """Sums of rows by unit."""
    flat = values.reshape(len(values), -1)
    member = sparse.csr_matrix((np.ones(place.size), (place, np.arange(place.size))), shape=(units, place.size))
    return np.asarray(member @ flat).reshape(units, *values.shape[1:])


def _own(old: Array, old_slopes: Array, new: Array, new_slopes: Array) -> tuple[Array, Array, Array]:
    """(..., q) changes, own changes, total effects on the last."""
    slopes = (old_slopes + new_slopes) / 2.0
    change = new - old
    own: Array = change - np.einsum("...ji,...i->...j", slopes, change)
    total = np.linalg.inv(np.eye(change.shape[-1]) - slopes)[..., -1, :]
    return change, own, np.asarray(total)


def brought(old: Array, old_slopes: Array, new: Array, new_slopes: Array, centre: float) -> Array:
    """(..., q + 1) what each driver brings, what changed effects bring, the remainder; they add up to the change.

    Parameters:
        old, new: (..., q) indices of the two waves, the target last. old_slopes, new_slopes: (..., q, q).
            centre: about which effects turn.

    Example:
        >>> slopes = np.array([[0.0, 0.0], [0.5, 0.0]])
        >>> brought(np.array([60.0, 70.0]), slopes, np.array([64.0, 73.0]), slopes, 50.0).tolist()
        [2.0, 0.0, 1.0]
    """
    _, own, total = _own(old, old_slopes, new, new_slopes)
    away = (old + new) / 2.0 - centre
    effects = np.einsum("...i,...i->...", (new_slopes - old_slopes)[..., -1, :], away)
    driven = (own * total)[..., :-1]
    return np.concatenate([driven, np.stack([effects, own[..., -1] - effects], axis=-1)], axis=-1)


def _covariance(setting: Setting, sides: Sequence[_Side], size: int, numbers: partial[Array]) -> Array:
    """(m, m) design-based covariance of the numbers, by an imaginary step along every unit's influence."""
    every = np.unique(np.concatenate([s.units for s in sides]))
    moved = []
    for side in sides:
        at = np.searchsorted(every, side.units)
        for point, z in zip(side.point, side.influence, strict=True):
            spread = np.zeros((every.size, *z.shape[1:]))
            spread[at] = z
            moved.append(point + 1j * STEP * spread)
    stratum = setting.sample.stratum
    matrix = np.zeros((stratum.size, size))
    matrix[every] = np.imag(numbers(*moved)) / STEP
    mine = np.isin(stratum, np.unique(stratum[every]))
    return design_covariance(sparse.csr_matrix(matrix[mine]), stratum[mine])
