"""Penalty-reward contrasts, as a section."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from csi.errors import Text
from csi.expectation.penalty_reward import PenaltyReward, attributed, penalty_reward
from csi.expectation.penalty_words import HEADINGS, KINDS
from csi.models.model import Model
from csi.reporting.drawn import figure
from csi.reporting.figures import forest
from csi.reporting.methods.method import Method, Need, tabled, texts_of, titled
from csi.reporting.section import Figure, Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

RESAMPLES = 1000
"""Fewest resamples behind classes."""

CONTRASTS: dict[str, Kind] = {
    "name": "text", "n": "count", "n_low": "count", "n_high": "count", "low": "score", "high": "score",
    "penalty": "number", "penalty_low": "number", "penalty_high": "number", "penalty_p": "p",
    "reward": "number", "reward_low": "number", "reward_high": "number", "reward_p": "p",
}  # fmt: skip
CLASSES: dict[str, Kind] = {
    "name": "text", "riocs": "number", "sgp": "share", "dgp": "share", "ia": "coefficient", "ia_low": "coefficient",
    "ia_high": "coefficient", "p_symmetric": "p", "kind": "text", "support": "share", "p_dissatisfier": "share",
    "p_hybrid": "share", "p_satisfier": "share", "p_unclassified": "share",
}  # fmt: skip
SIDES = {
    "penalty": Text("Penalty of low scores", "低分的惩罚"),
    "reward": Text("Reward of high scores", "高分的奖励"),
}
CHOSEN = Text(
    "Points of the outcome (0-100) that low and high scores go with, against those between; IA from −1 (only low "
    "scores count) to 1 (only high scores count)",
    "低分与高分相对中间分对应的结果变量分数（0–100）；IA 从 −1（仅低分有影响）到 1（仅高分有影响）",
)


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """What low and high scores of each driver go with, and whether it is a dissatisfier or a satisfier."""
    settings = study.settings
    found = penalty_reward(
        panel, drivers_of(study, options), outcome=outcome_of(study, options), cuts=options.cuts or None, by=options.by,
        limit=options.limit if "limit" in options.given else 0.1, where=options.where,
        errors=options.errors or "robust",
        replicates=max(settings.replicates, RESAMPLES), seed=settings.seed, level=settings.level,
        small=settings.small, flagged=settings.flagged,
    )  # fmt: skip
    texts = {**texts_of(study), **found.labels, **KINDS}
    title, more = titled(found.sentences, METHOD.title)
    heading = Text("Contrasts, in one regression", "对比（同一回归）")
    classed = Text("Impact asymmetry and classes", "影响不对称与类别")
    return Section(
        key="penalty_reward",
        title=title,
        subtitle=CHOSEN,
        paragraphs=more,
        figures=drawn(found, texts, title),
        tables=(
            tabled("contrasts", heading, found.table, CONTRASTS, HEADINGS, texts),
            tabled("classes", classed, found.table, CLASSES, HEADINGS, texts),
        ),
        notes=found.notes,
        data={"penalty_reward": found.table, "fits": found.fits},
    )


def drawn(found: PenaltyReward, texts: Mapping[str, Text], title: Text) -> tuple[Figure, ...]:
    """Penalties above rewards in one order, with intervals; none where there are several cells."""
    rows = found.table.filter(pl.col("penalty").is_not_null()).sort("ia", nulls_last=True)
    if rows["name"].n_unique() < rows.height or not rows.height:
        return ()
    marks = pl.concat(
        rows.select(
            heading=pl.lit(side),
            row="name",
            value_contrast=side,
            conf_low=f"{side}_low",
            conf_high=f"{side}_high",
            significant=(pl.col(f"{side}_p") < 1 - found.level).fill_null(value=False),
        )
        for side in SIDES
    )
    series = {"contrast": Text("points of the outcome", "结果变量分数")}
    return (figure("contrasts", title, partial(forest, marks, labels={**texts, **SIDES}, series=series)),)


def outcome_of(study: Study, options: Options) -> str:
    """The outcome: as named, the study's target where it has items, else satisfaction."""
    target = study.settings.target
    return options.outcome or (target if study.codebook.items_of(target) else "satisfaction")


def drivers_of(study: Study, options: Options) -> tuple[str, ...]:
    """What explains: as named, the constructs with attributes that do not follow from the outcome, else what the model
    says leads to it.
    """
    outcome, book = outcome_of(study, options), study.codebook
    leading = study.model.predictors(outcome) if any(c.name == outcome for c in study.model.constructs) else ()
    after = following(study.model, outcome)
    asked = options.drivers or tuple(c for c in attributed(book) if c not in after) or tuple(leading)
    return tuple(n for n in asked if n != outcome and (book.items_of(n, "P") or n in book.names or options.drivers))


def following(model: Model, outcome: str) -> set[str]:
    """What the model says follows from an outcome, at any distance.

    Example:
        >>> sorted(following(Model.parse("a =~ x; b =~ y; c =~ z; b ~ a; c ~ b"), "a"))
        ['b', 'c']
    """
    found, new = set[str](), {outcome}
    while new:
        found |= new
        new = {p.outcome for p in model.paths if p.predictor.name in new} - found
    return found - {outcome}


def _something(study: Study, options: Options) -> bool:
    return bool(drivers_of(study, options))


def explained(study: Study, options: Options) -> bool:
    """Whether what is to be explained is a construct with items, or an item."""
    name, book = outcome_of(study, options), study.codebook
    return bool(book.items_of(name)) or name in book.names


METHOD = Method(
    name="penalty_reward",
    number=10,
    title=Text("Penalty-reward contrasts", "惩罚–奖励对比"),
    needs=(
        Need(
            Text(
                "attributes, or a model in which something leads to the target",
                "属性题项，或模型中有指向目标构念的路径",
            ),
            _something,
            Text(
                "give items of a construct attribute: and form: P, or name constructs: drivers: [...]",
                "为题项写 attribute: 与 form: P，或指定构念 drivers: […]",
            ),
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
    options=("drivers", "outcome", "cuts", "limit", "errors"),
)
