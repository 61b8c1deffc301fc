"""Net Promoter Score with its interval and the whole distribution behind it.

Source:
    Reichheld (2003), Harvard Business Review 81(12); variance: Rocks (2016), The American Statistician 70(4), who
    compares intervals and recommends the adjusted Wald one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.behaviour.nps_pairs import MANY, difference_sentences, differences
from csi.display import Shown, fixed, text
from csi.errors import Note, Problems, Text, did_you_mean, note, problem
from csi.estimate.given import check_panel
from csi.inference.linearised import Design, critical, means
from csi.measures.shown import based, told
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Sample
from csi.survey.bases import FLAGGED, SMALL, Bases, told_cells, without
from csi.survey.keyed import cell_names, of_cell, stacked
from csi.survey.panel import Panel

PROMOTER, PASSIVE, TOP = 9, 7, 10
"""Promoters answer 9 or 10 of 0 to 10, passives 7 or 8."""

ADDED = (0.75, 1.5, 0.75)
"""Promoters, passives and detractors that the adjusted Wald interval adds (Rocks 2016)."""

HEADINGS: Final = {
    "n": Text("n", "样本量"),
    "nps": Text("NPS", "净推荐值"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "promoters": Text("promoters", "推荐者"),
    "passives": Text("passives", "中立者"),
    "detractors": Text("detractors", "贬损者"),
    "mean": Text("mean", "均值"),
    "answer": Text("answer", "回答"),
    "count": Text("answers", "人数"),
    "share": Text("share", "占比"),
    "first": Text("first", "甲"),
    "second": Text("second", "乙"),
    "difference": Text("first less second", "甲减乙"),
    "p_value": Text("p", "p"),
    "p_adjusted": Text("p (Holm)", "p（Holm）"),
}


@dataclass(frozen=True, slots=True, repr=False)
class Nps(Shown):
    """The score of every cell.

    Attributes:
        table: the cell's key columns, n, nps (-100 to 100), std_error, conf_low, conf_high (adjusted Wald), wald_low,
            wald_high (unadjusted), promoters, passives, detractors (shares), mean (of the answers), n_effective, flag,
            reason, reason_zh (of few answers, see `csi.survey.bases`).
        distribution: key columns, answer (0 to 10), count, share (weighted), of cells that are not withheld.
        differences: first, second (cells that are not withheld), difference (points), std_error, df, conf_low,
            conf_high, p_value, p_adjusted (Holm over the pairs); without rows where there is one cell, or more than 30.
        item, level, sentences, notes.
    """

    table: pl.DataFrame
    distribution: pl.DataFrame
    differences: pl.DataFrame
    item: str
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Nps, lang: str = "en") -> str:
    """Sentences, scores, the distribution, notes."""
    shown = value.table.drop("wald_low", "wald_high", "n_effective")
    lines = [*(s.say(lang) for s in value.sentences), "", based(shown, HEADINGS, lang), ""]
    lines += [based(value.distribution.drop("count"), HEADINGS, lang), ""]
    if value.differences.height:
        lines += [based(value.differences.drop("df"), HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def nps(
    panel: Panel,
    item: str,
    *,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Nps:
    """100 (share of promoters - share of detractors) of an item asked from 0 to 10.

    var = ((p + d) - (p - d)^2) / n; with weights, clusters or strata the linearised variance of the mean of +1, 0, -1.
    The interval is adjusted: .75 promoters, 1.5 passives and .75 detractors join the (effective) sample; with weights,
    clusters or strata its point is that of t with the design's degrees of freedom (units less strata), else z.

    Parameters:
        panel: answers with a codebook. item: its name. by: key columns that make cells. where: keep only rows with
            these key values. level: of the interval. small, flagged: cells of fewer answers are withheld, or marked.

    Returns:
        An `Nps`; where there are several cells, with their differences.

    Raises:
        Problems: no such item (E-ROLE), a scale that does not run from 0 to 10 (E-SCALE), a level outside (0, 1).

    Example:
        >>> import csi
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> item = Item("rec", "loyalty", Scale("eleven", 0, 10), Text("Would recommend", "愿意推荐"))
        >>> frame = pl.DataFrame({"rec": [10.0] * 120 + [8.0] * 50 + [3.0] * 30})
        >>> panel = csi.Panel(frame, Codebook((item,), {}, {}), frame.cast(pl.String))
        >>> found = nps(panel, "rec").table.row(0, named=True)
        >>> [round(found[c], 2) for c in ("nps", "std_error", "wald_low", "wald_high", "conf_low", "conf_high")]
        [45.0, 5.23, 34.75, 55.25, 34.14, 54.53]
    """
    check_panel(panel)
    _check(panel, item, level)
    bases = Bases(small, flagged)
    sample = sample_of(panel, [item], by, where=where)
    keys = sample.cells.drop("n")
    rows = [_cell(sample, cell, level) for cell in range(sample.cells.height)]
    scores = pl.concat([keys, pl.DataFrame(rows, infer_schema_length=None)], how="horizontal")
    scores = bases.withheld(scores.with_columns(pl.col(pl.Null).cast(pl.Float64)))
    parts = stacked(keys, [_distribution(sample, cell) for cell in range(sample.cells.height)])
    names = dict(enumerate(cell_names(keys)))
    shown = {c: names[c] for c, f in enumerate(scores["flag"].to_list()) if f != "suppressed"}
    pairs = differences(sample, sign_of(sample.rows[:, 0]), shown, level)
    notes = (note("N-NPS", *_MEANING), *_many(len(shown)), *bases.notes(scores, keys.columns), *sample.notes)
    said = (*bases.sentences(scores), *_sentences(scores, keys.columns, level), *difference_sentences(pairs, level))
    return Nps(scores, without(parts, scores, keys.columns), pairs, item, level, said, notes)


def _many(count: int) -> tuple[Note, ...]:
    """That pairs of many groups are not compared."""
    if count <= MANY:
        return ()
    en = f"{count} groups: with more than {MANY} their pairs are not compared; choose some with --where KEY=VALUE."
    return (note("N-NPS", en, f"共 {count} 组：超过 {MANY} 组时不作两两比较；可用 --where 键=值 选取部分。"),)


_MEANING = (
    "promoters answer 9 or 10, detractors 0 to 6; the whole distribution says more than their difference.",
    "推荐者为 9–10 分，贬损者为 0–6 分；完整分布比两者之差更有信息。",
)


def _cell(sample: Sample, cell: int, level: float) -> dict[str, float | int | None]:
    """One cell's numbers."""
    rows = np.flatnonzero(sample.cell == cell)
    x, w = sample.rows[rows, 0], sample.weight[rows]
    sign = sign_of(x)
    n = len(x)
    found = means(np.column_stack([sign, x]), *Design.of(sample, rows))
    p, d = (float((w * (sign == s)).sum() / w.sum()) for s in (1, -1))
    spread = (p + d) - (p - d) ** 2
    error = float(found.std_error[0]) * np.sqrt((n - 1) / n) if n > 1 else np.nan
    effective = spread / error**2 if error > 0 else float(w.sum() ** 2 / (w**2).sum())
    alone = found.df[0] == n - 1 and np.ptp(w) == 0  # a simple random sample, for which Rocks' interval takes z
    point = float(ndtri(0.5 + level / 2)) if alone and n > 1 else float(critical(level, found.df)[0])
    low, high = adjusted(p, d, effective, point)
    wald = np.clip((p - d - point * error, p - d + point * error), -1.0, 1.0)
    numbers = {
        "nps": 100 * (p - d),
        "std_error": 100 * error,
        "conf_low": 100 * low,
        "conf_high": 100 * high,
        "wald_low": 100 * wald[0],
        "wald_high": 100 * wald[1],
        "promoters": p,
        "passives": 1 - p - d,
        "detractors": d,
        "mean": float(found.mean[1]),
        "n_effective": effective,
    }
    return {"n": n, **{k: float(v) if np.isfinite(v) else None for k, v in numbers.items()}}


def sign_of(x: Array) -> Array:
    """1 of promoters, 0 of passives, -1 of detractors.

    Example:
        >>> sign_of(np.array([10.0, 8.0, 6.0])).tolist()
        [1.0, 0.0, -1.0]
    """
    return np.where(x >= PROMOTER, 1.0, np.where(x >= PASSIVE, 0.0, -1.0))


def adjusted(p: float, d: float, n: float, z: float) -> tuple[float, float]:
    """Adjusted Wald interval of p - d from n answers, within [-1, 1].

    Source:
        Rocks (2016), The American Statistician 70(4), 365-372.

    Example:
        >>> [round(v, 4) for v in adjusted(0.6, 0.15, 200, 1.959964)]
        [0.3414, 0.5453]
    """
    size = n + sum(ADDED)
    up, down = (n * p + ADDED[0]) / size, (n * d + ADDED[2]) / size
    reach = z * np.sqrt((up + down - (up - down) ** 2) / size)
    return float(np.maximum(up - down - reach, -1.0)), float(np.minimum(up - down + reach, 1.0))


def _distribution(sample: Sample, cell: int) -> pl.DataFrame:
    """Counts and weighted shares of the eleven answers."""
    rows = np.flatnonzero(sample.cell == cell)
    answers: Array = np.arange(TOP + 1, dtype=np.float64)
    same = sample.rows[rows, 0][:, None] == answers
    w = sample.weight[rows]
    share = (w @ same) / w.sum()
    return pl.DataFrame({"answer": answers.astype(np.int64), "count": same.sum(axis=0), "share": share})


def _check(panel: Panel, item: str, level: float) -> None:
    """Refuse what is no question from 0 to 10."""
    found = []
    book = panel.codebook
    if not 0 < level < 1:
        en, zh = f"level = {level:g} is not between 0 and 1.", f"level = {level:g} 不在 0 与 1 之间。"
        found.append(problem("E-SETTING", "level", en, zh, "Write 0.95.", "请写 0.95。"))
    if item not in book.names:
        hint = did_you_mean(item, book.names)
        en, zh = f'item "{item}" is not in the codebook.', f"编码簿中没有题项“{item}”。"
        found.append(problem("E-ROLE", "nps", en, zh, hint.en, hint.zh))
    elif (book[item].scale.minimum, book[item].scale.maximum) != (0, TOP):
        low, high = book[item].scale.minimum, book[item].scale.maximum
        en = f"the score is defined on answers from 0 to 10; {item} runs from {low:g} to {high:g}."
        zh = f"净推荐值以 0–10 分的回答定义；{item} 的量程为 {low:g}–{high:g}。"
        others = [i.name for i in book.items if (i.scale.minimum, i.scale.maximum) == (0, TOP)]
        named, named_zh = (
            (f", or name one asked from 0 to 10: {', '.join(others)}", f"，或改用 0–10 分的题项：{'、'.join(others)}")
            if others
            else ("", "")
        )
        do, do_zh = f"Report its mean or top box instead{named}.", f"请改报均值或高分占比{named_zh}。"
        found.append(problem("E-SCALE", item, en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _sentences(scores: pl.DataFrame, keys: Sequence[str], level: float) -> tuple[Text, ...]:
    """The score of every cell with its interval."""
    out: list[Text] = []
    for cell, part in told_cells(scores, keys):
        row = part.row(0, named=True)
        value = fixed(row["nps"], 1)
        if row["conf_low"] is None:
            en = f"NPS {value}, from {row['n']} answers, too few for an interval."
            zh = f"净推荐值 {value}，基于 {row['n']} 份回答，不足以给出区间。"
            out += of_cell(cell, [Text(en, zh)])
            continue
        low, high = (fixed(row[c], 1) for c in ("conf_low", "conf_high"))
        en = f"NPS {value}, {100 * level:g}% interval {low} to {high}, from {row['n']} answers."
        zh = f"净推荐值 {value}，{100 * level:g}% 区间 {low} 至 {high}，基于 {row['n']} 份回答。"
        out += of_cell(cell, [Text(en, zh)])
    return tuple(out)
