"""The sections of a report, one file each: a function from an `Analysis` to a `Section`.

`planned` says which sections a report of a kind has; `build` makes one by its key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pkgutil import resolve_name

from csi.errors import Note, Problems, Text, did_you_mean, problem
from csi.reporting.analysis import GROUPINGS, Analysis
from csi.reporting.headings import HEADINGS
from csi.reporting.methods.library import method_of, run_method
from csi.reporting.section import Section
from csi.reporting.sections.verdict import behind, headline
from csi.reporting.words.phrases import wave_name
from csi.study.options import Options
from csi.study.settings import Settings
from csi.study.study import Study

SECTIONS: dict[str, str] = {
    "alerts": "tracked:alerts_section",
    "trend": "trend:trend",
    "tracking": "tracked:tracking_section",
    "views": "views:views_section",
    "shrunken": "shrunken:shrunken_section",
    "decomposition": "decomposition:decomposition",
    "league": "league:league",
    "rates": "rates:rates_section",
    "comparability": "comparability:comparability",
    "tree": "tree:tree_section",
    "chain": "chain:chain",
    "model": "model:model",
    "priorities": "priorities:priorities",
    "stages": "stages:stages",
    "reliability": "measurement:reliability",
    "items": "items:items",
    "loadings": "measurement:loadings",
    "validity": "measurement:validity",
    "structure": "model:structure",
    "fieldwork": "fieldwork:fieldwork",
    "method": "method:method",
    "fit": "fit:fit_section",
    "invariance": "invariance:invariance_section",
    "mediation": "mediation:mediation_section",
    "slopes": "slopes:slopes_section",
    "prediction": "prediction:prediction_section",
    "groups": "groups:groups_section",
    "robustness": "robustness:robustness_section",
    "necessary": "necessary:necessary_section",
    "levers": "levers:levers_section",
    "segments": "segments:segments",
    "behaviour": "behaviour:behaviour",
    "writing": "paper.writing:writing_section",
    "sample": "paper.sample:sample_section",
    "settings": "paper.settings:settings_section",
    "formative": "paper.formative:formative_section",
    "bias": "paper.bias:bias_section",
    "global_fit": "paper.global_fit:global_fit_section",
    "parameters": "paper.parameters:parameters_section",
    "checks": "paper.checks:checks_section",
    "alternatives": "paper.alternatives:alternatives_section",
    "appendix": "paper.appendix:appendix_section",
    "references": "paper.references:references_section",
    "checklist": "paper.checklist:checklist_section",
}
"""Every section by its key: the file and the function that tell it, loaded when a report has it."""

KINDS: dict[str, tuple[str, ...]] = {
    "quarterly": (
        "trend", "league", "comparability", "chain", "model", "priorities", "stages", "segments", "behaviour",
        "reliability", "items", "fieldwork", "method",
    ),
    "paper": (
        "writing", "sample", "settings", "loadings", "reliability", "validity", "formative", "bias", "global_fit",
        "fit", "parameters", "model", "structure", "mediation", "slopes", "prediction", "invariance", "comparability",
        "groups", "checks", "robustness", "alternatives", "priorities", "appendix", "references", "checklist", "method",
    ),
    "validation": (),
    "expectation": ("fieldwork", "method"),
}  # fmt: skip
"""Which sections each kind of report has, in order; "expectation" has the models that the study allows before them,
"validation" sections of its own (`csi.reporting.validation`)."""

ORDER = (
    "alerts", "trend", "tracking", "views", "decomposition", "league", "rates", "comparability", "shrunken", "tree",
    "chain", "model", "structure", "mediation", "slopes", "priorities", "levers", "necessary", "stages", "segments",
    "behaviour", "reliability",
    "writing", "sample", "settings", "loadings", "validity", "formative", "bias", "global_fit", "fit", "parameters",
    "invariance", "items", "prediction", "groups", "checks", "robustness", "alternatives", "appendix", "references",
    "checklist", "fieldwork", "method",
)  # fmt: skip
"""Where a section stands that a study switches on in a kind which has it not."""

NEED_A_MODEL = frozenset({
    "model", "priorities", "reliability", "loadings", "validity", "structure", "fit", "invariance", "mediation",
    "slopes", "prediction", "groups", "robustness", "necessary", "levers", "writing", "sample", "settings",
    "formative", "bias", "global_fit", "parameters", "checks", "alternatives", "appendix", "references", "checklist",
    "segments", "behaviour",
})  # fmt: skip
"""Sections that exist only where the focal brand has enough answers for a model."""


PLAIN = Settings()


def planned(
    kind: str,
    *,
    brands: int,
    waves: int,
    keys: tuple[str, ...],
    settings: Settings = PLAIN,
    grouped: bool = False,
    products: bool = False,
    formed: bool = False,
    followed: bool = True,
    methods: Sequence[str] = (),
    alerts: bool = False,
) -> tuple[str, ...]:
    """The sections of a kind that this study can fill, with those it switches on and without those it switches off.

    Parameters:
        kind: a name in `KINDS`. brands, waves: how many there are. keys: the key columns of the panel.
        settings: the study's. grouped: whether there are two groups to compare. products, formed: whether the model has
            products of constructs, constructs of mode B. followed: whether the target leads to other constructs.
        methods: the models of expectation that the study allows, told by the kind "expectation".
        alerts: whether the study has any.

    Raises:
        Problems: E-KIND.

    Example:
        >>> planned("quarterly", brands=1, waves=1, keys=())[:2]
        ('chain', 'model')
    """
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS)
        en, zh = f'there is no kind of report "{kind}".', f"没有“{kind}”这种报告。"
        raise Problems([problem("E-KIND", "kind", en, zh, hint.en, hint.zh)])
    idle = {
        "trend": waves < 2,
        "decomposition": waves < 2,
        "league": brands < 2,
        "comparability": (brands < 2 and waves < 2 and not {*settings.gating.between} - {"brand", "wave"})
        or not settings.gating.gate,
        "tree": settings.tree is None,
        "shrunken": brands < 2,
        "alerts": not alerts,
        "tracking": waves < 2 and not settings.targets,
        "views": waves < 2 or not settings.views.show,
        "rates": settings.rates is None,
        "stages": brands < 2 and not set(keys) & set(GROUPINGS),
        "segments": not set(keys) & set(GROUPINGS),
        "behaviour": not followed,
        "invariance": not grouped,
        "groups": not grouped or settings.covariance,
        "slopes": not products,
        "prediction": settings.covariance,
        "necessary": settings.covariance,
        "formative": not formed or settings.estimator not in {"pls", "plsc"},
        "checks": settings.covariance,
        "parameters": not settings.covariance,
        "alternatives": not settings.covariance,
    }
    wanted = settings.telling.sections
    usual = KINDS[kind]
    asked = [] if settings.telling.desired is None else ["necessary"]
    asked += ["levers"] if settings.telling.levers else []
    asked += ["decomposition"] if settings.classes and kind == "quarterly" else []
    if kind == "quarterly":
        told_: dict[str, object] = {"tree": settings.tree, "alerts": alerts, "rates": settings.rates}
        told_ |= {"tracking": settings.targets, "views": settings.views.show, "shrunken": settings.shrunken}
        asked += [key for key, given in told_.items() if given]
    more = [k for k in dict.fromkeys([*asked, *(k for k, on in wanted.items() if on)]) if k not in usual]
    keys_ = inserted(usual, more)
    told = ("overview", *methods) if kind == "expectation" and methods else ()
    kept = [k for k in keys_ if wanted.get(k, True) and not idle.get(k, False)]
    return (*told, *(with_models(kept, methods) if kind == "quarterly" else kept))


def with_models(keys: Sequence[str], methods: Sequence[str]) -> list[str]:
    """The sections of a quarterly report with the models it tells where the study allows them, in their place.

    Example:
        >>> with_models(["chain", "stages", "items", "method"], ["gap", "text"])
        ['chain', 'gap', 'stages', 'text', 'items', 'method']
    """
    found = list(keys)
    for name, before in MODELS.items():
        if name in methods:
            place = next((i for i, k in enumerate(found) if k in before), len(found))
            found.insert(place, name)
    return found


LATER = ("reliability", "items", "robustness", "fieldwork", "method")
MODELS = {"gap": ("stages", "segments", "behaviour", *LATER), "complaints": LATER, "text": LATER}
"""Models that a quarterly report tells where the study allows them: expectation gap, complaints, comments; and the
sections each stands before."""


def inserted(usual: Sequence[str], more: Sequence[str]) -> list[str]:
    """Sections with further ones, each behind the last of those that stand before it in `ORDER`.

    Example:
        >>> inserted(["model", "method"], ["prediction", "mediation"])
        ['model', 'mediation', 'prediction', 'method']
    """
    found = list(usual)
    for key in sorted(more, key=ORDER.index):
        before = [i for i, k in enumerate(found) if ORDER.index(k) < ORDER.index(key) and k != "method"]
        found.insert(max(before) + 1 if before else 0, key)
    return found


def teller(key: str) -> Callable[[Analysis], Section]:
    """The function that tells a section of `SECTIONS`.

    Example:
        >>> teller("trend").__name__
        'trend'
    """
    found: Callable[[Analysis], Section] = resolve_name(f"{__name__}.{SECTIONS[key]}")
    return found


def build(key: str, analysis: Analysis) -> Section:
    """The section `key` of an analysis; one that says why, where these answers do not carry it."""
    try:
        return teller(key)(analysis) if key in SECTIONS else method_section(key, analysis)
    except Problems as found:
        if key in SECTIONS and (key not in NEED_A_MODEL or analysis.cell is None):
            raise
        said = tuple(
            Note(p.code, Text(f"{p.what.en} {p.remedy.en}".rstrip(), p.what.zh + p.remedy.zh)) for p in found.problems
        )
        name = heading(key, analysis.study)
        title = Text(f"{name.en}: cannot be told", f"{name.zh}：无法给出")
        return Section(key=key, title=title, subtitle=Text("", ""), notes=said)


def method_section(key: str, a: Analysis) -> Section:
    """A model of expectation on the answers of the report's wave; one that follows people or tells waves, on all.

    Where the study has several waves, the subtitle of a section of one says which it is; that all brands are together
    it says where there are several.
    """
    method = method_of(key, a.study)
    if not a.wave or "where" not in method.cells or method.panel or method.whole:
        return _with_base(run_method(a.study, a.panel, key, Options(given=("where",))), a)
    told = run_method(a.study, a.panel, key, Options(where={"wave": a.wave}, given=("where",)))
    return _with_base(told, a, "" if len(a.study.waves) == 1 else a.wave)


def _with_base(told: Section, a: Analysis, wave: str = "") -> Section:
    """A section whose subtitle ends with whom it is of: all brands where there are several, one wave."""
    brands = a.panel.frame["brand"].n_unique() if "brand" in a.panel.frame.columns else 1
    said = [Text("all brands together", "全部品牌合并")] if brands > 1 else []
    if wave:
        only = wave_name(wave)
        said.append(Text(f"{only.en} only", f"仅 {only.zh}"))
    if not said:
        return told
    en, zh = told.subtitle.en.removesuffix("."), told.subtitle.zh.removesuffix("。")
    of, of_zh = ", ".join(t.en for t in said), "，".join(t.zh for t in said)
    return replace(told, subtitle=Text(f"{en}; {of}".removeprefix("; "), f"{zh}；{of_zh}".removeprefix("；")))


def heading(key: str, study: Study | None = None) -> Text:
    """What a section is called."""
    return HEADINGS[key] if key in HEADINGS else method_of(key, study).title


__all__ = ["KINDS", "NEED_A_MODEL", "SECTIONS", "behind", "build", "heading", "headline", "planned", "teller"]
