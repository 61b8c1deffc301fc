"""A questionnaire held against its answers: everything reviewers ask of an instrument, from one call.

Every part is a measure of its own (`csi.items`, `csi.consistency`, `csi.efa` ...); what cannot be computed is absent
with the reason, and the rest is told all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import polars as pl

from csi.catalogue.advice import ACTIONS
from csi.display import Shown, table, text
from csi.errors import Note, Problem, Problems, Text, note, problem
from csi.measures.answered import Answered, answered
from csi.measures.consistency.occasions import Retest, retest
from csi.measures.consistency.of_scales import Consistency, consistency
from csi.measures.factors.adequacy import Adequacy, adequacy
from csi.measures.factors.correlations import Correlations, correlations
from csi.measures.factors.efa import Efa, efa
from csi.measures.factors.n_factors import NFactors, n_factors
from csi.measures.invariance import Invariance, invariance
from csi.measures.item_analysis.items import Items, items
from csi.measures.item_analysis.short_form import ShortForm, short_form
from csi.measures.item_bias.dif import Dif, dif
from csi.measures.questionnaire.advice import Finding, advice_table
from csi.measures.questionnaire.asked import LEAST, check_asked, varying
from csi.measures.questionnaire.biased import of_bias
from csi.measures.questionnaire.factor_model import MOST, FactorModel, factor_model, model_text
from csi.measures.questionnaire.findings import (
    of_constructs,
    of_dimensions,
    of_factors,
    of_items,
    of_pairs,
    of_ranges,
    of_response,
    of_separation,
)
from csi.measures.questionnaire.groups import large_groups
from csi.measures.questionnaire.rated import Raters, raters_agree
from csi.measures.questionnaire.settled import settled
from csi.measures.questionnaire.shortened import recommended, unsound, waiting
from csi.measures.questionnaire.validating import Validating
from csi.measures.response.irt import Irt, irt
from csi.measures.separation.common_method import CommonMethod, common_method
from csi.measures.separation.criterion import Criterion, criterion
from csi.measures.separation.discriminant import Discriminant, discriminant
from csi.measures.separation.known_groups import KnownGroups, known_groups
from csi.measures.separation.mtmm import Mtmm, mtmm
from csi.measures.shown import told
from csi.moments.assembled import frame_of
from csi.sem.estimator import SEM

S = TypeVar("S")
T = TypeVar("T")
RUNGS = ("configural", "thresholds", "metric", "scalar", "strict")
"""Steps of the ladder; means of groups are no matter of measurement."""


@dataclass(frozen=True, slots=True, repr=False)
class Validation(Shown):
    """What a questionnaire's answers say about it. Parts that could not be computed are None, with why in `absent`.

    Attributes:
        answers: the answers by scale. asked: what they were held against. where: which answers they are.
        items: distributions, item-rest correlations, pairs. consistency: reliability of the scales.
        factors: the scales as correlated factors. discriminant: whether constructs are distinct.
        irt: item response models. common_method: checks of the method that answers share. ladders, dif: key of groups
            -> whether they are measured alike, and items that favour one. criterion: correlations with criteria.
        known: key -> differences of groups that should differ. raters: judgement -> how far its raters agree.
        mtmm: traits by methods. short: short forms. retest:
            scores over two waves.
        correlations: the one matrix behind adequacy, n_factors and efa; its kind decides how `factors` are fitted.
        advice: one line per rule that spoke, and per item and construct that is kept (see `advice_table`).
        absent: part -> why it is not there. draws, seed, level: of the intervals. notes: what is doubtful about all.
    """

    answers: Answered
    asked: Validating
    where: Mapping[str, str]
    items: Items | None
    consistency: Consistency | None
    factors: FactorModel | None
    discriminant: Discriminant | None
    irt: Irt | None
    correlations: Correlations | None
    adequacy: Adequacy | None
    n_factors: NFactors | None
    efa: Efa | None
    common_method: CommonMethod | None
    ladders: Mapping[str, Invariance]
    dif: Mapping[str, Dif]
    criterion: Criterion | None
    known: Mapping[str, KnownGroups]
    raters: Mapping[str, Raters]
    mtmm: Mtmm | None
    short: ShortForm | None
    retest: Retest | None
    advice: pl.DataFrame
    absent: Mapping[str, tuple[Problem, ...]]
    draws: int
    seed: int
    level: float
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Validation, lang: str = "en") -> str:
    """How many items and answers, what to change, and what could not be computed."""
    p, q, n = len(value.answers.names), len(value.answers.scales), value.answers.rows.shape[0]
    title = Text(f"{p} items, {q} constructs, {n:,} respondents", f"{p} 题，{q} 个构念，{n:,} 份答卷").say(lang)
    says = "says_zh" if lang == "zh" else "says"
    shown = value.advice.filter(pl.col("action") != "keep").select("name", "action", says, "value", "limit", "source")
    named = {a: t.say(lang) for a, t in ACTIONS.items()}
    heads = {c: t.say(lang) for c, t in (HEADS | {says: HEADS["says"]}).items()}
    lines = [title, table(shown.with_columns(pl.col("action").replace(named)), headings=heads)]
    each: dict[str, list[str]] = {}
    for part, found in value.absent.items():
        for one in found:
            each.setdefault(one.say(lang), []).append(part)
    why = [f"{', '.join(parts)}: {said}" for said, parts in each.items()]
    return "\n".join([*lines, *(f"* {said}" for said in why), *told([], value.notes, lang)])


HEADS = {
    "name": Text("item or construct", "题项或构念"),
    "action": Text("advice", "建议"),
    "says": Text("because", "理由"),
    "value": Text("number", "数值"),
    "limit": Text("limit", "界值"),
    "source": Text("whose rule", "出处"),
}


@dataclass(frozen=True, slots=True)
class _Case:
    """What every part is computed from, and where parts that cannot be are noted; `kept`: of the items that vary."""

    data: object
    answers: Answered
    kept: Answered
    asked: Validating
    where: Mapping[str, str]
    na: Sequence[float]
    scale: tuple[float, float] | None
    draws: int
    seed: int
    level: float
    small: int
    absent: dict[str, tuple[Problem, ...]]
    ratings: Mapping[str, pl.DataFrame]

    def tried(self, part: str, make: Callable[[_Case], T]) -> T | None:
        """A part, or None with the reason noted."""
        try:
            return make(self)
        except Problems as found:
            self.absent[part] = tuple(found.problems)
            return None

    def each(self, part: str, keys: Iterable[str], make: Callable[[_Case, str], T]) -> dict[str, T]:
        """A part for every key that it can be made of."""
        found: dict[str, T] = {}
        for key in keys:
            one = self.tried(f"{part}:{key}", partial(_of_key, make, key))
            if one is not None:
                found[key] = one
        return found

    def of(self, source: S | None, part: str, make: Callable[[S], T]) -> T | None:
        """A part that is made of another one."""
        return None if source is None else self.tried(part, lambda _: make(source))

    @property
    def given(self) -> dict[str, Any]:
        """How answers are read, for every measure."""
        return {"where": self.where, "na": self.na, "scale": self.scale}

    @property
    def drawn(self) -> dict[str, Any]:
        """How they are read and resampled."""
        return {**self.given, "level": self.level, "seed": self.seed}


def _of_key(make: Callable[[_Case, str], T], key: str, case: _Case) -> T:
    return make(case, key)


def validated(
    data: object,
    scales: object = None,
    asked: Validating | None = None,
    *,
    where: Mapping[str, str] | None = None,
    draws: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    small: int = 30,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
    ratings: Mapping[str, pl.DataFrame] | None = None,
    notes: tuple[Note, ...] = (),
) -> Validation:
    """Every part of a validation of the answers to `scales`, and the advice.

    Parameters:
        data, scales, na, scale: as in `csi.validate`. asked: what the answers are held against. where: which answers.
        draws, seed, level: of intervals. small: answers below which a group is not told. ratings: judgement ->
            its table, where it is none of the answers. notes: what is already known.

    Raises:
        Problems: what is wrong with the answers or the scales themselves.
    """
    asked, where = asked or Validating(), dict(where or {})
    answers = answered(data, scales, na=na, scale=scale, where=where)
    check_asked(asked, answers, frame_of(data, {})[0])
    scales_kept, flat = varying(answers)
    kept = answered(data, scales_kept, na=na, scale=scale, where=where) if flat else answers
    case = _Case(data, answers, kept, asked, where, na, scale, draws, seed, level, small, {}, ratings or {})
    matrix = case.tried("correlations", _correlations)
    ordinal = matrix is not None and matrix.kind == "polychoric"
    factors = case.tried("factors", lambda c: factor_model(data, c.kept, ordinal=ordinal, where=where, na=na))
    found = Validation(
        answers=answers,
        asked=asked,
        where=where,
        items=case.tried("items", _items),
        consistency=case.tried("consistency", _consistency),
        correlations=matrix,
        adequacy=case.of(matrix, "adequacy", adequacy),
        n_factors=case.of(matrix, "n_factors", lambda m: n_factors(m, seed=seed)),
        efa=case.of(matrix, "efa", _efa),
        factors=factors,
        discriminant=case.tried("discriminant", lambda c: _discriminant(c, factors)),
        irt=case.tried("irt", _irt),
        common_method=case.tried("common_method", _common_method),
        ladders=case.each("ladder", asked.groups, lambda c, key: _ladder(c, key, ordinal=ordinal)),
        dif=case.each("dif", asked.groups, _dif),
        criterion=case.tried("criterion", _criterion) if asked.criterion else None,
        known=case.each("known", asked.known, _known),
        raters=case.each("raters", asked.raters, _raters),
        mtmm=case.tried("mtmm", _mtmm) if asked.methods else None,
        short=None,
        retest=case.tried("retest", _retest) if asked.retest else None,
        advice=pl.DataFrame(),
        absent=case.absent,
        draws=draws,
        seed=seed,
        level=level,
        notes=(*notes, *answers.notes, *flat, *_matrix_notes(matrix, factors)),
    )
    advice = advice_table(settled(_findings(found), answers), answers.scales)
    short = case.tried("short", lambda c: _short(c, advice, found.items))
    missed = () if short is None else tuple(n for n in short.notes if n.code == "N-FORM-MISSED")
    return replace(found, advice=advice, short=short, notes=(*found.notes, *missed))


def _matrix_notes(matrix: Correlations | None, factors: FactorModel | None) -> tuple[Note, ...]:
    """Which parts are of the one matrix, and which of the answers as they are coded."""
    if matrix is None or factors is None:
        return ()
    name = Text("Polychoric", "多分格") if matrix.kind == "polychoric" else Text("Pearson", "皮尔逊")
    alike = (factors.estimator == "WLSMV") == (matrix.kind == "polychoric")
    of = Text("the same", "同一矩阵") if alike else Text("the codes", "编码值")
    en = f"{name.en} correlations are behind sampling adequacy, the number of factors and exploratory factors; the "
    en += f"factor model, HTMT, correlations of factors, tests of them and the ladder: {factors.estimator} of {of.en}. "
    en += "Item statistics, alpha, omega of one factor, short forms, common-method checks, criteria, known groups: of "
    en += "the codes; response models and item bias take answers as categories."
    zh = f"取样适当性、因子数与探索性因子基于{name.zh}相关；因子模型、HTMT、因子相关及其检验与测量不变性"
    zh += f"由 {factors.estimator} 基于{of.zh}。题项统计、α、单因子 ω、简版、共同方法检查、效标与已知组基于编码值；"
    zh += "项目反应与题项功能差异按类别处理。"
    return (note("N-ONE-MATRIX", en, zh),)


def _items(case: _Case) -> Items:
    return items(case.data, case.answers.scales, **case.given)


def _consistency(case: _Case) -> Consistency:
    return consistency(case.data, case.answers.scales, n=case.draws, **case.drawn)


def _discriminant(case: _Case, factors: FactorModel | None) -> Discriminant:
    """Of the fit of the factors, so that one matrix and one estimator are behind both."""
    if factors is None:
        return discriminant(model_text(case.kept.scales), case.data, replicates=case.draws, **case.drawn)
    return discriminant(factors.estimate, level=case.level, tests="close", replicates=case.draws, seed=case.seed)


def _irt(case: _Case) -> Irt:
    return irt(case.data, case.kept.scales, **case.given)


def _correlations(case: _Case) -> Correlations:
    return correlations(case.data, case.kept.scales, **case.given)


def _efa(matrix: Correlations) -> Efa:
    return efa(matrix, sum(len(items) > 1 for items in matrix.scales.values()))


def _common_method(case: _Case) -> CommonMethod:
    return common_method(model_text(case.kept.scales), case.data, marker=case.asked.marker or None, **case.given)


def _ladder(case: _Case, key: str, *, ordinal: bool) -> Invariance:
    """The ladder of one key up to equal residuals; ordinal items by WLSMV where the factors are fitted so."""
    named = tuple(case.kept.names)
    ordinal = ordinal and len(named) <= MOST
    settings = SEM(estimator="WLSMV", ordered=named) if ordinal else SEM(estimator="MLR")
    large, few = large_groups(case.data, key, case.where, case.small)
    steps = [step for step in RUNGS if ordinal or step != "thresholds"]
    found = invariance(
        model_text(case.kept.scales), large, key, settings, steps, where=case.where, na=case.na, scale=case.scale
    )
    return replace(found, notes=(*few, *found.notes))


def _dif(case: _Case, key: str) -> Dif:
    return dif(case.data, key, case.kept.scales, small=case.small, **case.given)


def _criterion(case: _Case) -> Criterion:
    return criterion(case.data, case.asked.criterion, case.answers.scales, level=case.level, **case.given)


def _known(case: _Case, key: str) -> KnownGroups:
    expected = case.asked.known[key] or None
    return known_groups(
        case.data, key, case.answers.scales, expected=expected, level=case.level, small=case.small, **case.given
    )


def _raters(case: _Case, key: str) -> Raters:
    """The raters of one judgement: of a table of their own, or of the answers that are looked at."""
    frame = case.ratings.get(key)
    if frame is None:
        frame = frame_of(case.data, {})[0].filter(*(pl.col(k) == v for k, v in case.where.items()))
    return raters_agree(
        frame, case.asked.raters[key], draws=case.draws, seed=case.seed, level=case.level, small=case.small
    )


def _mtmm(case: _Case) -> Mtmm:
    measures = {trait: {m: list(items_) for m, items_ in of.items()} for trait, of in case.asked.methods.items()}
    return mtmm(case.data, measures, **case.given)


def _short(case: _Case, advice: pl.DataFrame, found: Items | None) -> ShortForm:
    """Short forms of the scales that are longer than what is asked for; by default half of each, two at least.

    Scales that wait for an item to be reversed have none; items that should go, or repeat another, are not offered.
    """
    asked, wait = case.asked, waiting(advice)
    long = {c: items for c, items in case.kept.scales.items() if len(items) > (asked.short or LEAST)}
    ready = {c: items for c, items in long.items() if c not in wait}
    if not ready:
        raise Problems([_no_short(asked.short, long)])
    k = {c: asked.short or max(LEAST, (len(items) + 1) // 2) for c, items in ready.items()}
    own = {i for items in ready.values() for i in items}
    keep = [i for i in asked.keep if i in own]
    made = short_form(
        case.data, ready, k=k, keep=keep, drop=[i for i in unsound(advice, found, asked.keep) if i in own],
        small=case.small, replicates=min(case.draws, 200), **case.drawn,
    )  # fmt: skip
    labels = {c: case.answers.label(c) for c in case.answers.scales}
    return recommended(made, labels, [c for c in long if c in wait])


def _no_short(short: int | None, long: Mapping[str, Sequence[str]]) -> Problem:
    """Why no scale has a short form."""
    least = short or LEAST
    if long:
        en, zh = (
            "the scales wait: items are to be reversed first, or there are too few answers.",
            ("各量表须先反向计分，或回答过少。"),
        )
        return problem("E-SHORT-FORM", "scales", en, zh, "See the advice.", "请见修改建议。")
    en, zh = f"no scale has more than {least} items.", f"没有超过 {least} 题的量表。"
    return problem("E-SHORT-FORM", "short", en, zh, "Ask for fewer items.", "请减少题数。")


def _retest(case: _Case) -> Retest:
    first, second = case.asked.retest
    return retest(case.data, case.answers.scales, waves=(first, second), level=case.level, na=case.na, scale=case.scale)


def _findings(v: Validation) -> Iterator[Finding]:
    """What the rules find in every part that is there."""
    if v.items is not None:
        yield from of_items(v.items)
        yield from of_pairs(v.items)
    if v.factors is not None:
        yield from of_factors(v.factors)
    yield from of_ranges(v.answers)
    yield from of_constructs(v.answers, v.consistency, v.factors)
    if v.discriminant is not None:
        yield from of_separation(v.discriminant)
    if v.efa is not None:
        yield from of_dimensions(v.efa)
    for found in v.dif.values():
        yield from of_bias(found)
    if v.irt is not None:
        yield from of_response(v.irt)
