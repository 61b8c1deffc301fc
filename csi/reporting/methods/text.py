"""Comments of customers, as a section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from csi.behaviour.comments import comments
from csi.behaviour.comments_words import HEADINGS, KEYS, LANGUAGES
from csi.behaviour.text_reliability import HEADINGS as TRUSTED
from csi.behaviour.text_reliability import MEASURES, SIDES
from csi.errors import Text
from csi.reporting.methods.method import Method, asked, tabled, texts_of, titled
from csi.reporting.methods.needs import table
from csi.reporting.section import Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.events import Events
from csi.survey.panel import Panel

ANALYSERS = {
    "lexicon": Text("the lexicon", "词典"), "score": Text("scores given", "所给分数"),
    "packages": Text("snownlp and vaderSentiment", " snownlp 与 vaderSentiment "),
}  # fmt: skip
"""What scored comments, in words."""

RESAMPLES = 200
"""At least so many for the intervals of agreement."""

WHOLE: dict[str, Kind] = {
    "n": "count", "comments": "count", "tone": "coefficient", "tone_low": "coefficient", "tone_high": "coefficient",
    "negative": "share", "negative_low": "share", "negative_high": "share", "positive": "share",
}  # fmt: skip
THEMES: dict[str, Kind] = {
    "attribute": "text", "n": "count", "mentions": "count", "share": "share", "voice": "share", "voice_low": "share",
    "voice_high": "share", "tone": "coefficient", "tone_low": "coefficient", "tone_high": "coefficient",
    "negative": "share",
}  # fmt: skip
EXPECTED: dict[str, Kind] = {
    "n": "count", "comments": "count", "below": "share", "met": "share", "better": "share", "balance": "coefficient",
    "balance_low": "coefficient", "balance_high": "coefficient",
}  # fmt: skip
SELECTION: dict[str, Kind] = {
    "variable": "text", "value": "text", "n_writers": "count", "n_others": "count", "writers": "score",
    "others": "score",
    "difference": "score", "conf_low": "score", "conf_high": "score", "p_adjusted": "p",
}  # fmt: skip
COUNTS: dict[str, Kind] = {"language": "text", "comments": "count", "share": "share"}
TRUST: dict[str, Kind] = {
    "measure": "text", "value": "coefficient", "conf_low": "coefficient", "conf_high": "coefficient"
}  # fmt: skip
CONFUSION: dict[str, Kind] = {"human": "text", "negative": "count", "neutral": "count", "positive": "count"}


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """How comments sound, what of, against what was expected, who writes, how far to trust it."""
    settings, ask = study.settings, asked(study, options)
    outcome = options.outcome or _target(study)
    found = comments(
        _said(study, ask["where"]), _only(panel, ask["where"]), lexicon=options.lexicon,
        analyser=options.analyser, outcome=outcome,
        by=ask["by"], replicates=max(settings.replicates, RESAMPLES), seed=settings.seed, level=ask["level"],
        small=ask["small"], flagged=ask["flagged"],
    )  # fmt: skip
    texts = {**KEYS, **LANGUAGES, **texts_of(study), **found.outcomes, **found.labels}
    title, more = titled(found.sentences, METHOD.title)
    parts = [
        ("whole", Text("All comments", "全部评论"), found.whole, WHOLE, HEADINGS),
        ("themes", Text("Themes", "主题"), found.table, THEMES, HEADINGS),
        ("expected", Text("Against what was expected", "与期望相比"), found.expected, EXPECTED, HEADINGS),
        ("selection", Text("Those who write and others", "写评论者与其他人"), found.selection, SELECTION, HEADINGS),
        ("languages", Text("Comments by language", "评论的语言"), found.counts, COUNTS, _OF_COUNTS),
    ]
    data = {name: frame for name, _, frame, _, _ in parts}
    if found.reliability is not None:
        trusted = found.reliability
        texts |= {**MEASURES, **SIDES}
        parts += [
            ("reliability", Text("Reliability of the tone", "情感得分的信度"), trusted.table, TRUST, TRUSTED),
            ("confusion", Text("People and analyser", "人工编码与得分"), trusted.confusion, CONFUSION, TRUSTED),
        ]
        data |= {"reliability": trusted.table, "confusion": trusted.confusion}
    by = ANALYSERS.get(found.analyser, Text(found.analyser, f" {found.analyser} "))
    return Section(
        key="text",
        title=title,
        subtitle=Text(
            f"Tone from 0 (bad) to 1 (good) by {by.en}; shares of voice are of all mentions",
            f"情感得分由{by.zh}给出，0（负面）至 1（正面）；声量占比以全部提及为基数",
        ),
        paragraphs=more,
        tables=tuple(tabled(n, t, f, k, h, texts) for n, t, f, k, h in parts if f.height),
        notes=found.notes,
        data=data,
    )


_OF_COUNTS = {**HEADINGS, "share": Text("of comments", "评论占比")}


def _target(study: Study) -> str:
    """The construct that the study publishes, where it has items."""
    target = study.settings.target
    return target if target and study.codebook.items_of(target) else ""


def _only(panel: Panel, where: Mapping[str, str]) -> Panel:
    """The answers with these key values."""
    if not where:
        return panel
    keep = panel.frame.select(pl.all_horizontal(pl.col(k).cast(pl.String) == v for k, v in where.items()))[:, 0]
    keep = keep.fill_null(value=False)
    return replace(panel, frame=panel.frame.filter(keep), reasons=panel.reasons.filter(keep))


def _said(study: Study, where: Mapping[str, str]) -> Events:
    """The comments, of the brand and wave asked for where they say which."""
    events = study.table("texts")
    if events is None:  # a need of the method
        return Events("texts", pl.DataFrame())
    own = [pl.col(k) == v for k, v in where.items() if k in events.frame.columns]
    return replace(events, frame=events.frame.filter(*own)) if own else events


METHOD = Method(
    name="text",
    number=0,
    title=Text("Comments", "文本评论"),
    needs=(table("texts", "text"),),
    tell=tell,
    options=("lexicon", "analyser", "outcome"),
    joins=("texts",),
)
