"""Patterns of emotion: customers grouped by how much positive and how much negative emotion they report.

Positive and negative are two scores, not the ends of one: both may be high (mixed) or low (calm). Groups are found by
k-means on the two scores (0-100); as many are told as resamples find again.

Source:
    Westbrook & Oliver (1991), Journal of Consumer Research 18(1), 84-91 (patterns by clusters); Hennig (2007),
    Computational Statistics & Data Analysis 52, 258-271 (stability by resampling).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from csi.behaviour.asked import Scored, scored
from csi.behaviour.loyalty_types import absent, share_interval
from csi.behaviour.partition import agreement, k_means, nearest, tightness
from csi.display import Shown, fixed, table, text
from csi.errors import Note, Problems, Text, note, problem
from csi.estimate.given import check_panel
from csi.inference.linearised import Design, means
from csi.inference.resample import drawn_weights
from csi.inference.settings import check_settings
from csi.measures.shown import based, told
from csi.measures.tidy import with_reasons
from csi.moments.stack import Array, Ints
from csi.survey.bases import COLUMNS, FLAGGED, SMALL, Bases, published
from csi.survey.panel import Panel

PATTERNS: Final = {
    "positive": Text("positive", "积极型"),
    "mixed": Text("mixed (both strong)", "混合型（两者皆强）"),
    "calm": Text("neither strong", "两者皆不强型"),
    "negative": Text("negative", "消极型"),
}
"""What a pattern is called by where its centre lies, above or below the middle of either scale."""

MIDDLE: Final = 50.0
"""The middle of the scores."""

MOST: Final = 6
"""Most patterns that are looked for."""

STABLE: Final = 0.8
"""Mean agreement of resamples (adjusted Rand) from which patterns are told (Steinley 2004: .8 good)."""

SURE: Final = 2.5758
"""So many Monte Carlo errors below the threshold a stability is held to be below it (two-sided 1 %)."""

MORE: Final = 4
"""Times the resamples that are taken at most where they do not decide."""

RESTARTS: Final = 3
"""Starts in each resample."""

HEADINGS: Final = {
    "pattern": Text("pattern", "模式"),
    "count": Text("customers", "人数"),
    "share": Text("share", "占比"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "positive": Text("positive emotion", "积极情感"),
    "negative": Text("negative emotion", "消极情感"),
    "outcome": Text("outcome", "结果变量"),
    "outcome_low": Text("low ", "下限 "),
    "outcome_high": Text("high ", "上限 "),
    "patterns": Text("patterns", "模式数"),
    "stability": Text("stability", "稳定性"),
    "std_error": Text("SE (Monte Carlo)", "标准误（蒙特卡洛）"),
    "resamples": Text("resamples", "重抽样次数"),
    "explained": Text("variance explained", "解释的方差"),
    "told": Text("told", "采用"),
}


@dataclass(frozen=True, slots=True, repr=False)
class EmotionPatterns(Shown):
    """Shares of the patterns of emotion.

    Attributes:
        table: key columns, pattern ("positive", "mixed", "calm", "negative"; numbered where several are alike), n,
            count, share, std_error, conf_low, conf_high (by the design, of the patterns as found), positive, negative
            (mean scores, 0-100), outcome (mean score) with _std_error, _low and _high (none of patterns that fewer than
            `small` make), flag, reason, reason_zh.
        choice: patterns (how many), stability (mean adjusted Rand index of resamples), std_error (Monte Carlo, of the
            stability), resamples, explained (share of the variance of both scores), told (whether this number is).
        positive, negative, outcome: the constructs. labels, replicates, seed, level, sentences, notes.
    """

    table: pl.DataFrame
    choice: pl.DataFrame
    positive: str
    negative: str
    outcome: str
    labels: Mapping[str, Text]
    replicates: int
    seed: int
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: EmotionPatterns, lang: str = "en") -> str:
    """Sentences, patterns, how many, notes."""
    heads = {c: t.say(lang) for c, t in HEADINGS.items()}
    words = {c: value.labels[c].say(lang) for c in value.table["pattern"].unique()}
    shown = value.table.drop("std_error", "outcome_std_error").with_columns(pl.col("pattern").replace(words))
    shown = shown.select(c for c in shown.columns if shown[c].null_count() < shown.height or c in COLUMNS)
    lines = [*(s.say(lang) for s in value.sentences), "", based(shown, HEADINGS, lang), ""]
    return "\n".join([*lines, table(value.choice, headings=heads), "", *told((), value.notes, lang)])


def emotion_patterns(
    panel: Panel,
    positive: str = "positive",
    negative: str = "negative",
    *,
    outcome: str | None = None,
    patterns: int | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    replicates: int = 100,
    seed: int = 1,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> EmotionPatterns:
    """Shares of customers by pattern of emotion, how stable the patterns are, and the outcome of each.

    Parameters:
        panel: answers with a codebook. positive, negative: constructs; scores are means of their items on 0-100.
        outcome: a construct whose mean is told by pattern ("satisfaction" where there is one), "" for none.
        patterns: how many (2 to 6); None takes the most that resamples find again (stability not below .8 by more than
            2.58 Monte Carlo errors), or the most stable number where none is.
        by: key columns that make cells; patterns are found in all cells together. where: keep only rows with these key
            values. replicates, seed: of the stability; up to four times as many are taken where they do not decide.
        level: of the intervals. small, flagged: cells of fewer answers are withheld, or marked.

    Returns:
        An `EmotionPatterns`.

    Raises:
        Problems: no such construct (E-ROLE), items without bounds (E-SCALE), patterns other than 2 to 6 or more than
            there are different answers (E-SETTING), E-BOOT.

    Example:
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> ten = Scale("ten", 0, 10)
        >>> book = Codebook(tuple(Item(n, n, ten, Text(n, n)) for n in ("glad", "angry")), {}, {})
        >>> frame = pl.DataFrame({"glad": [9.0, 8, 9, 2, 1, 2] * 5, "angry": [1.0, 1, 0, 8, 9, 9] * 5})
        >>> panel = Panel(frame, book, frame.cast(pl.String))
        >>> emotion_patterns(panel, "glad", "angry", patterns=2, small=0).table.select("pattern", "share").rows()
        [('positive', 0.5), ('negative', 0.5)]
    """
    check_panel(panel)
    check_settings(level, replicates, seed)
    _check(patterns)
    book = panel.codebook
    known = (*book.constructs, *book.names, *(i.construct for i in book.items))
    target = "satisfaction" if outcome is None and "satisfaction" in known else outcome or ""
    names = (positive, negative, *([target] if target else []))
    found = scored(panel, names, by, where, level)
    at = np.flatnonzero(np.isfinite(found.scores[:, :2]).all(axis=1))
    points, of = np.unique(found.scores[at, :2], axis=0, return_inverse=True)
    if len(points) <= (patterns or 2):
        _refuse(len(points))
    choice, centres = _chosen(found, at, points, of.reshape(-1), patterns, replicates, seed)
    kinds = _kinds(centres)
    own = nearest(found.scores[at, :2], centres)
    bases = Bases(small, flagged)
    keys = found.sample.cells.drop("n").columns
    frame = _means_told(bases.withheld(_table(found, at, own, kinds, target, level)), small)
    labels = {**found.labels, **labels_of(kinds, centres, np.bincount(own, minlength=len(kinds)) >= small)}
    stable = choice.filter(pl.col("told")).select("stability", "std_error").row(0)
    return EmotionPatterns(
        table=frame,
        choice=choice,
        positive=positive,
        negative=negative,
        outcome=target,
        labels=labels,
        replicates=replicates,
        seed=seed,
        level=level,
        sentences=(*bases.sentences(frame), *_sentences(published(frame, keys), keys, labels, target)),
        notes=(*_notes(stable, len(kinds)), *bases.notes(frame, keys), *found.sample.notes),
    )


def _chosen(
    found: Scored, at: Ints, points: Array, of: Ints, asked: int | None, replicates: int, seed: int
) -> tuple[pl.DataFrame, Array]:
    """How stable each number of patterns is, and the centres of the number told."""
    sample = found.sample
    w = sample.weight[at]
    size = len(points)
    weight, rows = (np.bincount(of, weights=x, minlength=size).astype(np.float64) for x in (w, np.ones(len(at))))
    blocks = drawn_weights(sample, MORE * replicates, seed, at)
    drawn = np.concatenate([[np.bincount(of, weights=row, minlength=size) for row in block] for block in blocks])
    centre = weight @ points / weight.sum()
    whole = tightness(points, weight, centre[None])
    counts = [asked] if asked else list(range(2, min(MOST, size - 1) + 1))
    every, table_ = {}, []
    for k in counts:
        every[k] = k_means(points, weight, k, seed)
        stability, error, used = _stability(points, every[k], drawn, rows, replicates, seed)
        table_.append((k, stability, error, used, 1 - tightness(points, weight, every[k]) / whole))
    steady = [k for k, s, e, *_ in table_ if s + SURE * e >= STABLE]
    best = max(steady) if steady else max(table_, key=lambda row: row[1])[0]
    schema = {"patterns": pl.Int64, "stability": pl.Float64, "std_error": pl.Float64, "resamples": pl.Int64}
    choice = pl.DataFrame(table_, schema=schema | {"explained": pl.Float64}, orient="row")
    return choice.with_columns((pl.col("patterns") == best).alias("told")), _ordered(every[best])


def _stability(
    points: Array, centres: Array, drawn: Array, rows: Array, replicates: int, seed: int
) -> tuple[float, float, int]:
    """Mean agreement of resamples with a division, its Monte Carlo error, and how many resamples were taken.

    More are taken, up to all of `drawn`, while the mean lies within its error of the threshold.

    Parameters:
        drawn: (B, n) weights of the points in resamples. rows: (n,) rows that a point stands for.
    """
    own, k, values = nearest(points, centres), len(centres), []
    for start in range(0, len(drawn), replicates):
        for b, x in enumerate(drawn[start : start + replicates], start=start):
            if (x > 0).sum() > k:
                values.append(agreement(own, nearest(points, k_means(points, x, k, seed + b, RESTARTS)), rows))
        if len(values) < 2:
            continue
        mean, error = float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))
        if abs(mean - STABLE) > SURE * error:
            return mean, error, len(values)
    return (mean, error, len(values)) if len(values) > 1 else (0.0, 0.0, len(values))


def _ordered(centres: Array) -> Array:
    """Centres pattern by pattern in the order of `PATTERNS`, within one from most positive to most negative."""
    place = np.array([list(PATTERNS).index(kind) for kind in _named(centres)])
    return centres[np.lexsort((-(centres[:, 0] - centres[:, 1]), place))]


def _named(centres: Array) -> list[str]:
    """What each centre is, by the middle of either scale."""
    kind = {(True, False): "positive", (True, True): "mixed", (False, False): "calm", (False, True): "negative"}
    return [kind[bool(p > MIDDLE), bool(n > MIDDLE)] for p, n in centres]


def _kinds(centres: Array) -> tuple[str, ...]:
    """What each pattern is; numbered where several are alike."""
    names = _named(centres)
    return tuple(f"{n} {names[: i + 1].count(n)}" if names.count(n) > 1 else n for i, n in enumerate(names))


def _means_told(frame: pl.DataFrame, small: int) -> pl.DataFrame:
    """The frame without means of patterns that fewer than `small` customers make."""
    names = [c for c in frame.columns if c in ("positive", "negative") or c.startswith("outcome")]
    return frame.with_columns(pl.when(pl.col("count") >= small).then(pl.col(c)).alias(c) for c in names)


def labels_of(kinds: Sequence[str], centres: Array, enough: NDArray[np.bool_]) -> dict[str, Text]:
    """Kinds in words; of several alike, each with its two scores where enough customers make it, else its number.

    Example:
        >>> centres = np.array([[81.0, 9.0], [70.0, 34.0], [60.0, 55.0]])
        >>> found = labels_of(("positive 1", "positive 2", "mixed"), centres, np.array([True, False, True]))
        >>> [t.en for t in found.values()]
        ['positive (81 to 9)', 'positive 2', 'mixed (both strong)']
    """
    out = {}
    for kind, (p, n), known in zip(kinds, centres, enough, strict=True):
        name, _, number = kind.partition(" ")
        words = PATTERNS[name]
        own = Text(f"{words.en} ({p:.0f} to {n:.0f})", f"{words.zh}（{p:.0f} 对 {n:.0f}）")
        own = own if known else Text(f"{words.en} {number}", f"{words.zh} {number}")
        out[kind] = own if number else words
    return out


def _table(found: Scored, at: Ints, own: Ints, kinds: Sequence[str], target: str, level: float) -> pl.DataFrame:
    """Shares, means of scores and of the outcome by pattern, cell by cell."""
    sample, k = found.sample, len(kinds)
    keys, frames = sample.cells.drop("n"), []
    for cell in range(sample.cells.height):
        here = sample.cell[at] == cell
        rows, of = at[here], own[here]
        if not rows.size:
            continue
        flags = (of[:, None] == np.arange(k)).astype(np.float64)
        design = Design.of(sample, rows)
        one = means(flags, *design)
        low, high = share_interval(one, design[0], level)
        inside = np.where(flags.T[:, :, None] > 0, found.scores[rows], np.nan)
        scores = [means(x, *design) for x in inside]
        columns = {
            "share": one.mean, "std_error": one.std_error, "conf_low": low, "conf_high": high,
            "positive": np.array([s.mean[0] for s in scores]), "negative": np.array([s.mean[1] for s in scores]),
        }  # fmt: skip
        last = [(s.mean[2], s.std_error[2], *(b[2] for b in s.interval(level))) for s in scores] if target else []
        blank = np.full((k, 4), np.nan)
        names = ("outcome", "outcome_std_error", "outcome_low", "outcome_high")
        columns |= dict(zip(names, (np.array(last) if last else blank).T, strict=True))
        head = {"pattern": list(kinds), "n": [len(rows)] * k, "count": flags.sum(axis=0).astype(np.int64)}
        frame = pl.DataFrame(head | columns).with_columns(pl.col(pl.Float64).fill_nan(None))
        frame = with_reasons(frame, [absent(len(rows), one.df)] * k)
        frames.append(pl.concat([keys[[cell] * k], frame], how="horizontal") if keys.width else frame)
    return pl.concat(frames)


def _check(patterns: int | None) -> None:
    """Refuse numbers of patterns out of range.

    Raises:
        Problems: E-SETTING.
    """
    if patterns is not None and not 2 <= patterns <= MOST:
        en, zh = f"patterns = {patterns} is not from 2 to {MOST}.", f"patterns = {patterns} 不在 2 至 {MOST} 之间。"
        do, do_zh = "Leave it out to have it found.", "可省略，由程序判定。"
        raise Problems([problem("E-SETTING", "patterns", en, zh, do, do_zh)])


def _refuse(points: int) -> None:
    """Too few different answers to divide.

    Raises:
        Problems: E-SETTING.
    """
    en = f"{points} different pairs of scores are too few to make patterns of."
    zh = f"两项得分只有 {points} 种不同组合，无法划分模式。"
    do, do_zh = "Ask several items of either emotion, or fewer patterns.", "请增加情感题项，或减少模式数。"
    raise Problems([problem("E-SETTING", "patterns", en, zh, do, do_zh)])


def _sentences(frame: pl.DataFrame, keys: Sequence[str], labels: Mapping[str, Text], target: str) -> tuple[Text, ...]:
    """How many feel more positive than negative and where the outcome is lowest, then the shares; cell by cell."""
    made = []
    for part in frame.partition_by(keys, maintain_order=True) if keys else [frame]:
        place = " ".join(str(part[key][0]) for key in keys)
        en, zh = [], []
        for row in part.iter_rows(named=True):
            span = ""
            if row["conf_low"] is not None:
                span = f" [{100 * row['conf_low']:.1f}, {100 * row['conf_high']:.1f}]"
            value, name = f"{fixed(100 * row['share'], 1)}%{span}", labels[row["pattern"]]
            en.append(f"{name.en} {value}")
            zh.append(f"{name.zh} {value}")
        finding = _finding(part, labels, target)
        made.append(Text(f"{place}: {finding.en}", f"{place}：{finding.zh}") if place else finding)
        said, said_zh = "; ".join(en), "；".join(zh)
        first = f"{place}: {said}" if place else said[:1].upper() + said[1:]
        made.append(Text(f"{first}.", f"{place}：{said_zh}。" if place else f"{said_zh}。"))
    return tuple(made)


def _finding(part: pl.DataFrame, labels: Mapping[str, Text], target: str) -> Text:
    """The share of the positive patterns, and in which pattern the outcome is lowest and highest."""
    strong = part.filter(pl.col("pattern").str.starts_with("positive"))["share"]
    glad = fixed(100 * float(strong.sum()), 1)
    en, zh = f"{glad}% of customers are in positive patterns", f"{glad}% 的顾客属积极型"
    rows = part.drop_nulls(["outcome", "outcome_low"]).sort("outcome")
    if not target or rows.height < 2:
        return Text(f"{en}.", f"{zh}。")
    low, high = rows.row(0, named=True), rows.row(-1, named=True)
    what, least, most = labels[target], labels[low["pattern"]], labels[high["pattern"]]
    if low["outcome_high"] >= high["outcome_low"]:
        return Text(f"{en}; {what.en} does not clearly differ by pattern.", f"{zh}；各模式的{what.zh}差别不明确。")
    en += (
        f"; {what.en[:1].lower()}{what.en[1:]} is lowest where the pattern is “{least.en}” ({fixed(low['outcome'], 1)})"
    )
    en += f" and highest where it is “{most.en}” ({fixed(high['outcome'], 1)})."
    zh += f"；{what.zh}在“{least.zh}”中最低（{fixed(low['outcome'], 1)}），"
    return Text(en, f"{zh}在“{most.zh}”中最高（{fixed(high['outcome'], 1)}）。")


def _notes(told_: tuple[float, float], count: int) -> tuple[Note, ...]:
    """What patterns are; where resamples do not find them again."""
    en = "patterns divide customers by two scores, strong being above the middle of the scale; they need not be kinds "
    zh = "模式按两项得分划分顾客，高于量表中点为强；未必是界限分明的人群。占比的区间以所得模式为准。"
    notes = [note("N-PATTERNS", f"{en}of people apart. Intervals of shares take the patterns as found.", zh)]
    stability, error = told_
    if abs(stability - STABLE) <= SURE * error:
        en = f"whether resamples find these {count} patterns again is not decided: stability {stability:.3f}, no "
        zh = f"重抽样能否重现这 {count} 种模式尚无定论：稳定性 {stability:.3f}，与 {STABLE:g} 无法区分"
        en, zh = (
            f"{en}different from {STABLE:g} (Monte Carlo error {error:.3f}).",
            f"{zh}（蒙特卡洛标准误 {error:.3f}）。",
        )
        notes.append(note("W-PATTERNS", en, zh))
    elif stability < STABLE:
        en = f"resamples do not find these {count} patterns again (stability {stability:.2f}, below {STABLE:g}): read "
        zh = f"重抽样未能重现这 {count} 种模式（稳定性 {stability:.2f}，低于 {STABLE:g}），请谨慎解读。"
        notes.append(note("W-PATTERNS", f"{en}them with care.", zh))
    return tuple(notes)
