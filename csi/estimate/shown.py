"""How an estimate reads at the prompt: what was fitted to how many rows, how it ended, the first cell's parameters.

What an engine keeps in `extra` may have a sentence of its own (`Headline`), such as the test of fit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import numpy as np
import polars as pl

from csi.display import at_floor, doctors, least_p, p_digits, rounded_up, significant, table
from csi.errors import Text

if TYPE_CHECKING:
    from csi.errors import Reason
    from csi.estimate.estimate import Estimate
    from csi.moments.stack import Array

ROWS = 15
"""So many parameters are printed; the rest is counted."""

REASONS = 3
"""So many failed cells are named; the rest is counted."""

HEADINGS: Final = {
    "group": Text("group", "组"),
    "estimate": Text("estimate", "估计值"),
    "std_error": Text("std_error", "标准误"),
    "p_value": Text("p", "p 值"),
    "conf_low": Text("conf_low", "区间下限"),
    "conf_high": Text("conf_high", "区间上限"),
    "std_all": Text("std_all", "标准化"),
}

KINDS: Final = {
    "=~": Text("loadings", "载荷"),
    "<~": Text("weights", "权重"),
    "~": Text("paths", "路径"),
    ":=": Text("defined", "定义参数"),
    "variance": Text("variances", "方差"),
    "~~": Text("covariances", "协方差"),
    "~1": Text("intercepts", "截距"),
    "|": Text("thresholds", "阈值"),
}
"""Operator -> what its rows are, in the order they are printed."""

CHOSEN: Final = ("~", ":=", "=~", "<~")
"""Where rows are many these are printed first."""

NEGATIVE = -1e-8
"""A variance below this is negative by more than rounding."""

BEYOND = 1 + 1e-8
"""A standardised path larger than this is beyond 1 by more than rounding."""


@runtime_checkable
class Bounded(Protocol):
    """A part of `Estimate.extra` that knows which parameters stopped at a bound."""

    def at_bounds(self, cell: int) -> tuple[str, ...]:
        """Names of the parameters of slice `cell` that are at one of their bounds."""


@runtime_checkable
class Headline(Protocol):
    """A part of `Estimate.extra` that says something in one sentence."""

    def headline(self, cell: int) -> Text:
        """The sentence about slice `cell`."""


def lines_of(est: Estimate, lang: str = "en") -> str:
    """The text of an estimate, in lines."""
    at = _first(est)
    lines = [_fitted(est).say(lang), _ended(est).say(lang), *_failed(est, lang)]
    if len(est.values) > 1:
        named = " ".join(str(v) for v in est.moments.cells.select(pl.exclude("n")).row(at))
        en, zh = ("First cell with a solution", "第一个有解的单元") if at else ("First cell", "第一个单元")
        lines += ["", Text(f"{en}: {named}", f"{zh}：{named}").say(lang)]
    if est.convergence.converged[at]:
        lines += [part.headline(at).say(lang) for part in est.extra.values() if isinstance(part, Headline)]
    why = _withheld(est, at)
    lines += [f"! {t.say(lang)}" for t in (*_doubts(est, at), *_hidden(why))]
    shown = _chosen(est)
    lines += ["", _grid(est, at, shown, lang, withheld=why is not None), *_left(est, shown, lang)]
    return "\n".join([*lines, *(f"* {n.say(lang)}" for n in est.notes if n.code != UNKNOWABLE)])


def _withheld(est: Estimate, at: int) -> Reason | None:
    """Why the paths of cell `at` are not to be shown; None where they may be."""
    if not est.model.paths:
        return None
    found = [one.withheld_cells(est, [at]) for one in doctors()]
    return next((one[at] for one in found if at in one), None)


def _hidden(why: Reason | None) -> Iterator[Text]:
    """That paths are withheld, why, and where their numbers are."""
    if why is not None:
        en = f"paths withheld ({why.code}): {why.text.en} They stay in .table; csi.verify says what to do."
        yield Text(en, f"路径不予显示（{why.code}）：{why.text.zh}数值保留在 .table；处理办法见 csi.verify。")


UNKNOWABLE = "W-IDENT"
"""The note of a model that is not identified; it is told before the numbers."""


def _doubts(est: Estimate, at: int) -> Iterator[Text]:
    """What makes a solution doubtful, as far as it shows without a diagnosis."""
    yield from (n.text for n in est.notes if n.code == UNKNOWABLE)
    if not est.convergence.converged[at]:
        if np.isfinite(est.values[at]).any():
            yield Text("not converged: numbers are not a solution", "未收敛：所列数值不是解")
    else:
        yield from _doubts_of_one(est, at)
    rest = [i for i in np.flatnonzero(est.convergence.converged).tolist() if i != at]
    for what, zh in (
        ("negative variance", "方差为负"),
        ("latent covariances not positive definite", "潜变量协方差阵非正定"),
    ):
        flags = est.convergence.improper.get(what)
        count = 0 if flags is None else int(flags[rest].sum())
        if count:
            yield Text(f"{what} in {count} more cells (see csi.verify)", f"另有 {count} 个单元{zh}（见 csi.verify）")
    count = int((np.abs(_standardised_paths(est)[1][rest]) > BEYOND).any(axis=1).sum())
    if count:
        en, zh = f"standardised paths beyond 1 in {count} more cells", f"另有 {count} 个单元的标准化路径超过 1"
        yield Text(f"{en} (see csi.verify)", f"{zh}（见 csi.verify）")


def _doubts_of_one(est: Estimate, at: int) -> Iterator[Text]:
    """What is doubtful of cell `at`."""
    named = [
        row.lhs + (f" ({row.group})" if row.group else "")
        for row, value in zip(est.rows, est.values[at].tolist(), strict=True)
        if row.op == "~~" and row.lhs == row.rhs and value < NEGATIVE
    ]
    if named:
        en, zh = _listed(named, ", "), _listed(named, "、")
        yield Text(f"negative variance: {en} (see csi.verify)", f"方差为负：{zh}（见 csi.verify）")
    flags = est.convergence.improper.get("latent covariances not positive definite")
    if flags is not None and flags[at] and not set(named) & set(est.solution.constructs):
        en, zh = "latent covariances not positive definite (see csi.verify)", "潜变量协方差阵非正定（见 csi.verify）"
        yield Text(en, zh)
    yield from _large(est, at)
    held = [name for part in est.extra.values() if isinstance(part, Bounded) for name in part.at_bounds(at)]
    if held:
        yield Text(f"at its bound: {_listed(held, ', ')}", f"落在界上：{_listed(held, '、')}")
    error = est.std_error
    unknown = not any(n.code == UNKNOWABLE for n in est.notes)
    estimated = any(part.layout.count for part in est.extra.values() if hasattr(part, "layout")) or not est.extra
    if error is not None and unknown and estimated and est.values.shape[1] and not np.isfinite(error[at]).any():
        if _one_cluster(est, at):
            yield Text("no standard errors: there is one unit (cluster)", "没有标准误：只有一个抽样单元（聚类）")
            return
        en = "no standard errors: the model may not be identified (see csi.verify)"
        yield Text(en, "没有标准误：模型可能不可识别（见 csi.verify）")


def _standardised_paths(est: Estimate) -> tuple[list[int], Array]:
    """Positions of the m paths among the rows, and their standardised values (b, m); what composites have is so."""
    value = est.values if est.std_all is None and est.solution.weights is not None else est.std_all
    at = [i for i, row in enumerate(est.rows) if row.op == "~"] if value is not None else []
    return at, (est.values if value is None else value)[:, at]


def _large(est: Estimate, at: int) -> Iterator[Text]:
    """Standardised paths beyond 1 of cell `at`: sometimes right, more often of predictors that cannot be told apart."""
    places, value = _standardised_paths(est)
    found = zip((est.rows[i] for i in places), value[at].tolist(), strict=True)
    large = [
        f"{row.lhs} ~ {row.rhs}{f' ({row.group})' if row.group else ''} {significant(size, 3)}"
        for row, size in sorted(found, key=lambda one: -abs(one[1]))
        if abs(size) > BEYOND
    ]
    if large:
        en, zh = _listed(large, ", ", 3), _listed(large, "、", 3)
        yield Text(f"standardised path beyond 1: {en} (see csi.verify)", f"标准化路径超过 1：{zh}（见 csi.verify）")


def _one_cluster(est: Estimate, at: int) -> bool:
    """Whether all rows of cell `at` are known to share one unit."""
    known = any(n.code == "N-CLUSTERS-ONE" for n in est.notes)
    return known and (len(est.values) == 1 if est.replicates is None else int(est.replicates.units[at]) == 1)


def _listed(names: list[str], comma: str, most: int = 6) -> str:
    """Names, the first of many."""
    return comma.join(names[:most]) + (f"{comma}... ({len(names)})" if len(names) > most else "")


def p_text(p: float, least: float = 0.0) -> str:
    """A p-value for the prompt; one at the floor of its draws is a bound.

    Parameters:
        p: the p-value. least: the least that its permutations or resamples can give; 0 for other tests.

    Example:
        >>> p_text(0.0421), p_text(1e-9), p_text(float("nan")), p_text(0.002, least=0.002)
        ('0.042', '< .001', '-', '≤ 0.002')
    """
    if math.isnan(p):
        return "-"
    if p < 0.001:
        return "< .001"
    return f"≤ {rounded_up(p):.3f}" if at_floor(p, least) else f"{p:.{p_digits(p, least)}f}"


def p_is(p: float | None, least: float = 0.0) -> str:
    """A p-value with the sign before it.

    Example:
        >>> p_is(0.04), p_is(1e-9), p_is(0.002, least=0.002)
        ('= 0.040', '< .001', '≤ 0.002')
    """
    shown = p_text(math.nan if p is None else p, least)
    return shown if shown[0] in "<≤" else f"= {shown}"


def p_column(frame: pl.DataFrame, name: str, least: float, raw: str = "") -> pl.Series:
    """The p-values of a column as they are printed.

    Parameters:
        frame: holds the column. least: as in `p_text`. raw: of adjusted p-values the column of the plain ones, which
            are what reaches a floor.

    Example:
        >>> frame = pl.DataFrame({"p": [0.002, 0.01], "p_holm": [0.004, 0.01]})
        >>> p_column(frame, "p_holm", 0.002, "p").to_list()
        ['≤ 0.004', '0.010']
    """
    pairs = zip(frame[name], frame[raw or name], strict=True)
    plain = 0.0 if raw else least
    said = [None if p is None else p_text(p, p if at_floor(own, least) else plain) for p, own in pairs]
    return pl.Series(name, said, dtype=pl.String)


DRAWN = ("percentile", "basic", "bc", "bca", "studentised", "double")
"""Intervals whose p-value is a share of the replicates."""


def least_of(est: Estimate) -> float:
    """The least p-value that the replicates of an estimate can give; 0 where its p-values rest on standard errors.

    Example:
        >>> import csi
        >>> frame = pl.DataFrame({"x1": [1, 2, 4, 6, 2, 5], "y1": [2, 1, 3, 5, 9, 6]})
        >>> est = csi.fit("x =~ x1; y =~ y1; y ~ x", frame, csi.PLS())
        >>> least_of(est), round(least_of(csi.bootstrap(est, 199, seed=1, interval="percentile")), 3)
        (0.0, 0.01)
    """
    rep = est.replicates
    if rep is None or rep.factors is not None or est.interval not in DRAWN:
        return 0.0
    usable = rep.usable.sum(axis=0)
    some = usable[usable > 1]
    return least_p(int(some.min()), 2 if est.alternative == "two-sided" else 1) if some.size else 0.0


def _fitted(est: Estimate) -> Text:
    """Engine, cells, rows, groups."""
    n = [f"{v:.0f}" for v in est.moments.n.tolist()]
    name = est.settings.name
    if len(n) > 1:
        keys = " x ".join(c for c in est.moments.cells.columns if c != "n")
        low, high = f"{est.moments.n.min():.0f}", f"{est.moments.n.max():.0f}"
        en = f"{name}: {len(n)} cells ({keys}), n = {low} to {high}"
        return Text(en, f"{name}：{len(n)} 个单元（{keys}），n = {low} 至 {high}")
    parts = zip(est.moments.groups, est.moments.parts, strict=True)
    sizes = [f"{label} {part.n[0]:.0f}" for label, part in parts]
    inside, inside_zh = (f" ({', '.join(sizes)})", f"（{'、'.join(sizes)}）") if sizes else ("", "")
    return Text(f"{name}: n = {n[0]}{inside}", f"{name}：n = {n[0]}{inside_zh}")


def _ended(est: Estimate) -> Text:
    """How the search ended, and how often it was repeated."""
    ended, b = est.convergence, len(est.values)
    good = int(ended.converged.sum())
    boot, boot_zh = _repeated(est)
    if b > 1:
        return Text(f"{good} of {b} cells converged{boot}", f"{b} 个单元中 {good} 个收敛{boot_zh}")
    rounds = int(ended.iterations[0])
    en, zh = (
        (f"converged after {rounds} iteration{'s' * (rounds != 1)}", f"迭代 {rounds} 次后收敛")
        if good
        else ("no solution", "无解")
    )
    return Text(en + boot, zh + boot_zh)


def _repeated(est: Estimate) -> tuple[str, str]:
    """How the fit was repeated, after a semicolon; empty where it was not."""
    replicates = est.replicates
    if replicates is None:
        return "", ""
    if replicates.factors is None:
        return (
            f"; {replicates.n} resamples, seed {replicates.seed}",
            f"；重抽样 {replicates.n} 次，种子 {replicates.seed}",
        )
    if replicates.kind == "jackknife":
        return f"; jackknife, {replicates.n} units", f"；刀切法，{replicates.n} 个抽样单元"
    return (
        f"; {replicates.n} replicate weights ({replicates.kind})",
        f"；{replicates.n} 个重复权重（{replicates.kind}）",
    )


def _failed(est: Estimate, lang: str) -> Iterator[str]:
    """Why cells have no usable solution."""
    keys = est.moments.cells.select(pl.exclude("n"))
    reasons = list(est.convergence.reasons.items())
    for cell, why in reasons[:REASONS]:
        named = " ".join(str(v) for v in keys.row(cell)) if keys.width else ""
        yield f"* {named}{Text(': ', '：').say(lang) if named else ''}{why.say(lang)}"
    more = len(reasons) - REASONS
    if more > 0:
        yield Text(f"* ... {more} more, see .convergence.reasons", f"* ……另有 {more} 个，见 .convergence.reasons").say(
            lang
        )


def _first(est: Estimate) -> int:
    """The first cell with a solution, 0 where none has."""
    return int(np.argmax(est.convergence.converged))


def _kind(est: Estimate, i: int) -> str:
    """What the row is, a key of KINDS or its operator."""
    row = est.rows[i]
    return "variance" if row.op == "~~" and row.lhs == row.rhs else row.op


def _chosen(est: Estimate) -> list[int]:
    """Positions of the printed rows: of the first group, paths and definitions before loadings before the rest."""
    first = next((r.group for r in est.rows if r.group), None)
    own = [i for i, r in enumerate(est.rows) if not r.group or r.group == first]
    kinds, order = {i: _kind(est, i) for i in own}, list(KINDS)
    kept = sorted(own, key=lambda i: CHOSEN.index(kinds[i]) if kinds[i] in CHOSEN else len(CHOSEN))[:ROWS]
    return sorted(kept, key=lambda i: order.index(kinds[i]) if kinds[i] in order else len(order))


def _left(est: Estimate, shown: list[int], lang: str) -> Iterator[str]:
    """How many rows are not printed, and what they are."""
    cells, groups = len(est.values), len({r.group for r in est.rows if r.group})
    number = cells * len(est.rows) - len(shown)
    if not number:
        return
    first = next((r.group for r in est.rows if r.group), None)
    own = {_kind(est, i) for i, r in enumerate(est.rows) if i not in shown and (not r.group or r.group == first)}
    what = [t for kind, t in KINDS.items() if kind in own]
    what += [Text(f"{groups - 1} more group{'s' * (groups > 2)}", f"其余 {groups - 1} 组")] if groups > 1 else []
    what += [Text(f"{cells - 1} more cell{'s' * (cells > 2)}", f"其余 {cells - 1} 个单元")] if cells > 1 else []
    en = f" ({', '.join(t.en for t in what)})" if what else ""
    zh = f"（{'、'.join(t.zh for t in what)}）" if what else ""
    yield Text(f"... {number} more row{'s' * (number > 1)}{en} in .table", f"……另有 {number} 行{zh}，见 .table").say(
        lang
    )


def _grid(est: Estimate, at: int, shown: list[int], lang: str, *, withheld: bool) -> str:
    """Parameters of cell `at`; columns without a number are left out, and tests where there is no solution; numbers of
    paths and definitions are absent where `withheld`.
    """
    numbers = ["estimate", "std_error", "p_value", *(["conf_low", "conf_high"] if est.replicates else []), "std_all"]
    if not est.convergence.converged[at]:
        numbers = ["estimate"]
    frame = est.table.slice(at * len(est.rows), len(est.rows)).select("lhs", "op", "rhs", "group", *numbers)
    kept = [c for c in frame.columns if c in {"lhs", "op", "rhs", "estimate"} or frame[c].null_count() < frame.height]
    if withheld:
        hidden = pl.col("op").is_in(["~", ":="])
        frame = frame.with_columns(pl.when(hidden).then(None).otherwise(pl.col(c)).alias(c) for c in numbers)
    headings = {c: text.say(lang) for c, text in HEADINGS.items()} | {"lhs": "", "op": "", "rhs": ""}
    tested, least = partial(p_text, least=least_of(est)), dict.fromkeys(numbers, significant)
    return table(frame.select(kept)[shown], least | {"p_value": tested}, headings)
