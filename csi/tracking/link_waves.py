"""A link by common items between the waves of an index: the wave before a break and the first one after it.

Letters: `p` items, `u` units, `w` weights of the index.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from scipy import sparse

from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.estimate.given import check_kind
from csi.moments.stack import Array, Ints, Sample
from csi.tracking.contrasts import construct_place
from csi.tracking.gate_sets import item_points
from csi.tracking.index import Index
from csi.tracking.index_variance import Sparse
from csi.tracking.link_curve import Behind, Link
from csi.tracking.link_items import SHAPES, Forms, Linked, as_link, by_rows, check_anchors, linked
from csi.tracking.waves import wave_order


def item_link(
    index: Index,
    wave: str,
    construct: str = "satisfaction",
    *,
    anchors: Collection[str] = (),
    changed: Collection[str] = (),
    waves: Sequence[str] | None = None,
    alpha: float = 0.05,
    where: str = "item_link",
) -> Link:
    """Link the waves before a break to those after it by the items that stayed as they were.

    One factor in the rows of the last wave before and of the first wave from `wave` on: loadings and intercepts of the
    common items equal, those of the others each form's own. Both forms' indices are lines in the factor,
    `I_f = A_f + B_f kappa`, so that old scores become `A_new + B_new / B_old (y - A_old)`. The link is refused where
    equal loadings or intercepts of the common items are rejected (p = 2 min of both scaled chi-square differences).
    Its error comes from the influence of every respondent, who is known to have answered in these waves.

    Parameters:
        index: an index by wave. wave: the first wave of the new form. construct: whose items.
        anchors: the items that stayed, at least two; or changed: those that did not.
        waves: their order, gaps included. alpha: of the test. where: the place that messages name.

    Returns:
        Link, of method "items", for `Break(..., link=...)`.

    Raises:
        Problems: E-LINK (fewer than two common items of three, unknown ones), E-LINK-ITEMS (too few rows, an item that
            nobody answered), E-LINK-ANCHORS (common items that are not invariant, the worst named), E-WAVE, E-ROWS.

    Source:
        Kolen & Brennan (2014), Test Equating, Scaling, and Linking, 3rd ed., ch. 4 and 6; Byrne, Shavelson & Muthén
        (1989), Psychological Bulletin 105(3).

    Example:
        >>> import csi, numpy as np, polars as pl
        >>> rng, rows = np.random.default_rng(1), []
        >>> for wave, shift in (("w1", 0.0), ("w2", -1.0)):
        ...     joy = rng.normal(size=(300, 1)) + rng.normal(size=(300, 4)) + 6 + np.array([0, 0, 0, shift])
        ...     rows.append(pl.DataFrame(joy.round().clip(1, 10), schema=[*"abcd"]).with_columns(wave=pl.lit(wave)))
        >>> model = csi.Model.parse("joy =~ b + c + d" + chr(10) + "use =~ a" + chr(10) + "joy ~ use")
        >>> made = csi.index(csi.fit(model, pl.concat(rows), csi.PLS(), by=["wave"], scale=(1, 10)))
        >>> found = item_link(made, "w2", "joy", changed=["d"])
        >>> found.method, round(float(found.of(np.array([55.0]))[0]))
        ('items', 52)
    """
    do = Text("Give what csi.index(est) returns.", "请给出 csi.index(est) 的结果。")
    check_kind("index", index, Index, Text("an index", "指数"), do)
    place = construct_place(index, construct)
    sides = _sides(index, wave, waves, where)
    forms, cells = _forms(index, index.constructs[place], sides, anchors, changed, where)
    found = linked(forms, alpha, where)
    sample = index.sample
    if sample is None:
        raise ValueError("an index without rows")
    units = _units(sample, by_rows(found), cells)
    own = _through_weights(index, place, found, sides)
    units = units if own is None else units + own
    spread = sample_spread(index, units)
    level = float(np.nanmean(index.values[np.isin(index.cells["wave"].to_numpy(), [sides[0]]), place]))
    return as_link(found, forms, spread, level, _behind(sample, units))


def sample_spread(index: Index, units: Sparse) -> Array:
    """(2, 2) design covariance of what units add up to."""
    if index.influence is None:
        raise ValueError("an index without influence")
    return np.asarray(index.influence.strata.product(units, units).todense(), dtype=np.float64)


def _sides(index: Index, wave: str, waves: Sequence[str] | None, where: str) -> tuple[str, str]:
    """The last wave before a break and the first from it on, of those with answers."""
    if index.sample is None or "wave" not in index.cells.columns:
        en, zh = "a link by items needs an index by wave with its rows.", "按题项衔接需要按期分组且带有数据行的指数。"
        do, do_zh = (
            'Fit a panel or a frame with by=("brand", "wave").',
            "请用面板或数据框以 by=(“brand”, “wave”) 拟合。",
        )
        raise Problems([problem("E-ROWS", where, en, zh, do, do_zh)])
    order = tuple(waves) if waves else wave_order(index.cells)
    if wave not in order:
        hint = did_you_mean(wave, order)
        en, zh = f'there is no wave "{wave}".', f"没有“{wave}”这一期。"
        raise Problems([problem("E-WAVE", where, en, zh, hint.en, hint.zh)])
    present = set(index.cells["wave"].to_list())
    before = [w for w in order[: order.index(wave)] if w in present]
    after = [w for w in order[order.index(wave) :] if w in present]
    if not (before and after):
        raise Problems([_one_sided(wave, where)])
    return before[-1], after[0]


def _one_sided(wave: str, where: str) -> Problem:
    en, zh = f"no wave with answers lies on one side of {wave}.", f"{wave} 的一侧没有含作答的期。"
    do, do_zh = "Name the first wave of the new form.", "请写明新形式的首期。"
    return problem("E-WAVE", where, en, zh, do, do_zh)


def _forms(
    index: Index,
    construct: str,
    sides: tuple[str, str],
    anchors: Collection[str],
    changed: Collection[str],
    where: str,
) -> tuple[Forms, Ints]:
    """The rows of both waves with the index points per unit of each item; where they stand in the sample."""
    sample = index.sample
    if sample is None:
        raise ValueError("an index without rows")
    points = [item_points(index, construct, {"wave": side}) for side in sides]
    items = points[0][0]
    found = check_anchors(items, anchors, changed, where)
    if found:
        raise Problems(found)
    at = [sample.names.index(i) for i in items]
    rows, taken = _two_waves(sample, index, sides, items, at)
    kept = tuple(i for i in items if i in anchors) if anchors else tuple(i for i in items if i not in changed)
    low = np.stack([sample.minimum[at]] * 2)
    names = (Text(sides[0], f"{sides[0]} 期"), Text(sides[1], f"{sides[1]} 期"))
    return Forms(rows, kept, names, np.stack([p for _, p in points]), low, (items, items)), taken


def _two_waves(
    sample: Sample, index: Index, sides: tuple[str, str], items: tuple[str, ...], at: list[int]
) -> tuple[Sample, Ints]:
    """The rows of two waves as two groups of one cell, and where they stand in the sample."""
    side = index.cells["wave"].replace_strict(list(sides), [0, 1], default=-1).to_numpy()
    of = side[sample.cell]
    taken = np.flatnonzero((of >= 0) & np.isfinite(sample.rows[:, at]).any(axis=1))
    taken = taken[np.argsort(of[taken], kind="stable")]
    rows = sample.rows[taken][:, at]
    made = replace(
        sample,
        names=items,
        rows=rows,
        weight=sample.weight[taken],
        cell=np.zeros(taken.size, dtype=np.int64),
        unit=sample.unit[taken],
        cells=pl.DataFrame({"n": [taken.size]}),
        minimum=sample.minimum[at],
        maximum=sample.maximum[at],
        missing="fiml" if np.isnan(rows).any() else "listwise",
        notes=(),
        group=of[taken].astype(np.int64),
        groups=sides,
        place=None if sample.place is None else sample.place[taken],
    )
    return made, taken


def _units(sample: Sample, values: Array, taken: Ints) -> Sparse:
    """(u, 2) sparse, what every unit adds to the ends of the line."""
    where = (np.repeat(sample.unit[taken], 2), np.tile(np.arange(2), taken.size))
    made = sparse.csc_matrix((values.ravel(), where), shape=(sample.stratum.size, 2))
    made.sum_duplicates()
    return made


def _through_weights(index: Index, place: int, found: Linked, sides: tuple[str, str]) -> Sparse | None:
    """(u, 2) sparse, what every unit adds to the line through the weights of the index; None where they are held fixed
    or are each cell's own.
    """
    part = None if index.influence is None else index.influence.parts[place].value
    sample, estimated = index.sample, index.estimated
    if part is None or part.weight is None or estimated is None or sample is None:
        return None
    k = found.by_points.shape[2]
    names = found.est.model.items
    at = [sample.names.index(i) for i in names]
    unit = 100.0 / (sample.maximum[at] - sample.minimum[at])
    out = None
    for f, side in enumerate(sides):
        cells = np.flatnonzero((index.cells["wave"] == side).to_numpy())
        groups = np.unique(estimated.groups.of_index[cells])
        slopes = (found.by_points[:, f] * unit).T / groups.size
        for g in groups.tolist():
            added = part.weight[:, g * k : (g + 1) * k] @ sparse.csr_matrix(slopes)
            out = added if out is None else out + added
    return None if out is None else sparse.csc_matrix(out)


def _behind(sample: Sample, units: Sparse) -> Behind | None:
    """The units behind a link, each by the first of its rows."""
    if sample.place is None:
        return None
    touched = np.unique(units.indices)
    codes, first = np.unique(sample.unit, return_index=True)
    rows = first[np.searchsorted(codes, touched)]
    influence = np.asarray(units[touched].todense(), dtype=np.float64)
    return Behind(sample.place[rows], np.arange(touched.size), influence, SHAPES)
