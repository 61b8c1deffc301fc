"""Importance and performance of attributes whose importance customers state, beside what is derived, as a section."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

import polars as pl

from csi.errors import Problems, Text
from csi.importance.drivers_words import QUADRANTS
from csi.importance.ipa import Ipa, ipa
from csi.importance.ipa_words import GRIDS, HEADINGS
from csi.reporting.drawn import figure
from csi.reporting.figures import importance_map
from csi.reporting.methods.method import Method, Need, few_people, outcome_label, tabled, texts_of, titled
from csi.reporting.methods.penalty_reward import explained, outcome_of
from csi.reporting.section import Figure, Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.codebook import Codebook
from csi.survey.panel import Panel

MAP: dict[str, Kind] = {
    "attribute": "text", "stated": "score", "derived": "coefficient", "performance": "score", "quadrant": "text",
    "probability": "share", "p_improve": "share", "p_keep": "share", "p_ease": "share", "p_low": "share",
    "grid": "text",
}  # fmt: skip
OPPORTUNITIES: dict[str, Kind] = {
    "attribute": "text", "stated": "score", "performance": "score", "opportunity": "score",
    "opportunity_conf_low": "score", "opportunity_conf_high": "score", "ulwick": "score", "ulwick_conf_low": "score",
    "ulwick_conf_high": "score",
}  # fmt: skip
HEADS = {**HEADINGS, **{f"p_{name}": text for name, text in QUADRANTS.items()}}
RESAMPLES = 500
"""Fewest resamples behind probabilities."""
OPPORTUNITY = Text(
    "Opportunities (importance × room, percent of all; Ulwick's score, 0–20: importance + its lead over performance)",
    "改进机会（重要性 × 提升空间，占全部的百分比；Ulwick 机会得分 0–20：重要性 + 重要性超出表现的部分）",
)
AXES = (Text("Stated importance", "自述重要性"), Text("Performance", "表现"))

Pairs = Mapping[str, tuple[tuple[str, ...], str]]
"""Attribute or construct -> the items of its performance, and the item of its stated importance."""


def pairs_of(book: Codebook) -> Pairs:
    """Attributes with an item of performance (P) and one of stated importance (I); else constructs with such items.

    Example:
        >>> import csi
        >>> study = csi.Study.read("data/insurance/study.yaml")
        >>> list(pairs_of(study.codebook))[:2]
        ['tangibles', 'reliability']
    """
    stated = [i for i in book.items if i.form == "I"]
    by_attribute = {
        i.attribute: (tuple(p.name for p in book.items if p.form == "P" and p.attribute == i.attribute), i.name)
        for i in stated
        if i.attribute
    }
    found = {name: pair for name, pair in by_attribute.items() if pair[0]}
    if len(found) >= ENOUGH:
        return found
    return {i.construct: (done, i.name) for i in stated if i.construct and (done := book.items_of(i.construct, "P"))}


ENOUGH = 2
"""Attributes that make a map."""


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Stated importance beside performance, with probabilities of the quadrants; derived importance; opportunities.

    Raises:
        Problems: E-BASE where fewer answered everything than may be told.
    """
    settings, pairs, outcome = study.settings, pairs_of(study.codebook), outcome_of(study, options)
    kept = panel.frame.filter(*(pl.col(k) == v for k, v in options.where.items()))
    columns = {f"done {name}": items for name, (items, _) in pairs.items()}
    columns |= {f"said {name}": (item,) for name, (_, item) in pairs.items()}
    columns |= {"outcome": study.codebook.items_of(outcome) or (outcome,)}
    weight = ["weight"] if "weight" in kept.columns else []
    frame = kept.select(*(points(study.codebook, items).alias(name) for name, items in columns.items()), *weight)
    frame = frame.drop_nulls()
    if few := few_people(frame.height, settings.small, "ipa"):
        raise Problems([few])
    found = ipa(
        frame, {n: f"done {n}" for n in pairs}, stated={n: f"said {n}" for n in pairs}, outcome="outcome",
        replicates=max(settings.replicates, RESAMPLES), level=settings.level, seed=settings.seed,
        weight=weight[0] if weight else None, scale=(0.0, 100.0),
    )  # fmt: skip
    known = texts_of(study)
    own = {name: known.get(name, known[item]) for name, (_, item) in pairs.items()}
    texts = {**known, **own, **QUADRANTS, **GRIDS, "outcome": outcome_label(study, outcome)}
    title, more = titled(said(found, texts), METHOD.title)
    return Section(
        key="ipa",
        title=title,
        subtitle=Text(
            f"Means on 0–100 of {found.n} respondents, lines split at the means of the attributes; derived: LMG for "
            f"{texts['outcome'].en}",
            f"{found.n} 位受访者的均值（0–100），以各属性均值为界；推算：对{texts['outcome'].zh}的 LMG",
        ),
        paragraphs=more,
        figures=drawn(found, texts, title),
        tables=(
            tabled("ipa", Text("Stated and derived importance", "自述与推算的重要性"), found.table, MAP, HEADS, texts),
            tabled(
                "opportunities",
                OPPORTUNITY,
                found.table.sort("opportunity", descending=True),
                OPPORTUNITIES,
                HEADS,
                texts,
            ),
        ),
        notes=found.notes,
        data={"ipa": found.table},
    )


def points(book: Codebook, items: tuple[str, ...]) -> pl.Expr:
    """The mean of items on 0-100, absent where one is."""
    scores = [
        100 * (pl.col(i).cast(pl.Float64) - book[i].scale.minimum) / (book[i].scale.maximum - book[i].scale.minimum)
        for i in items
    ]
    return pl.sum_horizontal(scores, ignore_nulls=False) / len(scores)


def said(found: Ipa, texts: Mapping[str, Text]) -> tuple[Text, ...]:
    """The sentences under the study's labels."""
    out = []
    for one in found.sentences:
        en, zh = one.en, one.zh
        for name in sorted((*found.table["attribute"], "outcome"), key=len, reverse=True):
            label = texts.get(name, Text(name, name))
            en, zh = en.replace(name, label.en), re.sub(f" ?{re.escape(name)} ?", label.zh, zh)
        out.append(Text(en, zh))
    return tuple(out)


def drawn(found: Ipa, texts: Mapping[str, Text], title: Text) -> tuple[Figure, ...]:
    """The map of stated importance and performance."""
    frame = found.table.select(
        "performance",
        name="attribute",
        importance="stated",
        importance_low="stated_conf_low",
        importance_high="stated_conf_high",
        performance_low="performance_conf_low",
        performance_high="performance_conf_high",
    )
    return (figure("ipa", title, partial(importance_map, frame, labels=texts, axes=AXES), half=True),)


def _stated(study: Study, options: Options) -> bool:
    del options
    return len(pairs_of(study.codebook)) >= ENOUGH


METHOD = Method(
    name="ipa",
    number=10,
    title=Text("Importance and performance of attributes", "属性的重要性与表现"),
    needs=(
        Need(
            Text("two attributes with performance and stated importance", "至少两个既有表现又有自述重要性的属性"),
            _stated,
            Text("give items form: P and form: I of one attribute:", "为同一 attribute: 写 form: P 与 form: I 的题项"),
        ),
        Need(
            Text("an outcome such as satisfaction", "结果变量，如满意"),
            explained,
            Text(
                "add items with construct: satisfaction, or name outcome:",
                "补充 construct: satisfaction 的题项，或写 outcome:",
            ),
        ),
    ),
    tell=tell,
    options=("outcome",),
    cells=("where",),
)
