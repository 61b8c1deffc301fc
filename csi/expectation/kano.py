"""Kano's classes of attributes from pairs of questions: how would you feel if it were there, and if it were not?

Answers are coded 1 I like it, 2 it must be so, 3 neutral, 4 I can live with it, 5 I dislike it.

Letters: `n` rows, `k` attributes, `B` replicates.

Source:
    Kano, Seraku, Takahashi & Tsuji (1984), Hinshitsu 14(2); Berger et al. (1993), Center for Quality of Management
    Journal 2(4), 3-36 (coefficients); DuMouchel (1993), the same issue (continuous analysis).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, note, problem
from csi.estimate.given import check_panel
from csi.expectation.forms import Matched, matched
from csi.expectation.gap_words import left_out
from csi.expectation.kano_words import CODING, lines_of, sentences_of
from csi.inference.draws import percentiles
from csi.inference.resample import drawn_weights
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Ints, Sample
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.keyed import stacked
from csi.survey.panel import Panel

TABLE: Final = ("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ")
"""Class of an answer: rows functional, columns dysfunctional, like to dislike."""

ORDER: Final = "MOAIRQ"
"""Classes; among equal counts the one further left counts (Berger et al. 1993)."""

LIKE = np.array([4.0, 2.0, 0.0, -1.0, -2.0])
"""DuMouchel's scores of functional answers, like to dislike; dysfunctional ones have them from the other end."""

FONG = 1.65
"""Fong's (1996) point for the .90 level; measured size 17 to 23 %."""

TURNED = 0.2
"""Share of reverse and questionable answers from which the coding may be turned round, where they outnumber must-be,
one-dimensional and attractive ones together."""

DOUBT = 0.06
"""Share of questionable answers above which an attribute's question is doubtful."""


@dataclass(frozen=True, slots=True, repr=False)
class Kano(Shown):
    """The class of every attribute.

    Attributes:
        table: the cell's key columns, attribute, n, counts of M, O, A, I, R, Q (weighted where rows are), category (the
            most frequent; ties M > O > A > I > R > Q), support (bootstrap share of resamples with that class),
            cs_plus, cs_minus (coefficients of satisfaction and dissatisfaction) with _low and _high, total_strength
            ((A + O + M) / n), category_strength (difference of the two largest shares), functional, dysfunctional
            (DuMouchel's means), fong (whether the two largest counts differ by Fong's legacy rule).
        labels: attribute -> label. replicates, seed, level, sentences, notes.
    """

    table: pl.DataFrame
    labels: Mapping[str, Text]
    replicates: int
    seed: int
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Kano, lang: str = "en") -> str:
    """Sentences, classes, notes."""
    return lines_of(value.table, value.sentences, value.notes, value.labels, lang)


def kano(
    panel: Panel,
    *,
    attributes: Sequence[str] | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Kano:
    """Classes of all attributes that were asked both ways (forms Kf and Kd).

    CS+ = (A + O) / (A + O + M + I),   CS- = -(O + M) / (A + O + M + I)

    Parameters:
        panel: answers with a codebook. attributes: only these. by: key columns that make cells. where: keep only rows
            with these key values. replicates, seed: of the bootstrap (units within strata). level: of its intervals.
        small, flagged: values of fewer answers are withheld, or marked.

    Returns:
        A `Kano`; a coefficient without any A, O, M or I is absent.

    Raises:
        Problems: E-FORM (no pairs), E-KANO (answers other than 1 to 5), E-SETTING.

    Source:
        Berger et al. (1993); Fong (1996), Center for Quality of Management Journal 5(1). Agrees with the published
        example of stp25stat (tests/expectation/test_kano.py).

    Example:
        >>> import csi
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> five = Scale("five", 1, 5)
        >>> pair = [Item(f"{f}1", "features", five, Text("Bag", "包"), "bag", f) for f in ("Kf", "Kd")]
        >>> frame = pl.DataFrame({"Kf1": [1.0, 1.0, 3.0, 1.0], "Kd1": [5.0, 5.0, 5.0, 3.0]})
        >>> panel = csi.Panel(frame, Codebook(tuple(pair), {}, {}), frame.cast(pl.String))
        >>> kano(panel, replicates=100, small=0).table.select("category", "O", "cs_plus", "cs_minus").row(0)
        ('O', 2.0, 0.75, -0.75)
    """
    check_panel(panel)
    _settings(replicates, level)
    bases = Bases(small, flagged)
    pairs = matched(panel, ("Kf", "Kd"), attributes)
    sample = sample_of(panel, pairs.every, by, missing="pairwise", where=where)
    wrong = _codes(sample, pairs)
    if wrong:
        raise Problems(wrong)
    keys = sample.cells.drop("n")
    parts = [_cell(sample, pairs, cell, replicates, seed, level) for cell in range(sample.cells.height)]
    whole = stacked(keys, parts)
    table = bases.withheld(whole)
    return Kano(
        table=table,
        labels=pairs.labels,
        replicates=replicates,
        seed=seed,
        level=level,
        sentences=(*bases.sentences(table), *sentences_of(table, pairs.labels, keys.columns)),
        notes=(
            *bases.notes(table, keys.columns, pairs.labels),
            *turned_round(whole),
            *left_out(pairs),
            *_notes(table, pairs),
            *sample.notes,
        ),
    )


def classes(functional: Array, dysfunctional: Array) -> Array:
    """(n, 6) indicators of M, O, A, I, R, Q; all 0 where an answer is absent.

    Parameters:
        functional, dysfunctional: (n,) codes 1 to 5, NaN where absent.

    Example:
        >>> classes(np.array([1.0, 3.0, np.nan]), np.array([5.0, 5.0, 1.0])).tolist()
        [[0.0, 1.0, 0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    seen = np.isfinite(functional) & np.isfinite(dysfunctional)
    f, d = (np.where(seen, x, 1).astype(np.int64) - 1 for x in (functional, dysfunctional))
    lookup = np.array([[ORDER.index(c) for c in row] for row in TABLE])
    return np.asarray((lookup[f, d][:, None] == np.arange(6)) & seen[:, None], dtype=np.float64)


def coefficients(counts: Array) -> tuple[Array, Array]:
    """CS+ and CS- from counts (..., 6) of M, O, A, I, R, Q; NaN where M + O + A + I = 0.

    Example:
        >>> [round(float(v), 3) for v in coefficients(np.array([18.0, 5.0, 1.0, 1.0, 1.0, 1.0]))]
        [0.24, -0.92]
    """
    M, O, A, I = np.moveaxis(counts[..., :4], -1, 0)  # noqa: E741 - Kano's letters
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.where(M + O + A + I > 0, M + O + A + I, np.nan)
        return (A + O) / total, -(O + M) / total


def fong_rule(counts: Array) -> tuple[Array, Array]:
    """How far the two largest counts are apart, and how far they must be by Fong's rule.

        |a - b| >= 1.65 sqrt((a + b) (2 n - a - b) / (2 n))

    Parameters:
        counts: (..., 6).

    Source:
        Fong (1996), Center for Quality of Management Journal 5(1); printed as legacy, its measured size is 17 to 23 %.

    Example:
        >>> [round(float(v), 2) for v in fong_rule(np.array([18.0, 5.0, 1.0, 1.0, 1.0, 1.0]))]
        [13.0, 6.0]
    """
    ordered, n = np.sort(counts, axis=-1), counts.sum(axis=-1)
    a, b = ordered[..., -1], ordered[..., -2]
    return a - b, FONG * np.sqrt((a + b) * (2 * n - a - b) / (2 * np.maximum(n, 1)))


def turned_round(counts: pl.DataFrame) -> tuple[Note, ...]:
    """W-KANO-TURNED: reverse and questionable answers dominate, as they do where 5 stands for like.

    Parameters:
        counts: columns M, O, A, I, R, Q, a row per attribute (and cell).

    Example:
        >>> row = {"M": [4], "O": [1], "A": [3], "I": [20], "R": [60], "Q": [12]}
        >>> print(turned_round(pl.DataFrame(row))[0].say()[:76])
        72% of the answers are reverse or questionable, more than must-be, one-dimen
    """
    M, O, A, I, R, Q = (float(counts[c].sum() or 0.0) for c in ORDER)  # noqa: E741 - Kano's letters
    wrong, whole = R + Q, M + O + A + I + R + Q
    if wrong <= M + O + A or wrong < TURNED * whole:
        return ()
    en = f"{wrong / whole:.0%} of the answers are reverse or questionable, more than must-be, one-dimensional and"
    zh = f"{wrong / whole:.0%} 的回答为反向或可疑，超过必备、期望与魅力之和：编码可能颠倒。应为{CODING.zh}；"
    en += f" attractive together: the coding may be turned round. Wanted: {CODING.en}; set or drop reverse: true of"
    return (note("W-KANO-TURNED", f"{en} these items accordingly.", f"{zh}请据此为题项写上或去掉 reverse: true。"),)


def coding_notes(panel: Panel) -> tuple[Note, ...]:
    """What a look at the answers of Kano's questions says of their coding and of questions without a partner.

    Parameters:
        panel: answers; without attributes asked both ways, or with answers that `kano` refuses, nothing is said.
    """
    forms = {i.form for i in panel.codebook.items}
    if not {"Kf", "Kd"} <= forms:
        return ()
    try:
        pairs = matched(panel, ("Kf", "Kd"))
    except Problems:  # told where the model is run
        return ()
    sample = sample_of(panel, pairs.every, (), missing="pairwise")
    if _codes(sample, pairs):
        return left_out(pairs)
    k, w = len(pairs.attributes), sample.weight
    own = (classes(sample.rows[:, j], sample.rows[:, k + j]) for j in range(k))
    counts = pl.DataFrame(np.array([w @ one for one in own]), schema=list(ORDER), orient="row")
    return (*turned_round(counts), *left_out(pairs))


def _cell(sample: Sample, pairs: Matched, cell: int, replicates: int, seed: int, level: float) -> pl.DataFrame:
    """The classes of one cell."""
    rows = np.flatnonzero(sample.cell == cell)
    k = len(pairs.attributes)
    answers, w = sample.rows[rows], sample.weight[rows]
    own = np.stack([classes(answers[:, j], answers[:, k + j]) for j in range(k)], axis=1)
    counts = np.einsum("n,nkc->kc", w, own)
    drawn = _resampled(sample, rows, own, replicates, seed)
    plus, minus = coefficients(counts)
    best = counts.argmax(axis=1)
    bounds = [percentiles(x, level) for x in coefficients(drawn)]
    n = own.sum(axis=(0, 2))
    total = counts.sum(axis=1)
    ordered = np.sort(counts, axis=1)[:, ::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        numbers = {
            "support": np.where(total > 0, (drawn.argmax(axis=2) == best).mean(axis=0), np.nan),
            "cs_plus": plus,
            "cs_plus_low": bounds[0][0],
            "cs_plus_high": bounds[0][1],
            "cs_minus": minus,
            "cs_minus_low": bounds[1][0],
            "cs_minus_high": bounds[1][1],
            "total_strength": counts[:, :3].sum(axis=1) / total,
            "category_strength": (ordered[:, 0] - ordered[:, 1]) / total,
            "functional": _mean(LIKE, answers[:, :k], own, w),
            "dysfunctional": _mean(LIKE[::-1], answers[:, k:], own, w),
        }
    apart, limit = fong_rule(counts)
    fong = pl.Series(apart >= limit).set(pl.Series(total == 0), None)
    head = {"attribute": list(pairs.attributes), "n": n.astype(np.int64)}
    cells = {c: counts[:, j] for j, c in enumerate(ORDER)}
    named = {"category": [ORDER[j] if t > 0 else None for j, t in zip(best, total, strict=True)]}
    tail = {c: pl.Series(v, dtype=pl.Float64).set(pl.Series(~np.isfinite(v)), None) for c, v in numbers.items()}
    return pl.DataFrame(head | cells | named | tail | {"fong": fong})


def _mean(scores: Array, answers: Array, own: Array, w: Array) -> Array:
    """(k,) weighted means of scored answers of complete pairs."""
    seen = own.sum(axis=2) > 0
    value = np.where(seen, scores[np.where(seen, answers, 1).astype(np.int64) - 1], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((w @ value) / (w @ seen))


def _resampled(sample: Sample, rows: Ints, own: Array, replicates: int, seed: int) -> Array:
    """(B, k, 6) counts of resamples of units within strata."""
    flat = own.reshape(len(rows), -1)
    parts = [w @ flat for w in drawn_weights(sample, replicates, seed, rows)]
    return np.concatenate(parts).reshape(-1, *own.shape[1:])[:replicates]


def _codes(sample: Sample, pairs: Matched) -> list[Problem]:
    """Answers that are none of the five."""
    out = []
    for item in pairs.every:
        values = sample.rows[:, sample.names.index(item)]
        strange = np.unique(values[np.isfinite(values) & ~np.isin(values, [1, 2, 3, 4, 5])])
        if strange.size:
            listed = ", ".join(f"{v:g}" for v in strange[:5])
            en, zh = f"{item} has answers other than 1 to 5: {listed}.", f"{item} 含有 1–5 以外的回答：{listed}。"
            do = f"Wanted: {CODING.en}."
            out.append(problem("E-KANO", item, en, zh, do, f"请编码为{CODING.zh}。"))
    return out


def _settings(replicates: int, level: float) -> None:
    """Refuse settings out of range."""
    found = []
    if replicates < 100:
        en, zh = f"{replicates} resamples are too few.", f"{replicates} 次重抽样过少。"
        found.append(problem("E-SETTING", "replicates", en, zh, "Take at least 100.", "请至少取 100。"))
    if not 0 < level < 1:
        en, zh = f"level = {level:g} is not between 0 and 1.", f"level = {level:g} 不在 0 与 1 之间。"
        found.append(problem("E-SETTING", "level", en, zh, "Write 0.95.", "请写 0.95。"))
    if found:
        raise Problems(found)


def _notes(table: pl.DataFrame, pairs: Matched) -> tuple[Note, ...]:
    """Doubtful questions; what the legacy rule is."""
    notes = []
    high = table.filter(pl.col("Q") > DOUBT * pl.sum_horizontal(list(ORDER)))["attribute"].unique(maintain_order=True)
    if len(high):
        en = ", ".join(pairs.labels[a].en for a in high)
        zh = "、".join(pairs.labels[a].zh for a in high)
        said = f"more than {100 * DOUBT:g} % of the answers contradict themselves (Q): {en}; look at the wording."
        notes.append(note("W-KANO", said, f"自相矛盾的回答（Q）超过 {100 * DOUBT:g}%：{zh}，请检查措辞。"))
    en = "support is the share of resamples in which the class is the most frequent; Fong's rule is printed as legacy"
    zh = "支持度为重抽样中该类别最多的比例；Fong 规则仅作旧法列出（名义 10% 时实测水平为 17–23%）。"
    return (*notes, note("N-KANO", f"{en} (measured size 17 to 23 % at nominal 10 %).", zh))
