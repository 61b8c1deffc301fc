"""Choosing among models of the same construct: `selection({"small": est, "large": other})`.

Letters: `b` cells, `n` rows, `k` predictors and an intercept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, problem, reason
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate, check_kind
from csi.measures.shown import part, told
from csi.measures.tidy import cells_of, said_once, tidy, unsolved
from csi.models.model import Model, Path, Term
from csi.moments.stack import Array

CRITERIA = ("aic", "aicc", "aicu", "bic", "hq", "hqc", "fpe", "gm", "cp")
"""Smaller is better, for all of them."""

NO_SATURATED = reason(
    "no_saturated",
    "the model with all earlier constructs as predictors has no usable solution, or one with R2 of 1 or more.",
    "以全部在前构念为预测变量的模型没有可用的解，或其 R² 不小于 1。",
)


def criteria(r2: Array, n: Array, k: int, r2_saturated: Array) -> dict[str, Array]:
    """Criteria of a regression of a score of variance 1: SSE = (1 - R2)(n - 1).

        AIC  = n (ln(SSE/n) + 2k/n)              AICc = n (ln(SSE/n) + (n + k)/(n - k - 2))
        AICu = n (ln(SSE/(n - k)) + 2k/n)        BIC  = n (ln(SSE/n) + k ln(n)/n)
        HQ   = n (ln(SSE/n) + 2k ln(ln n)/n)     HQc  = n (ln(SSE/n) + 2k ln(ln n)/(n - k - 2))
        FPE  = SSE/(n - k) (1 + k/n)             GM   = SSE/MSE + k ln n
        Cp   = SSE/MSE - (n - 2k)

    Parameters:
        r2: (...,). n: (...,). k: predictors and the intercept. r2_saturated: (...,) of the saturated model, which gives
            MSE = 1 - R2.

    Returns:
        name -> (...,).

    Source:
        Sharma et al. (2019), Journal of the Association for Information Systems 20(4), table 2; Sharma et al. (2021),
        Decision Sciences 52(3).

    Example:
        >>> found = criteria(np.array(0.254938), np.array(250.0), 2, np.array(0.255328))
        >>> found["aic"].round(3).item(), found["bic"].round(3).item()
        (-70.574, -63.531)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        sse, loglog = (1 - r2) * (n - 1), np.log(np.log(n))
        base, over = n * np.log(sse / n), sse / (1 - r2_saturated)
        few = np.where(n > k + 2, n - k - 2, np.nan)
        found = {
            "aic": base + 2 * k,
            "aicc": base + n * (n + k) / few,
            "aicu": n * np.log(sse / (n - k)) + 2 * k,
            "bic": base + k * np.log(n),
            "hq": base + 2 * k * loglog,
            "hqc": base + 2 * k * loglog * n / few,
            "fpe": sse / (n - k) * (1 + k / n),
            "gm": over + k * np.log(n),
            "cp": over - (n - 2 * k),
        }
    return {name: np.asarray(values, dtype=np.float64) for name, values in found.items()}


def criterion_weights(values: Array) -> Array:
    """Relative likelihood of models given AIC or BIC: exp(-d/2) / sum exp(-d/2), d the distance from the smallest.

    Parameters:
        values: (m, ...) a criterion of m models.

    Source:
        Burnham & Anderson (2002), Model Selection and Multimodel Inference, 2.9; Danks, Sharma & Sarstedt (2020),
        Journal of Business Research 113.

    Example:
        >>> criterion_weights(np.array([10.0, 12.0])).round(4).tolist()
        [0.7311, 0.2689]
    """
    likely = np.exp(-0.5 * (values - values.min(axis=0)))
    return np.asarray(likely / likely.sum(axis=0), dtype=np.float64)


@dataclass(frozen=True, slots=True, repr=False)
class Selection(Shown):
    """What `selection` found.

    Attributes:
        table: key columns, construct, model, predictors, r2, r2_adjusted, aic, aicc, aicu, bic, hq, hqc, fpe, gm, cp,
            bic_weight and aic_weight (among the models of this construct), reason.
        notes, reasons.
    """

    table: pl.DataFrame
    notes: tuple[Note, ...]
    reasons: Mapping[str, Reason]

    @property
    def sentences(self) -> tuple[Text, ...]:
        """Per cell and construct: the model that BIC prefers, with its weight; none where there is one model."""
        keys = self.table.columns[: self.table.columns.index("model")]
        found = []
        for rows in self.table.drop_nulls("bic_weight").partition_by(keys, maintain_order=True):
            if rows.height > 1:
                best = rows.sort("bic_weight", descending=True).row(0, named=True)
                place = " ".join(str(best[k]) for k in keys)
                name, weight = best["model"], best["bic_weight"]
                found.append(
                    Text(
                        f'{place}: BIC prefers "{name}" among {rows.height} models (weight {weight:.2f}).',
                        f"{place}：BIC 在 {rows.height} 个模型中选择“{name}”（权重 {weight:.2f}）。",
                    )
                )
        return tuple(found)


@text.register
def _(value: Selection, lang: str = "en") -> str:
    """BIC, GM and weights of every model, a sentence per construct, notes."""
    title = Text("Model selection (smaller is better)", "模型选择（越小越好）")
    keys = value.table.columns[: value.table.columns.index("predictors") + 1]
    lines = part(title, value.table.select(*keys, "r2", "aic", "bic", "hq", "gm", "cp", "bic_weight"), lang, ".table")
    return "\n".join(
        [*lines, *(s.say(lang) for s in value.sentences), *told(value.reasons.values(), value.notes, lang)]
    )


def selection(models: Mapping[str, Estimate] | Estimate, target: str | None = None) -> Selection:
    """Information criteria of the regression of every construct, and how models of the same construct compare.

    BIC and GM find the model that predicts best and fits parsimoniously; they compare models of the same construct with
    the same items. GM and Cp rest on a saturated model, in which every construct has all earlier ones as predictors.

    Parameters:
        models: name -> fit of composites to the same cells, or one fit. target: one construct; default all that have
            predictors.

    Returns:
        A `Selection`.

    Raises:
        Problems: fits that are not of composites, other cells or another n, an unknown target.

    Source:
        Sharma et al. (2019, 2021). Agrees with cSEM 0.6.1 (all nine) and seminr 2.3.4 (AIC, BIC and its weights) within
        1e-6 (tests/measures/test_selection.py).

    Example:
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> a, b = rng.standard_normal((2, 200))
        >>> y = a + b + rng.standard_normal(200)
        >>> frame = pl.DataFrame({"a1": a, "b1": b, "y1": y})
        >>> small = csi.fit("A =~ a1; B =~ b1; Y =~ y1; Y ~ A; B ~ A", frame, csi.PLS())
        >>> large = csi.fit("A =~ a1; B =~ b1; Y =~ y1; Y ~ A + B; B ~ A", frame, csi.PLS())
        >>> print(selection({"small": small, "large": large}, "Y").sentences[0].en)
        Y: BIC prefers "large" among 2 models (weight 1.00).
    """
    wanted = Text("an estimate, or several under their names,", "一个估计结果，或以名称标明的若干个")
    do = Text('Write csi.selection({"small": a, "large": b}).', '请写 csi.selection({"small": a, "large": b})。')
    check_kind("models", models, (Estimate, Mapping), wanted, do)
    given = {"": models} if isinstance(models, Estimate) else dict(models)
    for est in given.values():
        check_estimate(est)
    found = _problems(given, target)
    if found:
        raise Problems(found)
    frames = [_of_model(name, est, target) for name, est in given.items()]
    table = _weighted(pl.concat(frames), cells_of(next(iter(given.values()))).select(pl.exclude("n")).columns)
    codes = set(table["reason"].drop_nulls())
    absent = said_once([*(r for est in given.values() for r in unsolved(est)), NO_SATURATED])
    notes = dict.fromkeys(n for est in given.values() for n in est.notes)
    return Selection(table, tuple(notes), {code: r for code, r in absent.items() if code in codes})


def _of_model(name: str, est: Estimate, target: str | None) -> pl.DataFrame:
    """One model's rows."""
    names = est.solution.constructs
    count = {y: len([x for x in est.model.predictors(y) if x in names]) for y in names}
    wanted = [y for y in names if count[y] and target in (None, y)]
    n, r2 = np.asarray(est.moments.n, dtype=np.float64), est.solution.r2
    full = saturated_r2(est)
    rows = [criteria(r2[:, names.index(y)], n, count[y] + 1, full[:, names.index(y)]) for y in wanted]
    own = np.stack([r2[:, names.index(y)] for y in wanted], axis=1)
    k = np.array([count[y] for y in wanted])
    with np.errstate(divide="ignore", invalid="ignore"):
        adjusted = 1 - (1 - own) * (n[:, None] - 1) / (n[:, None] - k - 1)
    numbers = {"r2": own, "r2_adjusted": adjusted}
    numbers |= {c: np.stack([row[c] for row in rows], axis=1) for c in CRITERIA}
    why = unsolved(est)
    usable = np.array([w is None for w in why])[:, None]
    numbers = {c: np.where(usable, values, np.nan) for c, values in numbers.items()}
    codes = [
        w.code if w else (None if np.isfinite(g) else NO_SATURATED.code)
        for w, row in zip(why, numbers["gm"], strict=True)
        for g in row
    ]
    labels = pl.DataFrame({"construct": wanted, "model": [name] * len(wanted), "predictors": k})
    return tidy(cells_of(est), labels, numbers, {"reason": codes})


def _weighted(table: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Weights of BIC and AIC among the models of a construct, which stand together, cell by cell."""
    together = [*keys, "construct"]
    order = table.select(together).unique(maintain_order=True).with_row_index("_order")
    table = table.join(order, on=together, how="left", maintain_order="left").sort("_order", maintain_order=True)
    for name in ("bic", "aic"):
        likely = (-0.5 * (pl.col(name) - pl.col(name).min().over(together))).exp()
        table = table.with_columns((likely / likely.sum().over(together)).alias(f"{name}_weight"))
    return table.select(pl.exclude("_order", "reason"), "reason")


def saturated_r2(est: Estimate) -> Array:
    """(b, q) R2 where every construct has all earlier ones (and its products) as predictors, the model estimated anew.

    Earlier: in an order that the arrows allow, and of the model's constructs where they leave it open. NaN where it has
    no solution, or none with R2 below 1 (PLSc).
    """
    inside = {part for whole, part in est.solution.parts if whole in est.solution.higher}
    products = {c.name for c in est.model.constructs if c.product_of}
    order = [c for c in causal_order(est.model, est.solution.constructs) if c not in inside | products]
    own = tuple(p for p in est.model.paths if p.predictor.name in products)
    arrows = tuple(Path(y, Term(x)) for i, y in enumerate(order) for x in order[:i])
    fit = est.settings.solve(replace(est.model, paths=(*arrows, *own)), est.moments, est)
    cause = fit.convergence.cause
    failed = np.zeros(len(fit.solution.r2), dtype=bool) if cause is None else cause > 0
    at = [fit.solution.constructs.index(c) for c in est.solution.constructs]
    r2 = fit.solution.r2[:, at]
    with np.errstate(invalid="ignore"):
        return np.where(failed[:, None] | (r2 >= 1), np.nan, r2)


def causal_order(model: Model, names: tuple[str, ...]) -> list[str]:
    """Constructs in an order in which no arrow points back; ties as the model lists them.

    Example:
        >>> causal_order(Model.parse("c =~ c1; a =~ a1; b =~ b1; b ~ a; c ~ b"), ("c", "a", "b"))
        ['a', 'b', 'c']
    """
    order: list[str] = []
    while len(order) < len(names):
        free = [n for n in names if n not in order and not (set(model.predictors(n)) & set(names)) - set(order)]
        order.append(free[0])
    return order


def _problems(given: Mapping[str, Estimate], target: str | None) -> list[Problem]:
    """Fits that cannot be compared."""
    found = []
    first = next(iter(given.values()), None)
    if first is None:
        en, zh = "no model is given.", "没有给出模型。"
        do, do_zh = 'Write {"small": est, "large": other}.', '请写 {"small": est, "large": other}。'
        found.append(problem("E-SELECT", "models", en, zh, do, do_zh))
    for name, est in given.items():
        where = f'estimate "{name}"' if name else "estimate"
        if est.solution.weights is None or "sem" in est.extra:
            en, zh = "these criteria are for composite models.", "这些准则只适用于合成模型。"
            do, do_zh = "Read AIC and BIC of csi.fit_measures.", "请看 csi.fit_measures 的 AIC 与 BIC。"
            found.append(problem("E-SELECT", where, en, zh, do, do_zh))
        elif first is not None and not est.moments.cells.equals(first.moments.cells):
            en, zh = "it has other cells, or another number of rows, than the first.", "其单元或样本量与第一个不同。"
            do, do_zh = "Fit all models to the same rows.", "请用相同的数据行拟合所有模型。"
            found.append(problem("E-SELECT", where, en, zh, do, do_zh))
        elif target is not None and not [x for x in est.model.predictors(target) if x in est.solution.constructs]:
            en, zh = f'"{target}" has no predictors in it.', f"其中“{target}”没有预测构念。"
            do, do_zh = "Name a construct that every model predicts.", "请指定每个模型都预测的构念。"
            found.append(problem("E-SELECT", where, en, zh, do, do_zh))
        elif not np.isfinite(est.solution.r2).any() and not any(est.model.predictors(c) for c in est.model.names):
            en, zh = "no construct has predictors.", "没有任何构念含有预测构念。"
            found.append(problem("E-SELECT", where, en, zh, "Write a path such as b ~ a.", "请写出路径，如 b ~ a。"))
    return found
