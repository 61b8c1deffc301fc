"""Whether cells may be compared: `csi.comparable(index)`, a verdict and an effect in points for every difference.

Letters: `c` cells, `g` cells of one set, `m` pairs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from csi.errors import Note, Problem, Problems, Reason, Text, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_kind
from csi.sem.estimator import SEM
from csi.tracking.contrasts import holm, step_levels
from csi.tracking.gate_ladder import Climbed, climb
from csi.tracking.gate_sets import Cells, sets_of, shared_units
from csi.tracking.gate_shown import Comparable
from csi.tracking.gate_verdicts import Judged, judge, untested
from csi.tracking.index import Index, index

SHOWN = 5
"""Cells that cannot be tested are named up to this number."""


def comparable(
    source: Estimate | Index,
    between: str | Sequence[str] | None = None,
    construct: str | Sequence[str] | None = None,
    *,
    alpha: float = 0.05,
    small: int = 30,
    ordered: Collection[str] = (),
    formed: Collection[str] = (),
    where: Mapping[str, str] | None = None,
) -> Comparable:
    """May these cells be compared, and by how many points would what differs move their difference?

    Cells that differ in one key alone (the waves of a brand, the brands of a wave) form a set. The items of a construct
    are one factor in all cells of the set at once; the metric and the scalar step of the invariance ladder are scaled
    chi-square differences, p = 2 min(p_metric, p_scalar), with Holm's correction over all sets and constructs of the
    call. Where a set is rejected, loadings and intercepts are set free one at a time until the rest is not, at least
    two items of the construct staying alike. Of more than six
    cells alignment says which differ in which item. Then for each pair of cells:

        comparable        the set is not rejected, or the pair differs in nothing that was set free
        after freeing X   the pair differs in X alone; the latent comparison rests on the other items
        not comparable    fewer than two items are alike, or no single item accounts for the difference
        not tested        too few items or answers, a constant item, no solution, a construct that its items form

    Beside every verdict stands the effect in index points: how far the published difference is from the one that
    invariant items would show, with its standard error (of the item that is set free; where nothing was rejected, of
    the one that differs most). Changes of CFI are printed as a convention, not as a test.

    Parameters:
        source: an estimate by cells, or its index (whose weights then count). between: keys, such as "wave"; by default
            all in which cells differ. construct: one or several; by default all.
        alpha: level of the decisions. small: cells with fewer rows are not tested. ordered: ordinal items.
        formed: constructs that their items form, beside those of which an estimate tells it (`<~`, mode B).
        where: key values that a set's cells share, such as {"wave": "2026Q3"}: only these sets are tested.

    Returns:
        A `Comparable`.

    Raises:
        Problems: E-BY, E-GATE, E-CONSTRUCT, E-ROWS, E-SETTING.

    Source:
        Meredith (1993), Psychometrika 58; Byrne, Shavelson & Muthén (1989), Psychological Bulletin 105 (partial); Yuan
        & Bentler (2000) and Satorra & Bentler (2001) (scaled differences);
        Asparouhov & Muthén (2014), Structural Equation Modeling 21(4) (alignment).

    Example:
        >>> import csi, numpy as np, polars as pl
        >>> rng, rows = np.random.default_rng(1), []
        >>> for wave, shift in (("w1", 0.0), ("w2", 1.0)):
        ...     joy = rng.normal(size=(300, 1)) + rng.normal(size=(300, 4)) + 6 + np.array([0, 0, 0, shift])
        ...     rows.append(pl.DataFrame(joy.round().clip(1, 10), schema=[*"abcd"]).with_columns(wave=pl.lit(wave)))
        >>> model = csi.Model.parse("joy =~ b + c + d; use =~ a; joy ~ use")
        >>> est = csi.fit(model, pl.concat(rows), csi.PLS(), by=["wave"], scale=(1, 10))
        >>> found = comparable(est, construct="joy")
        >>> found.pairs.select("verdict", "items").row(0)
        ('after freeing', 'd')
    """
    made, formative, ordinal = _made(source, alpha, ordered, formed)
    names = None if construct is None else [construct] if isinstance(construct, str) else list(construct)
    keys = None if between is None else [between] if isinstance(between, str) else list(between)
    sets = sets_of(made, keys, names, small, formative)
    shared = where or {}
    sets = tuple(one for one in sets if all(one.cells_in(k, v) for k, v in shared.items()))
    judged = judged_sets(made, sets, alpha, ordinal)
    return Comparable.of(made, judged, alpha, _notes(judged, alpha))


def _made(
    source: Estimate | Index, alpha: float, ordered: Collection[str], formed: Collection[str]
) -> tuple[Index, tuple[str, ...], tuple[str, ...]]:
    """The index, the constructs that their items form, the ordinal items."""
    wanted = Text("an estimate or an index", "估计结果或指数")
    remedy = Text("Give what csi.fit or csi.index returns.", "请给出 csi.fit 或 csi.index 的结果。")
    check_kind("source", source, (Estimate, Index), wanted, remedy)
    found = _alpha(alpha)
    if found:
        raise Problems(found)
    if isinstance(source, Index):
        return source, tuple(formed), tuple(ordered)
    modes = dict(zip(source.solution.constructs, source.solution.modes, strict=False))
    own_way = (c.name for c in source.model.constructs if c.operator == "<~" or modes.get(c.name) == "B")
    own = source.settings.ordered if isinstance(source.settings, SEM) else ()
    return index(source), (*formed, *own_way), tuple(dict.fromkeys([*ordered, *own]))


def _alpha(alpha: float) -> list[Problem]:
    if 0 < alpha < 0.5:
        return []
    en, zh = f"alpha = {alpha:g} is no level of a test.", f"alpha = {alpha:g} 不是有效的检验水平。"
    return [problem("E-SETTING", "alpha", en, zh, "Write such as alpha=0.05.", "请写例如 alpha=0.05。")]


def judged_sets(made: Index, sets: Sequence[Cells], alpha: float, ordered: tuple[str, ...]) -> tuple[Judged, ...]:
    """Every set with its verdicts; Holm's correction counts all of them."""
    sample = made.sample
    if sample is None:
        return ()
    climbed = [one.reason or climb(sample, one, ordered) for one in sets]
    p_values = np.array([np.nan if isinstance(c, Reason) else c.p_value for c in climbed])
    adjusted, levels = holm(p_values.tolist()), step_levels(p_values, alpha)
    found = []
    for one, c, p, level in zip(sets, climbed, adjusted, levels, strict=True):
        if not isinstance(c, Climbed):
            found.append(untested(one, c))
            continue
        found.append(_with_overlap(judge(sample, one, c, float(level), float(p), alpha), made))
    return tuple(found)


def _with_overlap(one: Judged, made: Index) -> Judged:
    """The set with the number of respondents who answered in several of its cells."""
    return one if made.sample is None else replace(one, overlap=shared_units(made.sample, one.cells))


def _notes(judged: Sequence[Judged], alpha: float) -> tuple[Note, ...]:
    """What was run and how it is to be read."""
    run = [one for one in judged if one.climbed is not None]
    en = (
        f"Decisions: scaled chi-square differences of equal loadings and intercepts at {alpha:g}, Holm over "
        f"{len(run)} sets of cells; changes of CFI are a convention without a nominal error rate. "
        "Not rejected is not proven."
    )
    zh = (
        f"判断依据：载荷与截距相等的校正卡方差异检验（水平 {alpha:g}，对 {len(run)} 组单元作 Holm 校正）；"
        "CFI 变化只是惯例，没有名义错误率。未被拒绝并不等于得到证明。"
    )
    size = (
        "With many answers trifles are rejected, with few large differences are not: read the effect in points beside "
        "the verdict, where nothing is rejected that of the item that differs most. It holds the index's weights fixed."
    )
    size_zh = (
        "样本很大时微小差异也会被拒绝，样本很小时较大差异也可能未被发现："
        "请结合以点数表示的影响解读（未被拒绝时为差异最大题项的影响）。计算时指数权重视为固定。"
    )
    out = [note("N-GATE", en, zh), note("N-GATE-EFFECT", size, size_zh)] if run else []
    overlap = sum(one.overlap for one in run)
    if overlap:
        en = f"{overlap} respondents answered in several cells of a set; the tests take cells as independent."
        out.append(note("W-GATE-OVERLAP", en, f"{overlap} 位受访者在同组的多个单元中作答；检验将各单元视为独立。"))
    if any(one.free or one.rule == "alignment" for one in run):
        en = "What was set free was chosen by these data; confirm it in other data before building on it."
        out.append(note("W-RELEASED", en, "放开的参数由数据选出，请先用其他数据验证再加以依赖。"))
    return (*out, *_left_out(judged))


def _left_out(judged: Sequence[Judged]) -> tuple[Note, ...]:
    """Cells that take no part, each once with its reason."""
    seen = {
        (one.cells.between, *one.cells.keys.values(), label): (one, label, why)
        for one in judged
        for label, why in one.cells.left_out.items()
    }
    out = []
    for one, label, why in list(seen.values())[:SHOWN]:
        place = " ".join([*(v for v in one.cells.keys.values() if v), label])
        out.append(note("N-GATE-LEFT", f"{place}: not tested, {why.text.en}", f"{place}：未检验，{why.text.zh}"))
    rest = len(seen) - SHOWN
    if rest > 0:
        out.append(note("N-GATE-LEFT", f"{rest} more cells could not be tested.", f"另有 {rest} 个单元无法检验。"))
    return tuple(out)
