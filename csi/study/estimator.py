"""The estimator that a study names, and which of its keys go with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast, get_args

import csi
from csi.errors import Language, Problem, Problems, Text, did_you_mean, one_of, problem
from csi.estimate.protocol import Estimator
from csi.models.model import Model
from csi.study.positions import Document, Loc
from csi.study.replicated import LEAST, few_resamples, replicate_problems
from csi.study.schema import StudyForm
from csi.study.schema_estimate import COVARIANCE, EstimateForm, EstimatorName
from csi.study.settings import Settings

if TYPE_CHECKING:
    from csi.pls.estimator import PLS
    from csi.pls.gsca import GSCA
    from csi.pls.stages import Interaction as Products
    from csi.pls.sum_scores import SumScores
    from csi.sem.estimator import SEM
    from csi.sem.interaction import Interaction as OfLatents

OF_PLS: Final = ("weighting", "consistent", "modes", "higher_order")
"""Keys of pls and plsc alone."""

OF_COVARIANCE: Final = ("ordered",)
"""Keys of covariance models alone."""


def estimator_of(settings: Settings) -> PLS | SumScores | GSCA | SEM:
    """The estimator with the settings of a study.

    Raises:
        Problems: settings that do not go together.

    Example:
        >>> estimator_of(Settings(estimator="plsc", modes={"image": "B"})).name, estimator_of(Settings("mlr")).name
        ('PLSc (path)', 'SEM (MLR)')
    """
    name, missing = settings.estimator, settings.missing
    if settings.covariance:
        kind = None if name == "sem" else name.upper()
        made = csi.SEM(estimator=kind, missing=missing, ordered=settings.ordered)
        how = settings.interaction
        return made if how is None else replace(made, interaction=cast("OfLatents", how))
    if name == "gsca":
        return csi.GSCA(missing=missing, tolerance=settings.tolerance)
    if name in {"sum", "raw", "pca"}:
        return csi.SumScores(weights="equal" if name == "sum" else "raw" if name == "raw" else "pca", missing=missing)
    return csi.PLS(
        weighting=settings.weighting,
        missing=missing,
        consistent=name == "plsc",
        modes=settings.modes,
        higher_order=settings.higher_order,
        interaction=cast("Products", settings.interaction or "two-stage"),
        tolerance=settings.tolerance,
    )


FILLED: Final = {"em": "fiml", "pairwise": "fiml", "mean": "fiml"}
"""What a covariance model does with absent answers where a composite does the key."""

PROXY: Final = {"fiml": "em", "two-stage": "em"}
"""What a composite does with absent answers where a covariance model does the key."""


def rivals_of(settings: Settings, names: Sequence[str]) -> dict[str, Estimator]:
    """A study's model by other estimators: name -> estimator, the study's own as it is.

    Modes, higher-order constructs and products go along where the estimator takes them; absent answers are treated in
    the estimator's own way (`FILLED`, `PROXY`) where it does not know the study's.

    Raises:
        Problems: E-SETTING, a name that is no estimator.

    Example:
        >>> [e.name for e in rivals_of(Settings(missing="em"), ["pls", "mlr"]).values()]
        ['PLS (path)', 'SEM (MLR)']
    """
    found = [p for name in names for p in one_of("estimators", name.lower(), get_args(EstimatorName))]
    if found:
        raise Problems(found)
    return {name: estimator_of(_as(settings, cast("EstimatorName", name.lower()))) for name in names}


def _as(settings: Settings, name: EstimatorName) -> Settings:
    """The settings with another estimator."""
    if name == settings.estimator:
        return settings
    latent = name in COVARIANCE
    missing = (FILLED if latent else PROXY).get(settings.missing, settings.missing)
    same = latent == settings.covariance
    least_squares = latent and name not in {"sem", "ml", "mlr", "mlf"}
    return replace(
        settings,
        estimator=name,
        missing=cast("Any", "listwise" if least_squares else missing),
        ordered=settings.ordered if latent else (),
        interaction=settings.interaction if same and name not in {"sum", "raw", "pca", "gsca"} else None,
    )


def estimate_problems(
    form: StudyForm, settings: Settings, model: Model | None, document: Document, lang: Language
) -> Iterator[Problem]:
    """What is wrong with the keys of `estimate`, `bootstrap` and `replicate_weights` taken together, each at its line.

    Parameters:
        form: as typed. settings: what it stands for. model: None where it has problems of its own.
    """
    told = [*_strange(form.estimate, document)]
    yield from told
    yield from _names(form, model, document)
    if not told:
        yield from _refused(settings, document, lang)
    yield from _resampled(form, document)
    yield from _imputed(form, document)
    yield from replicate_problems(form, document)
    if settings.covariance and form.index.weights in {"own", "entity", "wave", "rolling"}:
        en = f"a covariance model has no weights of the kind {form.index.weights}: its items are weighed once for all."
        zh = f"协方差模型没有“{form.index.weights}”类权重：题项权重对全部单元只算一次。"
        do, do_zh = "Write weights: base or weights: pooled.", "请写 weights: base 或 weights: pooled。"
        yield problem("E-SETTING", document.place(("index", "weights")), en, zh, do, do_zh)


def _strange(form: EstimateForm, document: Document) -> Iterator[Problem]:
    """Keys that the estimator does not take."""
    name = form.estimator
    barred = () if name in {"pls", "plsc"} else OF_PLS
    barred = (*barred, *(() if name in COVARIANCE else OF_COVARIANCE))
    barred = (*barred, *(("interaction",) if name in {"sum", "raw", "pca", "gsca"} else ()))
    usual = EstimateForm()
    for key in barred:
        if getattr(form, key) not in (getattr(usual, key), False):
            whose = Text("pls", "pls") if key in OF_PLS else Text("covariance models", "协方差模型")
            whose = Text("pls, plsc or a covariance model", "pls、plsc 或协方差模型") if key == "interaction" else whose
            yield problem(
                "E-SETTING",
                document.place(("estimate", key)),
                f"estimator {name} does not take `{key}`.",
                f"估计方法 {name} 不接受“{key}”。",
                f"Leave it out; it goes with {whose.en}.",
                f"请删去；它只用于 {whose.zh}。",
            )
    if form.consistent is False and name == "plsc":
        yield problem(
            "E-SETTING",
            document.place(("estimate", "consistent")),
            "plsc is consistent PLS, and consistent says no.",
            "plsc 即一致性 PLS，而 consistent 的值为 no。",
            "Write estimator: pls, or leave consistent out.",
            "请写 estimator: pls，或删去 consistent。",
        )


def _names(form: StudyForm, model: Model | None, document: Document) -> Iterator[Problem]:
    """Constructs of `modes` and items of `ordered` that the model does not have."""
    if model is None:
        return
    constructs = model.names
    for name in form.estimate.modes:
        if name not in constructs:
            yield _unknown("construct", "构念", name, constructs, document.place(("estimate", "modes", name)))
    items = model.items
    for number, name in enumerate(form.estimate.ordered):
        if name not in items and name != "all":
            yield _unknown("item", "题项", name, items, document.place(("estimate", "ordered", number)))


def _unknown(kind: str, kind_zh: str, name: str, known: Sequence[str], where: str) -> Problem:
    what = Text(f'the model has no {kind} "{name}".', f"模型中没有{kind_zh}“{name}”。")
    return Problem("E-CONSTRUCT" if kind == "construct" else "E-ITEM", where, what, did_you_mean(name, known))


def _refused(settings: Settings, document: Document, lang: Language) -> Iterator[Problem]:
    """What the estimator itself says of its settings, at the keys of the study file."""
    try:
        estimator_of(settings)
    except Problems as found:
        for one in Problems(found.problems, lang).problems:
            key = one.where if ("estimate", one.where) in document.lines else "estimator"
            at: Loc = ("estimate", key) if ("estimate", key) in document.lines else ("estimate",)
            yield replace(one, where=document.place(at))


def _resampled(form: StudyForm, document: Document) -> Iterator[Problem]:
    """Resamples too few for an interval."""
    if 0 < form.bootstrap.n < LEAST:
        yield few_resamples(
            form.bootstrap.n, document.place(("bootstrap", "n")), "n", Text("; 0 for none", "；0 表示不做")
        )


def _imputed(form: StudyForm, document: Document) -> Iterator[Problem]:
    """Copies that cannot be pooled."""
    where, many = document.place(("estimate", "imputations")), form.estimate.imputations
    if many == 1:
        en, zh = (
            "one completed copy tells nothing of what is unknown.",
            "只有一份插补数据，无法体现缺失带来的不确定性。",
        )
        yield problem("E-IMPUTE", where, en, zh, "Write imputations: 20, say.", "例如写 imputations: 20。")
    if not many:
        return
    if form.estimate.missing != "listwise":
        en = f"the copies are complete: missing: {form.estimate.missing} has nothing to do."
        zh = f"插补后的数据已完整，missing: {form.estimate.missing} 无从作用。"
        do, do_zh = "Keep imputations or missing, not both.", "imputations 与 missing 请只保留一个。"
        yield problem("E-IMPUTE", where, en, zh, do, do_zh)
    if not form.bootstrap.n and form.estimate.estimator not in COVARIANCE:
        en, zh = (
            "the variance inside each copy comes from a bootstrap, and bootstrap: n is 0.",
            ("各份数据内部的方差来自自助法，而 bootstrap 中 n 为 0。"),
        )
        yield problem("E-IMPUTE", where, en, zh, "Set bootstrap: {n: 1000}.", "请设置 bootstrap: {n: 1000}。")
