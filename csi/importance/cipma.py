"""The combined importance-performance map: what raises the target on average, and what it cannot do without.

Letters: `k` drivers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from csi.display import Shown, table, text
from csi.errors import Note, Problems, Reason, Text, one_of, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.importance.ceilings import Ceiling, required
from csi.importance.drivers import drivers
from csi.importance.nca import KINDS, PERMUTATIONS, Nca, below, nca
from csi.importance.nca_data import answers_of
from csi.importance.nca_words import LEVEL, USUAL
from csi.measures.shown import told

HEADINGS = {
    "construct": Text("construct", "构念"),
    "importance": Text("importance", "重要性"),
    "performance": Text("performance", "表现"),
    "effect": Text("effect d", "效应量 d"),
    "p_value": Text("p", "p 值"),
    "necessary": Text("necessary", "必要"),
    "status": Text("at the level", "该水平下"),
    "needed": Text("needed", "所需水平"),
    "below": Text("% below", "未达到 %"),
    "quadrant": Text("map", "象限"),
    "reason": Text("reason", "原因"),
}
STATUS = {
    "needed": Text("needed", "需要"),
    "nothing": Text("nothing needed", "不需要"),
    "out of reach": Text("out of reach", "达不到"),
    "improve": Text("improve", "优先改进"),
    "keep": Text("keep", "保持"),
    "ease": Text("ease", "可放松"),
    "low": Text("low", "低优先"),
}


@dataclass(frozen=True, slots=True, repr=False)
class Cipma(Shown):
    """Importance, performance and necessity of every driver of a target.

    Attributes:
        table: construct, importance (points of the target per point), performance (0-100), quadrant, effect (d of the
            necessary condition analysis), p_value, necessary (d >= .1 and p < .05), status, needed (the 0-100 score the
            desired level needs), below (percent of the respondents with less), reason (why importance is absent).
        target, level (0-100), ceiling. analysis: the `Nca`. labels: of target and drivers, where the model has them.
        sentences. reasons: code -> Reason. notes.
    """

    table: pl.DataFrame
    target: str
    level: float
    ceiling: Ceiling
    analysis: Nca
    labels: Mapping[str, Text]
    sentences: tuple[Text, ...]
    reasons: Mapping[str, Reason]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Cipma, lang: str = "en") -> str:
    """The table, sentences, reasons, notes."""
    said = {word: t.say(lang) for word, t in STATUS.items()}
    shown = value.table.with_columns(pl.col("status", "quadrant").replace(said))
    shown = shown.select(c for c in shown.columns if shown[c].null_count() < shown.height)
    title = Text(
        f"Importance, performance and necessity for {value.target} at {value.level:g} ({value.ceiling})",
        f"{value.target}达到 {value.level:g} 时的重要性、表现与必要性（{value.ceiling}）",
    )
    lines = [title.say(lang), table(shown, headings={c: t.say(lang) for c, t in HEADINGS.items()}), ""]
    lines += [s.say(lang) for s in value.sentences]
    return "\n".join([*lines, *told(value.reasons.values(), value.notes, lang)])


def cipma(
    est: Estimate,
    target: str = "satisfaction",
    level: float = 85.0,
    *,
    ceiling: Ceiling = "ce_fdh",
    permutations: int = PERMUTATIONS,
    seed: int = 1,
) -> Cipma:
    """The importance-performance map combined with necessary condition analysis.

    A driver is called necessary where d >= .1 and the permutation p < .05. For the desired level of the target the
    ceiling tells the least score of each driver, and how many respondents are below it.

    Parameters:
        est: a PLS estimate of one cell, with rows and known bounds of the items. target: an endogenous construct.
        level: the desired 0-100 score of the target. ceiling: "ce_fdh" or "cr_fdh". permutations, seed: as in `nca`.

    Returns:
        A `Cipma`.

    Raises:
        Problems: as `drivers` and `nca`; a level outside 0-100; scores that have no 0-100 scale.

    Source:
        Hauff, Richter, Sarstedt & Ringle (2024), Journal of Retailing and Consumer Services 78, 103723.

    Example:
        >>> import csi
        >>> a = [1, 4, 7, 9, 5, 2, 8, 6, 3, 5, 7, 10]
        >>> half, more = [(v + 1) // 2 for v in a], [min(v + 1, 10) for v in a]
        >>> answers = pl.DataFrame({"a1": a, "a2": half, "b1": more, "b2": a})
        >>> est = csi.fit("a =~ a1 + a2; b =~ b1 + b2; b ~ a", answers, csi.PLS(), scale=(1, 10))
        >>> cipma(est, "b", permutations=99).table.select("construct", "status").row(0)
        ('a', 'needed')
    """
    check_estimate(est)
    found = one_of("ceiling", ceiling, KINDS)
    if not 0 <= level <= 100:
        en, zh = f"the desired level is a 0-100 score, not {level:g}.", f"目标水平应为 0–100 分，而不是 {level:g}。"
        found.append(problem("E-SETTING", "level", en, zh, "Use level=85, say.", "例如 level=85。"))
    if found:
        raise Problems(found)
    known = drivers(est, target)
    names = known.table["construct"].to_list()
    made = nca(est, names, target, permutations=permutations, seed=seed)
    if made.units != "0-100":
        en, zh = "construct scores have no 0-100 scale.", "构念得分没有 0–100 量尺。"
        do = "Declare the items' bounds (scale=), and take out items with negative weights."
        raise Problems([problem("E-SCALE", "cipma", en, zh, do, "请用 scale= 声明题项上下限，并去掉负权重题项。")])
    answers = answers_of(est, names, target)
    needed = {c: float(required(made.ceilings[c, ceiling], np.array([level]))[0]) for c in names}
    short = {c: float(below(answers.pair(c)[0], np.array([needed[c]]), answers.weights(c))[0]) for c in names}
    frame = _table(known.table, made.table.filter(ceiling=ceiling), needed, short)
    labels = {c: Text(est.model.label(c), est.model.label(c, "zh")) for c in (*names, target)}
    sentences = sentences_of(frame, labels, target, level)
    notes = (*known.notes, *made.notes)
    return Cipma(frame, target, float(level), ceiling, made, labels, sentences, known.reasons, notes)


def _table(
    known: pl.DataFrame, effects: pl.DataFrame, needed: Mapping[str, float], short: Mapping[str, float]
) -> pl.DataFrame:
    """One row per driver."""
    names = known["construct"].to_list()
    values = np.array([needed[c] for c in names])
    status = np.where(np.isfinite(values), "needed", np.where(values < 0, "nothing", "out of reach"))
    joined = known.join(effects.select(construct="condition", effect="effect", p_value="p_value"), on="construct")
    return joined.with_columns(
        necessary=(pl.col("effect") >= USUAL) & (pl.col("p_value") < LEVEL),
        status=pl.Series(status.tolist()),
        needed=pl.Series(np.where(np.isfinite(values), values, np.nan)).fill_nan(None),
        below=pl.Series([short[c] for c in names]),
    ).select(
        "construct", "importance", "performance", "quadrant", "effect", "p_value", "necessary", "status", "needed",
        "below", "reason",
    )  # fmt: skip


def sentences_of(frame: pl.DataFrame, labels: Mapping[str, Text], target: str, level: float) -> tuple[Text, ...]:
    """What every necessary driver of `Cipma.table` asks for, by these labels of target and drivers."""
    return tuple(s for row in frame.iter_rows(named=True) for s in _sentences(row, labels, target, level))


def _sentences(row: Mapping[str, Any], labels: Mapping[str, Text], target: str, level: float) -> list[Text]:
    """What a necessary driver asks for at the desired level."""
    if not row["necessary"]:
        return []
    x, y = labels[row["construct"]], labels[target]
    if row["status"] == "needed":
        en = f"{x.en}: no {y.en} of {level:g} was found below {row['needed']:.1f}; {row['below']:.0f} % are below that."
        zh = f"{x.zh}：未见低于 {row['needed']:.1f} 而{y.zh}达到 {level:g} 的情形；{row['below']:.0f}% 的受访者低于此。"
        return [Text(en, zh)]
    if row["status"] == "out of reach":
        en = f"{x.en}: the ceiling does not reach a {y.en} of {level:g}."
        return [Text(en, f"{x.zh}：天花板线达不到{y.zh} {level:g}。")]
    return [
        Text(
            f"{x.en}: consistent with a need at higher levels, not for a {y.en} of {level:g}.",
            f"{x.zh}：与更高水平上的必要性一致，但{y.zh}达到 {level:g} 时不需要。",
        )
    ]
