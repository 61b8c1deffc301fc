"""One matrix of correlations for every step of an exploratory analysis: Pearson or polychoric, by a stated rule.

Letters: `n` rows, `p` items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, note, one_of, problem
from csi.measures.answered import Answered, answered
from csi.measures.factors.association import VALUES, Choice, Kind, chosen, pairwise, skewness, used
from csi.measures.factors.positive import FLOOR, Repair, repaired
from csi.measures.factors.words import lines
from csi.moments.expectation import em_moments
from csi.moments.ordinal import ordinal_moments
from csi.moments.stack import Array

Asked = Literal["auto", "pearson", "polychoric"]
Absent = Literal["pairwise", "listwise", "fiml"]

SINGULAR = 1e-8
"""A matrix whose least eigenvalue is not above this cannot be inverted."""


@dataclass(frozen=True, slots=True, repr=False)
class Correlations(Shown):
    """Correlations of items, accepted by `csi.adequacy`, `csi.n_factors` and `csi.efa` in place of data.

    Attributes:
        names: p items. matrix: (p, p). kind: "pearson" or "polychoric". why: the rule that chose the kind, or that it
            was asked for; source: of the rule ("" where it was asked for). n: rows with any answer (all answers under
            "listwise"). pair_n: (p, p) rows behind each correlation. missing: how absent answers were treated.
        thresholds: item -> its thresholds (polychoric only). eigenvalues: (p,) greatest first, of `matrix`.
        smallest: the least eigenvalue before any repair. repair: what was done about it, or None.
        scales: construct -> its items, as intended. labels: of items and constructs. answers: the rows. notes.
        table: one row per pair: item, other, r, n.
    """

    names: tuple[str, ...]
    matrix: Array
    kind: Kind
    why: Text
    source: str
    n: int
    pair_n: Array
    missing: Absent
    thresholds: Mapping[str, tuple[float, ...]]
    eigenvalues: Array
    smallest: float
    repair: Repair | None
    scales: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, Text]
    answers: Answered
    notes: tuple[Note, ...] = ()

    @property
    def table(self) -> pl.DataFrame:
        """One row per pair."""
        i, j = np.triu_indices(len(self.names), 1)
        return pl.DataFrame(
            {
                "item": [self.names[k] for k in i],
                "other": [self.names[k] for k in j],
                "r": self.matrix[i, j],
                "n": self.pair_n[i, j].astype(np.int64),
            }
        )

    @property
    def definite(self) -> bool:
        """Whether the matrix is positive definite."""
        return bool(self.eigenvalues[-1] > SINGULAR)

    def label(self, name: str, lang: str = "en") -> str:
        """The label of an item or construct; its name where it has none."""
        found = self.labels.get(name)
        return name if found is None else (found.zh if lang == "zh" else found.en) or name


@text.register
def _(value: Correlations, lang: str = "en") -> str:
    """Kind, rule and size; the matrix itself is `table` or `matrix`."""
    first = Text(
        f"Correlations of {len(value.names)} items, {value.n} rows. {value.why.en}",
        f"{len(value.names)} 个题项的相关矩阵，{value.n} 行。{value.why.zh}",
    )
    columns = {"item": list(value.names)} | {n: value.matrix[:, k] for k, n in enumerate(value.names)}
    return lines(first, [pl.DataFrame(columns)] if len(value.names) <= 12 else [], value.notes, lang)


def correlations(
    data: object,
    items: object = None,
    *,
    kind: Asked = "auto",
    missing: Absent = "pairwise",
    repair: Repair | None = None,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    where: Mapping[str, str] | None = None,
) -> Correlations:
    """Correlations of all items of some scales, of the kind their answers call for.

    "auto" takes polychoric correlations where an item has four categories or fewer, or where all have seven or fewer
    and one is skewed by more than 1; Pearson correlations otherwise, and where over half of the cells of the two-way
    tables are empty. What it chose and why stands in `why`. A matrix that is not positive definite is noted with its
    least eigenvalue and left as it is unless `repair` names a way.

    Parameters:
        data: a Panel or a frame. items: {construct: items}, a list of items, a model or its text; by default every
            construct of a panel's codebook.
        kind: "auto", "pearson" or "polychoric". missing: "pairwise" (each correlation of the rows that answer both),
            "listwise" or "fiml" (Pearson only: maximum likelihood).
        repair: None, "shrink" (towards no correlation), "nearest" (Higham) or "bend" (raised eigenvalues), used where
            the least eigenvalue is below .0001.
        na, scale, weight, unit, stratum, where: as in `csi.fit`.

    Returns:
        A `Correlations`.

    Raises:
        Problems: fewer than two items, items nobody answered or that do not vary, pairs nobody answers both of, and
            what `csi.fit` refuses of the data.

    Source: Olsson (1979), Psychometrika 44, 443-460 (two-step polychorics); the rule: Rhemtulla, Brosseau-Liard &
        Savalei (2012), Psychological Methods 17, 354-373.

    Example:
        >>> frame = pl.DataFrame({"q1": [1, 2, 1, 2, 2, 1], "q2": [1, 2, 1, 2, 1, 2]})
        >>> found = correlations(frame, ["q1", "q2"])
        >>> found.kind, round(float(found.matrix[0, 1]), 4)
        ('polychoric', 0.5)
    """
    wrong = [*one_of("kind", kind, get_args(Asked)), *one_of("missing", missing, get_args(Absent))]
    wrong += [] if repair is None else one_of("repair", repair, get_args(Repair))
    if kind == "polychoric" and missing == "fiml":
        en, zh = '"fiml" goes with Pearson correlations.', "“fiml”只适用于皮尔逊相关。"
        wrong.append(problem("E-SETTING", "missing", en, zh, 'Use missing="pairwise".', "请用 missing=“pairwise”。"))
    if wrong:
        raise Problems(wrong)
    answers = answered(data, items, na=na, scale=scale, weight=weight, unit=unit, stratum=stratum, where=where)
    rows, weights = answers.rows, answers.weight
    if missing == "listwise":
        whole = ~np.isnan(rows).any(axis=1)
        rows, weights = rows[whole], weights[whole]
    _check(answers.names, rows, kind)
    choice = _choice(kind, missing, rows, weights)
    found = _measured(answers, rows, weights, choice, missing)
    return _repaired(found, repair)


def correlated(data: object, items: object, arguments: Mapping[str, Any]) -> Correlations:
    """What a step was given: correlations as they are, anything else through `correlations`.

    Parameters:
        arguments: further ones of `correlations`, which go with data only.

    Raises:
        Problems: E-SETTING, arguments beside correlations; what `correlations` raises.

    Example:
        >>> frame = pl.DataFrame({"q1": [1, 2, 1, 2, 2, 1], "q2": [1, 2, 1, 2, 1, 2]})
        >>> one = correlations(frame, ["q1", "q2"])
        >>> correlated(one, None, {}) is one
        True
    """
    if not isinstance(data, Correlations):
        return correlations(data, items, **arguments)
    given = [name for name in ("items", *arguments) if name != "items" or items is not None]
    if given:
        en = f"{', '.join(given)} goes with data; the correlations say it already."
        zh = f"{'、'.join(given)} 只与数据一起使用；相关矩阵已包含这些信息。"
        do, do_zh = "Leave it out, or give the data.", "请去掉该参数，或改为给出数据。"
        raise Problems([problem("E-SETTING", given[0], en, zh, do, do_zh)])
    return data


def _check(names: Sequence[str], rows: Array, kind: Asked) -> None:
    """Every item has answers that vary (and are categories where they must be), and there are two at least."""
    found: list[Problem] = []
    if len(names) < 2:
        en, zh = "one item has no correlations.", "只有一个题项，没有相关可言。"
        found.append(problem("E-SCALES", "items", en, zh, "Name two items or more.", "请给出两个及以上题项。"))
    if rows.shape[0] < 3:
        en, zh = f"{rows.shape[0]} rows are too few.", f"只有 {rows.shape[0]} 行，过少。"
        do, do_zh = 'Add answers, or use missing="pairwise".', "请补充回答，或用 missing=“pairwise”。"
        raise Problems([*found, problem("E-FEW", "data", en, zh, do, do_zh)])
    for name, column in zip(names, rows.T, strict=True):
        here = column[~np.isnan(column)]
        if here.size == 0:
            en, zh, do_zh = "nobody answered it.", "无人作答。", "请去掉该题项，或检查其数据列。"
            found.append(problem("E-NO-ANSWERS", f'item "{name}"', en, zh, "Leave it out.", do_zh))
        elif here.min() == here.max():
            en, zh = "all its answers are the same.", "其所有回答都相同。"
            found.append(problem("E-CONSTANT", f'item "{name}"', en, zh, "Leave it out.", "请去掉该题项。"))
        elif kind == "polychoric" and np.unique(here).size > VALUES:
            en, zh = "it has too many different answers for categories.", "其不同取值过多，不能视为类别。"
            found.append(problem("E-SETTING", f'item "{name}"', en, zh, 'Use kind="pearson".', "请用 kind=“pearson”。"))
    if found:
        raise Problems(found)


def _choice(kind: Asked, missing: Absent, rows: Array, weights: Array) -> Choice:
    """By the rule, or as asked."""
    if kind != "auto":
        return Choice(kind, Text("As asked.", "按所指定。"), "")
    categories, skew = used(rows), skewness(rows, weights)
    choice = chosen(categories, skew, 0.0)
    if choice.kind == "polychoric":
        choice = chosen(categories, skew, _empty(rows))
    if missing == "fiml" and choice.kind == "polychoric":
        en = f'Pearson: missing="fiml" goes with no other (the answers would call for {choice.why.en})'
        zh = f"皮尔逊相关：missing=“fiml”只适用于此（按回答本应为{choice.why.zh}）"
        return Choice("pearson", Text(en, zh), choice.source)
    return choice


def _empty(rows: Array) -> float:
    """The share of cells without an answer over the tables of all pairs."""
    sizes = used(rows)
    indicators = [(c[:, None] == np.unique(c[~np.isnan(c)])).astype(np.float32) for c in rows.T]
    joined = np.concatenate(indicators, axis=1)
    crossed = joined.T @ joined > 0
    item = np.repeat(np.arange(sizes.size), sizes)
    apart = item[:, None] != item
    return float(1 - crossed[apart].mean())


def _measured(answers: Answered, rows: Array, weights: Array, choice: Choice, missing: Absent) -> Correlations:
    """The correlations of one kind, as they are."""
    names, notes = answers.names, list(answers.notes)
    there = (~np.isnan(rows)).astype(np.float64)
    pair_n = there.T @ there
    cuts: dict[str, tuple[float, ...]] = {}
    if choice.kind == "polychoric":
        how = "listwise" if missing == "listwise" else "pairwise"
        moments = ordinal_moments(rows, weights, names, [True] * len(names), missing=how, gamma=False)
        R = moments.cov
        notes += moments.notes
        cuts = {n: tuple(moments.thresholds[moments.threshold_item == k].tolist()) for k, n in enumerate(names)}
    elif missing == "fiml":
        cov = em_moments(rows, weights[None])[1][0]
        R = cov / np.sqrt(np.outer(np.diagonal(cov), np.diagonal(cov)))
    else:
        R = pairwise(rows, weights)
    _check_pairs(names, R)
    np.fill_diagonal(R, 1.0)
    values: Array = np.linalg.eigvalsh(R)[::-1].astype(np.float64)
    if rows.shape[0] <= len(names):
        notes.append(_few(rows.shape[0], len(names)))
    notes += _skipped(answers, rows)
    if answers.weighted:
        en = "weights enter the correlations; tests of fit take the rows as a simple random sample."
        notes.append(note("N-FACTOR-WEIGHTS", en, "权重计入相关系数；拟合检验把各行视为简单随机样本。"))
    return Correlations(
        names=names,
        matrix=R,
        kind=choice.kind,
        why=choice.why,
        source=choice.source,
        n=rows.shape[0],
        pair_n=pair_n,
        missing=missing,
        thresholds=cuts,
        eigenvalues=values,
        smallest=float(values[-1]),
        repair=None,
        scales=answers.scales,
        labels=answers.labels,
        answers=answers,
        notes=tuple(notes),
    )


def _check_pairs(names: Sequence[str], R: Array) -> None:
    absent = np.argwhere(np.triu(~np.isfinite(R), 1))
    found = []
    for i, j in absent[:5]:
        en, zh = (
            "no correlation: too few rows answer both, or one does not vary there.",
            "无法计算相关：同时作答者过少或无变化。",
        )
        do, do_zh = "Leave one of them out.", "请去掉其中之一。"
        found.append(problem("E-PAIR", f'items "{names[i]}" and "{names[j]}"', en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _few(n: int, p: int) -> Note:
    en = f"{n} rows are no more than the {p} items: the matrix is singular."
    return note("W-FACTOR-FEW-ROWS", en, f"只有 {n} 行，不多于 {p} 个题项：矩阵奇异。")


def _skipped(answers: Answered, rows: Array) -> list[Note]:
    """Categories between the bounds of an item that nobody chose."""
    found = []
    for name, low, high, column in zip(answers.names, answers.minimum, answers.maximum, rows.T, strict=True):
        if not (np.isfinite(low) and np.isfinite(high)) or high - low > 20:
            continue
        here = set(np.unique(column[~np.isnan(column)]).tolist())
        if all(float(v).is_integer() for v in here):
            unused = [f"{v}" for v in range(int(low), int(high) + 1) if v not in here]
            if unused:
                found.append((name, unused))
    if not found:
        return []
    en = "; ".join(f"{name}: nobody chose {', '.join(values)}" for name, values in found[:5])
    zh = "；".join(f"{name}：无人选择 {'、'.join(values)}" for name, values in found[:5])
    more, more_zh = (
        (f" (and {len(found) - 5} more items)", f"（另有 {len(found) - 5} 个题项）") if len(found) > 5 else ("", "")
    )
    return [
        note(
            "N-CATEGORY-UNUSED", f"{en}{more}; the categories in use alone count.", f"{zh}{more_zh}；仅按已用类别计算。"
        )
    ]


def _repaired(found: Correlations, repair: Repair | None) -> Correlations:
    """The matrix mended where that was asked for and is needed; what is not positive definite is told."""
    least = found.smallest
    if repair is None or least >= FLOOR:
        if least > SINGULAR:
            return found
        en = f"the matrix is not positive definite (least eigenvalue {least:.2g}); it is used as it is."
        zh = f"矩阵非正定（最小特征值 {least:.2g}）；按原样使用。"
        return replace(found, notes=(*found.notes, note("W-NOT-DEFINITE", en, zh)))
    R = repaired(found.matrix, repair)
    change = float(np.abs(R - found.matrix).max())
    en = f'least eigenvalue {least:.2g}: repaired by "{repair}"; correlations moved by {change:.3f} at most.'
    zh = f"最小特征值 {least:.2g}：已按“{repair}”修正；相关系数最多变动 {change:.3f}。"
    notes = (*found.notes, note("N-REPAIRED", en, zh))
    values: Array = np.linalg.eigvalsh(R)[::-1].astype(np.float64)
    return replace(found, matrix=R, eigenvalues=values, repair=repair, notes=notes)
