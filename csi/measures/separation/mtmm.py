"""Several traits asked in several ways: what of the answers is the trait, what the way of asking.

Letters: `t` traits, `m` methods, `u` = t m units, `p` items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.display import Shown, table, text
from csi.errors import Note, Problems, Reason, Text, note, one_of, problem, reason
from csi.estimate.estimate import Estimate
from csi.measures.blocks import correlations
from csi.measures.fit_measures import fit_measures
from csi.measures.separation.mtmm_models import WAYS, Way, counted, model_of_units, place
from csi.measures.shown import told
from csi.measures.tidy import unsolved
from csi.moments.pearson import moments_of
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Moments
from csi.sem.estimator import SEM

IMPROPER = reason(
    "R-MTMM-IMPROPER",
    "the solution is improper (a negative variance, or correlations beyond 1): its shares are no evidence. Fewer "
    "method factors (ct-c(m-1)) or correlated residuals (cu) often have a proper one.",
    "解不恰当（方差为负或相关超过 1），其占比不能作为依据；可改用较少的方法因子（ct-c(m-1)）或相关残差（cu）。",
)
UNFITTED = reason(
    "R-MTMM-MODEL",
    "the model is not identified with so few traits or methods, or its search did not end.",
    "特质或方法过少，模型不可识别，或估计未收敛。",
)
CRITERIA: Final = {
    "convergent": Text("validities differ from 0", "同特质异方法相关显著"),
    "heteromethod": Text("validity above other traits, other method", "高于异特质异方法相关"),
    "monomethod": Text("validity above other traits, same method", "高于异特质同方法相关"),
    "pattern": Text("same pattern of traits in all blocks (W)", "各区块特质相关模式一致（W）"),
}
HEADINGS: Final = {
    "criterion": Text("criterion", "准则"),
    "met": Text("met", "满足"),
    "of": Text("of", "比较数"),
    "value": Text("value", "数值"),
    "trait": Text("trait", "特质"),
    "method": Text("method", "方法"),
    "trait_share": Text("trait", "特质占比"),
    "method_share": Text("method", "方法占比"),
    "error_share": Text("error", "误差占比"),
    "model": Text("model", "模型"),
    "reason": Text("reason", "原因"),
}


@dataclass(frozen=True, slots=True, repr=False)
class Mtmm(Shown):
    """What `mtmm` found.

    Attributes:
        table: criterion ("convergent", "heteromethod", "monomethod", "pattern"), met, of, value (mean validity; share
            met; Kendall's W).
        matrix: trait, method, other_trait, other_method, kind ("reliability", "validity", "monomethod",
            "heteromethod"), value: alpha of a unit of several items on the diagonal (null for one item).
        shares: trait, method, trait_share, method_share, error_share of each unit's variance by the model asked for
            (cu does not tell methods from error: its error_share is both).
        models: model, chi2, df, p_value, cfi, rmsea, reason. model. reasons, sentences, notes.
    """

    table: pl.DataFrame
    matrix: pl.DataFrame
    shares: pl.DataFrame
    models: pl.DataFrame
    model: Way
    reasons: Mapping[str, Reason]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Mtmm, lang: str = "en") -> str:
    """Criteria, models, shares, sentences, reasons, notes."""
    headings = {c: t.say(lang) for c, t in HEADINGS.items()}
    criteria = value.table.with_columns(pl.col("criterion").replace({k: t.say(lang) for k, t in CRITERIA.items()}))
    lines = [Text("Multitrait-multimethod", "多特质-多方法").say(lang), table(criteria, headings=headings), ""]
    lines.append(
        table(
            value.models.select(c for c in value.models.columns if value.models[c].null_count() < value.models.height),
            headings=headings,
        )
    )
    if value.shares["trait_share"].null_count() < value.shares.height:
        lines += ["", Text(f"Shares of variance ({value.model})", f"方差占比（{value.model}）").say(lang)]
        lines.append(table(value.shares, headings=headings))
    also = Text("also", "另见").say(lang) + " .matrix"
    return "\n".join(
        [*lines, also, "", *(s.say(lang) for s in value.sentences), *told(value.reasons.values(), value.notes, lang)]
    )


def mtmm(
    data: object,
    measures: Mapping[str, Mapping[str, str | Sequence[str]]] | None = None,
    *,
    model: Way = "ct-c(m-1)",
    reference: str | None = None,
    significance: float = 0.05,
    where: Mapping[str, str] | None = None,
    weight: str | None = None,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
) -> Mtmm:
    """Campbell and Fiske's criteria, and the shares of trait, method and error by a covariance model.

    A unit of several items is their mean. Three models are fitted to the correlations of the units by maximum
    likelihood: correlated traits and methods (improper more often than not), the same less the factor of one method,
    and correlated residuals. Shares of ct-c(m-1) are told from its reference method, which has none of its own: a
    trait is there what the reference method says of it.

    Parameters:
        data: a Panel, a frame, or Moments of the items.
        measures: trait -> method -> an item or items; every trait by every method.
        model: whose shares are told. reference: the method without a factor; None: the first.
        significance: of validities. where, weight, na, scale: as in `csi.fit`.

    Returns:
        A `Mtmm`.

    Raises:
        Problems: fewer than two traits or methods, a trait that a method does not ask, an item in two units.

    Source:
        Campbell & Fiske (1959), Psychological Bulletin 56(2), 81-105; Widaman (1985), Applied Psychological Measurement
        9; Eid (2000), Psychometrika 65. Counts of Campbell and Fiske's Table 1 agree; models agree with lavaan 0.6-14
        within 1e-4.

    Example:
        >>> import csi
        >>> R = [[1, .6, .2, .1], [.6, 1, .1, .3], [.2, .1, 1, .7], [.1, .3, .7, 1]]
        >>> units = {"trust": {"self": "t1", "peer": "t2"}, "zeal": {"self": "z1", "peer": "z2"}}
        >>> mtmm(csi.Moments.of(["t1", "t2", "z1", "z2"], R, 200), units).table.select("criterion", "met", "of").row(1)
        ('heteromethod', 4, 4)
    """
    units = _asked(measures, model, reference)
    traits, methods = list(units), list(next(iter(units.values())))
    items = tuple(i for of in units.values() for unit in of.values() for i in unit)
    moments = _moments(data, items, where, weight, na, scale)
    names = [[f"{trait} ({method})" for method in methods] for trait in traits]
    cov, alphas = _of_units(moments, [units[t][m] for t in traits for m in methods])
    cor = correlations(cov)
    n = float(moments.n[0])
    least = float(np.tanh(ndtri(1 - significance / 2) / np.sqrt(max(n - 3, 1.0))))
    found = counted(cor, len(traits), len(methods), least)
    rows = [
        {"criterion": k, "met": c.met, "of": c.of, "value": _finite(c.value)}
        for k, c in zip(CRITERIA, found, strict=True)
    ]
    at = methods.index(reference) if reference else 0
    flat = [u for row in names for u in row]
    stack = Moments.of(flat, cov, n)
    fits = {way: _fitted(stack, names, way, at) for way in WAYS}
    reasons = {why.code: why for _, why in fits.values() if why is not None}
    shares = _shares(fits[model][0], names, traits, methods, apart=model != "cu")
    criteria = pl.DataFrame(rows, schema={"criterion": pl.String, "met": pl.Int64, "of": pl.Int64, "value": pl.Float64})
    frame = pl.DataFrame([_model_row(way, *fits[way]) for way in WAYS], schema=MODELS)
    said = _sentences(criteria, shares, model, fits[model][1])
    notes = (*moments.notes, *_few(len(traits), len(methods)))
    return Mtmm(criteria, _matrix(cor, alphas, traits, methods), shares, frame, model, reasons, said, notes)


SHARES: Final = {
    "trait_share": Text("traits", "特质"),
    "method_share": Text("methods", "方法"),
    "error_share": Text("the rest", "其余"),
}
MODELS: Final = {
    "model": pl.String,
    **dict.fromkeys(("chi2", "df", "p_value", "cfi", "rmsea"), pl.Float64),
    "reason": pl.String,
}


def _asked(measures: object, model: object, reference: object) -> dict[str, dict[str, tuple[str, ...]]]:
    """Trait -> method -> items.

    Raises:
        Problems: E-MTMM.
    """
    found = one_of("model", model, WAYS)
    do = 'Write {"trust": {"self": "t1", "peer": "t2"}, "zeal": {"self": "z1", "peer": "z2"}}.'
    do_zh = '请写 {"trust": {"self": "t1", "peer": "t2"}, "zeal": {"self": "z1", "peer": "z2"}}。'
    if not isinstance(measures, Mapping) or not all(isinstance(of, Mapping) for of in measures.values()):
        en, zh = "a mapping trait -> method -> items is expected.", "应为“特质 -> 方法 -> 题项”的映射。"
        raise Problems([*found, problem("E-MTMM", "measures", en, zh, do, do_zh)])
    units = {
        str(t): {str(m): (i,) if isinstance(i, str) else tuple(i) for m, i in of.items()} for t, of in measures.items()
    }
    methods = list(dict.fromkeys(m for of in units.values() for m in of))
    if len(units) < 2 or len(methods) < 2:
        en, zh = "two traits and two methods are the least.", "至少需要两个特质和两种方法。"
        found.append(problem("E-MTMM", "measures", en, zh, do, do_zh))
    for trait, of in units.items():
        for method in methods:
            if not of.get(method):
                en, zh = f'"{trait}" is not asked by "{method}".', f"“{trait}”没有用“{method}”测量。"
                found.append(
                    problem(
                        "E-MTMM",
                        "measures",
                        en,
                        zh,
                        "Every trait is asked by every method.",
                        "每个特质都须用每种方法测量。",
                    )
                )
    items = [i for of in units.values() for unit in of.values() for i in unit]
    twice = sorted({i for i in items if items.count(i) > 1})
    if twice:
        en, zh = (
            f"{', '.join(map(str, twice))} stands in two units.",
            f"{'、'.join(map(str, twice))} 出现在两个单元中。",
        )
        found.append(problem("E-MTMM", "measures", en, zh, "Name each item once.", "每个题项只写一次。"))
    if reference is not None and reference not in methods:
        found += one_of("reference", reference, methods)
    if found:
        raise Problems(found)
    return {t: {m: of[m] for m in methods} for t, of in units.items()}


def _moments(
    data: object,
    items: tuple[str, ...],
    where: Mapping[str, str] | None,
    weight: str | None,
    na: Sequence[float],
    scale: tuple[float, float] | None,
) -> Moments:
    """Covariances of the items, of rows with all answers."""
    if not isinstance(data, Moments):
        moments = moments_of(sample_of(data, items, where=where, weight=weight, na=na, scale=scale))
    else:
        absent = [i for i in items if i not in data.names]
        if absent:
            en, zh = f"the moments have no {', '.join(absent)}.", f"矩中没有 {'、'.join(absent)}。"
            raise Problems([problem("E-MTMM", "data", en, zh, "Give moments of all items.", "请给出全部题项的矩。")])
        moments = data.of_items(items)
    flat = [name for name, v in zip(moments.names, np.diagonal(moments.cov[0]), strict=True) if not v > 0]
    if flat:
        en, zh = f"all answers to {', '.join(flat)} are the same.", f"{'、'.join(flat)} 的回答全部相同。"
        raise Problems([problem("E-CONSTANT", "data", en, zh, "Leave the item out.", "请去掉该题项。")])
    return moments


def _of_units(moments: Moments, units: Sequence[Sequence[str]]) -> tuple[Array, list[float]]:
    """(u, u) covariances of the means of items, and alpha of each unit (NaN for one item)."""
    W = np.array([[(i in unit) / len(unit) for i in moments.names] for unit in units])
    alphas = []
    for unit in units:
        at = [moments.names.index(i) for i in unit]
        S, k = moments.cov[0][np.ix_(at, at)], len(unit)
        alphas.append(float(k / (k - 1) * (1 - np.trace(S) / S.sum())) if k > 1 else float("nan"))
    return W @ moments.cov[0] @ W.T, alphas


def _fitted(
    stack: Moments, names: Sequence[Sequence[str]], way: Way, reference: int
) -> tuple[Estimate | None, Reason | None]:
    """The fit of one model, and why it is absent or no evidence."""
    try:
        est = SEM(std_lv=True).solve(model_of_units(names, way, reference), stack)
    except Problems:
        return None, UNFITTED
    if unsolved(est)[0] is not None:
        return None, UNFITTED
    improper = any(bool(flags[0]) for flags in est.convergence.improper.values())
    return est, IMPROPER if improper else None


def _model_row(way: Way, est: Estimate | None, why: Reason | None) -> dict[str, object]:
    code = None if why is None else why.code
    if est is None:
        return {"model": way, **dict.fromkeys(("chi2", "df", "p_value", "cfi", "rmsea")), "reason": code}
    fit = fit_measures(est)
    numbers = {k: _finite(float(cast("float", fit[k]))) for k in ("chi2", "df", "p_value", "cfi", "rmsea")}
    return {"model": way, **numbers, "reason": code}


def _shares(
    est: Estimate | None, names: Sequence[Sequence[str]], traits: list[str], methods: list[str], *, apart: bool
) -> pl.DataFrame:
    """Squared standardised loadings on the trait and on the method, and what is left.

    Parameters:
        apart: whether the model tells methods from error; correlated residuals do not.
    """
    by: dict[tuple[str, str], float] = {}
    if est is not None and est.std_all is not None:
        for r, v in zip(est.rows, est.std_all[0].tolist(), strict=True):
            if r.op == "=~":
                by["trait" if r.lhs.startswith("trait_") else "method", r.rhs] = float(v) ** 2
    rows = []
    for trait, row in zip(traits, names, strict=True):
        for method, unit in zip(methods, row, strict=True):
            own, way = by.get(("trait", unit)), by.get(("method", unit), 0.0)
            left = None if own is None else 1 - own - way
            rows.append((trait, method, own, way if apart and own is not None else None, left))
    columns = {"trait": pl.String, "method": pl.String, **dict.fromkeys(SHARES, pl.Float64)}
    return pl.DataFrame(rows, schema=columns, orient="row")


def _matrix(cor: Array, alphas: Sequence[float], traits: list[str], methods: list[str]) -> pl.DataFrame:
    """The lower triangle, methods outside, traits inside, as Campbell and Fiske print it."""
    order = [(t, m) for m in range(len(methods)) for t in range(len(traits))]
    rows = []
    for k, (t, m) in enumerate(order):
        for s, w in order[: k + 1]:
            i, j = place(t, m, len(methods)), place(s, w, len(methods))
            kind = "reliability" if i == j else "validity" if t == s else "monomethod" if m == w else "heteromethod"
            value = _finite(alphas[i]) if i == j else float(cor[i, j])
            rows.append((traits[t], methods[m], traits[s], methods[w], kind, value))
    columns = dict.fromkeys(("trait", "method", "other_trait", "other_method", "kind"), pl.String)
    return pl.DataFrame(rows, schema={**columns, "value": pl.Float64}, orient="row")


def _few(traits: int, methods: int) -> tuple[Note, ...]:
    """A note where the full model is not identified by its size alone."""
    if traits > 2 and methods > 2:
        return ()
    en = f"{traits} traits by {methods} methods: correlated traits and methods (ct-cm) need three of each."
    return (note("N-MTMM-FEW", en, f"{traits} 个特质、{methods} 种方法：相关特质—相关方法模型（ct-cm）各需至少三个。"),)


def _sentences(criteria: pl.DataFrame, shares: pl.DataFrame, model: Way, why: Reason | None) -> tuple[Text, ...]:
    """The criteria in one sentence; the mean shares in another."""
    by = {row["criterion"]: row for row in criteria.iter_rows(named=True)}
    first, second, third = (by[k] for k in ("convergent", "heteromethod", "monomethod"))
    found = [
        Text(
            f"{first['met']} of {first['of']} validities differ from 0 (mean {first['value']:.2f}); they exceed other "
            f"traits by another method in {second['met']} of {second['of']} comparisons, by the same method in "
            f"{third['met']} of {third['of']}.",
            f"{first['of']} 个效度系数中有 {first['met']} 个显著（均值 {first['value']:.2f}）；高于异特质异方法相关的"
            f"有 {second['met']}/{second['of']} 次，高于异特质同方法相关的有 {third['met']}/{third['of']} 次。",
        )
    ]
    known = shares.drop_nulls("trait_share")
    if known.height and why is None:
        held = {c: f"{100 * float(cast('float', known[c].mean())):.0f}" for c in SHARES if known[c].null_count() == 0}
        en = ", ".join(f"{SHARES[c].en} {v} %" for c, v in held.items())
        zh = "，".join(f"{SHARES[c].zh} {v}%" for c, v in held.items())
        found.append(Text(f"Shares of variance by {model}: {en}.", f"按 {model} 模型的方差占比：{zh}。"))
    return tuple(found)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
