"""Links between two forms of a measurement: what a score of the old form is in points of the new one, and how surely.

Letters: `n` respondents who answered both forms, `m` points of the 0-100 grid, `B` resamples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast, get_args

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Problem, Problems, is_number, note, one_of, problem
from csi.moments.stack import Array
from csi.survey.readers.frames import to_polars
from csi.tracking.link_curve import GRID, Behind, Link, Method, made_link
from csi.tracking.link_design import Design, design_of
from csi.tracking.link_items import link_frames

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

FEWEST = 30
"""An overlap sample smaller than this links nothing."""

MANY = 500
"""Equipercentile linking asks for so many respondents."""

RESAMPLES = 500
"""Resamples behind the errors of an equipercentile link."""


def link(
    old: npt.ArrayLike | IntoFrame | None = None,
    new: npt.ArrayLike | IntoFrame | None = None,
    method: Method = "linear",
    *,
    weight: npt.ArrayLike | None = None,
    cluster: Sequence[object] | None = None,
    stratum: Sequence[object] | None = None,
    scales: tuple[tuple[float, float], tuple[float, float]] = ((0, 100), (0, 100)),
    shift: float = 0.0,
    slope: float = 1.0,
    std_error: float = 0.0,
    seed: int = 1,
    who: Sequence[object] | None = None,
    among: Sequence[object] | None = None,
    anchors: Sequence[str] = (),
    alpha: float = 0.05,
) -> Link:
    """Link an old form of a measurement to a new one.

    With e(x) the new score of an old score x: "mean" `x + m_new - m_old`; "linear" `m_new + s_new / s_old (x - m_old)`;
    "equipercentile" `G^-1(F(x))`, F and G the distributions of both forms, made continuous by midranks; "stated" `x`,
    the ends of the scales are said to correspond (5 points to 10 points): no data stand behind it, which is flagged;
    "given" `shift + slope x` with a standard error that others found; "items" by what is common to both forms, whose
    respondents are others: see `csi.item_link`, which does it between the waves of an index. The errors of an overlap
    sample come from every respondent's influence, of an equipercentile link from 500 resamples; clusters count as one
    and stay together, within their strata.

    Parameters:
        old, new: (n,) scores of the same respondents on both forms; of "items" frames with a column per item and a row
            per respondent, items that are not common in the order of their counterparts. weight: (n,) design weights.
        cluster, stratum: (n,) names of the clusters and strata by which the overlap sample was drawn.
        scales: (minimum, maximum) of the old and of the new scores (of "items" their answers); 0-100 by default.
        method: as above. shift, slope, std_error: of "given", in points. seed: of the resamples.
        who: (n,) names of the respondents; among: the respondent of every row of the data that the index was fitted to.
            Those who answered in a wave then count with their covariance, else the link counts as independent of it.
        anchors: of "items" the common items (columns of both frames by default). alpha: of the test that they measure
            alike.

    Returns:
        Link.

    Raises:
        Problems: E-LINK (no overlap sample, too few respondents, scores outside their scale, no spread, too few common
            items), E-LINK-ITEMS, E-LINK-ANCHORS (common items that are not invariant).

    Source:
        Kolen & Brennan (2014), Test Equating, Scaling, and Linking, 3rd ed., chapters 2 and 7; Livingston (2004),
        Equating Test Scores.

    Example:
        >>> old, new = np.arange(1, 41) * 2.0, np.arange(1, 41) * 2.0 + 5.0
        >>> made = link(old, new, "mean")
        >>> made.of(np.array([60.0])).tolist(), round(float(made.covariance[60, 60]), 6)
        ([65.0], 0.0)
    """
    found = one_of("method", method, get_args(Method))
    if found:
        raise Problems(found)
    if method in {"stated", "given"}:
        _check_given(shift, slope, std_error)
        return _without_overlap(method, shift, slope, std_error)
    if method == "items":
        return link_frames(*_frames(old, new), anchors, _sound(scales), alpha)
    x, y, d, kept = _checked(
        cast("npt.ArrayLike | None", old), cast("npt.ArrayLike | None", new), weight, scales, method
    )
    names, design = _names(who, kept, among), design_of(cluster, stratum, kept)
    if method == "equipercentile":
        mapped, covariance = _equipercentile(x, y, d, design, seed)
    else:
        mapped, covariance = _by_moments(x, y, d, design, linear=method == "linear")
    behind = None if names is None else _behind(x, y, d, method, names, among or ())
    made = made_link(method, x.size, mapped, covariance, float(d @ x / d.sum()), design.notes, behind)
    return replace(made, reach=(float(x.min()), float(x.max())))


def _check_given(shift: object, slope: object, std_error: object) -> None:
    """Raise for a given line that is none, falls, or has a negative error."""
    rules = (
        ("shift", shift, -np.inf, "a finite number", "有限的数"),
        ("slope", slope, np.nextafter(0.0, 1.0), "a positive number", "正数"),
        ("std_error", std_error, 0.0, "a number from 0", "非负数"),
    )
    found = []
    for name, value, least, what, what_zh in rules:
        if not is_number(value) or not np.isfinite(float(str(value))) or float(str(value)) < least:
            en, zh = f"{name} is {value!r}, not {what}.", f"{name} 为 {value!r}，不是{what_zh}。"
            found.append(_wrong(en, zh, f"Write {what}.", f"请写{what_zh}。"))
    if found:
        raise Problems(found)


def _numbers(values: npt.ArrayLike, name: str, name_zh: str) -> Array:
    """Scores or weights as numbers; what is text or infinite is told."""
    try:
        made = np.asarray(values, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError):
        en, zh = f"{name} are no numbers.", f"{name_zh}不是数字。"
        raise Problems([_wrong(en, zh, "Give an array of numbers.", "请给出数字数组。")]) from None
    endless = int(np.isinf(made).sum())
    if endless:
        en, zh = f"{endless} of {name} are infinite.", f"{name_zh}中有 {endless} 个为无穷大。"
        raise Problems([_wrong(en, zh, "Leave them out, or mark them as absent (NaN).", "请删去，或记为缺失（NaN）。")])
    return made


def _reversed(x: Array, y: Array, d: Array) -> list[Problem]:
    """Forms that go against each other: who is high on one is low on the other."""
    w = d / d.sum()
    together = float(w @ ((x - w @ x) * (y - w @ y)))
    if together >= 0:
        return []
    en = "the two forms go against each other: respondents high on one are low on the other."
    zh = "两种形式方向相反：在一种形式上得分高的受访者在另一种形式上得分低。"
    return [_wrong(en, zh, "Turn one of them over, and check who is paired.", "请将其中一种反向计分，并检查配对。")]


def _frames(old: object, new: object) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The answers to both forms."""
    if old is None or new is None:
        en, zh = '"items" needs the answers to both forms.', "“items”需要两种形式的作答。"
        do = "Give old= and new= as frames with a column per item."
        raise Problems([_wrong(en, zh, do, "请以数据框给出 old= 与 new=，每个题项一列。")])
    return to_polars(cast("IntoFrame", old), "old"), to_polars(cast("IntoFrame", new), "new")


def _sound(scales: tuple[tuple[float, float], tuple[float, float]]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Scales whose ends are in their order."""
    if any(not low < high for low, high in scales):
        en, zh = "a scale ends before it begins.", "量表的下限不小于上限。"
        do, do_zh = "Give scales=((min, max), (min, max)).", "请给出 scales=((最小, 最大), (最小, 最大))。"
        raise Problems([_wrong(en, zh, do, do_zh)])
    return scales


def _names(
    who: Sequence[object] | None, kept: npt.NDArray[np.bool_], among: Sequence[object] | None
) -> pl.Series | None:
    """The names of the respondents who stay."""
    if who is None or among is None:
        return None
    if len(who) != kept.size:
        en, zh = f"{len(who)} names for {kept.size} respondents.", f"{kept.size} 名受访者对应 {len(who)} 个名称。"
        raise Problems([_wrong(en, zh, "Give one of each per respondent.", "请每位受访者各给一个。")])
    return pl.Series(list(who), strict=False).cast(pl.String).filter(pl.Series(kept))


def _behind(x: Array, y: Array, d: Array, method: Method, names: pl.Series, among: Sequence[object]) -> Behind | None:
    """The respondents who have rows in the data, with what they add to the link."""
    rows = pl.DataFrame({"name": pl.Series(list(among), strict=False).cast(pl.String)}).with_row_index("place")
    mine = pl.DataFrame({"name": names}).with_row_index("who").drop_nulls()
    met = rows.drop_nulls().join(mine, on="name", how="inner", maintain_order="left")
    if not met.height:
        return None
    who = met["who"].to_numpy().astype(np.int64)
    influence, shapes = _influence(x, y, d, method, np.unique(who))
    return Behind(met["place"].to_numpy().astype(np.int64), who, influence, shapes)


def _influence(x: Array, y: Array, d: Array, method: Method, needed: Array) -> tuple[Array, Array]:
    """(n, r) what respondents add to shapes (r, m) of the link; of equipercentile links those that are needed."""
    if method != "equipercentile":
        return _shapes(x, y, d, linear=method == "linear")
    found, step = np.zeros((x.size, GRID.size)), 1e-4 * d.sum() / d.size
    for i in needed:
        more, less = d.copy(), d.copy()
        more[i] += step
        less[i] -= step
        found[i] = d[i] * (_quantiles(x, y, more) - _quantiles(x, y, less)) / (2.0 * step)
    return found, np.eye(GRID.size)


def _without_overlap(method: Method, shift: float, slope: float, std_error: float) -> Link:
    """A link that no overlap sample stands behind."""
    stated = method == "stated"
    mapped = GRID.copy() if stated else shift + slope * GRID
    error = 0.0 if stated else std_error
    covariance = np.full((GRID.size, GRID.size), error**2)
    en = "The link is stated, not estimated: no respondents answered both forms, so its error is not in the intervals."
    zh = "该衔接为约定而非估计：没有同时回答两种形式的受访者，其误差未计入区间。"
    given = f"The link is given, with a standard error of {error:g} points."
    given_zh = f"该衔接由外部给定，标准误为 {error:g} 分。"
    told = note("W-LINK-STATED", en, zh) if stated else note("N-LINK-GIVEN", given, given_zh)
    return made_link(method, 0, mapped, covariance, 50.0, (told,))


def _checked(
    old: npt.ArrayLike | None,
    new: npt.ArrayLike | None,
    weight: npt.ArrayLike | None,
    scales: tuple[tuple[float, float], tuple[float, float]],
    method: Method,
) -> tuple[Array, Array, Array, npt.NDArray[np.bool_]]:
    """Both scores on 0-100 and the weights, of respondents who have all of them, and who they are."""
    if old is None or new is None:
        en, zh = (
            f'"{method}" needs the scores of respondents who answered both forms.',
            f"“{method}”需要同时回答两种形式的受访者得分。",
        )
        raise Problems(
            [_wrong(en, zh, 'Give old= and new=, or method="stated".', "请给出 old= 与 new=，或用 method=“stated”。")]
        )
    x, y = _numbers(old, "old scores", "旧得分"), _numbers(new, "new scores", "新得分")
    _sound(scales)
    d = np.ones(x.size) if weight is None else _numbers(weight, "weights", "权重")
    if not x.size == y.size == d.size:
        en, zh = (
            f"{x.size} old and {y.size} new scores do not pair.",
            f"{x.size} 个旧得分与 {y.size} 个新得分无法配对。",
        )
        raise Problems([_wrong(en, zh, "Give one of each per respondent.", "请每位受访者各给一个。")])
    kept = np.isfinite(x) & np.isfinite(y) & np.isfinite(d) & (d > 0)
    x, y, d = x[kept], y[kept], d[kept]
    found = [*_few(x.size, method), *_outside(x, scales[0], "old"), *_outside(y, scales[1], "new")]
    if not found and (np.ptp(x) == 0 or np.ptp(y) == 0):
        en, zh = "one of the forms has no spread.", "其中一种形式没有变异。"
        found.append(_wrong(en, zh, 'Use method="mean" with other scores.', "请检查得分。"))
    found += [] if found else _reversed(x, y, d)
    if found:
        raise Problems(found)
    x, y = (100.0 * (v - low) / (high - low) for v, (low, high) in zip((x, y), scales, strict=True))
    return x, y, d, kept


def _few(n: int, method: Method) -> list[Problem]:
    """Too few respondents answered both forms."""
    least = MANY if method == "equipercentile" else FEWEST
    if n >= least:
        return []
    en, zh = (
        f'{n} respondents answered both forms; "{method}" asks for {least}.',
        f"{n} 人两种形式均作答，“{method}”至少需要 {least} 人。",
    )
    do = 'Use method="linear" or "mean".' if n >= FEWEST else 'Ask more respondents both forms, or use method="stated".'
    do_zh = "请用“linear”或“mean”。" if n >= FEWEST else "请让更多受访者回答两种形式，或用“stated”。"
    return [_wrong(en, zh, do, do_zh)]


def _outside(scores: Array, scale: tuple[float, float], which: str) -> list[Problem]:
    """Scores beyond their scale."""
    low, high = scale
    if scores.size == 0 or (low < high and low <= scores.min() and scores.max() <= high):
        return []
    zh_name = "旧" if which == "old" else "新"
    en = f"{which} scores run from {scores.min():g} to {scores.max():g}, beyond their scale {low:g}-{high:g}."
    zh = f"{zh_name}得分范围为 {scores.min():g} 至 {scores.max():g}，超出其量表 {low:g}–{high:g}。"
    return [_wrong(en, zh, "Give scales=((min, max), (min, max)).", "请给出 scales=((最小, 最大), (最小, 最大))。")]


def _wrong(en: str, zh: str, do: str, do_zh: str) -> Problem:
    return problem("E-LINK", "link", en, zh, do, do_zh)


def _by_moments(x: Array, y: Array, d: Array, design: Design, *, linear: bool) -> tuple[Array, Array]:
    """Mean or linear link on the grid, and its covariance from every respondent's influence."""
    w = d / d.sum()
    mx, my = w @ x, w @ y
    ratio = float(np.sqrt(w @ (y - my) ** 2) / np.sqrt(w @ (x - mx) ** 2)) if linear else 1.0
    influence, shapes = _shapes(x, y, d, linear=linear)
    return my + ratio * (GRID - mx), shapes.T @ design.spread(influence) @ shapes


def _shapes(x: Array, y: Array, d: Array, *, linear: bool) -> tuple[Array, Array]:
    """(n, 2) what every respondent adds to level and slope of a mean or linear link, and what these do on the grid."""
    w = d / d.sum()
    mx, my = w @ x, w @ y
    sx, sy = np.sqrt(w @ (x - mx) ** 2), np.sqrt(w @ (y - my) ** 2)
    ratio = float(sy / sx) if linear else 1.0
    level = (y - my) - ratio * (x - mx)
    turn = ratio * (((y - my) / sy) ** 2 - ((x - mx) / sx) ** 2) / 2.0 if linear else np.zeros(x.size)
    return w[:, None] * np.stack([level, turn], axis=1), np.stack([np.ones(GRID.size), GRID - mx])


def _equipercentile(x: Array, y: Array, d: Array, design: Design, seed: int) -> tuple[Array, Array]:
    """Equipercentile link on the grid, and its covariance over resamples of the respondents."""
    drawn = np.stack([_quantiles(x, y, d * times) for times in design.drawn(RESAMPLES, seed)])
    return _quantiles(x, y, d), np.cov(drawn, rowvar=False)


def _quantiles(x: Array, y: Array, d: Array) -> Array:
    """`G^-1(F(x))` on the grid."""
    ranks = np.interp(GRID, *_ranks(x, d))
    points, at = _ranks(y, d)
    return np.interp(ranks, at, points)


def _ranks(scores: Array, d: Array) -> tuple[Array, Array]:
    """Scores and their midranks `F(x-) + f(x) / 2`, from (0, 0) to (100, 1)."""
    points, place = np.unique(scores[d > 0], return_inverse=True)
    mass = np.bincount(place, d[d > 0])
    middle = (np.cumsum(mass) - mass / 2.0) / mass.sum()
    inside = (points > 0) & (points < 100)
    return np.concatenate([[0.0], points[inside], [100.0]]), np.concatenate([[0.0], middle[inside], [1.0]])
