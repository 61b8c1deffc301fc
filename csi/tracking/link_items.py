"""Links by common items: both forms measure one factor, its mean told by the items that stayed as they were.

    I_f = A_f + B_f kappa,   A_f = sum_k c_fk (nu_fk - l_fk),   B_f = sum_k c_fk lambda_fk      form f = old, new
    e(y) = A_new + B_new / B_old (y - A_old)

with loadings lambda and intercepts nu equal for the common items (anchors) and each form's own for the others, and c_fk
the points of the index per unit of item k. Nobody has to answer both forms.

Letters: `p` items, `k` free parameters, `m` points of the grid, `u` units.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit_sample
from csi.measures.climb import Ladder, Rung
from csi.measures.invariance_words import probability
from csi.measures.ladder import Key, Step
from csi.measures.partial import suspects
from csi.models.model import Construct, Model, Term
from csi.moments.stack import Array, Sample
from csi.sem.estimator import SEM
from csi.sem.fitted import fitted
from csi.sem.row_influence import row_influence
from csi.tracking.gate_bias import Places, jacobian_of
from csi.tracking.gate_ladder import CELL, item_of
from csi.tracking.link_curve import GRID, Behind, Link, made_link

FACTOR = "linked_factor"
"""What both forms measure; no item has this name."""

ANCHORS = 2
"""Common items that a factor mean needs (Byrne et al. 1989)."""

LEAST = 3
"""Items of a form below which one factor is not told from them."""

BASE = 100
"""Respondents of a form below which nothing is linked by items."""

SHAPES = np.stack([1.0 - GRID / 100.0, GRID / 100.0])
"""(2, m) a straight line by its values at 0 and 100."""


@dataclass(frozen=True, slots=True, eq=False)
class Forms:
    """Both forms as two groups of rows.

    Attributes:
        rows: one cell of the groups old and new, p columns; a column is one item, or one of the old and one of the new
            form. anchors: the columns that are common. names: of both groups, as messages tell them. points: (2, p)
            index points per unit of each item. low: (2, p) least answers.
    """

    rows: Sample
    anchors: tuple[str, ...]
    names: tuple[Text, Text]
    points: Array
    low: Array
    called: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def changed(self) -> tuple[str, ...]:
        """The other columns."""
        return tuple(i for i in self.rows.names if i not in self.anchors)


@dataclass(frozen=True, slots=True, eq=False)
class Linked:
    """The line and where it comes from.

    Attributes:
        est: the factor of both forms. ends: (2,) new scores of old 0 and 100. slopes: (2, k) their derivatives by the
            parameters; by_points: (2, 2, p) by the points per unit of each form's items. p_value: that the anchors are
            invariant.
    """

    est: Estimate
    ends: Array
    slopes: Array
    by_points: Array
    p_value: float


def check_anchors(
    items: Sequence[str], anchors: Collection[str], changed: Collection[str], where: str
) -> list[Problem]:
    """What is wrong with how a link by items is said.

    Parameters:
        items: of the construct. anchors, changed: of which one is given. where: the place that messages name.
    """
    found = []
    for name in [*anchors, *changed]:
        if name not in items:
            hint = did_you_mean(name, items)
            en, zh = (
                f'"{name}" is not among the items ({", ".join(items)}).',
                f"“{name}”不在题项之中（{'、'.join(items)}）。",
            )
            found.append(problem("E-LINK", where, en, zh, hint.en, hint.zh))
    if found:
        return found
    if bool(anchors) == bool(changed):
        en, zh = (
            "a link by items needs either the common or the changed items.",
            "按题项衔接须指明共同题项或改动题项之一。",
        )
        do = "Name the items that stayed as they were (anchors), or those that changed (changed)."
        return [problem("E-LINK", where, en, zh, do, "请用 anchors 指明未变的题项，或用 changed 指明改动的题项。")]
    return _enough(items, anchors or [i for i in items if i not in changed], where)


def _enough(items: Sequence[str], anchors: Collection[str], where: str) -> list[Problem]:
    """Items and anchors enough, and something that changed."""
    do, do_zh = 'Use an overlap sample, or method="stated".', "请使用重叠样本，或用 method=“stated”。"
    if len(items) < LEAST:
        en = f"{len(items)} items: one factor behind both forms is told from {LEAST} items on."
        return [
            problem(
                "E-LINK", where, en, f"仅有 {len(items)} 个题项：两种形式的共同因子至少需要 {LEAST} 个题项。", do, do_zh
            )
        ]
    if len(anchors) < ANCHORS:
        listed = ", ".join(anchors) or "none"
        en = f"{len(anchors)} common item ({listed}): a factor mean is linked from {ANCHORS} common items on."
        zh = f"仅有 {len(anchors)} 个共同题项（{'、'.join(anchors) or '无'}）：因子均值衔接至少需要 {ANCHORS} 个。"
        return [problem("E-LINK", where, en, zh, do, do_zh)]
    if len(anchors) == len(items):
        en, zh = "all items are common, so that no item changed.", "所有题项均为共同题项，没有题项改动。"
        do = "Name what changed; without it csi.comparable tells whether both forms measure alike."
        return [
            problem(
                "E-LINK", where, en, zh, do, "请指明改动的题项；若无改动，可用 csi.comparable 检验两种形式是否等值。"
            )
        ]
    return []


def check_rows(forms: Forms, where: str) -> list[Problem]:
    """Forms of too few respondents, items that nobody answered, or all alike."""
    found, rows = [], forms.rows
    if rows.group is None:
        raise ValueError("two forms are two groups")
    for g, name in enumerate(forms.names):
        mine = rows.rows[rows.group == g]
        if len(mine) < BASE:
            en = f"{len(mine)} respondents answered {name.en}; a link by items asks for {BASE}."
            zh = f"{name.zh}仅有 {len(mine)} 名受访者；按题项衔接至少需要 {BASE} 名。"
            do, do_zh = "Join waves, or use an overlap sample.", "请合并多期，或使用重叠样本。"
            found.append(problem("E-LINK-ITEMS", where, en, zh, do, do_zh))
            continue
        for k, item in enumerate(forms.called[g]):
            known = mine[np.isfinite(mine[:, k]), k]
            if known.size and (known != known[0]).any():
                continue
            said = "nobody answered {} in {}." if not known.size else "all answers to {} are the same in {}."
            said_zh = "{1}无人回答 {0}。" if not known.size else "{1}中 {0} 的回答全部相同。"
            do = "Leave the item out of the construct, or check its column."
            do_zh = "请将该题项移出构念，或检查其列。"
            en, zh = said.format(item, name.en), said_zh.format(item, name.zh)
            found.append(problem("E-LINK-ITEMS", where, en, zh, do, do_zh))
    return found


def linked(forms: Forms, alpha: float, where: str) -> Linked:
    """The factor of both forms, its anchors equal, and the line it gives.

    Raises:
        Problems: E-LINK-ITEMS (rows that say too little, no solution), E-LINK-ANCHORS (anchors that are not invariant).

    Source:
        Kolen & Brennan (2014), Test Equating, Scaling, and Linking, ch. 4 and 6 (common-item nonequivalent groups);
        Byrne, Shavelson & Muthén (1989), Psychological Bulletin 105(3) (partial scalar invariance).
    """
    found = check_rows(forms, where)
    if found:
        raise Problems(found)
    model = Model((Construct(FACTOR, "=~", tuple(Term(i) for i in forms.rows.names)),), ())
    settings = SEM(groups=CELL, estimator="MLR", missing=forms.rows.missing, meanstructure=True)
    free: frozenset[Key] = frozenset((FACTOR, "=~", i) for i in forms.changed)
    try:
        first = fit_sample(model, forms.rows, settings)
        ladder = Ladder(model, settings, first, partial=True, alpha=alpha, limit=0)
        none: frozenset[Step] = frozenset()
        base = Rung("configural", "baseline", ladder.fit(none, free), none, free)
        metric = ladder.rung("metric", base, frozenset({"metric"}), free)
        scalar = ladder.rung("scalar", metric, frozenset({"metric", "scalar"}), free)
    except Problems as why:
        raise Problems([_unsolved(where, why.problems[0].what)]) from None
    if metric.est is None or scalar.est is None or not first.convergence.converged.all():
        raise Problems([_unsolved(where, Text("the factor model has no solution.", "因子模型无解。"))])
    p_value = min(1.0, 2.0 * min(metric.difference[2], scalar.difference[2]))
    if p_value < alpha:
        raise Problems([_varying(ladder, metric, scalar, forms.anchors, p_value, where)])
    return _line(scalar.est, forms, p_value)


def _unsolved(where: str, why: Text) -> Problem:
    do, do_zh = "Use an overlap sample, or join waves.", "请使用重叠样本，或合并多期。"
    return problem("E-LINK-ITEMS", where, f"no link by items: {why.en}", f"无法按题项衔接：{why.zh}", do, do_zh)


def _varying(
    ladder: Ladder, metric: Rung, scalar: Rung, anchors: tuple[str, ...], p_value: float, where: str
) -> Problem:
    """The anchors are not alike in both forms: which of them."""
    rung = metric if metric.difference[2] <= scalar.difference[2] else scalar
    kind = Text("loadings", "载荷") if rung is metric else Text("intercepts", "截距")
    listed, listed_zh = ", ".join(anchors), "、".join(anchors)
    en = f"equal {kind.en} of the common items {listed} are rejected ({probability(p_value)})"
    zh = f"共同题项 {listed_zh} 的{kind.zh}相等被拒绝（{probability(p_value)}）"
    if len(anchors) == ANCHORS:
        do, do_zh = "Use more common items, or an overlap sample.", "请增加共同题项，或使用重叠样本。"
        one, one_zh = f"{en}; which of them changed cannot be told.", f"{zh}；无法判断哪一个改变。"
        return problem("E-LINK-ANCHORS", where, one, one_zh, do, do_zh)
    twin = ladder.fit(rung.held, rung.free, std_lv=True)
    tested = [x for x in suspects(twin, rung.step, ladder.model, (), rung.free) if item_of(x.key) in anchors]
    name = item_of(tested[0].key) if tested else anchors[0]
    do, do_zh = (
        f"Name {name} among the changed items, or use an overlap sample.",
        f"请将 {name} 列入改动题项，或使用重叠样本。",
    )
    return problem("E-LINK-ANCHORS", where, f"{en}; {name} differs most.", f"{zh}；{name} 差异最大。", do, do_zh)


def _line(est: Estimate, forms: Forms, p_value: float) -> Linked:
    """The new scores of old 0 and 100 with their derivatives."""
    fit = fitted(est)
    places = Places.of(fit.layout.table, forms.rows.names)

    def of_theta(theta: Array) -> Array:
        measured = places.read(theta)
        return ends(measured.intercept - forms.low, measured.loading, forms.points)

    theta, measured = fit.theta[0], places.read(fit.theta[0])

    def of_points(points: Array) -> Array:
        return ends(measured.intercept - forms.low, measured.loading, points.reshape(forms.points.shape))

    by_points = jacobian_of(of_points, forms.points.ravel()).reshape(2, *forms.points.shape)
    return Linked(est, of_theta(theta), jacobian_of(of_theta, theta), by_points, p_value)


def ends(origin: Array, loading: Array, points: Array) -> Array:
    """(2,) new scores of old 0 and 100.

    Parameters:
        origin, loading, points: (2, p) nu - l, lambda and points per unit, of the old and of the new form.

    Example:
        >>> one = np.ones((2, 3)) / 3
        >>> ends(one * [[30.0], [60.0]], one, one).round(9).tolist()
        [10.0, 110.0]
    """
    at, slope = (points * origin).sum(axis=1), (points * loading).sum(axis=1)
    return np.asarray(at[1] + slope[1] / slope[0] * (np.array([0.0, 100.0]) - at[0]))


def by_rows(found: Linked) -> Array:
    """(n, 2) what every row of both forms adds to both ends of the line; rows in the order of their groups."""
    return np.concatenate([part @ found.slopes.T for part in row_influence(found.est)])


def as_link(found: Linked, forms: Forms, spread: Array, at: float, behind: Behind | None = None) -> Link:
    """The line as a link.

    Parameters:
        spread: (2, 2) covariance of both ends. at: the old score that the sentence tells. behind: the respondents.
    """
    rows = forms.rows
    n = np.bincount(np.zeros(len(rows.rows), dtype=np.int64) if rows.group is None else rows.group)
    listed, listed_zh, p = ", ".join(forms.anchors), "、".join(forms.anchors), probability(found.p_value)
    en = f"factor means linked by the common items {listed}, whose equal loadings and intercepts are not rejected ({p})"
    en += "; " + " and ".join(f"{k} respondents of {name.en}" for k, name in zip(n, forms.names, strict=True))
    zh = f"按共同题项 {listed_zh} 衔接因子均值，其载荷与截距相等未被拒绝（{p}）；"
    zh += "、".join(f"{name.zh} {k} 名受访者" for k, name in zip(n, forms.names, strict=True))
    ends = SHAPES.T @ spread @ SHAPES
    made = made_link("items", int(n.sum()), found.ends @ SHAPES, ends, at, (), behind, Text(en, zh))
    return replace(made, p_value=found.p_value)


def link_frames(
    old: pl.DataFrame,
    new: pl.DataFrame,
    anchors: Sequence[str],
    scales: tuple[tuple[float, float], tuple[float, float]],
    alpha: float,
) -> Link:
    """A link by the common columns of two frames, of different respondents; every item has the same weight."""
    forms = _framed(old, new, anchors, scales)
    found = linked(forms, alpha, "link")
    fit = fitted(found.est)
    mean = np.nanmean(forms.rows.rows[forms.rows.group == 0], axis=0)
    at = float(forms.points[0] @ (mean - forms.low[0]))
    return as_link(found, forms, found.slopes @ fit.vcov[0] @ found.slopes.T, at)


def _framed(
    old: pl.DataFrame,
    new: pl.DataFrame,
    anchors: Sequence[str],
    scales: tuple[tuple[float, float], tuple[float, float]],
) -> Forms:
    """Two frames as two groups: the items that are not common share columns, one of each form."""
    common = list(anchors) or [c for c in old.columns if c in new.columns]
    absent = [a for a in common if a not in old.columns or a not in new.columns]
    found = [_absent(a, old.columns if a not in old.columns else new.columns) for a in absent]
    mine, theirs = ([c for c in frame.columns if c not in common] for frame in (old, new))
    if not found and len(mine) != len(theirs):
        en = f"the old form has {len(mine)} items of its own and the new one {len(theirs)}."
        zh = f"旧形式有 {len(mine)} 个独有题项，新形式有 {len(theirs)} 个。"
        do = "Give both forms as many items; leave out the one that has no counterpart."
        found.append(problem("E-LINK", "link", en, zh, do, "请使两种形式的题项数相同，去掉没有对应的题项。"))
    if found:
        raise Problems(found)
    names = (*common, *mine)
    found = check_anchors(names, common, (), "link")
    if found:
        raise Problems(found)
    rows = [_numbers(frame, [*common, *own]) for frame, own in ((old, mine), (new, theirs))]
    points = np.array([[100.0 / len(names) / (high - low)] * len(names) for low, high in scales])
    low = np.array([[low] * len(names) for low, _ in scales])
    said = (Text("the old form", "旧形式"), Text("the new form", "新形式"))
    return Forms(two_groups(rows, names), tuple(common), said, points, low, (names, (*common, *theirs)))


def _absent(name: str, columns: Sequence[str]) -> Problem:
    hint = did_you_mean(name, columns)
    en, zh = f'"{name}" is not an item of both forms.', f"“{name}”不是两种形式共有的题项。"
    return problem("E-LINK", "link", en, zh, hint.en, hint.zh)


def _numbers(frame: pl.DataFrame, columns: Sequence[str]) -> Array:
    """The columns as numbers, NaN where nothing stands."""
    texts = [c for c in columns if not frame.schema[c].is_numeric()]
    if texts:
        en, zh = f"{', '.join(texts)}: text, not numbers.", f"{'、'.join(texts)} 含文字而非数值。"
        raise Problems([problem("E-LINK", "link", en, zh, "Give numbers.", "请给出数值。")])
    return frame.select(pl.col(list(columns)).cast(pl.Float64)).fill_null(float("nan")).to_numpy()


def two_groups(rows: Sequence[Array], names: tuple[str, ...]) -> Sample:
    """Respondents of both forms, each a unit of its own."""
    rows = [r[np.isfinite(r).any(axis=1)] for r in rows]
    every, n = np.concatenate(rows), sum(len(r) for r in rows)
    none = np.full(len(names), np.nan)
    return Sample(
        names=names,
        rows=every,
        weight=np.ones(n),
        cell=np.zeros(n, dtype=np.int64),
        unit=np.arange(n),
        stratum=np.zeros(n, dtype=np.int64),
        cells=pl.DataFrame({"n": [n]}),
        minimum=none,
        maximum=none,
        missing="fiml" if np.isnan(every).any() else "listwise",
        group=np.repeat([0, 1], [len(r) for r in rows]),
        groups=("old", "new"),
    )
