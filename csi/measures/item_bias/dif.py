"""`dif(data, by, scales)`: whether items function alike for people of equal standing in different groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, is_number, note, one_of, problem, reason, whole
from csi.measures.answered import Answered, answered
from csi.measures.item_bias.compared import LEAST, Compared, compare
from csi.measures.item_bias.dif_frames import expected_rows, item_rows, omnibus_rows, with_holm, withheld
from csi.measures.item_bias.dif_words import lines_of, notes_of, sentences_of
from csi.moments.stack import Array, Ints
from csi.survey.bases import SMALL, Bases

Method = Literal["logistic", "mantel"]
MOST = 20
"""Distinct answers beyond which an item is no item of categories."""


@dataclass(frozen=True, slots=True, repr=False)
class Dif(Shown):
    """Differential item functioning.

    Attributes:
        table: a row per item and focal group: construct, item, reference, focal, n of both; chi2, df, p, p_holm (group
            and product together), uniform and nonuniform chi2 and p, effect (log odds of the focal group to answer
            higher at equal standing) and its error, r2 (change of Nagelkerke's), r2_uniform, mcfadden, class_jodoin,
            class_zumbo (A, B, C); mantel chi2, p, p_holm, smd (focal less reference, in answer steps) with error and in
            standard deviations, odds_ratio (of the reference group, Liu & Agresti), delta and its error, class_ets (A,
            B, C; AA, BB, CC), matched (rows in strata with both groups), mantel_reason; flagged (significant after Holm
            and not A by one of the methods); reason.
        omnibus: of more than two groups: all at once by both methods. curves: construct, item, reference, focal,
            group, score, expected (mean answer of the model with group and product), for a figure.
        groups: group, n, reason of those that are withheld. by, reference. anchors: {(construct, focal): items of the
            matching score}. methods. sentences: one per construct. notes.
    """

    table: pl.DataFrame
    omnibus: pl.DataFrame
    curves: pl.DataFrame
    groups: pl.DataFrame
    by: str
    reference: str
    anchors: Mapping[tuple[str, str], tuple[str, ...]]
    methods: tuple[Method, ...]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Dif, lang: str = "en") -> str:
    """Items, sentences, notes."""
    return lines_of(value.table, value.methods, value.sentences, value.notes, lang)


def dif(
    data: object,
    by: str | None = None,
    scales: object = None,
    *,
    method: Method | Sequence[Method] = ("logistic", "mantel"),
    reference: str | None = None,
    purify: bool = True,
    alpha: float = 0.05,
    small: int = SMALL,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
    where: Mapping[str, str] | None = None,
) -> Dif:
    """Differential item functioning by ordinal logistic regression and by Mantel-Haenszel statistics.

    People are matched on the sum over the items of the scale (the studied item included); where `purify`, items that
    function differently leave the score of the others. Who answers less than half of a scale leaves it; other absent
    answers are replaced by the share the others reach, in the score alone. Everybody counts once: weights do not enter.

    Parameters:
        data, scales, na, scale, where: a Panel or frame and its scales, as in `csi.items`.
        by: column of the groups; rows without a value are left out. reference: group that the others are compared with
            (the largest by default).
        method: "logistic", "mantel" or both. purify: see above. alpha: of flags and purification, after Holm.
        small: groups of fewer answers, to a scale or to an item, are withheld.

    Returns:
        A `Dif`.

    Raises:
        Problems: an unknown column or group, fewer than two groups, unknown items or scales.

    Source:
        Swaminathan & Rogers (1990); Zumbo (1999); Jodoin & Gierl (2001); Holland & Thayer (1988); Mantel (1963);
        Zwick, Thayer & Mazzeo (1997).

    Example:
        >>> rng = np.random.default_rng(1)
        >>> line, sex = rng.normal(size=(600, 1)), np.repeat(["f", "m"], 300)
        >>> rows = (line + rng.logistic(size=(600, 4)) + 1.5 * (sex == "m")[:, None] * [0, 0, 0, 1] > 0).astype(float)
        >>> frame = pl.DataFrame(rows, schema=list("abcd")).with_columns(sex=sex)
        >>> dif(frame, "sex", {"skill": list("abcd")}).table.filter(flagged=True).select("item", "class_ets").rows()
        [('d', 'C')]
    """
    methods = _check(by, method, purify, alpha, small)
    rows = answered(data, scales, na=na, scale=scale, where=where, keys=[str(by)])
    told = rows.keys[str(by)].cast(pl.String).to_list()
    chosen, groups, left = _groups(told, str(by), reference, small)
    found, plain, reasons = _every(rows, told, chosen, purify=purify, alpha=alpha, small=small, methods=methods)
    table = with_holm(item_rows(rows.scales, chosen, found, reasons, small), methods, alpha)
    anchors = {key: tuple(i for i, a in zip(kept, one.anchors, strict=True) if a) for key, (kept, one) in found.items()}
    return Dif(
        table,
        omnibus_rows(plain, methods, small),
        expected_rows(found, chosen[0], small),
        groups,
        str(by),
        chosen[0],
        anchors,
        methods,
        sentences_of(table, str(by), chosen[0]),
        (*rows.notes, *left, *_notes(rows, found, chosen, small, purify=purify)),
    )


Each = tuple[list[str], Compared]
"""The items compared and what came of it."""


def _every(
    rows: Answered,
    told: Sequence[str | None],
    chosen: tuple[str, ...],
    *,
    purify: bool,
    alpha: float,
    small: int,
    methods: tuple[Method, ...],
) -> tuple[dict[tuple[str, str], Each], dict[str, Each], dict[str, dict[str, Reason]]]:
    """Every scale by focal group, all groups at once where there are more than two, and reasons by scale and item."""
    found: dict[tuple[str, str], Each] = {}
    plain: dict[str, Each] = {}
    reasons = {construct: _usable(rows, construct) for construct in rows.scales}
    for construct, items in rows.scales.items():
        kept = [k for k in items if k not in reasons[construct]]
        if len(kept) < LEAST:
            continue
        answers = rows.rows[:, rows.columns(kept)]
        for focal in chosen[1:]:
            pair, size = _pair(answers, told, (chosen[0], focal))
            if size.min() < small:
                reasons[construct][withheld(focal)] = Bases(small=small).reason
                continue
            found[construct, focal] = kept, compare(*pair, 2, purify=purify, alpha=alpha, methods=methods)
        large = tuple(g for g in chosen if (construct, g) in found or g == chosen[0])
        if len(large) > 2:
            pair, _ = _pair(answers, told, large)
            plain[construct] = kept, compare(*pair, len(large), purify=purify, alpha=alpha, methods=methods)
    return found, plain, reasons


def _check(by: object, method: object, purify: object, alpha: object, small: object) -> tuple[Method, ...]:
    found: list[Problem] = []
    if not isinstance(by, str):
        en, zh = "a column with the groups is needed.", "需要一个分组列。"
        do, do_zh = 'Write csi.dif(data, by="gender").', '请写 csi.dif(data, by="gender")。'
        found.append(problem("E-SETTING", "by", en, zh, do, do_zh))
    listed = (method,) if isinstance(method, str) else tuple(method) if isinstance(method, list | tuple) else (method,)
    for one in listed:
        found += one_of("method", one, get_args(Method))
    if not listed:
        found += one_of("method", "", get_args(Method))
    found += [] if isinstance(purify, bool) else one_of("purify", purify, ["True", "False"])
    if not (is_number(alpha) and 0 < float(str(alpha)) < 1):
        en, zh = f"a level lies between 0 and 1, not {alpha}.", f"水平应在 0 与 1 之间，而不是 {alpha}。"
        found.append(problem("E-SETTING", "alpha", en, zh, "Use alpha=0.05, say.", "例如 alpha=0.05。"))
    found += whole("small", small)
    if found:
        raise Problems(found)
    return tuple(m for m in get_args(Method) if m in listed)


def _groups(
    told: Sequence[str | None], by: str, reference: str | None, small: int
) -> tuple[tuple[str, ...], pl.DataFrame, list[Note]]:
    """The groups that are large enough, the reference first; all with their size; a note on rows without a group."""
    counted = pl.Series("group", told, dtype=pl.String).drop_nulls().value_counts(sort=True).sort(
        ["count", "group"], descending=[True, False]
    )  # fmt: skip
    names, sizes = counted["group"].to_list(), counted["count"].to_list()
    found = [] if reference is None else one_of("reference", str(reference), names)
    large = [g for g, n in zip(names, sizes, strict=True) if n >= small]
    if not found and reference is not None and str(reference) not in large:
        en, zh = f'"{reference}" has fewer than {small} answers.', f"“{reference}”的样本量不足 {small}。"
        found = [problem("E-BASE", "reference", en, zh, "Name a larger group.", "请指定更大的组。")]
    if not found and len(large) < 2:
        word = "group" if len(large) == 1 else "groups"
        en = f'"{by}" has {len(large)} {word} of {small} answers and more; two are needed.'
        zh = f"“{by}”中样本量达到 {small} 的组有 {len(large)} 个；至少需要两个。"
        do, do_zh = "Name another column, or lower small knowingly.", "请换一列，或有意识地降低 small。"
        found = [problem("E-BASE", f'column "{by}"', en, zh, do, do_zh)]
    if found:
        raise Problems(found)
    first = str(reference) if reference is not None else large[0]
    why = [None if n >= small else "R-BASE" for n in sizes]
    counts = [n if n >= small else None for n in sizes]
    frame = pl.DataFrame(
        {"group": names, "n": pl.Series(counts, dtype=pl.Int64), "reason": pl.Series(why, dtype=pl.String)}
    )
    absent, notes = sum(g is None for g in told), []
    if absent:
        en, zh = f"{absent} rows have no value of {by}; left out.", f"有 {absent} 行没有 {by} 的取值，未纳入。"
        notes.append(note("N-ROWS-LEFT", en, zh))
    hidden = [g for g, w in zip(names, why, strict=True) if w]
    if hidden:
        en = f"{by}: {', '.join(hidden)}: fewer than {small} answers; not compared."
        notes.append(note("N-DIF-SMALL", en, f"{by}：{'、'.join(hidden)} 样本量不足 {small}，不作比较。"))
    return (first, *sorted(g for g in large if g != first)), frame, notes


def _usable(rows: Answered, construct: str) -> dict[str, Reason]:
    """Item -> why it cannot be compared."""
    items, why = rows.scales[construct], {}
    for name in items:
        column = rows.rows[:, rows.columns([name])[0]]
        size = np.unique(column[np.isfinite(column)]).size
        if size == 0:
            why[name] = reason("R-NO-ANSWERS", "nobody answered it.", "无人作答。")
        elif size == 1:
            why[name] = reason("R-CONSTANT", "all answers are the same.", "所有回答相同。")
        elif size > MOST:
            en, zh = f"{size} distinct answers are no categories.", f"共有 {size} 种不同取值，不是类别。"
            why[name] = reason("R-IRT-CATEGORIES", en, zh)
    if len(items) - len(why) < LEAST:
        usable = len(items) - len(why)
        en = f"{usable} usable item{'' if usable == 1 else 's'}; people are matched on three or more."
        short = reason("R-DIF-ITEMS", en, f"可用题项 {usable} 个；匹配受访者至少需要 3 个。")
        why |= {name: short for name in items if name not in why}
    return why


def _pair(answers: Array, told: Sequence[str | None], names: tuple[str, ...]) -> tuple[tuple[Array, Ints], Ints]:
    """Rows that answer anything here and their group from 0; how many of each."""
    place = {g: k for k, g in enumerate(names)}
    group = np.array([place.get(g, -1) if g is not None else -1 for g in told], dtype=np.int64)
    mine = (group >= 0) & np.isfinite(answers).any(axis=1)
    steps = _stepped(answers)
    return (steps[mine], group[mine]), np.bincount(group[mine], minlength=len(names))


def _stepped(answers: Array) -> Array:
    """Answers as they are where all are whole numbers, else as the ranks of an item's distinct answers."""
    known = answers[np.isfinite(answers)]
    if (known % 1 == 0).all():
        return answers
    found = answers.copy()
    for k in range(answers.shape[1]):
        here = np.isfinite(answers[:, k])
        found[here, k] = np.unique(answers[here, k], return_inverse=True)[1]
    return found


def _notes(
    rows: Answered,
    found: Mapping[tuple[str, str], tuple[list[str], Compared]],
    chosen: tuple[str, ...],
    small: int,
    *,
    purify: bool,
) -> list[Note]:
    notes = notes_of(rows, found, chosen[0], small, purify=purify)
    if rows.weighted:
        en = "weights do not enter: people are matched one by one, and every respondent counts once."
        notes.append(note("N-DIF-WEIGHTS", en, "权重不参与计算：受访者逐一匹配，每人计一次。"))
    for construct in dict.fromkeys(c for c, _ in found):
        label = rows.label(construct)
        items = next(kept for (c, _), (kept, _) in found.items() if c == construct)
        against = _against(rows.rows[:, rows.columns(items)])
        named = [i for i, bad in zip(items, against, strict=True) if bad]
        if named:
            en = f"{', '.join(named)}: runs against the rest of {label.en}; the score they are matched on is in doubt."
            zh = f"{'、'.join(named)}：与{label.zh}其余题项方向相反；用于匹配的总分存疑。"
            notes.append(note("W-DIF-REVERSED", en, zh))
    return notes


def _against(answers: Array) -> Array:
    """(i,) whether an item goes down with the mean of the others."""
    found = np.zeros(answers.shape[1], bool)
    for i in range(answers.shape[1]):
        others = np.delete(answers, i, axis=1)
        known = np.isfinite(answers[:, i]) & np.isfinite(others).any(axis=1)
        x, y = answers[known, i], np.nanmean(others[known], axis=1)
        if x.size > 2 and np.ptp(x) > 0 and np.ptp(y) > 0:
            found[i] = bool(np.corrcoef(x, y)[0, 1] < 0)
    return found
