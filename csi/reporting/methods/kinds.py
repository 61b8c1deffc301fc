"""Kinds of expectation, and coded mentions, as sections."""

from __future__ import annotations

from csi.errors import Note, Text
from csi.expectation.forms import named
from csi.expectation.kano_words import CLASSES
from csi.expectation.kinds import kinds
from csi.expectation.kinds_words import FACETS, HEADINGS, KINDS, LEVELS, TITLES
from csi.expectation.mentions import mentions
from csi.expectation.mentions_words import HEADINGS as MENTIONED
from csi.expectation.mentions_words import JUDGED
from csi.expectation.mentions_words import KINDS as SAID
from csi.reporting.methods.method import Method, Need, tabled, texts_of, titled
from csi.reporting.methods.needs import option
from csi.reporting.section import Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

RESAMPLES = 1000
"""Fewest resamples behind classes and alphas."""

SHOWN: dict[str, dict[str, Kind]] = {
    "facets": {
        "facet": "text", "attributes": "count", "n": "count", "expected": "number", "perceived": "number",
        "gap": "number", "conf_low": "number", "conf_high": "number", "weight": "coefficient", "share": "share",
        "share_low": "share", "share_high": "share",
    },
    "said": {
        "attribute": "text", "mentioned": "count", "unaided": "count", "explicitness": "share", "conf_low": "share",
        "conf_high": "share", "kind": "text",
    },
    "levels": {
        "attribute": "text", "level": "text", "n": "count", "mean": "number", "perceived": "number", "gap": "number",
        "conf_low": "number", "conf_high": "number", "short": "share",
    },
    "surprise": {
        "attribute": "text", "category": "text", "support": "share", "unaided": "share", "importance": "coefficient",
        "kind": "text",
    },
}  # fmt: skip
CODED: dict[str, Kind] = {
    "attribute": "text", "respondents": "count", "mentioned": "count", "share_mentioned": "share", "unaided": "count",
    "explicitness": "share", "conf_low": "share", "conf_high": "share", "kind": "text", "valence": "number",
    "negative": "share",
}  # fmt: skip
AGREED: dict[str, Kind] = {
    "what": "text", "coders": "count", "units": "count", "alpha": "coefficient", "conf_low": "coefficient",
    "conf_high": "coefficient",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """A table for every kind of expectation that the answers can tell apart."""
    settings = study.settings
    found = kinds(
        panel, options.mentions, expected=options.expected or "Ew", perceived=options.perceived or "P",
        outcome=options.outcome or None, where=options.where, replicates=max(settings.replicates, RESAMPLES),
        seed=settings.seed, level=settings.level,
        small=settings.small, flagged=settings.flagged,
    )  # fmt: skip
    texts = {**texts_of(study), **found.labels, **FACETS, **LEVELS, **CLASSES, **KINDS, **SAID}
    frames = {"facets": found.facets, "said": found.said, "levels": found.levels, "surprise": found.surprise}
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="kinds",
        title=title,
        subtitle=Text(
            "What expectations are about, whether they are said, which level they set, and how they surprise",
            "期望的内容、是否被说出、所设的水平，以及是否出人意料",
        ),
        paragraphs=more,
        tables=tuple(
            tabled(name, TITLES[name], frame, SHOWN[name], HEADINGS, texts)
            for name, frame in frames.items()
            if frame.height
        ),
        notes=found.notes,
        data={name: frame for name, frame in frames.items() if frame.height},
    )


def tell_mentions(study: Study, panel: Panel, options: Options) -> Section:
    """Explicitness of every attribute mentioned, and agreement of the coders."""
    settings = study.settings
    book = {(i.attribute or i.name): named(i.label, i.attribute or i.name) for i in reversed(panel.codebook.items)}
    found = mentions(
        options.mentions, attributes=book, replicates=max(settings.replicates, RESAMPLES), seed=settings.seed,
        level=settings.level,
    )  # fmt: skip
    texts = {**texts_of(study), **found.labels, **SAID, **JUDGED}
    heading = Text("What was mentioned", "提及情况")
    tables = [tabled("mentions", heading, found.table, CODED, MENTIONED, texts)]
    if found.agreement.height:
        heading = Text("Agreement of the coders", "编码一致性")
        tables.append(tabled("agreement", heading, found.agreement, AGREED, MENTIONED, texts))
    title, more = titled(found.sentences, CODES.title)
    return Section(
        key="mentions",
        title=title,
        subtitle=Text(
            "Explicitness: share of those who mention it that do so unasked (Wilson interval); alpha: 1 agreement, "
            "0 chance, below .667 no conclusions",
            "显性程度：提及者中自发提及的占比（Wilson 区间）；α：1 为完全一致，0 为随机，低于 0.667 不作结论",
        ),
        paragraphs=more,
        tables=tuple(tables),
        notes=(*found.notes, *(Note(r.code, r.text) for r in found.reasons.values())),
        data={"mentions": found.table, "agreement": found.agreement},
    )


def _something(study: Study, options: Options) -> bool:
    """Whether any kind can be told."""
    asked: dict[str, set[str]] = {}
    facets: dict[str, bool] = {}
    for item in study.codebook.items:
        name = item.attribute or item.name
        asked.setdefault(name, set()).add(item.form)
        facets[name] = facets.get(name, False) or bool(item.facet)
    P, E = options.perceived or "P", options.expected or "Ew"
    by_facet = any({P, E} <= forms and facets[name] for name, forms in asked.items())
    levels = any(P in forms and forms & {"Ea", "Ed", "Ei"} for forms in asked.values())
    return by_facet or levels or bool(options.mentions)


METHOD = Method(
    name="kinds",
    number=0,
    title=Text("Kinds of expectation", "期望的类型"),
    needs=(
        Need(
            Text("facets of expectation, or forms Ea, Ed, Ei beside P", "期望的 facet，或与 P 成对的 Ea、Ed、Ei"),
            _something,
            Text(
                "write facet: for items asked as P and Ew, or add items of form Ea or Ei",
                "为 P、Ew 题项写 facet:，或补充 Ea、Ei 题项",
            ),
        ),
    ),
    tell=tell,
    options=("expected", "perceived", "outcome", "mentions"),
    cells=("where",),
)
CODES = Method(
    name="mentions",
    number=0,
    title=Text("Mentions in interviews and focus groups", "访谈与焦点小组中的提及"),
    needs=(option("mentions", Text("a table of coded mentions", "编码提及表")),),
    tell=tell_mentions,
    options=("mentions",),
    cells=(),
)
