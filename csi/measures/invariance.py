"""Measurement invariance over groups in one call: `invariance(model, data, groups="school")`.

Letters: `g` groups, `n` respondents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from csi.display import Number, Shown, significant, text
from csi.errors import Note, Problem, Problems, Reason, Text, note, problem, reason
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.estimate.given import estimator_problems, model_of
from csi.estimate.shown import p_text
from csi.measures.climb import Ladder, Rung
from csi.measures.fit_measures import fit_measures
from csi.measures.invariance_words import fixed, limits, sentence, wrapped
from csi.measures.ladder import KINDS, TITLES, Key, Step, keys_of, measurement, steps_of
from csi.measures.room import no_room, room_of
from csi.measures.shown import listing
from csi.models.model import Model
from csi.sem.estimator import SEM
from csi.sem.fitted import fitted
from csi.sem.of_groups import released

NOT_COMPARABLE = reason(
    "R-NOT-INVARIANT",
    "the scalar step does not stand, so latent means are not comparable.",
    "标量等值不成立，潜变量均值不可比。",
)
NOT_TESTED = reason("R-NOT-TESTED", "the step it rests on was not tested.", "其所依赖的步骤未检验。")
_NUMBERS = (
    *("chi2", "df", "p_value", "cfi", "rmsea", "srmr"),
    *("delta_chi2", "delta_df", "delta_p", "delta_cfi", "delta_rmsea", "delta_srmr"),
)
_PRINTED: dict[str, Number] = dict.fromkeys(_NUMBERS, fixed) | dict.fromkeys(
    ("chi2", "delta_chi2"), lambda value: fixed(value, 2)
)
_PRINTED |= dict.fromkeys(("df", "delta_df"), significant) | dict.fromkeys(("p_value", "delta_p"), p_text)
"""How the ladder's numbers are printed."""


@dataclass(frozen=True, slots=True, repr=False)
class Invariance(Shown):
    """The ladder of measurement invariance.

    Attributes:
        table: one row per step, and one more for its partial form: step, released (number of parameters that may
            differ), chi2, df, p_value, cfi, rmsea, srmr, delta_chi2, delta_df, delta_p (against the last step that
            stands), delta_cfi, delta_rmsea, delta_srmr, verdict ("baseline", "not rejected", "partial",
            "rejected", "void", "equivalent", "unsettled", "not tested").
        releases: what partial invariance set free: step, lhs, op, rhs, group, x2, p_value, epc.
        means: latent means of every group: construct, group, mean (0 in the first), in_sd (in standard deviations of
            the first group), std_error, statistic, p_value, conf_low, conf_high, reason.
        sentences: step -> what it found. fits: step -> its estimate. groups: labels. form: which chi-square, CFI and
            RMSEA are printed, "", "scaled" or "robust". alpha: level of the tests. reasons: code -> Reason. notes.
    """

    table: pl.DataFrame
    releases: pl.DataFrame
    means: pl.DataFrame
    sentences: Mapping[Step, Text]
    fits: Mapping[Step, Estimate]
    groups: tuple[str, ...]
    form: str
    alpha: float
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


def invariance(
    model: Model | str,
    data: object,
    groups: str,
    estimator: SEM | None = None,
    steps: Sequence[str] | None = None,
    *,
    partial: bool = False,
    alpha: float = 0.05,
    limit: int = 5,
    where: Mapping[str, str] | None = None,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
) -> Invariance:
    """Do the items measure the same in every group? Configural, metric, scalar, strict, means, each against the last.

    A step stands when its (scaled) chi-square difference has p >= alpha, that is, when these data do not reject it: a
    small sample rejects little, so the largest difference that a step may hide is told with its interval. Changes of
    CFI and RMSEA are printed beside it with their customary limits, which are conventions without a nominal error rate.

    Parameters:
        model: constructs with their items, or text; arrows are left out. data: as in `csi.fit`, or `Moments.grouped`.
        groups: the column of the groups. estimator: `csi.SEM(...)`; `ordered=` makes the ladder ordinal.
        steps: some of "configural", "thresholds" (ordinal), "metric", "scalar", "strict", "means"; all by default.
        partial: where a step fails, release equalities one at a time, by score tests, until it stands; each construct
            keeps two invariant items. Steps that rest on one that fails are then not tested.
        alpha: level of the tests. limit: most releases per step.
        where, weight, unit, stratum, na, scale: as in `csi.fit`.

    Returns:
        An `Invariance`.

    Raises:
        Problems: E-INVARIANCE, E-SETTING, and what `csi.fit` finds.

    Source:
        Meredith (1993), Psychometrika 58:525-543; Wu & Estabrook (2016), Psychometrika 81:1014-1045 (ordinal); Byrne,
        Shavelson & Muthén (1989), Psychological Bulletin 105 (partial). Agrees: lavaan 0.6-14, semTools 0.5-6.

    Example:
        >>> import csi
        >>> one = [[1.0, 0.5, 0.4, 0.4], [0.5, 1.0, 0.5, 0.4], [0.4, 0.5, 1.0, 0.5], [0.4, 0.4, 0.5, 1.0]]
        >>> data = csi.Moments.grouped(
        ...     {g: csi.Moments.of("abcd", one, n=200, mean=[0, 0, 0, d]) for g, d in (("zh", 0.0), ("en", 0.6))}
        ... )
        >>> found = invariance(csi.Model.parse("f =~ a + b + c + d"), data, "language", partial=True)
        >>> found.table.select("step", "verdict").rows()[:4]
        [('configural', 'baseline'), ('metric', 'not rejected'), ('scalar', 'rejected'), ('scalar', 'partial')]
        >>> found.releases.select("lhs", "op").rows()
        [('d', '~1')]
    """
    model = model_of(model, also=[*_no_sem(estimator), *_held_already(estimator)])
    settings = replace((estimator or SEM()).knowing(model), groups=groups)
    settings, order, told = _settled(settings, steps)
    claim, dropped = measurement(model)
    bare = replace(settings, free=(), std_lv=settings.std_lv or bool(settings.ordered))
    first = fit(
        claim,
        data,
        replace(bare, equal=()),
        where=where,
        weight=weight,
        unit=unit,
        stratum=stratum,
        na=na,
        scale=scale,
    )
    _check(first)
    free = frozenset(keys_of(_released_by(settings, first)))
    ladder = Ladder(claim, bare, first, partial=partial, alpha=alpha, limit=limit)
    rungs = ladder.climb(order, free)
    return _told(ladder, rungs, (*dropped, *told))


def _no_sem(estimator: object) -> list[Problem]:
    """A problem where the estimator is no `csi.SEM(...)`."""
    if estimator is None or isinstance(estimator, SEM):
        return []
    en, zh = "the ladder is climbed by csi.SEM.", "等值性检验由 csi.SEM 完成。"
    return estimator_problems(estimator) or [
        problem("E-SETTING", "estimator", en, zh, "Write csi.SEM().", "请写 csi.SEM()。")
    ]


def _held_already(estimator: SEM | None) -> list[Problem]:
    """A problem where `equal=` holds from the start what a step is to test."""
    kinds = estimator.equal if isinstance(estimator, SEM) else ()
    said = ", ".join(kind for kind in kinds if kind in KINDS.values())
    if not said:
        return []
    en = f"equal= holds {said} equal from the start, which the ladder tests step by step."
    zh = f"equal= 从一开始就令 {said} 相等，而等值性检验要逐步检验这些约束。"
    do, do_zh = "Leave equal= out; steps= chooses the steps.", "请去掉 equal=；可用 steps= 选择步骤。"
    return [problem("E-SETTING", "equal", en, zh, do, do_zh)]


def _settled(settings: SEM, steps: Sequence[str] | None) -> tuple[SEM, tuple[Step, ...], tuple[Note, ...]]:
    """Settings and steps that go together: equal residual variances of ordinal items need theta."""
    order = steps_of(steps, ordinal=bool(settings.ordered))
    if settings.ordered and settings.parameterization == "delta" and "strict" in order:
        en = "fitted in the theta parameterisation: delta cannot hold residual variances equal; chi-square is the same."
        zh = "采用 theta 参数化：delta 参数化无法约束残差方差相等；卡方值不变。"
        return replace(settings, parameterization="theta"), order, (note("N-THETA", en, zh),)
    return settings, order, ()


def _released_by(settings: SEM, first: Estimate) -> tuple[str, ...]:
    """What `free=` names, as parameters of the ladder's model."""
    names, unknown = released(settings.free, ((r.lhs, r.op, r.rhs) for r in first.rows))
    if unknown:
        raise Problems(unknown)
    return names


def _check(est: Estimate) -> None:
    """One cell, two groups or more, a fit that settled."""
    found: list[Problem] = []
    if len(est.moments.groups) < 2:
        en, zh = "the data have no groups.", "数据没有分组。"
        found.append(
            _problem("groups", en, zh, 'Name the column, groups="school".', '请指定分组列，如 groups="school"。')
        )
    if len(est.values) > 1:
        en, zh = (
            f"the ladder takes one cell, not {len(est.values)}.",
            f"阶梯检验只针对一个单元，现有 {len(est.values)} 个。",
        )
        found.append(_problem("data", en, zh, "Choose one with where=.", "请用 where= 选定一个单元。"))
    if fitted(est).df < 0:
        en, zh = "it has more parameters than the groups have moments.", "模型参数多于各组的矩。"
        found.append(_problem("model", en, zh, "Remove parameters or add items.", "请减少参数或增加题项。"))
    if not est.convergence.converged.all():
        why = next(iter(est.convergence.reasons.values()), NOT_TESTED)
        en, zh = f"the configural model has no solution: {why.text.en}", f"形态模型无解：{why.text.zh}"
        found.append(_problem("model", en, zh, "Mend the model in each group first.", "请先在各组分别修正模型。"))
    if found:
        raise Problems(found)


def _problem(where: str, en: str, zh: str, do: str, do_zh: str) -> Problem:
    return problem("E-INVARIANCE", where, en, zh, do, do_zh)


def _told(ladder: Ladder, rungs: Sequence[Rung], notes: tuple[Note, ...]) -> Invariance:
    """The noun from the rungs."""
    measures = {id(r): fit_measures(r.est) for r in rungs if r.est is not None}
    form = _form(list(measures.values()), ordinal=bool(ladder.settings.ordered))
    rows = [_numbers(r, measures, form) for r in rungs]
    last = {r.step: (r, row) for r, row in zip(rungs, rows, strict=True)}
    free = {step: tuple(_written(x.key) for x in r.releases) for step, (r, _) in last.items()}
    rows_of = np.array([float(np.sum(m.n)) for m in ladder.first.moments.parts])
    n, least = float(rows_of.sum()), float(rows_of.min())
    also = {"n": n, "n_least": least, "alpha": ladder.alpha}
    sentences = {
        s: sentence(s, r.verdict, row | also, free[s], whole=not r.free, room=_room(ladder, r, least))
        for s, (r, row) in last.items()
    }
    found = pl.DataFrame(
        {
            "step": [r.step for r in rungs],
            "released": [len(r.free) for r in rungs],
            **{name: pl.Series([row[name] for row in rows], dtype=pl.Float64).fill_nan(None) for name in _NUMBERS},
            "verdict": [r.verdict for r in rungs],
        }
    )
    means, why = _means(ladder, last["scalar"][0] if "scalar" in last else None)
    steps = (x for r in rungs for x in (*r.notes, *(r.est.notes if r.est is not None else ())))
    told = (*ladder.first.notes, *notes, *steps, *_notes(ladder, form, rungs, n))
    return Invariance(
        table=found,
        releases=_released(rungs),
        means=means,
        sentences=sentences,
        fits={s: r.est for s, (r, _) in last.items() if r.est is not None},
        groups=ladder.first.moments.groups,
        form=form,
        alpha=ladder.alpha,
        reasons={} if why is None else {why.code: why},
        notes=tuple(dict.fromkeys(told)),
    )


def _room(ladder: Ladder, rung: Rung, least: float) -> Text | None:
    """How large a difference a step that is not rejected may hide."""
    if rung.est is None or rung.verdict not in {"not rejected", "partial"} or rung.step == "means":
        return None
    ordinal = ladder.settings.ordered
    twin = rung.est if ladder.settings.std_lv else ladder.fit(rung.held, rung.free, std_lv=True)
    found = room_of(twin, rung.step, ordinal)
    return no_room(least) if found is None else found.text(least)


def _form(measures: Sequence[Mapping[str, object]], *, ordinal: bool) -> str:
    """The best form that CFI and RMSEA have in every step; ordinal steps with equal thresholds have no robust one."""
    forms = ("scaled", "") if ordinal else ("robust", "scaled", "")
    known = (f for f in forms if all(np.isfinite(_of(m, x, f)) for m in measures for x in ("cfi", "rmsea")))
    return next(known, "")


def _of(measures: Mapping[str, object], name: str, form: str) -> float:
    """A measure in one of its forms; NaN where it has none."""
    key = f"{name}_{form}" if form else name
    return float(measures[key]) if key in measures else np.nan  # type: ignore[arg-type]  # one cell: a float


def _numbers(rung: Rung, measures: Mapping[int, Mapping[str, object]], form: str) -> dict[str, float]:
    """The numbers of a row."""
    if rung.est is None:
        return dict.fromkeys(_NUMBERS, np.nan)
    own = _measured(measures[id(rung)], form)
    out = own | dict(zip(("delta_chi2", "delta_df", "delta_p"), rung.difference, strict=True))
    below = rung.below
    base = dict.fromkeys(own, np.nan) if below is None else _measured(measures[id(below)], form)
    return out | {f"delta_{name}": own[name] - base[name] for name in ("cfi", "rmsea", "srmr")}


def _measured(measures: Mapping[str, object], form: str) -> dict[str, float]:
    """chi2 (scaled where it is), df, p, CFI, RMSEA, SRMR."""
    test = "scaled" if form else ""
    out = {name: _of(measures, name, test) for name in ("chi2", "df", "p_value")}
    return out | {name: _of(measures, name, form) for name in ("cfi", "rmsea")} | {"srmr": _of(measures, "srmr", "")}


def _written(key: Key) -> str:
    """A parameter as in the model text."""
    return f"{key[0]} ~ 1" if key[1] == "~1" else " ".join(key)


def _released(rungs: Sequence[Rung]) -> pl.DataFrame:
    """Everything that was released, in order."""
    rows = [(x.step, *x.key, x.group, x.x2, x.p_value, x.epc) for r in rungs for x in r.releases]
    words, numbers = ("step", "lhs", "op", "rhs", "group"), ("x2", "p_value", "epc")
    schema = dict.fromkeys(words, pl.String) | dict.fromkeys(numbers, pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _means(ladder: Ladder, scalar: Rung | None) -> tuple[pl.DataFrame, Reason | None]:
    """Latent means with their errors where the scalar step stands, else why not."""
    why = NOT_TESTED if scalar is None or scalar.est is None else None
    if why is None and scalar is not None and scalar.broken:
        why = NOT_COMPARABLE
    groups = ladder.first.moments.groups
    names = [c.name for c in ladder.model.constructs if not set(c.items) & set(ladder.model.names)]
    labels = pl.DataFrame({"construct": [n for n in names for _ in groups], "group": list(groups) * len(names)})
    columns = ("mean", "in_sd", "std_error", "statistic", "p_value", "conf_low", "conf_high")
    if why is not None or scalar is None or scalar.est is None:
        blank = [pl.lit(None, pl.Float64).alias(c) for c in columns]
        return labels.with_columns(*blank, pl.lit((why or NOT_TESTED).code).alias("reason")), why or NOT_TESTED
    rows = scalar.est.table
    variance = rows.filter(pl.col("op") == "~~", pl.col("lhs") == pl.col("rhs"), pl.col("group") == groups[0])
    means = rows.filter(pl.col("op") == "~1").rename({"lhs": "construct", "estimate": "mean"})
    joined = labels.join(means, on=["construct", "group"], how="left", maintain_order="left")
    joined = joined.join(
        variance.select(construct="lhs", own="estimate"), on="construct", how="left", maintain_order="left"
    )
    out = joined.with_columns(in_sd=pl.col("mean") / pl.col("own").sqrt(), reason=pl.lit(None, pl.String))
    return out.select("construct", "group", *columns, "reason"), None


def _notes(ladder: Ladder, form: str, rungs: Sequence[Rung], n: float) -> tuple[Note, ...]:
    """What was compared, and how far to trust the limits."""
    limit = limits("metric", n)
    out = [
        note(
            "N-DELTA-CFI",
            f"a step stands when its difference test has p >= {ladder.alpha:g}; that it is not rejected does not prove "
            f"it. Limits of the changes of CFI "
            f"({limit.cfi:g}) and RMSEA ({limit.rmsea:g}) are conventions without a nominal error rate "
            "(Cheung & Rensvold 2002; Chen 2007).",
            f"差异检验 p ≥ {ladder.alpha:g} 时视该步为成立；未被拒绝并不等于得到证明。"
            f"CFI 变化（{limit.cfi:g}）与 RMSEA 变化（{limit.rmsea:g}）的界限只是惯例，没有名义错误率"
            "（Cheung 与 Rensvold，2002；Chen，2007）。",
        )
    ]
    if form:
        en = f"chi-square and its differences are scaled; CFI and RMSEA are in their {form} form."
        zh = f"卡方及其差异经过校正；CFI 与 RMSEA 为{'稳健' if form == 'robust' else '校正'}形式。"
        out.append(note("N-FORM", en, zh))
    if ladder.settings.ordered:
        en = (
            "the customary limits were found for maximum likelihood on continuous items; ordinal items may need others."
        )
        out.append(note("N-DELTA-ORDINAL", en, "惯用界限得自连续变量的极大似然估计，未必适用于有序题项。"))
    if any(r.releases for r in rungs):
        en = "released equalities were chosen by the data; confirm them in other data before building on them."
        out.append(note("W-RELEASED", en, "放开的参数由数据选出，请先用其他数据验证再加以依赖。"))
    return tuple(out)


@text.register
def _(value: Invariance, lang: str = "en") -> str:
    """The ladder, a sentence per step, releases, means, notes."""
    title = Text(f"Measurement invariance over {len(value.groups)} groups", f"测量等值性（{len(value.groups)} 组）")
    listed = Text(": " + ", ".join(value.groups), "：" + "、".join(value.groups))
    words = {s: t.say(lang) for s, t in TITLES.items()}
    part = Text(", in part", "，部分").say(lang)
    suffix = pl.when(pl.col("verdict") == "partial").then(pl.lit(part)).otherwise(pl.lit(""))
    frame = value.table.with_columns(pl.col("step").replace(words) + suffix)
    lines = [wrapped(title.say(lang) + listed.say(lang)), listing(frame.drop("srmr", "delta_srmr"), lang, _PRINTED), ""]
    lines += [wrapped(s.say(lang)) for s in value.sentences.values()]
    if value.releases.height:
        freed = value.releases.with_columns(pl.col("step").replace(words))
        lines += ["", Text("Released", "放开的参数").say(lang), listing(freed, lang, {"p_value": p_text})]
    kept = [c for c in value.means.columns if value.means[c].null_count() < max(value.means.height, 1)]
    means = listing(value.means.select(kept), lang, {"p_value": p_text})
    lines += ["", Text("Latent means", "潜变量均值").say(lang), means]
    told: list[Reason | Note] = [*value.reasons.values(), *value.notes]
    return "\n".join([*lines, *(wrapped(f"* {x.say(lang)}") for x in told)])
