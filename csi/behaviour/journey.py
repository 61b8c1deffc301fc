"""Where customers are met, how it is scored there, where they stop, and what of it goes with the overall judgement.

Source:
    Lemon & Verhoef (2016), J. of Marketing 80(6), 69-96; Kahneman, Fredrickson, Schreiber & Redelmeier (1993),
    Psychological Science 4(6), 401-405.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from csi.behaviour.asked import headings, level_problems
from csi.behaviour.journey_asked import Walked, walked
from csi.behaviour.journey_models import drivers, peak_end
from csi.behaviour.journey_steps import funnel, moves, reached, staged, usual_order
from csi.behaviour.journey_words import (
    HEADINGS,
    LABELS,
    driver_sentence,
    drop_sentence,
    end_sentence,
    reach_sentence,
)
from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.measures.shown import based, told
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.events import Events, read_events
from csi.survey.panel import Panel

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame


@dataclass(frozen=True, slots=True, repr=False)
class Journey(Shown):
    """What contacts tell; frames without columns where something is refused (see `notes`).

    Attributes:
        table: touchpoint, base (customers), met, reach, reach_low, reach_high, contacts, n (customers who scored it),
            mean (0-100), std_error, conf_low, conf_high, mean_raw, top2, bottom2 (shares of scores in the two highest
            and lowest answers), flag, reason, reason_zh.
        stages: touchpoint, stage, met, reach, n, mean, std_error, conf_low, conf_high, flag, reason, reason_zh.
        steps: step, base (customers whose order is known), n (who came so far), reach, drop_off (share of those that
            go no further), conf_low, conf_high, flag, reason, reason_zh.
        transitions: touchpoint, next ("(end)" for none), contacts, n (customers behind), share, std_error, conf_low,
            conf_high, flag, reason, reason_zh; the shares of a touchpoint add up to 1.
        peak_end: model (mean, peak_end, full), term, n, estimate (points of overall per point), std_error, df,
            conf_low, conf_high, p_value, flag, reason, reason_zh.
        fits: model, n, r2, r2_adjusted, f, df1, df2, p_value (of what the model adds to the one before).
        drivers: touchpoint, n, estimate (of its score among those who met it), std_error, df, conf_low, conf_high,
            p_value, p_adjusted (Holm), then the same with met_ of meeting it, at a score equal to the mean.
        stage_order: stages by their usual place. bounds: of the raw scores; None without scores.
        overall: the construct or item, "" for none.
        labels, level, sentences, notes.
    """

    table: pl.DataFrame
    stages: pl.DataFrame
    steps: pl.DataFrame
    transitions: pl.DataFrame
    peak_end: pl.DataFrame
    fits: pl.DataFrame
    drivers: pl.DataFrame
    stage_order: tuple[str, ...]
    bounds: tuple[float, float] | None
    overall: str
    labels: Mapping[str, Text]
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Journey, lang: str = "en") -> str:
    """Sentences, tables, notes."""
    lines = [*(s.say(lang) for s in value.sentences), ""]
    words = {c: t.say(lang) for c, t in {**LABELS, **value.labels}.items()}
    for frame in (value.table, value.steps, value.peak_end, value.fits, value.drivers):
        if frame.height:
            shown = frame.drop("std_error", "met_std_error", "df", "met_df", "p_value", "met_p_value", strict=False)
            shown = shown if frame is not value.fits else frame
            known = [c for c in ("model", "term", "touchpoint", "step") if c in shown.columns]
            shown = shown.with_columns(pl.col(c).replace(words) for c in known)
            lines += [based(shown, HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def journey(
    contacts: Events | IntoFrame | str,
    panel: Panel | None = None,
    overall: str | None = None,
    *,
    steps: Sequence[str] = (),
    scores: Sequence[float] = (),
    where: Mapping[str, str] | None = None,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Journey:
    """Reach, scores and drop-off of touchpoints, what follows what, and what goes with the overall judgement.

    Parameters:
        contacts: `Events` of kind "contacts" or a table with id, touchpoint, and seq or time, score, stage. panel: the
            answers; everybody in it is in the base of reach, with the panel's weights, clusters and strata. overall: a
            construct or item of the panel ("satisfaction" where there is one), "" for none. steps: touchpoints or
            stages in order, for drop-off; without, the first contact, the second, and so on. scores: the lowest and
            the highest score that can be given; those seen, where left out. where: keep only answers with these key
            values. level: of the intervals. small, flagged: values of fewer customers are withheld, or marked.

    Returns:
        A `Journey`. Means of touchpoints are over all scores given there, errors follow the design with customers (or
        clusters) as units. Terms of the peak-end model are of customers with three scored contacts or more.

    Raises:
        Problems: E-EVENT (table or ids), E-ROLE (no such outcome or step, answers that contacts cannot be told apart
            by), E-SCALE, E-SETTING.

    Example:
        >>> met = pl.DataFrame({"id": [1, 1, 2, 3], "touchpoint": ["shop", "app", "shop", "app"],
        ...                     "seq": [1, 2, 1, 1], "score": [10, 5, 8, 6]})
        >>> found = journey(met, scores=(0, 10), small=0)
        >>> found.table.select("touchpoint", "reach", "mean_raw").rows()
        [('app', 0.6666666666666666, 5.5), ('shop', 0.6666666666666666, 9.0)]
        >>> found.transitions.filter(pl.col("touchpoint") == "shop").select("next", "share").rows()
        [('app', 0.5), ('shop', 0.0), ('(end)', 0.5)]
    """
    if found := level_problems(level):
        raise Problems(found)
    bases = Bases(small, flagged)
    events = read_events(contacts, "contacts")
    target = _target(panel, overall)
    walk = walked(events, panel, target, where, scores, level)
    _check_steps(steps, walk)
    table = reached(walk, level, bases)
    enough = walk.size >= small
    stages, next_, drop = (
        (staged(walk, level, bases), moves(walk, level, bases), funnel(walk, steps, level, bases))
        if enough
        else (pl.DataFrame(),) * 3
    )
    slopes, fits, said = peak_end(walk, level, bases)
    touch, more = drivers(walk, level, bases)
    label = _label(panel, target)
    words = _words(panel, walk, target)
    known = len(scores) > 0 or np.unique(walk.person[np.isfinite(walk.score)]).size >= small
    return Journey(
        table=table,
        stages=stages,
        steps=drop,
        transitions=next_,
        peak_end=slopes,
        fits=fits,
        drivers=touch,
        stage_order=tuple(usual_order(walk, walk.stage, walk.stages)),
        bounds=walk.bounds,
        overall=target,
        labels=words,
        level=level,
        sentences=(
            *(bases.sentences(table, "n" if enough else "base") if table["reach"].is_null().all() else ()),
            *reach_sentence(table, words),
            *end_sentence(slopes, fits, label),
            *driver_sentence(touch, label, words),
            *drop_sentence(drop, words),
        ),
        notes=(*_notes(walk, target, steps, known=known), *said, *more, *_based(walk, table, bases), *walk.notes),
    )


def _target(panel: Panel | None, overall: str | None) -> str:
    """The overall judgement; satisfaction where there is one and nothing was said."""
    if panel is None:
        if overall:
            en, zh = (
                f'"{overall}" is to be explained, but there are no answers.',
                f"要解释“{overall}”，但没有答卷数据。",
            )
            raise Problems([problem("E-ROLE", "overall", en, zh, "Give panel=.", "请给出 panel=。")])
        return ""
    known = (*panel.codebook.constructs, *panel.codebook.names, *(i.construct for i in panel.codebook.items))
    return "satisfaction" if overall is None and "satisfaction" in known else overall or ""


def _label(panel: Panel | None, target: str) -> Text:
    """The overall judgement in words."""
    if panel is None or not target:
        return Text("the overall judgement", "总体评价")
    return Text(panel.codebook.label(target, "en"), panel.codebook.label(target, "zh"))


def _words(panel: Panel | None, walk: Walked, target: str) -> dict[str, Text]:
    """What terms, touchpoints, stages and the overall judgement are called."""
    own = headings(panel.codebook, (*walk.touchpoints, *walk.stages)) if panel is not None else {}
    return {**LABELS, **own, **({target: _label(panel, target)} if target else {})}


def _check_steps(steps: Sequence[str], walk: Walked) -> None:
    """Refuse steps that are neither all touchpoints nor all stages.

    Raises:
        Problems: E-ROLE.
    """
    if not steps or set(steps) <= set(walk.touchpoints) or set(steps) <= set(walk.stages):
        return
    known = (*walk.touchpoints, *walk.stages)
    strange = [s for s in steps if s not in known]
    what = Text(
        f'no contact has the touchpoint or stage "{(strange or steps)[0]}".',
        f"接触表中没有触点或阶段“{(strange or steps)[0]}”。",
    )
    if not strange:
        what = Text("steps mix touchpoints with stages.", "steps 混用了触点与阶段。")
        do = Text("Name touchpoints only, or stages only.", "请只写触点，或只写阶段。")
        raise Problems([Problem("E-ROLE", "steps", what, do)])
    raise Problems([Problem("E-ROLE", "steps", what, did_you_mean(strange[0], known))])


def _notes(walk: Walked, target: str, steps: Sequence[str], *, known: bool) -> tuple[Note, ...]:
    """What numbers are, and what is refused; the range of scores where it is `known` and not somebody's own."""
    out = []
    if walk.bounds is None:
        en = "contacts have no scores: reach and order only; means, peak and end, touchpoints' slopes are refused."
        out.append(note("E-ROLE", en, "接触表没有评分：仅给出触达与次序；均值、峰值与终点、触点斜率无法计算。"))
    else:
        low, high = walk.bounds
        span, span_zh = f" from {low:g} to {high:g}", f"范围为 {low:g}–{high:g}，"
        if not known:
            span, span_zh = " from the lowest to the highest seen", "以所见最低与最高为范围，"
        en = f"scores run{span}, told on 0-100; means are over all scores given at a touchpoint."
        zh = f"评分{span_zh}以 0–100 表示；均值为该触点全部评分的均值。"
        out.append(note("N-JOURNEY", en, zh))
    if not target:
        en = "no overall judgement is named: the peak-end model and the touchpoints' slopes are refused; "
        out.append(
            note(
                "E-ROLE",
                f"{en}name it with --outcome (overall=).",
                "未指定总体评价：峰终模型与触点斜率无法计算；请以 --outcome（overall=）指定。",
            )
        )
    elif walk.bounds is not None:
        en = "slopes are associations among customers asked once; who meets a touchpoint is not chance."
        out.append(note("N-JOURNEY-ASSOCIATED", en, "斜率为同一次调查中的关联；谁接触某触点并非随机。"))
    if len(walk.touchpoints) < 2:
        en = "there is one touchpoint only: transitions and touchpoints' slopes are refused."
        out.append(note("E-ROLE", en, "只有一个触点：转移与触点斜率无法计算。"))
    if not steps and walk.ordered[walk.person].any():
        en = "steps are the first contact, the second, and so on; name touchpoints or stages in order with --steps A,B "
        en += "(steps: in the study)."
        out.append(
            note(
                "N-JOURNEY-STEPS",
                en,
                "步骤为第一次、第二次接触，依此类推；可用 --steps 甲,乙 按次序指定触点或阶段（研究文件中为 steps:）。",
            )
        )
    return tuple(out)


def _based(walk: Walked, table: pl.DataFrame, bases: Bases) -> tuple[Note, ...]:
    """Touchpoints with few customers; those without any scores are no matter of a base."""
    if table["base"][0] < bases.small:
        return bases.notes(table, (), LABELS, "base")
    return () if walk.bounds is None else bases.notes(table, (), LABELS)
