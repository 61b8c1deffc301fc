"""What two estimates have in common: the same criterion, the same parameters, or neither; said in a sentence."""

from __future__ import annotations

from itertools import combinations
from typing import Literal

from csi.display import significant
from csi.engines.semopy import Semopy
from csi.errors import Note, Text, note
from csi.estimate.estimate import Estimate
from csi.pls.estimator import PLS
from csi.pls.gsca import GSCA
from csi.pls.sum_scores import SumScores
from csi.sem.estimator import SEM
from csi.sem.prepare import claim_of
from csi.sem.table import given_variables

COMPOSITES = (PLS, SumScores, GSCA)
"""Estimators whose scores are weighted sums of the items; their estimates are standardised."""

Relation = Literal["same", "method", "estimand"]
"""`same`: one criterion. `method`: the same parameters, another criterion. `estimand`: other quantities."""


def relation(one: Estimate, other: Estimate) -> Relation:
    """How two estimates of a model relate.

    Covariance fits and consistent PLS estimate the parameters of the model, and so do mode B composites where the model
    has composites alone. Plain PLS, sums and components of reflective blocks are weighted sums of the items: each kind
    has its own paths, attenuated by unreliability, and its own, larger loadings.

    Source: Dijkstra & Henseler (2015), MIS Quarterly 39(2); Rönkkö & Evermann (2013), Organ. Research Methods 16.
    """
    if estimand(one) != estimand(other):
        return "estimand"
    return "same" if _criterion(one) == _criterion(other) else "method"


def estimand(est: Estimate) -> str:
    """What the numbers are about: "factors", "composites", "sums", "components", or "observed" variables."""
    several = [c for c in est.model.constructs if len(c.items) > 1]
    settings = est.settings
    if not several:
        return "observed"
    if isinstance(settings, SumScores):
        return "sums"
    if isinstance(settings, GSCA):
        return "components"
    factors = any(c.operator == "=~" for c in several)
    if isinstance(settings, PLS) and not settings.consistent:
        return "weighted sums" if factors else "composites"
    return "factors" if factors else "composites"


def _criterion(est: Estimate) -> tuple[object, ...]:
    """What is minimised, and on which rows."""
    settings = est.settings
    if isinstance(settings, SEM):
        fitting, ordered = settings.method.fitting, frozenset(settings.ordered)
        return fitting, settings.missing, settings.likelihood, ordered, _conditional(est)
    if isinstance(settings, COMPOSITES):
        return (settings,)
    return (
        ("ML" if isinstance(settings, Semopy) else settings.name),
        settings.missing,
        "normal",
        frozenset[str](),
        False,
    )


def _conditional(est: Estimate) -> bool:
    """Whether an ordinal model is conditional on predictors: its responses then have variance 1 given them."""
    settings = est.settings
    return isinstance(settings, SEM) and settings.conditional and bool(given_variables(claim_of(est.model)))


def scaling(est: Estimate) -> tuple[object, ...]:
    """What gives the parameters their units; estimates of equal scaling can be compared as they are."""
    settings = est.settings
    if isinstance(settings, COMPOSITES):
        return ("standardised",)
    if isinstance(settings, SEM):
        return "model", settings.std_lv, settings.parameterization if settings.ordered else "", _conditional(est)
    return "model", False, "", False


def found(
    names: tuple[str, str], kind: Relation, basis: str, counts: tuple[int, int], worst: tuple[str, float, float | None]
) -> Text:
    """One sentence on two estimates.

    Parameters:
        names: of the two. basis: "estimate" or "std_all". counts: parameters that agree, parameters in both. worst: the
            parameter that differs most, by how much, and in standard errors of the first (None without one).

    Example:
        >>> print(found(("SEM", "semopy"), "same", "estimate", (9, 9), ("f =~ b", 0.25, None)).en)
        SEM and semopy minimise the same criterion: 9 of 9 parameters agree; the largest difference is 0.25 at f =~ b.
    """
    one, other = names
    what = {
        "same": Text("minimise the same criterion", "使用同一准则"),
        "method": Text("estimate the same parameters by different criteria", "以不同准则估计同一组参数"),
        "estimand": Text(
            "estimate different quantities, so agreement is not to be expected", "所估计的量不同，不应期待一致"
        ),
    }[kind]
    unit = Text(" (standardised)", "（标准化）") if basis == "std_all" else Text("", "")
    agree, both = counts
    where, size, ratio = worst
    errors = "" if ratio is None else f" ({significant(ratio)} standard errors)"
    errors_zh = "" if ratio is None else f"（{significant(ratio)} 个标准误）"
    tally = Text(f"{agree} of {both} parameters{unit.en} agree", f"{both} 个参数{unit.zh}中有 {agree} 个一致")
    if kind == "estimand":
        tally = Text(f"{both} parameters{unit.en} stand side by side", f"并列 {both} 个参数{unit.zh}")
    if size == 0:
        return Text(
            f"{one} and {other} {what.en}: {tally.en}, to the last digit.",
            f"{one} 与 {other} {what.zh}：{tally.zh}，完全相同。",
        )
    return Text(
        f"{one} and {other} {what.en}: {tally.en}; the largest difference is {significant(size)} at {where}{errors}.",
        f"{one} 与 {other} {what.zh}：{tally.zh}；最大差异为 {significant(size)}（{where}）{errors_zh}。",
    )


def known_differences(estimates: tuple[Estimate, ...]) -> tuple[Note, ...]:
    """What is known about how these engines differ."""
    settings = [e.settings for e in estimates]
    kinds = {type(s) for s in settings}
    notes = []
    if Semopy in kinds:
        en = (
            "semopy keeps variances at or above 0 and has neither means nor groups; its fit indices, and its standard "
            "errors after constraints, are not used."
        )
        zh = "semopy 限制方差不小于 0，不含均值与分组；其拟合指数以及约束后的标准误不予采用。"
        notes.append(note("N-COMPARE-SEMOPY", en, zh))
    relations = {relation(a, b) for a, b in combinations(estimates, 2)}
    if "estimand" in relations:
        en = (
            "PLS, sums and components are weighted sums of items: against factors (CB-SEM, consistent PLS) their "
            "loadings are larger and their paths smaller by the unreliability of the items. Paths and loadings stand "
            "side by side in standardised form."
        )
        zh = (
            "PLS、合计分与成分分都是题项的加权和：与因子（协方差模型、一致性 PLS）相比，载荷偏大，"
            "路径因题项不可靠而偏小。各值以标准化形式并列。"
        )
        notes.append(note("N-COMPARE-PLS", en, zh))
    elif PLS in kinds and len(kinds) > 1:
        en = (
            "weights by maximum likelihood use every covariance of the model, those of PLS only the composites beside; "
            "they meet in large samples where the composite model holds."
        )
        zh = "极大似然使用模型的全部协方差估计权重，PLS 只使用相邻的合成构念；若合成模型成立，二者在大样本中趋于一致。"
        notes.append(note("N-COMPARE-COMPOSITES", en, zh))
    methods = {(s.method.se, s.method.test) for s in settings if isinstance(s, SEM)}
    if len(methods) > 1:
        en = "standard errors and tests come from different assumptions (normal or robust); their ratio is in se_ratio."
        notes.append(note("N-COMPARE-SE", en, "标准误与检验所依据的假定不同（正态或稳健），其比值见 se_ratio。"))
    sizes = {tuple(e.moments.n.tolist()) for e in estimates}
    if len(sizes) > 1:
        listed = "; ".join(f"{e.settings.name}: {', '.join(f'{n:.0f}' for n in e.moments.n)}" for e in estimates)
        en = f"they rest on different numbers of rows ({listed})."
        notes.append(note("N-COMPARE-ROWS", en, f"所依据的样本量不同（{listed}）。"))
    return tuple(notes)
