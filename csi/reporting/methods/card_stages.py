"""What slopes of a card do along the customer's stages, as a part of its section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from csi.claims.card_run import CardRun
from csi.claims.stage_slopes import StageSlopes, stage_slopes
from csi.claims.stage_words import HEADINGS, STEPS, VERDICTS, WORDS
from csi.errors import Note, Problems, Text, note
from csi.models.card import Card
from csi.reporting.methods.method import tabled, texts_of
from csi.reporting.section import Kind, Table
from csi.study.estimator import estimator_of
from csi.study.options import Options
from csi.study.settings import Settings
from csi.study.study import Study
from csi.survey.panel import Panel

TRENDS: dict[str, Kind] = {
    "predictor": "text", "outcome": "text", "estimate": "coefficient", "std_error": "coefficient",
    "conf_low": "coefficient", "conf_high": "coefficient", "p_adjusted": "p", "claimed": "text", "found": "text",
}  # fmt: skip
SLOPES: dict[str, Kind] = {
    "stage": "text", "predictor": "text", "outcome": "text", "n": "count", "estimate": "coefficient",
    "std_error": "coefficient", "conf_low": "coefficient", "conf_high": "coefficient",
}  # fmt: skip
GATE: dict[str, Kind] = {
    "step": "text", "about": "text", "first": "text", "second": "text", "value": "number", "df": "count",
    "p_value": "p", "verdict": "text",
}  # fmt: skip
PAIRS: dict[str, Kind] = {"about": "text", "first": "text", "second": "text", "value": "coefficient", "p_value": "p"}


@dataclass(frozen=True, slots=True)
class Along:
    """Tables, sentences, notes and frames; empty where the card claims nothing of its groups."""

    tables: tuple[Table, ...] = ()
    sentences: tuple[Text, ...] = ()
    notes: tuple[Note, ...] = ()
    data: Mapping[str, pl.DataFrame] = field(default_factory=dict)


def along_stages(card: Card, run: CardRun, study: Study, panel: Panel, options: Options, settings: Settings) -> Along:
    """Trends of the card's slopes along the study's stages.

    Where the study does not say the order of its stages, or they cannot be compared, a note says so.
    """
    if not card.trends or card.requires.group != "stage" or options.by:
        return Along()
    names = {theirs: ours for ours, theirs in options.stages.items()}
    blocks = [[i for i in c.items if i in panel.frame.columns] for c in run.model.constructs]
    answered = pl.all_horizontal(pl.any_horizontal(pl.col(b).is_not_null()) for b in blocks if b)
    frame = panel.frame.filter(answered).with_columns(pl.col("stage").cast(pl.String).replace(names))
    kept = frame.filter(*(pl.col(k) == v for k, v in options.where.items()))
    seen = set(kept["stage"].drop_nulls().unique().to_list())
    order = tuple(dict.fromkeys(names.get(s, s) for s in study.stages))
    stages = tuple(s for s in order if s in seen)
    least = max(card.requires.min_n_per_group, settings.small)
    large = tuple(s for s in stages if kept.filter(stage=s).height >= least)
    stages = large if len(large) > 1 else stages
    if len(stages) < 2:
        en = "slopes are not compared along the stages: the study does not say their order (stages: [...])."
        return Along(notes=(note("N-STAGE-TREND", en, "未比较斜率随阶段的变化：研究未给出阶段次序（stages: […]）。"),))
    try:
        found = stage_slopes(
            run.model, replace(panel, frame=frame), stages, claims=_claims(card, run), where=options.where,
            estimator=estimator_of(settings), least=least,
            replicates=max(settings.replicates, 200), seed=settings.seed, level=settings.level,
            labels={**run.labels, **{names.get(s, s): t for s, t in study.stages.items()}},
        )  # fmt: skip
    except Problems as refused:
        said = [p.what for p in refused.problems]
        en = f"slopes are not compared along the stages: {' '.join(t.en for t in said)}"
        return Along(notes=(note("N-STAGE-TREND", en, f"未比较斜率随阶段的变化：{''.join(t.zh for t in said)}"),))
    return _told(found, study)


def _claims(card: Card, run: CardRun) -> dict[str, str]:
    """The card's claims of paths that the model has."""
    paths = {f"{p.outcome}~{p.predictor.name}" for p in run.model.paths}
    return {path: said for path, said in card.trends.items() if path in paths}


def _told(found: StageSlopes, study: Study) -> Along:
    """Its tables and words."""
    texts = {**texts_of(study), **found.labels, **WORDS, **STEPS, **VERDICTS}
    heads = {**HEADINGS, "estimate": Text("change per stage", "每阶段变化")}
    differ = {**HEADINGS, "value": Text("difference", "差异"), "p_value": Text("p (Holm)", "p（Holm）")}
    arrows = {n: n for n in found.gate["about"].unique() if " → " in n}
    said = {n: [texts.get(p, Text(p, p)) for p in n.split(" → ")] for n in arrows}
    texts |= {n: Text(" → ".join(p.en for p in two), " → ".join(p.zh for p in two)) for n, two in said.items()}
    gate, pairs = found.gate.filter(pl.col("step") != "path"), found.gate.filter(step="path")
    frames = (
        ("trends", Text("Change of slopes from stage to stage", "斜率逐阶段的变化"), found.trends, TRENDS, heads),
        ("stage_slopes", Text("Slopes by stage", "各阶段斜率"), found.table, SLOPES, HEADINGS),
        ("stage_pairs", Text("Slopes of two stages", "两阶段斜率之差"), pairs, PAIRS, differ),
        ("stage_gate", Text("Are constructs the same at all stages?", "构念在各阶段是否相同"), gate, GATE, HEADINGS),
    )
    floors = {"p_value": (found.least, "p_plain"), "p_adjusted": (found.least, "p_value")}
    tables = []
    for name, title, frame, kinds, headings in frames:
        kept = {c: k for c, k in kinds.items() if frame.height and frame[c].null_count() < frame.height}
        if kept and not (name == "trends" and found.trends["estimate"].is_null().all()):
            tables.append(tabled(name, title, frame, kept, headings, texts, least=floors))
    data = {name: frame for name, _, frame, _, _ in frames if frame.height}
    return Along(tuple(tables), found.sentences, found.notes, data)
